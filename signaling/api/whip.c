/*
 * WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep-03): an SDP offer over HTTP with a bearer token, the answer with the
 * address of the session. The check runs on a job thread, the rest on the door. Trickled candidates are accepted and
 * not needed: the server is ICE-lite.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "consult/room/room.h"
#include "consult/room/token.h"
#include "signaling/api/api.h"
#include "signaling/app.h"
#include "signaling/live/live.h"

#define OFFER_MAX (128 * 1024)

/* One call on its way through the door. */
typedef struct ask {
    cn_http *http;
    cn_door_call call;
    bool publish;
    cn_room_info info;
    char room[64], session[CN_ID_TEXT], token_hash[65];
} ask;

static bool is_publish(const cn_http *h)
{
    return strncmp(cn_http_path(h), "/whip/", 6) == 0;
}

static cn_err unauthorized(cn_http *h, const char *detail)
{
    cn_http_set(h, "WWW-Authenticate", "Bearer");
    return cn_problem_set(cn_http_problem(h), CN_ERR_UNAUTH, "Authorization", "%s", detail);
}

/* Checks the bearer token for the room; gives its hash, by which the session is found again. */
static cn_err enter(cn_http *h, char token_hash[65], cn_room_info *info)
{
    cn_app *app = cn_http_app(h);
    const char *authorization = cn_http_header(h, "authorization"), *room = cn_http_param(h, "room");
    uint8_t sum[CN_SHA256_LEN];
    if (!authorization || strncasecmp(authorization, "Bearer ", 7) != 0)
        return unauthorized(h, "a bearer token is needed");
    const char *token = authorization + 7;
    cn_err err = cn_room_token_check(cn_app_consult(app), token, room, is_publish(h));
    if (err != CN_OK) {
        char object[80];
        cn_fmt(object, sizeof object, "room:%.63s", room);
        cn_audit_note(cn_app_consult(app), cn_http_actor(h), is_publish(h) ? "room.publish" : "room.view", object,
                      "denied", "{}");
    }
    if (err == CN_ERR_UNAUTH) return unauthorized(h, "this token is not valid for this room");
    if (err != CN_OK) return err;
    const cn_actor system = cn_actor_system();
    CN_TRY(cn_room_get(cn_app_consult(app), &system, room, info));
    if (!info->open) return cn_problem_set(cn_http_problem(h), CN_ERR_STATE, "room", "this room is closed");
    cn_sha256(token, strlen(token), sum);
    cn_hex(sum, sizeof sum, token_hash);
    return CN_OK;
}

static bool has_type(const cn_http *h, const char *want)
{
    const char *type = cn_http_header(h, "content-type");
    size_t n = strlen(want);
    return type && strncasecmp(type, want, n) == 0 && (type[n] == '\0' || type[n] == ';' || type[n] == ' ');
}

static cn_err to_door(cn_http *h, const char *token_hash, const cn_room_info *info, void (*fn)(void *arg))
{
    ask *a = CN_NEW(ask);
    if (!a) return CN_ERR_NOMEM;
    a->http = h;
    a->publish = is_publish(h);
    a->info = *info;
    cn_strcpy(a->room, sizeof a->room, cn_http_param(h, "room"));
    cn_strcpy(a->session, sizeof a->session, cn_http_param(h, "session"));
    cn_strcpy(a->token_hash, sizeof a->token_hash, token_hash);
    a->call = (cn_door_call){.fn = fn, .arg = a};
    cn_http_defer(h);
    cn_door_post(cn_app_door(cn_http_app(h)), &a->call);
    return CN_OK;
}

static void finish(ask *a, cn_err err)
{
    cn_http *h = a->http;
    free(a);
    cn_http_finish(h, err);
}

static void copy_problem(ask *a, cn_err err, const cn_problem *p)
{
    if (p && p->err == err) *cn_http_problem(a->http) = *p;
}

/* ---- POST: a new session ---- */

