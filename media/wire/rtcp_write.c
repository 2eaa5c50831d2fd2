#include "media/wire/rtcp.h"

#include <string.h>

#include "media/wire/rtp.h"

enum {
    PT_SR = 200,
    PT_RR,
    PT_SDES,
    PT_BYE,
    PT_RTPFB = 205,
    PT_PSFB,
    FMT_TWCC = 15,
    FMT_NACK = 1,
    FMT_PLI = 1,
    FMT_FIR = 4,
    FMT_REMB = 15
};
enum { HEADER = 4, BLOCK = 24, COUNT_MAX = 31, FEEDBACK = 12 /* header, sender, media */ };
#define REMB_NAME 0x52454d42u

static size_t header(uint8_t *out, unsigned count, unsigned pt, size_t len)
{
    out[0] = (uint8_t)(0x80 | count);
    out[1] = (uint8_t)pt;
    cn_put16(out + 2, (unsigned)(len / 4 - 1));
    return len;
}

static size_t feedback(uint8_t *out, unsigned fmt, unsigned pt, size_t len, uint32_t sender, uint32_t media)
{
    cn_put32(out + 4, sender);
    cn_put32(out + 8, media);
    return header(out, fmt, pt, len);
}

static uint32_t clamp24(int32_t lost)
{
    const int32_t most = (1 << 23) - 1;
    return (uint32_t)(lost > most ? most : lost < -most - 1 ? -most - 1 : lost) & 0xffffff;
}

static void blocks_put(uint8_t *at, const cn_rtcp_block *b, size_t n)
{
    for (size_t i = 0; i < n; i++, at += BLOCK) {
        cn_put32(at, b[i].ssrc);
        at[4] = b[i].fraction_lost;
        cn_put24(at + 5, clamp24(b[i].lost));
        cn_put32(at + 8, b[i].highest_seq);
        cn_put32(at + 12, b[i].jitter);
        cn_put32(at + 16, b[i].lsr);
        cn_put32(at + 20, b[i].dlsr);
    }
}

size_t cn_rtcp_write_sr(uint8_t *out, size_t cap, const cn_rtcp_sr *sr, const cn_rtcp_block *blocks, size_t n)
{
    size_t len = HEADER + 24 + n * BLOCK;
    if (n > COUNT_MAX || len > cap) return 0;
    cn_put32(out + 4, sr->ssrc);
    cn_put64(out + 8, sr->ntp);
    cn_put32(out + 16, sr->rtp_ts);
    cn_put32(out + 20, sr->packets);
    cn_put32(out + 24, sr->octets);
    blocks_put(out + 28, blocks, n);
    return header(out, (unsigned)n, PT_SR, len);
}

size_t cn_rtcp_write_rr(uint8_t *out, size_t cap, uint32_t ssrc, const cn_rtcp_block *blocks, size_t n)
{
    size_t len = HEADER + 4 + n * BLOCK;
    if (n > COUNT_MAX || len > cap) return 0;
    cn_put32(out + 4, ssrc);
    blocks_put(out + 8, blocks, n);
    return header(out, (unsigned)n, PT_RR, len);
}

size_t cn_rtcp_write_cname(uint8_t *out, size_t cap, uint32_t ssrc, const char *cname)
{
    size_t n = strlen(cname);
    size_t len = (HEADER + 4 + 2 + n + 1 + 3) & ~(size_t)3; /* one zero byte at least ends the chunk */
    if (n > 255 || len > cap) return 0;
    memset(out, 0, len);
    cn_put32(out + 4, ssrc);
    out[8] = 1;
    out[9] = (uint8_t)n;
    memcpy(out + 10, cname, n);
    return header(out, 1, PT_SDES, len);
}

size_t cn_rtcp_write_bye(uint8_t *out, size_t cap, const uint32_t *ssrcs, size_t n)
{
    size_t len = HEADER + n * 4;
    if (n == 0 || n > COUNT_MAX || len > cap) return 0;
    for (size_t i = 0; i < n; i++) cn_put32(out + HEADER + i * 4, ssrcs[i]);
    return header(out, (unsigned)n, PT_BYE, len);
}

