/* What calls about slides share. */
#ifndef CN_SIGNALING_SLIDES_H
#define CN_SIGNALING_SLIDES_H

#include "signaling/http/http.h"

/** A picture of a slide that could not be made: while its overview is being made, that is said (503) instead of "too
 * large". Gives the error to answer. */
cn_err cn_slide_refusal(cn_http *http, const char *id, cn_err err);

#endif
