/* Login, logout, one's own account, the directory. */
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "signaling/app.h"
#include "signaling/exchange.h"
#include "signaling/routes.h"

static cn_err session_json(cn_http *h, const char *user, const char *csrf)
{
    json_t *me = NULL;
    CN_TRY(cn_user_json(&cn_http_app(h)->consult, user, &me));
    return cn_http_json(h, 200, json_pack("{s:o, s:s}", "user", me, "csrf", csrf));
}

static cn_err login(cn_http *h)
{
    cn_app *app = cn_http_app(h);
    const json_t *body = cn_http_body_json(h);
    const char *username, *password;
    cn_session l;
    CN_TRY(cn_json_str(body, "username", true, 1, 64, &username, cn_http_problem(h)));
    CN_TRY(cn_json_str(body, "password", true, 1, 256, &password, cn_http_problem(h)));
    CN_TRY(cn_login(&app->consult, username, password, cn_http_actor(h)->address, &l, cn_http_problem(h)));
    cn_http_setf(h, "Set-Cookie", "sid=%s; Path=/; HttpOnly; SameSite=Lax%s", l.token, cn_http_secure(h) ? "; Secure" : "");
    cn_err err = session_json(h, l.user, l.csrf);
    OPENSSL_cleanse(&l, sizeof l);
    return err;
}

static cn_err session(cn_http *h)
{
    return session_json(h, cn_http_actor(h)->user, h->csrf);
}

static cn_err logout(cn_http *h)
{
    char token[128];
    if (!cn_http_cookie(h, "sid", token, sizeof token)) return CN_ERR_UNAUTH;
    CN_TRY(cn_logout(&cn_http_app(h)->consult, cn_http_actor(h), token));
    cn_http_set(h, "Set-Cookie", "sid=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0");
    cn_http_set(h, "Clear-Site-Data", "\"cache\", \"cookies\", \"storage\"");
    return cn_http_empty(h, 204);
}

static cn_err password(cn_http *h)
{
    char token[128];
    const char *old, *fresh;
    CN_TRY(cn_json_str(cn_http_body_json(h), "old", true, 1, 256, &old, cn_http_problem(h)));
    CN_TRY(cn_json_str(cn_http_body_json(h), "new", true, 1, 256, &fresh, cn_http_problem(h)));
    if (!cn_http_cookie(h, "sid", token, sizeof token)) return CN_ERR_UNAUTH;
    CN_TRY(cn_password_change(&cn_http_app(h)->consult, cn_http_actor(h), token, old, fresh, cn_http_problem(h)));
    return cn_http_empty(h, 204);
}

static cn_err directory(cn_http *h)
{
    json_t *out = NULL;
    CN_TRY(cn_directory(&cn_http_app(h)->consult, &out));
    return cn_http_json(h, 200, out);
}

const cn_route cn_routes_session[] = {
    {CN_POST, "/api/v1/login", CN_WHO_PUBLIC, login, CN_BODY_JSON, CN_RUN_DB, CN_ROUTE_SAME_SITE, 4096, NULL},
    {CN_GET, "/api/v1/session", CN_WHO_ANY, session, CN_BODY_NONE, CN_RUN_DB, 0, 0, NULL},
    {CN_POST, "/api/v1/logout", CN_WHO_ANY, logout, CN_BODY_JSON, CN_RUN_DB, 0, 4096, NULL},
    {CN_POST, "/api/v1/password", CN_WHO_ANY, password, CN_BODY_JSON, CN_RUN_DB, 0, 4096, NULL},
    {CN_GET, "/api/v1/directory", CN_WHO_ANY, directory, CN_BODY_NONE, CN_RUN_DB, 0, 0, NULL},
    CN_ROUTES_END};
