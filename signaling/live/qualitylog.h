/*
 * How one participant's connection was during the last hour: a bounded ring of points, each the summary of ten seconds.
 * Pure but for memory, which grows with the time that is covered; injected clock.
 */
#ifndef CN_SIGNALING_QUALITYLOG_H
#define CN_SIGNALING_QUALITYLOG_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "media/media.h"

#define CN_QUALITYLOG_STEP_MS 10000
#define CN_QUALITYLOG_POINTS 360 /* an hour; older ones are overwritten */

typedef struct cn_quality_point {
    int64_t at_ms;                                       /* wall clock at its beginning, a multiple of the step */
    uint32_t up_bps, down_bps, estimate_bps, wanted_bps; /* means, as rtt, jitter and loss */
    uint32_t why;                                        /* every reason that was given meanwhile */
    uint16_t rtt_ms, jitter_ms;
    uint16_t up_loss, down_loss;                     /* in 1/10,000 */
    uint16_t nacks_in, nacks_out, plis_in, plis_out; /* within the point */
    uint16_t sent_height, received_height;           /* largest picture to, from the participant */
    uint16_t paused;                                 /* most slots at once */
    uint8_t layers;                                  /* most layers at once that came of its camera */
    uint8_t mark;                                    /* worst */
} cn_quality_point;

/** Zeroed is ready. */
typedef struct cn_qualitylog {
    cn_quality_point *points;
    size_t capacity, first, n;
    /* the point under way */
    cn_quality_point now;
    unsigned measured;
    double sum[8];
    uint64_t before[4]; /* counters at its beginning */
    int known;          /* `before` holds something */
} cn_qualitylog;

/** Adds one measurement. A point is finished by the first measurement after its end. CN_ERR_NOMEM: the point is lost.
 */
cn_err cn_qualitylog_add(cn_qualitylog *log, const cn_media_stats *stats, int mark, uint32_t why, int64_t wall_ms);
/** index from 0, the oldest; finished points only. NULL at the end. */
const cn_quality_point *cn_qualitylog_at(const cn_qualitylog *log, size_t index);
/** Keeps no more memory than the points need that are there: of one who left. The point under way is finished. */
void cn_qualitylog_fit(cn_qualitylog *log);
/** Frees its memory. */
void cn_qualitylog_end(cn_qualitylog *log);

#endif
