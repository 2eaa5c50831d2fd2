#include "media/forward/slot_audio.h"

#include <string.h>

#include "media/room/peer.h"
#include "media/stream/recent.h"
#include "media/wire/red.h"
#include "media/stream/seq.h"

void cn_slot_audio_start(cn_slot *s, const cn_packet *first)
{
    s->red_from_ts = first->ts;
    s->red_settled = false;
}

static uint64_t heard_until(const cn_peer *peer, const cn_track *t)
{
    uint64_t ns = 0;
    for (size_t i = 0; i < peer->slot_count; i++)
        if (peer->slots[i]->former == t->number && peer->slots[i]->former_ns > ns) ns = peer->slots[i]->former_ns;
    return ns;
}

void cn_slot_audio_catch_up(cn_slot *s)
{
    const cn_history *h = s->track->layer[0].history;
    uint64_t now_ns = s->peer->worker->now_ns, since_ns = heard_until(s->peer, s->track);
    if (!h) return;
    if (since_ns + CN_RECENT_NS < now_ns) since_ns = now_ns - CN_RECENT_NS;
    cn_packet *list[CN_RECENT];
    size_t n = 0;
    uint64_t newest = cn_history_highest(h), seq = newest > CN_RECENT ? newest - CN_RECENT + 1 : 1;
    for (; seq <= newest; seq++) {
        cn_packet *p = cn_history_get(h, seq, now_ns);
        if (p && p->payload_len) list[n++] = p;
    }
    for (size_t i = cn_recent_begin(list, n); i < n; i++)
        if (list[i]->arrival_ns > since_ns) cn_slot_packet(s, list[i]);
}

static bool goes_as_red(const cn_slot *s, const cn_packet *p)
{
    return p->codec == CN_CODEC_AUDIO_RED && s->red_pt != CN_SDP_NO_PT;
}

uint8_t cn_slot_audio_pt(const cn_slot *s, const cn_packet *p)
{
    return goes_as_red(s, p) ? s->red_pt : s->format->pt;
}

/* How far back a packet may reach. */
static uint32_t reach(cn_slot *s, const cn_packet *p)
{
    if (s->red_settled) return CN_RED_OFFSET_MAX;
    int32_t since = cn_ts_diff(p->ts, s->red_from_ts);
    s->red_settled = since >= CN_RED_OFFSET_MAX;
    return since > 0 ? (uint32_t)since : 0;
}

size_t cn_slot_audio_write(cn_slot *s, const cn_packet *p, uint8_t *out)
{
    const uint8_t *payload = cn_packet_payload(p);
    cn_red red;
    if (goes_as_red(s, p) && cn_red_parse(&red, payload, p->payload_len) == CN_OK)
        return cn_red_write(out, payload, &red, s->format->pt, reach(s, p));
    size_t at = p->codec == CN_CODEC_AUDIO_RED ? p->newest_at : 0, n = p->payload_len - at;
    memcpy(out, payload + at, n);
    return n;
}
