#include "media/wire/payload_vp8.h"

/* Bytes not yet read; a read past the end sets `failed` and yields 0, so that one check at the end is enough. */
typedef struct cursor {
    const uint8_t *p;
    size_t n, at;
    bool failed;
} cursor;

static uint8_t next_byte(cursor *cur)
{
    if (cur->at >= cur->n) {
        cur->failed = true;
        return 0;
    }
    return cur->p[cur->at++];
}

static void read_picture_id(cursor *cur, cn_vp8 *vp8)
{
    vp8->has_picture_id = true;
    vp8->picture_id_at = (uint8_t)cur->at;
    uint8_t b = next_byte(cur);
    vp8->picture_id = b & 0x7f;
    if (b & 0x80) {
        vp8->picture_id_15 = true;
        vp8->picture_id = (uint16_t)(vp8->picture_id << 8 | next_byte(cur));
    }
}

static void read_extension(cursor *cur, cn_vp8 *vp8)
{
    uint8_t x = next_byte(cur);
    if (x & 0x80) read_picture_id(cur, vp8);
    if (x & 0x40) {
        vp8->has_tl0picidx = true;
        vp8->tl0picidx_at = (uint8_t)cur->at;
        vp8->tl0picidx = next_byte(cur);
    }
    if (x & 0x30) {
        uint8_t b = next_byte(cur);
        vp8->has_tid = x & 0x20;
        vp8->has_keyidx = x & 0x10;
        if (vp8->has_tid) {
            vp8->tid = b >> 6;
            vp8->layer_sync = b & 0x20;
        }
        if (vp8->has_keyidx) vp8->keyidx = b & 0x1f;
    }
}

/* RFC 6386 §9.1: 3 bytes of frame tag; a key frame goes on with a start code and 14 bits of width and of height, each
 * under 2 of scale. */
static cn_err read_frame_tag(cursor *cur, cn_vp8 *vp8)
{
    uint8_t tag = next_byte(cur);
    vp8->key = !(tag & 1);
    if (!vp8->key) return CN_OK;
    (void)next_byte(cur), (void)next_byte(cur);
    uint8_t code[3] = {next_byte(cur), next_byte(cur), next_byte(cur)};
    unsigned w = next_byte(cur);
    w |= (unsigned)next_byte(cur) << 8;
    unsigned h = next_byte(cur);
    h |= (unsigned)next_byte(cur) << 8;
    if (cur->failed || code[0] != 0x9d || code[1] != 0x01 || code[2] != 0x2a) return CN_ERR_PARSE;
    vp8->width = (uint16_t)(w & 0x3fff);
    vp8->height = (uint16_t)(h & 0x3fff);
    return vp8->width && vp8->height ? CN_OK : CN_ERR_PARSE;
}

cn_err cn_vp8_parse(cn_vp8 *out, const uint8_t *payload, size_t len)
{
    cursor cur = {.p = payload, .n = len};
    cn_vp8 vp8 = {0};
    uint8_t first = next_byte(&cur);
    vp8.non_reference = first & 0x20;
    vp8.frame_start = (first & 0x10) && !(first & 0x0f);
    if (first & 0x80) read_extension(&cur, &vp8);
    if (cur.failed || cur.at >= len) return CN_ERR_PARSE;
    vp8.descriptor_len = (uint8_t)cur.at;
    if (vp8.frame_start) {
        cn_err err = read_frame_tag(&cur, &vp8);
        if (err) return err;
    }
    *out = vp8;
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
