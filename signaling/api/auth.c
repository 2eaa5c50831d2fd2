/* Who calls, and whether he may: the session cookie, the anti-forgery token, the route's right. */
#include <string.h>
#include <strings.h>

#include "signaling/app.h"
#include "signaling/door/exchange.h"

static void note_denied(const cn_http *h, const cn_actor *actor, const char *why)
{
    char detail[256];
    cn_fmt(detail, sizeof detail, "{\"method\":\"%s\",\"route\":\"%s\",\"why\":\"%s\"}", cn_method_name(h->method),
           h->route->path, why);
    cn_audit_note(&cn_http_app(h)->consult, actor, "access", "", "denied", detail);
}

/* Browsers say where a request comes from; other clients say nothing and cannot be tricked into it. */
static bool same_site(const cn_http *h)
{
    const char *site = cn_http_header(h, "sec-fetch-site"), *origin = cn_http_header(h, "origin"),
               *host = cn_http_header(h, "host");
    if (site) return strcmp(site, "same-origin") == 0 || strcmp(site, "none") == 0;
    if (!origin) return true;
    const char *after = strstr(origin, "://");
    return after && host && strcasecmp(after + 3, host) == 0;
}

static bool changes(const cn_http *h)
{
    return h->method != CN_GET && h->method != CN_HEAD && h->method != CN_OPTIONS;
}

static bool token_fits(const cn_http *h)
{
    const char *token = cn_http_header(h, "x-csrf-token");
    return token && strlen(token) == strlen(h->csrf) && cn_equal_ct(token, h->csrf, strlen(h->csrf));
}

cn_err cn_app_authenticate(cn_http *h, cn_actor *actor)
{
    char token[128];
    cn_app *app = cn_http_app(h);
    cn_actor who;
    if (h->route->right == CN_WHO_PUBLIC) {
        if (!(h->route->flags & CN_ROUTE_SAME_SITE) || same_site(h)) return CN_OK;
        note_denied(h, actor, "cross-site");
        return cn_problem_set(&h->problem, CN_ERR_FORBIDDEN, "", "this call is accepted from our own pages only");
    }
    if (!cn_http_cookie(h, "sid", token, sizeof token)) return CN_ERR_UNAUTH;
    cn_err err = cn_session_resolve(&app->consult, token, actor->address, cn_app_idle_ms(app), &who, h->csrf);
    OPENSSL_cleanse(token, sizeof token);
    if (err != CN_OK) return err;
    *actor = who;
    if (changes(h) && !token_fits(h)) {
        note_denied(h, actor, "csrf");
        return cn_problem_set(&h->problem, CN_ERR_FORBIDDEN, "X-CSRF-Token", "missing or not the one of this login");
    }
    if (h->route->right >= 0 && !cn_actor_may(actor, (cn_right)h->route->right)) {
        note_denied(h, actor, "right");
        return cn_problem_set(&h->problem, CN_ERR_FORBIDDEN, "", "this needs the right %s",
                              cn_right_name((cn_right)h->route->right));
    }
    return CN_OK;
}
