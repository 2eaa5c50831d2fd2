/* The timers of one loop: a binary heap by deadline. Private to base/loop.c. */
#ifndef CN_BASE_LOOP_TIMERS_H
#define CN_BASE_LOOP_TIMERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/timer.h"

typedef struct cn_timers {
    cn_timer **heap; /* armed ones, earliest first */
    size_t n, cap, alive;
    uint64_t armed; /* arms so far: orders equal deadlines */
    cn_timer *all;  /* every timer of this loop, so that the loop's end reaches them */
} cn_timers;

/** A timer of `loop`, not armed; the heap has room for it from now on, so that arming cannot fail. */
cn_err cn_timers_add(cn_timers *ts, cn_timer **out, cn_loop *loop, cn_loop_fn fn, void *arg);

/** Loop of a timer; NULL once the loop was freed. */
cn_loop *cn_timers_loop(const cn_timer *timer);

void cn_timers_arm(cn_timer *timer, uint64_t deadline_ns);

/** False when nothing is armed. */
bool cn_timers_next(const cn_timers *ts, uint64_t *deadline_ns);

/** A timer that was armed after this mark waits for the next turn, or one that arms itself with 0 would never let go.
 */
uint64_t cn_timers_mark(const cn_timers *ts);

/** Takes the earliest timer that is due and was armed before `mark`; false when there is none. */
bool cn_timers_take_due(cn_timers *ts, uint64_t now_ns, uint64_t mark, cn_loop_fn *fn, void **arg);

/** The loop ends: its timers stay valid for cn_timer_free but never fire. */
void cn_timers_clear(cn_timers *ts);

#endif
