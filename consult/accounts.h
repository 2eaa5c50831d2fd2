/*
 * Who uses the platform: hospitals, departments, users, roles and their rights, logins. Blocking: job threads only. Thread-safe.
 */
#ifndef CN_CONSULT_ACCOUNTS_H
#define CN_CONSULT_ACCOUNTS_H

#include "consult/consult.h"

#define CN_SESSION_TOKEN 44       /* bytes of a session's token as text, its end included */
#define CN_SESSION_CACHE_MS 2000  /* a right that was withdrawn is gone after so long */
#define CN_LOGIN_FAILURES 5       /* wrong passwords in a row … */
#define CN_LOGIN_LOCK_MS 300000   /* … lock the account for so long */
#define CN_SESSION_MAX_MS (12 * 3600 * 1000) /* a login ends after so long however busy it is */

/* role in the API and the database, its rights as bits */
#define CN_ROLE_BIT(id) (1u << CN_RIGHT_##id)
#define CN_ROLE_TABLE(X)                                                                                            \
    X("referrer", CN_ROLE_BIT(REQUEST_CREATE))                                                                      \
    X("expert", CN_ROLE_BIT(REPORT_WRITE) | CN_ROLE_BIT(SLIDE_LABEL))                                               \
    X("consult_admin", CN_ROLE_BIT(REQUEST_REVIEW) | CN_ROLE_BIT(REQUEST_READ_ALL) | CN_ROLE_BIT(MINUTES_READ) |    \
                           CN_ROLE_BIT(ROOM_MODERATE))                                                              \
    X("sys_admin", CN_ROLE_BIT(USER_MANAGE) | CN_ROLE_BIT(MINUTES_READ))                                            \
    X("config_admin", CN_ROLE_BIT(CONFIG_MANAGE))                                                                   \
    X("audit_admin", CN_ROLE_BIT(AUDIT_READ))

/** Rights of a role; 0 for an unknown one. */
uint32_t cn_role_rights(const char *role);

typedef struct cn_accounts cn_accounts;

/** `idle_ms`: a login ends after so long without a call. */
cn_err cn_accounts_new(cn_accounts **out, cn_consult *c, int64_t idle_ms);
/** NULL allowed. */
void cn_accounts_free(cn_accounts *a);

/** An open login. `token` goes into the cookie and is stored as a hash only. */
typedef struct cn_login {
    char token[CN_SESSION_TOKEN];
    char csrf[CN_SESSION_TOKEN];
    char user[CN_ID_TEXT];
} cn_login;

/**
 * CN_ERR_UNAUTH: wrong name or password, or an account that is switched off (the same answer for all). CN_ERR_RATE: locked after
 * CN_LOGIN_FAILURES, or too many failures from this address. All of it is in the audit log.
 */
cn_err cn_account_login(cn_accounts *a, const char *username, const char *password, const char *address, cn_login *out, cn_problem *p);

/** The login behind a token. `touch`: counts as use. CN_ERR_UNAUTH when there is none (any more). */
typedef struct cn_session {
    cn_actor actor;
    char csrf[CN_SESSION_TOKEN];
} cn_session;
cn_err cn_session_resolve(cn_accounts *a, const char *token, const char *address, bool touch, cn_session *out);
cn_err cn_session_end(cn_accounts *a, const cn_actor *actor, const char *token);

/** Checks the rules (≥ 10 characters with letter, digit and symbol, without the user's name) and ends the user's other logins. */
cn_err cn_account_password(cn_accounts *a, const cn_actor *actor, const char *token, const char *old, const char *new_one, cn_problem *p);
/** The rules alone. Pure. */
cn_err cn_password_check(const char *username, const char *password, cn_problem *p);
/** A random password that keeps the rules. */
void cn_password_new(char out[20]);

/** `{id, username, name, title, hospital:{id,name}, department:{id,name}, roles, rights}`. */
cn_err cn_account_json(cn_consult *c, const char *user, json_t **out);
/** `{hospitals, doctors}` of docs/protocol.md (R5). */
cn_err cn_directory(cn_consult *c, const cn_actor *actor, json_t **out);

typedef struct cn_account_new {
    const char *username; /* ≥ 6 letters and digits, made lower case */
    const char *password, *name, *title, *hospital, *department;
    const char *phone;        /* or NULL */
    const char *const *roles; /* ends with NULL */
} cn_account_new;
/** Right user.manage. CN_ERR_CONFLICT when the name is taken. */
cn_err cn_account_add(cn_consult *c, const cn_actor *actor, const cn_account_new *n, char id[CN_ID_TEXT], cn_problem *p);
/** Makes it, or gives the one with this name (hospital) or code (department) that is there. */
cn_err cn_hospital_add(cn_consult *c, const cn_actor *actor, const char *name, const char *city, char id[CN_ID_TEXT]);
cn_err cn_department_add(cn_consult *c, const cn_actor *actor, const char *hospital, const char *name, const char *code, char id[CN_ID_TEXT]);

/** Bearer tokens for WHIP and WHEP: stored as a hash, end by themselves. `token` is for the person only. */
cn_err cn_room_token_new(cn_consult *c, const cn_actor *actor, const char *room, bool publish, int64_t lives_ms,
                         char token[CN_SESSION_TOKEN]);
/** CN_ERR_UNAUTH for an unknown or ended token or one of another room; CN_ERR_FORBIDDEN when it may not do this. */
cn_err cn_room_token_check(cn_consult *c, const char *token, const char *room, bool publish);

#endif
