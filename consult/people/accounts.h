/*
 * Accounts: users, roles and their rights, passwords (Argon2id), logins. Blocking: job threads only.
 */
#ifndef CN_CONSULT_ACCOUNTS_H
#define CN_CONSULT_ACCOUNTS_H

#include "consult/consult.h"
#include "consult/people/lifetime.h"

#define CN_SESSION_TOKEN 48 /* bytes of a session's or CSRF token's text with its end */

/** Rights of a role ("referrer", "expert", "consult_admin", "sys_admin", "config_admin", "audit_admin") as bits; 0 for
 * another word. */
uint32_t cn_role_rights(const char *role);

/** A new user. Username 6…32 letters and digits; password by cn_password_check. `id` gets the new id. Written to the
 * audit log as `a`. */
typedef struct cn_user_new {
    const char *username, *name, *title, *hospital, *department,
        *phone;               /* hospital, department: ids; phone may be NULL */
    const char *const *roles; /* NULL-terminated */
    const char *password;
} cn_user_new;
/** Whether cn_user_add would take it, but for hospital and department: for who makes these first. Nothing is written. */
cn_err cn_user_check(cn_consult *consult, const cn_user_new *user, cn_problem *problem);
cn_err cn_user_add(cn_consult *consult, const cn_actor *actor, const cn_user_new *user, char id[CN_ID_TEXT],
                   cn_problem *problem);
cn_err cn_hospital_add(cn_consult *consult, const cn_actor *actor, const char *name, const char *city,
                       char id[CN_ID_TEXT]);
cn_err cn_department_add(cn_consult *consult, const cn_actor *actor, const char *hospital, const char *name,
                         const char *code, char id[CN_ID_TEXT]);
/** Ids by name, or of a department by its code; "" when there is none. */
cn_err cn_hospital_find(cn_consult *consult, const char *name, char id[CN_ID_TEXT]);
cn_err cn_department_find(cn_consult *consult, const char *hospital, const char *name, char id[CN_ID_TEXT]);
/** True when there is no user yet. */
cn_err cn_accounts_empty(cn_consult *consult, bool *empty);
/** True when there are users, but no row of the audit log, which each of them has left. */
cn_err cn_accounts_unlogged(cn_consult *consult, bool *emptied);

#define CN_LOGIN_LOCK_MS 300000 /* after five wrong passwords */

/** The fresh session of a login. */
typedef struct cn_session {
    char token[CN_SESSION_TOKEN]; /* the cookie: only its SHA-256 is stored */
    char csrf[CN_SESSION_TOKEN];
    char user[CN_ID_TEXT];
} cn_session;

/**
 * CN_ERR_UNAUTH for a wrong name or password (which of them is not said), CN_ERR_RATE while the name is locked for this
 * address (5 failures: 5 minutes; people/attempts.h) or too many attempts from one address failed; the problem's word has
 * the tries that are left or the minutes. A name that nobody has counts and locks like others. Attempts go to the audit
 * log, refused ones summed up. Takes some 50 ms of CPU in either case.
 */
cn_err cn_login(cn_consult *consult, const char *username, const char *password, const char *address, cn_session *out,
                cn_problem *problem);

/** Whose login this is asked for, and what is seen of him. */
typedef struct cn_session_ask {
    const char *token, *address;
    cn_login_limits limits;
    cn_login_sign sign;
    int64_t ago_ms; /* since that sign */
} cn_session_ask;

typedef struct cn_session_found {
    cn_actor actor;
    char csrf[CN_SESSION_TOKEN];
    int64_t idle_left_ms, life_left_ms; /* until it ends if nobody shows himself, and in any case */
} cn_session_found;

/**
 * Who a session token is. CN_ERR_UNAUTH when unknown, ended by its limits (people/lifetime.h, by the monotonic clock) or
 * the user was disabled. Requests are no signs of a person. Answers are remembered for 2 s (a withdrawn right stops
 * within that time), signs are not: they are looked at and written at once, those of rooms every 30 s.
 */
cn_err cn_session_resolve(cn_consult *consult, const cn_session_ask *ask, cn_session_found *out);
/** The same from memory alone, without waiting: false when it is not remembered. `ask` without a sign. */
bool cn_session_recall(const cn_session_ask *ask, cn_session_found *out);
/** An account as it is now, whatever login it has: rights, hospital, department. CN_ERR_UNAUTH: disabled, or none. */
cn_err cn_actor_load(cn_consult *consult, const char *user, cn_actor *out);
cn_err cn_logout(cn_consult *consult, const cn_actor *actor, const char *token);
/** Ends all other sessions of the user. */
cn_err cn_password_change(cn_consult *consult, const cn_actor *actor, const char *token, const char *old_password,
                          const char *new_password, cn_problem *problem);

/** `{id, username, name, title, hospital: {id, name}, department: {id, name}, roles, rights}` */
cn_err cn_user_json(cn_consult *consult, const char *user, json_t **out);
/** `{hospitals, doctors}` of docs/protocol.md (R5). */
cn_err cn_directory(cn_consult *consult, json_t **out);

#endif
