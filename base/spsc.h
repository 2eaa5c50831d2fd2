/* A ring where two threads meet: bounded, wakes its consumer through an eventfd. */
#ifndef CN_BASE_SPSC_H
#define CN_BASE_SPSC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

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
