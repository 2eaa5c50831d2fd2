/*
 * What people draw and measure on the picture of a request. Whoever may read the file sees every mark with its author; the referrer and the
 * assigned experts draw, and each changes his own only. Once the request is closed, rejected or cancelled nobody changes any, its author
 * neither: the record shows what the report was made with. Until then, also beside a signed report, which may be amended. Words are sealed.
 * Blocking: job threads only. JSON: docs/openapi.json.
 */
#ifndef CN_CONSULT_MARK_MARKS_H
#define CN_CONSULT_MARK_MARKS_H

#include "consult/consult.h"
#include "consult/mark/shape.h"

#define CN_MARKS_MAX 2000         /* on one file; then CN_ERR_STATE */
#define CN_MARKS_BYTES (8 << 20)  /* of the points of one file's marks */
#define CN_MARKS_VERSION (20 + 1) /* bytes, with the end */

/** Text that changes with every change of a file's marks, and with whether the actor may draw. CN_ERR_NOTFOUND for who has no part in its
 * request, and for what has no picture. */
cn_err cn_marks_version(cn_consult *consult, const cn_actor *actor, const char *file, char out[CN_MARKS_VERSION]);

/** `{may_write, marks}`, the oldest first, new reference. `look`: written to the audit log as a read (a page that is told of changes asks
 * again and again: its first look is logged, as with tiles). */
cn_err cn_marks_get(cn_consult *consult, const cn_actor *actor, const char *file, bool look, json_t **out);

/** Adds a mark; `*out` is it as JSON, new reference. `*fresh`: it was not there before; what was is answered as it is now. CN_ERR_FORBIDDEN
 * for who takes no part, CN_ERR_STATE for a request that is over or a file that is full. */
cn_err cn_mark_add(cn_consult *consult, const cn_actor *actor, const char *file, const json_t *body, json_t **out,
                   bool *fresh, cn_problem *problem);

/** Changes one's own mark: `body` as for adding, with `revision` (CN_ERR_CONFLICT, field "revision", when it is not the stored one). A deleted
 * one is there again. CN_ERR_FORBIDDEN for another's. */
cn_err cn_mark_set(cn_consult *consult, const cn_actor *actor, const char *file, const char *mark, const json_t *body,
                   json_t **out, cn_problem *problem);

/** Deletes one's own mark of that revision; `*revision` is what takes it back (cn_mark_set). Deleted once more is deleted. */
cn_err cn_mark_delete(cn_consult *consult, const cn_actor *actor, const char *file, const char *mark, int64_t *revision,
                      cn_problem *problem);

#endif
