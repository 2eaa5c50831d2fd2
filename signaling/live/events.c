/* What media says: copied on its threads, worked on by the door in the same order. And what time brings. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "signaling/live/live_private.h"

#define EVENTS_MAX 65536    /* above it what the next one repeats anyway is dropped … */
#define EVENTS_HARD 1048576 /* … and above this everything */
#define CONNECT_MS 30000    /* from the answer to the first packet */
#define AWAY_MS 60000       /* media without a WebSocket */

typedef struct event event;
struct event {
    cn_door_call call;
    cn_live *live;
    void (*run)(event *e, cn_member *m);
    char room[CN_MEDIA_ID], participant[CN_MEDIA_ID];
    uint64_t mono_ms;
    int64_t wall_ms;
    union {
        struct {
            cn_leave_cause cause;
            uint64_t last_sign_ms;
        } left;
        struct {
            char mid[CN_MEDIA_ID], from[CN_MEDIA_ID], codec[16];
            cn_slot_state state;
            cn_source_kind source;
            uint32_t rtp_timestamp;
            unsigned width, height;
        } slot;
        struct {
            int64_t sum, max;
        } area;
        struct {
            cn_source_kind source;
            uint32_t mask;
        } layers;
        cn_media_stats *stats; /* owned */
    };
};

static const char *const causes[] = {[CN_LEAVE_ASKED] = "asked",
                                     [CN_LEAVE_TIMEOUT] = "timeout",
                                     [CN_LEAVE_CLOSED] = "closed",
                                     [CN_LEAVE_REMOVED] = "removed",
                                     [CN_LEAVE_SHUTDOWN] = "shutdown"};
static const char *const end_causes[] = {[CN_LEAVE_ASKED] = "leave",
                                         [CN_LEAVE_TIMEOUT] = "timeout",
                                         [CN_LEAVE_CLOSED] = "leave",
                                         [CN_LEAVE_REMOVED] = "leave",
                                         [CN_LEAVE_SHUTDOWN] = "shutdown"};

/* ---- on the door ---- */

static void on_connected(event *e, cn_member *m)
{
    if (!m || m->connected) return;
    m->connected = true;
    cn_minutes_start(m, e->mono_ms, e->wall_ms);
    if (!m->leaving) cn_hall_notice(m->hall, m, "room.joined", cn_member_json(m), NULL);
    cn_hall_hosts(m->hall);
}

static void on_left(event *e, cn_member *m)
{
    if (!m) return;
    cn_hall *h = m->hall;
    if (!m->leaving) cn_gate_left(m, false);
    bool lost = e->left.cause == CN_LEAVE_TIMEOUT;
    cn_minutes_stop(m, lost ? e->left.last_sign_ms : e->mono_ms, end_causes[e->left.cause]);
    cn_hall_presenter_left(h, m);
    if (m->connected)
        cn_hall_notice(h, m, "room.left", json_pack("{s:s, s:s}", "participant", m->id, "cause", causes[e->left.cause]),
                       NULL);
    if (m->client && !m->leaving)
        cn_client_notice(m->client, "room.left",
                         json_pack("{s:s, s:s}", "participant", m->id, "cause", causes[e->left.cause]));
    m->leaving = true;
    cn_hall_hosts(h);
    cn_member_free(m);
}

static void on_slot(event *e, cn_member *m)
{
    static const char *const states[] = {
        [CN_SLOT_EMPTY] = "empty", [CN_SLOT_LIVE] = "live",   [CN_SLOT_PAUSED] = "paused",
        [CN_SLOT_OFF] = "off",     [CN_SLOT_LIMIT] = "limit", [CN_SLOT_CODEC] = "codec"};
    if (!m || !m->client) return;
    json_t *from = *e->slot.from ? json_string(e->slot.from) : json_null();
    json_t *source = e->slot.source != CN_SOURCE_NONE ? json_string(cn_source_name(e->slot.source)) : json_null();
    cn_client_notice(m->client, "room.slot",
                     json_pack("{s:s, s:s, s:o, s:o, s:I, s:s, s:i, s:i}", "mid", e->slot.mid, "state",
                               states[e->slot.state], "participant", from, "source", source, "rtp_timestamp",
                               (json_int_t)e->slot.rtp_timestamp, "codec", e->slot.codec, "width", (int)e->slot.width,
                               "height", (int)e->slot.height));
}

static void on_speaker(event *e, cn_member *m)
{
    (void)m;
    cn_hall *h = cn_hall_find(e->live, e->room);
    if (!h) return;
    cn_strcpy(h->speaker, sizeof h->speaker, e->participant);
    cn_hall_notice(h, NULL, "room.speaker",
                   json_pack("{s:o}", "participant", *h->speaker ? json_string(h->speaker) : json_null()),
                   "room.speaker");
}

static void on_area(event *e, cn_member *m)
{
    if (m) cn_minutes_area(m, e->mono_ms, e->area.sum, e->area.max);
}

static void on_layers(event *e, cn_member *m)
{
    if (!m || !m->client) return;
    unsigned n = m->source[e->layers.source].rids;
    json_t *rids = json_array();
    for (unsigned i = 0; i < (n ? n : 1); i++) json_array_append_new(rids, json_boolean(e->layers.mask >> i & 1u));
    cn_client_notice(m->client, "room.layers",
                     json_pack("{s:s, s:o, s:b, s:i}", "source", cn_source_name(e->layers.source), "rids", rids,
                               "spatial", !(e->layers.mask & CN_LAYERS_FLAT), "unwatched",
                               (int)CN_LAYERS_UNWATCHED(e->layers.mask)));
}

