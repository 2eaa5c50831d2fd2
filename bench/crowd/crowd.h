/* Many clients that play together, in one thread: what they are like, what they counted, and the clock that moves them. */
#ifndef CN_CROWD_H
#define CN_CROWD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "shape.h"
#include "totals.h"

typedef struct crowd crowd;

crowd *crowd_new(const crowd_shape *shape);
crowd_totals *crowd_totals_get(crowd *throng);
/** From zero again; what is on its way still counts as expected. */
void crowd_totals_reset(crowd *throng);
/** Counts what is still missing as lost; call when everything has had its time to arrive. */
void crowd_totals_close(crowd *throng);
/** How many slots there are; `*delivering`: on how many of them packets came within the last second; `*audio_missing`:
 * how many of the others are for voices. */
unsigned crowd_streams(const crowd *throng, unsigned *delivering, unsigned *audio_missing);
/** From now on, when each datagram of media left the server (on loopback it arrives when it leaves), at most `max`. */
void crowd_departures_keep(crowd *throng, size_t max);
/** A line `microseconds destination size` each, in the order of their leaving; keeps no more. */
bool crowd_departures_write(crowd *throng, const char *path);
/** While it is held nobody sends media (everything else goes on): joining costs less then. */
void crowd_hold(crowd *throng, bool hold);
/** Sends and receives for so long. */
void crowd_play(crowd *throng, unsigned ms);
void crowd_free(crowd *throng);

#endif
