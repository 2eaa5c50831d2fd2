#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/queue.h"

#define CACHE_LINE 64

/* Each side keeps a stale copy of the other's index on its own cache line and rereads it only when the ring looks full
 * or empty. */
struct cn_spsc {
    alignas(CACHE_LINE) atomic_size_t head; /* next to pop; written by the consumer */
    size_t tail_seen;
    alignas(CACHE_LINE) atomic_size_t tail; /* next to push; written by the producer */
    size_t head_seen;
    alignas(CACHE_LINE) atomic_bool signalled; /* a wake is on its way, another needs no system call */
    size_t capacity, item_size;
    uint8_t *items;
    int wake;
};

cn_err cn_spsc_new(cn_spsc **out, size_t capacity, size_t item_size)
{
    if (!capacity || !item_size || capacity > SIZE_MAX / 4) return CN_ERR_INVALID;
    size_t rounded = 1;
    while (rounded < capacity) rounded *= 2;
    cn_spsc *q = aligned_alloc(CACHE_LINE, sizeof *q);
    if (!q) return CN_ERR_NOMEM;
    memset(q, 0, sizeof *q);
    q->capacity = rounded;
    q->item_size = item_size;
    q->items = cn_calloc(rounded, item_size);
    q->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (!q->items || q->wake < 0) {
        cn_err err = q->items ? CN_ERR_FULL : CN_ERR_NOMEM;
        cn_spsc_free(q);
        return err;
    }
    *out = q;
    return CN_OK;
}

bool cn_spsc_push(cn_spsc *q, const void *item)
{
    size_t tail = atomic_load_explicit(&q->tail, memory_order_relaxed);
    if (tail - q->head_seen == q->capacity) {
        q->head_seen = atomic_load_explicit(&q->head, memory_order_acquire);
        if (tail - q->head_seen == q->capacity) return false;
    }
    memcpy(q->items + (tail & (q->capacity - 1)) * q->item_size, item, q->item_size);
    atomic_store_explicit(&q->tail, tail + 1, memory_order_release);
    return true;
}

void cn_spsc_wake(cn_spsc *q)
{
    if (!atomic_exchange_explicit(&q->signalled, true, memory_order_acq_rel)) (void)eventfd_write(q->wake, 1);
}

bool cn_spsc_pop(cn_spsc *q, void *item)
{
    size_t head = atomic_load_explicit(&q->head, memory_order_relaxed);
    if (head == q->tail_seen) {
        q->tail_seen = atomic_load_explicit(&q->tail, memory_order_acquire);
        if (head == q->tail_seen) return false;
    }
    memcpy(item, q->items + (head & (q->capacity - 1)) * q->item_size, q->item_size);
    atomic_store_explicit(&q->head, head + 1, memory_order_release);
    return true;
}

int cn_spsc_fd(const cn_spsc *q)
{
    return q->wake;
}

void cn_spsc_drain_wake(cn_spsc *q)
{
    eventfd_t ignored;
    (void)eventfd_read(q->wake, &ignored);
    /* after the read and before the pops: a producer that still saw the flag set has its items seen now */
    (void)atomic_exchange_explicit(&q->signalled, false, memory_order_acq_rel);
}

void cn_spsc_free(cn_spsc *q)
{
    if (!q) return;
    cn_fd_close(&q->wake);
    free(q->items);
    free(q);
}
