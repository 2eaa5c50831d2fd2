#include "base/str.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool cn_strcpy(char *dst, size_t size, const char *src)
{
    if (!size) return false;
    size_t n = strnlen(src, size);
    bool fits = n < size;
    if (!fits) n = size - 1;
    memcpy(dst, src, n);
    dst[n] = 0;
    return fits;
}

bool cn_fmt(char *dst, size_t size, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(dst, size, fmt, args);
    va_end(args);
    return n >= 0 && (size_t)n < size;
}

bool cn_parse_i64(const char *text, int64_t min, int64_t max, int64_t *out)
{
    if (!text) return false;
    bool negative = *text == '-';
    if (negative) text++;
    if (!*text) return false;
    int64_t value = 0;
    for (; *text; text++) {
        if (*text < '0' || *text > '9') return false;
        int64_t digit = *text - '0';
        /* built up below zero when negative, so that INT64_MIN is reachable */
        if (__builtin_mul_overflow(value, (int64_t)10, &value) ||
            __builtin_add_overflow(value, negative ? -digit : digit, &value))
            return false;
    }
    if (value < min || value > max) return false;
    *out = value;
    return true;
}

/* Length of the sequence at bytes, 0 when it is not valid (RFC 3629 §4). */
static size_t utf8_sequence(const uint8_t *bytes, size_t left)
{
    uint8_t c = bytes[0];
    if (c < 0x80) return 1;
    size_t n = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
    if (c < 0xc2 || c > 0xf4 || n > left) return 0;
    for (size_t i = 1; i < n; i++)
        if ((bytes[i] & 0xc0) != 0x80) return 0;
    if ((c == 0xe0 && bytes[1] < 0xa0) || (c == 0xed && bytes[1] > 0x9f)) return 0;
    if ((c == 0xf0 && bytes[1] < 0x90) || (c == 0xf4 && bytes[1] > 0x8f)) return 0;
    return n;
}

bool cn_utf8_valid(const void *bytes, size_t len)
{
    const uint8_t *s = bytes;
    while (len) {
        size_t step = utf8_sequence(s, len);
        if (!step) return false;
        s += step;
        len -= step;
    }
    return true;
}

size_t cn_utf8_length(const char *text)
{
    size_t n = 0;
    for (; *text; text++) n += ((uint8_t)*text & 0xc0) != 0x80;
    return n;
}

void cn_hex(const void *bytes, size_t len, char *out)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *s = bytes;
    for (size_t i = 0; i < len; i++) {
        *out++ = digits[s[i] >> 4];
        *out++ = digits[s[i] & 15];
    }
    *out = 0;
}

static int hex_digit(char ch)
{
    if (ch >= '0' && ch <= '9') return ch - '0';
    if (ch >= 'a' && ch <= 'f') return ch - 'a' + 10;
    if (ch >= 'A' && ch <= 'F') return ch - 'A' + 10;
    return -1;
}

bool cn_unhex(const char *text, void *out, size_t len)
{
    uint8_t *to = out;
    if (!text || strlen(text) != 2 * len) return false;
    for (size_t i = 0; i < len; i++) {
        int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);
        if (high < 0 || low < 0) return false;
        to[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

void cn_b64url(const void *bytes, size_t len, char *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const uint8_t *s = bytes;
    uint32_t bits = 0;
    unsigned held = 0;
    for (size_t i = 0; i < len; i++) {
        bits = (bits << 8 | s[i]) & 0xffff;
        for (held += 8; held >= 6; held -= 6) *out++ = digits[bits >> (held - 6) & 63];
    }
    if (held) *out++ = digits[bits << (6 - held) & 63];
    *out = 0;
}

char *cn_b64url_new(const void *bytes, size_t len)
{
    char *text = cn_calloc(len / 3 + 2, 4);
    if (text) cn_b64url(bytes, len, text);
    return text;
}

static int b64_digit(char ch)
{
    if (ch >= 'A' && ch <= 'Z') return ch - 'A';
    if (ch >= 'a' && ch <= 'z') return ch - 'a' + 26;
    if (ch >= '0' && ch <= '9') return ch - '0' + 52;
    if (ch == '+' || ch == '-') return 62;
    if (ch == '/' || ch == '_') return 63;
    return -1;
}

bool cn_unb64(const char *text, size_t len, void *out, size_t size, size_t *out_len)
{
    uint8_t *to = out;
    size_t used = 0, padding = 0;
    while (padding < 2 && padding < len && text[len - padding - 1] == '=') padding++;
    if (padding && len % 4) return false;
    len -= padding;
    if (len % 4 == 1) return false;
    uint32_t bits = 0;
    unsigned held = 0;
    for (size_t i = 0; i < len; i++) {
        int digit = b64_digit(text[i]);
        if (digit < 0) return false;
        bits = (bits << 6 | (uint32_t)digit) & 0xffff;
        held += 6;
        if (held < 8) continue;
        held -= 8;
        if (used == size) return false;
        to[used++] = (uint8_t)(bits >> held);
    }
    /* bits that no byte takes must be zero, or two texts would mean the same bytes (RFC 4648 §3.5) */
    if (bits & ((1u << held) - 1)) return false;
    *out_len = used;
    return true;
}