size_t cn_rtcp_write_pli(uint8_t *out, size_t cap, uint32_t sender, uint32_t media)
{
    return cap < FEEDBACK ? 0 : feedback(out, FMT_PLI, PT_PSFB, FEEDBACK, sender, media);
}

/* RFC 5104 §4.3.1.2: the media source field is 0, the entry names the target. */
size_t cn_rtcp_write_fir(uint8_t *out, size_t cap, uint32_t sender, uint32_t media, uint8_t number)
{
    if (cap < FEEDBACK + 8) return 0;
    cn_put32(out + FEEDBACK, media);
    cn_put32(out + FEEDBACK + 4, (uint32_t)number << 24);
    return feedback(out, FMT_FIR, PT_PSFB, FEEDBACK + 8, sender, 0);
}

size_t cn_rtcp_write_remb(uint8_t *out, size_t cap, uint32_t sender, uint64_t bps, const uint32_t *ssrcs, size_t n)
{
    size_t len = FEEDBACK + 8 + n * 4;
    if (n > 255 || len > cap) return 0;
    unsigned exponent = 0;
    while (bps >> exponent > 0x3ffff) exponent++;
    cn_put32(out + FEEDBACK, REMB_NAME);
    cn_put32(out + FEEDBACK + 4, (uint32_t)n << 24 | exponent << 18 | (uint32_t)(bps >> exponent));
    for (size_t i = 0; i < n; i++) cn_put32(out + FEEDBACK + 8 + i * 4, ssrcs[i]);
    return feedback(out, FMT_REMB, PT_PSFB, len, sender, 0);
}

size_t cn_rtcp_write_nack(uint8_t *out, size_t cap, uint32_t sender, uint32_t media, const uint16_t *seqs, size_t n,
                          size_t *used)
{
    size_t len = FEEDBACK, i = 0;
    while (i < n && cap >= len + 4) {
        uint16_t pid = seqs[i++];
        unsigned blp = 0, ahead;
        while (i < n && (ahead = (uint16_t)(seqs[i] - pid)) <= 16) {
            if (ahead > 0) blp |= 1u << (ahead - 1);
            i++;
        }
        cn_put16(out + len, pid);
        cn_put16(out + len + 2, blp);
        len += 4;
    }
    if (used) *used = i;
    return i == 0 ? 0 : feedback(out, FMT_NACK, PT_RTPFB, len, sender, media);
}

/* ---- transport-wide feedback ---- */

enum {
    TWCC_HEAD = 20,
    NONE = 0,
    SMALL = 1,
    LARGE = 2,
    CHUNKS = 600,
    DELTAS = 1500,
    RUN_MAX = 8191,
    VECTOR1 = 14,
    VECTOR2 = 7
};

/* Statuses not yet in a chunk. The longest form that still fits them is kept open: run, 14 × 1 bit, 7 × 2 bits. */
typedef struct pending {
    uint8_t symbol[VECTOR1];
    unsigned n;
    bool uniform, large;
} pending;

typedef struct twcc_writer {
    pending open;
    size_t chunks, deltas; /* used of the arrays */
    unsigned statuses;
    int64_t tick; /* of the last arrival, 250 µs */
} twcc_writer;

static void pending_recount(pending *o)
{
    o->uniform = true;
    o->large = false;
    for (unsigned i = 0; i < o->n; i++) {
        o->uniform = o->uniform && o->symbol[i] == o->symbol[0];
        o->large = o->large || o->symbol[i] == LARGE;
    }
}

static bool pending_takes(const pending *o, uint8_t symbol)
{
    if (o->n < VECTOR2) return true;
    if (o->n < VECTOR1 && !o->large && symbol != LARGE) return true;
    return o->uniform && o->n < RUN_MAX && o->symbol[0] == symbol;
}

static void pending_add(pending *o, uint8_t symbol)
{
    if (o->n < VECTOR1) o->symbol[o->n] = symbol;
    o->uniform = o->n == 0 || (o->uniform && symbol == o->symbol[0]);
    o->large = o->large || symbol == LARGE;
    o->n++;
}

