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
#include "signaling/door/errand.h"
#include "signaling/live/live.h"

#define OFFER_MAX (128 * 1024)

/* One call on its way through the door. */
typedef struct ask {
    cn_errand errand;
    cn_http *http;
    bool publish;
    cn_room_info info;
    char room[64], session[CN_ID_TEXT], token_hash[65];
} ask;

static bool is_publish(const cn_http *http)
{
    return strncmp(cn_http_path(http), "/whip/", 6) == 0;
}

static cn_err unauthorized(cn_http *http, const char *detail)
{
    cn_http_set(http, "WWW-Authenticate", "Bearer");
    return cn_problem_set(cn_http_problem(http), CN_ERR_UNAUTH, "Authorization", "%s", detail);
}

/* Checks the bearer token for the room; gives its hash, by which the session is found again. */
static cn_err enter(cn_http *http, char token_hash[65], cn_room_info *info)
{
    cn_app *app = cn_http_app(http);
    const char *authorization = cn_http_header(http, "authorization"), *room = cn_http_param(http, "room");
    uint8_t sum[CN_SHA256_LEN];
    if (!authorization || strncasecmp(authorization, "Bearer ", 7) != 0)
        return unauthorized(http, "a bearer token is needed");
    const char *token = authorization + 7;
    cn_err err = cn_room_token_check(cn_app_consult(app), token, room, is_publish(http));
    if (err != CN_OK) {
        char object[80];
        cn_fmt(object, sizeof object, "room:%.63s", room);
        cn_audit_note(cn_app_consult(app), cn_http_actor(http), is_publish(http) ? "room.publish" : "room.view", object,
                      "denied", "{}");
    }
    if (err == CN_ERR_UNAUTH) return unauthorized(http, "this token is not valid for this room");
    if (err != CN_OK) return err;
    const cn_actor system = cn_actor_system();
    CN_TRY(cn_room_get(cn_app_consult(app), &system, room, info));
    cn_sha256(token, strlen(token), sum);
    cn_hex(sum, sizeof sum, token_hash);
    return CN_OK;
}

static bool has_type(const cn_http *http, const char *want)
{
    const char *type = cn_http_header(http, "content-type");
    size_t n = strlen(want);
    return type && strncasecmp(type, want, n) == 0 && (type[n] == '\0' || type[n] == ';' || type[n] == ' ');
}

static cn_err to_door(cn_http *http, const char *token_hash, const cn_room_info *info, cn_errand_fn back)
{
    ask *asked = CN_NEW(ask);
    if (!asked) return CN_ERR_NOMEM;
    asked->http = http;
    asked->publish = is_publish(http);
    asked->info = *info;
    cn_strcpy(asked->room, sizeof asked->room, cn_http_param(http, "room"));
    cn_strcpy(asked->session, sizeof asked->session, cn_http_param(http, "session"));
    cn_strcpy(asked->token_hash, sizeof asked->token_hash, token_hash);
    return cn_errand_defer(&asked->errand, http, back);
}

static void finish(ask *asked, cn_err err)
{
    cn_http *http = asked->http;
    free(asked);
    cn_http_finish(http, err);
}

static void copy_problem(ask *asked, cn_err err, const cn_problem *problem)
{
    if (problem && problem->err == err) *cn_http_problem(asked->http) = *problem;
}

/* ---- POST: a new session ---- */

static void joined(void *arg, cn_err err, const cn_problem *problem, const char *participant, const char *answer)
{
    ask *asked = arg;
    if (err == CN_OK) {
        cn_http_setf(asked->http, "Location", "/%s/%s/%s", asked->publish ? "whip" : "whep", asked->room, participant);
        cn_http_setf(asked->http, "ETag", "\"%s\"", participant);
        cn_http_set(asked->http, "Accept-Patch", "application/trickle-ice-sdpfrag");
        err = cn_http_text(asked->http, 201, "application/sdp", answer, strlen(answer));
    } else {
        copy_problem(asked, err, problem);
    }
    finish(asked, err);
}

static void join(cn_errand *errand)
{
    ask *asked = (ask *)errand;
    const char *only = cn_http_query(asked->http, "participant"), *source = cn_http_query(asked->http, "source");
    const cn_guest guest = {.room = &asked->info,
                            .publish = asked->publish,
                            .offer = cn_http_body(asked->http, NULL),
                            .only = only && *only ? only : NULL,
                            .source = source && strcmp(source, "camera") == 0 ? CN_SOURCE_CAMERA : CN_SOURCE_DEVICE,
                            .token_hash = asked->token_hash};
    cn_live_guest_join(cn_app_live(cn_http_app(asked->http)), &guest, joined, asked);
}

