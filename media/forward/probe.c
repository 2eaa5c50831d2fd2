#include "media/forward/probe.h"

#include "media/forward/pace.h"
#include "media/forward/slot_impl.h"

#define STEP_MS 2
#define PROBE_MAX_NS 500000000u /* however late the timer comes */

void cn_probe_init(cn_line *line, cn_probe_send send)
{
    line->probe.send = send;
}

void cn_probe_free(cn_line *line)
{
    cn_timer_free(line->probe.timer);
}

static cn_slot *carrier(const cn_line *line)
{
    cn_slot *best = NULL;
    for (size_t i = 0; i < line->slot_count; i++) {
        cn_slot *slot = line->slots[i];
        bool can = slot->video && slot->active && slot->format && slot->format->rtx_pt != CN_SDP_NO_PT;
        if (can && (!best || slot->bps > best->bps)) best = slot; /* all may be paused: then padding goes out */
    }
    return best;
}

static void finish(cn_line *line)
{
    line->probe.slot = NULL;
    cn_bwe_probe_end(&line->estimate, cn_twcc_out_last(line->twcc_out));
}

void cn_probe_drop(cn_line *line, const cn_slot *slot)
{
    if (slot && line->probe.slot == slot) finish(line);
}

static size_t repeat(cn_line *line)
{
    uint32_t newest = 0;
    cn_slot *slot = line->probe.slot;
    if (!cn_rewrite_highest(slot->rewrite, &newest)) return line->probe.send(slot, 0);
    if (line->probe.cursor > newest || newest - line->probe.cursor > 64) line->probe.cursor = newest;
    return line->probe.send(slot, line->probe.cursor--);
}

static void step(void *arg)
{
    cn_line *line = arg;
    if (!line->probe.slot || line->ended) return;
    uint64_t now_ns = cn_worker_now(line->worker);
    double passed = (double)(now_ns - line->probe.last_ns) / 1e9;
    bool late = now_ns - line->estimate.probe.began_ns > PROBE_MAX_NS;
    line->probe.last_ns = now_ns;
    line->probe.owed += passed * line->probe.wanted.bps / 8;
    while (line->probe.owed > 0 && !late) {
        size_t n = repeat(line);
        if (!n) late = true;
        line->probe.owed -= (double)n;
        line->probe.wanted.bytes -= n < line->probe.wanted.bytes ? (uint32_t)n : line->probe.wanted.bytes;
        if (!line->probe.wanted.bytes) late = true;
    }
    if (late)
        finish(line);
    else
        cn_timer_arm(line->probe.timer, STEP_MS);
}

void cn_probe_start(cn_line *line, uint64_t now_ns)
{
    if (line->probe.slot || cn_pace_busy(line) || !line->exts.id[CN_RTP_EXT_TWCC] || !line->twcc_out) return;
    /* asked first: it looks at one struct, the carrier is sought among all slots, and this is every 20 ms */
    if (!cn_bwe_probe_want(&line->estimate, line->wanted_bps, now_ns, &line->probe.wanted)) return;
    cn_slot *slot = carrier(line);
    if (!slot) return;
    if (!line->probe.timer && cn_timer_new(&line->probe.timer, line->worker->loop, step, line) != CN_OK) return;
    line->probe.slot = slot;
    line->probe.last_ns = now_ns;
    line->probe.owed = 0;
    line->probe.cursor = UINT32_MAX;
    cn_bwe_probe_begin(&line->estimate, cn_twcc_out_last(line->twcc_out) + 1, now_ns);
    cn_timer_arm(line->probe.timer, STEP_MS);
}