/* Takes the next chunk off: a run of all, a vector of all, or a vector of the first seven. */
static uint16_t pending_emit(pending *o)
{
    unsigned chunk, taken = o->n;
    if (o->uniform) {
        chunk = (unsigned)o->symbol[0] << 13 | o->n;
    } else if (!o->large && o->n > VECTOR2) {
        chunk = 0x8000;
        for (unsigned i = 0; i < o->n; i++) chunk |= (unsigned)o->symbol[i] << (13 - i);
    } else {
        taken = o->n < VECTOR2 ? o->n : VECTOR2;
        chunk = 0xc000;
        for (unsigned i = 0; i < taken; i++) chunk |= (unsigned)o->symbol[i] << (12 - 2 * i);
    }
    o->n -= taken;
    if (o->n) memmove(o->symbol, o->symbol + taken, o->n);
    pending_recount(o);
    return (uint16_t)chunk;
}

/* Statuses that cannot all go into one form leave in pieces: a mixed one-bit vector cut short goes as seven two-bit
   statuses, for a shorter one-bit vector would claim packets that are not there. */
static void status_add(twcc_writer *w, uint16_t chunks[CHUNKS], uint8_t symbol)
{
    while (!pending_takes(&w->open, symbol)) {
        pending *o = &w->open;
        if (!o->uniform && o->n < VECTOR1) o->large = true;
        chunks[w->chunks++] = pending_emit(o);
    }
    pending_add(&w->open, symbol);
    w->statuses++;
}

static size_t twcc_length(const twcc_writer *w)
{
    return (TWCC_HEAD + 2 * (w->chunks + 1) + w->deltas + 3) & ~(size_t)3;
}

/* Adds `gap` lost packets and one arrival; false, and nothing changed, when they cannot be expressed within `cap`. */
static bool arrival_add(twcc_writer *w, uint16_t chunks[CHUNKS], uint8_t deltas[DELTAS], size_t cap, unsigned gap,
                        int64_t tick)
{
    twcc_writer saved = *w;
    int64_t delta = tick - w->tick;
    if (gap > RUN_MAX || delta < INT16_MIN || delta > INT16_MAX || w->statuses + gap >= UINT16_MAX) return false;
    if (w->chunks + 6 > CHUNKS || w->deltas + 2 > DELTAS) return false;
    for (unsigned i = 0; i < gap; i++) status_add(w, chunks, NONE);
    bool small = delta >= 0 && delta <= UINT8_MAX;
    status_add(w, chunks, small ? SMALL : LARGE);
    if (small)
        deltas[w->deltas++] = (uint8_t)delta;
    else
        cn_put16(deltas + w->deltas, (unsigned)delta & 0xffff), w->deltas += 2;
    w->tick = tick;
    if (twcc_length(w) <= cap) return true;
    *w = saved;
    return false;
}

size_t cn_rtcp_write_twcc(uint8_t *out, size_t cap, uint32_t sender, uint32_t media, uint8_t number, uint16_t base,
                          const cn_twcc_arrival *arrivals, size_t n, size_t *used)
{
    uint16_t chunks[CHUNKS];
    uint8_t deltas[DELTAS];
    int64_t reference = n ? arrivals[0].time_us / 64000 : 0;
    twcc_writer w = {.open.uniform = true, .tick = reference * 256};
    uint16_t next = base;
    size_t i = 0;
    for (; i < n; i++) {
        if (!arrival_add(&w, chunks, deltas, cap, (uint16_t)(arrivals[i].seq - next), arrivals[i].time_us / 250)) break;
        next = (uint16_t)(arrivals[i].seq + 1);
    }
    if (used) *used = i;
    if (i == 0) return 0;
    while (w.open.n) chunks[w.chunks++] = pending_emit(&w.open);
    cn_put16(out + 12, base);
    cn_put16(out + 14, w.statuses);
    cn_put24(out + 16, (uint32_t)reference & 0xffffff);
    out[19] = number;
    size_t at = TWCC_HEAD;
    for (size_t k = 0; k < w.chunks; k++, at += 2) cn_put16(out + at, chunks[k]);
    memcpy(out + at, deltas, w.deltas);
    at += w.deltas;
    /* RTCP padding would have to be told in the header; zero bytes behind the deltas are what every sender writes. */
    size_t len = (at + 3) & ~(size_t)3;
    memset(out + at, 0, len - at);
    return feedback(out, FMT_TWCC, PT_RTPFB, len, sender, media);
}
