/* What /metrics says of rooms and participants. A participant's samples are there while it is. Door's thread. */
#include <string.h>

#include "signaling/live/live_private.h"
#include "signaling/metrics/promtext.h"

typedef double (*value_fn)(const cn_member *m);

static double bytes_in(const cn_member *m)
{
    return (double)m->stats.bytes_in;
}
static double bytes_out(const cn_member *m)
{
    return (double)m->stats.bytes_out;
}
static double packets_in(const cn_member *m)
{
    return (double)m->stats.packets_in;
}
static double packets_out(const cn_member *m)
{
    return (double)m->stats.packets_out;
}
static double bad(const cn_member *m)
{
    return (double)m->stats.bad_packets;
}
static double loss_up(const cn_member *m)
{
    return (double)m->stats.up_loss;
}
static double loss_down(const cn_member *m)
{
    return (double)m->stats.down_loss;
}
static double jitter(const cn_member *m)
{
    return m->stats.jitter_ms / 1e3;
}
static double round_trip(const cn_member *m)
{
    return m->stats.rtt_ms / 1e3;
}
static double estimate(const cn_member *m)
{
    return m->stats.estimate_bps / 8.0;
}
static double wanted(const cn_member *m)
{
    return m->stats.wanted_bps / 8.0;
}
static double nacks_in(const cn_member *m)
{
    return (double)m->stats.nacks_in;
}
static double nacks_out(const cn_member *m)
{
    return (double)m->stats.nacks_out;
}
static double plis_in(const cn_member *m)
{
    return (double)m->stats.plis_in;
}
static double plis_out(const cn_member *m)
{
    return (double)m->stats.plis_out;
}
static double paused(const cn_member *m)
{
    return m->stats.paused;
}
static double mark(const cn_member *m)
{
    return m->quality.mark;
}

#define LOSS "peer_loss_ratio", "gauge", "Share of packets lost in the last interval, by direction as the peer sees it."
#define NACKS "peer_nacks_total", "counter", "Packets asked for again: by the peer (in), by this server (out)."
#define PLIS "peer_plis_total", "counter", "Key frames asked for: by the peer (in), by this server (out)."

static const struct {
    const char *name, *type, *help;
    value_fn value;
    const char *direction;
} peers[] = {
    {"peer_received_bytes_total", "counter", "RTP received from the peer.", bytes_in, NULL},
    {"peer_sent_bytes_total", "counter", "RTP sent to the peer.", bytes_out, NULL},
    {"peer_received_packets_total", "counter", "RTP packets received from the peer.", packets_in, NULL},
    {"peer_sent_packets_total", "counter", "RTP packets sent to the peer.", packets_out, NULL},
    {"peer_bad_packets_total", "counter", "Packets of the peer that could not be read.", bad, NULL},
    {LOSS, loss_up, "up"},
    {LOSS, loss_down, "down"},
    {"peer_jitter_seconds", "gauge", "Interarrival jitter of what the peer sends.", jitter, NULL},
    {"peer_round_trip_seconds", "gauge", "Round trip between server and peer, 0 when not known.", round_trip, NULL},
    {"peer_estimate_bytes_per_second", "gauge", "What is believed to fit towards the peer.", estimate, NULL},
    {"peer_wanted_bytes_per_second", "gauge", "What would be sent if everything fitted.", wanted, NULL},
    {NACKS, nacks_in, "in"},
    {NACKS, nacks_out, "out"},
    {PLIS, plis_in, "in"},
    {PLIS, plis_out, "out"},
    {"peer_paused_slots", "gauge", "Pictures that are kept back because they do not fit.", paused, NULL},
    {"peer_quality_mark", "gauge", "0 gone, 1 bad, 4 very good.", mark, NULL},
};

/** Walks all members that have been measured: NULL to begin. */
static const cn_member *next_member(const cn_live *l, const cn_member *m)
{
    const cn_hall *h = m ? m->hall : l->halls;
    m = m ? m->next : h ? h->members : NULL;
    for (;;) {
        for (; m; m = m->next)
            if (m->connected && m->measured) return m;
        h = h ? h->next : NULL;
        if (!h) return NULL;
        m = h->members;
    }
}

static void peer_values(cn_buf *b, const cn_live *l)
{
    for (size_t i = 0; i < sizeof peers / sizeof *peers; i++) {
        if (!i || strcmp(peers[i].name, peers[i - 1].name) != 0)
            cn_prom_family(b, peers[i].name, peers[i].type, peers[i].help);
        bool counts = strcmp(peers[i].type, "counter") == 0;
        for (const cn_member *m = NULL; (m = next_member(l, m));) {
            cn_prom_label labels[] = {{"room", m->hall->id}, {"peer", m->id}, {"direction", peers[i].direction}};
            size_t n = peers[i].direction ? 3 : 2;
            if (counts)
                cn_prom_count(b, peers[i].name, labels, n, (uint64_t)peers[i].value(m));
            else
                cn_prom_sample(b, peers[i].name, labels, n, peers[i].value(m));
        }
    }
}

