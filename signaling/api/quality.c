/* The administrator's view of rooms: which run, and how well everybody is connected. */
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "consult/room/room.h"
#include "signaling/api/api.h"
#include "signaling/app.h"

#define HOUR 60

typedef struct look {
    cn_http *http;
    cn_door_call call;
    bool names, recent;
    char room[64], participant[CN_ID_TEXT]; /* "": none */
    unsigned minutes;
} look;

/* Who may, and that he did. Names are for those who may enter every room. */
static cn_err allow(cn_http *h, const char *room, look **out)
{
    cn_app *app = cn_http_app(h);
    const cn_actor *a = cn_http_actor(h);
    char object[80] = "rooms";
    if (room) (void)cn_fmt(object, sizeof object, "room:%.63s", room);
    bool due = cn_looks_due(&app->looks, a->user, object, cn_mono_ms());
    CN_TRY(cn_room_watch(cn_app_consult(app), a, object, due, cn_http_problem(h)));
    look *k = CN_NEW(look);
    if (!k) return CN_ERR_NOMEM;
    k->http = h;
    k->names = cn_actor_may(a, CN_RIGHT_ROOM_MODERATE);
    *out = k;
    return CN_OK;
}

static cn_err to_door(look *k, void (*fn)(void *arg))
{
    cn_http *h = k->http;
    k->call = (cn_door_call){.fn = fn, .arg = k};
    cn_http_defer(h);
    cn_door_post(cn_app_door(cn_http_app(h)), &k->call);
    return CN_OK;
}

static void list_rooms(void *arg)
{
    look *k = arg;
    cn_http *h = k->http;
    cn_err err = cn_http_json(h, 200, cn_live_quality_rooms(cn_app_live(cn_http_app(h)), k->names, k->recent));
    free(k);
    cn_http_finish(h, err);
}

static cn_err rooms(cn_http *h)
{
    const char *state = cn_http_query(h, "state");
    look *k = NULL;
    if (state && strcmp(state, "open") != 0 && strcmp(state, "recent") != 0)
        return cn_problem_set(cn_http_problem(h), CN_ERR_INVALID, "state", "must be open or recent");
    CN_TRY(allow(h, NULL, &k));
    k->recent = state && strcmp(state, "recent") == 0;
    return to_door(k, list_rooms);
}

static void show_room(void *arg)
{
    look *k = arg;
    cn_http *h = k->http;
    json_t *o = cn_live_quality_room(cn_app_live(cn_http_app(h)), k->room, *k->participant ? k->participant : NULL,
                                     k->minutes, k->names);
    cn_err err = o ? cn_http_json(h, 200, o) : CN_ERR_NOTFOUND;
    free(k);
    cn_http_finish(h, err);
}

static cn_err quality(cn_http *h)
{
    const char *room = cn_http_param(h, "id"), *participant = cn_http_query(h, "participant");
    int64_t minutes = HOUR;
    look *k = NULL;
    CN_TRY(cn_http_query_i64(h, "minutes", 1, HOUR, HOUR, &minutes));
    CN_TRY(allow(h, room, &k));
    bool fits = cn_strcpy(k->room, sizeof k->room, room) &&
                cn_strcpy(k->participant, sizeof k->participant, participant ? participant : "");
    if (!fits) {
        free(k);
        return CN_ERR_NOTFOUND;
    }
    k->minutes = (unsigned)minutes;
    return to_door(k, show_room);
}

const cn_route cn_quality_routes[] = {
    {CN_GET, "/api/v1/rooms", CN_WHO_ANY, rooms, .body = CN_BODY_NONE},
    {CN_GET, "/api/v1/rooms/{id}/quality", CN_WHO_ANY, quality, .body = CN_BODY_NONE},
    {.path = NULL},
};
