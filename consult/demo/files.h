/* The demo's sample documents, drawn here: nobody's records. */
#ifndef CN_CONSULT_DEMO_FILES_H
#define CN_CONSULT_DEMO_FILES_H

#include "base/err.h"
#include "base/str.h"

/** An A4 page with a heading and paragraphs, as PDF. */
cn_err cn_demo_pdf(const char *title, const char *text, cn_buf *out);
/** A chart of twelve drawn leads on ECG paper, as PNG. */
cn_err cn_demo_ecg(cn_buf *out);

#endif