static cn_err offer(cn_http *http)
{
    char token_hash[65];
    cn_room_info info;
    size_t n;
    CN_TRY(enter(http, token_hash, &info));
    if (!info.open) return cn_problem_set(cn_http_problem(http), CN_ERR_STATE, "room", "this room is closed");
    if (!has_type(http, "application/sdp"))
        return cn_problem_set(cn_http_problem(http), CN_ERR_UNSUPPORTED, "Content-Type", "must be application/sdp");
    const char *body = cn_http_body(http, &n);
    if (n == 0 || strlen(body) != n)
        return cn_problem_set(cn_http_problem(http), CN_ERR_PARSE, "", "the body must be an SDP offer");
    char object[80];
    cn_fmt(object, sizeof object, "room:%.63s", cn_http_param(http, "room"));
    cn_audit_note(cn_app_consult(cn_http_app(http)), cn_http_actor(http),
                  is_publish(http) ? "room.publish" : "room.view", object, "ok", "{}");
    return to_door(http, token_hash, &info, join);
}

/* ---- PATCH: ICE restart, or a trickled candidate ---- */

static void restarted(void *arg, cn_err err, const cn_problem *problem, const char *participant, const char *answer)
{
    ask *asked = arg;
    char tag[24];
    (void)participant;
    if (err == CN_OK) {
        cn_token_new(tag, 96);
        cn_http_setf(asked->http, "ETag", "\"%s\"", tag);
        err = cn_http_text(asked->http, 200, "application/trickle-ice-sdpfrag", answer, strlen(answer));
    } else {
        copy_problem(asked, err, problem);
    }
    finish(asked, err);
}

static bool has_ufrag(const char *fragment)
{
    return strstr(fragment, "a=ice-ufrag:") && strstr(fragment, "a=ice-pwd:");
}

static void patch(cn_errand *errand)
{
    ask *asked = (ask *)errand;
    cn_live *live = cn_app_live(cn_http_app(asked->http));
    const char *match = cn_http_header(asked->http, "if-match"), *fragment = cn_http_body(asked->http, NULL);
    cn_err err = cn_live_guest_check(live, asked->room, asked->session, asked->token_hash);
    if (err != CN_OK) {
        finish(asked, err);
    } else if (match && strcmp(match, "*") == 0 && has_ufrag(fragment)) {
        cn_live_guest_restart(live, asked->session, fragment, restarted, asked);
    } else {
        cn_http_empty(asked->http, 204);
        finish(asked, CN_OK);
    }
}

static cn_err change(cn_http *http)
{
    char token_hash[65];
    cn_room_info info;
    CN_TRY(enter(http, token_hash, &info));
    if (!has_type(http, "application/trickle-ice-sdpfrag"))
        return cn_problem_set(cn_http_problem(http), CN_ERR_UNSUPPORTED, "Content-Type",
                              "must be application/trickle-ice-sdpfrag");
    return to_door(http, token_hash, &info, patch);
}

/* ---- DELETE, OPTIONS ---- */

static void leave(cn_errand *errand)
{
    ask *asked = (ask *)errand;
    cn_live *live = cn_app_live(cn_http_app(asked->http));
    cn_err err = cn_live_guest_check(live, asked->room, asked->session, asked->token_hash);
    if (err == CN_OK) {
        cn_live_guest_leave(live, asked->session);
        err = cn_http_empty(asked->http, 200);
    }
    finish(asked, err);
}

static cn_err end(cn_http *http)
{
    char token_hash[65];
    cn_room_info info;
    CN_TRY(enter(http, token_hash, &info));
    return to_door(http, token_hash, &info, leave);
}

static cn_err options(cn_http *http)
{
    const char *session = cn_http_param(http, "session");
    bool whole = !session || !*session;
    if (whole)
        cn_http_set(http, "Accept-Post", "application/sdp");
    else
        cn_http_set(http, "Accept-Patch", "application/trickle-ice-sdpfrag");
    cn_http_set(http, "Allow", whole ? "POST, OPTIONS" : "PATCH, DELETE, OPTIONS");
    return cn_http_empty(http, 204);
}

/* ---- GET /api/v1/rooms/{id} ---- */

typedef struct room_look {
    cn_errand errand;
    cn_http *http;
    cn_room_info info;
} room_look;

static void look_in(cn_errand *errand)
{
    room_look *view = (room_look *)errand;
    cn_http *http = view->http;
    cn_live *live = cn_app_live(cn_http_app(http));
    cn_err err = cn_http_json(
        http, 200,
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:o}", "id", view->info.id, "request", view->info.request, "title",
                  view->info.title, "state", view->info.open ? "open" : "closed", "codec",
                  cn_live_codec(live, &view->info), "participants", cn_live_participants(live, view->info.id),
                  "ice_servers",
                  cn_turn_servers(cn_app_turn(cn_http_app(http)), cn_http_actor(http)->user, cn_wall_ms() / 1000)));
    free(view);
    cn_http_finish(http, err);
}

static cn_err room(cn_http *http)
{
    cn_room_info info;
    CN_TRY(cn_room_get(cn_app_consult(cn_http_app(http)), cn_http_actor(http), cn_http_param(http, "id"), &info));
    room_look *view = CN_NEW(room_look);
    if (!view) return CN_ERR_NOMEM;
    *view = (room_look){.http = http, .info = info};
    return cn_errand_defer(&view->errand, http, look_in);
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
