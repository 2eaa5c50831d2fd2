/* From root to an account that owns nothing but its data. */
#ifndef CN_BASE_RIGHTS_H
#define CN_BASE_RIGHTS_H

#include "base/err.h"

/**
 * Makes this process the user's, for good: groups, no capabilities but the one for ports below 1024, no new rights by any
 * program that it starts. Nothing to do for who is not root. Before the first thread. CN_ERR_NOTFOUND: no such account;
 * CN_ERR_FORBIDDEN: it is root too, or the kernel refused.
 */
cn_err cn_rights_drop(const char *user);

#endif
