#include "media/wire/payload_vp9.h"

#include "media/wire/payload_vp8.h"

#define REFERENCES 3

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

static uint16_t next_pair(cursor *c)
{
    unsigned high = next_byte(c);
    return (uint16_t)(high << 8 | next_byte(c));
}

static void read_picture_id(cursor *c, cn_vp9 *v)
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

static void read_layers(cursor *c, cn_vp9 *v)
{
    uint8_t b = next_byte(c);
    v->has_layers = true;
    v->tid = b >> 5;
    v->switch_up = b & 0x10;
    v->sid = b >> 1 & 7;
    v->inter_layer = b & 1;
    if (v->flexible) return;
    v->has_tl0picidx = true;
    v->tl0picidx_at = (uint8_t)c->at;
    v->tl0picidx = next_byte(c);
}

static bool skip_references(cursor *c)
{
    for (unsigned i = 0; i < REFERENCES; i++)
        if (!(next_byte(c) & 1)) return true;
    return false;
}

/* |N_S|Y|G|---| [Y: width, height for each] [G: |N_G| {|TID|U|R|--| R × P_DIFF} …] */
static void read_structure(cursor *c, cn_vp9 *v)
{
    uint8_t b = next_byte(c);
    unsigned layers = (b >> 5) + 1u;
    if (b & 0x10) {
        v->spatial = (uint8_t)layers;
        for (unsigned i = 0; i < layers; i++) {
            v->width[i] = next_pair(c);
            v->height[i] = next_pair(c);
        }
    }
    if (!(b & 8)) return;
    for (unsigned left = next_byte(c); left && !c->failed; left--)
        for (unsigned r = next_byte(c) >> 2 & 3; r; r--) (void)next_byte(c);
}

cn_err cn_vp9_parse(cn_vp9 *out, const uint8_t *payload, size_t n)
{
    cursor c = {.p = payload, .n = n};
    cn_vp9 v = {0};
    uint8_t first = next_byte(&c);
    v.inter = first & 0x40;
    v.flexible = first & 0x10;
    v.frame_start = first & 8;
    v.frame_end = first & 4;
    v.not_for_upper = first & 1;
    if (first & 0x80) read_picture_id(&c, &v);
    if (first & 0x20) read_layers(&c, &v);
    if (v.flexible && v.inter && !skip_references(&c)) return CN_ERR_PARSE;
    if (first & 2) read_structure(&c, &v);
    if (c.failed || c.at >= n || c.at > UINT8_MAX) return CN_ERR_PARSE;
    v.descriptor_len = (uint8_t)c.at;
    *out = v;
    return CN_OK;
}

void cn_vp9_rewrite(uint8_t *payload, uint8_t picture_id_at, bool picture_id_15, uint16_t picture_id,
                    uint8_t tl0picidx_at, uint8_t tl0picidx)
{
    cn_vp8_rewrite(payload, picture_id_at, picture_id_15, picture_id, tl0picidx_at, tl0picidx);
}
