#include "signaling/door/exchange.h"

#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/mem.h"

static bool is_json(const char *type)
{
    static const char want[] = "application/json";
    if (!type || strncasecmp(type, want, sizeof want - 1) != 0) return false;
    char after = type[sizeof want - 1];
    return after == '\0' || after == ';' || after == ' ';
}

static cn_err parse_json(cn_http *h)
{
    if (h->body.n == 0) {
        h->json = json_object();
        return h->json ? CN_OK : CN_ERR_NOMEM;
    }
    if (!is_json(cn_http_header(h, "content-type")))
        return cn_problem_set(&h->problem, CN_ERR_UNSUPPORTED, "", "the body must be application/json");
    return cn_json_object(&h->json, h->body.p, h->body.n, &h->problem);
}

cn_err cn_exchange_enter(cn_http *h)
{
    const cn_door_config *config = cn_door_config_of(h->door);
    if (config->authenticate) CN_TRY(config->authenticate(h, &h->actor));
    if (h->route->body == CN_BODY_JSON) CN_TRY(parse_json(h));
    return h->route->handler(h);
}

static void answered(void *exchange)
{
    cn_http *h = exchange;
    cn_door_returned(h);
    if (h->wsi) lws_callback_on_writable(h->wsi);
    cn_unref(h);
}

void cn_http_finish(cn_http *h, cn_err err)
{
    cn_exchange_compose(h, err);
    cn_door_give_back(h, answered);
}

void cn_exchange_run(void *exchange)
{
    cn_http *h = cn_ref(exchange);
    cn_err err = cn_exchange_enter(h);
    /* one that deferred may have been answered by another thread already: only its flag is still ours to read */
    bool deferred = err == CN_OK && h->deferred;
    cn_unref(exchange);
    if (!deferred) cn_http_finish(h, err);
}
