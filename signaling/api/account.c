/* Login, logout, who am I, own password, the directory of doctors, accounts for administrators. */
#include <openssl/crypto.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "consult/people/accounts.h"
#include "consult/people/manage.h"
#include "consult/people/password.h"
#include "signaling/api/api.h"
#include "signaling/app.h"

static cn_consult *consult(cn_http *http)
{
    return cn_app_consult(cn_http_app(http));
}

/* The cookie ends with the browser; the server ends it after the idle time. */
static void set_cookie(cn_http *http, const char *token, const char *more)
{
    cn_http_setf(http, "Set-Cookie", "sid=%s; Path=/; HttpOnly; SameSite=Lax%s%s", token,
                 cn_http_secure(http) ? "; Secure" : "", more);
}

static cn_err send_session(cn_http *http, const cn_session_found *login)
{
    json_t *object = NULL;
    CN_TRY(cn_user_json(consult(http), login->actor.user, &object));
    return cn_http_json(http, 200,
                        json_pack("{s:o, s:s, s:I, s:I, s:I, s:i}", "user", object, "csrf", login->csrf, "idle_ms",
                                  (json_int_t)cn_app_login_limits(cn_http_app(http)).idle_ms, "idle_left_ms",
                                  (json_int_t)login->idle_left_ms, "life_left_ms", (json_int_t)login->life_left_ms,
                                  "zone_minutes", consult(http)->zone_minutes));
}

static cn_err login(cn_http *http)
{
    const char *username = NULL, *password = NULL;
    cn_session session;
    const cn_login_limits limits = cn_app_login_limits(cn_http_app(http));
    cn_session_found fresh = {.idle_left_ms = limits.idle_ms, .life_left_ms = limits.life_ms};
    CN_TRY(cn_json_line(cn_http_body_json(http), "username", true, 1, 64, &username, cn_http_problem(http)));
    CN_TRY(cn_json_str(cn_http_body_json(http), "password", true, 1, 256, &password, cn_http_problem(http)));
    CN_TRY(cn_login(consult(http), username, password, cn_http_actor(http)->address, &session, cn_http_problem(http)));
    set_cookie(http, session.token, "");
    cn_strcpy(fresh.actor.user, sizeof(fresh.actor.user), session.user);
    cn_strcpy(fresh.csrf, sizeof(fresh.csrf), session.csrf);
    return send_session(http, &fresh);
}

static cn_err answer_session(cn_http *http, cn_login_sign sign, int64_t ago_ms)
{
    char token[CN_SESSION_TOKEN];
    cn_session_found found;
    const cn_session_ask ask = {.token = cn_http_cookie(http, "sid", token, sizeof(token)),
                                .address = cn_http_actor(http)->address,
                                .limits = cn_app_login_limits(cn_http_app(http)),
                                .sign = sign,
                                .ago_ms = ago_ms};
    CN_TRY(cn_session_resolve(consult(http), &ask, &found));
    return send_session(http, &found);
}

static cn_err session(cn_http *http)
{
    return answer_session(http, CN_LOGIN_NONE, 0);
}

/* The one call that keeps a login: a page makes it where somebody typed or pointed, no timer and no list does. */
static cn_err activity(cn_http *http)
{
    int64_t ago = 0;
    CN_TRY(cn_json_i64(cn_http_body_json(http), "ago_ms", false, 0, INT64_MAX, &ago, cn_http_problem(http)));
    return answer_session(http, CN_LOGIN_HAND, ago);
}

static cn_err logout(cn_http *http)
{
    char token[CN_SESSION_TOKEN];
    const char *sid = cn_http_cookie(http, "sid", token, sizeof(token));
    if (sid) CN_TRY(cn_logout(consult(http), cn_http_actor(http), sid));
    set_cookie(http, "", "; Max-Age=0");
    cn_http_set(http, "Clear-Site-Data", "\"cache\", \"storage\"");
    return cn_http_empty(http, 204);
}

