#include "base/queue.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/mem.h"

struct cn_queue {
    pthread_mutex_t lock;
    void **ring;
    size_t capacity, first, count;
    int wake;
    bool closed;
};

cn_err cn_queue_new(cn_queue **out, size_t capacity)
{
    if (!capacity) return CN_ERR_INVALID;
    cn_queue *q = CN_NEW(cn_queue);
    if (!q) return CN_ERR_NOMEM;
    pthread_mutex_init(&q->lock, NULL);
    q->capacity = capacity;
    q->ring = cn_calloc(capacity, sizeof *q->ring);
    q->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (!q->ring || q->wake < 0) {
        cn_err err = q->ring ? CN_ERR_FULL : CN_ERR_NOMEM;
        cn_queue_free(q);
        return err;
    }
    *out = q;
    return CN_OK;
}

cn_err cn_queue_push(cn_queue *q, void *item)
{
    if (!item) return CN_ERR_INVALID; /* NULL means empty to the consumer */
    cn_err err = CN_OK;
    pthread_mutex_lock(&q->lock);
    if (q->closed) {
        err = CN_ERR_CLOSED;
    } else if (q->count == q->capacity) {
        err = CN_ERR_FULL;
    } else {
        q->ring[(q->first + q->count) % q->capacity] = item;
        /* one wake is enough until the consumer has found the queue empty */
        if (q->count++ == 0) (void)eventfd_write(q->wake, 1);
    }
    pthread_mutex_unlock(&q->lock);
    return err;
}

void *cn_queue_pop(cn_queue *q)
{
    void *item = NULL;
    pthread_mutex_lock(&q->lock);
    if (q->count) {
        item = q->ring[q->first];
        q->first = (q->first + 1) % q->capacity;
        q->count--;
    }
    pthread_mutex_unlock(&q->lock);
    return item;
}

int cn_queue_fd(const cn_queue *q)
{
    return q->wake;
}

void cn_queue_drain_wake(cn_queue *q)
{
    eventfd_t ignored;
    (void)eventfd_read(q->wake, &ignored);
}

void cn_queue_close(cn_queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->closed = true;
    (void)eventfd_write(q->wake, 1);
    pthread_mutex_unlock(&q->lock);
}

void cn_queue_free(cn_queue *q)
{
    if (!q) return;
    cn_fd_close(&q->wake);
    pthread_mutex_destroy(&q->lock);
    free(q->ring);
    free(q);
}
