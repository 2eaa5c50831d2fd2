/* Queues where threads meet: both bounded, both wake their owner through an eventfd. */
#ifndef CN_BASE_QUEUE_H
#define CN_BASE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/** Multi-producer single-consumer queue of pointers, in order. */
typedef struct cn_queue cn_queue;
cn_err cn_queue_new(cn_queue **out, size_t capacity);
/** Any thread. CN_ERR_FULL at the bound (nothing is stored), CN_ERR_CLOSED after cn_queue_close. */
cn_err cn_queue_push(cn_queue *queue, void *item);
/** Consumer thread. NULL when empty; never blocks. */
void *cn_queue_pop(cn_queue *queue);
/** Descriptor that polls readable while items may be there; the consumer calls cn_queue_drain_wake before popping. */
int cn_queue_fd(const cn_queue *queue);
void cn_queue_drain_wake(cn_queue *queue);
void cn_queue_close(cn_queue *queue);
/** Items left inside are not freed: pop them first. NULL allowed. */
void cn_queue_free(cn_queue *queue);

/** Lock-free single-producer single-consumer ring of fixed-size items (copied). `capacity` is rounded up to a power of
 * two. */
typedef struct cn_spsc cn_spsc;
cn_err cn_spsc_new(cn_spsc **out, size_t capacity, size_t item_size);
/** Producer thread. False when full. Does not wake: call cn_spsc_wake once per turn. */
bool cn_spsc_push(cn_spsc *queue, const void *item);
void cn_spsc_wake(cn_spsc *queue);
/** Consumer thread. False when empty. */
bool cn_spsc_pop(cn_spsc *queue, void *item);
int cn_spsc_fd(const cn_spsc *queue);
void cn_spsc_drain_wake(cn_spsc *queue);
void cn_spsc_free(cn_spsc *queue);

#endif
