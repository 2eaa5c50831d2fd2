/* The report as PDF: Pango and Cairo, Chinese and Latin text, fonts embedded as subsets.
 * Blocking: some 0.1 s. */
#ifndef CN_CONSULT_PDF_H
#define CN_CONSULT_PDF_H

#include "base/str.h"
#include "consult/consult.h"

typedef struct cn_pdf_style {
    const char *title; /* below the hospital's name */
    int zone_minutes;  /* of the times, minutes east of UTC */
} cn_pdf_style;

/**
 * Draws the report of a request (as cn_request_get gives it) and appends it to `out`. A draft (`signed_at` null) and a
 * report that waits for its audit (state WRITTEN) say so across every page. The same request gives the same bytes.
 * CN_ERR_STATE when there is no report. Drawn by a process of its own (printer/main.c); any job thread, several at
 * once.
 */
cn_err cn_pdf_report(const json_t *request, const cn_pdf_style *style, cn_buf *out);

/**
 * The characters of the same page that no font of this machine has, which would be printed as boxes: `[{field,
 * characters: ["𰪿", …]}]`, empty when there is none. Laid out by the same process in the same way. New reference.
 */
cn_err cn_pdf_unprintable(const json_t *request, const cn_pdf_style *style, json_t **out);

#endif
