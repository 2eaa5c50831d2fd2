#include "support_svc.h"

#include <string.h>

#define TARGETS (SVC_SPATIAL * SVC_TEMPORAL)
#define GROUP 4 /* pictures from one of temporal layer 0 to the next */
#define KINDS 5 /* of frames of a spatial layer: templates 5 × sid + … */
#define TEMPLATES (SVC_SPATIAL * KINDS)
#define WIDTH 320u /* of the lowest layer; each higher one has twice as much */
#define HEIGHT 180u

typedef enum dti { ABSENT, DISCARDABLE, SWITCH, REQUIRED } dti;
/* In the order of templates: by spatial, then temporal layer. LATER: of temporal layer 2, behind that of 1. */
typedef enum kind { BASE, KEY, MIDDLE, FIRST, LATER } kind;

static const uint8_t tid_of[KINDS] = {0, 0, 1, 2, 2};
static const uint8_t behind[KINDS] = {GROUP, 0, 2, 1, 1}; /* pictures to the one it is predicted from */
static const uint8_t since[KINDS] = {0, 0, 2, 1, 3};      /* pictures since the last one of temporal layer 0 */

unsigned svc_tid(uint32_t picture)
{
    return picture % 2 ? 2 : picture % GROUP ? 1 : 0;
}

static kind kind_of(uint32_t picture)
{
    static const kind in_group[GROUP] = {BASE, FIRST, MIDDLE, LATER};
    return picture ? in_group[picture % GROUP] : KEY;
}

static dti dti_for(unsigned sid, kind k, unsigned target)
{
    unsigned spatial = target / SVC_TEMPORAL, temporal = target % SVC_TEMPORAL;
    if (spatial < sid || temporal < tid_of[k]) return ABSENT;
    if (k == KEY) return SWITCH;
    if (spatial > sid) return REQUIRED;
    return tid_of[k] && temporal == tid_of[k] ? DISCARDABLE : SWITCH;
}

/* Frames back to the last one of chain `chain`: those of temporal layer 0 up to that spatial layer. */
static unsigned chain_back(unsigned sid, kind k, unsigned chain)
{
    if (since[k]) return since[k] * SVC_SPATIAL + sid - chain;
    if (k == KEY) return chain < sid ? sid - chain : 0;
    if (!sid) return GROUP * SVC_SPATIAL - chain;
    return sid - (chain < sid ? chain : sid - 1);
}

/* ---- bits ---- */

typedef struct bits {
    uint8_t *p;
    unsigned at;
} bits;

static void put(bits *b, unsigned n, unsigned value)
{
    while (n--) {
        if (value >> n & 1) b->p[b->at / 8] |= (uint8_t)(0x80 >> b->at % 8);
        b->at++;
    }
}

/* Not symmetric (AV1 §4.10.7): of n values, the first ones take a bit less. */
static void put_ns(bits *b, unsigned n, unsigned value)
{
    unsigned w = 0;
    while (n >> w) w++;
    unsigned few = (1u << w) - n;
    if (value < few)
        put(b, w - 1, value);
    else
        put(b, w, value + few);
}

static void put_layers(bits *b)
{
    for (unsigned i = 1; i < TEMPLATES; i++) {
        unsigned same_sid = i % KINDS != 0, same_tid = same_sid && tid_of[i % KINDS] == tid_of[i % KINDS - 1];
        put(b, 2, !same_sid ? 2 : same_tid ? 0 : 1);
    }
    put(b, 2, 3);
}

static void put_references(bits *b, unsigned sid, kind k)
{
    unsigned fdiffs[2], n = 0;
    if (k != KEY) fdiffs[n++] = behind[k] * SVC_SPATIAL;
    if (sid) fdiffs[n++] = 1;
    for (unsigned i = 0; i < n; i++) {
        put(b, 1, 1);
        put(b, 4, fdiffs[i] - 1);
    }
    put(b, 1, 0);
}

/* template_dependency_structure() */
static void put_structure(bits *b)
{
    put(b, 6, 0);
    put(b, 5, TARGETS - 1);
    put_layers(b);
    for (unsigned i = 0; i < TEMPLATES; i++)
        for (unsigned t = 0; t < TARGETS; t++) put(b, 2, dti_for(i / KINDS, (kind)(i % KINDS), t));
    for (unsigned i = 0; i < TEMPLATES; i++) put_references(b, i / KINDS, (kind)(i % KINDS));
    put_ns(b, TARGETS + 1, SVC_SPATIAL);
    for (unsigned t = 0; t < TARGETS; t++) put_ns(b, SVC_SPATIAL, t / SVC_TEMPORAL);
    for (unsigned i = 0; i < TEMPLATES; i++)
        for (unsigned c = 0; c < SVC_SPATIAL; c++) put(b, 4, chain_back(i / KINDS, (kind)(i % KINDS), c));
    put(b, 1, 1);
    for (unsigned s = 0; s < SVC_SPATIAL; s++) {
        put(b, 16, (WIDTH << s) - 1);
        put(b, 16, (HEIGHT << s) - 1);
    }
}

size_t svc_descriptor(uint8_t out[SVC_DESCRIPTOR_MAX], const svc_frame *f, bool first, bool last)
{
    bits b = {out, 0};
    kind k = kind_of(f->picture);
    memset(out, 0, SVC_DESCRIPTOR_MAX);
    put(&b, 1, first);
    put(&b, 1, last);
    put(&b, 6, f->sid * KINDS + (unsigned)k);
    put(&b, 16, f->number);
    if (k == KEY && !f->sid && first) {
        put(&b, 5, 0x10); /* a structure, nothing else */
        put_structure(&b);
    }
    return (b.at + 7) / 8;
}

size_t svc_vp9(uint8_t out[SVC_VP9_MAX], const svc_frame *f, bool first, bool last)
{
    unsigned tid = svc_tid(f->picture);
    bool structure = !f->picture && !f->sid && first;
    size_t n = 0;
    out[n++] = (uint8_t)(0xa0 | (f->picture ? 0x40 : 0) | (first ? 8 : 0) | (last ? 4 : 0) | (structure ? 2 : 0) |
                         (f->sid + 1 == SVC_SPATIAL ? 1 : 0));
    out[n++] = (uint8_t)(0x80 | (f->id >> 8 & 0x7f));
    out[n++] = (uint8_t)f->id;
    out[n++] = (uint8_t)(tid << 5 | (tid ? 0x10 : 0) | f->sid << 1 | (f->sid ? 1 : 0));
    out[n++] = f->tl0;
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
