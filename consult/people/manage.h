/*
 * What an administrator does for people who cannot log in: look, unlock, a new password. Every function wants the right
 * user.manage and leaves a row in the audit log. Blocking: job threads only.
 */
#ifndef CN_CONSULT_MANAGE_H
#define CN_CONSULT_MANAGE_H

#include "consult/people/accounts.h"

/** `{items: [{id, username, name, title, hospital, department, active, locked_ms}]}`; locked_ms: how long still. */
cn_err cn_user_list(cn_consult *consult, const cn_actor *actor, json_t **out);
/** Id by username in any case; CN_ERR_NOTFOUND. */
cn_err cn_user_find(cn_consult *consult, const char *username, char id[CN_ID_TEXT]);
/** Forgets wrong passwords. CN_ERR_NOTFOUND: no such user. */
cn_err cn_user_unlock(cn_consult *consult, const cn_actor *actor, const char *user);
/** Sets a password (by cn_password_check), forgets wrong ones and ends every login of the user, within 2 s. */
cn_err cn_user_password(cn_consult *consult, const cn_actor *actor, const char *user, const char *password,
                        cn_problem *problem);

#endif
