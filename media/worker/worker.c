#include "media/worker/worker.h"

#include <string.h>

uint64_t cn_worker_now(cn_worker *worker)
{
    return worker->now_ns = cn_loop_now_ns(worker->loop);
}

void cn_worker_send(cn_worker *worker, unsigned to, cn_msg msg)
{
    msg.from = (uint8_t)worker->index;
    if (!cn_link_send(worker->out[to], &msg)) worker->link_drops++;
}

void cn_worker_publish(cn_worker *worker, const cn_media_worker *figures)
{
    uint64_t values[CN_WORKER_FIGURES];
    memcpy(values, figures, sizeof values);
    for (size_t i = 0; i < CN_WORKER_FIGURES; i++)
        atomic_store_explicit(&worker->figures[i], values[i], memory_order_relaxed);
}

void cn_worker_figures(const cn_worker *worker, cn_media_worker *out)
{
    uint64_t values[CN_WORKER_FIGURES];
    for (size_t i = 0; i < CN_WORKER_FIGURES; i++)
        values[i] = atomic_load_explicit(&worker->figures[i], memory_order_relaxed);
    memcpy(out, values, sizeof *out);
}

uint32_t cn_source_number_next(void)
{
    static atomic_uint_least32_t last;
    return atomic_fetch_add_explicit(&last, 1, memory_order_relaxed) + 1;
}
