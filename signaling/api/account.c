/* Login, logout, who am I, own password, the directory of doctors. */
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "consult/people/accounts.h"
#include "signaling/api/api.h"
#include "signaling/app.h"

static cn_consult *consult(cn_http *h)
{
    return cn_app_consult(cn_http_app(h));
}

static int64_t idle_ms(cn_http *h)
{
    return cn_app_config_int(cn_http_app(h), "server", "idle_minutes") * 60000;
}

/* The cookie ends with the browser; the server ends it after the idle time. */
static void set_cookie(cn_http *h, const char *token, const char *more)
{
    cn_http_setf(h, "Set-Cookie", "sid=%s; Path=/; HttpOnly; SameSite=Lax%s%s", token,
                 cn_http_secure(h) ? "; Secure" : "", more);
}

static cn_err send_session(cn_http *h, const char *user, const char *csrf)
{
    json_t *u = NULL;
    CN_TRY(cn_user_json(consult(h), user, &u));
    return cn_http_json(h, 200,
                        json_pack("{s:o, s:s, s:I}", "user", u, "csrf", csrf, "idle_ms", (json_int_t)idle_ms(h)));
}

static cn_err login(cn_http *h)
{
    const char *username = NULL, *password = NULL;
    cn_session s;
    CN_TRY(cn_json_str(cn_http_body_json(h), "username", true, 1, 64, &username, cn_http_problem(h)));
    CN_TRY(cn_json_str(cn_http_body_json(h), "password", true, 1, 256, &password, cn_http_problem(h)));
    CN_TRY(cn_login(consult(h), username, password, cn_http_actor(h)->address, &s, cn_http_problem(h)));
    set_cookie(h, s.token, "");
    return send_session(h, s.user, s.csrf);
}

static cn_err session(cn_http *h)
{
    char token[CN_SESSION_TOKEN], csrf[CN_SESSION_TOKEN];
    cn_actor a;
    CN_TRY(cn_session_resolve(consult(h), cn_http_cookie(h, "sid", token, sizeof(token)), cn_http_actor(h)->address,
                              idle_ms(h), &a, csrf));
    return send_session(h, a.user, csrf);
}

static cn_err logout(cn_http *h)
{
    char token[CN_SESSION_TOKEN];
    const char *sid = cn_http_cookie(h, "sid", token, sizeof(token));
    if (sid) CN_TRY(cn_logout(consult(h), cn_http_actor(h), sid));
    set_cookie(h, "", "; Max-Age=0");
    cn_http_set(h, "Clear-Site-Data", "\"cache\", \"storage\"");
    return cn_http_empty(h, 204);
}

static cn_err password(cn_http *h)
{
    char token[CN_SESSION_TOKEN];
    const char *old_password = NULL, *new_password = NULL, *sid = cn_http_cookie(h, "sid", token, sizeof(token));
    CN_TRY(cn_json_str(cn_http_body_json(h), "old", true, 1, 256, &old_password, cn_http_problem(h)));
    CN_TRY(cn_json_str(cn_http_body_json(h), "new", true, 1, 256, &new_password, cn_http_problem(h)));
    CN_TRY(cn_password_change(consult(h), cn_http_actor(h), sid ? sid : "", old_password, new_password,
                              cn_http_problem(h)));
    return cn_http_empty(h, 204);
}

static cn_err directory(cn_http *h)
{
    json_t *out = NULL;
    CN_TRY(cn_directory(consult(h), &out));
    return cn_http_json(h, 200, out);
}

const cn_route cn_account_routes[] = {
    {CN_POST, "/api/v1/login", CN_WHO_PUBLIC, login, .body = CN_BODY_JSON, .flags = CN_ROUTE_SAME_SITE},
    {CN_GET, "/api/v1/session", CN_WHO_ANY, session, .body = CN_BODY_NONE},
    {CN_POST, "/api/v1/logout", CN_WHO_ANY, logout, .body = CN_BODY_JSON},
    {CN_POST, "/api/v1/password", CN_WHO_ANY, password, .body = CN_BODY_JSON},
    {CN_GET, "/api/v1/directory", CN_WHO_ANY, directory, .body = CN_BODY_NONE},
    {.path = NULL},
};
