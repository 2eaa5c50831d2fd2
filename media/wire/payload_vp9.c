#include "media/wire/payload_vp9.h"

#include "media/wire/payload_vp8.h"

#define REFERENCES 3

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

static uint16_t next_pair(cursor *cur)
{
    unsigned high = next_byte(cur);
    return (uint16_t)(high << 8 | next_byte(cur));
}

static void read_picture_id(cursor *cur, cn_vp9 *vp9)
{
    vp9->has_picture_id = true;
    vp9->picture_id_at = (uint8_t)cur->at;
    uint8_t b = next_byte(cur);
    vp9->picture_id = b & 0x7f;
    if (b & 0x80) {
        vp9->picture_id_15 = true;
        vp9->picture_id = (uint16_t)(vp9->picture_id << 8 | next_byte(cur));
    }
}

static void read_layers(cursor *cur, cn_vp9 *vp9)
{
    uint8_t b = next_byte(cur);
    vp9->has_layers = true;
    vp9->tid = b >> 5;
    vp9->switch_up = b & 0x10;
    vp9->sid = b >> 1 & 7;
    vp9->inter_layer = b & 1;
    if (vp9->flexible) return;
    vp9->has_tl0picidx = true;
    vp9->tl0picidx_at = (uint8_t)cur->at;
    vp9->tl0picidx = next_byte(cur);
}

static bool skip_references(cursor *cur)
{
    for (unsigned i = 0; i < REFERENCES; i++)
        if (!(next_byte(cur) & 1)) return true;
    return false;
}

/* |N_S|Y|G|---| [Y: width, height for each] [G: |N_G| {|TID|U|R|--| R × P_DIFF} …] */
static void read_structure(cursor *cur, cn_vp9 *vp9)
{
    uint8_t b = next_byte(cur);
    unsigned layers = (b >> 5) + 1u;
    if (b & 0x10) {
        vp9->spatial = (uint8_t)layers;
        for (unsigned i = 0; i < layers; i++) {
            vp9->width[i] = next_pair(cur);
            vp9->height[i] = next_pair(cur);
        }
    }
    if (!(b & 8)) return;
    for (unsigned left = next_byte(cur); left && !cur->failed; left--)
        for (unsigned r = next_byte(cur) >> 2 & 3; r; r--) (void)next_byte(cur);
}

cn_err cn_vp9_parse(cn_vp9 *out, const uint8_t *payload, size_t len)
{
    cursor cur = {.p = payload, .n = len};
    cn_vp9 vp9 = {0};
    uint8_t first = next_byte(&cur);
    vp9.inter = first & 0x40;
    vp9.flexible = first & 0x10;
    vp9.frame_start = first & 8;
    vp9.frame_end = first & 4;
    vp9.not_for_upper = first & 1;
    if (first & 0x80) read_picture_id(&cur, &vp9);
    if (first & 0x20) read_layers(&cur, &vp9);
    if (vp9.flexible && vp9.inter && !skip_references(&cur)) return CN_ERR_PARSE;
    if (first & 2) read_structure(&cur, &vp9);
    if (cur.failed || cur.at >= len || cur.at > UINT8_MAX) return CN_ERR_PARSE;
    vp9.descriptor_len = (uint8_t)cur.at;
    *out = vp9;
    return CN_OK;
}

void cn_vp9_rewrite(uint8_t *payload, uint8_t picture_id_at, bool picture_id_15, uint16_t picture_id,
                    uint8_t tl0picidx_at, uint8_t tl0picidx)
{
    cn_vp8_rewrite(payload, picture_id_at, picture_id_15, picture_id, tl0picidx_at, tl0picidx);
}
