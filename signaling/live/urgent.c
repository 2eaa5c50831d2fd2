/*
 * The notice carries nothing: what waits is read at the data, for the one who asks. He is told from the moment of his call on, before
 * its job looks: what changes meanwhile is told once too often rather than not at all.
 */
#include "signaling/live/urgent.h"

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

static void looked(cn_call_errand *errand, cn_client *client)
{
    asking *task = (asking *)errand;
    json_t *answer = NULL;
    if (errand->err == CN_OK) {
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
