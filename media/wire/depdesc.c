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

static uint32_t take(bits *bitstream, unsigned count)
{
    uint32_t v = 0;
    if (bitstream->n - bitstream->at < count) {
        bitstream->failed = true;
        bitstream->at = bitstream->n;
        return 0;
    }
    for (; count; count--, bitstream->at++)
        v = v << 1 | ((uint32_t)bitstream->p[bitstream->at >> 3] >> (7 - (bitstream->at & 7)) & 1u);
    return v;
}

/* ns(n) of §A.8.2. */
static uint32_t take_ns(bits *bitstream, unsigned bound)
{
    unsigned w = 0;
    for (unsigned x = bound; x; x >>= 1) w++;
    unsigned m = (1u << w) - bound;
    uint32_t v = take(bitstream, w - 1);
    return v < m ? v : (v << 1) - m + take(bitstream, 1);
}

static bool template_layers(bits *bitstream, cn_dd_structure *structure)
{
    unsigned sid = 0, tid = 0, next;
    do {
        if (structure->template_count == CN_DD_TEMPLATES || sid >= CN_DD_SPATIAL || tid >= CN_DD_TEMPORAL) return false;
        structure->templates[structure->template_count].sid = (uint8_t)sid;
        structure->templates[structure->template_count++].tid = (uint8_t)tid;
        if (tid >= structure->temporal) structure->temporal = (uint8_t)(tid + 1);
        structure->spatial = (uint8_t)(sid + 1);
        next = take(bitstream, 2);
        if (next == 1) tid++;
        if (next == 2) {
            tid = 0;
            sid++;
        }
    } while (next != 3 && !bitstream->failed);
    return !bitstream->failed;
}

static uint64_t take_dtis(bits *bitstream, unsigned targets)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < targets; i++) v |= (uint64_t)take(bitstream, 2) << (2 * i);
    return v;
}

static bool template_fdiffs(bits *bitstream, cn_dd_template *pattern)
{
    while (take(bitstream, 1)) {
        if (pattern->fdiff_count == CN_DD_FDIFFS) return false;
        pattern->fdiff[pattern->fdiff_count++] = (uint8_t)(take(bitstream, 4) + 1);
    }
    return !bitstream->failed;
}

static bool template_chains(bits *bitstream, cn_dd_structure *structure)
{
    structure->chain_count = (uint8_t)take_ns(bitstream, structure->target_count + 1u);
    if (structure->chain_count > structure->target_count) return false;
    if (!structure->chain_count) return true;
    for (unsigned i = 0; i < structure->target_count; i++)
        structure->chain_of[i] = (uint8_t)take_ns(bitstream, structure->chain_count);
    for (unsigned i = 0; i < structure->template_count; i++)
        for (unsigned c = 0; c < structure->chain_count; c++)
            structure->chain_fdiff[i][c] = (uint8_t)take(bitstream, 4);
    return !bitstream->failed;
}

static void resolutions(bits *bitstream, cn_dd_structure *structure)
{
    structure->has_resolutions = take(bitstream, 1);
    for (unsigned i = 0; structure->has_resolutions && i < structure->spatial; i++) {
        structure->width[i] = (uint16_t)(take(bitstream, 16) + 1);
        structure->height[i] = (uint16_t)(take(bitstream, 16) + 1);
    }
}

static cn_err read_structure(bits *bitstream, cn_dd_structure *structure)
{
    memset(structure, 0, sizeof *structure);
    structure->offset = (uint8_t)take(bitstream, 6);
    structure->target_count = (uint8_t)(take(bitstream, 5) + 1);
    if (!template_layers(bitstream, structure)) return CN_ERR_PARSE;
    for (unsigned i = 0; i < structure->template_count; i++)
        structure->templates[i].dtis = take_dtis(bitstream, structure->target_count);
    for (unsigned i = 0; i < structure->template_count; i++)
        if (!template_fdiffs(bitstream, &structure->templates[i])) return CN_ERR_PARSE;
    if (!template_chains(bitstream, structure)) return CN_ERR_PARSE;
    resolutions(bitstream, structure);
    return bitstream->failed ? CN_ERR_PARSE : CN_OK;
}

static bool custom_fdiffs(bits *bitstream, cn_depdesc *depdesc)
{
    depdesc->fdiff_count = 0;
    for (unsigned size; (size = take(bitstream, 2)) != 0;) {
        if (depdesc->fdiff_count == CN_DD_FDIFFS) return false;
        depdesc->fdiff[depdesc->fdiff_count++] = (uint16_t)(take(bitstream, 4 * size) + 1);
    }
    return !bitstream->failed;
}

static void from_template(cn_depdesc *depdesc, const cn_dd_structure *structure, unsigned index)
{
    const cn_dd_template *pattern = &structure->templates[index];
    depdesc->sid = pattern->sid;
    depdesc->tid = pattern->tid;
    depdesc->dtis = pattern->dtis;
    depdesc->fdiff_count = pattern->fdiff_count;
    for (unsigned i = 0; i < pattern->fdiff_count; i++) depdesc->fdiff[i] = pattern->fdiff[i];
    memcpy(depdesc->chain_fdiff, structure->chain_fdiff[index], sizeof depdesc->chain_fdiff);
    depdesc->target_count = structure->target_count;
}

