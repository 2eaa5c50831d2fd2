#include "signaling/live/elsewhere.h"

#include <string.h>

#include "signaling/live/client.h"
#include "signaling/live/gate.h"
#include "signaling/live/hall.h"

/* By himself: an encoder that sends with a token of his stays. */
static bool is_his(const cn_member *member, const char *user)
{
    return !member->leaving && !*member->token_hash && *user && strcmp(member->user, user) == 0;
}

bool cn_elsewhere_there(const cn_hall *hall, const char *user, const char *former)
{
    size_t n = strlen(former);
    for (const cn_member *member = hall->members; member; member = member->next) {
        bool own = n && strlen(member->resume) == n && cn_equal_ct(member->resume, former, n);
        if (is_his(member, user) && member->client && !member->lost && !own) return true;
    }
    return false;
}

void cn_elsewhere_give_up(cn_hall *hall, const char *user)
{
    for (cn_member *member = hall->members; member; member = member->next) {
        if (!is_his(member, user)) continue;
        cn_client_notice(member->client, "room.replaced", json_object());
        cn_gate_left(member, false);
        member->leaving = true;
        cn_member_detach(member);
        /* "closed": who has been silent for long was there until his last packet (live/events.c) */
        cn_media_leave(hall->live->media, member->id, CN_LEAVE_CLOSED);
    }
}