static void peer_paths(cn_buf *b, const cn_live *l)
{
    cn_prom_family(b, "peer_path_info", "gauge", "1: how the peer's packets travel.");
    for (const cn_member *m = NULL; (m = next_member(l, m));) {
        cn_prom_label labels[] = {{"room", m->hall->id}, {"peer", m->id}, {"path", cn_quality_path(m->stats.path)}};
        cn_prom_count(b, "peer_path_info", labels, 3, 1);
    }
}

static unsigned ones(unsigned mask)
{
    return (unsigned)__builtin_popcount(mask);
}

static void peer_sources(cn_buf *b, const cn_live *l)
{
    static const char *const states[] = {"offered", "asked", "received"};
    cn_prom_family(b, "peer_source_layers", "gauge", "Layers of a source: offered, asked of the peer, received.");
    for (const cn_member *m = NULL; (m = next_member(l, m));)
        for (size_t i = 0; i < m->stats.source_count; i++) {
            const cn_media_source_stats *s = &m->stats.sources[i];
            const unsigned values[] = {s->layers, ones(s->wanted), ones(s->alive)};
            for (size_t k = 0; k < 3; k++) {
                cn_prom_label labels[] = {
                    {"room", m->hall->id}, {"peer", m->id}, {"source", cn_source_name(s->kind)}, {"state", states[k]}};
                cn_prom_count(b, "peer_source_layers", labels, 4, values[k]);
            }
        }
    cn_prom_family(b, "peer_source_height_pixels", "gauge", "Height of the largest picture received of a source.");
    for (const cn_member *m = NULL; (m = next_member(l, m));)
        for (size_t i = 0; i < m->stats.source_count; i++) {
            const cn_media_source_stats *s = &m->stats.sources[i];
            cn_prom_label labels[] = {{"room", m->hall->id}, {"peer", m->id}, {"source", cn_source_name(s->kind)}};
            if (s->kind != CN_SOURCE_MIC) cn_prom_count(b, "peer_source_height_pixels", labels, 3, s->height);
        }
}

static void peer_slots(cn_buf *b, const cn_live *l)
{
    cn_prom_family(b, "peer_slot_height_pixels", "gauge",
                   "Height of the picture sent on a slot that shows somebody; 0 while none is sent.");
    for (const cn_member *m = NULL; (m = next_member(l, m));)
        for (size_t i = 0; i < m->stats.slot_count; i++) {
            const cn_media_slot_stats *s = &m->stats.slots[i];
            char number[8];
            (void)cn_fmt(number, sizeof number, "%u", s->index);
            cn_prom_label labels[] = {{"room", m->hall->id}, {"peer", m->id}, {"slot", number}};
            if (s->video) cn_prom_count(b, "peer_slot_height_pixels", labels, 3, s->height);
        }
}

static void rooms(cn_buf *b, const cn_live *l)
{
    static const char in[] = "room_received_bytes_total", out[] = "room_sent_bytes_total";
    cn_prom_family(b, "room_participants", "gauge", "Participants of a room.");
    for (const cn_hall *h = l->halls; h; h = h->next) {
        unsigned n = 0;
        for (const cn_member *m = h->members; m; m = m->next) n += m->connected;
        cn_prom_count(b, "room_participants", &(cn_prom_label){"room", h->id}, 1, n);
    }
    for (int sent = 0; sent < 2; sent++) {
        cn_prom_family(b, sent ? out : in, "counter",
                       sent ? "RTP sent to a room's participants, also to those who left."
                            : "RTP received from a room's participants, also from those who left.");
        for (const cn_hall *h = l->halls; h; h = h->next) {
            uint64_t sum = sent ? h->gone_out : h->gone_in;
            for (const cn_member *m = h->members; m; m = m->next) sum += sent ? m->stats.bytes_out : m->stats.bytes_in;
            cn_prom_count(b, sent ? out : in, &(cn_prom_label){"room", h->id}, 1, sum);
        }
    }
}

void cn_live_metrics(const cn_live *l, cn_buf *b)
{
    cn_prom_single(b, "rooms", "gauge", "Rooms in use.", atomic_load(&l->rooms));
    cn_prom_single(b, "participants", "gauge", "Participants of all rooms.", atomic_load(&l->participants));
    cn_prom_single(b, "ledger_waiting", "gauge", "Rows that wait for the minute ledger.",
                   atomic_load(&l->ledger_waiting));
    cn_prom_single(b, "media_events_lost_total", "counter", "Events of media that the door could not take.",
                   atomic_load(&l->events_lost));
    rooms(b, l);
    peer_values(b, l);
    peer_paths(b, l);
    peer_sources(b, l);
    peer_slots(b, l);
}
