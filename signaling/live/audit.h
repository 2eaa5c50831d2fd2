/* What hosts do, and try to do, goes to the audit log. */
#ifndef CN_SIGNALING_LIVE_AUDIT_H
#define CN_SIGNALING_LIVE_AUDIT_H

#include "signaling/live/state.h"

/** CN_ERR_FORBIDDEN, audited, for who is no host. */
cn_err cn_need_host(cn_method_call *call, const char *action);
/** Writes an act of the caller to the audit log; `participant` may be NULL. */
void cn_host_audit(cn_method_call *call, const char *action, const char *outcome, const cn_member *participant,
                   const char *what);

#endif
