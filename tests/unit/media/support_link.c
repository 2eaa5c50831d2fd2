#include "support_link.h"

#include <math.h>
#include <string.h>

#define MS 1000000ull
#define FEEDBACK_NS (50 * MS)
#define PACKET 1150

static double draw(link_sim *link)
{
    link->random = link->random * 1664525u + 1013904223u; /* Numerical Recipes */
    return (link->random >> 8) / 16777216.0;
}

void link_init(link_sim *link, double rate_bps)
{
    memset(link, 0, sizeof *link);
    link->rate_bps = rate_bps;
    link->delay_ns = 20 * MS;
    link->queue_ms = 300;
    link->wanted_bps = 4e6;
    link->random = 1;
    link->now_ns = 5000 * MS;
    link->seq = link->told = 65536;
    cn_bwe_init(&link->bwe);
}

static double left_bps(const link_sim *link)
{
    return fmax(link->rate_bps - link->cross_bps, 10000);
}

bool link_send(link_sim *link, uint32_t size)
{
    unsigned i = (unsigned)(link->seq % LINK_FLIGHT);
    cn_twcc_result *result = &link->flight[i].result;
    link->flight[i].told_lost = false;
    *result = (cn_twcc_result){
        .seq = link->seq++, .sent_ns = link->now_ns, .arrival_us = CN_TWCC_LOST, .size = (uint16_t)size};
    link->packets++;
    link->sent_bits += size * 8.0;
    bool bad = link->now_ns < link->bad_until_ns || draw(link) < link->loss;
    if (bad || link->queue_bits + size * 8.0 > link->queue_ms / 1000 * left_bps(link)) {
        link->lost_packets++;
        link->flight[i].known_ns = link->now_ns + 2 * link->delay_ns;
        return false;
    }
    link->queue_bits += size * 8.0;
    uint64_t queue_ns = (uint64_t)(link->queue_bits / left_bps(link) * 1e9);
    uint64_t at = link->now_ns + link->delay_ns + queue_ns + (uint64_t)(draw(link) * (double)link->jitter_ns);
    if (at % (1000 * MS) < link->stall_ns) at += link->stall_ns - at % (1000 * MS);
    if (at < link->last_arrival_ns && !link->overtaking) at = link->last_arrival_ns;
    link->last_arrival_ns = at;
    result->arrival_us = (int64_t)(at / 1000) - 777777777; /* another clock */
    link->flight[i].known_ns = at + link->delay_ns;
    link->came_bits += size * 8.0;
    return true;
}

double link_layer_bps(const link_sim *link)
{
    static const double layers[] = {4e6, 1.5e6, 5e5, 1.5e5};
    double budget = fmin(cn_bwe_budget(&link->bwe, link->now_ns), link->wanted_bps);
    if (!link->layered) return budget;
    for (size_t i = 0; i < 4; i++)
        if (layers[i] <= budget) return layers[i];
    return layers[3];
}

/* As browsers report: what is missing below the newest arrival is told as lost, and told again when it comes. */
static void feedback(link_sim *link)
{
    cn_twcc_result results[LINK_FLIGHT];
    size_t n = 0;
    uint64_t sent_ns = 0, newest = link->told, from = link->told > 65536 + 400 ? link->told - 400 : 65536;
    for (uint64_t seq = link->told; seq < link->seq; seq++)
        if (link->flight[seq % LINK_FLIGHT].known_ns <= link->now_ns) newest = seq + 1;
    for (uint64_t seq = from; seq < newest; seq++) {
        bool known = link->flight[seq % LINK_FLIGHT].known_ns <= link->now_ns;
        bool *told_lost = &link->flight[seq % LINK_FLIGHT].told_lost;
        if (seq < link->told && !(*told_lost && known)) continue;
        results[n] = link->flight[seq % LINK_FLIGHT].result;
        results[n].late = seq < link->told;
        if (!known) results[n].arrival_us = CN_TWCC_LOST;
        *told_lost = !known;
        if (known) sent_ns = results[n].sent_ns;
        n++;
    }
    link->told = newest;
    if (n)
        cn_bwe_feedback(&link->bwe, results, n, sent_ns ? (uint32_t)((link->now_ns - sent_ns) / MS) : 0, link->now_ns);
}

static void probe(link_sim *link)
{
    if (!link->probing && cn_bwe_probe_want(&link->bwe, (uint32_t)link->wanted_bps, link->now_ns, &link->probe)) {
        link->probing = true;
        link->probe_owed = 0;
        link->probe_bytes = link->probe.bytes;
        cn_bwe_probe_begin(&link->bwe, link->seq, link->now_ns);
    }
    if (!link->probing) return;
    link->probe_owed += link->probe.bps / 1000.0;
    while (link->probe_owed >= PACKET * 8.0 && link->probe_bytes > 0) {
        (void)link_send(link, PACKET);
        link->probe_owed -= PACKET * 8.0;
        link->probe_bytes -= PACKET;
    }
    if (link->probe_bytes > 0) return;
    link->probing = false;
    cn_bwe_probe_end(&link->bwe, link->seq - 1);
}

void link_tick(link_sim *link)
{
    link->now_ns += MS;
    link->queue_bits = fmax(0, link->queue_bits - left_bps(link) / 1000);
    if (link->burst_loss > 0 && link->now_ns >= link->bad_until_ns && draw(link) < link->burst_loss / 40)
        link->bad_until_ns = link->now_ns + 40 * MS;
}

void link_listen(link_sim *link)
{
    probe(link);
    if (link->now_ns >= link->next_feedback_ns) {
        link->next_feedback_ns = link->now_ns + FEEDBACK_NS;
        feedback(link);
    }
    double queue = link->queue_bits / left_bps(link) * 1000;
    link->queue_ms_sum += queue;
    if (queue > link->queue_ms_max) link->queue_ms_max = queue;
}

static void turn(link_sim *link)
{
    link_tick(link);
    if (!link->probing) link->owed_bits += link_layer_bps(link) / 1000;
    /* frames of 33 ms leave within 5: what the encoder's bursts look like behind a pacer */
    if (link->now_ns / MS % 33 < 5)
        while (link->owed_bits >= PACKET * 8.0) {
            (void)link_send(link, PACKET);
            link->owed_bits -= PACKET * 8.0;
            if (link->now_ns / MS % 33 < 4 && draw(link) < 0.5) break;
        }
    link_listen(link);
}

void link_run(link_sim *link, uint64_t ms)
{
    link->sent_bits = link->came_bits = link->lost_packets = link->packets = link->queue_ms_max = link->queue_ms_sum =
        0;
    link->run_ms = ms;
    for (uint64_t i = 0; i < ms; i++) turn(link);
}

double link_came_bps(const link_sim *link)
{
    return link->came_bits * 1000 / (double)link->run_ms;
}
