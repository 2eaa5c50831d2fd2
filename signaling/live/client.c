/* What a client is sent. */
#include "signaling/live/client.h"

#include "signaling/live/rpc.h"

cn_client *cn_client_find(cn_live *live, uint64_t serial)
{
    for (cn_client *client = live->clients; client; client = client->next)
        if (client->serial == serial) return client;
    return NULL;
}

void cn_client_send(cn_client *client, json_t *message)
{
    if (client && message) cn_ws_send(client->ws, message, NULL);
    json_decref(message);
}

void cn_client_notice(cn_client *client, const char *method, json_t *params)
{
    cn_client_send(client, cn_rpc_notice(method, params));
}

void cn_client_answer(cn_client *client, json_t *id, json_t *result)
{
    if (id)
        cn_client_send(client, cn_rpc_result(id, result));
    else
        json_decref(result);
}

void cn_client_refuse(cn_client *client, json_t *id, cn_err err, const cn_problem *problem)
{
    if (id) cn_client_send(client, cn_rpc_problem(id, err, problem));
}
