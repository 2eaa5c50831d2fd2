/* Reports, opinions and the consultation record. Signed versions are never changed. Blocking: job threads only. */
#ifndef CN_CONSULT_REPORT_H
#define CN_CONSULT_REPORT_H

#include "consult/consult.h"

/** `{findings, conclusion, advice, version, revision, author, updated_at, signed_at}` of the draft (for its author) or
 * the last signed version; JSON null when there is none. */
cn_err cn_report_get(cn_consult *c, const cn_actor *a, const char *request, json_t **out);
/** Saves the lead expert's draft `{findings, conclusion, advice, revision}`; CN_ERR_CONFLICT when `revision` is not the
 * stored one. *out: the new revision. */
cn_err cn_report_draft(cn_consult *c, const cn_actor *a, const char *request, const json_t *body, int64_t *revision,
                       cn_problem *p);
/** Signs the draft: AWAITING_REPORT → WRITTEN → REPORTED under the own-signature policy; an amendment of a reported one
 * becomes a new version. */
cn_err cn_report_sign(cn_consult *c, const cn_actor *a, const char *request, cn_problem *p);
cn_err cn_opinion_add(cn_consult *c, const cn_actor *a, const char *request, const json_t *body, cn_problem *p);
/** The referrer's consultation record `{text}`. */
cn_err cn_record_set(cn_consult *c, const cn_actor *a, const char *request, const json_t *body, cn_problem *p);

/** For cn_request_get, inside its connection: report (or null) and opinions (array). `own_draft`: the actor is the lead
 * and may see the draft. */
cn_err cn_report_json(cn_conn *conn, const char *request, bool own_draft, json_t **report, json_t **opinions);

#endif
