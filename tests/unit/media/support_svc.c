#include "support_svc.h"

#include <string.h>

#include "client/bits.h"

#define TARGETS (SVC_SPATIAL * SVC_TEMPORAL)
#define GROUP 4 /* pictures from one of temporal layer 0 to the next */
#define KINDS 5 /* of frames of a spatial layer: templates 5 × sid + … */
#define TEMPLATES (SVC_SPATIAL * KINDS)
#define WIDTH 320u /* of the lowest layer; each higher one has twice as much */
#define HEIGHT 180u

typedef enum dti { ABSENT, DISCARDABLE, SWITCH, REQUIRED } dti;
/* In the order of templates: by spatial, then temporal layer. LATER: of temporal layer 2, behind that of 1. */
typedef enum svc_kind { BASE, KEY, MIDDLE, FIRST, LATER } svc_kind;

static const uint8_t tid_of[KINDS] = {0, 0, 1, 2, 2};
static const uint8_t behind[KINDS] = {GROUP, 0, 2, 1, 1}; /* pictures to the one it is predicted from */
static const uint8_t since[KINDS] = {0, 0, 2, 1, 3};      /* pictures since the last one of temporal layer 0 */

unsigned svc_tid(uint32_t picture)
{
    return picture % 2 ? 2 : picture % GROUP ? 1 : 0;
}

static svc_kind kind_of(uint32_t picture)
{
    static const svc_kind in_group[GROUP] = {BASE, FIRST, MIDDLE, LATER};
    return picture ? in_group[picture % GROUP] : KEY;
}

static dti dti_for(unsigned sid, svc_kind which, unsigned target)
{
    unsigned spatial = target / SVC_TEMPORAL, temporal = target % SVC_TEMPORAL;
    if (spatial < sid || temporal < tid_of[which]) return ABSENT;
    if (which == KEY) return SWITCH;
    if (spatial > sid) return REQUIRED;
    return tid_of[which] && temporal == tid_of[which] ? DISCARDABLE : SWITCH;
}

/* Frames back to the last one of chain `chain`: those of temporal layer 0 up to that spatial layer. */
static unsigned chain_back(unsigned sid, svc_kind which, unsigned chain)
{
    if (since[which]) return since[which] * SVC_SPATIAL + sid - chain;
    if (which == KEY) return chain < sid ? sid - chain : 0;
    if (!sid) return GROUP * SVC_SPATIAL - chain;
    return sid - (chain < sid ? chain : sid - 1);
}

/* ---- descriptors ---- */

static void put_layers(rtc_bits *bitstream)
{
    for (unsigned i = 1; i < TEMPLATES; i++) {
        unsigned same_sid = i % KINDS != 0, same_tid = same_sid && tid_of[i % KINDS] == tid_of[i % KINDS - 1];
        rtc_bits_put(bitstream, 2, !same_sid ? 2 : same_tid ? 0 : 1);
    }
    rtc_bits_put(bitstream, 2, 3);
}

static void put_references(rtc_bits *bitstream, unsigned sid, svc_kind which)
{
    unsigned fdiffs[2], n = 0;
    if (which != KEY) fdiffs[n++] = behind[which] * SVC_SPATIAL;
    if (sid) fdiffs[n++] = 1;
    for (unsigned i = 0; i < n; i++) {
        rtc_bits_put(bitstream, 1, 1);
        rtc_bits_put(bitstream, 4, fdiffs[i] - 1);
    }
    rtc_bits_put(bitstream, 1, 0);
}

/* template_dependency_structure() */
static void put_structure(rtc_bits *bitstream)
{
    rtc_bits_put(bitstream, 6, 0);
    rtc_bits_put(bitstream, 5, TARGETS - 1);
    put_layers(bitstream);
    for (unsigned i = 0; i < TEMPLATES; i++)
        for (unsigned t = 0; t < TARGETS; t++) rtc_bits_put(bitstream, 2, dti_for(i / KINDS, (svc_kind)(i % KINDS), t));
    for (unsigned i = 0; i < TEMPLATES; i++) put_references(bitstream, i / KINDS, (svc_kind)(i % KINDS));
    rtc_bits_put_ns(bitstream, TARGETS + 1, SVC_SPATIAL);
    for (unsigned t = 0; t < TARGETS; t++) rtc_bits_put_ns(bitstream, SVC_SPATIAL, t / SVC_TEMPORAL);
    for (unsigned i = 0; i < TEMPLATES; i++)
        for (unsigned c = 0; c < SVC_SPATIAL; c++)
            rtc_bits_put(bitstream, 4, chain_back(i / KINDS, (svc_kind)(i % KINDS), c));
    rtc_bits_put(bitstream, 1, 1);
    for (unsigned s = 0; s < SVC_SPATIAL; s++) {
        rtc_bits_put(bitstream, 16, (WIDTH << s) - 1);
        rtc_bits_put(bitstream, 16, (HEIGHT << s) - 1);
    }
}

size_t svc_descriptor(uint8_t out[SVC_DESCRIPTOR_MAX], const svc_frame *frame, bool first, bool last)
{
    rtc_bits bitstream = {out, 0};
    svc_kind which = kind_of(frame->picture);
    memset(out, 0, SVC_DESCRIPTOR_MAX);
    rtc_bits_put(&bitstream, 1, first);
    rtc_bits_put(&bitstream, 1, last);
    rtc_bits_put(&bitstream, 6, frame->sid * KINDS + (unsigned)which);
    rtc_bits_put(&bitstream, 16, frame->number);
    if (which == KEY && !frame->sid && first) {
        rtc_bits_put(&bitstream, 5, 0x10); /* a structure, nothing else */
        put_structure(&bitstream);
    }
    return rtc_bits_bytes(&bitstream);
}

size_t svc_vp9(uint8_t out[SVC_VP9_MAX], const svc_frame *frame, bool first, bool last)
{
    unsigned tid = svc_tid(frame->picture);
    bool structure = !frame->picture && !frame->sid && first;
    size_t n = 0;
    out[n++] = (uint8_t)(0xa0 | (frame->picture ? 0x40 : 0) | (first ? 8 : 0) | (last ? 4 : 0) | (structure ? 2 : 0) |
                         (frame->sid + 1 == SVC_SPATIAL ? 1 : 0));
    out[n++] = (uint8_t)(0x80 | (frame->id >> 8 & 0x7f));
    out[n++] = (uint8_t)frame->id;
    out[n++] = (uint8_t)(tid << 5 | (tid ? 0x10 : 0) | frame->sid << 1 | (frame->sid ? 1 : 0));
    out[n++] = frame->tl0;
    if (structure) {
        out[n++] = (SVC_SPATIAL - 1) << 5 | 0x10;
        for (unsigned s = 0; s < SVC_SPATIAL; s++) {
            const unsigned w = WIDTH << s, h = HEIGHT << s;
            const uint8_t size[] = {(uint8_t)(w >> 8), (uint8_t)w, (uint8_t)(h >> 8), (uint8_t)h};
            memcpy(out + n, size, sizeof size);
            n += sizeof size;
        }
    }
    return n;
}
