/*
 * Pictures of places on slides in a report. A picture is made once and never changes; which of them a version shows, in
 * which order and under which captions, is part of the version (`reports.figures`) and fixed by its signature. One that
 * no version names stays its author's. Blocking: job threads only.
 */
#ifndef CN_CONSULT_REPORT_FIGURES_H
#define CN_CONSULT_REPORT_FIGURES_H

#include "consult/scope.h"

#define CN_FIGURES_MAX 24     /* of a version */
#define CN_FIGURE_CAPTION 300 /* characters */

/** A picture that was made: what it shows, and its object. */
typedef struct cn_figure_new {
    const char *file;
    const char *sha256;
    const json_t
        *place; /* {cx, cy, w, h, rotation, mirror, z, width, height, mpp}: as view.state (docs/protocol.md); the
                            picture's pixels; µm of one of them, 0 without a scale */
} cn_figure_new;

/** Whether the actor may put a picture of `file` into the request's report now: the lead expert while a draft can be
 * written. CN_ERR_NOTFOUND: not his request, or no slide of it. */
cn_err cn_figure_may(cn_consult *consult, const cn_actor *actor, const char *request, const char *file,
                     cn_problem *problem);

/** Keeps it; `out`: `{id, file, cx, …}`, new reference. Who may: as above. */
cn_err cn_figure_add(cn_consult *consult, const cn_actor *actor, const char *request, const cn_figure_new *figure,
                     json_t **out, cn_problem *problem);

/** The object of a picture: for whoever sees the request when a signed version shows it, otherwise for the lead expert.
 * CN_ERR_NOTFOUND. Written to the audit log where it is refused. */
cn_err cn_figure_object(cn_consult *consult, const cn_actor *actor, const char *request, const char *figure,
                        char sha256[65]);

/** Member `figures` `[{id, caption}, …]` of a draft as the text that is stored: `before` where there is no such member.
 * CN_ERR_INVALID for what is no picture of this request. `out` is the caller's to free. */
cn_err cn_figures_take(cn_conn *conn, const char *request, const json_t *body, const char *before, char **out,
                       cn_problem *problem);

/** The stored text with all that the page and the printer need: `[{id, caption, sha256, file, cx, …}, …]`, new reference. */
cn_err cn_figures_json(cn_conn *conn, const char *request, const char *text, json_t **out);

#endif
