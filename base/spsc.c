#include "base/spsc.h"

#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/mem.h"

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
    cn_spsc *queue = aligned_alloc(CACHE_LINE, sizeof *queue);
    if (!queue) return CN_ERR_NOMEM;
    memset(queue, 0, sizeof *queue);
    queue->capacity = rounded;
    queue->item_size = item_size;
    queue->items = cn_calloc(rounded, item_size);
    queue->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (!queue->items || queue->wake < 0) {
        cn_err err = queue->items ? CN_ERR_FULL : CN_ERR_NOMEM;
        cn_spsc_free(queue);
        return err;
    }
    *out = queue;
    return CN_OK;
}

bool cn_spsc_push(cn_spsc *queue, const void *item)
{
    size_t tail = atomic_load_explicit(&queue->tail, memory_order_relaxed);
    if (tail - queue->head_seen == queue->capacity) {
        queue->head_seen = atomic_load_explicit(&queue->head, memory_order_acquire);
        if (tail - queue->head_seen == queue->capacity) return false;
    }
    memcpy(queue->items + (tail & (queue->capacity - 1)) * queue->item_size, item, queue->item_size);
    atomic_store_explicit(&queue->tail, tail + 1, memory_order_release);
    return true;
}

void cn_spsc_wake(cn_spsc *queue)
{
    if (!atomic_exchange_explicit(&queue->signalled, true, memory_order_acq_rel)) (void)eventfd_write(queue->wake, 1);
}

bool cn_spsc_pop(cn_spsc *queue, void *item)
{
    size_t head = atomic_load_explicit(&queue->head, memory_order_relaxed);
    if (head == queue->tail_seen) {
        queue->tail_seen = atomic_load_explicit(&queue->tail, memory_order_acquire);
        if (head == queue->tail_seen) return false;
    }
    memcpy(item, queue->items + (head & (queue->capacity - 1)) * queue->item_size, queue->item_size);
    atomic_store_explicit(&queue->head, head + 1, memory_order_release);
    return true;
}

int cn_spsc_fd(const cn_spsc *queue)
{
    return queue->wake;
}

void cn_spsc_drain_wake(cn_spsc *queue)
{
    eventfd_t ignored;
    (void)eventfd_read(queue->wake, &ignored);
    /* after the read and before the pops: a producer that still saw the flag set has its items seen now */
    (void)atomic_exchange_explicit(&queue->signalled, false, memory_order_acq_rel);
}

void cn_spsc_free(cn_spsc *queue)
{
    if (!queue) return;
    cn_fd_close(&queue->wake);
    free(queue->items);
    free(queue);
}
