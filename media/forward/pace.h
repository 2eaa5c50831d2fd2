/* A line on which nothing waits unless it is the limit; then bursts are spread (pacer.h). Owner thread only. */
#ifndef CN_MEDIA_PACE_H
#define CN_MEDIA_PACE_H

#include "media/forward/line.h"

/** `send` sends what has waited. */
void cn_pace_init(cn_line *line, cn_pace_send send);
/** What waits is dropped. */
void cn_pace_free(cn_line *line);
/** Does the line bind, and at which rate? Every 20 ms. */
void cn_pace_update(cn_line *line, uint64_t now_ns);
/** True: the packet waits and leaves later by the send function. False: it is sent now. */
bool cn_pace_hold(cn_line *line, const cn_paced *paced);
/** What waits of a slot leaves now: it will show something else. */
void cn_pace_flush(cn_line *line, const struct cn_slot *slot);
bool cn_pace_busy(const cn_line *line);

#endif