static void joined(void *arg, cn_err err, const cn_problem *p, const char *participant, const char *answer)
{
    ask *a = arg;
    if (err == CN_OK) {
        cn_http_setf(a->http, "Location", "/%s/%s/%s", a->publish ? "whip" : "whep", a->room, participant);
        cn_http_setf(a->http, "ETag", "\"%s\"", participant);
        cn_http_set(a->http, "Accept-Patch", "application/trickle-ice-sdpfrag");
        err = cn_http_text(a->http, 201, "application/sdp", answer, strlen(answer));
    } else {
        copy_problem(a, err, p);
    }
    finish(a, err);
}

static void join(void *arg)
{
    ask *a = arg;
    const char *only = cn_http_query(a->http, "participant"), *source = cn_http_query(a->http, "source");
    const cn_guest g = {.room = &a->info,
                        .publish = a->publish,
                        .offer = cn_http_body(a->http, NULL),
                        .only = only && *only ? only : NULL,
                        .source = source && strcmp(source, "camera") == 0 ? CN_SOURCE_CAMERA : CN_SOURCE_DEVICE,
                        .token_hash = a->token_hash,
                        .address = cn_http_actor(a->http)->address};
    cn_live_guest_join(cn_app_live(cn_http_app(a->http)), &g, joined, a);
}

static cn_err offer(cn_http *h)
{
    char token_hash[65];
    cn_room_info info;
    size_t n;
    CN_TRY(enter(h, token_hash, &info));
    if (!has_type(h, "application/sdp"))
        return cn_problem_set(cn_http_problem(h), CN_ERR_UNSUPPORTED, "Content-Type", "must be application/sdp");
    const char *body = cn_http_body(h, &n);
    if (n == 0 || strlen(body) != n)
        return cn_problem_set(cn_http_problem(h), CN_ERR_PARSE, "", "the body must be an SDP offer");
    char object[80];
    cn_fmt(object, sizeof object, "room:%.63s", cn_http_param(h, "room"));
    cn_audit_note(cn_app_consult(cn_http_app(h)), cn_http_actor(h), is_publish(h) ? "room.publish" : "room.view",
                  object, "ok", "{}");
    return to_door(h, token_hash, &info, join);
}

/* ---- PATCH: ICE restart, or a trickled candidate ---- */

static void restarted(void *arg, cn_err err, const cn_problem *p, const char *participant, const char *answer)
{
    ask *a = arg;
    char tag[24];
    (void)participant;
    if (err == CN_OK) {
        cn_token_new(tag, 96);
        cn_http_setf(a->http, "ETag", "\"%s\"", tag);
        err = cn_http_text(a->http, 200, "application/trickle-ice-sdpfrag", answer, strlen(answer));
    } else {
        copy_problem(a, err, p);
    }
    finish(a, err);
}

static bool has_ufrag(const char *fragment)
{
    return strstr(fragment, "a=ice-ufrag:") && strstr(fragment, "a=ice-pwd:");
}

static void patch(void *arg)
{
    ask *a = arg;
    cn_live *l = cn_app_live(cn_http_app(a->http));
    const char *match = cn_http_header(a->http, "if-match"), *fragment = cn_http_body(a->http, NULL);
    cn_err err = cn_live_guest_check(l, a->room, a->session, a->token_hash);
    if (err != CN_OK) {
        finish(a, err);
    } else if (match && strcmp(match, "*") == 0 && has_ufrag(fragment)) {
        cn_live_guest_restart(l, a->session, fragment, restarted, a);
    } else {
        cn_http_empty(a->http, 204);
        finish(a, CN_OK);
    }
}

static cn_err change(cn_http *h)
{
    char token_hash[65];
    cn_room_info info;
    CN_TRY(enter(h, token_hash, &info));
    if (!has_type(h, "application/trickle-ice-sdpfrag"))
        return cn_problem_set(cn_http_problem(h), CN_ERR_UNSUPPORTED, "Content-Type",
                              "must be application/trickle-ice-sdpfrag");
    return to_door(h, token_hash, &info, patch);
}

/* ---- DELETE, OPTIONS ---- */

