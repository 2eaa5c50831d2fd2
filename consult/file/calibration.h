/*
 * How large a slide's pixels are, measured by somebody on a known length: kept with the slide, valid for everybody who
 * sees it. Blocking: job threads only.
 */
#ifndef CN_CONSULT_FILE_CALIBRATION_H
#define CN_CONSULT_FILE_CALIBRATION_H

#include "consult/consult.h"

/** `{mpp, by, at}`: µm per pixel of the full size, who measured it (his name) and when (ms); null where nobody did. New
 * reference. CN_ERR_NOTFOUND when the actor does not see the file or it is no slide. */
cn_err cn_calibration_get(cn_consult *consult, const cn_actor *actor, const char *file, json_t **out);

/** Keeps `{pixels, microns}` of `body`, a length in pixels of the full size and what it is in truth, in the place of what
 * was measured before; `out` as above. The referrer and the experts may, until the report is written (CN_ERR_FORBIDDEN,
 * CN_ERR_STATE); CN_ERR_INVALID for what no microscope has: below 0.001 or over 100 µm per pixel. */
cn_err cn_calibration_set(cn_consult *consult, const cn_actor *actor, const char *file, const json_t *body,
                          json_t **out, cn_problem *problem);

/** Forgets it: what the file says is valid again. Who may: as above. */
cn_err cn_calibration_remove(cn_consult *consult, const cn_actor *actor, const char *file, cn_problem *problem);

#endif
