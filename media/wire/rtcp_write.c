#include "media/wire/rtcp.h"

#include <string.h>

#include "media/wire/bytes.h"

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

static void blocks_put(uint8_t *at, const cn_rtcp_block *block, size_t count)
{
    for (size_t i = 0; i < count; i++, at += BLOCK) {
        cn_put32(at, block[i].ssrc);
        at[4] = block[i].fraction_lost;
        cn_put24(at + 5, clamp24(block[i].lost));
        cn_put32(at + 8, block[i].highest_seq);
        cn_put32(at + 12, block[i].jitter);
        cn_put32(at + 16, block[i].lsr);
        cn_put32(at + 20, block[i].dlsr);
    }
}

size_t cn_rtcp_write_sr(uint8_t *out, size_t cap, const cn_rtcp_sr *sr, const cn_rtcp_block *blocks, size_t count)
{
    size_t len = HEADER + 24 + count * BLOCK;
    if (count > COUNT_MAX || len > cap) return 0;
    cn_put32(out + 4, sr->ssrc);
    cn_put64(out + 8, sr->ntp);
    cn_put32(out + 16, sr->rtp_ts);
    cn_put32(out + 20, sr->packets);
    cn_put32(out + 24, sr->octets);
    blocks_put(out + 28, blocks, count);
    return header(out, (unsigned)count, PT_SR, len);
}

