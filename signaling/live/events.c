/* What media says: copied on its threads, worked on by the door in the same order. And what time brings. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "signaling/live/audit.h"
#include "signaling/live/begin.h"
#include "signaling/live/client.h"
#include "signaling/live/ending.h"
#include "signaling/live/events.h"
#include "signaling/live/gate.h"
#include "signaling/live/hall.h"
#include "signaling/live/host.h"
#include "signaling/live/minutes.h"
#include "signaling/live/quality.h"
#include "signaling/live/record.h"
#include "signaling/live/urgent.h"
#include "signaling/live/view.h"
#include "signaling/live/watch.h"

#define EVENTS_MAX 65536        /* above it what the next one repeats anyway is dropped … */
#define EVENTS_HARD 1048576     /* … and above this everything */
#define CONNECT_MS 30000        /* from the answer to the first packet */
#define SILENT_MS 10000         /* two of the checks by which a browser keeps a connection (RFC 7675) and more */
#define AWAY_MS CN_BACK_SOON_MS /* media without a WebSocket */

typedef struct event event;
struct event {
    cn_door_call call;
    cn_live *live;
    void (*run)(event *ev, cn_member *member);
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
        bool lost;
        struct {
            int64_t sum, max;
        } area;
        struct {
            cn_source_kind source;
            uint32_t mask;
        } layers;
        cn_size_event size;
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
                                         [CN_LEAVE_CLOSED] = "leave", /* he is somewhere else now */
                                         [CN_LEAVE_REMOVED] = "removed",
                                         [CN_LEAVE_SHUTDOWN] = "shutdown"};

/* ---- on the door ---- */

static void on_connected(event *ev, cn_member *member)
{
    if (!member || member->connected) return;
    member->connected = true;
    if (cn_hall_overfull(member->hall, member->may_video)) {
        member->connected = false;
        cn_gate_put_out(member);
        return;
    }
    cn_minutes_start(member, ev->mono_ms, ev->wall_ms);
    if (!member->leaving) cn_hall_notice(member->hall, member, "room.joined", cn_member_json(member), NULL);
    cn_hall_hosts(member->hall);
    cn_urgent_came(member);
}

/* Whoever says that he leaves is there; who has vanished was there until his last packet, whatever ends his visit. */
static uint64_t end_of_minutes(const event *ev)
{
    uint64_t sign = ev->left.last_sign_ms;
    bool silent = ev->mono_ms > sign && ev->mono_ms - sign > SILENT_MS;
    bool lost = ev->left.cause == CN_LEAVE_TIMEOUT || (ev->left.cause != CN_LEAVE_ASKED && silent);
    return lost ? sign : ev->mono_ms;
}

static void on_left(event *ev, cn_member *member)
{
    if (!member) return;
    cn_hall *hall = member->hall;
    if (!member->leaving) cn_gate_left(member, false);
    bool closed = ev->left.cause == CN_LEAVE_CLOSED && hall->ended;
    cn_minutes_stop(member, end_of_minutes(ev), closed ? "ended" : end_causes[ev->left.cause]);
    cn_hall_presenter_left(hall, member);
    if (member->connected)
        cn_hall_notice(hall, member, "room.left",
                       json_pack("{s:s, s:s}", "participant", member->id, "cause", causes[ev->left.cause]), NULL);
    if (member->client && !member->leaving)
        cn_client_notice(member->client, "room.left",
                         json_pack("{s:s, s:s}", "participant", member->id, "cause", causes[ev->left.cause]));
    member->leaving = true;
    cn_hall_hosts(hall);
    cn_record_left(member);
    cn_member_free(member);
}

static void on_slot(event *ev, cn_member *member)
{
    static const char *const states[] = {
        [CN_SLOT_EMPTY] = "empty", [CN_SLOT_LIVE] = "live",   [CN_SLOT_PAUSED] = "paused",
        [CN_SLOT_OFF] = "off",     [CN_SLOT_LIMIT] = "limit", [CN_SLOT_CODEC] = "codec"};
    if (!member || !member->client) return;
    json_t *from = *ev->slot.from ? json_string(ev->slot.from) : json_null();
    json_t *source = ev->slot.source != CN_SOURCE_NONE ? json_string(cn_source_name(ev->slot.source)) : json_null();
    cn_client_notice(member->client, "room.slot",
                     json_pack("{s:s, s:s, s:o, s:o, s:I, s:s, s:i, s:i}", "mid", ev->slot.mid, "state",
                               states[ev->slot.state], "participant", from, "source", source, "rtp_timestamp",
                               (json_int_t)ev->slot.rtp_timestamp, "codec", ev->slot.codec, "width",
                               (int)ev->slot.width, "height", (int)ev->slot.height));
}

