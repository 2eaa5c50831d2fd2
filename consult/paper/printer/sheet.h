/* What stands on a printed report. */
#ifndef CN_PRINTER_SHEET_H
#define CN_PRINTER_SHEET_H

#include <jansson.h>

#include "base/str.h"

/** `job`: `{request, title, zone_minutes, age}`, the request as cn_request_get gives it, age −1 when not known. Appends
 * the PDF. CN_ERR_STATE without a report. */
cn_err cn_sheet_pdf(const json_t *job, cn_buf *out);

#endif
