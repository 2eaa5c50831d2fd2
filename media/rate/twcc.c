#include "media/rate/twcc.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "media/wire/prefetch.h"

#define DUE_PACKETS 100
#define SLOT_NS 50000000ull
#define SLOTS 20 /* of the window over which rates are taken: 1 s */
#define LOSS_LEAST 10
#define RECORDS_FIRST 64
#define ARRIVALS_FIRST 64
#define ARRIVAL_KEEP_US 1000000      /* how late a packet that was reported lost may be reported after all */
#define RECORD_KEEP_NS 2000000000ull /* a report on what is older comes too late to be of use */

/* ---- what came from a publisher ---- */

static int64_t *arrival_of(cn_twcc_in *twcc, uint64_t ext)
{
    return &twcc->arrival_us[ext % twcc->room];
}

/* Twice the ring, or the first one; false where there is no memory. `newest`: the highest number in it. */
static bool in_grow(cn_twcc_in *twcc, uint64_t newest)
{
    size_t room = twcc->room ? 2 * twcc->room : ARRIVALS_FIRST;
    int64_t *bigger = cn_calloc(room, sizeof *bigger);
    if (!bigger) return false;
    for (size_t i = 0; i < twcc->room; i++) bigger[(newest - i) % room] = *arrival_of(twcc, newest - i);
    free(twcc->arrival_us);
    twcc->arrival_us = bigger;
    twcc->room = room;
    return true;
}

/* The ring is long enough for `ext`: nothing that waits is overwritten, nor what came within the last second. */
static void in_make_room(cn_twcc_in *twcc, uint64_t former, uint64_t ext, int64_t us)
{
    while (twcc->room < CN_TWCC_WINDOW) {
        bool waits = twcc->waiting && ext - twcc->next >= twcc->room;
        int64_t before = *arrival_of(twcc, ext);
        if (!waits && (!before || us - before >= ARRIVAL_KEEP_US)) return;
        if (!in_grow(twcc, former)) return;
    }
}

/* The window moves on to `ext`. */
static void in_advance(cn_twcc_in *twcc, uint64_t former, uint64_t ext, int64_t us)
{
    if (former && ext - former < CN_TWCC_WINDOW) in_make_room(twcc, former, ext, us);
    if (!former || ext - former >= twcc->room) {
        memset(twcc->arrival_us, 0, twcc->room * sizeof *twcc->arrival_us);
        twcc->next = ext;
        twcc->waiting = 0;
        return;
    }
    for (uint64_t s = former + 1; s <= ext; s++) *arrival_of(twcc, s) = 0;
    if (ext - twcc->next >= twcc->room) twcc->next = ext - twcc->room + 1;
}

void cn_twcc_in_packet(cn_twcc_in *twcc, uint16_t seq, uint64_t arrival_ns)
{
    if (!twcc->room && !in_grow(twcc, 0)) return;
    int64_t us = (int64_t)(arrival_ns / 1000);
    uint64_t former = twcc->seq.highest, ext = cn_seq_extend(&twcc->seq, seq);
    if (ext > former)
        in_advance(twcc, former, ext, us);
    else if (former - ext >= twcc->room || *arrival_of(twcc, ext))
        return;
    if (ext < twcc->next) twcc->next = ext;
    *arrival_of(twcc, ext) = us ? us : 1;
    twcc->waiting++;
}

void cn_twcc_in_free(cn_twcc_in *twcc)
{
    free(twcc->arrival_us);
    *twcc = (cn_twcc_in){0};
}

bool cn_twcc_in_due(const cn_twcc_in *twcc, uint64_t now_ns)
{
    if (twcc->waiting >= DUE_PACKETS) return true;
    uint64_t interval_ns = twcc->waiting < CN_TWCC_FEW ? CN_TWCC_FEW_INTERVAL_NS : CN_TWCC_INTERVAL_NS;
    return twcc->waiting && now_ns >= twcc->sent_ns + interval_ns;
}

