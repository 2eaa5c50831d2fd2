#include "viewer/document/text.h"

#include <errno.h>
#include <iconv.h>
#include <string.h>

#define TEXT_MAX ((size_t)16 << 20)
#define STEP 1024 /* bytes */
#define MARK "\xef\xbb\xbf"
#define UNREAD "\xef\xbf\xbd" /* U+FFFD */

typedef struct reading {
    iconv_t from;
    char *in;
    size_t left;
    size_t unit; /* bytes that an unreadable place takes */
    size_t lost;
} reading;

/* Windows writes the euro sign of its code page 936 as a byte that GB 18030 does not have. */
static void put_unread(reading *text, cn_buf *out)
{
    bool euro = text->unit == 1 && (uint8_t)*text->in == 0x80;
    size_t n = text->unit < text->left ? text->unit : text->left;
    cn_buf_str(out, euro ? "€" : UNREAD);
    text->in += n;
    text->left -= n;
    if (!euro) text->lost++;
}

/* In steps, so that a text full of errors costs no more than its length. */
static void convert(reading *text, cn_buf *out)
{
    while (text->left > 0 && out->err == CN_OK) {
        char piece[4096];
        char *to = piece;
        size_t step = text->left < STEP ? text->left : STEP, rest = step, room = sizeof(piece);
        size_t done = iconv(text->from, &text->in, &rest, &to, &room);
        int why = errno;
        text->left -= step - rest;
        cn_buf_add(out, piece, sizeof(piece) - room);
        bool only_cut = why == E2BIG || (why == EINVAL && text->left > rest); /* the next step has the other part */
        if (done == (size_t)-1 && !only_cut) put_unread(text, out);
    }
}

static cn_err read_as(const char *encoding, const char *bytes, size_t len, cn_buf *out, size_t *lost)
{
    reading text = {.in = (char *)(uintptr_t)bytes, .left = len, .unit = strncmp(encoding, "UTF-16", 6) == 0 ? 2 : 1};
    text.from = iconv_open("UTF-8", encoding);
    if (text.from == (iconv_t)-1) return CN_ERR_UNSUPPORTED;
    cn_buf_str(out, MARK);
    convert(&text, out);
    iconv_close(text.from);
    *lost = text.lost;
    return out->err;
}

/* Not by iconv, which lets numbers beyond Unicode's last one through. */
static cn_err read_utf8(const char *bytes, size_t len, cn_buf *out, size_t *lost)
{
    cn_buf_str(out, MARK);
    if (cn_utf8_valid(bytes, len)) {
        cn_buf_add(out, bytes, len);
        return out->err;
    }
    for (size_t at = 0; at < len && out->err == CN_OK;) {
        uint8_t c = (uint8_t)bytes[at];
        size_t n = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : c >= 0xc0 ? 2 : 1;
        bool good = n <= len - at && cn_utf8_valid(bytes + at, n);
        if (!good) n = 1;
        if (!good) ++*lost;
        cn_buf_add(out, good ? bytes + at : UNREAD, good ? n : sizeof(UNREAD) - 1);
        at += n;
    }
    return out->err;
}

static cn_err read_unmarked(const char *bytes, size_t len, cn_buf *out)
{
    cn_buf utf8 = {0}, gb = {0};
    size_t utf8_lost = 0, gb_lost = 0;
    cn_err err = read_utf8(bytes, len, &utf8, &utf8_lost);
    if (err == CN_OK && utf8_lost > 0) err = read_as("GB18030", bytes, len, &gb, &gb_lost);
    const cn_buf *best = gb_lost < utf8_lost ? &gb : &utf8;
    if (err == CN_OK) cn_buf_add(out, best->p, best->n);
    cn_buf_free(&utf8);
    cn_buf_free(&gb);
    return err == CN_OK ? out->err : err;
}

static bool starts(const char *text, size_t len, const char *mark)
{
    size_t n = strlen(mark);
    return len >= n && memcmp(text, mark, n) == 0;
}

cn_err cn_text_utf8(const void *bytes, size_t len, cn_buf *out)
{
    const char *text = bytes;
    size_t lost = 0;
    if (len > TEXT_MAX) return CN_ERR_TOOBIG;
    if (starts(text, len, MARK)) return read_utf8(text + 3, len - 3, out, &lost);
    if (starts(text, len, "\xff\xfe")) return read_as("UTF-16LE", text + 2, len - 2, out, &lost);
    if (starts(text, len, "\xfe\xff")) return read_as("UTF-16BE", text + 2, len - 2, out, &lost);
    return read_unmarked(text, len, out);
}

/* ---- RTF ---- */

static bool rtf_is_ours(const char *bytes, size_t len)
{
    static const char word[] = "\\ansicpg";
    bool raw = false;
    for (size_t i = 0; i < len && !raw; i++) raw = (uint8_t)bytes[i] > 0x7f;
    if (!raw || len > TEXT_MAX || memmem(bytes, len, "\\bin", 4)) return false;
    const char *page = memmem(bytes, len, word, sizeof(word) - 1);
    if (!page) return true;
    page += sizeof(word) - 1;
    size_t left = len - (size_t)(page - bytes);
    return starts(page, left, "936") || starts(page, left, "65001");
}

/* One character of valid UTF-8 as its UTF-16 units, each a signed number; how many bytes it took. */
static size_t put_escaped(const uint8_t *text, cn_buf *out)
{
    size_t n = text[0] >= 0xf0 ? 4 : text[0] >= 0xe0 ? 3 : 2;
    uint32_t point = text[0] & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) point = point << 6 | (text[i] & 0x3fu);
    if (point > 0xffff) {
        cn_buf_fmt(out, "\\u%d?", (int16_t)(0xd800 + ((point - 0x10000) >> 10)));
        point = 0xdc00 + (point & 0x3ff);
    }
    cn_buf_fmt(out, "\\u%d?", (int16_t)point);
    return n;
}

cn_err cn_text_rtf(const void *bytes, size_t len, cn_buf *out)
{
    cn_buf utf8 = {0};
    if (!rtf_is_ours(bytes, len)) return CN_ERR_UNSUPPORTED;
    cn_err err = cn_text_utf8(bytes, len, &utf8);
    const uint8_t *text = (const uint8_t *)utf8.p;
    for (size_t i = 3; err == CN_OK && i < utf8.n;) {
        size_t plain = i;
        while (plain < utf8.n && text[plain] < 0x80) plain++;
        cn_buf_add(out, text + i, plain - i);
        if ((i = plain) == utf8.n) break;
        cn_buf_str(out, "{\\uc1"); /* a group of its own, whatever count stands outside */
        while (i < utf8.n && text[i] >= 0x80) i += put_escaped(text + i, out);
        cn_buf_str(out, "}");
    }
    cn_buf_free(&utf8);
    return err == CN_OK ? out->err : err;
}
