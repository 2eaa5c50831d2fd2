#include "door.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/str.h"
#include "crowd/poll.h"
#include "crowd/ws.h"

#define NAMES 4096
#define ANSWER_MS 20000
#define PARTICIPANT 64

struct door {
    crowd *crowd;
    uint16_t port;
    char headers[600];
    struct {
        char participant[PARTICIPANT];
        uint16_t sender;
    } names[NAMES]; /* hash table, open addressing */
};

struct seat {
    door *door;
    ws *socket;
    crowd_pc *pc;
    uint16_t sender;
    char participant[PARTICIPANT];
    json_int_t asked;
    char slot_state[16]; /* of v0 */
    json_t *answer;      /* of the call under way */
};

/* ---- names ---- */

static size_t name_at(const door *gate, const char *participant)
{
    size_t at = cn_hash(participant) % NAMES;
    while (gate->names[at].participant[0] && strcmp(gate->names[at].participant, participant) != 0)
        at = (at + 1) % NAMES;
    return at;
}

static void name_add(door *gate, const char *participant, uint16_t sender)
{
    size_t at = name_at(gate, participant);
    (void)cn_strcpy(gate->names[at].participant, PARTICIPANT, participant);
    gate->names[at].sender = sender;
}

/* The table forgets a participant: what stands behind it in its run moves up. */
static void name_remove(door *gate, const char *participant)
{
    size_t at = name_at(gate, participant);
    gate->names[at].participant[0] = '\0';
    for (size_t next = (at + 1) % NAMES; gate->names[next].participant[0]; next = (next + 1) % NAMES) {
        char name[PARTICIPANT];
        uint16_t sender = gate->names[next].sender;
        (void)cn_strcpy(name, sizeof name, gate->names[next].participant);
        gate->names[next].participant[0] = '\0';
        name_add(gate, name, sender);
    }
}

/* ---- door ---- */

door *door_open(crowd *throng, uint16_t port, const char *user, const char *password)
{
    char body[300], answer[8192], cookie[300];
    (void)cn_fmt(body, sizeof body, "{\"username\":\"%s\",\"password\":\"%s\"}", user, password);
    int status =
        ws_http(port, "POST", "/api/v1/login", "Content-Type: application/json\r\n", body, answer, sizeof answer);
    const char *set = strcasestr(answer, "set-cookie:");
    if (status != 200 || !set || sscanf(set + 11, " %299[^;\r\n]", cookie) != 1) {
        fprintf(stderr, "load: login answers %d\n", status);
        return NULL;
    }
    door *gate = CN_NEW(door);
    if (!gate) return NULL;
    gate->crowd = throng;
    gate->port = port;
    (void)cn_fmt(gate->headers, sizeof gate->headers, "Cookie: %s\r\nOrigin: http://127.0.0.1:%u\r\n", cookie, port);
    return gate;
}

void door_close(door *gate)
{
    free(gate);
}

/* ---- seats ---- */

static void slot_said(seat *place, const json_t *params)
{
    const char *mid = json_string_value(json_object_get(params, "mid"));
    const char *state = json_string_value(json_object_get(params, "state"));
    const char *who = json_string_value(json_object_get(params, "participant"));
    if (mid && state && strcmp(mid, "v0") == 0)
        (void)cn_fmt(place->slot_state, sizeof place->slot_state, "%.15s", state);
    if (mid && state && strcmp(state, "live") != 0) crowd_pc_paused(place->pc, mid);
    if (!mid || !state || !who || strcmp(state, "live") != 0) return;
    size_t at = name_at(place->door, who);
    if (!place->door->names[at].participant[0]) return;
    crowd_pc_announce(place->pc, mid, place->door->names[at].sender,
                      (uint32_t)json_integer_value(json_object_get(params, "rtp_timestamp")));
}

static void on_message(void *arg)
{
    seat *place = arg;
    for (const char *text; (text = ws_next(place->socket));) {
        char head[100];
        (void)cn_fmt(head, sizeof head, "%.99s", text);
        bool slot = strstr(head, "\"room.slot\"") != NULL;
        if (!slot && strstr(head, "\"method\"")) continue;
        json_t *object = json_loads(text, 0, NULL);
        if (slot) slot_said(place, json_object_get(object, "params"));
        if (place->asked && json_integer_value(json_object_get(object, "id")) == place->asked && !place->answer)
            place->answer = json_incref(object);
        json_decref(object);
    }
    if (ws_closed(place->socket)) crowd_unwatch(place->door->crowd, ws_fd(place->socket));
}

/* The result, owned; NULL with a message. The crowd plays on meanwhile. */
static json_t *call(seat *place, const char *method, json_t *params)
{
    json_t *message =
        json_pack("{s:s, s:I, s:s, s:o}", "jsonrpc", "2.0", "id", ++place->asked, "method", method, "params", params);
    char *text = message ? json_dumps(message, JSON_COMPACT) : NULL;
    json_decref(message);
    bool ok = text && ws_send(place->socket, text);
    free(text);
    uint64_t until = cn_mono_ms() + ANSWER_MS;
    while (ok && !place->answer && cn_mono_ms() < until && !ws_closed(place->socket)) crowd_play(place->door->crowd, 1);
    json_t *answer = place->answer, *result = json_incref(json_object_get(answer, "result"));
    place->answer = NULL;
    if (!result) {
        char *why = answer ? json_dumps(answer, JSON_COMPACT) : NULL;
        fprintf(stderr, "load: %s: %s\n", method, why ? why : "no answer");
        free(why);
    }
    json_decref(answer);
    return result;
}