size_t cn_rtcp_write_rr(uint8_t *out, size_t cap, uint32_t ssrc, const cn_rtcp_block *blocks, size_t count)
{
    size_t len = HEADER + 4 + count * BLOCK;
    if (count > COUNT_MAX || len > cap) return 0;
    cn_put32(out + 4, ssrc);
    blocks_put(out + 8, blocks, count);
    return header(out, (unsigned)count, PT_RR, len);
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

size_t cn_rtcp_write_pli(uint8_t *out, size_t cap, uint32_t sender, uint32_t media)
{
    return cap < FEEDBACK ? 0 : feedback(out, FMT_PLI, PT_PSFB, FEEDBACK, sender, media);
}

size_t cn_rtcp_write_nack(uint8_t *out, size_t cap, uint32_t sender, uint32_t media, const uint16_t *seqs, size_t count,
                          size_t *used)
{
    size_t len = FEEDBACK, i = 0;
    while (i < count && cap >= len + 4) {
        uint16_t pid = seqs[i++];
        unsigned blp = 0, ahead;
        while (i < count && (ahead = (uint16_t)(seqs[i] - pid)) <= 16) {
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

static void pending_recount(pending *waiter)
{
    waiter->uniform = true;
    waiter->large = false;
    for (unsigned i = 0; i < waiter->n; i++) {
        waiter->uniform = waiter->uniform && waiter->symbol[i] == waiter->symbol[0];
        waiter->large = waiter->large || waiter->symbol[i] == LARGE;
    }
}

static bool pending_takes(const pending *waiter, uint8_t symbol)
{
    if (waiter->n < VECTOR2) return true;
    if (waiter->n < VECTOR1 && !waiter->large && symbol != LARGE) return true;
    return waiter->uniform && waiter->n < RUN_MAX && waiter->symbol[0] == symbol;
}

static void pending_add(pending *waiter, uint8_t symbol)
{
    if (waiter->n < VECTOR1) waiter->symbol[waiter->n] = symbol;
    waiter->uniform = waiter->n == 0 || (waiter->uniform && symbol == waiter->symbol[0]);
    waiter->large = waiter->large || symbol == LARGE;
    waiter->n++;
}

/* Takes the next chunk off: a run of all, a vector of all, or a vector of the first seven. */
static uint16_t pending_emit(pending *waiter)
{
    unsigned chunk, taken = waiter->n;
    if (waiter->uniform) {
        chunk = (unsigned)waiter->symbol[0] << 13 | waiter->n;
    } else if (!waiter->large && waiter->n > VECTOR2) {
        chunk = 0x8000;
        for (unsigned i = 0; i < waiter->n; i++) chunk |= (unsigned)waiter->symbol[i] << (13 - i);
    } else {
        taken = waiter->n < VECTOR2 ? waiter->n : VECTOR2;
        chunk = 0xc000;
        for (unsigned i = 0; i < taken; i++) chunk |= (unsigned)waiter->symbol[i] << (12 - 2 * i);
    }
    waiter->n -= taken;
    if (waiter->n) memmove(waiter->symbol, waiter->symbol + taken, waiter->n);
    pending_recount(waiter);
    return (uint16_t)chunk;
}

/* Statuses that cannot all go into one form leave in pieces: a mixed one-bit vector cut short goes as seven two-bit
   statuses, for a shorter one-bit vector would claim packets that are not there. */
static void status_add(twcc_writer *writer, uint16_t chunks[CHUNKS], uint8_t symbol)
{
    while (!pending_takes(&writer->open, symbol)) {
        pending *waiter = &writer->open;
        if (!waiter->uniform && waiter->n < VECTOR1) waiter->large = true;
        chunks[writer->chunks++] = pending_emit(waiter);
    }
    pending_add(&writer->open, symbol);
    writer->statuses++;
}

static size_t twcc_length(const twcc_writer *writer)
{
    return (TWCC_HEAD + 2 * (writer->chunks + 1) + writer->deltas + 3) & ~(size_t)3;
}

/* Adds `gap` lost packets and one arrival; false, and nothing changed, when they cannot be expressed within `cap`. */
static bool arrival_add(twcc_writer *writer, uint16_t chunks[CHUNKS], uint8_t deltas[DELTAS], size_t cap, unsigned gap,
                        int64_t tick)
{
    twcc_writer saved = *writer;
    int64_t delta = tick - writer->tick;
    if (gap > RUN_MAX || delta < INT16_MIN || delta > INT16_MAX || writer->statuses + gap >= UINT16_MAX) return false;
    if (writer->chunks + 6 > CHUNKS || writer->deltas + 2 > DELTAS) return false;
    for (unsigned i = 0; i < gap; i++) status_add(writer, chunks, NONE);
    bool small = delta >= 0 && delta <= UINT8_MAX;
    status_add(writer, chunks, small ? SMALL : LARGE);
    if (small)
        deltas[writer->deltas++] = (uint8_t)delta;
    else
        cn_put16(deltas + writer->deltas, (unsigned)delta & 0xffff), writer->deltas += 2;
    writer->tick = tick;
    if (twcc_length(writer) <= cap) return true;
    *writer = saved;
    return false;
}

size_t cn_rtcp_write_twcc(uint8_t *out, size_t cap, uint32_t sender, uint32_t media, uint8_t number, uint16_t base,
                          const cn_twcc_arrival *arrivals, size_t count, size_t *used)
{
    uint16_t chunks[CHUNKS];
    uint8_t deltas[DELTAS];
    int64_t reference = count ? arrivals[0].time_us / 64000 : 0;
    twcc_writer writer = {.open.uniform = true, .tick = reference * 256};
    uint16_t next = base;
    size_t i = 0;
    for (; i < count; i++) {
        if (!arrival_add(&writer, chunks, deltas, cap, (uint16_t)(arrivals[i].seq - next), arrivals[i].time_us / 250))
            break;
        next = (uint16_t)(arrivals[i].seq + 1);
    }
    if (used) *used = i;
    if (i == 0) return 0;
    while (writer.open.n) chunks[writer.chunks++] = pending_emit(&writer.open);
    cn_put16(out + 12, base);
    cn_put16(out + 14, writer.statuses);
    cn_put24(out + 16, (uint32_t)reference & 0xffffff);
    out[19] = number;
    size_t at = TWCC_HEAD;
    for (size_t k = 0; k < writer.chunks; k++, at += 2) cn_put16(out + at, chunks[k]);
    memcpy(out + at, deltas, writer.deltas);
    at += writer.deltas;
    /* RTCP padding would have to be told in the header; zero bytes behind the deltas are what every sender writes. */
    size_t len = (at + 3) & ~(size_t)3;
    memset(out + at, 0, len - at);
    return feedback(out, FMT_TWCC, PT_RTPFB, len, sender, media);
}
