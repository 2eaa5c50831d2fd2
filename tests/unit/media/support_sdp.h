/* What tests of SDP share: captured offers, and the answer that a server with room for everything gives. */
#ifndef CN_TESTS_SUPPORT_SDP_H
#define CN_TESTS_SUPPORT_SDP_H

#include "media/sdp/sdp.h"

/* A file of tests/data/sdp, zero-terminated; caller frees. */
char *support_sdp_read(const char *name, size_t *len);

/* Accepts every audio section with Opus and every video section with VP8 or `video`; slots get SSRCs from 1000 up.
 * `sections` has room for all. */
void support_sdp_answer(const cn_sdp *offer, cn_codec video, cn_sdp_answer *answer, cn_sdp_answer_section *sections);

#endif
