/*
 * The last packets of one layer: a ring of references by extended sequence number, for retransmission and for late
 * starters. One ring per layer and worker; owner thread only.
 */
#ifndef CN_MEDIA_HISTORY_H
#define CN_MEDIA_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "media/stream/packet.h"

#define CN_HISTORY_AGE_NS 2000000000ull
#define CN_HISTORY_RUN_AGE_NS 1000000000ull
#define CN_HISTORY_VIDEO 1024
#define CN_HISTORY_AUDIO 64
#define CN_HISTORY_KEPT 4096              /* packets of a run that is kept */
#define CN_HISTORY_KEPT_BYTES (8u << 20)  /* … and bytes */
#define CN_HISTORY_KEPT_NS 12000000000ull /* … and age */

typedef struct cn_history cn_history;

/** `capacity` is a power of two (CN_HISTORY_VIDEO, CN_HISTORY_AUDIO), else CN_ERR_INVALID. Starts with a small table
 * that grows to it. */
cn_err cn_history_new(cn_history **out, size_t capacity);
/** Drops all references. NULL allowed. */
void cn_history_free(cn_history *history);

/** Keeps a reference under packet->ext_seq and drops what the ring's bound or the age of 2 s pushes out. False, and
 * nothing kept: already there, or older than the ring reaches. */
bool cn_history_put(cn_history *history, cn_packet *packet);

/** From now on (or not any more) the newest key frame and all since are kept for longer: up to CN_HISTORY_KEPT packets,
 * CN_HISTORY_KEPT_BYTES and CN_HISTORY_KEPT_NS. Of a publisher who makes key frames when he likes. Beyond the bounds the
 * run is given up. */
void cn_history_keep(cn_history *history, bool keep);
/** Number of the newest key frame's first packet, 0: none is there. */
uint64_t cn_history_key(const cn_history *history);

/** Borrowed until the next put, expire or clear; NULL when not there or older than 2 s at `now_ns` and
 * not kept. */
cn_packet *cn_history_get(const cn_history *history, uint64_t ext_seq, uint64_t now_ns);

/** Drops what is older than 2 s. Call it about once a second for layers that stopped, so that they do not hold the
 * pool's packets. */
void cn_history_expire(cn_history *history, uint64_t now_ns);
/** Drops everything (the source is off, the SSRC restarted). */
void cn_history_clear(cn_history *history);

/** Highest extended number kept so far; 0 when none. */
uint64_t cn_history_highest(const cn_history *history);

/** The newest key frame and every packet since. */
typedef struct cn_history_run {
    uint64_t first, last;       /* extended numbers, inclusive: fetch each with cn_history_get */
    uint32_t first_ts, last_ts; /* RTP timestamps of both ends */
    uint32_t bytes;             /* sum of payload_len */
    uint64_t first_arrival_ns;
} cn_history_run;

/** CN_OK when the newest key frame's first packet came less than 1 s before `now_ns` (or is kept) and no number is missing from it
 * to the highest; otherwise CN_ERR_NOTFOUND (no key frame), CN_ERR_AGAIN (a hole: may be filled soon) or CN_ERR_TIMEOUT
 * (too old). */
cn_err cn_history_run_get(const cn_history *history, uint64_t now_ns, cn_history_run *out);

#endif
