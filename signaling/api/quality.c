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
static cn_err allow(cn_http *http, const char *room, look **out)
{
    cn_app *app = cn_http_app(http);
    const cn_actor *actor = cn_http_actor(http);
    char object[80] = "rooms";
    if (room) (void)cn_fmt(object, sizeof object, "room:%.63s", room);
    bool due = cn_looks_due(&app->looks, actor->user, object, cn_mono_ms());
    CN_TRY(cn_room_watch(cn_app_consult(app), actor, object, due, cn_http_problem(http)));
    look *style = CN_NEW(look);
    if (!style) return CN_ERR_NOMEM;
    style->http = http;
    style->names = cn_actor_may(actor, CN_RIGHT_ROOM_MODERATE);
    *out = style;
    return CN_OK;
}

static cn_err to_door(look *style, void (*fn)(void *arg))
{
    cn_http *http = style->http;
    style->call = (cn_door_call){.fn = fn, .arg = style};
    cn_http_defer(http);
    cn_door_post(cn_app_door(cn_http_app(http)), &style->call);
    return CN_OK;
}

static void list_rooms(void *arg)
{
    look *style = arg;
    cn_http *http = style->http;
    cn_err err =
        cn_http_json(http, 200, cn_live_quality_rooms(cn_app_live(cn_http_app(http)), style->names, style->recent));
    free(style);
    cn_http_finish(http, err);
}

static cn_err rooms(cn_http *http)
{
    const char *state = cn_http_query(http, "state");
    look *style = NULL;
    if (state && strcmp(state, "open") != 0 && strcmp(state, "recent") != 0)
        return cn_problem_set(cn_http_problem(http), CN_ERR_INVALID, "state", "must be open or recent");
    CN_TRY(allow(http, NULL, &style));
    style->recent = state && strcmp(state, "recent") == 0;
    return to_door(style, list_rooms);
}

static void show_room(void *arg)
{
    look *style = arg;
    cn_http *http = style->http;
    json_t *object =
        cn_live_quality_room(cn_app_live(cn_http_app(http)), style->room,
                             *style->participant ? style->participant : NULL, style->minutes, style->names);
    cn_err err = object ? cn_http_json(http, 200, object) : CN_ERR_NOTFOUND;
    free(style);
    cn_http_finish(http, err);
}

static cn_err quality(cn_http *http)
{
    const char *room = cn_http_param(http, "id"), *participant = cn_http_query(http, "participant");
    int64_t minutes = HOUR;
    look *style = NULL;
    CN_TRY(cn_http_query_i64(http, "minutes", 1, HOUR, HOUR, &minutes));
    CN_TRY(allow(http, room, &style));
    bool fits = cn_strcpy(style->room, sizeof style->room, room) &&
                cn_strcpy(style->participant, sizeof style->participant, participant ? participant : "");
    if (!fits) {
        free(style);
        return CN_ERR_NOTFOUND;
    }
    style->minutes = (unsigned)minutes;
    return to_door(style, show_room);
}

const cn_route cn_quality_routes[] = {
    {CN_GET, "/api/v1/rooms", CN_WHO_ANY, rooms, .body = CN_BODY_NONE},
    {CN_GET, "/api/v1/rooms/{id}/quality", CN_WHO_ANY, quality, .body = CN_BODY_NONE},
    {.path = NULL},
};
