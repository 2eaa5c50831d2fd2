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

static note *note_new(const cn_client *client, const char *action, const char *outcome)
{
    note *noted = CN_NEW(note);
    if (!noted) return NULL;
    noted->consult = client->live->config.consult;
    noted->actor = client->actor;
    noted->action = action;
    noted->outcome = outcome;
    if (client->member) cn_fmt(noted->object, sizeof noted->object, "room:%s", client->member->hall->id);
    return noted;
}

static void note_write(const cn_live *live, note *noted)
{
    if (cn_jobs_add(live->config.jobs, write_note, noted) != CN_OK) free(noted);
}

void cn_host_audit(cn_method_call *call, const char *action, const char *outcome, const cn_member *participant,
                   const char *what)
{
    note *noted = note_new(call->client, action, outcome);
    if (!noted) return;
    const char *comma = participant && what && *what ? "," : "";
    if (participant)
        cn_fmt(noted->detail, sizeof noted->detail, "{\"participant\":\"%s\",\"user\":\"%s\"%s%s}", participant->id,
               participant->user, comma, what ? what : "");
    else
        cn_fmt(noted->detail, sizeof noted->detail, "{%s}", what ? what : "");
    note_write(call->live, noted);
}

void cn_flood_audit(const cn_client *client, const char *method, bool closed)
{
    note *noted = note_new(client, "live.flood", closed ? "denied" : "ok");
    if (!noted) return;
    cn_fmt(noted->detail, sizeof noted->detail, "{\"method\":\"%s\",\"closed\":%s}", method, closed ? "true" : "false");
    note_write(client->live, noted);
}

void cn_size_audit(const cn_member *member, const cn_size_event *event)
{
    note *noted = CN_NEW(note);
    if (!noted) return;
    noted->consult = member->hall->live->config.consult;
    noted->action = "room.size";
    noted->outcome = "failed";
    cn_strcpy(noted->actor.user, sizeof noted->actor.user, member->user);
    cn_strcpy(noted->actor.hospital, sizeof noted->actor.hospital, member->hospital);
    cn_fmt(noted->object, sizeof noted->object, "room:%s", member->hall->id);
    cn_fmt(noted->detail, sizeof noted->detail,
           "{\"participant\":\"%s\",\"source\":\"%s\",\"why\":\"%s\",\"width\":%u,\"height\":%u,\"counted\":%u}",
           member->id, cn_source_name(event->source), cn_size_doubt_name(event->doubt), event->width, event->height,
           event->counted);
    note_write(member->hall->live, noted);
}

cn_err cn_need_host(cn_method_call *call, const char *action)
{
    if (cn_member_is_host(call->client->member)) return CN_OK;
    cn_host_audit(call, action, "denied", NULL, NULL);
    return cn_problem_set(&call->problem, CN_ERR_FORBIDDEN, "", "only a host of this room may do that");
}
