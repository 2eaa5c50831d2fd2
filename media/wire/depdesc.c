#include "media/wire/depdesc.h"

#include <string.h>

#define MANDATORY_BITS 24
#define FLAGS 5
#define ACTIVE_FLAG (MANDATORY_BITS + 1) /* bit of active_decode_targets_present_flag */

/* Bits not yet read; a read past the end sets `failed` and yields 0. */
typedef struct bits {
    const uint8_t *p;
    size_t n, at; /* in bits */
    bool failed;
} bits;

static uint32_t take(bits *b, unsigned count)
{
    uint32_t v = 0;
    if (b->n - b->at < count) {
        b->failed = true;
        b->at = b->n;
        return 0;
    }
    for (; count; count--, b->at++) v = v << 1 | ((uint32_t)b->p[b->at >> 3] >> (7 - (b->at & 7)) & 1u);
    return v;
}

/* ns(n) of §A.8.2. */
static uint32_t take_ns(bits *b, unsigned n)
{
    unsigned w = 0;
    for (unsigned x = n; x; x >>= 1) w++;
    unsigned m = (1u << w) - n;
    uint32_t v = take(b, w - 1);
    return v < m ? v : (v << 1) - m + take(b, 1);
}

static bool template_layers(bits *b, cn_dd_structure *s)
{
    unsigned sid = 0, tid = 0, next;
    do {
        if (s->template_count == CN_DD_TEMPLATES || sid >= CN_DD_SPATIAL || tid >= CN_DD_TEMPORAL) return false;
        s->templates[s->template_count].sid = (uint8_t)sid;
        s->templates[s->template_count++].tid = (uint8_t)tid;
        if (tid >= s->temporal) s->temporal = (uint8_t)(tid + 1);
        s->spatial = (uint8_t)(sid + 1);
        next = take(b, 2);
        if (next == 1) tid++;
        if (next == 2) {
            tid = 0;
            sid++;
        }
    } while (next != 3 && !b->failed);
    return !b->failed;
}

static uint64_t take_dtis(bits *b, unsigned targets)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < targets; i++) v |= (uint64_t)take(b, 2) << (2 * i);
    return v;
}

static bool template_fdiffs(bits *b, cn_dd_template *t)
{
    while (take(b, 1)) {
        if (t->fdiff_count == CN_DD_FDIFFS) return false;
        t->fdiff[t->fdiff_count++] = (uint8_t)(take(b, 4) + 1);
    }
    return !b->failed;
}

static bool template_chains(bits *b, cn_dd_structure *s)
{
    s->chain_count = (uint8_t)take_ns(b, s->target_count + 1u);
    if (s->chain_count > s->target_count) return false;
    if (!s->chain_count) return true;
    for (unsigned i = 0; i < s->target_count; i++) s->chain_of[i] = (uint8_t)take_ns(b, s->chain_count);
    for (unsigned i = 0; i < s->template_count; i++)
        for (unsigned c = 0; c < s->chain_count; c++) s->chain_fdiff[i][c] = (uint8_t)take(b, 4);
    return !b->failed;
}

static void resolutions(bits *b, cn_dd_structure *s)
{
    s->has_resolutions = take(b, 1);
    for (unsigned i = 0; s->has_resolutions && i < s->spatial; i++) {
        s->width[i] = (uint16_t)(take(b, 16) + 1);
        s->height[i] = (uint16_t)(take(b, 16) + 1);
    }
}

static cn_err read_structure(bits *b, cn_dd_structure *s)
{
    memset(s, 0, sizeof *s);
    s->offset = (uint8_t)take(b, 6);
    s->target_count = (uint8_t)(take(b, 5) + 1);
    if (!template_layers(b, s)) return CN_ERR_PARSE;
    for (unsigned i = 0; i < s->template_count; i++) s->templates[i].dtis = take_dtis(b, s->target_count);
    for (unsigned i = 0; i < s->template_count; i++)
        if (!template_fdiffs(b, &s->templates[i])) return CN_ERR_PARSE;
    if (!template_chains(b, s)) return CN_ERR_PARSE;
    resolutions(b, s);
    return b->failed ? CN_ERR_PARSE : CN_OK;
}

static bool custom_fdiffs(bits *b, cn_depdesc *d)
{
    d->fdiff_count = 0;
    for (unsigned size; (size = take(b, 2)) != 0;) {
        if (d->fdiff_count == CN_DD_FDIFFS) return false;
        d->fdiff[d->fdiff_count++] = (uint16_t)(take(b, 4 * size) + 1);
    }
    return !b->failed;
}

static void from_template(cn_depdesc *d, const cn_dd_structure *s, unsigned index)
{
    const cn_dd_template *t = &s->templates[index];
    d->sid = t->sid;
    d->tid = t->tid;
    d->dtis = t->dtis;
    d->fdiff_count = t->fdiff_count;
    for (unsigned i = 0; i < t->fdiff_count; i++) d->fdiff[i] = t->fdiff[i];
    memcpy(d->chain_fdiff, s->chain_fdiff[index], sizeof d->chain_fdiff);
    d->target_count = s->target_count;
}

