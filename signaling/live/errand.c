#include "signaling/live/errand.h"

#include "base/mem.h"
#include "signaling/live/client.h"

void *cn_call_errand_new(const cn_method_call *call, size_t size, void (*release)(cn_call_errand *errand))
{
    cn_call_errand *errand = cn_calloc(1, size);
    if (!errand) return NULL;
    errand->live = call->live;
    errand->serial = call->client->serial;
    errand->id = json_incref(call->id);
    errand->actor = call->client->actor;
    errand->size = size;
    errand->release = release;
    return errand;
}

void cn_call_errand_free(cn_call_errand *errand)
{
    if (errand->release) errand->release(errand);
    json_decref(errand->id);
    cn_free_secret(errand, errand->size);
}

static void come_back(cn_errand *errand)
{
    cn_call_errand *own = (cn_call_errand *)errand;
    own->back(own, cn_client_find(own->live, own->serial));
}

/* Job thread. */
static void run(cn_errand *errand)
{
    cn_call_errand *own = (cn_call_errand *)errand;
    own->err = own->work(own);
}

cn_err cn_call_errand_go(cn_call_errand *errand, cn_err (*work)(cn_call_errand *errand),
                         void (*back)(cn_call_errand *errand, cn_client *client))
{
    errand->work = work;
    errand->back = back;
    cn_live *live = errand->live;
    if (cn_errand_go(&errand->errand, live->door, live->config.jobs, run, come_back) == CN_OK) return CN_ANSWERS_ITSELF;
    cn_call_errand_free(errand);
    return CN_ERR_AGAIN;
}

void cn_call_errand_return(cn_call_errand *errand, cn_err err, const cn_problem *problem,
                           void (*back)(cn_call_errand *errand, cn_client *client))
{
    errand->err = err;
    if (problem) errand->problem = *problem;
    errand->back = back;
    cn_errand_return(&errand->errand, errand->live->door, come_back);
}

void cn_call_errand_answer(cn_call_errand *errand, cn_client *client, json_t *result)
{
    if (!client) {
        json_decref(result);
    } else if (errand->err == CN_OK) {
        cn_client_answer(client, errand->id, result);
    } else {
        json_decref(result);
        cn_client_refuse(client, errand->id, errand->err, &errand->problem);
    }
}
