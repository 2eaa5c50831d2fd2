/*
 * The notice carries nothing: what waits is read at the data, for the one who asks. He is told from the moment of his call on, before
 * its job looks: what changes meanwhile is told once too often rather than not at all.
 */
#include "signaling/live/urgent.h"

#include <string.h>

#include "consult/request/request.h"
#include "signaling/live/client.h"
#include "signaling/live/errand.h"

typedef struct asking {
    cn_call_errand base;
    json_t *requests;
} asking;

static void release(cn_call_errand *errand)
{
    json_decref(((asking *)errand)->requests);
}

/* Job thread. */
static cn_err look(cn_call_errand *errand)
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_TRY(cn_conn_acquire(errand->live->config.consult->db, &conn));
    return cn_request_urgent(conn, &errand->actor, &((asking *)errand)->requests, &errand->problem);
}

static bool has_come(const cn_live *live, const char *request, const char *user)
{
    for (size_t i = 0; i < CN_CAME; i++)
        if (strcmp(live->came[i].user, user) == 0 && strcmp(live->came[i].request, request) == 0) return true;
    return false;
}

/* His minutes come to the ledger a while after himself: who was in the room is not waited for. */
static void leave_out_who_came(const cn_live *live, const char *user, json_t *requests)
{
    for (size_t i = json_array_size(requests); i-- > 0;) {
        const json_t *row = json_array_get(requests, i);
        if (json_is_true(json_object_get(row, "assigned")) &&
            has_come(live, json_string_value(json_object_get(row, "id")), user))
            json_array_remove(requests, i);
    }
}

static void looked(cn_call_errand *errand, cn_client *client)
{
    asking *task = (asking *)errand;
    json_t *answer = NULL;
    if (errand->err == CN_OK) {
        leave_out_who_came(errand->live, errand->actor.user, task->requests);
        answer = json_pack("{s:o}", "requests", task->requests);
        task->requests = NULL;
    } else if (client && errand->err == CN_ERR_FORBIDDEN) {
        client->urgent = false;
    }
    cn_call_errand_answer(errand, client, answer);
    cn_call_errand_free(errand);
}

cn_err cn_do_urgent(cn_method_call *call, json_t **result)
{
    (void)result;
    asking *task = cn_call_errand_new(call, sizeof *task, release);
    if (!task) return CN_ERR_NOMEM;
    call->client->urgent = true;
    return cn_call_errand_go(&task->base, look, looked);
}

void cn_urgent_changed(cn_live *live)
{
    for (cn_client *client = live->clients; client; client = client->next)
        if (client->urgent && client->state == CN_CLIENT_KNOWN)
            cn_client_notice(client, "urgent.changed", json_object());
}

void cn_urgent_came(const cn_member *member)
{
    cn_live *live = member->hall->live;
    if (!*member->user || !*member->hall->request) return;
    size_t at = live->came_next++ % CN_CAME;
    cn_strcpy(live->came[at].request, CN_ID_TEXT, member->hall->request);
    cn_strcpy(live->came[at].user, CN_ID_TEXT, member->user);
    for (cn_client *client = live->clients; client; client = client->next)
        if (client->urgent && client->state == CN_CLIENT_KNOWN && strcmp(client->actor.user, member->user) == 0)
            cn_client_notice(client, "urgent.changed", json_object());
}
