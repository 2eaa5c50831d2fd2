/* What stands on a printed report. */
#ifndef CN_PRINTER_SHEET_H
#define CN_PRINTER_SHEET_H

#include <jansson.h>

#include "base/str.h"

/** `job`: `{request, title, zone_minutes, age}`, the request as cn_request_get gives it, age −1 when not known. Appends
 * the PDF. CN_ERR_STATE without a report. */
cn_err cn_sheet_pdf(const json_t *job, cn_buf *out);

/** What of the same sheet no font on this machine can draw: `[{field, characters: ["𰪿", …]}]`, each character once and
 * at most CN_SHEET_UNKNOWN of a field. Fields are named as in the request, those of the report by their own name. New
 * reference. */
#define CN_SHEET_UNKNOWN 50
cn_err cn_sheet_unprintable(const json_t *job, json_t **out);

#endif
