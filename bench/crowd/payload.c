#include "payload.h"

#include <pthread.h>
#include <string.h>

#include "client/bits.h"

#define MAGIC 0xc0515e11u
#define PATTERN 16384
#define VP8_DESCRIPTOR 6

/* Ends every payload. */
typedef struct stamp {
    uint64_t sent_ns;
    uint32_t magic, index;
    uint16_t sender, bytes;
    uint8_t layer, flags, size, spare;
} stamp;

enum { FIRST = 1, LAST = 2, KEY = 4, STARTS = 8 };

static const struct {
    uint16_t width, height;
} sizes[] = {{0, 0}, {320, 180}, {640, 360}, {1280, 720}, {1920, 1080}, {2560, 1440}, {3840, 2160}};

static uint8_t pattern[PATTERN];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void pattern_fill(void)
{
    uint32_t x = 2463534242u;
    for (size_t i = 0; i < PATTERN; i++) {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        pattern[i] = (uint8_t)(x >> 8 | 1); /* never 0: no start codes inside */
    }
}

static const uint8_t *body_of(uint16_t sender, uint8_t layer, uint32_t index)
{
    (void)pthread_once(&once, pattern_fill);
    return pattern + (sender * 7919u + layer * 1031u + index * 61u) % (PATTERN - 1500);
}

/* ---- H.264 parameter sets ---- */

/** Constrained baseline, level 3.1, one reference (ITU-T H.264 §7.3.2.1). */
static size_t sps_write(uint8_t *bytes, unsigned width, unsigned height)
{
    memset(bytes, 0, 24);
    unsigned wide = (width + 15) / 16, high = (height + 15) / 16, crop = (high * 16 - height) / 2;
    static const uint8_t head[] = {0x67, 0x42, 0xe0, 0x1f};
    memcpy(bytes, head, sizeof head);
    rtc_bits bitstream = {bytes, 32};
    rtc_bits_put_ue(&bitstream, 0); /* id */
    rtc_bits_put_ue(&bitstream, 0); /* frame numbers of 4 bits */
    rtc_bits_put_ue(&bitstream, 2); /* output in decoding order */
    rtc_bits_put_ue(&bitstream, 1);
    rtc_bits_put(&bitstream, 1, 0);
    rtc_bits_put_ue(&bitstream, wide - 1);
    rtc_bits_put_ue(&bitstream, high - 1);
    rtc_bits_put(&bitstream, 1, 1); /* frames only */
    rtc_bits_put(&bitstream, 1, 1);
    rtc_bits_put(&bitstream, 1, crop != 0);
    if (crop) {
        rtc_bits_put_ue(&bitstream, 0);
        rtc_bits_put_ue(&bitstream, 0);
        rtc_bits_put_ue(&bitstream, 0);
        rtc_bits_put_ue(&bitstream, crop);
    }
    rtc_bits_put(&bitstream, 1, 0);
    rtc_bits_put(&bitstream, 1, 1);
    return rtc_bits_bytes(&bitstream);
}

/* ---- heads: what stands before the body ---- */

static size_t vp8_head(uint8_t *out, const payload_piece *piece)
{
    const uint8_t descriptor[VP8_DESCRIPTOR] = {(uint8_t)(0x80 | (piece->first ? 0x10 : 0)),
                                                0xe0,
                                                (uint8_t)(0x80 | (piece->picture >> 8 & 0x7f)),
                                                (uint8_t)piece->picture,
                                                piece->tl0,
                                                0x20};
    memcpy(out, descriptor, sizeof descriptor);
    if (!piece->first) return sizeof descriptor;
    const uint8_t tag[] = {(uint8_t)(piece->key ? 0x10 : 0x11), 2, 0};
    const uint8_t start[] = {0x9d,
                             0x01,
                             0x2a,
                             (uint8_t)piece->width,
                             (uint8_t)(piece->width >> 8),
                             (uint8_t)piece->height,
                             (uint8_t)(piece->height >> 8)};
    memcpy(out + sizeof descriptor, tag, sizeof tag);
    if (!piece->key) return sizeof descriptor + sizeof tag;
    memcpy(out + sizeof descriptor + sizeof tag, start, sizeof start);
    return sizeof descriptor + sizeof tag + sizeof start;
}

