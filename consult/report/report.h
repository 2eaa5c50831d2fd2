/*
 * Reports, opinions and the consultation record. Signed versions are never changed. Blocking: job threads only.
 *
 * A request's report is a row of versions 1, 2 …; at most one, the newest, is a draft (not signed yet). From 2 on they
 * are amendments and say why (`reason`). `revision` goes up with every change of the draft and over its versions, also
 * when an amendment is given up: whoever saves names the revision he has seen (0: there was no report at all).
 */
#ifndef CN_CONSULT_REPORT_H
#define CN_CONSULT_REPORT_H

#include "consult/consult.h"

/** Setting "report.policy.C": "own" (default: the expert's signature releases the report) or "audit" (it stays WRITTEN
 * until an auditor releases it). */
#define CN_REPORT_POLICY_KEY "report.policy.C"

/** `{findings, conclusion, advice, reason, figures (figures.h), version, revision, author: {id, name, title}, updated_at, signed_at}`, a signed one
 * with its `circumstances` (circumstances.h): the draft for the lead expert (signed_at null; `signed` then holds the last signed version or null), for all others the last signed
 * version; JSON null when there is none. Written to the audit log as a read. */
cn_err cn_report_get(cn_consult *consult, const cn_actor *actor, const char *request, json_t **out);
/** All signed versions, the first one first; the last is the valid one. Written to the audit log as a read. */
cn_err cn_report_versions(cn_consult *consult, const cn_actor *actor, const char *request, json_t **out);
/** Saves the lead expert's draft `{findings, conclusion, advice, reason, figures?, revision}` (without `figures` they stay); CN_ERR_CONFLICT when `revision` is
 * not the stored one. After a signature the next draft is an amendment, a new version. *revision: the new one. */
cn_err cn_report_draft(cn_consult *consult, const cn_actor *actor, const char *request, const json_t *body,
                       int64_t *revision, cn_problem *problem);
/** Signs the draft, which needs findings and a conclusion, an amendment its reason too (CN_ERR_CONFLICT):
 * AWAITING_REPORT → WRITTEN → REPORTED under the own-signature policy; an amendment of a reported one becomes a new
 * version, its reason stands in the history. `body` may be NULL or hold `revision`: then exactly that draft is signed or
 * none (CN_ERR_CONFLICT). `answer` may be NULL, here and below. */
cn_err cn_report_sign(cn_consult *consult, const cn_actor *actor, const char *request, const json_t *body,
                      cn_answer *answer, cn_problem *problem);
/** Gives the draft of an amendment up: it is gone, the last signed version stays what it is. `body` as for signing.
 * CN_ERR_STATE for the draft of a first version, CN_ERR_CONFLICT when there is no draft. */
cn_err cn_report_discard(cn_consult *consult, const cn_actor *actor, const char *request, const json_t *body,
                         cn_answer *answer, cn_problem *problem);
/** The referrer has read the amended report, `{version}` or an older one: it does not wait for him any more. CN_ERR_FORBIDDEN for others. */
cn_err cn_report_seen(cn_consult *consult, const cn_actor *actor, const char *request, const json_t *body,
                      cn_answer *answer, cn_problem *problem);
/** An assigned expert's signed opinion `{text, draft?}`; `draft`: as cn_typed_sent says, here and below. */
cn_err cn_opinion_add(cn_consult *consult, const cn_actor *actor, const char *request, const json_t *body,
                      cn_answer *answer, cn_problem *problem);
/** The referrer's consultation record `{text, draft?}`. */
cn_err cn_record_set(cn_consult *consult, const cn_actor *actor, const char *request, const json_t *body,
                     cn_answer *answer, cn_problem *problem);

/** For cn_request_get, inside its connection: report (or null) and opinions `[{id, author: {id, name, title}, text,
 * at}]`. `own_draft`: the actor is the lead and may see the draft. New references. */
cn_err cn_report_json(cn_conn *conn, const char *request, bool own_draft, json_t **report, json_t **opinions);

#endif
