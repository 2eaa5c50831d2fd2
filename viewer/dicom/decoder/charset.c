#include "viewer/dicom/decoder/charset.h"

#include <iconv.h>
#include <stdint.h>
#include <string.h>

#define ESC 0x1b
#define UNKNOWN "\xef\xbf\xbd" /* U+FFFD */

/* How a code element is reached. G0: the low half, G1: the high half. */
typedef enum half { LOW, HIGH } half;

typedef struct repertoire {
    const char *number; /* of "ISO_IR n" and "ISO 2022 IR n" */
    const char *escape; /* behind ESC */
    half half;
    int bytes;
    const char *iconv;  /* of one character whose bytes have their high bit set … */
    const char *prefix; /* … behind this */
} repertoire;

/* PS3.3 tables C.12-2 to C.12-4. Row 0: none; row 1: ASCII in G0. */
static const repertoire rows[] = {
    {"", "", HIGH, 0, NULL, ""},
    {"6", "(B", LOW, 1, NULL, ""},
    {"100", "-A", HIGH, 1, "ISO-8859-1", ""},
    {"101", "-B", HIGH, 1, "ISO-8859-2", ""},
    {"109", "-C", HIGH, 1, "ISO-8859-3", ""},
    {"110", "-D", HIGH, 1, "ISO-8859-4", ""},
    {"144", "-L", HIGH, 1, "ISO-8859-5", ""},
    {"127", "-G", HIGH, 1, "ISO-8859-6", ""},
    {"126", "-F", HIGH, 1, "ISO-8859-7", ""},
    {"138", "-H", HIGH, 1, "ISO-8859-8", ""},
    {"148", "-M", HIGH, 1, "ISO-8859-9", ""},
    {"203", "-b", HIGH, 1, "ISO-8859-15", ""},
    {"166", "-T", HIGH, 1, "TIS-620", ""},
    {"13", ")I", HIGH, 1, "SHIFT_JIS", ""}, /* JIS X 0201: its half-width katakana stand there at the same bytes */
    {"14", "(J", LOW, 1, NULL, ""},         /* JIS X 0201 Romaji: taken for ASCII, as its backslash is the delimiter */
    {"87", "$B", LOW, 2, "EUC-JP", ""},
    {"159", "$(D", LOW, 2, "EUC-JP", "\x8f"},
    {"149", "$)C", HIGH, 2, "EUC-KR", ""},
    {"58", "$)A", HIGH, 2, "GB18030", ""},
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))
#define ASCII 1

static iconv_t converters[ROWS], gb18030;
static char singles[ROWS][128][4]; /* UTF-8 of a high byte, "" when it means nothing */
static bool loaded;

/* One character; the UTF-8's length, 0 when it is none. */
static size_t convert(iconv_t converter, const char *bytes, size_t n, char out[8])
{
    char *in = (char *)(uintptr_t)bytes, *to = out;
    size_t left = 8;
    if (converter == (iconv_t)-1) return 0;
    iconv(converter, NULL, NULL, NULL, NULL);
    if (iconv(converter, &in, &n, &to, &left) == (size_t)-1 || n) return 0;
    return 8 - left;
}

static iconv_t open_converter(const char *name)
{
    return name ? iconv_open("UTF-8", name) : (iconv_t)-1;
}

bool cn_charset_load(void)
{
    if (loaded) return true;
    bool all = true;
    gb18030 = open_converter("GB18030");
    for (size_t i = 0; i < ROWS; i++) {
        converters[i] = open_converter(rows[i].iconv);
        all = all && (!rows[i].iconv || converters[i] != (iconv_t)-1);
        for (unsigned byte = 0; rows[i].bytes == 1 && byte < 128; byte++) {
            char in = (char)(byte + 128), out[8];
            size_t n = convert(converters[i], &in, 1, out);
            if (n > 0 && n < 4) memcpy(singles[i][byte], out, n);
        }
    }
    loaded = true;
    return all && gb18030 != (iconv_t)-1;
}

/* ---- what is declared ---- */

static unsigned char row_of(const char *number, size_t n)
{
    for (unsigned char i = 1; i < ROWS; i++)
        if (strlen(rows[i].number) == n && memcmp(rows[i].number, number, n) == 0) return i;
    return 0;
}

