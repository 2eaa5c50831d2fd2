/*
 * Which of an archive's entries are a slide, and under which names they are unpacked. Pure.
 *
 *   MRXS       NAME.mrxs, NAME/Slidedat.ini and what that names      slide.mrxs, slide/Slidedat.ini, slide/Data0000.dat …
 *   VMS, VMU   NAME.vms and what it names beside itself              slide.vms and the parts under the names it says
 *   a file     one SVS, TIFF, NDPI, SCN or BIF                       slide.svs …
 *
 * The slide's own name, which may be a patient's, stays out of paths. Names are compared without regard to the case of
 * ASCII letters, as the systems do on which such slides are made.
 */
#ifndef CN_VIEWER_PLAN_H
#define CN_VIEWER_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define CN_PARTS_STEM "slide"
#define CN_PLAN_ENTRIES ((size_t)10000)
#define CN_PLAN_KEYS ((size_t)1 << 20) /* of a key file; real ones have some KiB */

/** Why an archive is not taken: word of the API (field "file.zip.WORD"), what the problem document says. */
#define CN_ZIP_TABLE(X)                                                                                          \
    X(FINE, "", "")                                                                                              \
    X(DAMAGED, "damaged", "the ZIP is empty, cut off or damaged")                                                \
    X(PASSWORD, "password", "the ZIP has a password")                                                            \
    X(METHOD, "method", "the ZIP is compressed in a way that is not known here")                                 \
    X(OUTSIDE, "outside", "the ZIP has a name that leads out of its folder")                                     \
    X(LINK, "link", "the ZIP has a link or a device in it")                                                      \
    X(TWICE, "twice", "the ZIP has the same name twice")                                                         \
    X(NAME, "name", "the ZIP has a name that cannot be read")                                                    \
    X(MANY, "many", "the ZIP has more than 10,000 entries")                                                      \
    X(BOMB, "bomb", "the ZIP unpacks to more than is accepted")                                                  \
    X(NO_SLIDE, "no_slide",                                                                                      \
      "the ZIP has no slide in it: a .mrxs with its folder, a .vms or .vmu with its parts, or one .svs, .tif, "  \
      ".ndpi, .scn or .bif was expected")                                                                        \
    X(SEVERAL, "several", "the ZIP has several slides in it; one is expected")                                   \
    X(NO_FOLDER, "no_folder", "the ZIP has a .mrxs without the folder of the same name with Slidedat.ini in it") \
    X(NO_MRXS, "no_mrxs", "the ZIP has the folder of a MRXS slide without the .mrxs file of the same name")      \
    X(LACKS, "lacks", "the slide in the ZIP lacks parts that it names")

typedef enum cn_zip_refusal {
#define X(name, word, text) CN_ZIP_##name,
    CN_ZIP_TABLE(X)
#undef X
        CN_ZIP_REFUSALS
} cn_zip_refusal;

/** "" and "" for CN_ZIP_FINE. */
const char *cn_zip_word(cn_zip_refusal refusal);
const char *cn_zip_text(cn_zip_refusal refusal);

typedef struct cn_parts cn_parts;

cn_err cn_parts_new(cn_parts **out);
void cn_parts_free(cn_parts *plan);

/** The next entry, by its name as the archive has it. `size`: unpacked bytes, negative when the archive does not say.
 * CN_ERR_NOMEM, or CN_ERR_INVALID with the refusal (CN_ZIP_OUTSIDE, NAME, MANY). */
cn_err cn_parts_add(cn_parts *plan, const char *bytes, size_t len, bool folder, int64_t size, cn_zip_refusal *refusal);

/** After the last one: finds the slide. CN_ERR_INVALID with the refusal (CN_ZIP_TWICE, NO_SLIDE, SEVERAL, NO_FOLDER,
 * NO_MRXS). */
cn_err cn_parts_find(cn_parts *plan, cn_zip_refusal *refusal);

/** The entry with the key file, which cn_parts_take wants to see; -1: there is none, the plan is made. */
int64_t cn_parts_keys(const cn_parts *plan);
/** The plan by the key file's text. CN_ERR_NOMEM, or CN_ERR_INVALID with CN_ZIP_LACKS. */
cn_err cn_parts_take(cn_parts *plan, const char *text, size_t len, cn_zip_refusal *refusal);

/** How many were added; under which path entry `i` is unpacked, NULL: it is left out. Bytes of any encoding: parts have
 * the names that their slide says. */
size_t cn_parts_count(const cn_parts *plan);
const char *cn_parts_to(const cn_parts *plan, size_t i);
/** Unpacked bytes of what is not left out, as the archive says. */
int64_t cn_parts_bytes(const cn_parts *plan);

#endif