/* frame_dependency_definition(); `flags`: D, F, C. */
static cn_err read_frame(bits *bitstream, cn_depdesc *depdesc, const cn_dd_structure *structure, unsigned id,
                         unsigned flags)
{
    unsigned index = (id + 64 - structure->offset) % 64;
    if (index >= structure->template_count) return CN_ERR_PARSE;
    from_template(depdesc, structure, index);
    if (flags & 4) depdesc->dtis = take_dtis(bitstream, structure->target_count);
    if (flags & 2 && !custom_fdiffs(bitstream, depdesc)) return CN_ERR_PARSE;
    for (unsigned c = 0; flags & 1 && c < structure->chain_count; c++)
        depdesc->chain_fdiff[c] = (uint8_t)take(bitstream, 8);
    return bitstream->failed ? CN_ERR_PARSE : CN_OK;
}

cn_err cn_depdesc_parse(cn_depdesc *out, const uint8_t *bytes, size_t len, const cn_dd_structure *known,
                        cn_dd_structure *fresh)
{
    bits bitstream = {.p = bytes, .n = 8 * len};
    cn_depdesc depdesc = {0};
    depdesc.start = take(&bitstream, 1);
    depdesc.end = take(&bitstream, 1);
    unsigned id = take(&bitstream, 6), flags = 0;
    depdesc.frame_number = (uint16_t)take(&bitstream, 16);
    depdesc.active_at = MANDATORY_BITS;
    if (len > 3) {
        depdesc.has_structure = take(&bitstream, 1);
        depdesc.has_active = take(&bitstream, 1);
        flags = take(&bitstream, 3);
        if (depdesc.has_structure) {
            cn_err err = read_structure(&bitstream, fresh);
            if (err) return err;
            known = fresh;
            depdesc.active = (uint32_t)((1ull << fresh->target_count) - 1);
        }
        depdesc.active_at = (uint16_t)bitstream.at;
    }
    if (bitstream.failed) return CN_ERR_PARSE;
    if (!known) return CN_ERR_NOTFOUND;
    if (depdesc.has_active) depdesc.active = take(&bitstream, known->target_count);
    cn_err err = read_frame(&bitstream, &depdesc, known, id, flags);
    if (!err) *out = depdesc;
    return err;
}

/* §A.8.2 decode_target_layers(). */
static void target_layers(const cn_dd_structure *structure, unsigned target, unsigned *sid, unsigned *tid)
{
    *sid = *tid = 0;
    for (unsigned i = 0; i < structure->template_count; i++) {
        const cn_dd_template *pattern = &structure->templates[i];
        if (cn_dd_dti(pattern->dtis, target) == CN_DTI_ABSENT) continue;
        if (pattern->sid > *sid) *sid = pattern->sid;
        if (pattern->tid > *tid) *tid = pattern->tid;
    }
}

void cn_dd_layout_of(const cn_dd_structure *structure, cn_dd_layout *out)
{
    *out = (cn_dd_layout){
        .spatial = structure->spatial, .temporal = structure->temporal, .targets = structure->target_count};
    int best[CN_DD_SPATIAL][CN_DD_TEMPORAL] = {{0}};
    for (unsigned target = 0; target < structure->target_count; target++) {
        unsigned sid, tid;
        target_layers(structure, target, &sid, &tid);
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
static void put(uint8_t *out, size_t *at, uint32_t value, unsigned count)
{
    while (count--) {
        if (value >> count & 1) out[*at >> 3] |= (uint8_t)(0x80 >> (*at & 7));
        ++*at;
    }
}

size_t cn_depdesc_rewrite(uint8_t *out, size_t cap, const uint8_t *bytes, size_t length, uint16_t frame_number,
                          uint16_t active_at, bool had, unsigned targets, uint32_t active)
{
    size_t in_bits = 8 * length, extra = !active ? 0 : (active_at == MANDATORY_BITS ? FLAGS : 0) + (had ? 0 : targets);
    size_t len = (in_bits + extra + 7) / 8;
    if (length < 3 || len > cap || len > CN_DD_MAX || active_at > in_bits) return 0;
    if (!extra) {
        memcpy(out, bytes, length);
    } else {
        memset(out, 0, len);
    }
    size_t at = 0;
    bits bitstream = {.p = bytes, .n = in_bits};
    if (extra) {
        while (bitstream.at < active_at) put(out, &at, take(&bitstream, 1), 1);
        if (active_at == MANDATORY_BITS) put(out, &at, 0, FLAGS);
        put(out, &at, active, targets);
        while (bitstream.at < bitstream.n) put(out, &at, take(&bitstream, 1), 1);
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
