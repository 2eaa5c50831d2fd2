#include "media/wire/payload_vp8.h"

/* Bytes not yet read; a read past the end sets `failed` and yields 0, so that one check at the end is enough. */
typedef struct cursor {
    const uint8_t *p;
    size_t n, at;
    bool failed;
} cursor;

static uint8_t next_byte(cursor *c)
{
    if (c->at >= c->n) {
        c->failed = true;
        return 0;
    }
    return c->p[c->at++];
}

static void read_picture_id(cursor *c, cn_vp8 *v)
{
    v->has_picture_id = true;
    v->picture_id_at = (uint8_t)c->at;
    uint8_t b = next_byte(c);
    v->picture_id = b & 0x7f;
    if (b & 0x80) {
        v->picture_id_15 = true;
        v->picture_id = (uint16_t)(v->picture_id << 8 | next_byte(c));
    }
}

static void read_extension(cursor *c, cn_vp8 *v)
{
    uint8_t x = next_byte(c);
    if (x & 0x80) read_picture_id(c, v);
    if (x & 0x40) {
        v->has_tl0picidx = true;
        v->tl0picidx_at = (uint8_t)c->at;
        v->tl0picidx = next_byte(c);
    }
    if (x & 0x30) {
        uint8_t b = next_byte(c);
        v->has_tid = x & 0x20;
        v->has_keyidx = x & 0x10;
        if (v->has_tid) {
            v->tid = b >> 6;
            v->layer_sync = b & 0x20;
        }
        if (v->has_keyidx) v->keyidx = b & 0x1f;
    }
}

/* RFC 6386 §9.1: 3 bytes of frame tag; a key frame goes on with a start code and 14 bits of width and of height, each
 * under 2 of scale. */
static cn_err read_frame_tag(cursor *c, cn_vp8 *v)
{
    uint8_t tag = next_byte(c);
    v->key = !(tag & 1);
    if (!v->key) return CN_OK;
    (void)next_byte(c), (void)next_byte(c);
    uint8_t code[3] = {next_byte(c), next_byte(c), next_byte(c)};
    unsigned w = next_byte(c);
    w |= (unsigned)next_byte(c) << 8;
    unsigned h = next_byte(c);
    h |= (unsigned)next_byte(c) << 8;
    if (c->failed || code[0] != 0x9d || code[1] != 0x01 || code[2] != 0x2a) return CN_ERR_PARSE;
    v->width = (uint16_t)(w & 0x3fff);
    v->height = (uint16_t)(h & 0x3fff);
    return v->width && v->height ? CN_OK : CN_ERR_PARSE;
}

cn_err cn_vp8_parse(cn_vp8 *out, const uint8_t *payload, size_t n)
{
    cursor c = {.p = payload, .n = n};
    cn_vp8 v = {0};
    uint8_t first = next_byte(&c);
    v.non_reference = first & 0x20;
    v.frame_start = (first & 0x10) && !(first & 0x0f);
    if (first & 0x80) read_extension(&c, &v);
    if (c.failed || c.at >= n) return CN_ERR_PARSE;
    v.descriptor_len = (uint8_t)c.at;
    if (v.frame_start) {
        cn_err err = read_frame_tag(&c, &v);
        if (err) return err;
    }
    *out = v;
    return CN_OK;
}

void cn_vp8_rewrite(uint8_t *payload, uint8_t picture_id_at, bool picture_id_15, uint16_t picture_id,
                    uint8_t tl0picidx_at, uint8_t tl0picidx)
{
    if (picture_id_at && picture_id_15) {
        payload[picture_id_at] = (uint8_t)(0x80 | (picture_id >> 8 & 0x7f));
        payload[picture_id_at + 1] = (uint8_t)picture_id;
    } else if (picture_id_at) {
        payload[picture_id_at] = picture_id & 0x7f;
    }
    if (tl0picidx_at) payload[tl0picidx_at] = tl0picidx;
}
