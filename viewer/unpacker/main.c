/*
 * consilium-unpacker: slides of several files out of a ZIP, in a process of its own.
 *   look ZIP MAX              whether there is a slide in it that could be unpacked to MAX bytes at most
 *   unpack ZIP MAX ROOM DIR   its parts into DIR, where ROOM bytes are free
 * Ends with 0, with CN_ZIP_STATUS and the refusal, with CN_ZIP_NO_SPACE, or with 1. Whoever starts it sets the limits.
 */
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "viewer/parts/unpack.h"
#include "viewer/unpacker/archive.h"

static cn_err work(int argc, char **argv, cn_zip_refusal *refusal)
{
    cn_parts *plan = NULL;
    int64_t max = 0, room = 0;
    bool unpack = argc == 6 && strcmp(argv[1], "unpack") == 0;
    if (!unpack && !(argc == 4 && strcmp(argv[1], "look") == 0)) return CN_ERR_INVALID;
    if (!cn_parse_i64(argv[3], 1, INT64_MAX, &max)) return CN_ERR_INVALID;
    if (unpack && !cn_parse_i64(argv[4], 0, INT64_MAX, &room)) return CN_ERR_INVALID;
    CN_TRY(cn_archive_plan(argv[2], max, &plan, refusal));
    cn_err err = CN_OK;
    if (unpack && cn_parts_bytes(plan) > room) err = CN_ERR_NOSPACE;
    if (unpack && err == CN_OK) err = cn_archive_unpack(argv[2], max, plan, argv[5], refusal);
    cn_parts_free(plan);
    return err;
}

int main(int argc, char **argv)
{
    cn_zip_refusal refusal = CN_ZIP_FINE;
    /* names with the mark of UTF-8 are converted by libarchive into the locale's encoding; all others come as they are */
    setlocale(LC_CTYPE, "C.UTF-8");
    cn_err err = work(argc, argv, &refusal);
    if (err != CN_OK) fprintf(stderr, "consilium-unpacker: %s %s\n", cn_err_text(err), cn_zip_word(refusal));
    /* locked in: what else runs at an exit may not do its work */
    if (refusal != CN_ZIP_FINE) _exit(CN_ZIP_STATUS + (int)refusal);
    _exit(err == CN_OK ? 0 : err == CN_ERR_NOSPACE ? CN_ZIP_NO_SPACE : 1);
}
