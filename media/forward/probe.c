/*
 * Probes: when the estimator could use more, recent packets are repeated on a slot's retransmission SSRC at a higher
 * rate for about 25 ms, or longer where packets jitter. What comes back in the transport-wide feedback tells whether
 * more would fit; the receiver's jitter buffer drops what it has.
 */
#include "media/room/peer.h"
#include "media/forward/slot_send.h"

#define STEP_MS 2
#define PROBE_MAX_NS 500000000u /* however late the timer comes */

static cn_slot *carrier(const cn_peer *peer)
{
    cn_slot *best = NULL;
    for (size_t i = 0; i < peer->slot_count; i++) {
        cn_slot *slot = peer->slots[i];
        bool can = slot->video && slot->active && slot->format && slot->format->rtx_pt != CN_SDP_NO_PT;
        if (can && (!best || slot->bps > best->bps)) best = slot; /* all may be paused: then padding goes out */
    }
    return best;
}

static void finish(cn_peer *peer)
{
    peer->probe.slot = NULL;
    cn_bwe_probe_end(&peer->estimate, cn_twcc_out_last(peer->twcc_out));
}

void cn_peer_probe_drop(cn_peer *peer, const cn_slot *slot)
{
    if (slot && peer->probe.slot == slot) finish(peer);
}

static size_t repeat(cn_peer *peer)
{
    uint32_t newest = 0;
    cn_slot *slot = peer->probe.slot;
    if (!cn_rewrite_highest(slot->rewrite, &newest)) return cn_slot_probe(slot, 0);
    if (peer->probe.cursor > newest || newest - peer->probe.cursor > 64) peer->probe.cursor = newest;
    return cn_slot_probe(slot, peer->probe.cursor--);
}

static void step(void *arg)
{
    cn_peer *peer = arg;
    if (!peer->probe.slot || peer->ended) return;
    uint64_t now_ns = cn_worker_now(peer->worker);
    double passed = (double)(now_ns - peer->probe.last_ns) / 1e9;
    bool late = now_ns - peer->estimate.probe.began_ns > PROBE_MAX_NS;
    peer->probe.last_ns = now_ns;
    peer->probe.owed += passed * peer->probe.wanted.bps / 8;
    while (peer->probe.owed > 0 && !late) {
        size_t n = repeat(peer);
        if (!n) late = true;
        peer->probe.owed -= (double)n;
        peer->probe.wanted.bytes -= n < peer->probe.wanted.bytes ? (uint32_t)n : peer->probe.wanted.bytes;
        if (!peer->probe.wanted.bytes) late = true;
    }
    if (late)
        finish(peer);
    else
        cn_timer_arm(peer->probe.timer, STEP_MS);
}

void cn_peer_probe(cn_peer *peer, uint64_t now_ns)
{
    if (peer->probe.slot || cn_peer_pace_busy(peer) || !peer->exts.id[CN_RTP_EXT_TWCC] || !peer->twcc_out) return;
    cn_slot *slot = carrier(peer);
    if (!slot || !cn_bwe_probe_want(&peer->estimate, peer->wanted_bps, now_ns, &peer->probe.wanted)) return;
    if (!peer->probe.timer && cn_timer_new(&peer->probe.timer, peer->worker->loop, step, peer) != CN_OK) return;
    peer->probe.slot = slot;
    peer->probe.last_ns = now_ns;
    peer->probe.owed = 0;
    peer->probe.cursor = UINT32_MAX;
    cn_bwe_probe_begin(&peer->estimate, cn_twcc_out_last(peer->twcc_out) + 1, now_ns);
    cn_timer_arm(peer->probe.timer, STEP_MS);
}
