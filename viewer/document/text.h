/* Text files as UTF-8. LibreOffice guesses a text's encoding from file to file; here it is decided once. */
#ifndef CN_VIEWER_TEXT_H
#define CN_VIEWER_TEXT_H

#include "base/str.h"

/**
 * The text with a byte order mark, appended to `out`. A mark decides (UTF-8, UTF-16); without one it is UTF-8 or
 * GB 18030, whichever leaves fewer bytes unread, UTF-8 when that is equal. What cannot be read becomes U+FFFD. Pure.
 * CN_ERR_TOOBIG beyond 16 MiB, CN_ERR_UNSUPPORTED on a system without the encoding.
 */
cn_err cn_text_utf8(const void *bytes, size_t len, cn_buf *out);

/**
 * An RTF whose author left bytes above 0x7f in it, which are no RTF: the same with those in its own words (RTF 1.9.1, "Unicode
 * RTF"), read like a text. CN_ERR_UNSUPPORTED, and nothing appended, where there are none, where the file names a code
 * page that is not Chinese, or holds binary data. Pure.
 */
cn_err cn_text_rtf(const void *bytes, size_t len, cn_buf *out);

#endif
