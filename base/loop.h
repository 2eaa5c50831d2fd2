/* One epoll loop per thread: descriptors, timers, calls from other threads. Only cn_loop_call and cn_loop_stop may come
 * from other threads. */
#ifndef CN_BASE_LOOP_H
#define CN_BASE_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/timer.h"

typedef void (*cn_fd_fn)(void *arg, uint32_t epoll_events);

/** `slow_ms`: a handler that runs longer is logged in debug builds. */
cn_err cn_loop_new(cn_loop **out, const char *name, unsigned slow_ms);
/** Watches a descriptor for EPOLLIN/EPOLLOUT…; one watch per descriptor. Owner thread (or before cn_loop_run). */
cn_err cn_loop_watch(cn_loop *loop, int fd, uint32_t events, cn_fd_fn fn, void *arg);
cn_err cn_loop_watch_change(cn_loop *loop, int fd, uint32_t events);
void cn_loop_unwatch(cn_loop *loop, int fd);
/** Calls `fn` on the loop's thread once. Any thread. Bounded (65,536 waiting): CN_ERR_FULL. */
cn_err cn_loop_call(cn_loop *loop, cn_loop_fn fn, void *arg);
/** Runs `fn` after every turn that handled something (where batched sends are flushed). */
void cn_loop_after_turn(cn_loop *loop, cn_loop_fn fn, void *arg);
/** Monotonic ns, read once per turn. */
uint64_t cn_loop_now_ns(const cn_loop *loop);

/** A timer that is not yet armed (timer.h has the rest). Owner thread. */
cn_err cn_timer_new(cn_timer **out, cn_loop *loop, cn_loop_fn fn, void *arg);
/** Fires once, `ms` from now; arming again replaces. */
void cn_timer_arm(cn_timer *timer, uint64_t ms);

/** Runs until cn_loop_stop; the calling thread becomes the owner. */
void cn_loop_run(cn_loop *loop);
void cn_loop_stop(cn_loop *loop);
/** True on the owner's thread (and before the first run). */
bool cn_loop_mine(const cn_loop *loop);
void cn_loop_free(cn_loop *loop);

#endif
