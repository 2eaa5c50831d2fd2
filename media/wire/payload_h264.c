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
typedef struct rbsp {
    const uint8_t *p;
    size_t n, at;
    unsigned left; /* of p[at], 8 when untouched */
    unsigned zeros;
    bool failed;
} rbsp;

static unsigned bit(rbsp *bitstream)
{
    if (bitstream->left == 8 && bitstream->at < bitstream->n && bitstream->zeros >= 2 &&
        bitstream->p[bitstream->at] == 3) {
        bitstream->at++;
        bitstream->zeros = 0;
    }
    if (bitstream->at >= bitstream->n) {
        bitstream->failed = true;
        return 0;
    }
    unsigned v = bitstream->p[bitstream->at] >> --bitstream->left & 1u;
    if (!bitstream->left) {
        bitstream->zeros = bitstream->p[bitstream->at] ? 0 : bitstream->zeros + 1;
        bitstream->at++;
        bitstream->left = 8;
    }
    return v;
}

static uint32_t bits_read(rbsp *bitstream, unsigned width)
{
    uint32_t v = 0;
    while (width--) v = v << 1 | bit(bitstream);
    return v;
}

/* Exp-Golomb (§9.1). */
static uint32_t ue(rbsp *bitstream)
{
    unsigned zeros = 0;
    while (!bitstream->failed && !bit(bitstream)) {
        if (++zeros > 31) {
            bitstream->failed = true;
            return 0;
        }
    }
    return (uint32_t)((1ull << zeros) - 1 + bits_read(bitstream, zeros));
}

static int32_t se(rbsp *bitstream)
{
    uint32_t k = ue(bitstream);
    return k & 1 ? (int32_t)(k / 2 + 1) : -(int32_t)(k / 2);
}

