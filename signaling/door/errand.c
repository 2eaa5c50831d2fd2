#include "signaling/door/errand.h"

#include "signaling/http/exchange_state.h"

static void come_back(void *arg)
{
    cn_errand *errand = arg;
    errand->back(errand);
}

void cn_errand_return(cn_errand *errand, cn_door *door, cn_errand_fn back)
{
    errand->back = back;
    errand->call = (cn_door_call){.fn = come_back, .arg = errand};
    cn_door_post(door, &errand->call);
}

/* Job thread. */
static void run(void *arg)
{
    cn_errand *errand = arg;
    errand->work(errand);
    cn_errand_return(errand, errand->door, errand->back);
}

cn_err cn_errand_go(cn_errand *errand, cn_door *door, cn_jobs *jobs, cn_errand_fn work, cn_errand_fn back)
{
    *errand = (cn_errand){.door = door, .work = work, .back = back};
    return cn_jobs_add(jobs, run, errand);
}

cn_err cn_errand_defer(cn_errand *errand, cn_http *http, cn_errand_fn back)
{
    cn_http_defer(http);
    cn_errand_return(errand, http->door, back);
    return CN_OK;
}