static bool holds(const char *term, size_t n, const char *what)
{
    size_t len = strlen(what);
    for (size_t at = 0; at + len <= n; at++)
        if (memcmp(term + at, what, len) == 0) return true;
    return false;
}

/* One term, as devices write them: "ISO_IR 100", "ISO 2022 IR 100", "ISO-IR 100". */
static bool take_term(cn_charset *out, const char *term, size_t n, bool first)
{
    while (n && (term[0] == ' ')) term++, n--;
    while (n && (term[n - 1] == ' ' || !term[n - 1])) n--;
    if (!n) return true;
    if (holds(term, n, "192") || holds(term, n, "UTF")) {
        out->kind = CN_CHARSET_UTF8;
        return true;
    }
    if (holds(term, n, "GB18030") || holds(term, n, "GBK") || holds(term, n, "GB2312")) {
        out->kind = CN_CHARSET_GB;
        return true;
    }
    size_t digits = n;
    while (digits && term[digits - 1] >= '0' && term[digits - 1] <= '9') digits--;
    unsigned char row = row_of(term + digits, n - digits);
    if (!row) return false;
    if (rows[row].half == HIGH && first) out->g1 = row;
    if (rows[row].half == HIGH && !first && rows[row].bytes == 2) out->spare = row;
    return true;
}

bool cn_charset_read(cn_charset *out, const char *value, size_t len)
{
    *out = (cn_charset){.kind = CN_CHARSET_ISO};
    bool good = true, any = false;
    for (size_t from = 0, at = 0; at <= len; at++) {
        if (at < len && value[at] != '\\') continue;
        any = any || at > from;
        good = take_term(out, value + from, at - from, from == 0) && good;
        from = at + 1;
    }
    if (!any) out->kind = CN_CHARSET_NONE;
    return good;
}

/* ---- texts ---- */

static bool put(cn_buf *out, const char *utf8, size_t n)
{
    cn_buf_add(out, n ? utf8 : UNKNOWN, n ? n : 3);
    return n > 0;
}

static void put_low(cn_buf *out, char byte)
{
    if (byte) cn_buf_add(out, &byte, 1);
}

/* How many bytes the UTF-8 character at the start has, 0 when it is none (RFC 3629). */
static size_t utf8_length(const uint8_t *byte, size_t n)
{
    size_t want = byte[0] < 0x80 ? 1 : byte[0] >= 0xf0 ? 4 : byte[0] >= 0xe0 ? 3 : 2;
    return want <= n && cn_utf8_valid(byte, want) ? want : 0;
}

/* GB 18030: one, two or four bytes; 0 when it is none. */
static size_t gb_length(const uint8_t *byte, size_t n)
{
    if (byte[0] < 0x80) return 1;
    if (n < 2 || byte[0] == 0x80 || byte[0] == 0xff) return 0;
    if (byte[1] >= 0x30 && byte[1] <= 0x39) return n >= 4 ? 4 : 0;
    return byte[1] >= 0x40 && byte[1] != 0x7f ? 2 : 0;
}

static bool text_utf8(const uint8_t *byte, size_t len, cn_buf *out)
{
    bool good = true;
    for (size_t at = 0; at < len;) {
        size_t n = utf8_length(byte + at, len - at);
        if (n == 1)
            put_low(out, (char)byte[at]);
        else
            good = put(out, (const char *)byte + at, n) && good;
        at += n ? n : 1;
    }
    return good;
}

static bool text_gb(const uint8_t *byte, size_t len, cn_buf *out)
{
    bool good = true;
    for (size_t at = 0; at < len;) {
        size_t n = gb_length(byte + at, len - at);
        char utf8[8];
        if (n == 1) {
            put_low(out, (char)byte[at++]);
            continue;
        }
        size_t made = n ? convert(gb18030, (const char *)byte + at, n, utf8) : 0;
        good = put(out, utf8, made) && good;
        at += made ? n : 1;
    }
    return good;
}

/* Which repertoire an escape sequence calls, and its length with ESC; 0: none that is known. */
static unsigned char called(const uint8_t *byte, size_t n, size_t *length)
{
    for (unsigned char i = 1; i < ROWS; i++) {
        size_t len = strlen(rows[i].escape);
        *length = len + 1;
        if (n > len && memcmp(byte + 1, rows[i].escape, len) == 0) return i;
    }
    *length = 1;
    return 0;
}

