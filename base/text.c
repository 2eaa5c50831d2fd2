#include "base/text.h"

#include <string.h>

typedef enum mark { PLAIN, TAB, BREAK, NOTHING } mark;

static bool starts_with(const unsigned char *bytes, size_t left, const char *text)
{
    size_t n = strlen(text);
    return left >= n && memcmp(bytes, text, n) == 0;
}

/* What stands at `bytes` and in *step how many of them it takes; plain ones are taken byte by byte. */
static mark look(const unsigned char *bytes, size_t left, size_t *step)
{
    *step = 1;
    if (bytes[0] == '\t') return TAB;
    if (bytes[0] == '\r' && left > 1 && bytes[1] == '\n') *step = 2;
    if (bytes[0] >= '\n' && bytes[0] <= '\r') return BREAK;
    if (bytes[0] < 0x20 || bytes[0] == 0x7f) return NOTHING;
    if (bytes[0] == 0xc2 && left > 1 && bytes[1] >= 0x80 && bytes[1] < 0xa0) {
        *step = 2;
        return bytes[1] == 0x85 ? BREAK : NOTHING;
    }
    if (starts_with(bytes, left, "\xe2\x80\xa8") || starts_with(bytes, left, "\xe2\x80\xa9")) {
        *step = 3;
        return BREAK;
    }
    return PLAIN;
}

bool cn_text_is_clean(const char *text, size_t len, cn_text_kind kind)
{
    const unsigned char *bytes = (const unsigned char *)text;
    if (kind == CN_TEXT_LINE && len && (bytes[0] == ' ' || bytes[len - 1] == ' ')) return false;
    for (size_t i = 0, step = 0; i < len; i += step) {
        mark found = look(bytes + i, len - i, &step);
        bool stays = found == PLAIN || (kind == CN_TEXT_LINES && (found == TAB || bytes[i] == '\n'));
        if (!stays) return false;
    }
    return true;
}

size_t cn_text_clean(char *text, size_t len, cn_text_kind kind)
{
    const unsigned char *bytes = (const unsigned char *)text;
    bool line = kind == CN_TEXT_LINE, was_blank = false;
    size_t out = 0;
    for (size_t i = 0, step = 0; i < len; i += step) {
        mark found = look(bytes + i, len - i, &step);
        if (found == NOTHING) continue;
        char ch = found == PLAIN ? text[i] : line ? ' ' : found == TAB ? '\t' : '\n';
        bool made = line && found != PLAIN;
        /* several line ends, or one beside a blank, are one blank; blanks that somebody typed are his */
        if (made && (was_blank || !out)) continue;
        was_blank = ch == ' ';
        text[out++] = ch;
    }
    if (line) {
        while (out && text[out - 1] == ' ') out--;
        size_t first = 0;
        while (first < out && text[first] == ' ') first++;
        out -= first;
        memmove(text, text + first, out);
    }
    text[out] = '\0';
    return out;
}
