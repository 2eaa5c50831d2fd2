/* What calls about slides share. */
#ifndef CN_SIGNALING_SLIDES_H
#define CN_SIGNALING_SLIDES_H

#include "consult/file/file.h"
#include "signaling/api/grants.h"
#include "signaling/http/http.h"
#include "viewer/decode_proto.h"

/** cn_slide_file_path; a slide that came as a ZIP and is not unpacked is put in line for it, and that is said
 * (CN_ERR_AGAIN). */
cn_err cn_slide_place(cn_http *http, const cn_file_info *info, char *out, size_t size);

/** Whether the caller may see the slide {id} of the route: `action` is what is logged, NULL for tiles. */
cn_err cn_slide_permit(cn_http *http, const char *action, cn_grant *out);
/** The same, and what the slide is; what it lacks is being made from then on. */
cn_err cn_slide_load(cn_http *http, const char *action, cn_grant *out, cn_decode_info *info);
/** The same of a slide that is named elsewhere than in the path. */
cn_err cn_slide_load_file(cn_http *http, const char *id, const char *action, cn_grant *out, cn_decode_info *info);
/** A picture of a slide that could not be made: while its overview is being made, that is said (503) instead of "too
 * large". Gives the error to answer. */
cn_err cn_slide_refusal(cn_http *http, const char *id, cn_err err);

#endif