static cn_err password(cn_http *http)
{
    char token[CN_SESSION_TOKEN];
    const char *old_password = NULL, *new_password = NULL, *sid = cn_http_cookie(http, "sid", token, sizeof(token));
    CN_TRY(cn_json_str(cn_http_body_json(http), "old", true, 1, 256, &old_password, cn_http_problem(http)));
    CN_TRY(cn_json_str(cn_http_body_json(http), "new", true, 1, 256, &new_password, cn_http_problem(http)));
    CN_TRY(cn_password_change(consult(http), cn_http_actor(http), sid ? sid : "", old_password, new_password,
                              cn_http_problem(http)));
    return cn_http_empty(http, 204);
}

static cn_err directory(cn_http *http)
{
    json_t *out = NULL;
    CN_TRY(cn_directory(consult(http), &out));
    return cn_http_json(http, 200, out);
}

static cn_err users(cn_http *http)
{
    json_t *out = NULL;
    CN_TRY(cn_user_list(consult(http), cn_http_actor(http), &out));
    return cn_http_json(http, 200, out);
}

static cn_err user_unlock(cn_http *http)
{
    CN_TRY(cn_user_unlock(consult(http), cn_http_actor(http), cn_http_param(http, "id")));
    return cn_http_empty(http, 204);
}

/* A made one, which the administrator hands over: nobody chooses another one's password. */
static cn_err user_password(cn_http *http)
{
    char fresh[16];
    cn_password_generate(fresh);
    cn_err err =
        cn_user_password(consult(http), cn_http_actor(http), cn_http_param(http, "id"), fresh, cn_http_problem(http));
    if (err == CN_OK) err = cn_http_json(http, 200, json_pack("{s:s}", "password", fresh));
    OPENSSL_cleanse(fresh, sizeof fresh);
    return err;
}

static cn_err user_logout(cn_http *http)
{
    CN_TRY(cn_user_logout(consult(http), cn_http_actor(http), cn_http_param(http, "id")));
    return cn_http_empty(http, 204);
}

static cn_err user_enable(cn_http *http)
{
    const char *id = cn_http_param(http, "id");
    bool on = false;
    CN_TRY(cn_json_bool(cn_http_body_json(http), "active", true, &on, cn_http_problem(http)));
    CN_TRY(cn_user_enable(consult(http), cn_http_actor(http), id, on, cn_http_problem(http)));
    return cn_http_empty(http, 204);
}

const cn_route cn_account_routes[] = {
    {CN_POST, "/api/v1/login", CN_WHO_PUBLIC, login, .body = CN_BODY_JSON, .flags = CN_ROUTE_SAME_SITE},
    {CN_GET, "/api/v1/session", CN_WHO_ANY, session, .body = CN_BODY_NONE},
    {CN_POST, "/api/v1/session/activity", CN_WHO_ANY, activity, .body = CN_BODY_JSON},
    {CN_POST, "/api/v1/logout", CN_WHO_ANY, logout, .body = CN_BODY_JSON},
    {CN_POST, "/api/v1/password", CN_WHO_ANY, password, .body = CN_BODY_JSON},
    {CN_GET, "/api/v1/directory", CN_WHO_ANY, directory, .body = CN_BODY_NONE},
    {CN_GET, "/api/v1/users", CN_RIGHT_USER_MANAGE, users, .body = CN_BODY_NONE},
    {CN_POST, "/api/v1/users/{id}/unlock", CN_RIGHT_USER_MANAGE, user_unlock, .body = CN_BODY_JSON},
    {CN_POST, "/api/v1/users/{id}/password", CN_RIGHT_USER_MANAGE, user_password, .body = CN_BODY_JSON},
    {CN_POST, "/api/v1/users/{id}/logout", CN_RIGHT_USER_MANAGE, user_logout, .body = CN_BODY_JSON},
    {CN_PUT, "/api/v1/users/{id}/active", CN_RIGHT_USER_MANAGE, user_enable, .body = CN_BODY_JSON},
    {.path = NULL},
};
