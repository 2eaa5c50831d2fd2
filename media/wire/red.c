#include "media/wire/red.h"

#include <stdbool.h>
#include <string.h>

#define MORE 0x80 /* F: another header follows */
#define OLD_HEADER 4
#define NEWEST_HEADER 1

cn_err cn_red_parse(cn_red *out, const uint8_t *payload, size_t len)
{
    if (len > UINT16_MAX) return CN_ERR_PARSE;
    size_t at = 0, body = 0;
    bool more = true;
    for (out->count = 0; more; out->count++) {
        if (out->count == CN_RED_BLOCKS || at == len) return CN_ERR_PARSE;
        cn_red_block *block = &out->block[out->count];
        const uint8_t *p = payload + at;
        more = p[0] & MORE;
        *block = (cn_red_block){.pt = p[0] & 0x7f};
        at += more ? OLD_HEADER : NEWEST_HEADER;
        if (at > len) return CN_ERR_PARSE;
        if (!more) continue;
        block->offset = (uint16_t)(p[1] << 6 | p[2] >> 2);
        block->len = (uint16_t)((p[2] & 3) << 8 | p[3]);
        body += block->len;
    }
    if (at + body >= len) return CN_ERR_PARSE;
    for (size_t i = 0; i < out->count; i++) {
        out->block[i].at = (uint16_t)at;
        at += out->block[i].len;
    }
    out->block[out->count - 1].len = (uint16_t)(len - out->block[out->count - 1].at);
    return CN_OK;
}

static bool kept(const cn_red *red, size_t index, uint32_t most)
{
    return index + 1 == red->count || (red->block[index].len && red->block[index].offset <= most);
}

size_t cn_red_write(uint8_t *out, const uint8_t *payload, const cn_red *red, uint8_t pt, uint32_t most)
{
    size_t at = 0;
    for (size_t i = 0; i < red->count; i++) {
        const cn_red_block *block = &red->block[i];
        if (!kept(red, i, most)) continue;
        bool newest = i + 1 == red->count;
        out[at++] = (uint8_t)(pt | (newest ? 0 : MORE));
        if (newest) continue;
        out[at++] = (uint8_t)(block->offset >> 6);
        out[at++] = (uint8_t)((block->offset & 0x3f) << 2 | block->len >> 8);
        out[at++] = (uint8_t)block->len;
    }
    for (size_t i = 0; i < red->count; i++) {
        if (!kept(red, i, most)) continue;
        memcpy(out + at, payload + red->block[i].at, red->block[i].len);
        at += red->block[i].len;
    }
    return at;
}
