#include "base/loop_timers.h"

#include <stdlib.h>

#include "base/mem.h"

#define NOT_ARMED SIZE_MAX

struct cn_timer {
    cn_timers *owner; /* NULL once the loop is gone */
    cn_loop *loop;
    cn_loop_fn fn;
    void *arg;
    uint64_t deadline_ns, order;
    size_t place; /* in the heap, or NOT_ARMED */
    cn_timer *next, *previous;
};

static bool earlier(const cn_timer *left, const cn_timer *right)
{
    return left->deadline_ns != right->deadline_ns ? left->deadline_ns < right->deadline_ns
                                                   : left->order < right->order;
}

static void put(cn_timers *ts, size_t place, cn_timer *timer)
{
    ts->heap[place] = timer;
    timer->place = place;
}

static void sift_up(cn_timers *ts, size_t place, cn_timer *timer)
{
    while (place && earlier(timer, ts->heap[(place - 1) / 2])) {
        put(ts, place, ts->heap[(place - 1) / 2]);
        place = (place - 1) / 2;
    }
    put(ts, place, timer);
}

static void sift_down(cn_timers *ts, size_t place, cn_timer *timer)
{
    for (size_t child = 0; (child = 2 * place + 1) < ts->n; place = child) {
        if (child + 1 < ts->n && earlier(ts->heap[child + 1], ts->heap[child])) child++;
        if (!earlier(ts->heap[child], timer)) break;
        put(ts, place, ts->heap[child]);
    }
    put(ts, place, timer);
}

static void take_out(cn_timers *ts, cn_timer *timer)
{
    size_t place = timer->place;
    timer->place = NOT_ARMED;
    cn_timer *last = ts->heap[--ts->n];
    if (last == timer) return;
    if (earlier(last, timer))
        sift_up(ts, place, last);
    else
        sift_down(ts, place, last);
}

cn_err cn_timers_add(cn_timers *ts, cn_timer **out, cn_loop *loop, cn_loop_fn fn, void *arg)
{
    if (!fn) return CN_ERR_INVALID;
    if (ts->alive == ts->cap) {
        size_t cap = ts->cap ? 2 * ts->cap : 16;
        cn_timer **grown = reallocarray(ts->heap, cap, sizeof(cn_timer *));
        if (!grown) return CN_ERR_NOMEM;
        ts->heap = grown;
        ts->cap = cap;
    }
    cn_timer *timer = CN_NEW(cn_timer);
    if (!timer) return CN_ERR_NOMEM;
    *timer = (cn_timer){.owner = ts, .loop = loop, .fn = fn, .arg = arg, .place = NOT_ARMED, .next = ts->all};
    if (ts->all) ts->all->previous = timer;
    ts->all = timer;
    ts->alive++;
    *out = timer;
    return CN_OK;
}

cn_loop *cn_timers_loop(const cn_timer *timer)
{
    return timer->loop;
}

void cn_timers_arm(cn_timer *timer, uint64_t deadline_ns)
{
    cn_timers *ts = timer->owner;
    cn_timer_disarm(timer);
    timer->deadline_ns = deadline_ns;
    timer->order = ts->armed++;
    sift_up(ts, ts->n++, timer);
}

void cn_timer_disarm(cn_timer *timer)
{
    if (timer->owner && timer->place != NOT_ARMED) take_out(timer->owner, timer);
}

bool cn_timers_next(const cn_timers *ts, uint64_t *deadline_ns)
{
    if (!ts->n) return false;
    *deadline_ns = ts->heap[0]->deadline_ns;
    return true;
}

uint64_t cn_timers_mark(const cn_timers *ts)
{
    return ts->armed;
}

bool cn_timers_take_due(cn_timers *ts, uint64_t now_ns, uint64_t mark, cn_loop_fn *fn, void **arg)
{
    if (!ts->n) return false;
    cn_timer *timer = ts->heap[0];
    if (timer->deadline_ns > now_ns || timer->order >= mark) return false;
    take_out(ts, timer);
    *fn = timer->fn;
    *arg = timer->arg;
    return true;
}

void cn_timer_free(cn_timer *timer)
{
    if (!timer) return;
    if (timer->owner) {
        cn_timer_disarm(timer);
        if (timer->next) timer->next->previous = timer->previous;
        if (timer->previous)
            timer->previous->next = timer->next;
        else
            timer->owner->all = timer->next;
        timer->owner->alive--;
    }
    free(timer);
}

void cn_timers_clear(cn_timers *ts)
{
    for (cn_timer *timer = ts->all; timer; timer = timer->next) {
        timer->owner = NULL;
        timer->loop = NULL;
        timer->place = NOT_ARMED;
    }
    free(ts->heap);
    *ts = (cn_timers){0};
}
