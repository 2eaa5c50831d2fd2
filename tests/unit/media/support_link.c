#include "support_link.h"

#include <math.h>
#include <string.h>

#define MS 1000000ull
#define FEEDBACK_NS (50 * MS)
#define PACKET 1150

static double draw(link_sim *l)
{
    l->random = l->random * 1664525u + 1013904223u; /* Numerical Recipes */
    return (l->random >> 8) / 16777216.0;
}

void link_init(link_sim *l, double rate_bps)
{
    memset(l, 0, sizeof *l);
    l->rate_bps = rate_bps;
    l->delay_ns = 20 * MS;
    l->queue_ms = 300;
    l->wanted_bps = 4e6;
    l->random = 1;
    l->now_ns = 5000 * MS;
    l->seq = l->told = 65536;
    cn_bwe_init(&l->bwe);
}

static double left_bps(const link_sim *l)
{
    return fmax(l->rate_bps - l->cross_bps, 10000);
}

bool link_send(link_sim *l, uint32_t size)
{
    unsigned i = (unsigned)(l->seq % LINK_FLIGHT);
    cn_twcc_result *r = &l->flight[i].result;
    l->flight[i].told_lost = false;
    *r = (cn_twcc_result){.seq = l->seq++, .sent_ns = l->now_ns, .arrival_us = CN_TWCC_LOST, .size = (uint16_t)size};
    l->packets++;
    l->sent_bits += size * 8.0;
    bool bad = l->now_ns < l->bad_until_ns || draw(l) < l->loss;
    if (bad || l->queue_bits + size * 8.0 > l->queue_ms / 1000 * left_bps(l)) {
        l->lost_packets++;
        l->flight[i].known_ns = l->now_ns + 2 * l->delay_ns;
        return false;
    }
    l->queue_bits += size * 8.0;
    uint64_t queue_ns = (uint64_t)(l->queue_bits / left_bps(l) * 1e9);
    uint64_t at = l->now_ns + l->delay_ns + queue_ns + (uint64_t)(draw(l) * (double)l->jitter_ns);
    if (at % (1000 * MS) < l->stall_ns) at += l->stall_ns - at % (1000 * MS);
    if (at < l->last_arrival_ns && !l->overtaking) at = l->last_arrival_ns;
    l->last_arrival_ns = at;
    r->arrival_us = (int64_t)(at / 1000) - 777777777; /* another clock */
    l->flight[i].known_ns = at + l->delay_ns;
    l->came_bits += size * 8.0;
    return true;
}

double link_layer_bps(const link_sim *l)
{
    static const double layers[] = {4e6, 1.5e6, 5e5, 1.5e5};
    double budget = fmin(cn_bwe_budget(&l->bwe, l->now_ns), l->wanted_bps);
    if (!l->layered) return budget;
    for (size_t i = 0; i < 4; i++)
        if (layers[i] <= budget) return layers[i];
    return layers[3];
}

/* As browsers report: what is missing below the newest arrival is told as lost, and told again when it comes. */
static void feedback(link_sim *l)
{
    cn_twcc_result results[LINK_FLIGHT];
    size_t n = 0;
    uint64_t sent_ns = 0, newest = l->told, from = l->told > 65536 + 400 ? l->told - 400 : 65536;
    for (uint64_t seq = l->told; seq < l->seq; seq++)
        if (l->flight[seq % LINK_FLIGHT].known_ns <= l->now_ns) newest = seq + 1;
    for (uint64_t seq = from; seq < newest; seq++) {
        bool known = l->flight[seq % LINK_FLIGHT].known_ns <= l->now_ns;
        bool *told_lost = &l->flight[seq % LINK_FLIGHT].told_lost;
        if (seq < l->told && !(*told_lost && known)) continue;
        results[n] = l->flight[seq % LINK_FLIGHT].result;
        results[n].late = seq < l->told;
        if (!known) results[n].arrival_us = CN_TWCC_LOST;
        *told_lost = !known;
        if (known) sent_ns = results[n].sent_ns;
        n++;
    }
    l->told = newest;
    if (n) cn_bwe_feedback(&l->bwe, results, n, sent_ns ? (uint32_t)((l->now_ns - sent_ns) / MS) : 0, l->now_ns);
}

static void probe(link_sim *l)
{
    if (!l->probing && cn_bwe_probe_want(&l->bwe, (uint32_t)l->wanted_bps, l->now_ns, &l->probe)) {
        l->probing = true;
        l->probe_owed = 0;
        l->probe_bytes = l->probe.bytes;
        cn_bwe_probe_begin(&l->bwe, l->seq, l->now_ns);
    }
    if (!l->probing) return;
    l->probe_owed += l->probe.bps / 1000.0;
    while (l->probe_owed >= PACKET * 8.0 && l->probe_bytes > 0) {
        (void)link_send(l, PACKET);
        l->probe_owed -= PACKET * 8.0;
        l->probe_bytes -= PACKET;
    }
    if (l->probe_bytes > 0) return;
    l->probing = false;
    cn_bwe_probe_end(&l->bwe, l->seq - 1);
}

void link_tick(link_sim *l)
{
    l->now_ns += MS;
    l->queue_bits = fmax(0, l->queue_bits - left_bps(l) / 1000);
    if (l->burst_loss > 0 && l->now_ns >= l->bad_until_ns && draw(l) < l->burst_loss / 40)
        l->bad_until_ns = l->now_ns + 40 * MS;
}

void link_listen(link_sim *l)
{
    probe(l);
    if (l->now_ns >= l->next_feedback_ns) {
        l->next_feedback_ns = l->now_ns + FEEDBACK_NS;
        feedback(l);
    }
    double queue = l->queue_bits / left_bps(l) * 1000;
    l->queue_ms_sum += queue;
    if (queue > l->queue_ms_max) l->queue_ms_max = queue;
}

static void turn(link_sim *l)
{
    link_tick(l);
    if (!l->probing) l->owed_bits += link_layer_bps(l) / 1000;
    /* frames of 33 ms leave within 5: what the encoder's bursts look like behind a pacer */
    if (l->now_ns / MS % 33 < 5)
        while (l->owed_bits >= PACKET * 8.0) {
            (void)link_send(l, PACKET);
            l->owed_bits -= PACKET * 8.0;
            if (l->now_ns / MS % 33 < 4 && draw(l) < 0.5) break;
        }
    link_listen(l);
}

void link_run(link_sim *l, uint64_t ms)
{
    l->sent_bits = l->came_bits = l->lost_packets = l->packets = l->queue_ms_max = l->queue_ms_sum = 0;
    l->run_ms = ms;
    for (uint64_t i = 0; i < ms; i++) turn(l);
}

double link_came_bps(const link_sim *l)
{
    return l->came_bits * 1000 / (double)l->run_ms;
}
