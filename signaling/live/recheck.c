#include "signaling/live/recheck.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "consult/people/accounts.h"
#include "consult/room/room.h"
#include "consult/room/token.h"
#include "signaling/door/errand.h"
#include "signaling/live/gate.h"
#include "signaling/live/hall.h"

typedef struct one {
    char member[CN_ID_TEXT], room[64], user[CN_ID_TEXT], token_hash[65];
    bool gone;
} one;

typedef struct recheck {
    cn_errand errand;
    cn_live *live;
    size_t n;
    one all[];
} recheck;

/* What the database cannot say throws nobody out. */
static bool is_no(cn_err err)
{
    return err == CN_ERR_UNAUTH || err == CN_ERR_FORBIDDEN || err == CN_ERR_NOTFOUND;
}

static bool may_stay(cn_consult *consult, const one *who)
{
    cn_actor actor;
    cn_room_info info;
    if (*who->token_hash) return !is_no(cn_room_token_alive(consult, who->token_hash, who->room));
    cn_err err = cn_actor_load(consult, who->user, &actor);
    if (err == CN_OK) err = cn_room_get(consult, &actor, who->room, &info);
    if (err != CN_OK) return !is_no(err);
    return (info.parts & ~(uint32_t)CN_PART_READER) != 0;
}

/* Job thread. */
static void ask(cn_errand *errand)
{
    recheck *asked = (recheck *)errand;
    for (size_t i = 0; i < asked->n; i++) asked->all[i].gone = !may_stay(asked->live->config.consult, &asked->all[i]);
}

static void answered(cn_errand *errand)
{
    recheck *asked = (recheck *)errand;
    cn_live *live = asked->live;
    live->rechecking = false;
    for (size_t i = 0; i < asked->n && !live->closing && live->media; i++) {
        cn_member *member = asked->all[i].gone ? cn_member_find(live, asked->all[i].member) : NULL;
        if (member && !member->leaving) cn_gate_put_out(member);
    }
    cn_free_secret(asked, sizeof *asked + asked->n * sizeof(one));
}

static size_t count(const cn_live *live)
{
    size_t n = 0;
    for (const cn_hall *hall = live->halls; hall; hall = hall->next)
        for (const cn_member *member = hall->members; member; member = member->next) n += !member->leaving;
    return n;
}

void cn_recheck_tick(void *arg)
{
    cn_live *live = arg;
    size_t n = count(live);
    if (!n || live->rechecking || live->closing) return;
    recheck *asked = cn_calloc(1, sizeof *asked + n * sizeof(one));
    if (!asked) return;
    asked->live = live;
    for (const cn_hall *hall = live->halls; hall; hall = hall->next)
        for (const cn_member *member = hall->members; member; member = member->next) {
            if (member->leaving) continue;
            one *who = &asked->all[asked->n++];
            cn_strcpy(who->member, sizeof who->member, member->id);
            cn_strcpy(who->room, sizeof who->room, hall->id);
            cn_strcpy(who->user, sizeof who->user, member->user);
            cn_strcpy(who->token_hash, sizeof who->token_hash, member->token_hash);
        }
    live->rechecking = cn_errand_go(&asked->errand, live->door, live->config.jobs, ask, answered) == CN_OK;
    if (!live->rechecking) cn_free_secret(asked, sizeof *asked + asked->n * sizeof(one));
}
