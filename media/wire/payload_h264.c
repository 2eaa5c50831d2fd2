#include "media/wire/payload_h264.h"

enum {
    NAL_SLICE = 1,
    NAL_PARTITION_C = 4,
    NAL_IDR = 5,
    NAL_SEI = 6,
    NAL_SPS = 7,
    NAL_PPS = 8,
    NAL_AUD = 9,
    NAL_SINGLE_MAX = 23,
    STAP_A = 24,
    FU_A = 28
};

#define SIDE_MAX 16384

/* The bits of an RBSP: emulation prevention bytes (00 00 03) are skipped. A read past the end sets `failed` and yields
 * 0. */
typedef struct bits {
    const uint8_t *p;
    size_t n, at;
    unsigned left; /* of p[at], 8 when untouched */
    unsigned zeros;
    bool failed;
} bits;

static unsigned bit(bits *b)
{
    if (b->left == 8 && b->at < b->n && b->zeros >= 2 && b->p[b->at] == 3) {
        b->at++;
        b->zeros = 0;
    }
    if (b->at >= b->n) {
        b->failed = true;
        return 0;
    }
    unsigned v = b->p[b->at] >> --b->left & 1u;
    if (!b->left) {
        b->zeros = b->p[b->at] ? 0 : b->zeros + 1;
        b->at++;
        b->left = 8;
    }
    return v;
}

static uint32_t bits_read(bits *b, unsigned n)
{
    uint32_t v = 0;
    while (n--) v = v << 1 | bit(b);
    return v;
}

/* Exp-Golomb (§9.1). */
static uint32_t ue(bits *b)
{
    unsigned zeros = 0;
    while (!b->failed && !bit(b)) {
        if (++zeros > 31) {
            b->failed = true;
            return 0;
        }
    }
    return (uint32_t)((1ull << zeros) - 1 + bits_read(b, zeros));
}

static int32_t se(bits *b)
{
    uint32_t k = ue(b);
    return k & 1 ? (int32_t)(k / 2 + 1) : -(int32_t)(k / 2);
}

static void skip_scaling_list(bits *b, unsigned size)
{
    int32_t last = 8, next = 8;
    for (unsigned i = 0; i < size && next && !b->failed; i++) {
        next = (last + se(b) % 256 + 256) % 256;
        if (next) last = next;
    }
}

/* Profiles whose SPS tells the chroma format. */
static bool has_chroma(uint32_t profile)
{
    static const uint8_t list[] = {100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135};
    for (size_t i = 0; i < sizeof list; i++)
        if (list[i] == profile) return true;
    return false;
}

static uint32_t read_chroma(bits *b)
{
    uint32_t format = ue(b);
    if (format == 3 && bit(b)) format = 0; /* separate planes: cropped like monochrome */
    (void)ue(b), (void)ue(b), (void)bit(b);
    if (bit(b))
        for (unsigned i = 0; i < (format == 3 ? 12 : 8); i++)
            if (bit(b)) skip_scaling_list(b, i < 6 ? 16 : 64);
    return format;
}

static void skip_order_count(bits *b)
{
    uint32_t type = ue(b);
    if (type == 0) {
        (void)ue(b);
    } else if (type == 1) {
        (void)bit(b), (void)se(b), (void)se(b);
        uint32_t n = ue(b);
        if (n > 255) b->failed = true;
        for (uint32_t i = 0; i < n && !b->failed; i++) (void)se(b);
    }
}

