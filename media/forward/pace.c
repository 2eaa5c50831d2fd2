/* Peers: nothing waits unless the receiver's line is the limit; then bursts are spread (pacer.h). */
#include "media/room/peer.h"
#include "media/forward/slot_send.h"

#define FACTOR 1.5 /* of what fits: a queue of 60 ms before the bottleneck takes a key frame at that rate */

static void leave(cn_paced *paced)
{
    cn_slot_send_paced(paced->owner, paced);
    cn_packet_unref(paced->p);
}

static void step(void *arg)
{
    cn_peer *peer = arg;
    cn_paced paced;
    uint64_t now_ns = cn_worker_now(peer->worker);
    while (cn_pacer_next(peer->pace.pacer, now_ns, &paced)) leave(&paced);
    if (cn_pacer_waiting(peer->pace.pacer))
        cn_timer_arm(peer->pace.timer, cn_pacer_wait_ns(peer->pace.pacer, now_ns) / 1000000 + 1);
}

static void drain(cn_peer *peer, const cn_slot *slot)
{
    cn_paced paced;
    while (cn_pacer_take(peer->pace.pacer, slot, &paced)) leave(&paced);
}

static bool pacer_made(cn_peer *peer)
{
    if (!peer->pace.timer && cn_timer_new(&peer->pace.timer, peer->worker->loop, step, peer) != CN_OK) return false;
    return peer->pace.pacer || cn_pacer_new(&peer->pace.pacer) == CN_OK;
}

void cn_peer_pace(cn_peer *peer, uint64_t now_ns)
{
    bool binds = peer->exts.id[CN_RTP_EXT_TWCC] && !cn_transport_streams(peer->transport) &&
                 cn_bwe_binds(&peer->estimate, peer->wanted_bps, now_ns);
    if (!binds && !peer->pace.on) return;
    if (binds && !pacer_made(peer)) return;
    peer->pace.on = binds;
    cn_pacer_rate(peer->pace.pacer, binds ? (uint32_t)(FACTOR * cn_bwe_budget(&peer->estimate, now_ns)) : 0, now_ns);
    if (!binds) drain(peer, NULL);
}

bool cn_peer_pace_hold(cn_peer *peer, const cn_paced *paced)
{
    cn_pacer *pacer = peer->pace.pacer;
    if (!peer->pace.on) return false;
    bool first = !cn_pacer_waiting(pacer);
    uint64_t now_ns = peer->worker->now_ns;
    if (cn_pacer_hold(pacer, paced, now_ns)) {
        if (first) cn_timer_arm(peer->pace.timer, cn_pacer_wait_ns(pacer, now_ns) / 1000000 + 1);
        return true;
    }
    drain(peer, NULL); /* full: the order is kept */
    return false;
}

void cn_peer_pace_flush(cn_peer *peer, const cn_slot *slot)
{
    if (peer->pace.pacer) drain(peer, slot);
}

bool cn_peer_pace_busy(const cn_peer *peer)
{
    return peer->pace.on && cn_pacer_waiting(peer->pace.pacer);
}

void cn_peer_pace_free(cn_peer *peer)
{
    cn_timer_free(peer->pace.timer);
    cn_pacer_free(peer->pace.pacer);
}