static void on_stats(event *e, cn_member *m)
{
    if (m) cn_quality_stats(m, e->stats);
    free(e->stats);
}

static void run(void *arg)
{
    event *e = arg;
    atomic_fetch_sub(&e->live->events_waiting, 1);
    e->run(e, cn_member_find(e->live, e->participant));
    free(e);
}

/* ---- on media's threads ---- */

static event *event_new(void *ctx, const char *room, const char *participant, void (*fn)(event *e, cn_member *m))
{
    event *e = CN_NEW(event);
    if (!e) return NULL;
    e->live = ctx;
    e->run = fn;
    e->mono_ms = cn_mono_ms();
    e->wall_ms = cn_wall_ms();
    cn_strcpy(e->room, sizeof e->room, room ? room : "");
    cn_strcpy(e->participant, sizeof e->participant, participant ? participant : "");
    return e;
}

static void post(event *e, bool repeats)
{
    if (!e) return;
    uint32_t before = atomic_fetch_add(&e->live->events_waiting, 1);
    if (before >= EVENTS_HARD || (repeats && before >= EVENTS_MAX)) {
        atomic_fetch_sub(&e->live->events_waiting, 1);
        if (atomic_fetch_add(&e->live->events_lost, 1) % 1000 == 0)
            cn_error("signaling.live", "the door cannot keep up with media's events");
        if (e->run == on_stats) free(e->stats);
        free(e);
        return;
    }
    e->call = (cn_door_call){.fn = run, .arg = e};
    cn_door_post(e->live->door, &e->call);
}

static void media_connected(void *ctx, const char *room, const char *participant)
{
    post(event_new(ctx, room, participant, on_connected), false);
}

static void media_left(void *ctx, const char *room, const char *participant, cn_leave_cause cause,
                       uint64_t last_sign_ms)
{
    event *e = event_new(ctx, room, participant, on_left);
    if (e) {
        e->left.cause = cause;
        e->left.last_sign_ms = last_sign_ms;
    }
    post(e, false);
}

static void media_slot(void *ctx, const char *room, const char *participant, const cn_slot_event *s)
{
    event *e = event_new(ctx, room, participant, on_slot);
    if (e) {
        cn_strcpy(e->slot.mid, sizeof e->slot.mid, s->mid);
        cn_strcpy(e->slot.from, sizeof e->slot.from, s->from ? s->from : "");
        cn_strcpy(e->slot.codec, sizeof e->slot.codec, s->codec ? s->codec : "");
        e->slot.state = s->state;
        e->slot.source = s->source;
        e->slot.rtp_timestamp = s->rtp_timestamp;
        e->slot.width = s->width;
        e->slot.height = s->height;
    }
    post(e, false);
}

static void media_speaker(void *ctx, const char *room, const char *participant)
{
    post(event_new(ctx, room, participant, on_speaker), true);
}

static void media_area(void *ctx, const char *room, const char *participant, uint64_t mono_ms, int64_t sum, int64_t max)
{
    event *e = event_new(ctx, room, participant, on_area);
    if (e) {
        e->mono_ms = mono_ms;
        e->area.sum = sum;
        e->area.max = max;
    }
    post(e, false);
}

static void media_layers(void *ctx, const char *room, const char *participant, cn_source_kind source, uint32_t rid_mask)
{
    event *e = event_new(ctx, room, participant, on_layers);
    if (e) {
        e->layers.source = source;
        e->layers.mask = rid_mask;
    }
    post(e, false);
}

static void media_stats(void *ctx, const char *room, const char *participant, const cn_media_stats *s)
{
    event *e = event_new(ctx, room, participant, on_stats);
    if (e && !(e->stats = cn_memdup(s, sizeof *s))) {
        free(e);
        return;
    }
    post(e, true);
}

const cn_media_events cn_live_events = {.connected = media_connected,
                                        .left = media_left,
                                        .slot = media_slot,
                                        .speaker = media_speaker,
                                        .area = media_area,
                                        .layers = media_layers,
                                        .stats = media_stats};

/* ---- what time brings ---- */

void cn_live_housekeeping(void *live)
{
    cn_live *l = live;
    uint64_t now = cn_mono_ms();
    if (!l->media) return;
    cn_gate_tidy(l);
    for (cn_hall *h = l->halls; h; h = h->next)
        for (cn_member *m = h->members; m; m = m->next) {
            bool silent = !m->connected && now - m->since_ms > CONNECT_MS;
            bool away = !m->client && m->away_ms && now - m->away_ms > AWAY_MS;
            if (m->leaving || (!silent && !away)) continue;
            cn_gate_left(m, false);
            m->leaving = true;
            cn_media_leave(l->media, m->id, CN_LEAVE_TIMEOUT);
        }
}

/* ---- requests ---- */

typedef struct change {
    cn_live *live;
    char request[CN_ID_TEXT], state[24];
} change;

static void on_change(void *arg)
{
    change *c = arg;
    for (cn_hall *h = c->live->halls; h; h = h->next)
        if (strcmp(h->request, c->request) == 0)
            cn_hall_notice(h, NULL, "request.changed",
                           json_pack("{s:s, s:s}", "request", c->request, "state", c->state), NULL);
    free(c);
}

void cn_live_request_changed(cn_live *l, const char *request, const char *state)
{
    change *c = CN_NEW(change);
    if (!c) return;
    c->live = l;
    cn_strcpy(c->request, sizeof c->request, request);
    cn_strcpy(c->state, sizeof c->state, state);
    if (!l->door || cn_door_call_new(l->door, on_change, c) != CN_OK) free(c);
}