size_t cn_twcc_in_take(cn_twcc_in *twcc, uint64_t now_ns, cn_twcc_arrival *out, size_t max, uint16_t *base)
{
    if (!twcc->waiting || !max) return 0;
    *base = (uint16_t)twcc->next;
    size_t n = 0;
    while (twcc->next <= twcc->seq.highest && n < max) {
        int64_t us = *arrival_of(twcc, twcc->next);
        if (us) out[n++] = (cn_twcc_arrival){.seq = (uint16_t)twcc->next, .time_us = us};
        twcc->next++;
    }
    twcc->sent_ns = now_ns;
    twcc->waiting = twcc->next <= twcc->seq.highest ? 1 : 0;
    return n;
}

/* ---- what was sent to a receiver ---- */

typedef enum fate { FATE_NONE, FATE_SENT, FATE_ARRIVED, FATE_LOST } fate;

typedef struct record {
    uint64_t seq, sent_ns;
    uint16_t size;
    uint8_t kind, fate;
} record;

typedef struct slot {
    uint64_t number; /* time ÷ SLOT_NS */
    int64_t acked, lost;
} slot;

struct cn_twcc_out {
    size_t mask; /* records − 1 */
    record *records;
    uint64_t last; /* extended; 0: nothing sent */
    size_t max;    /* records at most */
    slot slots[SLOTS];
};

/* Of the feedback that was taken last: read at once by whoever took it, so that a thread's receivers share one. */
static _Thread_local cn_twcc_result results[CN_TWCC_WINDOW];

cn_err cn_twcc_out_new(cn_twcc_out **out, size_t records)
{
    if (records < 64 || records > 32768 || records & (records - 1)) return CN_ERR_INVALID;
    cn_twcc_out *twcc = CN_NEW(cn_twcc_out);
    if (!twcc) return CN_ERR_NOMEM;
    twcc->records = cn_calloc(RECORDS_FIRST, sizeof *twcc->records);
    if (!twcc->records) {
        cn_twcc_out_free(twcc);
        return CN_ERR_NOMEM;
    }
    twcc->mask = RECORDS_FIRST - 1;
    twcc->max = records;
    *out = twcc;
    return CN_OK;
}

void cn_twcc_out_free(cn_twcc_out *twcc)
{
    if (!twcc) return;
    free(twcc->records);
    free(twcc);
}

void cn_twcc_out_prefetch(const cn_twcc_out *twcc)
{
    cn_prefetch(twcc, offsetof(cn_twcc_out, slots));
}

void cn_twcc_out_prefetch_next(const cn_twcc_out *twcc, uint64_t now_ns)
{
    cn_prefetch(&twcc->records[(twcc->last + 1) & twcc->mask], sizeof(record));
    cn_prefetch(&twcc->slots[now_ns / SLOT_NS % SLOTS], sizeof(slot));
}

static slot *slot_of(cn_twcc_out *twcc, uint64_t now_ns)
{
    uint64_t number = now_ns / SLOT_NS;
    slot *place = &twcc->slots[number % SLOTS];
    if (place->number != number) *place = (slot){.number = number};
    return place;
}

/* Sums over the last second. */
static slot window(const cn_twcc_out *twcc, uint64_t now_ns)
{
    uint64_t number = now_ns / SLOT_NS;
    slot sum = {0};
    for (size_t i = 0; i < SLOTS; i++) {
        const slot *place = &twcc->slots[i];
        if (place->number > number || place->number + SLOTS <= number) continue;
        sum.acked += place->acked;
        sum.lost += place->lost;
    }
    return sum;
}

/* Twice as many records, so that few packets a second take little; where there is no memory the oldest is forgotten. */
static void grow(cn_twcc_out *twcc)
{
    size_t mask = 2 * twcc->mask + 1;
    record *bigger = cn_calloc(mask + 1, sizeof *bigger);
    if (!bigger) return;
    for (size_t i = 0; i <= twcc->mask; i++)
        if (twcc->records[i].seq) bigger[twcc->records[i].seq & mask] = twcc->records[i];
    free(twcc->records);
    twcc->records = bigger;
    twcc->mask = mask;
}

