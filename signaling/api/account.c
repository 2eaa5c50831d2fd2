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

static int64_t idle_ms(cn_http *http)
{
    return cn_app_config_int(cn_http_app(http), "server", "idle_minutes") * 60000;
}

/* The cookie ends with the browser; the server ends it after the idle time. */
static void set_cookie(cn_http *http, const char *token, const char *more)
{
    cn_http_setf(http, "Set-Cookie", "sid=%s; Path=/; HttpOnly; SameSite=Lax%s%s", token,
                 cn_http_secure(http) ? "; Secure" : "", more);
}

static cn_err send_session(cn_http *http, const char *user, const char *csrf)
{
    json_t *object = NULL;
    CN_TRY(cn_user_json(consult(http), user, &object));
    return cn_http_json(
        http, 200, json_pack("{s:o, s:s, s:I}", "user", object, "csrf", csrf, "idle_ms", (json_int_t)idle_ms(http)));
}

static cn_err login(cn_http *http)
{
    const char *username = NULL, *password = NULL;
    cn_session session;
    CN_TRY(cn_json_line(cn_http_body_json(http), "username", true, 1, 64, &username, cn_http_problem(http)));
    CN_TRY(cn_json_str(cn_http_body_json(http), "password", true, 1, 256, &password, cn_http_problem(http)));
    CN_TRY(cn_login(consult(http), username, password, cn_http_actor(http)->address, &session, cn_http_problem(http)));
    set_cookie(http, session.token, "");
    return send_session(http, session.user, session.csrf);
}

static cn_err session(cn_http *http)
{
    char token[CN_SESSION_TOKEN], csrf[CN_SESSION_TOKEN];
    cn_actor actor;
    CN_TRY(cn_session_resolve(consult(http), cn_http_cookie(http, "sid", token, sizeof(token)),
                              cn_http_actor(http)->address, idle_ms(http), &actor, csrf));
    return send_session(http, actor.user, csrf);
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

const cn_route cn_account_routes[] = {
    {CN_POST, "/api/v1/login", CN_WHO_PUBLIC, login, .body = CN_BODY_JSON, .flags = CN_ROUTE_SAME_SITE},
    {CN_GET, "/api/v1/session", CN_WHO_ANY, session, .body = CN_BODY_NONE},
    {CN_POST, "/api/v1/logout", CN_WHO_ANY, logout, .body = CN_BODY_JSON},
    {CN_POST, "/api/v1/password", CN_WHO_ANY, password, .body = CN_BODY_JSON},
    {CN_GET, "/api/v1/directory", CN_WHO_ANY, directory, .body = CN_BODY_NONE},
    {CN_GET, "/api/v1/users", CN_RIGHT_USER_MANAGE, users, .body = CN_BODY_NONE},
    {CN_POST, "/api/v1/users/{id}/unlock", CN_RIGHT_USER_MANAGE, user_unlock, .body = CN_BODY_JSON},
    {CN_POST, "/api/v1/users/{id}/password", CN_RIGHT_USER_MANAGE, user_password, .body = CN_BODY_JSON},
    {.path = NULL},
};
