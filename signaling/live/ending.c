#include "signaling/live/ending.h"

#include <string.h>

#include "base/clock.h"
#include "signaling/live/client.h"
#include "signaling/live/gate.h"
#include "signaling/live/hall.h"

static json_t *ending_json(const cn_hall *hall)
{
    uint64_t now = cn_mono_ms(), left = hall->ends_ms > now ? hall->ends_ms - now : 0;
    return json_pack("{s:I, s:s}", "seconds", (json_int_t)((left + 999) / 1000), "reason", hall->ending);
}

static bool request_ended(const cn_live *live, const char *request)
{
    for (size_t i = 0; *request && i < CN_ENDED; i++)
        if (strcmp(live->ended[i], request) == 0) return true;
    return false;
}

void cn_ending_request(cn_live *live, const char *request, const char *reason)
{
    if (!*request || request_ended(live, request)) return;
    cn_strcpy(live->ended[live->ended_next++ % CN_ENDED], CN_ID_TEXT, request);
    for (cn_hall *hall = live->halls; hall; hall = hall->next) {
        if (strcmp(hall->request, request) != 0 || hall->ending) continue;
        hall->ending = reason;
        hall->ends_ms = cn_mono_ms() + live->config.farewell_ms;
        cn_hall_notice(hall, NULL, "room.ending", ending_json(hall), NULL);
    }
}

bool cn_ending_farewell(cn_live *live, const char *room)
{
    const cn_hall *hall = cn_hall_find(live, room);
    return hall && hall->ending && !hall->ended;
}

bool cn_ending_may_enter(cn_live *live, const cn_room_info *room)
{
    if (cn_ending_farewell(live, room->id)) return true;
    return room->open && !request_ended(live, room->request);
}

void cn_ending_tell(const cn_member *member)
{
    const cn_hall *hall = member->hall;
    if (hall->ended)
        cn_client_notice(member->client, "room.closed", json_pack("{s:s}", "reason", "ended"));
    else if (hall->ending)
        cn_client_notice(member->client, "room.ending", ending_json(hall));
}

/* Who waits before a room that everybody has left already. */
static void refuse_before_empty(cn_live *live)
{
    for (cn_knock *knock = live->knocks, *next; knock; knock = next) {
        next = knock->next;
        if (!cn_hall_find(live, knock->room) && request_ended(live, knock->request)) cn_gate_refuse(knock);
    }
}

void cn_ending_tick(cn_live *live)
{
    uint64_t now = cn_mono_ms();
    for (cn_hall *hall = live->halls; hall; hall = hall->next) {
        if (!hall->ending || now < hall->ends_ms) continue;
        if (!hall->ended) {
            hall->ended = true;
            cn_hall_notice(hall, NULL, "room.closed", json_pack("{s:s}", "reason", "ended"), NULL);
            cn_gate_refuse_all(hall);
        }
        /* again every second until the last one has left: a command is lost when memory is out */
        cn_media_room_close(live->media, hall->id);
    }
    refuse_before_empty(live);
}
