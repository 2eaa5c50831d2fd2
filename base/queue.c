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
    cn_queue *queue = CN_NEW(cn_queue);
    if (!queue) return CN_ERR_NOMEM;
    pthread_mutex_init(&queue->lock, NULL);
    queue->capacity = capacity;
    queue->ring = cn_calloc(capacity, sizeof *queue->ring);
    queue->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (!queue->ring || queue->wake < 0) {
        cn_err err = queue->ring ? CN_ERR_FULL : CN_ERR_NOMEM;
        cn_queue_free(queue);
        return err;
    }
    *out = queue;
    return CN_OK;
}

cn_err cn_queue_push(cn_queue *queue, void *item)
{
    if (!item) return CN_ERR_INVALID; /* NULL means empty to the consumer */
    cn_err err = CN_OK;
    pthread_mutex_lock(&queue->lock);
    if (queue->closed) {
        err = CN_ERR_CLOSED;
    } else if (queue->count == queue->capacity) {
        err = CN_ERR_FULL;
    } else {
        queue->ring[(queue->first + queue->count) % queue->capacity] = item;
        /* one wake is enough until the consumer has found the queue empty */
        if (queue->count++ == 0) (void)eventfd_write(queue->wake, 1);
    }
    pthread_mutex_unlock(&queue->lock);
    return err;
}

void *cn_queue_pop(cn_queue *queue)
{
    void *item = NULL;
    pthread_mutex_lock(&queue->lock);
    if (queue->count) {
        item = queue->ring[queue->first];
        queue->first = (queue->first + 1) % queue->capacity;
        queue->count--;
    }
    pthread_mutex_unlock(&queue->lock);
    return item;
}

int cn_queue_fd(const cn_queue *queue)
{
    return queue->wake;
}

void cn_queue_drain_wake(cn_queue *queue)
{
    eventfd_t ignored;
    (void)eventfd_read(queue->wake, &ignored);
}

void cn_queue_close(cn_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->closed = true;
    (void)eventfd_write(queue->wake, 1);
    pthread_mutex_unlock(&queue->lock);
}

void cn_queue_free(cn_queue *queue)
{
    if (!queue) return;
    cn_fd_close(&queue->wake);
    pthread_mutex_destroy(&queue->lock);
    free(queue->ring);
    free(queue);
}
