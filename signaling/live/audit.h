/* What hosts do, and try to do, goes to the audit log. */
#ifndef CN_SIGNALING_LIVE_AUDIT_H
#define CN_SIGNALING_LIVE_AUDIT_H

#include "media/kinds.h"
#include "signaling/live/state.h"

/** CN_ERR_FORBIDDEN, audited, for who is no host. */
cn_err cn_need_host(cn_method_call *call, const char *action);
/** Writes an act of the caller to the audit log; `participant` may be NULL. */
void cn_host_audit(cn_method_call *call, const char *action, const char *outcome, const cn_member *participant,
                   const char *what);

/** Somebody calls too often; whether his connection was closed for it. */
void cn_flood_audit(const cn_client *client, const char *method, bool closed);

/** A picture of his claims a size that is not believed: what watchers pay is counted otherwise (media/rate/believe.h). */
void cn_size_audit(const cn_member *member, const cn_size_event *event);

#endif
