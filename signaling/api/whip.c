/*
 * WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep-03): an SDP offer over HTTP with a bearer token, the answer with the
 * address of the session. The check runs on a job thread, the rest on the door. Trickled candidates are accepted and
 * not needed: the server is ICE-lite.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "consult/room/room.h"
#include "consult/room/token.h"
#include "consult/sums.h"
#include "signaling/api/api.h"
#include "signaling/api/fragment.h"
#include "signaling/app.h"
#include "signaling/door/errand.h"
#include "signaling/http/range.h"
#include "signaling/live/live.h"

#define OFFER_MAX (128 * 1024)

/* What a bearer token gives: its room, its hash, by which the session is found again, how many may use it at once. */
typedef struct bearer {
    cn_room_info info;
    char token_hash[65];
    int64_t sessions;
} bearer;

/* One call on its way through the door. */
typedef struct ask {
    cn_errand errand;
    cn_http *http;
    bool publish;
    bearer pass;
    char room[64], session[CN_ID_TEXT];
    uint64_t credentials; /* that a PATCH asks for */
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

/* Checks the bearer token for the room. */
static cn_err enter(cn_http *http, bearer *out)
{
    cn_app *app = cn_http_app(http);
    const char *authorization = cn_http_header(http, "authorization"), *room = cn_http_param(http, "room");
    uint8_t sum[CN_SHA256_LEN];
    if (!authorization || strncasecmp(authorization, "Bearer ", 7) != 0)
        return unauthorized(http, "a bearer token is needed");
    const char *token = authorization + 7;
    cn_err err = cn_room_token_check(cn_app_consult(app), token, room, is_publish(http), &out->sessions);
    if (err != CN_OK) {
        char object[80];
        cn_fmt(object, sizeof object, "room:%.63s", room);
        cn_audit_sum(cn_app_consult(app), cn_http_actor(http), is_publish(http) ? "room.publish" : "room.view", object,
                     "denied", "{}");
    }
    if (err == CN_ERR_UNAUTH) return unauthorized(http, "this token is not valid for this room");
    if (err != CN_OK) return err;
    const cn_actor system = cn_actor_system();
    CN_TRY(cn_room_get(cn_app_consult(app), &system, room, &out->info));
    cn_sha256(token, strlen(token), sum);
    cn_hex(sum, sizeof sum, out->token_hash);
    return CN_OK;
}

static bool has_type(const cn_http *http, const char *want)
{
    const char *type = cn_http_header(http, "content-type");
    size_t n = strlen(want);
    return type && strncasecmp(type, want, n) == 0 && (type[n] == '\0' || type[n] == ';' || type[n] == ' ');
}

static cn_err to_door(cn_http *http, const bearer *pass, cn_errand_fn back)
{
    ask *asked = CN_NEW(ask);
    if (!asked) return CN_ERR_NOMEM;
    asked->http = http;
    asked->publish = is_publish(http);
    asked->pass = *pass;
    cn_strcpy(asked->room, sizeof asked->room, cn_http_param(http, "room"));
    cn_strcpy(asked->session, sizeof asked->session, cn_http_param(http, "session"));
    asked->credentials = cn_fragment_credentials(cn_http_body(http, NULL));
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

static void set_etag(ask *asked, const char *participant, const char *tag, uint64_t credentials)
{
    cn_guest_ice *ice = cn_live_guest_ice(cn_app_live(cn_http_app(asked->http)), participant);
    if (ice) {
        cn_strcpy(ice->etag, sizeof ice->etag, tag);
        ice->credentials = credentials;
    }
    cn_http_setf(asked->http, "ETag", "\"%s\"", tag);
}

/* RFC 9725 §4.6: an encoder has no other way to learn of the relay. */
static void link_relays(cn_http *http, const char *participant)
{
    size_t i, k;
    json_t *server, *url, *servers = cn_turn_servers(cn_app_turn(cn_http_app(http)), participant, cn_wall_ms() / 1000);
    json_array_foreach(servers, i, server) json_array_foreach(json_object_get(server, "urls"), k, url) cn_http_setf(
        http, "Link", "<%s>; rel=\"ice-server\"; username=\"%s\"; credential=\"%s\"; credential-type=\"password\"",
        json_string_value(url), json_string_value(json_object_get(server, "username")),
        json_string_value(json_object_get(server, "credential")));
    json_decref(servers);
}

/* ---- POST: a new session ---- */

static void joined(void *arg, cn_err err, const cn_problem *problem, const char *participant, const char *answer)
{
    ask *asked = arg;
    if (err == CN_OK) {
        cn_http_setf(asked->http, "Location", "/%s/%s/%s", asked->publish ? "whip" : "whep", asked->room, participant);
        set_etag(asked, participant, participant, cn_fragment_credentials(cn_http_body(asked->http, NULL)));
        cn_http_set(asked->http, "Accept-Patch", "application/trickle-ice-sdpfrag");
        link_relays(asked->http, participant);
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
    const cn_guest guest = {.room = &asked->pass.info,
                            .publish = asked->publish,
                            .offer = cn_http_body(asked->http, NULL),
                            .only = only && *only ? only : NULL,
                            .source = source && strcmp(source, "camera") == 0 ? CN_SOURCE_CAMERA : CN_SOURCE_DEVICE,
                            .token_hash = asked->pass.token_hash,
                            .sessions = asked->pass.sessions};
    cn_live_guest_join(cn_app_live(cn_http_app(asked->http)), &guest, joined, asked);
}

static cn_err offer(cn_http *http)
{
    bearer pass;
    size_t n;
    CN_TRY(enter(http, &pass));
    if (!pass.info.open) return cn_problem_set(cn_http_problem(http), CN_ERR_STATE, "room", "this room is closed");
    if (!has_type(http, "application/sdp"))
        return cn_problem_set(cn_http_problem(http), CN_ERR_UNSUPPORTED, "Content-Type", "must be application/sdp");
    const char *body = cn_http_body(http, &n);
    if (n == 0 || strlen(body) != n)
        return cn_problem_set(cn_http_problem(http), CN_ERR_PARSE, "", "the body must be an SDP offer");
    char object[80];
    cn_fmt(object, sizeof object, "room:%.63s", cn_http_param(http, "room"));
    cn_audit_note(cn_app_consult(cn_http_app(http)), cn_http_actor(http),
                  is_publish(http) ? "room.publish" : "room.view", object, "ok", "{}");
    return to_door(http, &pass, join);
}

/* ---- PATCH: ICE restart, or a trickled candidate ---- */

static void restarted(void *arg, cn_err err, const cn_problem *problem, const char *participant, const char *answer)
{
    ask *asked = arg;
    char tag[24];
    if (err == CN_OK) {
        cn_token_new(tag, 96);
        set_etag(asked, participant, tag, asked->credentials);
        err = cn_http_text(asked->http, 200, "application/trickle-ice-sdpfrag", answer, strlen(answer));
    } else {
        copy_problem(asked, err, problem);
    }
    finish(asked, err);
}

/* If-Match, if it is there, names this session's tag, or any. */
static bool tag_fits(const cn_http *http, const cn_guest_ice *ice)
{
    const char *match = cn_http_header(http, "if-match");
    return !match || strcmp(match, "\"*\"") == 0 || cn_etag_listed(match, ice->etag);
}

/* RFC 9725 §4.3: with a tag that fits, any or none, other credentials are a restart; the session's own come with candidates,
 * which a server that is ICE-lite does not need. */
static cn_err judge_patch(ask *asked, const cn_guest_ice *ice)
{
    cn_http *http = asked->http;
    if (tag_fits(http, ice)) return CN_OK;
    cn_http_setf(http, "ETag", "\"%s\"", ice->etag);
    cn_http_empty(http, 412);
    return cn_problem_set(cn_http_problem(http), CN_ERR_CONFLICT, "If-Match", "the session has another ETag by now");
}

static void patch(cn_errand *errand)
{
    ask *asked = (ask *)errand;
    cn_live *live = cn_app_live(cn_http_app(asked->http));
    cn_err err = cn_live_guest_check(live, asked->room, asked->session, asked->pass.token_hash);
    const cn_guest_ice *ice = err == CN_OK ? cn_live_guest_ice(live, asked->session) : NULL;
    if (err == CN_OK) err = ice ? judge_patch(asked, ice) : CN_ERR_NOTFOUND;
    if (err != CN_OK) {
        finish(asked, err);
    } else if (asked->credentials && asked->credentials != ice->credentials) {
        cn_live_guest_restart(live, asked->session, cn_http_body(asked->http, NULL), restarted, asked);
    } else {
        cn_http_empty(asked->http, 204);
        finish(asked, CN_OK);
    }
}

static cn_err change(cn_http *http)
{
    bearer pass;
    size_t n;
    CN_TRY(enter(http, &pass));
    if (!has_type(http, "application/trickle-ice-sdpfrag"))
        return cn_problem_set(cn_http_problem(http), CN_ERR_UNSUPPORTED, "Content-Type",
                              "must be application/trickle-ice-sdpfrag");
    const char *body = cn_http_body(http, &n);
    if (strlen(body) != n || !cn_fragment_valid(body))
        return cn_problem_set(cn_http_problem(http), CN_ERR_PARSE, "",
                              "the body must hold candidates or ICE credentials as in RFC 8840");
    return to_door(http, &pass, patch);
}

/* ---- DELETE, OPTIONS ---- */

static void leave(cn_errand *errand)
{
    ask *asked = (ask *)errand;
    cn_live *live = cn_app_live(cn_http_app(asked->http));
    cn_err err = cn_live_guest_check(live, asked->room, asked->session, asked->pass.token_hash);
    if (err == CN_OK) {
        cn_live_guest_leave(live, asked->session);
        err = cn_http_empty(asked->http, 200);
    }
    finish(asked, err);
}

static cn_err end(cn_http *http)
{
    bearer pass;
    CN_TRY(enter(http, &pass));
    return to_door(http, &pass, leave);
}

static bool is_session(const cn_http *http)
{
    return *cn_http_param(http, "session") != '\0';
}

static void say_what_is_taken(cn_http *http)
{
    bool session = is_session(http);
    if (session)
        cn_http_set(http, "Accept-Patch", "application/trickle-ice-sdpfrag");
    else
        cn_http_set(http, "Accept-Post", "application/sdp");
    cn_http_set(http, "Allow", session ? "GET, HEAD, PATCH, DELETE, OPTIONS" : "GET, HEAD, POST, OPTIONS");
}

static cn_err options(cn_http *http)
{
    say_what_is_taken(http);
    cn_http_set(http, "Access-Control-Allow-Methods", is_session(http) ? "PATCH, DELETE, GET" : "POST, GET");
    cn_http_set(http, "Access-Control-Allow-Headers", "Authorization, Content-Type, If-Match");
    cn_http_set(http, "Access-Control-Max-Age", "7200");
    return cn_http_empty(http, 204);
}

/* ---- GET: there is nothing to read, but who asks is told that it is there ---- */

static cn_err look_at_endpoint(cn_http *http)
{
    say_what_is_taken(http);
    return cn_http_empty(http, 204);
}

static void look(cn_errand *errand)
{
    ask *asked = (ask *)errand;
    cn_live *live = cn_app_live(cn_http_app(asked->http));
    cn_err err = cn_live_guest_check(live, asked->room, asked->session, asked->pass.token_hash);
    if (err == CN_OK) {
        const cn_guest_ice *ice = cn_live_guest_ice(live, asked->session);
        if (ice) cn_http_setf(asked->http, "ETag", "\"%s\"", ice->etag);
        say_what_is_taken(asked->http);
        err = cn_http_empty(asked->http, 204);
    }
    finish(asked, err);
}

static cn_err look_at_session(cn_http *http)
{
    bearer pass;
    CN_TRY(enter(http, &pass));
    return to_door(http, &pass, look);
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

/* ---- tokens ---- */

static cn_err tokens(cn_http *http)
{
    json_t *out = NULL;
    CN_TRY(cn_room_token_list(cn_app_consult(cn_http_app(http)), cn_http_actor(http), cn_http_param(http, "id"), &out));
    return cn_http_json(http, 200, out);
}

/* The token stands in this answer and nowhere afterwards. */
static cn_err make_token(cn_http *http)
{
    cn_consult *consult = cn_app_consult(cn_http_app(http));
    const json_t *body = cn_http_body_json(http);
    cn_problem *problem = cn_http_problem(http);
    cn_room_info info;
    char token[CN_ROOM_TOKEN], path[100];
    bool publish = false;
    int64_t days = 30;
    CN_TRY(cn_json_bool(body, "publish", true, &publish, problem));
    CN_TRY(cn_json_i64(body, "days", false, 1, 366, &days, problem));
    int64_t sessions = publish ? 4 : 20;
    CN_TRY(cn_json_i64(body, "sessions", false, 1, CN_ROOM_TOKEN_SESSIONS, &sessions, problem));
    CN_TRY(cn_room_get(consult, cn_http_actor(http), cn_http_param(http, "id"), &info));
    const cn_room_token_what what = {.publish = publish, .lives_ms = days * 86400000, .sessions = sessions};
    CN_TRY(cn_room_token_new(consult, cn_http_actor(http), info.id, &what, token));
    cn_fmt(path, sizeof path, "/%s/%s", publish ? "whip" : "whep", info.id);
    cn_http_set(http, "Cache-Control", "no-store");
    return cn_http_json(http, 201, json_pack("{s:s, s:s}", "token", token, "path", path));
}

/* One by its id, or all of the room. */
static cn_err revoke(cn_http *http)
{
    const char *id = cn_http_param(http, "token");
    CN_TRY(cn_room_token_revoke(cn_app_consult(cn_http_app(http)), cn_http_actor(http), cn_http_param(http, "id"),
                                *id ? id : NULL));
    return cn_http_empty(http, 204);
}

const cn_route cn_room_routes[] = {
    {CN_GET, "/api/v1/rooms/{id}", CN_WHO_ANY, room, .body = CN_BODY_NONE},
    {CN_GET, "/api/v1/rooms/{id}/tokens", CN_RIGHT_ROOM_MODERATE, tokens, .body = CN_BODY_NONE},
    {CN_POST, "/api/v1/rooms/{id}/tokens", CN_RIGHT_ROOM_MODERATE, make_token, .body = CN_BODY_JSON},
    {CN_DELETE, "/api/v1/rooms/{id}/tokens", CN_RIGHT_ROOM_MODERATE, revoke, .body = CN_BODY_NONE},
    {CN_DELETE, "/api/v1/rooms/{id}/tokens/{token}", CN_RIGHT_ROOM_MODERATE, revoke, .body = CN_BODY_NONE},
    {CN_GET, "/whip/{room}", CN_WHO_PUBLIC, look_at_endpoint, .body = CN_BODY_NONE, .flags = CN_ROUTE_CORS},
    {CN_POST, "/whip/{room}", CN_WHO_PUBLIC, offer, CN_BODY_RAW, .flags = CN_ROUTE_CORS, .body_max = OFFER_MAX},
    {CN_OPTIONS, "/whip/{room}", CN_WHO_PUBLIC, options, .body = CN_BODY_NONE, .flags = CN_ROUTE_CORS},
    {CN_GET, "/whip/{room}/{session}", CN_WHO_PUBLIC, look_at_session, CN_BODY_NONE, .flags = CN_ROUTE_CORS},
    {CN_PATCH, "/whip/{room}/{session}", CN_WHO_PUBLIC, change, CN_BODY_RAW, .flags = CN_ROUTE_CORS,
     .body_max = OFFER_MAX},
    {CN_DELETE, "/whip/{room}/{session}", CN_WHO_PUBLIC, end, .body = CN_BODY_NONE, .flags = CN_ROUTE_CORS},
    {CN_OPTIONS, "/whip/{room}/{session}", CN_WHO_PUBLIC, options, .body = CN_BODY_NONE, .flags = CN_ROUTE_CORS},
    {CN_GET, "/whep/{room}", CN_WHO_PUBLIC, look_at_endpoint, .body = CN_BODY_NONE, .flags = CN_ROUTE_CORS},
    {CN_POST, "/whep/{room}", CN_WHO_PUBLIC, offer, CN_BODY_RAW, .flags = CN_ROUTE_CORS, .body_max = OFFER_MAX},
    {CN_OPTIONS, "/whep/{room}", CN_WHO_PUBLIC, options, .body = CN_BODY_NONE, .flags = CN_ROUTE_CORS},
    {CN_GET, "/whep/{room}/{session}", CN_WHO_PUBLIC, look_at_session, CN_BODY_NONE, .flags = CN_ROUTE_CORS},
    {CN_PATCH, "/whep/{room}/{session}", CN_WHO_PUBLIC, change, CN_BODY_RAW, .flags = CN_ROUTE_CORS,
     .body_max = OFFER_MAX},
    {CN_DELETE, "/whep/{room}/{session}", CN_WHO_PUBLIC, end, .body = CN_BODY_NONE, .flags = CN_ROUTE_CORS},
    {CN_OPTIONS, "/whep/{room}/{session}", CN_WHO_PUBLIC, options, .body = CN_BODY_NONE, .flags = CN_ROUTE_CORS},
    {.path = NULL},
};
