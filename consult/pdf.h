/* The report as PDF: Pango and Cairo, Chinese and Latin text, fonts embedded. */
#ifndef CN_CONSULT_PDF_H
#define CN_CONSULT_PDF_H

#include "consult/consult.h"
#include "base/str.h"

/** Draws the report of a request (as cn_request_get gives it) into `out`. CN_ERR_STATE when nothing is signed yet. Any
 * job thread. */
cn_err cn_pdf_report(const json_t *request, const char *title, cn_buf *out);

#endif