static json_t *sections(const seat_shape *shape)
{
    json_t *all = json_object();
    char mid[RTC_MID];
    if (shape->mic) json_object_set_new(all, "mic", json_string("mic"));
    if (shape->layers) json_object_set_new(all, "cam", json_string("camera"));
    for (unsigned i = 0; i < shape->audio_slots + shape->video_slots; i++) {
        (void)rtc_slot_mid(mid, i, shape->audio_slots);
        json_object_set_new(all, mid, json_string("slot"));
    }
    return all;
}

static bool enter(seat *place, const seat_shape *shape)
{
    rtc_offer offer = {.setup = "actpass",
                       .mic = shape->mic,
                       .layers = shape->layers,
                       .audio_slots = shape->audio_slots,
                       .video_slots = shape->video_slots};
    char *text = cn_calloc(1, RTC_SDP_MAX);
    rtc_sdp *sdp = CN_NEW(rtc_sdp);
    if (!text || !sdp) abort();
    crowd_pc_own(place->pc, &offer);
    json_t *joined = NULL;
    if (rtc_offer_write(text, RTC_SDP_MAX, &offer))
        joined = call(place, "room.join",
                      json_pack("{s:s, s:s, s:s, s:o}", "room", shape->room, "device", "desktop", "offer", text,
                                "sections", sections(shape)));
    const char *answer = json_string_value(json_object_get(joined, "answer"));
    const char *id = json_string_value(json_object_get(joined, "participant"));
    bool ok = answer && id && cn_strcpy(place->participant, PARTICIPANT, id) && rtc_sdp_read(sdp, answer);
    if (ok) {
        name_add(place->door, id, place->sender);
        if (shape->mic) crowd_pc_mic(place->pc, CROWD_TALKS);
        if (shape->layers) crowd_pc_camera(place->pc, shape->layers);
        ok = crowd_pc_remote(place->pc, sdp);
    }
    json_decref(joined);
    free(text);
    free(sdp);
    return ok;
}

seat *seat_join(door *gate, uint16_t sender, const seat_shape *shape)
{
    seat *place = CN_NEW(seat);
    if (!place) return NULL;
    place->door = gate;
    place->sender = sender;
    place->pc = crowd_pc_new(gate->crowd, sender);
    place->socket = ws_open(gate->port, "/ws", gate->headers);
    if (place->pc && place->socket && crowd_watch(gate->crowd, ws_fd(place->socket), on_message, place) &&
        enter(place, shape))
        return place;
    fprintf(stderr, "load: participant %u cannot join %s\n", sender, shape->room);
    seat_leave(place);
    return NULL;
}

bool seat_connected(const seat *place)
{
    return crowd_pc_connected(place->pc);
}

uint16_t seat_sender(const seat *place)
{
    return place->sender;
}

const char *seat_profile(const seat *place)
{
    return crowd_pc_profile(place->pc);
}

static const char *participant_of(const door *gate, uint16_t sender)
{
    for (size_t i = 0; i < NAMES; i++)
        if (gate->names[i].participant[0] && gate->names[i].sender == sender) return gate->names[i].participant;
    return NULL;
}

bool seat_show_all(seat *place, const seat_show *shows, unsigned count, const char *tier_max)
{
    json_t *slots = json_array();
    for (unsigned i = 0; i < count; i++) {
        char mid[RTC_MID];
        const char *who = participant_of(place->door, shows[i].sender);
        (void)cn_fmt(mid, sizeof mid, "v%u", i);
        json_array_append_new(slots, json_pack("{s:s, s:s?, s:s, s:i, s:i, s:i}", "mid", mid, "participant", who,
                                               "source", "camera", "width", (int)shows[i].width, "height",
                                               (int)shows[i].height, "priority", (int)(100 - i)));
    }
    json_t *result = call(place, "room.show", json_pack("{s:o, s:s}", "slots", slots, "tier_max", tier_max));
    bool ok = result != NULL;
    json_decref(result);
    return ok;
}

bool seat_ceiling(seat *place, const char *tier)
{
    json_t *result = call(place, "room.settings", json_pack("{s:s}", "tier_max", tier));
    bool ok = result != NULL;
    json_decref(result);
    return ok;
}

const char *seat_slot_state(const seat *place)
{
    return place->slot_state;
}

crowd_pc *seat_pc(const seat *place)
{
    return place->pc;
}

void seat_leave(seat *place)
{
    if (!place) return;
    if (place->socket) {
        if (place->participant[0] && !ws_closed(place->socket)) json_decref(call(place, "room.leave", json_object()));
        crowd_unwatch(place->door->crowd, ws_fd(place->socket));
    }
    if (place->participant[0]) name_remove(place->door, place->participant);
    ws_free(place->socket);
    crowd_pc_free(place->pc);
    json_decref(place->answer);
    free(place);
}
