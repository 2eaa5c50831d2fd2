/* Office documents as PDF, through LibreOffice in a limited child process; and what a PDF holds. Blocking: seconds, in
 * jobs of their own. */
#ifndef CN_VIEWER_DOCUMENTS_H
#define CN_VIEWER_DOCUMENTS_H

#include <stddef.h>

#include "base/err.h"

/** What one conversion may take: processor seconds (three times as long in all) and bytes of memory. Once, at the start; 30 s
 * and 1 GiB otherwise. */
void cn_documents_bound(unsigned seconds, size_t memory);

/**
 * Converts the file at `path` (any name) whose format `extension` says ("docx", "txt" …) to a PDF at `out`; text in
 * any encoding of cn_text_utf8, sheets one page wide. `scratch`: an existing folder of the caller's for temporary
 * files; a folder of its own is made and removed in it. CN_ERR_TIMEOUT after the bound, CN_ERR_CLOSED at once when `stop_fd`
 * can be read (0: none), CN_ERR_UNSUPPORTED when LibreOffice is not installed or cannot read it.
 */
cn_err cn_document_to_pdf(const char *path, const char *extension, const char *scratch, int stop_fd, const char *out);

/** A scanned or faxed TIFF, page by page, by consilium-painter (beside this program). The same errors. */
cn_err cn_scan_to_pdf(const char *path, const char *scratch, int stop_fd, const char *out);

/** Number of pages of a PDF (pdfinfo of poppler, limited); CN_ERR_FORBIDDEN when it opens with a password only,
 * CN_ERR_CORRUPT when it is none. */
cn_err cn_pdf_pages(const char *path, const char *scratch, int *pages);
/** The same errors while somebody waits: CN_ERR_TIMEOUT after 10 s, CN_ERR_CRASHED after 5 of the processor's. */
cn_err cn_pdf_check(const char *path, const char *scratch);

#endif
