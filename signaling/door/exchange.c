#include "signaling/door/exchange.h"

#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/mem.h"
#include "signaling/door/calls.h"

static bool is_json(const char *type)
{
    static const char want[] = "application/json";
    if (!type || strncasecmp(type, want, sizeof want - 1) != 0) return false;
    char after = type[sizeof want - 1];
    return after == '\0' || after == ';' || after == ' ';
}

static cn_err parse_json(cn_http *http)
{
    if (http->body.n == 0) {
        http->json = json_object();
        return http->json ? CN_OK : CN_ERR_NOMEM;
    }
    if (!is_json(cn_http_header(http, "content-type")))
        return cn_problem_set(&http->problem, CN_ERR_UNSUPPORTED, "", "the body must be application/json");
    return cn_json_object(&http->json, http->body.p, http->body.n, &http->problem);
}

cn_err cn_exchange_enter(cn_http *http)
{
    const cn_door_config *config = cn_door_config_of(http->door);
    if (config->authenticate) CN_TRY(config->authenticate(http, &http->actor));
    if (http->route->body == CN_BODY_JSON) CN_TRY(parse_json(http));
    return http->route->handler(http);
}

bool cn_exchange_quick(cn_http *http)
{
    cn_actor actor = http->actor, before = http->actor;
    const cn_door_config *config = cn_door_config_of(http->door);
    if (!http->route->quick || !config->recall || !config->recall(http, &actor)) return false;
    http->actor = actor;
    if (http->route->quick(http)) {
        cn_exchange_compose(http, CN_OK);
        return true;
    }
    http->actor = before;
    return false;
}

static void answered(void *exchange)
{
    cn_http *http = exchange;
    cn_door_returned(http);
    if (http->wsi) lws_callback_on_writable(http->wsi);
    cn_unref(http);
}

void cn_http_finish(cn_http *http, cn_err err)
{
    cn_exchange_compose(http, err);
    cn_door_give_back(http, answered);
}

void cn_exchange_run(void *exchange)
{
    cn_http *http = cn_ref(exchange);
    cn_err err = cn_exchange_enter(http);
    /* one that deferred may have been answered by another thread already: only its flag is still ours to read */
    bool deferred = err == CN_OK && http->deferred;
    cn_unref(exchange);
    if (!deferred) cn_http_finish(http, err);
}
