/*
 * Accounts: users, roles and their rights, passwords (Argon2id), logins. Blocking: job threads only.
 */
#ifndef CN_CONSULT_ACCOUNTS_H
#define CN_CONSULT_ACCOUNTS_H

#include "consult/consult.h"

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
cn_err cn_user_add(cn_consult *consult, const cn_actor *actor, const cn_user_new *user, char id[CN_ID_TEXT],
                   cn_problem *problem);
cn_err cn_hospital_add(cn_consult *consult, const cn_actor *actor, const char *name, const char *city,
                       char id[CN_ID_TEXT]);
cn_err cn_department_add(cn_consult *consult, const cn_actor *actor, const char *hospital, const char *name,
                         const char *code, char id[CN_ID_TEXT]);
/** Ids by name (hospital) and code (department); "" when there is none. */
cn_err cn_hospital_find(cn_consult *consult, const char *name, char id[CN_ID_TEXT]);
cn_err cn_department_find(cn_consult *consult, const char *hospital, const char *code, char id[CN_ID_TEXT]);
/** True when there is no user yet. */
cn_err cn_accounts_empty(cn_consult *consult, bool *empty);

#define CN_LOGIN_LOCK_MS 300000 /* after five wrong passwords */

/** The fresh session of a login. */
typedef struct cn_session {
    char token[CN_SESSION_TOKEN]; /* the cookie: only its SHA-256 is stored */
    char csrf[CN_SESSION_TOKEN];
    char user[CN_ID_TEXT];
} cn_session;

/**
 * CN_ERR_UNAUTH for a wrong name or password (which of them is not said), CN_ERR_RATE while the account is locked (5
 * failures: 5 minutes) or too many attempts come from one address; the problem's word has the tries that are left or
 * the minutes. A name that nobody has counts and locks like others. Every attempt goes to the audit log. Takes some 50
 * ms of CPU in either case.
 */
cn_err cn_login(cn_consult *consult, const char *username, const char *password, const char *address, cn_session *out,
                cn_problem *problem);

/**
 * Who a session token is: fills the actor and the session's CSRF token. CN_ERR_UNAUTH when unknown, idle for longer
 * than `idle_ms` (by the monotonic clock: base/clock.h; INT64_MAX: being idle does not end it, and it counts as seen
 * now), or the user was disabled. Answers are remembered for 2 s (a withdrawn right stops within that time);
 * the time of last use is written every 30 s.
 */
cn_err cn_session_resolve(cn_consult *consult, const char *token, const char *address, int64_t idle_ms, cn_actor *out,
                          char csrf[CN_SESSION_TOKEN]);
/** Who it is, without counting as use: for what a page does by itself while nobody may be there. */
cn_err cn_session_look(cn_consult *consult, const char *token, const char *address, int64_t idle_ms, cn_actor *out);
cn_err cn_logout(cn_consult *consult, const cn_actor *actor, const char *token);
/** Ends all other sessions of the user. */
cn_err cn_password_change(cn_consult *consult, const cn_actor *actor, const char *token, const char *old_password,
                          const char *new_password, cn_problem *problem);

/** `{id, username, name, title, hospital: {id, name}, department: {id, name}, roles, rights}` */
cn_err cn_user_json(cn_consult *consult, const char *user, json_t **out);
/** `{hospitals, doctors}` of docs/protocol.md (R5). */
cn_err cn_directory(cn_consult *consult, json_t **out);

#endif