/* frame_dependency_definition(); `flags`: D, F, C. */
static cn_err read_frame(bits *b, cn_depdesc *d, const cn_dd_structure *s, unsigned id, unsigned flags)
{
    unsigned index = (id + 64 - s->offset) % 64;
    if (index >= s->template_count) return CN_ERR_PARSE;
    from_template(d, s, index);
    if (flags & 4) d->dtis = take_dtis(b, s->target_count);
    if (flags & 2 && !custom_fdiffs(b, d)) return CN_ERR_PARSE;
    for (unsigned c = 0; flags & 1 && c < s->chain_count; c++) d->chain_fdiff[c] = (uint8_t)take(b, 8);
    return b->failed ? CN_ERR_PARSE : CN_OK;
}

cn_err cn_depdesc_parse(cn_depdesc *out, const uint8_t *p, size_t n, const cn_dd_structure *known,
                        cn_dd_structure *fresh)
{
    bits b = {.p = p, .n = 8 * n};
    cn_depdesc d = {0};
    d.start = take(&b, 1);
    d.end = take(&b, 1);
    unsigned id = take(&b, 6), flags = 0;
    d.frame_number = (uint16_t)take(&b, 16);
    d.active_at = MANDATORY_BITS;
    if (n > 3) {
        d.has_structure = take(&b, 1);
        d.has_active = take(&b, 1);
        flags = take(&b, 3);
        if (d.has_structure) {
            cn_err err = read_structure(&b, fresh);
            if (err) return err;
            known = fresh;
            d.active = (uint32_t)((1ull << fresh->target_count) - 1);
        }
        d.active_at = (uint16_t)b.at;
    }
    if (b.failed) return CN_ERR_PARSE;
    if (!known) return CN_ERR_NOTFOUND;
    if (d.has_active) d.active = take(&b, known->target_count);
    cn_err err = read_frame(&b, &d, known, id, flags);
    if (!err) *out = d;
    return err;
}

/* §A.8.2 decode_target_layers(). */
static void target_layers(const cn_dd_structure *s, unsigned target, unsigned *sid, unsigned *tid)
{
    *sid = *tid = 0;
    for (unsigned i = 0; i < s->template_count; i++) {
        const cn_dd_template *t = &s->templates[i];
        if (cn_dd_dti(t->dtis, target) == CN_DTI_ABSENT) continue;
        if (t->sid > *sid) *sid = t->sid;
        if (t->tid > *tid) *tid = t->tid;
    }
}

void cn_dd_layout_of(const cn_dd_structure *s, cn_dd_layout *out)
{
    *out = (cn_dd_layout){.spatial = s->spatial, .temporal = s->temporal, .targets = s->target_count};
    int best[CN_DD_SPATIAL][CN_DD_TEMPORAL] = {{0}};
    for (unsigned target = 0; target < s->target_count; target++) {
        unsigned sid, tid;
        target_layers(s, target, &sid, &tid);
        int rank = (int)(sid * CN_DD_TEMPORAL + tid) + 1;
        for (unsigned x = sid; x < CN_DD_SPATIAL; x++) {
            for (unsigned y = tid; y < CN_DD_TEMPORAL; y++) {
                out->within[x][y] |= 1u << target;
                if (rank <= best[x][y]) continue;
                best[x][y] = rank;
                out->target_of[x][y] = (uint8_t)target;
            }
        }
    }
}

/* Appends bits to a zeroed buffer. */
static void put(uint8_t *out, size_t *at, uint32_t v, unsigned count)
{
    while (count--) {
        if (v >> count & 1) out[*at >> 3] |= (uint8_t)(0x80 >> (*at & 7));
        ++*at;
    }
}

size_t cn_depdesc_rewrite(uint8_t *out, size_t cap, const uint8_t *p, size_t n, uint16_t frame_number,
                          uint16_t active_at, bool had, unsigned targets, uint32_t active)
{
    size_t in_bits = 8 * n, extra = !active ? 0 : (active_at == MANDATORY_BITS ? FLAGS : 0) + (had ? 0 : targets);
    size_t len = (in_bits + extra + 7) / 8;
    if (n < 3 || len > cap || len > CN_DD_MAX || active_at > in_bits) return 0;
    if (!extra) {
        memcpy(out, p, n);
    } else {
        memset(out, 0, len);
    }
    size_t at = 0;
    bits b = {.p = p, .n = in_bits};
    if (extra) {
        while (b.at < active_at) put(out, &at, take(&b, 1), 1);
        if (active_at == MANDATORY_BITS) put(out, &at, 0, FLAGS);
        put(out, &at, active, targets);
        while (b.at < b.n) put(out, &at, take(&b, 1), 1);
    } else if (active) {
        for (unsigned i = 0; i < targets; i++) {
            size_t bit = active_at + i;
            uint8_t mask = (uint8_t)(0x80 >> (bit & 7));
            out[bit >> 3] = (uint8_t)(active >> (targets - 1 - i) & 1 ? out[bit >> 3] | mask : out[bit >> 3] & ~mask);
        }
    }
    if (active) out[ACTIVE_FLAG >> 3] |= (uint8_t)(0x80 >> (ACTIVE_FLAG & 7));
    out[1] = (uint8_t)(frame_number >> 8);
    out[2] = (uint8_t)frame_number;
    return len;
}
