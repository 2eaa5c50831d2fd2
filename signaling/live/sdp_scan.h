/* The little that the live side reads from an offer: which sections send, and how many layers they have. Pure. */
#ifndef CN_SIGNALING_SDP_SCAN_H
#define CN_SIGNALING_SDP_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#define CN_SDP_SCAN_MAX 128 /* sections looked at */

typedef struct cn_sdp_section {
    char mid[64];
    bool video;
    bool port_zero, bundle_only, receives_only; /* as written */
    bool sends;                                 /* port 0 is no refusal where "bundle-only" stands (RFC 9143 §6) */
    unsigned rids;                              /* "a=rid:… send" lines */
} cn_sdp_section;

/** Sections of an SDP (RFC 8866) in order, at most `max`; how many. Malformed lines are passed over: media/ judges the
 * offer. */
size_t cn_sdp_scan(const char *sdp, cn_sdp_section *out, size_t max);

#endif
