/* A timer of a loop (loop.h). Owner thread. */
#ifndef CN_BASE_TIMER_H
#define CN_BASE_TIMER_H

typedef struct cn_loop cn_loop;
typedef struct cn_timer cn_timer;
typedef void (*cn_loop_fn)(void *arg);

void cn_timer_disarm(cn_timer *timer);
/** May be called from its own callback. NULL allowed. */
void cn_timer_free(cn_timer *timer);

#endif
