/* Specific Character Set (0008,0005) to UTF-8: PS3.3 C.12.1.1.2, PS3.5 §6.1. A byte that means nothing becomes U+FFFD, the rest stays. */
#ifndef CN_VIEWER_DICOM_DECODER_CHARSET_H
#define CN_VIEWER_DICOM_DECODER_CHARSET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

/** Opens the converters; once, before a worker is locked in. False: this system lacks some, whose texts then become U+FFFD. */
bool cn_charset_load(void);

typedef enum cn_charset_kind {
    CN_CHARSET_NONE, /* nothing is said */
    CN_CHARSET_ISO,  /* a repertoire of ISO 2022, with code extensions or without */
    CN_CHARSET_UTF8,
    CN_CHARSET_GB, /* GB18030 and its subset GBK */
} cn_charset_kind;

typedef struct cn_charset {
    cn_charset_kind kind;
    unsigned char g1;    /* what high bytes are at first: a row of the table, 0 none */
    unsigned char spare; /* what they are taken for where no escape sequence said anything, 0 none */
} cn_charset;

/** From the bytes of (0008,0005). False: a term is not known. */
bool cn_charset_read(cn_charset *out, const char *value, size_t len);

typedef enum cn_charset_use {
    CN_CHARSET_LINES,  /* ST, LT, UT: designations end with a line, FF or TAB */
    CN_CHARSET_VALUES, /* LO, SH, UC: … and with a backslash */
    CN_CHARSET_PERSON, /* PN: … and with ^ and = */
} cn_charset_use;

/** Appends `len` bytes to `out` as UTF-8 without U+0000. False: something was doubtful or became U+FFFD. */
bool cn_charset_text(const cn_charset *charset, cn_charset_use use, const char *bytes, size_t len, cn_buf *out);

#endif
