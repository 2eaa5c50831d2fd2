/* What LibreOffice is told: a profile of its own for one conversion, and the macro that makes the PDF. */
#ifndef CN_VIEWER_OFFICE_H
#define CN_VIEWER_OFFICE_H

#include <stddef.h>

#include "base/err.h"

/** To be given to LibreOffice as what to open. */
#define CN_OFFICE_MACRO "macro:///Standard.Module1.ToPdf"

/** "file://" and the absolute path, percent-encoded (RFC 3986 2.1); CN_ERR_TOOBIG. Pure. */
cn_err cn_office_url(const char *path, char *out, size_t size);

/**
 * Makes the profile DIR/profile with the macro, which turns the file `input` into the PDF `output` and ends
 * LibreOffice. Sheets are set one page wide; macros and links of the document do nothing.
 */
cn_err cn_office_profile(const char *dir, const char *input, const char *output);

#endif
