/* From what media sends to the ledger. */
#ifndef CN_SIGNALING_LIVE_MINUTES_H
#define CN_SIGNALING_LIVE_MINUTES_H

#include "signaling/live/state.h"

void cn_minutes_area(cn_member *member, uint64_t mono_ms, int64_t sum, int64_t max);
void cn_minutes_start(cn_member *member, uint64_t mono_ms, int64_t wall_ms);
/** Media heard from the participant last at mono_ms. */
void cn_minutes_sign(cn_member *member, uint64_t mono_ms);
void cn_minutes_stop(cn_member *member, uint64_t mono_ms, const char *cause);
/** Every minute. */
void cn_minutes_checkpoint(void *live);
/** Every second: what waits goes to the ledger. */
void cn_minutes_flush(void *live);
void cn_minutes_free(cn_live *live);

#endif
