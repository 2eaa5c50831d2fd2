/*
 * A record or an opinion while somebody types it: his alone, sealed, until it is sent. It is no step of the request's life: nobody is told, no
 * history is written. Every text has a revision, so that two windows do not overwrite each other; as request/draft.h does for the form.
 * Blocking: job threads only.
 */
#ifndef CN_CONSULT_REPORT_TYPED_H
#define CN_CONSULT_REPORT_TYPED_H

#include "consult/scope.h"

/** Which text: the referrer's consultation record, or an expert's opinion. The name is that of the act that sends it. */
#define CN_TYPED_RECORD "record"
#define CN_TYPED_OPINION "opinion"

/** `{revision, updated_at, text, sent}`, new reference; revision 0: never one, text null: nothing that was not sent; `sent`: the record as the
 * request has it, '' for an opinion. One's own; also after it can be sent no more. */
cn_err cn_typed_get(cn_consult *consult, const cn_actor *actor, const char *request, const char *kind, json_t **out);

/** Keeps `body` `{revision, text}`; text null throws it away. `out` as above, without the text. CN_ERR_CONFLICT when `revision` is not the
 * stored one, CN_ERR_STATE when it cannot be sent any more. */
cn_err cn_typed_set(cn_consult *consult, const cn_actor *actor, const char *request, const char *kind,
                    const json_t *body, json_t **out, cn_problem *problem);

/** The text was sent: `draft` of `body` is the revision of what it was made of (nothing kept: 0), which ends with it. CN_ERR_CONFLICT when
 * another window kept or sent another one meanwhile. Without `draft` nothing happens. Inside the caller's transaction. */
cn_err cn_typed_sent(cn_conn *conn, const cn_actor *actor, const char *request, const char *kind, const json_t *body,
                     cn_problem *problem);

#endif
