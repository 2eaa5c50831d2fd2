/*
 * The form of a request while somebody types: his alone, as half-written as it is, sealed. It is no step of the request's life: nobody is told,
 * no number is given, no history is written, and an urgent one calls nobody before it is sent. Every draft has a revision, so that two
 * windows do not overwrite each other. Blocking: job threads only.
 */
#ifndef CN_CONSULT_REQUEST_DRAFT_H
#define CN_CONSULT_REQUEST_DRAFT_H

#include "consult/scope.h"

#define CN_FORM_DRAFT_NEW "new" /* in place of a request's id: one that is not there yet */

/** `{revision, updated_at, form}`, new reference; revision 0: never one, form null: nothing that was not sent. Only the referrer's own. */
cn_err cn_form_draft_get(cn_consult *consult, const cn_actor *actor, const char *request, json_t **out);

/** Keeps `body` `{revision, form}`; form null throws it away. `out` as above, without the form. CN_ERR_CONFLICT when `revision` is not the
 * stored one, CN_ERR_STATE when the form cannot be changed any more. */
cn_err cn_form_draft_set(cn_consult *consult, const cn_actor *actor, const char *request, const json_t *body,
                         json_t **out, cn_problem *problem);

/** The form was sent: `draft` of `body` is the revision of the draft that it was made of (one that is not there: 0), and the draft ends with it.
 * CN_ERR_CONFLICT when another window kept or sent another one meanwhile. Without `draft` nothing happens. Inside the caller's transaction. */
cn_err cn_form_draft_sent(cn_conn *conn, const cn_actor *actor, const char *request, const json_t *body,
                          cn_problem *problem);

#endif
