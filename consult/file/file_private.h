/* What file.c, filetype.c and upload.c share. */
#ifndef CN_CONSULT_FILE_PRIVATE_H
#define CN_CONSULT_FILE_PRIVATE_H

#include "consult/file/file.h"

bool cn_category_known(const char *name);

/** Sealed file name of a row of `table` ("files", "uploads"). Caller frees *out. */
cn_err cn_file_name_seal(cn_consult *consult, const char *table, const char *id, const char *name, void **out,
                         size_t *len);
cn_err cn_file_name_open(cn_consult *consult, const char *table, const char *id, const cn_rows *rows, size_t col,
                         char out[CN_FILE_NAME]);

/** What an extension may hold. Pure. */
typedef struct cn_filetype {
    const char *extension;      /* lower case, without dot; "" for names without one */
    const char *kind;           /* slide, document, image, other */
    const char *state;          /* at first: ready, or converting for what the viewer makes a PDF of or has to open */
    const char *const *types;   /* content types that cn_files_sniff may find in it; NULL: any Office document */
    const char *storage, *page; /* what an unknown OLE storage and an HTML page are taken for, see cn_file_format */
} cn_filetype;

/** The row for a file name, NULL for an extension that is not allowed (nothing that could be executed is). A name without
 * one, or with digits for one, may hold DICOM. */
const cn_filetype *cn_filetype_of(const char *name);
bool cn_filetype_holds(const cn_filetype *type, const char *sniffed);
/** Slides that are not taken although they are slides: the field of the problem that says what to do instead, NULL for all
 * others. "filename.folder": one file of several; "filename.export": a format that is not read. `sniffed` may be NULL. */
const char *cn_filetype_advice(const char *name, const char *sniffed);
/** Whether a file with this name and content is a slide in this category: a plain picture becomes one where slides are asked for. */
bool cn_filetype_is_slide(const cn_filetype *type, const char *category, const char *sniffed);
/** 1…255 characters of valid UTF-8, no path separators, no control characters, no leading dot. */
bool cn_filename_valid(const char *name);

#endif
