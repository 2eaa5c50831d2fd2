/*
 * When the timestamps of a publisher who sends no sender reports were captured, by when its packets came: the least
 * delayed ones are the nearest to the truth. One per SSRC. Plain struct, initialised with cn_arrivals_init.
 */
#ifndef CN_MEDIA_ARRIVALS_H
#define CN_MEDIA_ARRIVALS_H

#include <stdbool.h>
#include <stdint.h>

#include "media/stream/ntpmap.h"

#define CN_ARRIVALS_NS 4000000000ull /* a sender report comes within so long (RFC 3550 §6.2), or never will */

typedef struct cn_arrivals {
    uint32_t rate;     /* of the timestamps, Hz */
    uint32_t ts;       /* the newest */
    uint64_t ticks;    /* it, extended */
    uint64_t since_ns; /* 0: none came */
    cn_ntpclock clock; /* its own time against the server's */
} cn_arrivals;

void cn_arrivals_init(cn_arrivals *arrivals, uint32_t rate);
/** A packet came. */
void cn_arrivals_packet(cn_arrivals *arrivals, uint32_t ts, uint64_t now_ns);
/** The newest timestamp, and when it was captured on the server's monotonic clock; false before CN_ARRIVALS_NS. */
bool cn_arrivals_capture(const cn_arrivals *arrivals, uint64_t now_ns, uint32_t *ts, int64_t *server_ns);

#endif
