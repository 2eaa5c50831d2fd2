#include "signaling/live/begin.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "consult/request/begin.h"
#include "signaling/door/errand.h"
#include "signaling/live/hall.h"

typedef struct question {
    cn_errand errand;
    cn_live *live;
    char room[64], request[CN_ID_TEXT];
    cn_actor actor;
    cn_present here;
    bool scheduled;
    cn_err err;
} question;

/* Job thread. */
static void ask(cn_errand *errand)
{
    question *asked = (question *)errand;
    asked->err = cn_request_begin(asked->live->config.consult, &asked->actor, asked->request, &asked->here,
                                  cn_wall_ms(), &asked->scheduled);
}

static void answered(cn_errand *errand)
{
    question *asked = (question *)errand;
    cn_hall *hall = cn_hall_find(asked->live, asked->room);
    if (asked->err != CN_OK)
        cn_warn("signaling.live", "request %s cannot begin: %s", asked->request, cn_err_text(asked->err));
    if (hall) {
        bool again = hall->look_again;
        hall->looking = hall->look_again = false;
        if (asked->err == CN_OK) hall->scheduled = asked->scheduled;
        if (again) cn_begin_look(hall);
    }
    free(asked);
}

/* Who is there, and one of them, in whose name it begins; NULL: nobody of the two sides. */
static const cn_member *present(const cn_hall *hall, cn_present *here)
{
    const cn_member *one = NULL;
    for (const cn_member *member = hall->members; member; member = member->next) {
        if (!member->answered || member->leaving || !member->client || !(member->refers || member->consults)) continue;
        here->referrer = here->referrer || member->refers;
        here->expert = here->expert || member->consults;
        if (!one) one = member; /* the list has the latest first */
    }
    return one;
}

/* One who waits alone talks to nobody. */
static bool talks(const cn_hall *hall)
{
    const cn_member *one = NULL;
    for (const cn_member *member = hall->members; member; member = member->next) {
        if (!member->answered || member->leaving || !member->client) continue;
        if (one && strcmp(one->user, member->user) != 0) return true;
        one = member;
    }
    return false;
}

void cn_begin_look(cn_hall *hall)
{
    cn_live *live = hall->live;
    if (!hall->scheduled && !hall->begun && talks(hall)) cn_hall_begin(hall, 0);
    cn_present here = {.referrer = false};
    if (hall->looking) hall->look_again = true;
    if (!hall->scheduled || hall->looking || hall->ending || live->closing) return;
    const cn_member *one = present(hall, &here);
    question *asked = one ? CN_NEW(question) : NULL;
    if (!asked) return;
    asked->live = live;
    asked->here = here;
    asked->actor = one->client->actor;
    cn_strcpy(asked->room, sizeof asked->room, hall->id);
    cn_strcpy(asked->request, sizeof asked->request, hall->request);
    hall->looking = cn_errand_go(&asked->errand, live->door, live->config.jobs, ask, answered) == CN_OK;
    if (!hall->looking) free(asked);
}

void cn_begin_tick(void *live)
{
    cn_live *parent = live;
    for (cn_hall *hall = parent->halls; hall; hall = hall->next) cn_begin_look(hall);
}