static void on_speaker(event *ev, cn_member *member)
{
    (void)member;
    cn_hall *hall = cn_hall_find(ev->live, ev->room);
    if (!hall) return;
    cn_strcpy(hall->speaker, sizeof hall->speaker, ev->participant);
    cn_hall_notice(hall, NULL, "room.speaker",
                   json_pack("{s:o}", "participant", *hall->speaker ? json_string(hall->speaker) : json_null()),
                   "room.speaker");
}

static void on_area(event *ev, cn_member *member)
{
    if (member) cn_minutes_area(member, ev->mono_ms, ev->area.sum, ev->area.max);
}

static void on_layers(event *ev, cn_member *member)
{
    if (!member || !member->client) return;
    unsigned n = member->source[ev->layers.source].rids;
    json_t *rids = json_array();
    for (unsigned i = 0; i < (n ? n : 1); i++) json_array_append_new(rids, json_boolean(ev->layers.mask >> i & 1u));
    cn_client_notice(member->client, "room.layers",
                     json_pack("{s:s, s:o, s:b, s:i}", "source", cn_source_name(ev->layers.source), "rids", rids,
                               "spatial", !(ev->layers.mask & CN_LAYERS_FLAT), "unwatched",
                               (int)CN_LAYERS_UNWATCHED(ev->layers.mask)));
}

static void on_size(event *ev, cn_member *member)
{
    if (!member) return;
    cn_warn("signaling.live", "%s of participant %s claims %u × %u (%s): %u pixels count",
            cn_source_name(ev->size.source), member->id, ev->size.width, ev->size.height,
            cn_size_doubt_name(ev->size.doubt), ev->size.counted);
    cn_size_audit(member, &ev->size);
}

static void on_stats(event *ev, cn_member *member)
{
    if (member) {
        cn_minutes_sign(member, ev->stats->last_sign_ms);
        cn_quality_stats(member, ev->stats);
    }
    free(ev->stats);
}

static void on_lost(event *ev, cn_member *member)
{
    if (!member) return;
    cn_quality_lost(member, ev->lost);
    if (ev->lost) cn_gate_lost(member);
}

static void run(void *arg)
{
    event *ev = arg;
    atomic_fetch_sub(&ev->live->events_waiting, 1);
    ev->run(ev, cn_member_find(ev->live, ev->participant));
    free(ev);
}

/* ---- on media's threads ---- */

static event *event_new(void *ctx, const char *room, const char *participant, void (*fn)(event *ev, cn_member *member))
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

static void post(event *ev, bool repeats)
{
    if (!ev) return;
    uint32_t before = atomic_fetch_add(&ev->live->events_waiting, 1);
    if (before >= EVENTS_HARD || (repeats && before >= EVENTS_MAX)) {
        atomic_fetch_sub(&ev->live->events_waiting, 1);
        if (atomic_fetch_add(&ev->live->events_lost, 1) % 1000 == 0)
            cn_error("signaling.live", "the door cannot keep up with media's events");
        if (ev->run == on_stats) free(ev->stats);
        free(ev);
        return;
    }
    ev->call = (cn_door_call){.fn = run, .arg = ev};
    cn_door_post(ev->live->door, &ev->call);
}

static void media_connected(void *ctx, const char *room, const char *participant)
{
    post(event_new(ctx, room, participant, on_connected), false);
}

static void media_left(void *ctx, const char *room, const char *participant, cn_leave_cause cause,
                       uint64_t last_sign_ms)
{
    event *ev = event_new(ctx, room, participant, on_left);
    if (ev) {
        ev->left.cause = cause;
        ev->left.last_sign_ms = last_sign_ms;
    }
    post(ev, false);
}

static void media_slot(void *ctx, const char *room, const char *participant, const cn_slot_event *slot_event)
{
    event *ev = event_new(ctx, room, participant, on_slot);
    if (ev) {
        cn_strcpy(ev->slot.mid, sizeof ev->slot.mid, slot_event->mid);
        cn_strcpy(ev->slot.from, sizeof ev->slot.from, slot_event->from ? slot_event->from : "");
        cn_strcpy(ev->slot.codec, sizeof ev->slot.codec, slot_event->codec ? slot_event->codec : "");
        ev->slot.state = slot_event->state;
        ev->slot.source = slot_event->source;
        ev->slot.rtp_timestamp = slot_event->rtp_timestamp;
        ev->slot.width = slot_event->width;
        ev->slot.height = slot_event->height;
    }
    post(ev, false);
}

static void media_speaker(void *ctx, const char *room, const char *participant)
{
    post(event_new(ctx, room, participant, on_speaker), true);
}

