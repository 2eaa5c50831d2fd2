#include "packing.h"

#include <string.h>

#define VP8_DESCRIPTOR 6
#define START 4 /* bytes of a start code */
#define STAP_A 24
#define FU_A 28
#define TYPE 0x1f
#define NRI 0x60

static const uint8_t start_code[START] = {0, 0, 0, 1};

/* ---- cutting ---- */

typedef struct cutter {
    packing_cut *out;
    size_t max, n;
} cutter;

static void add(cutter *knife, packing_cut cut)
{
    cut.first = knife->n == 0;
    if (knife->n < knife->max) knife->out[knife->n] = cut;
    knife->n++;
}

/* Equal parts, so that no packet is much smaller than the others. */
static void spread(cutter *knife, packing_cut each, size_t at, size_t count, size_t head)
{
    size_t room = PACKING_MAX - head, parts = (count + room - 1) / room;
    for (size_t i = 0; i < parts; i++) {
        size_t len = count / (parts - i);
        packing_cut cut = each;
        cut.at = (uint32_t)at;
        cut.len = (uint16_t)len;
        cut.bytes = (uint16_t)(len + head);
        if (each.kind == PACKING_FU)
            cut.fu = (uint8_t)((i == 0 ? 0x80 : 0) | (i + 1 == parts ? 0x40 : 0) | (each.fu & TYPE));
        add(knife, cut);
        at += len;
        count -= len;
    }
}

/* Behind the next 00 00 01, or behind the end. */
static size_t behind_start(const uint8_t *bytes, size_t len, size_t index)
{
    while (index + 3 <= len && (bytes[index] || bytes[index + 1] || bytes[index + 2] != 1)) index++;
    return index + 3;
}

bool packing_nal(const uint8_t *bytes, size_t length, size_t *at, size_t *nal, size_t *len)
{
    for (size_t from; (from = behind_start(bytes, length, *at)) < length;) {
        size_t to = from;
        while (to + 3 <= length && (bytes[to] || bytes[to + 1] || bytes[to + 2] > 1)) to++;
        if (to + 3 > length) to = length;
        *at = to;
        while (to > from && !bytes[to - 1]) to--;
        *nal = from;
        *len = to - from;
        if (*len) return true;
    }
    return false;
}

/* How many bytes of payload the small units from `at` on make together; `*end` is behind the last of them. */
static size_t together(const uint8_t *frame, size_t length, size_t at, size_t *end, uint8_t *head, unsigned *units)
{
    size_t nal, len, bytes = 1;
    *units = 0;
    *head = STAP_A;
    for (size_t next = at; packing_nal(frame, length, &next, &nal, &len) && bytes + 2 + len <= PACKING_MAX;) {
        bytes += 2 + len;
        *end = nal + len;
        *head = (uint8_t)((frame[nal] & NRI) > (*head & NRI) ? STAP_A | (frame[nal] & NRI) : *head);
        ++*units;
    }
    return bytes;
}

static void h264_cuts(cutter *knife, const uint8_t *frame, size_t length)
{
    size_t at = 0, nal, len;
    for (size_t next = 0; packing_nal(frame, length, &next, &nal, &len); at = next) {
        size_t end = 0;
        unsigned units;
        packing_cut cut = {.kind = PACKING_STAP};
        size_t bytes = together(frame, length, at, &end, &cut.nal, &units);
        if (units > 1) {
            cut.at = (uint32_t)at;
            cut.len = (uint16_t)(end - at);
            cut.bytes = (uint16_t)bytes;
            add(knife, cut);
            next = end;
        } else if (len <= PACKING_MAX) {
            add(knife,
                (packing_cut){.at = (uint32_t)nal, .len = (uint16_t)len, .bytes = (uint16_t)len, .kind = PACKING_NAL});
        } else {
            packing_cut each = {
                .kind = PACKING_FU, .nal = (uint8_t)((frame[nal] & ~TYPE) | FU_A), .fu = (uint8_t)(frame[nal] & TYPE)};
            spread(knife, each, nal + 1, len - 1, 2);
        }
    }
}

