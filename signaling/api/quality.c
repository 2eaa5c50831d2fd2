/* The administrator's view of rooms: which run, and how well everybody is connected. */
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "consult/room/room.h"
#include "signaling/api/api.h"
#include "signaling/app.h"
#include "signaling/door/errand.h"

#define HOUR 60

typedef struct look {
    cn_errand errand;
    cn_http *http;
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
    look *view = CN_NEW(look);
    if (!view) return CN_ERR_NOMEM;
    view->http = http;
    view->names = cn_actor_may(actor, CN_RIGHT_ROOM_MODERATE);
    *out = view;
    return CN_OK;
}

static void list_rooms(cn_errand *errand)
{
    look *view = (look *)errand;
    cn_http *http = view->http;
    cn_err err =
        cn_http_json(http, 200, cn_live_quality_rooms(cn_app_live(cn_http_app(http)), view->names, view->recent));
    free(view);
    cn_http_finish(http, err);
}

static cn_err rooms(cn_http *http)
{
    const char *state = cn_http_query(http, "state");
    look *view = NULL;
    if (state && strcmp(state, "open") != 0 && strcmp(state, "recent") != 0)
        return cn_problem_field(cn_http_problem(http), CN_WRONG_FORMAT, "state", "must be open or recent");
    CN_TRY(allow(http, NULL, &view));
    view->recent = state && strcmp(state, "recent") == 0;
    return cn_errand_defer(&view->errand, http, list_rooms);
}

static void show_room(cn_errand *errand)
{
    look *view = (look *)errand;
    cn_http *http = view->http;
    json_t *object = cn_live_quality_room(cn_app_live(cn_http_app(http)), view->room,
                                          *view->participant ? view->participant : NULL, view->minutes, view->names);
    cn_err err = object ? cn_http_json(http, 200, object) : CN_ERR_NOTFOUND;
    free(view);
    cn_http_finish(http, err);
}

static cn_err quality(cn_http *http)
{
    const char *room = cn_http_param(http, "id"), *participant = cn_http_query(http, "participant");
    int64_t minutes = HOUR;
    look *view = NULL;
    CN_TRY(cn_http_query_i64(http, "minutes", 1, HOUR, HOUR, &minutes));
    CN_TRY(allow(http, room, &view));
    bool fits = cn_strcpy(view->room, sizeof view->room, room) &&
                cn_strcpy(view->participant, sizeof view->participant, participant ? participant : "");
    if (!fits) {
        free(view);
        return CN_ERR_NOTFOUND;
    }
    view->minutes = (unsigned)minutes;
    return cn_errand_defer(&view->errand, http, show_room);
}

const cn_route cn_quality_routes[] = {
    {CN_GET, "/api/v1/rooms", CN_WHO_ANY, rooms, .body = CN_BODY_NONE},
    {CN_GET, "/api/v1/rooms/{id}/quality", CN_WHO_ANY, quality, .body = CN_BODY_NONE},
    {.path = NULL},
};
