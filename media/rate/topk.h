/*
 * The loudest K participants of a room, and who speaks. Lives on the room's home worker; owner thread only, injected
 * clock. Participants are indices given by the caller, 0…CN_TOPK_MAX − 1.
 */
#ifndef CN_MEDIA_TOPK_H
#define CN_MEDIA_TOPK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define CN_TOPK_MAX 1024
#define CN_TOPK_K_MAX 16
#define CN_TOPK_TICK_NS 20000000ull
#define CN_TOPK_NOBODY (-1)

typedef struct cn_topk cn_topk;

/** `most`: slots, 1…CN_TOPK_K_MAX; most + 1 are ranked so that everybody can skip himself. */
cn_err cn_topk_new(cn_topk **out, unsigned most);
void cn_topk_free(cn_topk *topk);

/** A packet's RFC 6464 level (0 loudest … 127 silence) and voice flag (true where the sender does not tell).
 * CN_ERR_INVALID for an index outside. */
cn_err cn_topk_level(cn_topk *topk, unsigned index, uint8_t level, bool voice, uint64_t now_ns);
/** A packet of a publisher without the extension: bytes of Opus payload (≤ 3 is DTX), against his own recent range. */
cn_err cn_topk_size(cn_topk *topk, unsigned index, size_t opus_bytes, uint64_t now_ns);
/** Muted, gone: out of the ranking at once. */
void cn_topk_remove(cn_topk *topk, unsigned index);

/** Advances to `now_ns` in steps of 20 ms; call about that often. Returns a mask of what changed. */
#define CN_TOPK_CHANGED_LIST 1u
#define CN_TOPK_CHANGED_SPEAKER 2u
unsigned cn_topk_tick(cn_topk *topk, uint64_t now_ns);

/** The ranked indices, loudest first, at most `max` of the k + 1; returns how many. Whoever was ranked stays until
 * somebody clearly louder comes, or somebody who speaks and was not among the first k for long. */
size_t cn_topk_list(const cn_topk *topk, uint16_t *out, size_t max);

/** Index of who speaks now or spoke last within 3 s, CN_TOPK_NOBODY for silence. */
int cn_topk_speaker(const cn_topk *topk);

#endif
