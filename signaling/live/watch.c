/*
 * The list of a call is in place before its job asks the database, though nothing of it is told yet: a step that is
 * announced between the job's look and its coming back replaces what the job found, so that none is missed.
 */
#include "signaling/live/watch.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "consult/request/request.h"
#include "signaling/live/client.h"
#include "signaling/live/errand.h"

typedef struct watching {
    cn_call_errand base;
    cn_watch *list; /* NULL once it is the client's */
} watching;

static void release(cn_call_errand *errand)
{
    free(((watching *)errand)->list);
}

static cn_err parse_list(cn_method_call *call, cn_watch **out)
{
    json_t *requests;
    CN_TRY(cn_json_arr(call->params, "requests", true, CN_WATCH_MAX, &requests, &call->problem));
    size_t n = json_array_size(requests);
    cn_watch *list = cn_calloc(1, sizeof *list + n * sizeof *list->item);
    if (!list) return CN_ERR_NOMEM;
    for (; list->n < n; list->n++) {
        const json_t *text = json_array_get(requests, list->n);
        size_t len = json_string_length(text);
        if (len && len == strlen(json_string_value(text)) &&
            cn_strcpy(list->item[list->n].id, CN_ID_TEXT, json_string_value(text)))
            continue;
        free(list);
        return cn_problem_set(&call->problem, CN_ERR_INVALID, "requests", "must hold ids of requests");
    }
    *out = list;
    return CN_OK;
}

/* Job thread. What is not there and what is not his are left out alike: the answer does not tell which. */
static cn_err check(cn_call_errand *errand)
{
    cn_watch *list = ((watching *)errand)->list;
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_TRY(cn_conn_acquire(errand->live->config.consult->db, &conn));
    for (size_t i = 0; i < list->n; i++) {
        cn_request_scope scope;
        cn_err err = cn_request_scope_get(conn, &errand->actor, list->item[i].id, &scope);
        if (err == CN_OK)
            list->item[i].found = cn_state_name(scope.state);
        else if (err != CN_ERR_NOTFOUND)
            return err;
    }
    return CN_OK;
}

static json_t *answer_json(const cn_watch *list)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < list->n; i++)
        if (list->item[i].found)
            json_array_append_new(rows, json_pack("{s:s, s:s}", "id", list->item[i].id, "state",
                                                  list->item[i].changed ? list->item[i].changed : list->item[i].found));
    return json_pack("{s:o}", "requests", rows);
}

static void checked(cn_call_errand *errand, cn_client *client)
{
    watching *task = (watching *)errand;
    json_t *answer = answer_json(task->list);
    if (client && client->asked == task->list) { /* no later call has taken its place */
        client->asked = NULL;
        if (errand->err == CN_OK) {
            free(client->watch);
            client->watch = task->list;
            task->list = NULL;
        }
    }
    cn_call_errand_answer(errand, client, answer);
    cn_call_errand_free(errand);
}

cn_err cn_do_watch(cn_method_call *call, json_t **result)
{
    (void)result;
    watching *task = cn_call_errand_new(call, sizeof *task, release);
    if (!task) return CN_ERR_NOMEM;
    cn_err err = parse_list(call, &task->list);
    if (err != CN_OK) {
        cn_call_errand_free(&task->base);
        return err;
    }
    cn_watch *list = task->list;
    err = cn_call_errand_go(&task->base, check, checked);
    if (err == CN_ANSWERS_ITSELF) call->client->asked = list;
    return err;
}

static bool in_room_of(const cn_client *client, const char *request)
{
    const cn_member *member = client->member;
    return member && member->answered && strcmp(member->hall->request, request) == 0;
}

static bool watches(const cn_watch *list, const char *request)
{
    for (size_t i = 0; list && i < list->n; i++)
        if (list->item[i].found && strcmp(list->item[i].id, request) == 0) return true;
    return false;
}

void cn_watch_changed(cn_live *live, const char *request, cn_state state)
{
    const char *name = cn_state_name(state);
    for (cn_client *client = live->clients; client; client = client->next) {
        for (size_t i = 0; client->asked && i < client->asked->n; i++)
            if (strcmp(client->asked->item[i].id, request) == 0) client->asked->item[i].changed = name;
        if (client->state == CN_CLIENT_KNOWN && watches(client->watch, request) && !in_room_of(client, request))
            cn_client_notice(client, "request.changed", json_pack("{s:s, s:s}", "request", request, "state", name));
    }
}

void cn_watch_drop(cn_live *live, const char *request, const char *user)
{
    for (cn_client *client = live->clients; client; client = client->next) {
        cn_watch *list = strcmp(client->actor.user, user) == 0 ? client->watch : NULL;
        for (size_t i = 0; list && i < list->n; i++)
            if (strcmp(list->item[i].id, request) == 0) list->item[i].found = NULL;
    }
}

void cn_watch_forget(cn_client *client)
{
    free(client->watch);
    client->watch = NULL;
}
