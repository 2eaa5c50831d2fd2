#include "signaling/live/viewnews.h"

#include "base/clock.h"
#include "signaling/door/door.h"
#include "signaling/live/hall.h"

#define LEAST_MS 15          /* as often as a page draws */
#define MESSAGES_PER_S 3450u /* of one room: 15 a second to 230 */
#define TOGETHER_MS 3        /* region and pointer of one moment come as two calls */

unsigned cn_view_pause_ms(size_t receivers)
{
    size_t ms = receivers * 1000 / MESSAGES_PER_S;
    return ms > LEAST_MS ? (unsigned)ms : LEAST_MS;
}

static size_t receivers(const cn_hall *hall)
{
    size_t n = 0;
    for (const cn_member *member = hall->members; member; member = member->next)
        n += member->client && member->answered;
    return n;
}

static void tell_soon(cn_hall *hall)
{
    if (hall->tell_ms) return;
    uint64_t now = cn_mono_ms(), next = hall->told_ms + cn_view_pause_ms(receivers(hall));
    hall->tell_ms = next > now + TOGETHER_MS ? next : now + TOGETHER_MS;
    cn_door_wake(hall->live->door, cn_view_wake, (unsigned)(hall->tell_ms - now));
}

void cn_hall_view_moved(cn_hall *hall)
{
    hall->moved = true;
    tell_soon(hall);
}

/* The entry of the same stroke in what waits already, whose end these points go on from. */
static json_t *waiting_of(const cn_hall *hall, const json_t *stroke)
{
    size_t i;
    json_t *one;
    json_array_foreach(hall->drawn, i, one)
    {
        if (json_equal(json_object_get(one, "participant"), json_object_get(stroke, "participant")) &&
            json_equal(json_object_get(one, "stroke"), json_object_get(stroke, "stroke")))
            return one;
    }
    return NULL;
}

void cn_hall_view_drawn(cn_hall *hall, json_t *stroke)
{
    json_t *before = waiting_of(hall, stroke);
    if (before) {
        json_array_extend(json_object_get(before, "points"), json_object_get(stroke, "points"));
        json_decref(stroke);
    } else {
        if (!hall->drawn) hall->drawn = json_array();
        json_array_append_new(hall->drawn, stroke);
    }
    tell_soon(hall);
}

/* The whole of where everybody looks and points, so that the newest may take the place of one that waits still; but only
 * of the same presenter's look at the same file. */
static void tell_moved(cn_hall *hall)
{
    char key[CN_NOTICE_KEY];
    cn_fmt(key, sizeof key, "view/%u", hall->view_turn);
    cn_hall_notice(hall, NULL, "view.now",
                   json_pack("{s:O?, s:o}", "state", hall->state, "pointers", cn_board_pointers_json(&hall->board)),
                   key);
}

void cn_hall_view_told(cn_hall *hall)
{
    json_decref(hall->drawn);
    hall->drawn = NULL;
    hall->moved = false;
    hall->tell_ms = 0;
}

void cn_hall_view_tell(cn_hall *hall)
{
    if (hall->moved) tell_moved(hall);
    if (hall->drawn) cn_hall_notice(hall, NULL, "view.drawn", json_pack("{s:O}", "strokes", hall->drawn), NULL);
    if (hall->moved || hall->drawn) hall->told_ms = cn_mono_ms();
    cn_hall_view_told(hall);
}

void cn_view_wake(void *live)
{
    cn_live *parent = live;
    uint64_t now = cn_mono_ms(), next = 0;
    for (cn_hall *hall = parent->halls; hall; hall = hall->next) {
        if (hall->tell_ms && hall->tell_ms <= now) cn_hall_view_tell(hall);
        if (hall->tell_ms && (!next || hall->tell_ms < next)) next = hall->tell_ms;
    }
    if (next) cn_door_wake(parent->door, cn_view_wake, (unsigned)(next - now));
}