static void skip_scaling_list(rbsp *bitstream, unsigned size)
{
    int32_t last = 8, next = 8;
    for (unsigned i = 0; i < size && next && !bitstream->failed; i++) {
        next = (last + se(bitstream) % 256 + 256) % 256;
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

static uint32_t read_chroma(rbsp *bitstream)
{
    uint32_t format = ue(bitstream);
    if (format == 3 && bit(bitstream)) format = 0; /* separate planes: cropped like monochrome */
    (void)ue(bitstream), (void)ue(bitstream), (void)bit(bitstream);
    if (bit(bitstream))
        for (unsigned i = 0; i < (format == 3 ? 12 : 8); i++)
            if (bit(bitstream)) skip_scaling_list(bitstream, i < 6 ? 16 : 64);
    return format;
}

static void skip_order_count(rbsp *bitstream)
{
    uint32_t type = ue(bitstream);
    if (type == 0) {
        (void)ue(bitstream);
    } else if (type == 1) {
        (void)bit(bitstream), (void)se(bitstream), (void)se(bitstream);
        uint32_t n = ue(bitstream);
        if (n > 255) bitstream->failed = true;
        for (uint32_t i = 0; i < n && !bitstream->failed; i++) (void)se(bitstream);
    }
}

cn_err cn_h264_sps_size(const uint8_t *nal, size_t len, uint16_t *width, uint16_t *height)
{
    if (len < 4 || (nal[0] & 0x1f) != NAL_SPS) return CN_ERR_PARSE;
    rbsp bitstream = {.p = nal + 1, .n = len - 1, .left = 8};
    uint32_t profile = bits_read(&bitstream, 8);
    (void)bits_read(&bitstream, 16), (void)ue(&bitstream);
    uint32_t chroma = has_chroma(profile) ? read_chroma(&bitstream) : 1;
    (void)ue(&bitstream);
    skip_order_count(&bitstream);
    (void)ue(&bitstream), (void)bit(&bitstream);
    uint64_t mbs_wide = (uint64_t)ue(&bitstream) + 1, units_high = (uint64_t)ue(&bitstream) + 1;
    unsigned fields = bit(&bitstream) ? 1 : 2;
    if (fields == 2) (void)bit(&bitstream);
    (void)bit(&bitstream);
    uint64_t left = 0, right = 0, top = 0, bottom = 0;
    if (bit(&bitstream)) left = ue(&bitstream), right = ue(&bitstream), top = ue(&bitstream), bottom = ue(&bitstream);
    if (bitstream.failed || chroma > 3) return CN_ERR_PARSE;
    uint64_t unit_x = chroma == 1 || chroma == 2 ? 2 : 1, unit_y = (chroma == 1 ? 2u : 1u) * fields;
    uint64_t w = mbs_wide * 16, h = units_high * 16 * fields;
    uint64_t cut_x = (left + right) * unit_x, cut_y = (top + bottom) * unit_y;
    if (cut_x >= w || cut_y >= h || w - cut_x > SIDE_MAX || h - cut_y > SIDE_MAX) return CN_ERR_PARSE;
    *width = (uint16_t)(w - cut_x);
    *height = (uint16_t)(h - cut_y);
    return CN_OK;
}

/* What one NAL unit, or the first fragment of one, tells: `body` are the bytes after its header byte. */
static void note_unit(cn_h264 *h264, unsigned type, unsigned ref_idc, const uint8_t *body, size_t len, bool first,
                      bool *referenced)
{
    if (type == NAL_IDR || type == NAL_SPS) h264->key = true;
    if (type >= NAL_SLICE && type <= NAL_IDR) {
        h264->has_slice = true;
        if (ref_idc) *referenced = true;
        /* first_mb_in_slice is the slice header's first ue(v): 0 is a single set bit */
        if (first && len && body[0] & 0x80) h264->frame_start = true;
    } else if (first && type >= NAL_SEI && type <= NAL_AUD) {
        h264->frame_start = true;
    }
}

static void note_whole(cn_h264 *h264, const uint8_t *nal, size_t len, bool *referenced)
{
    unsigned type = nal[0] & 0x1f;
    note_unit(h264, type, nal[0] >> 5 & 3u, nal + 1, len - 1, true, referenced);
    if (type == NAL_SPS) (void)cn_h264_sps_size(nal, len, &h264->width, &h264->height);
}

/* RFC 6184 §5.7.1: |STAP-A hdr| size | NAL | size | NAL … */
static cn_err read_aggregate(cn_h264 *h264, const uint8_t *bytes, size_t len, bool *referenced)
{
    size_t at = 1;
    if (at == len) return CN_ERR_PARSE;
    while (at < len) {
        if (len - at < 2) return CN_ERR_PARSE;
        size_t size = (size_t)(bytes[at] << 8 | bytes[at + 1]);
        at += 2;
        if (!size || size > len - at || bytes[at] & 0x80) return CN_ERR_PARSE;
        unsigned type = bytes[at] & 0x1f;
        if (type == 0 || type > NAL_SINGLE_MAX) return CN_ERR_PARSE;
        note_whole(h264, bytes + at, size, referenced);
        at += size;
    }
    return CN_OK;
}

cn_err cn_h264_parse(cn_h264 *out, const uint8_t *payload, size_t len)
{
    if (!len || payload[0] & 0x80) return CN_ERR_PARSE;
    cn_h264 h264 = {0};
    bool referenced = false;
    unsigned type = payload[0] & 0x1f;
    if (type >= 1 && type <= NAL_SINGLE_MAX) {
        note_whole(&h264, payload, len, &referenced);
    } else if (type == STAP_A) {
        cn_err err = read_aggregate(&h264, payload, len, &referenced);
        if (err) return err;
    } else if (type == FU_A) {
        if (len < 3) return CN_ERR_PARSE;
        /* |FU indicator|S|E|R| type|: both start and end in one is forbidden (§5.8) */
        if ((payload[1] & 0xc0) == 0xc0) return CN_ERR_PARSE;
        note_unit(&h264, payload[1] & 0x1f, payload[0] >> 5 & 3u, payload + 2, len - 2, payload[1] & 0x80, &referenced);
    } else {
        return CN_ERR_UNSUPPORTED;
    }
    h264.non_reference = h264.has_slice && !referenced;
    *out = h264;
    return CN_OK;
}