size_t packing_cuts(packing_cut *out, size_t max, cn_codec codec, const uint8_t *frame, size_t len)
{
    cutter knife = {.out = out, .max = max};
    if (len > UINT32_MAX / 2) return 0;
    if (codec == CN_CODEC_VP8) spread(&knife, (packing_cut){.kind = PACKING_VP8}, 0, len, VP8_DESCRIPTOR);
    if (codec == CN_CODEC_H264) h264_cuts(&knife, frame, len);
    return knife.n;
}

/* ---- writing ---- */

static void stap_write(uint8_t *out, const uint8_t *frame, const packing_cut *cut)
{
    size_t to = 0, nal, len;
    out[to++] = cut->nal;
    for (size_t at = 0; packing_nal(frame + cut->at, cut->len, &at, &nal, &len);) {
        out[to++] = (uint8_t)(len >> 8);
        out[to++] = (uint8_t)len;
        memcpy(out + to, frame + cut->at + nal, len);
        to += len;
    }
}

void packing_write(uint8_t *out, const uint8_t *frame, const packing_cut *cut, uint16_t picture, uint8_t tl0)
{
    size_t at = 0;
    if (cut->kind == PACKING_STAP) {
        stap_write(out, frame, cut);
        return;
    }
    if (cut->kind == PACKING_VP8) {
        /* X; S where the frame begins; I, L, T: PictureID of 15 bits, TL0PICIDX, TID 0 with Y (no switch to undo) */
        const uint8_t head[VP8_DESCRIPTOR] = {(uint8_t)(0x80 | (cut->first ? 0x10 : 0)),
                                              0xe0,
                                              (uint8_t)(0x80 | (picture >> 8 & 0x7f)),
                                              (uint8_t)picture,
                                              tl0,
                                              0x20};
        memcpy(out, head, sizeof head);
        at = sizeof head;
    }
    if (cut->kind == PACKING_FU) {
        out[at++] = cut->nal;
        out[at++] = cut->fu;
    }
    memcpy(out + at, frame + cut->at, cut->len);
}

/* ---- putting together ---- */

static bool append(uint8_t *frame, size_t max, size_t *used, const uint8_t *bytes, size_t len)
{
    if (len > max - *used) return false;
    memcpy(frame + *used, bytes, len);
    *used += len;
    return true;
}

static bool append_nal(uint8_t *frame, size_t max, size_t *used, const uint8_t *bytes, size_t len)
{
    return len && append(frame, max, used, start_code, START) && append(frame, max, used, bytes, len);
}

/* Length of a VP8 descriptor (RFC 7741 §4.2), 0: cut off. */
static size_t vp8_descriptor(const uint8_t *bytes, size_t len)
{
    size_t at = 1;
    if (bytes[0] & 0x80) {
        if (len < 2) return 0;
        uint8_t x = bytes[at++];
        if (x & 0x80) at += at < len && bytes[at] & 0x80 ? 2 : 1;
        at += (x & 0x40 ? 1u : 0u) + (x & 0x30 ? 1u : 0u);
    }
    return at < len ? at : 0;
}

static bool h264_take(uint8_t *frame, size_t max, size_t *used, const uint8_t *bytes, size_t len)
{
    uint8_t type = bytes[0] & TYPE;
    if (type == STAP_A) {
        for (size_t at = 1; at < len;) {
            if (len - at < 2) return false;
            size_t unit = (size_t)(bytes[at] << 8 | bytes[at + 1]);
            at += 2;
            if (unit > len - at || !append_nal(frame, max, used, bytes + at, unit)) return false;
            at += unit;
        }
        return len > 1;
    }
    if (type != FU_A) return append_nal(frame, max, used, bytes, len);
    if (len < 3) return false;
    const uint8_t head = (uint8_t)((bytes[0] & ~TYPE) | (bytes[1] & TYPE));
    if (bytes[1] & 0x80 && !append_nal(frame, max, used, &head, 1)) return false;
    return append(frame, max, used, bytes + 2, len - 2);
}

bool packing_take(uint8_t *frame, size_t max, size_t *used, cn_codec codec, const uint8_t *payload, size_t len)
{
    if (!len || *used > max) return false;
    if (codec == CN_CODEC_H264) return h264_take(frame, max, used, payload, len);
    size_t skip = vp8_descriptor(payload, len);
    return skip && append(frame, max, used, payload + skip, len - skip);
}
