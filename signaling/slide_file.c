#include "signaling/slide_file.h"

#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "viewer/parts/plan.h"
#include "viewer/document/plain.h"
#include "viewer/slide/beside.h"

cn_err cn_slide_file_own(cn_consult *consult, const cn_file_info *info, char *out, size_t size)
{
    if (strcmp(info->type, "application/zip") == 0)
        return cn_files_parts_find(consult->files, info->id, CN_PARTS_STEM, out, size);
    /* the folder's only file; the name keeps its ending, which some readers go by */
    const char *dot = strrchr(info->name, '.');
    char name[40];
    cn_fmt(name, sizeof(name), "slide%.16s", dot ? dot : "");
    return cn_files_link_named(consult->files, info->id, name, info->sha256, out, size);
}

cn_err cn_slide_file_path(cn_consult *consult, const cn_file_info *info, char *out, size_t size)
{
    char made[4096];
    CN_TRY(cn_slide_file_own(consult, info, out, size));
    CN_TRY(cn_beside(out, CN_PYRAMID_NAME, made, sizeof(made)));
    if (access(made, R_OK) != 0) return CN_OK;
    return cn_strcpy(out, size, made) ? CN_OK : CN_ERR_TOOBIG;
}

void cn_slide_file_share(void *consult, const char *id, char share[CN_DECODERS_SHARE])
{
    char hospital[CN_ID_TEXT];
    if (cn_file_hospital(consult, id, hospital) != CN_OK) return; /* nobody's: it shares with others of that kind */
    cn_strcpy(share, CN_DECODERS_SHARE, hospital);
}
