/* Waiting for a condition until a deadline. The deadline counts on the monotonic clock: a step of the wall clock, by hand
 * or by NTP, makes nobody give up early or wait for hours. */
#ifndef CN_BASE_COND_H
#define CN_BASE_COND_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/** For cn_cond_wait_until; plain pthread_cond_wait, signal, broadcast and destroy go with it, too. */
void cn_cond_init(pthread_cond_t *cond);

/** With `lock` held: waits until somebody signals, at most until `deadline_ns` of cn_mono_ns. False when that is over.
 * As always with conditions it may return true for nothing: look again. */
bool cn_cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, uint64_t deadline_ns);

#endif
