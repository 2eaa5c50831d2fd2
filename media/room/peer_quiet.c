#include "media/room/peer_quiet.h"

#include "media/room/source_impl.h"

/* what comes at least so often was flowing */
#define OFTEN_NS 1000000000u
/* after it was switched off a source may end; one that flows on is a voice's comfort noise */
#define STOPPING_NS 1500000000u
/* packets: one alone may be lost */
#define UNANSWERED 3

static uint64_t last_packet_ns(const cn_source *source)
{
    uint64_t last_ns = 0;
    for (unsigned i = 0; i < source->layers; i++)
        if (source->layer[i].flow.last_ns > last_ns) last_ns = source->layer[i].flow.last_ns;
    return last_ns;
}

/* Of what ended before his last sign he sends nothing by right: a device may have gone, a picture may be unwatched. */
static bool flowed(const cn_peer *peer, uint64_t sign_ns)
{
    for (size_t i = 0; i < peer->source_count; i++) {
        const cn_source *source = peer->sources[i];
        uint64_t last_ns = last_packet_ns(source);
        if (!last_ns || last_ns + OFTEN_NS < sign_ns) continue;
        if (source->on || last_ns > source->switched_ns + STOPPING_NS) return true;
    }
    return false;
}

/* He gave feedback until then, and has been sent something since. That may be little: without feedback pictures pause. */
static bool answers(cn_peer *peer, uint64_t sign_ns)
{
    if (peer->sign_ns != sign_ns) {
        peer->sign_ns = sign_ns;
        peer->sent_packets = peer->line.meter.out_packets;
    }
    return peer->feedback_ns && peer->feedback_ns + OFTEN_NS >= sign_ns &&
           peer->line.meter.out_packets - peer->sent_packets >= UNANSWERED;
}

void cn_peer_quiet(cn_peer *peer, uint64_t now_ns)
{
    uint64_t sign_ns = cn_transport_last_sign_ns(peer->line.transport);
    bool due = answers(peer, sign_ns) || flowed(peer, sign_ns);
    if (!cn_quiet_look(&peer->quiet, now_ns, sign_ns, due)) return;
    const cn_worker *worker = peer->line.worker;
    if (worker->events->lost)
        worker->events->lost(worker->events_ctx, peer->room->name, peer->line.id, peer->quiet.lost);
}