static bool ends_designation(uint8_t byte, cn_charset_use use)
{
    if (byte == '\n' || byte == '\r' || byte == '\f' || byte == '\t') return true;
    if (byte == '\\') return use != CN_CHARSET_LINES;
    return use == CN_CHARSET_PERSON && (byte == '^' || byte == '=');
}

/* A character of two bytes of repertoire `row`; how many bytes were used. */
static size_t put_pair(unsigned char row, const uint8_t *byte, size_t n, cn_buf *out, bool *good)
{
    char in[3], utf8[8];
    size_t at = strlen(rows[row].prefix), made = 0;
    memcpy(in, rows[row].prefix, at);
    if (n >= 2 && (byte[1] | 0x80) >= 0xa1 && ((byte[1] ^ byte[0]) & 0x80) == 0) {
        in[at++] = (char)(byte[0] | 0x80);
        in[at++] = (char)(byte[1] | 0x80);
        made = convert(converters[row], in, at, utf8);
    }
    *good = put(out, utf8, made) && *good;
    return made ? 2 : 1;
}

static size_t put_high(unsigned char row, const uint8_t *byte, size_t n, cn_buf *out, bool *good)
{
    if (rows[row].bytes == 2) return put_pair(row, byte, n, out, good);
    const char *utf8 = singles[row][byte[0] & 0x7f];
    *good = put(out, utf8, strlen(utf8)) && *good;
    return 1;
}

static bool text_iso(const cn_charset *charset, cn_charset_use use, const uint8_t *byte, size_t len, cn_buf *out)
{
    const unsigned char first = charset->g1 ? charset->g1 : charset->spare;
    unsigned char g0 = ASCII, g1 = first;
    bool good = true;
    for (size_t at = 0; at < len;) {
        size_t n = 1;
        if (byte[at] == ESC) {
            unsigned char row = called(byte + at, len - at, &n);
            if (!row)
                good = put(out, "", 0);
            else if (rows[row].half == LOW)
                g0 = row;
            else
                g1 = row;
        } else if (byte[at] >= 0x80) {
            n = put_high(g1, byte + at, len - at, out, &good);
        } else if (rows[g0].bytes == 2 && byte[at] > ' ' && byte[at] < 0x7f) {
            n = put_pair(g0, byte + at, len - at, out, &good);
        } else {
            put_low(out, (char)byte[at]);
            if (ends_designation(byte[at], use)) {
                g0 = ASCII;
                g1 = first;
            }
        }
        at += n;
    }
    return good;
}

/* Nothing is said, and yet there are high bytes: devices that write Chinese without saying so. */
static bool text_guess(const uint8_t *byte, size_t len, cn_buf *out)
{
    bool pairs = true;
    for (size_t at = 0; pairs && at < len; at++)
        if (byte[at] >= 0x80) {
            pairs = at + 1 < len && byte[at] >= 0xa1 && byte[at + 1] >= 0xa1;
            at++;
        }
    if (cn_utf8_valid(byte, len) || !pairs)
        text_utf8(byte, len, out);
    else
        text_gb(byte, len, out);
    return false;
}

bool cn_charset_text(const cn_charset *charset, cn_charset_use use, const char *bytes, size_t len, cn_buf *out)
{
    const uint8_t *byte = (const uint8_t *)bytes;
    bool plain = true;
    for (size_t at = 0; plain && at < len; at++) plain = byte[at] > 0 && byte[at] < 0x80 && byte[at] != ESC;
    if (plain) {
        cn_buf_add(out, bytes, len);
        return true;
    }
    bool high = false;
    for (size_t at = 0; !high && at < len; at++) high = byte[at] >= 0x80;
    switch (charset->kind) {
    case CN_CHARSET_UTF8: return text_utf8(byte, len, out);
    case CN_CHARSET_GB: return text_gb(byte, len, out);
    case CN_CHARSET_NONE: return high ? text_guess(byte, len, out) : text_iso(charset, use, byte, len, out);
    case CN_CHARSET_ISO: return text_iso(charset, use, byte, len, out);
    }
    return false;
}
