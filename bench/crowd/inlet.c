#include "inlet.h"

#include <string.h>

#define NAME_WAIT_NS 1000000000ull
#define SWITCHING_NS 5000000
/* as browsers do */
#define ASK_TIMES 10
#define ASK_AGAIN_MS 100
#define PAUSE_NS 500000000ull

static bool bit_get(const inlet *in, uint64_t seq)
{
    return in->got[seq % INLET_WINDOW / 64] >> seq % 64 & 1;
}

static void bit_set(inlet *in, uint64_t seq, bool on)
{
    uint64_t mask = 1ull << seq % 64, *word = &in->got[seq % INLET_WINDOW / 64];
    *word = on ? *word | mask : *word & ~mask;
}

uint64_t inlet_extended(const inlet *in, uint16_t seq)
{
    return in->highest + (uint64_t)(int64_t)(int16_t)(uint16_t)(seq - (uint16_t)in->highest);
}

/* Numbers below `to` are not waited for any longer. */
static void judge(inlet *in, crowd_totals *totals, uint64_t to)
{
    for (; in->floor < to; in->floor++) {
        if (bit_get(in, in->floor)) continue;
        totals->lost++;
        in->lost++;
        in->holes--;
        bit_set(in, in->floor, true);
    }
}

static void advance(inlet *in, crowd_totals *totals, uint64_t to)
{
    while (in->highest < to) {
        in->highest++;
        if (in->highest - in->floor >= INLET_WINDOW) judge(in, totals, in->highest - INLET_WINDOW + 1);
        bit_set(in, in->highest, in->highest == to);
        in->asked[in->highest % INLET_WINDOW].times = 0;
        if (in->highest != to) in->holes++;
    }
}

bool inlet_arrived(inlet *in, crowd_totals *totals, uint16_t seq, bool again)
{
    if (!in->started) {
        if (again) return false;
        in->started = true;
        in->floor = in->highest = 65536u + seq;
        bit_set(in, in->highest, true);
        in->packets++;
        return true;
    }
    uint64_t full = inlet_extended(in, seq);
    if (full > in->highest) {
        advance(in, totals, full);
        in->packets++;
        if (again) totals->recovered++;
        return true;
    }
    if (full < in->floor || bit_get(in, full)) {
        *(again ? &totals->repeated : &totals->duplicates) += 1;
        return false;
    }
    bit_set(in, full, true);
    in->holes--;
    in->packets++;
    if (again) totals->recovered++;
    return true;
}

static void named(inlet *in, crowd_totals *totals, uint16_t sender, uint32_t ts, uint64_t now_ns)
{
    if (in->fixed >= 0) {
        if (sender != in->fixed) totals->misnamed++;
        return;
    }
    inlet_name *seen = &in->seen[in->seen_n++ % INLET_NAMES];
    if (seen->open) totals->misnamed++;
    *seen = (inlet_name){.sender = sender, .ts = ts, .at_ns = now_ns, .open = true};
    for (size_t i = 0; i < INLET_NAMES; i++) {
        inlet_name *said = &in->said[i];
        if (!said->used || said->sender != sender || (int32_t)(ts - said->ts) < 0) continue;
        said->used = false;
        seen->open = false;
        return;
    }
}

void inlet_said(inlet *in, crowd_totals *totals, uint16_t sender, uint32_t ts, uint64_t now_ns)
{
    (void)totals;
    for (size_t i = 0; i < INLET_NAMES; i++) {
        inlet_name *seen = &in->seen[i];
        if (!seen->open || seen->sender != sender || (int32_t)(seen->ts - ts) < 0) continue;
        seen->open = false;
        return;
    }
    in->said[in->said_n++ % INLET_NAMES] = (inlet_name){.sender = sender, .ts = ts, .at_ns = now_ns, .used = true};
}

void inlet_names_judge(inlet *in, crowd_totals *totals, uint64_t now_ns)
{
    for (size_t i = 0; i < INLET_NAMES; i++) {
        inlet_name *seen = &in->seen[i];
        if (!seen->open || now_ns - seen->at_ns < NAME_WAIT_NS) continue;
        seen->open = false;
        totals->misnamed++;
    }
}

bool inlet_switching(inlet *in, const payload_piece *piece, int64_t arrived_ns)
{
    if (!in->sourced || in->sender != piece->sender || in->layer != piece->layer) in->switched_ns = arrived_ns;
    return arrived_ns - in->switched_ns < SWITCHING_NS;
}

void inlet_content(inlet *in, crowd_totals *totals, uint16_t seq, uint32_t ts, const payload_piece *piece,
                   uint64_t now_ns)
{
    uint64_t full = inlet_extended(in, seq);
    if (in->sourced && full <= in->index_at) return; /* late: its order was lost on the way */
    bool same = in->sourced && in->sender == piece->sender && in->layer == piece->layer;
    if (same) {
        int32_t step = (int32_t)(piece->index - in->index);
        int64_t room = (int64_t)(full - in->index_at);
        if (step <= 0) totals->disordered++;
        if (step > room && in->video && now_ns - in->last_ns < PAUSE_NS) totals->skipped += (uint64_t)(step - room);
    } else {
        if (in->sourced) totals->switches++;
        if (!in->sourced || in->sender != piece->sender) named(in, totals, piece->sender, ts, now_ns);
    }
    in->sourced = true;
    in->sender = piece->sender;
    in->layer = piece->layer;
    in->index = piece->index;
    in->index_at = full;
    in->last_ns = now_ns;
}

size_t inlet_missing(inlet *in, uint64_t now_ns, uint16_t *out, size_t max)
{
    size_t n = 0;
    uint32_t now_ms = (uint32_t)(now_ns / 1000000);
    if (!in->holes) return 0;
    for (uint64_t s = in->floor; s < in->highest && n < max; s++) {
        inlet_asked *asked = &in->asked[s % INLET_WINDOW];
        if (bit_get(in, s) || asked->times == ASK_TIMES || (asked->times && now_ms - asked->ms < ASK_AGAIN_MS))
            continue;
        asked->times++;
        asked->ms = now_ms;
        out[n++] = (uint16_t)s;
    }
    return n;
}

void inlet_close(inlet *in, crowd_totals *totals)
{
    if (in->started) judge(in, totals, in->highest);
}
