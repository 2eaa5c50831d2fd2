/* The audit log of what hosts do: written on a job thread. */
#include "signaling/live/audit.h"

#include <stdlib.h>

#include "base/mem.h"
#include "signaling/live/hall.h"

typedef struct note {
    cn_consult *consult;
    cn_actor actor;
    const char *action, *outcome; /* static texts */
    char object[80], detail[256];
} note;

static void write_note(void *arg)
{
    note *noted = arg;
    cn_audit_note(noted->consult, &noted->actor, noted->action, noted->object, noted->outcome, noted->detail);
    free(noted);
}

void cn_host_audit(cn_method_call *call, const char *action, const char *outcome, const cn_member *participant,
                   const char *what)
{
    note *noted = CN_NEW(note);
    if (!noted) return;
    noted->consult = call->live->config.consult;
    noted->actor = call->client->actor;
    noted->action = action;
    noted->outcome = outcome;
    const char *comma = participant && what && *what ? "," : "";
    cn_fmt(noted->object, sizeof noted->object, "room:%s", call->client->member->hall->id);
    if (participant)
        cn_fmt(noted->detail, sizeof noted->detail, "{\"participant\":\"%s\",\"user\":\"%s\"%s%s}", participant->id,
               participant->user, comma, what ? what : "");
    else
        cn_fmt(noted->detail, sizeof noted->detail, "{%s}", what ? what : "");
    if (cn_jobs_add(call->live->config.jobs, write_note, noted) != CN_OK) free(noted);
}

cn_err cn_need_host(cn_method_call *call, const char *action)
{
    if (cn_member_is_host(call->client->member)) return CN_OK;
    cn_host_audit(call, action, "denied", NULL, NULL);
    return cn_problem_set(&call->problem, CN_ERR_FORBIDDEN, "", "only a host of this room may do that");
}
