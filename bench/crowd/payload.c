#include "payload.h"

#include <pthread.h>
#include <string.h>

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

typedef struct bits {
    uint8_t *p;
    unsigned at;
} bits;

static void put(bits *b, unsigned n, uint32_t value)
{
    while (n--) {
        if (value >> n & 1) b->p[b->at / 8] |= (uint8_t)(0x80 >> b->at % 8);
        b->at++;
    }
}

static void put_ue(bits *b, uint32_t value)
{
    unsigned n = 0;
    while ((value + 1) >> (n + 1)) n++;
    put(b, n, 0);
    put(b, n + 1, value + 1);
}

/** Constrained baseline, level 3.1, one reference (ITU-T H.264 §7.3.2.1). */
static size_t sps_write(uint8_t *p, unsigned width, unsigned height)
{
    memset(p, 0, 24);
    unsigned wide = (width + 15) / 16, high = (height + 15) / 16, crop = (high * 16 - height) / 2;
    static const uint8_t head[] = {0x67, 0x42, 0xe0, 0x1f};
    memcpy(p, head, sizeof head);
    bits b = {p, 32};
    put_ue(&b, 0); /* id */
    put_ue(&b, 0); /* frame numbers of 4 bits */
    put_ue(&b, 2); /* output in decoding order */
    put_ue(&b, 1);
    put(&b, 1, 0);
    put_ue(&b, wide - 1);
    put_ue(&b, high - 1);
    put(&b, 1, 1); /* frames only */
    put(&b, 1, 1);
    put(&b, 1, crop != 0);
    if (crop) {
        put_ue(&b, 0);
        put_ue(&b, 0);
        put_ue(&b, 0);
        put_ue(&b, crop);
    }
    put(&b, 1, 0);
    put(&b, 1, 1);
    return (b.at + 7) / 8;
}

/* ---- heads: what stands before the body ---- */

static size_t vp8_head(uint8_t *out, const payload_piece *p)
{
    const uint8_t descriptor[VP8_DESCRIPTOR] = {(uint8_t)(0x80 | (p->first ? 0x10 : 0)),
                                                0xe0,
                                                (uint8_t)(0x80 | (p->picture >> 8 & 0x7f)),
                                                (uint8_t)p->picture,
                                                p->tl0,
                                                0x20};
    memcpy(out, descriptor, sizeof descriptor);
    if (!p->first) return sizeof descriptor;
    const uint8_t tag[] = {(uint8_t)(p->key ? 0x10 : 0x11), 2, 0};
    const uint8_t start[] = {
        0x9d, 0x01, 0x2a, (uint8_t)p->width, (uint8_t)(p->width >> 8), (uint8_t)p->height, (uint8_t)(p->height >> 8)};
    memcpy(out + sizeof descriptor, tag, sizeof tag);
    if (!p->key) return sizeof descriptor + sizeof tag;
    memcpy(out + sizeof descriptor + sizeof tag, start, sizeof start);
    return sizeof descriptor + sizeof tag + sizeof start;
}

/* A key frame begins with SPS, PPS and an SEI that takes the rest of the packet (STAP-A); slices are FU-A, or whole. */
static size_t h264_head(uint8_t *out, const payload_piece *p)
{
    if (p->first && p->key) {
        size_t at = 1, sps = sps_write(out + 3, p->width, p->height);
        static const uint8_t pps[] = {0x68, 0xce, 0x38, 0x80};
        out[0] = 0x78;
        out[at++] = 0;
        out[at++] = (uint8_t)sps;
        at += sps;
        out[at++] = 0;
        out[at++] = sizeof pps;
        memcpy(out + at, pps, sizeof pps);
        at += sizeof pps;
        size_t rest = p->bytes - at - 2;
        out[at++] = (uint8_t)(rest >> 8);
        out[at++] = (uint8_t)rest;
        out[at++] = 0x06;
        return at;
    }
    uint8_t type = p->key ? 5 : 1;
    if (p->first && p->last) {
        out[0] = (uint8_t)(0x60 | type);
        return 1;
    }
    out[0] = 0x7c;
    out[1] = (uint8_t)((p->starts ? 0x80 : 0) | (p->last ? 0x40 : 0) | type);
    return 2;
}

static size_t head_write(uint8_t *out, const payload_piece *p)
{
    if (p->codec == PAYLOAD_VP8) return vp8_head(out, p);
    if (p->codec == PAYLOAD_H264) return h264_head(out, p);
    out[0] = 0x78; /* CELT, fullband, 20 ms, mono */
    return 1;
}

void payload_write(uint8_t *out, const payload_piece *p)
{
    size_t at = head_write(out, p);
    stamp s = {.sent_ns = p->sent_ns,
               .magic = MAGIC,
               .index = p->index,
               .sender = p->sender,
               .bytes = p->bytes,
               .layer = p->layer,
               .flags = (uint8_t)((p->first ? FIRST : 0) | (p->last ? LAST : 0) | (p->key ? KEY : 0) |
                                  (p->starts ? STARTS : 0))};
    for (uint8_t i = 1; i < sizeof sizes / sizeof *sizes; i++)
        if (sizes[i].width == p->width) s.size = i;
    memcpy(out + at, body_of(p->sender, p->layer, p->index), p->bytes - at - sizeof s);
    memcpy(out + p->bytes - sizeof s, &s, sizeof s);
}

/* Bytes of a VP8 descriptor as it arrived: the server may have written it anew. */
static size_t vp8_skip(const uint8_t *p, size_t n)
{
    size_t at = 1;
    if (n < 4 || !(p[0] & 0x80)) return at;
    uint8_t x = p[at++];
    if (x & 0x80) at += p[at] & 0x80 ? 2 : 1;
    if (x & 0x40) at++;
    if (x & 0x30) at++;
    return at < n ? at : n;
}

bool payload_check(const uint8_t *p, size_t n, payload_codec codec, payload_piece *out)
{
    stamp s;
    if (n < sizeof s + 1) return false;
    memcpy(&s, p + n - sizeof s, sizeof s);
    if (s.magic != MAGIC || s.bytes > PAYLOAD_MAX) return false;
    if (s.size >= sizeof sizes / sizeof *sizes) return false;
    *out = (payload_piece){.codec = codec,
                           .sender = s.sender,
                           .layer = s.layer,
                           .first = (s.flags & FIRST) != 0,
                           .last = (s.flags & LAST) != 0,
                           .key = (s.flags & KEY) != 0,
                           .index = s.index,
                           .bytes = s.bytes,
                           .starts = (s.flags & STARTS) != 0,
                           .width = sizes[s.size].width,
                           .height = sizes[s.size].height,
                           .sent_ns = s.sent_ns};
    uint8_t head[96];
    size_t wrote = head_write(head, out), own = codec == PAYLOAD_VP8 ? VP8_DESCRIPTOR : 0;
    size_t skip = codec == PAYLOAD_VP8 ? vp8_skip(p, n) : 0;
    size_t body = out->bytes - wrote - sizeof s;
    return n - skip == out->bytes - own && memcmp(p + skip, head + own, wrote - own) == 0 &&
           memcmp(p + skip + wrote - own, body_of(s.sender, s.layer, s.index), body) == 0;
}
