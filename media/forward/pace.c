#include "media/forward/pace.h"

#define FACTOR 1.5 /* of what fits: a queue of 60 ms before the bottleneck takes a key frame at that rate */

void cn_pace_init(cn_line *line, cn_pace_send send)
{
    line->pace.send = send;
}

static void leave(cn_line *line, cn_paced *paced)
{
    line->pace.send(paced->owner, paced);
    cn_packet_unref(paced->p);
}

static void step(void *arg)
{
    cn_line *line = arg;
    cn_paced paced;
    uint64_t now_ns = cn_worker_now(line->worker);
    while (cn_pacer_next(line->pace.pacer, now_ns, &paced)) leave(line, &paced);
    if (cn_pacer_waiting(line->pace.pacer))
        cn_timer_arm(line->pace.timer, cn_pacer_wait_ns(line->pace.pacer, now_ns) / 1000000 + 1);
}

static void drain(cn_line *line, const struct cn_slot *slot)
{
    cn_paced paced;
    while (cn_pacer_take(line->pace.pacer, slot, &paced)) leave(line, &paced);
}

static bool pacer_made(cn_line *line)
{
    if (!line->pace.timer && cn_timer_new(&line->pace.timer, line->worker->loop, step, line) != CN_OK) return false;
    return line->pace.pacer || cn_pacer_new(&line->pace.pacer) == CN_OK;
}

void cn_pace_update(cn_line *line, uint64_t now_ns)
{
    bool binds = line->exts.id[CN_RTP_EXT_TWCC] && !cn_transport_streams(line->transport) &&
                 cn_bwe_binds(&line->estimate, line->wanted_bps, now_ns);
    if (!binds && !line->pace.on) return;
    if (binds && !pacer_made(line)) return;
    line->pace.on = binds;
    cn_pacer_rate(line->pace.pacer, binds ? (uint32_t)(FACTOR * cn_bwe_budget(&line->estimate, now_ns)) : 0, now_ns);
    if (!binds) drain(line, NULL);
}

bool cn_pace_hold(cn_line *line, const cn_paced *paced)
{
    cn_pacer *pacer = line->pace.pacer;
    if (!line->pace.on) return false;
    bool first = !cn_pacer_waiting(pacer);
    uint64_t now_ns = line->worker->now_ns;
    if (cn_pacer_hold(pacer, paced, now_ns)) {
        if (first) cn_timer_arm(line->pace.timer, cn_pacer_wait_ns(pacer, now_ns) / 1000000 + 1);
        return true;
    }
    drain(line, NULL); /* full: the order is kept */
    return false;
}

void cn_pace_flush(cn_line *line, const struct cn_slot *slot)
{
    if (line->pace.pacer) drain(line, slot);
}

bool cn_pace_busy(const cn_line *line)
{
    return line->pace.on && cn_pacer_waiting(line->pace.pacer);
}

void cn_pace_free(cn_line *line)
{
    cn_timer_free(line->pace.timer);
    cn_pacer_free(line->pace.pacer);
}
