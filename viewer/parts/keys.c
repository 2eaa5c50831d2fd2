#include "viewer/parts/keys.h"

#include <string.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static cn_keys_text trimmed(const char *from, const char *to)
{
    while (from < to && is_blank(*from)) from++;
    while (to > from && is_blank(to[-1])) to--;
    return (cn_keys_text){from, (size_t)(to - from)};
}

void cn_keys_begin(cn_keys *keys, const char *text, size_t len)
{
    if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        text += 3;
        len -= 3;
    }
    *keys = (cn_keys){.at = text, .end = text + len, .section = {text, 0}};
}

bool cn_keys_next(cn_keys *keys, cn_keys_line *out)
{
    while (keys->at < keys->end) {
        const char *stop = memchr(keys->at, '\n', (size_t)(keys->end - keys->at));
        if (!stop) stop = keys->end;
        cn_keys_text line = trimmed(keys->at, stop);
        keys->at = stop < keys->end ? stop + 1 : stop;
        if (line.n == 0 || *line.p == '#' || *line.p == ';') continue;
        const char *close = *line.p == '[' ? memchr(line.p, ']', line.n) : NULL;
        if (close) keys->section = trimmed(line.p + 1, close);
        const char *equals = close ? NULL : memchr(line.p, '=', line.n);
        if (!equals) continue;
        *out = (cn_keys_line){keys->section, trimmed(line.p, equals), trimmed(equals + 1, line.p + line.n)};
        return true;
    }
    return false;
}

bool cn_keys_begins(cn_keys_text text, const char *word)
{
    size_t n = strlen(word);
    return text.n >= n && memcmp(text.p, word, n) == 0;
}

bool cn_keys_is(cn_keys_text text, const char *word)
{
    return text.n == strlen(word) && cn_keys_begins(text, word);
}
