/* Who calls, and whether he may: the session cookie, the anti-forgery token, the route's right. */
#include <string.h>
#include <strings.h>

#include "consult/sums.h"
#include "signaling/app.h"
#include "signaling/http/exchange_state.h"

static void note_denied(const cn_http *http, const cn_actor *actor, const char *why)
{
    char detail[256];
    cn_fmt(detail, sizeof detail, "{\"method\":\"%s\",\"route\":\"%s\",\"why\":\"%s\"}", cn_method_name(http->method),
           http->route->path, why);
    cn_audit_sum(&cn_http_app(http)->consult, actor, "access", "", "denied", detail);
}

/* Browsers say where a request comes from; other clients say nothing and cannot be tricked into it. */
static bool same_site(const cn_http *http)
{
    const char *site = cn_http_header(http, "sec-fetch-site"), *origin = cn_http_header(http, "origin"),
               *host = cn_http_header(http, "host");
    if (site) return strcmp(site, "same-origin") == 0 || strcmp(site, "none") == 0;
    if (!origin) return true;
    const char *after = strstr(origin, "://");
    return after && host && strcasecmp(after + 3, host) == 0;
}

static bool changes(const cn_http *http)
{
    return http->method != CN_GET && http->method != CN_HEAD && http->method != CN_OPTIONS;
}

static bool token_fits(const cn_http *http)
{
    const char *token = cn_http_header(http, "x-csrf-token");
    return token && strlen(token) == strlen(http->csrf) && cn_equal_ct(token, http->csrf, strlen(http->csrf));
}

cn_err cn_app_authenticate(cn_http *http, cn_actor *actor)
{
    char token[128];
    cn_app *app = cn_http_app(http);
    cn_session_found who;
    if (http->route->right == CN_WHO_PUBLIC) {
        if (!(http->route->flags & CN_ROUTE_SAME_SITE) || same_site(http)) return CN_OK;
        note_denied(http, actor, "cross-site");
        return cn_problem_set(&http->problem, CN_ERR_FORBIDDEN, "", "this call is accepted from our own pages only");
    }
    if (!cn_http_cookie(http, "sid", token, sizeof token)) return CN_ERR_UNAUTH;
    const cn_session_ask ask = {.token = token, .address = actor->address, .limits = cn_app_login_limits(app)};
    cn_err err = cn_session_resolve(&app->consult, &ask, &who);
    OPENSSL_cleanse(token, sizeof token);
    if (err != CN_OK) return err;
    *actor = who.actor;
    cn_strcpy(http->csrf, sizeof http->csrf, who.csrf);
    if (changes(http) && !token_fits(http)) {
        note_denied(http, actor, "csrf");
        return cn_problem_set(&http->problem, CN_ERR_FORBIDDEN, "X-CSRF-Token", "missing or not the one of this login");
    }
    if (http->route->right >= 0 && !cn_actor_may(actor, (cn_right)http->route->right)) {
        note_denied(http, actor, "right");
        return cn_problem_set(&http->problem, CN_ERR_FORBIDDEN, "", "this needs the right %s",
                              cn_right_name((cn_right)http->route->right));
    }
    return CN_OK;
}

bool cn_app_recall(cn_http *http, cn_actor *actor)
{
    char token[128];
    cn_session_found who;
    if (http->route->right == CN_WHO_PUBLIC || changes(http)) return false;
    if (!cn_http_cookie(http, "sid", token, sizeof token)) return false;
    const cn_session_ask ask = {.token = token, .address = actor->address};
    bool known = cn_session_recall(&ask, &who);
    OPENSSL_cleanse(token, sizeof token);
    if (!known || (http->route->right >= 0 && !cn_actor_may(&who.actor, (cn_right)http->route->right))) return false;
    *actor = who.actor;
    return true;
}
