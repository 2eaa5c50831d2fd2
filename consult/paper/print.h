/* A request's report as a page: the text and values come from the request, the drawing from pdf.h. Blocking. */
#ifndef CN_CONSULT_PRINT_H
#define CN_CONSULT_PRINT_H

#include "consult/paper/pdf.h"

/**
 * The version of the report that cn_report_get gives, as PDF, appended to `out`; `number` gets the request's. With
 * `released` the lead expert too gets the last signed version instead of his draft. CN_ERR_STATE when there is none.
 * Written to the audit log.
 */
cn_err cn_report_print(cn_consult *consult, const cn_actor *actor, const char *request, bool released,
                       const cn_pdf_style *style, char number[24], cn_buf *out, cn_problem *problem);

/** What of the version that cn_report_get gives, and of all that stands around it on the page, cannot be printed here
 * (cn_pdf_unprintable): to be asked before signing. CN_ERR_STATE when there is no report. Written to the audit log. */
cn_err cn_report_unprintable(cn_consult *consult, const cn_actor *actor, const char *request, const cn_pdf_style *style,
                             json_t **out, cn_problem *problem);

#endif