uint16_t cn_twcc_out_next(cn_twcc_out *twcc, size_t size, cn_twcc_kind kind, uint64_t now_ns)
{
    if (!twcc->last) twcc->last = 65536;
    uint64_t seq = ++twcc->last;
    const record *oldest = &twcc->records[seq & twcc->mask];
    if (oldest->seq && now_ns - oldest->sent_ns < RECORD_KEEP_NS && twcc->mask + 1 < twcc->max) grow(twcc);
    twcc->records[seq & twcc->mask] = (record){.seq = seq,
                                               .sent_ns = now_ns,
                                               .size = (uint16_t)(size > UINT16_MAX ? UINT16_MAX : size),
                                               .kind = (uint8_t)kind,
                                               .fate = FATE_SENT};
    return (uint16_t)seq;
}

uint64_t cn_twcc_out_last(const cn_twcc_out *twcc)
{
    return twcc->last;
}

cn_err cn_twcc_list_read(cn_twcc_list *out, const cn_rtcp *pkt)
{
    cn_rtcp_twcc_it it;
    if (!cn_rtcp_twcc_open(&it, pkt)) return CN_ERR_INVALID;
    if (it.count > CN_TWCC_WINDOW) return CN_ERR_TOOBIG;
    out->base_seq = it.base_seq;
    out->count = 0;
    int64_t time_us = (int64_t)it.reference * 64000;
    for (cn_rtcp_twcc status; out->count < CN_TWCC_WINDOW && cn_rtcp_twcc_next(&it, &status);) {
        if (status.received) time_us += (int64_t)status.delta_250us * 250;
        out->arrival_us[out->count++] = status.received ? time_us : CN_TWCC_LOST;
    }
    return CN_OK;
}

/* Takes one status over; false when it tells nothing new. */
static bool consume(record *rec, int64_t arrival_us, slot *place, cn_twcc_summary *sum)
{
    bool arrived = arrival_us != CN_TWCC_LOST;
    if (rec->fate == FATE_ARRIVED || (rec->fate == FATE_LOST && !arrived)) return false;
    if (arrived) {
        if (rec->fate == FATE_LOST) place->lost--;
        sum->acked++;
        sum->acked_bytes += rec->size;
        place->acked++;
    } else {
        sum->lost++;
        place->lost++;
    }
    rec->fate = arrived ? FATE_ARRIVED : FATE_LOST;
    return true;
}

cn_err cn_twcc_out_feedback(cn_twcc_out *twcc, const cn_twcc_list *list, uint64_t now_ns, cn_twcc_summary *out)
{
    cn_twcc_summary sum = {.results = results};
    slot *place = slot_of(twcc, now_ns);
    bool ours = false;
    uint64_t newest_ns = 0;
    cn_seq at = {.highest = twcc->last};
    for (size_t i = 0; twcc->last && i < list->count && i < CN_TWCC_WINDOW; i++) {
        uint64_t seq = cn_seq_nearest(&at, (uint16_t)(list->base_seq + i));
        record *rec = &twcc->records[seq & twcc->mask];
        if (rec->seq != seq || rec->fate == FATE_NONE) continue;
        ours = true;
        int64_t arrival_us = list->arrival_us[i];
        bool late = rec->fate == FATE_LOST && arrival_us != CN_TWCC_LOST;
        if (!consume(rec, arrival_us, place, &sum)) continue;
        results[sum.result_count++] = (cn_twcc_result){.seq = seq,
                                                       .sent_ns = rec->sent_ns,
                                                       .arrival_us = arrival_us,
                                                       .size = rec->size,
                                                       .kind = rec->kind,
                                                       .late = late};
        if (arrival_us != CN_TWCC_LOST) newest_ns = rec->sent_ns;
    }
    if (!ours) return CN_ERR_INVALID;
    if (newest_ns && now_ns > newest_ns) sum.rtt_ms = (uint32_t)((now_ns - newest_ns + 500000) / 1000000);
    *out = sum;
    return CN_OK;
}

double cn_twcc_out_loss(cn_twcc_out *twcc, uint64_t now_ns)
{
    slot sum = window(twcc, now_ns);
    int64_t lost = sum.lost > 0 ? sum.lost : 0, all = sum.acked + lost;
    return all < LOSS_LEAST ? 0 : (double)lost / (double)all;
}
