/* What /metrics says of rooms and participants. A participant's samples are there while it is. Door's thread. */
#include "signaling/metrics/rooms.h"

#include <string.h>

#include "signaling/live/state.h"
#include "signaling/live/why.h"
#include "signaling/metrics/promtext.h"

typedef double (*value_fn)(const cn_member *member);

static double bytes_in(const cn_member *member)
{
    return (double)member->stats.bytes_in;
}
static double bytes_out(const cn_member *member)
{
    return (double)member->stats.bytes_out;
}
static double packets_in(const cn_member *member)
{
    return (double)member->stats.packets_in;
}
static double packets_out(const cn_member *member)
{
    return (double)member->stats.packets_out;
}
static double bad(const cn_member *member)
{
    return (double)member->stats.bad_packets;
}
static double loss_up(const cn_member *member)
{
    return (double)member->stats.up_loss;
}
static double loss_down(const cn_member *member)
{
    return (double)member->stats.down_loss;
}
static double jitter(const cn_member *member)
{
    return member->stats.jitter_ms / 1e3;
}
static double round_trip(const cn_member *member)
{
    return member->stats.rtt_ms / 1e3;
}
static double estimate(const cn_member *member)
{
    return member->stats.estimate_bps / 8.0;
}
static double wanted(const cn_member *member)
{
    return member->stats.wanted_bps / 8.0;
}
static double nacks_in(const cn_member *member)
{
    return (double)member->stats.nacks_in;
}
static double nacks_out(const cn_member *member)
{
    return (double)member->stats.nacks_out;
}
static double plis_in(const cn_member *member)
{
    return (double)member->stats.plis_in;
}
static double plis_out(const cn_member *member)
{
    return (double)member->stats.plis_out;
}
static double paused(const cn_member *member)
{
    return member->stats.paused;
}
static double mark(const cn_member *member)
{
    return member->quality.mark;
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
static const cn_member *next_member(const cn_live *live, const cn_member *member)
{
    const cn_hall *hall = member ? member->hall : live->halls;
    member = member ? member->next : hall ? hall->members : NULL;
    for (;;) {
        for (; member; member = member->next)
            if (member->connected && member->measured) return member;
        hall = hall ? hall->next : NULL;
        if (!hall) return NULL;
        member = hall->members;
    }
}

static void peer_values(cn_buf *buf, const cn_live *live)
{
    for (size_t i = 0; i < sizeof peers / sizeof *peers; i++) {
        if (!i || strcmp(peers[i].name, peers[i - 1].name) != 0)
            cn_prom_family(buf, peers[i].name, peers[i].type, peers[i].help);
        bool counts = strcmp(peers[i].type, "counter") == 0;
        for (const cn_member *member = NULL; (member = next_member(live, member));) {
            cn_prom_label labels[] = {
                {"room", member->hall->id}, {"peer", member->id}, {"direction", peers[i].direction}};
            size_t n = peers[i].direction ? 3 : 2;
            if (counts)
                cn_prom_count(buf, peers[i].name, labels, n, (uint64_t)peers[i].value(member));
            else
                cn_prom_sample(buf, peers[i].name, labels, n, peers[i].value(member));
        }
    }
}

static void peer_paths(cn_buf *buf, const cn_live *live)
{
    cn_prom_family(buf, "peer_path_info", "gauge", "1: how the peer's packets travel.");
    for (const cn_member *member = NULL; (member = next_member(live, member));) {
        cn_prom_label labels[] = {
            {"room", member->hall->id}, {"peer", member->id}, {"path", cn_quality_path(member->stats.path)}};
        cn_prom_count(buf, "peer_path_info", labels, 3, 1);
    }
}

static unsigned ones(unsigned mask)
{
    return (unsigned)__builtin_popcount(mask);
}

static void peer_sources(cn_buf *buf, const cn_live *live)
{
    static const char *const states[] = {"offered", "asked", "received"};
    cn_prom_family(buf, "peer_source_layers", "gauge", "Layers of a source: offered, asked of the peer, received.");
    for (const cn_member *member = NULL; (member = next_member(live, member));)
        for (size_t i = 0; i < member->stats.source_count; i++) {
            const cn_media_source_stats *stats = &member->stats.sources[i];
            const unsigned values[] = {stats->layers, ones(stats->wanted), ones(stats->alive)};
            for (size_t k = 0; k < 3; k++) {
                cn_prom_label labels[] = {{"room", member->hall->id},
                                          {"peer", member->id},
                                          {"source", cn_source_name(stats->kind)},
                                          {"state", states[k]}};
                cn_prom_count(buf, "peer_source_layers", labels, 4, values[k]);
            }
        }
    cn_prom_family(buf, "peer_source_height_pixels", "gauge", "Height of the largest picture received of a source.");
    for (const cn_member *member = NULL; (member = next_member(live, member));)
        for (size_t i = 0; i < member->stats.source_count; i++) {
            const cn_media_source_stats *stats = &member->stats.sources[i];
            cn_prom_label labels[] = {
                {"room", member->hall->id}, {"peer", member->id}, {"source", cn_source_name(stats->kind)}};
            if (stats->kind != CN_SOURCE_MIC) cn_prom_count(buf, "peer_source_height_pixels", labels, 3, stats->height);
        }
}

static void peer_slots(cn_buf *buf, const cn_live *live)
{
    cn_prom_family(buf, "peer_slot_height_pixels", "gauge",
                   "Height of the picture sent on a slot that shows somebody; 0 while none is sent.");
    for (const cn_member *member = NULL; (member = next_member(live, member));)
        for (size_t i = 0; i < member->stats.slot_count; i++) {
            const cn_media_slot_stats *stats = &member->stats.slots[i];
            char number[8];
            (void)cn_fmt(number, sizeof number, "%u", stats->index);
            cn_prom_label labels[] = {{"room", member->hall->id}, {"peer", member->id}, {"slot", number}};
            if (stats->video) cn_prom_count(buf, "peer_slot_height_pixels", labels, 3, stats->height);
        }
}

static void rooms(cn_buf *buf, const cn_live *live)
{
    static const char in[] = "room_received_bytes_total", out[] = "room_sent_bytes_total";
    cn_prom_family(buf, "room_participants", "gauge", "Participants of a room.");
    for (const cn_hall *hall = live->halls; hall; hall = hall->next) {
        unsigned n = 0;
        for (const cn_member *member = hall->members; member; member = member->next) n += member->connected;
        cn_prom_count(buf, "room_participants", &(cn_prom_label){"room", hall->id}, 1, n);
    }
    for (int sent = 0; sent < 2; sent++) {
        cn_prom_family(buf, sent ? out : in, "counter",
                       sent ? "RTP sent to a room's participants, also to those who left."
                            : "RTP received from a room's participants, also from those who left.");
        for (const cn_hall *hall = live->halls; hall; hall = hall->next) {
            uint64_t sum = sent ? hall->gone_out : hall->gone_in;
            for (const cn_member *member = hall->members; member; member = member->next)
                sum += sent ? member->stats.bytes_out : member->stats.bytes_in;
            cn_prom_count(buf, sent ? out : in, &(cn_prom_label){"room", hall->id}, 1, sum);
        }
    }
}

void cn_live_metrics(const cn_live *live, cn_buf *buf)
{
    cn_prom_single(buf, "rooms", "gauge", "Rooms in use.", atomic_load(&live->rooms));
    cn_prom_single(buf, "participants", "gauge", "Participants of all rooms.", atomic_load(&live->participants));
    cn_prom_single(buf, "ledger_waiting", "gauge", "Rows that wait for the minute ledger.",
                   atomic_load(&live->ledger_waiting));
    cn_prom_single(buf, "media_events_lost_total", "counter", "Events of media that the door could not take.",
                   atomic_load(&live->events_lost));
    rooms(buf, live);
    peer_values(buf, live);
    peer_paths(buf, live);
    peer_sources(buf, live);
    peer_slots(buf, live);
}