static void leave(void *arg)
{
    ask *a = arg;
    cn_live *l = cn_app_live(cn_http_app(a->http));
    cn_err err = cn_live_guest_check(l, a->room, a->session, a->token_hash);
    if (err == CN_OK) {
        cn_live_guest_leave(l, a->session);
        err = cn_http_empty(a->http, 200);
    }
    finish(a, err);
}

static cn_err end(cn_http *h)
{
    char token_hash[65];
    cn_room_info info;
    CN_TRY(enter(h, token_hash, &info));
    return to_door(h, token_hash, &info, leave);
}

static cn_err options(cn_http *h)
{
    const char *session = cn_http_param(h, "session");
    bool whole = !session || !*session;
    if (whole)
        cn_http_set(h, "Accept-Post", "application/sdp");
    else
        cn_http_set(h, "Accept-Patch", "application/trickle-ice-sdpfrag");
    cn_http_set(h, "Allow", whole ? "POST, OPTIONS" : "PATCH, DELETE, OPTIONS");
    return cn_http_empty(h, 204);
}

/* ---- GET /api/v1/rooms/{id} ---- */

typedef struct look {
    cn_http *http;
    cn_door_call call;
    cn_room_info info;
} look;

static void look_in(void *arg)
{
    look *k = arg;
    cn_http *h = k->http;
    cn_live *live = cn_app_live(cn_http_app(h));
    cn_err err = cn_http_json(
        h, 200,
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:o}", "id", k->info.id, "request", k->info.request, "title",
                  k->info.title, "state", k->info.open ? "open" : "closed", "codec", cn_live_codec(live, &k->info),
                  "participants", cn_live_participants(live, k->info.id), "ice_servers",
                  cn_turn_servers(cn_app_turn(cn_http_app(h)), cn_http_actor(h)->user, cn_wall_ms() / 1000)));
    free(k);
    cn_http_finish(h, err);
}

static cn_err room(cn_http *h)
{
    cn_room_info info;
    CN_TRY(cn_room_get(cn_app_consult(cn_http_app(h)), cn_http_actor(h), cn_http_param(h, "id"), &info));
    look *k = CN_NEW(look);
    if (!k) return CN_ERR_NOMEM;
    *k = (look){.http = h, .info = info};
    k->call = (cn_door_call){.fn = look_in, .arg = k};
    cn_http_defer(h);
    cn_door_post(cn_app_door(cn_http_app(h)), &k->call);
    return CN_OK;
}

const cn_route cn_room_routes[] = {
    {CN_GET, "/api/v1/rooms/{id}", CN_WHO_ANY, room, .body = CN_BODY_NONE},
    {CN_POST, "/whip/{room}", CN_WHO_PUBLIC, offer, .body = CN_BODY_RAW, .body_max = OFFER_MAX},
    {CN_OPTIONS, "/whip/{room}", CN_WHO_PUBLIC, options, .body = CN_BODY_NONE},
    {CN_PATCH, "/whip/{room}/{session}", CN_WHO_PUBLIC, change, .body = CN_BODY_RAW, .body_max = OFFER_MAX},
    {CN_DELETE, "/whip/{room}/{session}", CN_WHO_PUBLIC, end, .body = CN_BODY_NONE},
    {CN_OPTIONS, "/whip/{room}/{session}", CN_WHO_PUBLIC, options, .body = CN_BODY_NONE},
    {CN_POST, "/whep/{room}", CN_WHO_PUBLIC, offer, .body = CN_BODY_RAW, .body_max = OFFER_MAX},
    {CN_OPTIONS, "/whep/{room}", CN_WHO_PUBLIC, options, .body = CN_BODY_NONE},
    {CN_PATCH, "/whep/{room}/{session}", CN_WHO_PUBLIC, change, .body = CN_BODY_RAW, .body_max = OFFER_MAX},
    {CN_DELETE, "/whep/{room}/{session}", CN_WHO_PUBLIC, end, .body = CN_BODY_NONE},
    {CN_OPTIONS, "/whep/{room}/{session}", CN_WHO_PUBLIC, options, .body = CN_BODY_NONE},
    {.path = NULL},
};