/* A key frame begins with SPS, PPS and an SEI that takes the rest of the packet (STAP-A); slices are FU-A, or whole. */
static size_t h264_head(uint8_t *out, const payload_piece *piece)
{
    if (piece->first && piece->key) {
        size_t at = 1, sps = sps_write(out + 3, piece->width, piece->height);
        static const uint8_t pps[] = {0x68, 0xce, 0x38, 0x80};
        out[0] = 0x78;
        out[at++] = 0;
        out[at++] = (uint8_t)sps;
        at += sps;
        out[at++] = 0;
        out[at++] = sizeof pps;
        memcpy(out + at, pps, sizeof pps);
        at += sizeof pps;
        size_t rest = piece->bytes - at - 2;
        out[at++] = (uint8_t)(rest >> 8);
        out[at++] = (uint8_t)rest;
        out[at++] = 0x06;
        return at;
    }
    uint8_t type = piece->key ? 5 : 1;
    if (piece->first && piece->last) {
        out[0] = (uint8_t)(0x60 | type);
        return 1;
    }
    out[0] = 0x7c;
    out[1] = (uint8_t)((piece->starts ? 0x80 : 0) | (piece->last ? 0x40 : 0) | type);
    return 2;
}

static size_t head_write(uint8_t *out, const payload_piece *piece)
{
    if (piece->codec == CN_CODEC_VP8) return vp8_head(out, piece);
    if (piece->codec == CN_CODEC_H264) return h264_head(out, piece);
    out[0] = 0x78; /* CELT, fullband, 20 ms, mono */
    return 1;
}

void payload_write(uint8_t *out, const payload_piece *piece)
{
    size_t at = head_write(out, piece);
    stamp stamped = {.sent_ns = piece->sent_ns,
                     .magic = MAGIC,
                     .index = piece->index,
                     .sender = piece->sender,
                     .bytes = piece->bytes,
                     .layer = piece->layer,
                     .flags = (uint8_t)((piece->first ? FIRST : 0) | (piece->last ? LAST : 0) | (piece->key ? KEY : 0) |
                                        (piece->starts ? STARTS : 0))};
    for (uint8_t i = 1; i < sizeof sizes / sizeof *sizes; i++)
        if (sizes[i].width == piece->width) stamped.size = i;
    memcpy(out + at, body_of(piece->sender, piece->layer, piece->index), piece->bytes - at - sizeof stamped);
    memcpy(out + piece->bytes - sizeof stamped, &stamped, sizeof stamped);
}

/* Bytes of a VP8 descriptor as it arrived: the server may have written it anew. */
static size_t vp8_skip(const uint8_t *bytes, size_t len)
{
    size_t at = 1;
    if (len < 4 || !(bytes[0] & 0x80)) return at;
    uint8_t x = bytes[at++];
    if (x & 0x80) at += bytes[at] & 0x80 ? 2 : 1;
    if (x & 0x40) at++;
    if (x & 0x30) at++;
    return at < len ? at : len;
}

bool payload_check(const uint8_t *bytes, size_t len, cn_codec codec, payload_piece *out)
{
    stamp stamped;
    if (len < sizeof stamped + 1) return false;
    memcpy(&stamped, bytes + len - sizeof stamped, sizeof stamped);
    if (stamped.magic != MAGIC || stamped.bytes > PAYLOAD_MAX) return false;
    if (stamped.size >= sizeof sizes / sizeof *sizes) return false;
    *out = (payload_piece){.codec = codec,
                           .sender = stamped.sender,
                           .layer = stamped.layer,
                           .first = (stamped.flags & FIRST) != 0,
                           .last = (stamped.flags & LAST) != 0,
                           .key = (stamped.flags & KEY) != 0,
                           .index = stamped.index,
                           .bytes = stamped.bytes,
                           .starts = (stamped.flags & STARTS) != 0,
                           .width = sizes[stamped.size].width,
                           .height = sizes[stamped.size].height,
                           .sent_ns = stamped.sent_ns};
    uint8_t head[96];
    size_t wrote = head_write(head, out), own = codec == CN_CODEC_VP8 ? VP8_DESCRIPTOR : 0;
    size_t skip = codec == CN_CODEC_VP8 ? vp8_skip(bytes, len) : 0;
    size_t body = out->bytes - wrote - sizeof stamped;
    return len - skip == out->bytes - own && memcmp(bytes + skip, head + own, wrote - own) == 0 &&
           memcmp(bytes + skip + wrote - own, body_of(stamped.sender, stamped.layer, stamped.index), body) == 0;
}
