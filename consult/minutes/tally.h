/*
 * A participant's meter that is fed as far as he has given signs of life. What was sent to somebody who had vanished is
 * nobody's minutes, and that he had is known only when media gives him up, up to 20 s later: whatever was closed in
 * between, by a checkpoint or by a change of tier, would stand in the ledger for ever. So changes wait here until a
 * sign of life at or after them has come. A leaf without I/O; time comes in as monotonic ms.
 *
 *   cn_tally_start(&t, mono, wall, zone);                       joined, which is the first sign
 *   n = cn_tally_area(&t, mono, sum, largest, segs, COUNT);     what is being sent to him changed
 *   n = cn_tally_sign(&t, mono, segs, COUNT);                   his last packet came at `mono`
 *   n = cn_tally_checkpoint(&t, mono, segs, COUNT);             every minute or so
 *   n = cn_tally_stop(&t, last_sign_of_life, "timeout", segs, COUNT);
 * Segments come out as from a cn_meter. A crash loses what came after the last sign before the last checkpoint.
 */
#ifndef CN_CONSULT_TALLY_H
#define CN_CONSULT_TALLY_H

#include "consult/minutes/meter.h"

#define CN_TALLY_CHANGES 32
/* Room for segments of one call: every change that waits, the end, and months. */
#define CN_TALLY_SEGMENTS (CN_TALLY_CHANGES + CN_METER_SEGMENTS)
/* Whom media has not given up is there: it does so after 20 s. Holds where signs of life do not get through. */
#define CN_TALLY_SURE_MS 60000

typedef struct cn_tally_change {
    uint64_t mono_ms;
    int64_t sum, max;
} cn_tally_change;

typedef struct cn_tally {
    cn_meter meter;
    uint64_t sign_mono_ms;
    size_t waiting;
    cn_tally_change change[CN_TALLY_CHANGES]; /* in order of time, all after the last sign */
} cn_tally;

/** As cn_meter_start. */
void cn_tally_start(cn_tally *tally, uint64_t mono_ms, int64_t wall_ms, int zone_minutes);
/** Waits for a sign of life; where too many wait the oldest counts as if one had come. `max` of all: CN_TALLY_SEGMENTS. */
size_t cn_tally_area(cn_tally *tally, uint64_t mono_ms, int64_t sum, int64_t max_area, cn_meter_segment *out,
                     size_t max);
/** His last packet so far came at mono_ms; one that is older than what is known says nothing. */
size_t cn_tally_sign(cn_tally *tally, uint64_t mono_ms, cn_meter_segment *out, size_t max);
/** Closes what is open up to the last sign of life and goes on. `mono_ms`: now. */
size_t cn_tally_checkpoint(cn_tally *tally, uint64_t mono_ms, cn_meter_segment *out, size_t max);
/** Ends at mono_ms: now, or the last sign of life of a lost connection; what waits after it is forgotten. */
size_t cn_tally_stop(cn_tally *tally, uint64_t mono_ms, const char *cause, cn_meter_segment *out, size_t max);

#endif
