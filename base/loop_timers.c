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

static bool earlier(const cn_timer *a, const cn_timer *b)
{
    return a->deadline_ns != b->deadline_ns ? a->deadline_ns < b->deadline_ns : a->order < b->order;
}

static void put(cn_timers *ts, size_t place, cn_timer *t)
{
    ts->heap[place] = t;
    t->place = place;
}

static void sift_up(cn_timers *ts, size_t place, cn_timer *t)
{
    while (place && earlier(t, ts->heap[(place - 1) / 2])) {
        put(ts, place, ts->heap[(place - 1) / 2]);
        place = (place - 1) / 2;
    }
    put(ts, place, t);
}

static void sift_down(cn_timers *ts, size_t place, cn_timer *t)
{
    for (size_t child = 0; (child = 2 * place + 1) < ts->n; place = child) {
        if (child + 1 < ts->n && earlier(ts->heap[child + 1], ts->heap[child])) child++;
        if (!earlier(ts->heap[child], t)) break;
        put(ts, place, ts->heap[child]);
    }
    put(ts, place, t);
}

static void take_out(cn_timers *ts, cn_timer *t)
{
    size_t place = t->place;
    t->place = NOT_ARMED;
    cn_timer *last = ts->heap[--ts->n];
    if (last == t) return;
    if (earlier(last, t))
        sift_up(ts, place, last);
    else
        sift_down(ts, place, last);
}

cn_err cn_timers_add(cn_timers *ts, cn_timer **out, cn_loop *l, cn_loop_fn fn, void *arg)
{
    if (!fn) return CN_ERR_INVALID;
    if (ts->alive == ts->cap) {
        size_t cap = ts->cap ? 2 * ts->cap : 16;
        cn_timer **grown = reallocarray(ts->heap, cap, sizeof(cn_timer *));
        if (!grown) return CN_ERR_NOMEM;
        ts->heap = grown;
        ts->cap = cap;
    }
    cn_timer *t = CN_NEW(cn_timer);
    if (!t) return CN_ERR_NOMEM;
    *t = (cn_timer){.owner = ts, .loop = l, .fn = fn, .arg = arg, .place = NOT_ARMED, .next = ts->all};
    if (ts->all) ts->all->previous = t;
    ts->all = t;
    ts->alive++;
    *out = t;
    return CN_OK;
}

cn_loop *cn_timers_loop(const cn_timer *t)
{
    return t->loop;
}

void cn_timers_arm(cn_timer *t, uint64_t deadline_ns)
{
    cn_timers *ts = t->owner;
    cn_timer_disarm(t);
    t->deadline_ns = deadline_ns;
    t->order = ts->armed++;
    sift_up(ts, ts->n++, t);
}

void cn_timer_disarm(cn_timer *t)
{
    if (t->owner && t->place != NOT_ARMED) take_out(t->owner, t);
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
    cn_timer *t = ts->heap[0];
    if (t->deadline_ns > now_ns || t->order >= mark) return false;
    take_out(ts, t);
    *fn = t->fn;
    *arg = t->arg;
    return true;
}

void cn_timer_free(cn_timer *t)
{
    if (!t) return;
    if (t->owner) {
        cn_timer_disarm(t);
        if (t->next) t->next->previous = t->previous;
        if (t->previous)
            t->previous->next = t->next;
        else
            t->owner->all = t->next;
        t->owner->alive--;
    }
    free(t);
}

void cn_timers_clear(cn_timers *ts)
{
    for (cn_timer *t = ts->all; t; t = t->next) {
        t->owner = NULL;
        t->loop = NULL;
        t->place = NOT_ARMED;
    }
    free(ts->heap);
    *ts = (cn_timers){0};
}
