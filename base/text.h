/* Text that people typed or pasted: what cannot be seen in it never stands in the way. */
#ifndef CN_BASE_TEXT_H
#define CN_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

typedef enum cn_text_kind {
    CN_TEXT_LINES, /* several lines: findings, a reason */
    CN_TEXT_LINE,  /* one line: a name, a username, an id */
} cn_text_kind;

/**
 * Takes the invisible characters out of `len` bytes of valid UTF-8, in place, and ends it with a zero; the length that
 * is left, never more than `len`. U+000B, U+000C, U+000D (with a U+000A behind it), U+0085, U+2028 and U+2029 are what
 * other programs end a line with: they become U+000A. Other control characters (C0 with U+0000, DEL, C1) go; U+0009
 * stays. In a CN_TEXT_LINE whatever ends a line and every tab becomes one blank, and none is left at either end.
 */
size_t cn_text_clean(char *text, size_t len, cn_text_kind kind);

/** Whether cn_text_clean would change something; any bytes. */
bool cn_text_is_clean(const char *text, size_t len, cn_text_kind kind);

#endif
