/* The key files of scanners: "[section]" and "key = value" lines (Slidedat.ini of a MRXS, a .vms or .vmu). Pure. */
#ifndef CN_VIEWER_KEYS_H
#define CN_VIEWER_KEYS_H

#include <stdbool.h>
#include <stddef.h>

typedef struct cn_keys_text {
    const char *p;
    size_t n;
} cn_keys_text;

/** A line, its parts without blanks around them; views into the text. `section` is empty before the first one. */
typedef struct cn_keys_line {
    cn_keys_text section, key, value;
} cn_keys_line;

typedef struct cn_keys {
    const char *at, *end;
    cn_keys_text section;
} cn_keys;

/** Begins at the front of `len` bytes, after a byte order mark of UTF-8. */
void cn_keys_begin(cn_keys *keys, const char *text, size_t len);
/** The next line that has a key; false at the end. What is neither section nor key is passed over. */
bool cn_keys_next(cn_keys *keys, cn_keys_line *out);

bool cn_keys_is(cn_keys_text text, const char *word);
bool cn_keys_begins(cn_keys_text text, const char *word);

#endif
