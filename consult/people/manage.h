/*
 * What an administrator does for people who cannot log in: look, unlock, a new password. Every function wants the right
 * user.manage and leaves a row in the audit log. Blocking: job threads only.
 */
#ifndef CN_CONSULT_MANAGE_H
#define CN_CONSULT_MANAGE_H

#include "consult/people/accounts.h"

/** `{items: [{id, username, name, title, hospital, department, roles, active, locked_ms, consultations}]}`; locked_ms: how long
 * still; consultations: as cn_user_consultations counts. */
cn_err cn_user_list(cn_consult *consult, const cn_actor *actor, json_t **out);
/** Id by username in any case; CN_ERR_NOTFOUND. */
cn_err cn_user_find(cn_consult *consult, const char *username, char id[CN_ID_TEXT]);
/** Forgets wrong passwords. CN_ERR_NOTFOUND: no such user. */
cn_err cn_user_unlock(cn_consult *consult, const cn_actor *actor, const char *user);
/** Sets a password (by cn_password_check), forgets wrong ones and ends every login of the user, within 2 s. */
cn_err cn_user_password(cn_consult *consult, const cn_actor *actor, const char *user, const char *password,
                        cn_problem *problem);

/** Ends every login of the user, within 5 s also where he is in a room. */
cn_err cn_user_logout(cn_consult *consult, const cn_actor *actor, const char *user);
/** Nobody can log in with a disabled account; its logins end as by cn_user_logout. CN_ERR_STATE: one's own. */
cn_err cn_user_enable(cn_consult *consult, const cn_actor *actor, const char *user, bool on, cn_problem *problem);
/** In how many consultations that are not over he is to take part as an expert, or still has to write the report. */
cn_err cn_user_consultations(cn_consult *consult, const char *user, int64_t *count);

#endif