static void media_area(void *ctx, const char *room, const char *participant, uint64_t mono_ms, int64_t sum, int64_t max)
{
    event *ev = event_new(ctx, room, participant, on_area);
    if (ev) {
        ev->mono_ms = mono_ms;
        ev->area.sum = sum;
        ev->area.max = max;
    }
    post(ev, false);
}

static void media_layers(void *ctx, const char *room, const char *participant, cn_source_kind source, uint32_t rid_mask)
{
    event *ev = event_new(ctx, room, participant, on_layers);
    if (ev) {
        ev->layers.source = source;
        ev->layers.mask = rid_mask;
    }
    post(ev, false);
}

static void media_size(void *ctx, const char *room, const char *participant, const cn_size_event *size)
{
    event *ev = event_new(ctx, room, participant, on_size);
    if (ev) ev->size = *size;
    post(ev, false);
}

static void media_lost(void *ctx, const char *room, const char *participant, bool lost)
{
    event *ev = event_new(ctx, room, participant, on_lost);
    if (ev) ev->lost = lost;
    post(ev, false);
}

static void media_stats(void *ctx, const char *room, const char *participant, const cn_media_stats *stats)
{
    event *ev = event_new(ctx, room, participant, on_stats);
    if (ev && !(ev->stats = cn_memdup(stats, sizeof *stats))) {
        free(ev);
        return;
    }
    post(ev, true);
}

const cn_media_events cn_live_events = {.connected = media_connected,
                                        .left = media_left,
                                        .slot = media_slot,
                                        .speaker = media_speaker,
                                        .area = media_area,
                                        .layers = media_layers,
                                        .size = media_size,
                                        .lost = media_lost,
                                        .stats = media_stats};

/* ---- what time brings ---- */

void cn_live_housekeeping(void *live)
{
    cn_live *parent = live;
    uint64_t now = cn_mono_ms();
    if (!parent->media) return;
    cn_gate_tidy(parent);
    cn_ending_tick(parent);
    for (cn_hall *hall = parent->halls; hall; hall = hall->next)
        for (cn_member *member = hall->members; member; member = member->next) {
            bool silent = !member->connected && now - member->since_ms > CONNECT_MS;
            bool away = !member->client && member->away_ms && now - member->away_ms > AWAY_MS;
            if (!member->leaving && (silent || away)) cn_gate_end(member);
        }
}

/* ---- requests ---- */

typedef struct request_step {
    cn_live *live;
    char request[CN_ID_TEXT];
    cn_state state;
    bool urgent;
    const char *ends;      /* its room: why; NULL: no news of it */
    char user[CN_ID_TEXT]; /* who takes no part any more */
} request_step;

static void on_change(void *arg)
{
    request_step *step = arg;
    for (cn_hall *hall = step->live->halls; hall; hall = hall->next) {
        if (strcmp(hall->request, step->request) != 0) continue;
        cn_hall_notice(hall, NULL, "request.changed",
                       json_pack("{s:s, s:s}", "request", step->request, "state", cn_state_name(step->state)), NULL);
        hall->scheduled = step->state == CN_STATE_SCHEDULED;
        if (step->state == CN_STATE_IN_SESSION) cn_hall_begin(hall, 0);
        cn_begin_look(hall);
    }
    cn_watch_changed(step->live, step->request, step->state);
    if (step->urgent) cn_urgent_changed(step->live);
    free(step);
}

static void on_end(void *arg)
{
    request_step *step = arg;
    if (!step->live->closing) cn_ending_request(step->live, step->request, step->ends);
    free(step);
}

static void on_part_end(void *arg)
{
    request_step *step = arg;
    cn_gate_part_ends(step->live, step->request, step->user);
    cn_watch_drop(step->live, step->request, step->user);
    free(step);
}

static void post_step(const request_step *told, void (*fn)(void *step))
{
    request_step *step = cn_memdup(told, sizeof *told);
    if (step && (!step->live->door || cn_door_call_new(step->live->door, fn, step) != CN_OK)) free(step);
}

void cn_live_request_changed(cn_live *live, const char *request, const char *state, bool urgent)
{
    request_step step = {.live = live, .urgent = urgent};
    cn_strcpy(step.request, sizeof step.request, request);
    if (cn_state_parse(state, &step.state)) post_step(&step, on_change);
}

void cn_live_room_ends(cn_live *live, const char *request, const char *reason)
{
    request_step step = {.live = live, .ends = reason};
    cn_strcpy(step.request, sizeof step.request, request);
    post_step(&step, on_end);
}

void cn_live_part_ends(cn_live *live, const char *request, const char *user)
{
    request_step step = {.live = live};
    cn_strcpy(step.request, sizeof step.request, request);
    cn_strcpy(step.user, sizeof step.user, user);
    post_step(&step, on_part_end);
}
