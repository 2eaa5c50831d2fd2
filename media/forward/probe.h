/*
 * Probes: when the estimator could use more, recent packets are repeated on a slot's retransmission SSRC at a higher
 * rate for about 25 ms, or longer where packets jitter. What comes back in the transport-wide feedback tells whether
 * more would fit; the receiver's jitter buffer drops what it has. Owner thread only.
 */
#ifndef CN_MEDIA_PROBE_H
#define CN_MEDIA_PROBE_H

#include "media/forward/line.h"

/** `send` repeats one packet. */
void cn_probe_init(cn_line *line, cn_probe_send send);
void cn_probe_free(cn_line *line);
/** Begins one when the estimator wants to know whether more would fit. Every 20 ms. */
void cn_probe_start(cn_line *line, uint64_t now_ns);
/** The slot ends or shows something else: it carries no probe any more. */
void cn_probe_drop(cn_line *line, const struct cn_slot *slot);

#endif