cn_err cn_h264_sps_size(const uint8_t *nal, size_t n, uint16_t *width, uint16_t *height)
{
    if (n < 4 || (nal[0] & 0x1f) != NAL_SPS) return CN_ERR_PARSE;
    bits b = {.p = nal + 1, .n = n - 1, .left = 8};
    uint32_t profile = bits_read(&b, 8);
    (void)bits_read(&b, 16), (void)ue(&b);
    uint32_t chroma = has_chroma(profile) ? read_chroma(&b) : 1;
    (void)ue(&b);
    skip_order_count(&b);
    (void)ue(&b), (void)bit(&b);
    uint64_t mbs_wide = (uint64_t)ue(&b) + 1, units_high = (uint64_t)ue(&b) + 1;
    unsigned fields = bit(&b) ? 1 : 2;
    if (fields == 2) (void)bit(&b);
    (void)bit(&b);
    uint64_t left = 0, right = 0, top = 0, bottom = 0;
    if (bit(&b)) left = ue(&b), right = ue(&b), top = ue(&b), bottom = ue(&b);
    if (b.failed || chroma > 3) return CN_ERR_PARSE;
    uint64_t unit_x = chroma == 1 || chroma == 2 ? 2 : 1, unit_y = (chroma == 1 ? 2u : 1u) * fields;
    uint64_t w = mbs_wide * 16, h = units_high * 16 * fields;
    uint64_t cut_x = (left + right) * unit_x, cut_y = (top + bottom) * unit_y;
    if (cut_x >= w || cut_y >= h || w - cut_x > SIDE_MAX || h - cut_y > SIDE_MAX) return CN_ERR_PARSE;
    *width = (uint16_t)(w - cut_x);
    *height = (uint16_t)(h - cut_y);
    return CN_OK;
}

/* What one NAL unit, or the first fragment of one, tells: `body` are the bytes after its header byte. */
static void note_unit(cn_h264 *v, unsigned type, unsigned ref_idc, const uint8_t *body, size_t n, bool first,
                      bool *referenced)
{
    if (type == NAL_IDR || type == NAL_SPS) v->key = true;
    if (type >= NAL_SLICE && type <= NAL_IDR) {
        v->has_slice = true;
        if (ref_idc) *referenced = true;
        /* first_mb_in_slice is the slice header's first ue(v): 0 is a single set bit */
        if (first && n && body[0] & 0x80) v->frame_start = true;
    } else if (first && type >= NAL_SEI && type <= NAL_AUD) {
        v->frame_start = true;
    }
}

static void note_whole(cn_h264 *v, const uint8_t *nal, size_t n, bool *referenced)
{
    unsigned type = nal[0] & 0x1f;
    note_unit(v, type, nal[0] >> 5 & 3u, nal + 1, n - 1, true, referenced);
    if (type == NAL_SPS) (void)cn_h264_sps_size(nal, n, &v->width, &v->height);
}

/* RFC 6184 §5.7.1: |STAP-A hdr| size | NAL | size | NAL … */
static cn_err read_aggregate(cn_h264 *v, const uint8_t *p, size_t n, bool *referenced)
{
    size_t at = 1;
    if (at == n) return CN_ERR_PARSE;
    while (at < n) {
        if (n - at < 2) return CN_ERR_PARSE;
        size_t size = (size_t)(p[at] << 8 | p[at + 1]);
        at += 2;
        if (!size || size > n - at || p[at] & 0x80) return CN_ERR_PARSE;
        unsigned type = p[at] & 0x1f;
        if (type == 0 || type > NAL_SINGLE_MAX) return CN_ERR_PARSE;
        note_whole(v, p + at, size, referenced);
        at += size;
    }
    return CN_OK;
}

cn_err cn_h264_parse(cn_h264 *out, const uint8_t *payload, size_t n)
{
    if (!n || payload[0] & 0x80) return CN_ERR_PARSE;
    cn_h264 v = {0};
    bool referenced = false;
    unsigned type = payload[0] & 0x1f;
    if (type >= 1 && type <= NAL_SINGLE_MAX) {
        note_whole(&v, payload, n, &referenced);
    } else if (type == STAP_A) {
        cn_err err = read_aggregate(&v, payload, n, &referenced);
        if (err) return err;
    } else if (type == FU_A) {
        if (n < 3) return CN_ERR_PARSE;
        /* |FU indicator|S|E|R| type|: both start and end in one is forbidden (§5.8) */
        if ((payload[1] & 0xc0) == 0xc0) return CN_ERR_PARSE;
        note_unit(&v, payload[1] & 0x1f, payload[0] >> 5 & 3u, payload + 2, n - 2, payload[1] & 0x80, &referenced);
    } else {
        return CN_ERR_UNSUPPORTED;
    }
    v.non_reference = v.has_slice && !referenced;
    *out = v;
    return CN_OK;
}
