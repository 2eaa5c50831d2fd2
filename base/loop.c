#include "base/loop.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/loop_timers.h"
#include "base/mem.h"
#include "base/str.h"

#define EVENTS_PER_TURN 256
#define CALLS_MAX 65536
#define AFTER_TURN_MAX 16

typedef struct watch {
    cn_fd_fn fn; /* NULL: nobody watches this descriptor */
    void *arg;
    uint32_t generation; /* tells events of an earlier watch of the same number apart */
} watch;

typedef struct call {
    cn_loop_fn fn;
    void *arg;
} call;

struct cn_loop {
    char name[16];
    unsigned slow_ms;
    int epoll, wake;
    uint64_t now_ns;
    atomic_uintptr_t owner; /* address of a thread-local of the owner; 0 while nobody runs the loop */
    atomic_bool stop;

    watch *watches; /* indexed by descriptor */
    size_t watches_n;
    cn_timers timers;
    call after[AFTER_TURN_MAX];
    unsigned after_n;

    pthread_mutex_t lock; /* guards the three below */
    call *calls;
    size_t calls_n, calls_cap;
};

static _Thread_local char thread_mark;

cn_err cn_loop_new(cn_loop **out, const char *name, unsigned slow_ms)
{
    cn_loop *l = CN_NEW(cn_loop);
    if (!l) return CN_ERR_NOMEM;
    cn_strcpy(l->name, sizeof l->name, name);
    l->slow_ms = slow_ms;
    l->now_ns = cn_mono_ns();
    pthread_mutex_init(&l->lock, NULL);
    l->wake = -1;
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (l->epoll >= 0) l->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = (uint32_t)l->wake};
    if (l->epoll < 0 || l->wake < 0 || epoll_ctl(l->epoll, EPOLL_CTL_ADD, l->wake, &event) < 0) {
        cn_err err = cn_err_from_errno(errno);
        cn_loop_free(l);
        return err;
    }
    *out = l;
    return CN_OK;
}

bool cn_loop_mine(const cn_loop *l)
{
    uintptr_t owner = atomic_load_explicit(&l->owner, memory_order_relaxed);
    return !owner || owner == (uintptr_t)&thread_mark;
}

uint64_t cn_loop_now_ns(const cn_loop *l)
{
    return l->now_ns;
}

static uint64_t watch_tag(int fd, uint32_t generation)
{
    return (uint64_t)generation << 32 | (uint32_t)fd;
}

static cn_err watches_reach(cn_loop *l, int fd)
{
    size_t need = (size_t)fd + 1;
    if (need <= l->watches_n) return CN_OK;
    size_t n = l->watches_n ? l->watches_n : 64;
    while (n < need) n *= 2;
    watch *grown = reallocarray(l->watches, n, sizeof *grown);
    if (!grown) return CN_ERR_NOMEM;
    memset(grown + l->watches_n, 0, (n - l->watches_n) * sizeof *grown);
    l->watches = grown;
    l->watches_n = n;
    return CN_OK;
}

cn_err cn_loop_watch(cn_loop *l, int fd, uint32_t events, cn_fd_fn fn, void *arg)
{
    assert(cn_loop_mine(l));
    if (fd < 0 || !fn) return CN_ERR_INVALID;
    CN_TRY(watches_reach(l, fd));
    watch *w = &l->watches[fd];
    struct epoll_event event = {.events = events, .data.u64 = watch_tag(fd, w->generation + 1)};
    if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &event) < 0) return cn_err_from_errno(errno);
    *w = (watch){.fn = fn, .arg = arg, .generation = w->generation + 1};
    return CN_OK;
}

static watch *watch_of(cn_loop *l, int fd)
{
    assert(cn_loop_mine(l));
    if (fd < 0 || (size_t)fd >= l->watches_n || !l->watches[fd].fn) return NULL;
    return &l->watches[fd];
}

cn_err cn_loop_watch_change(cn_loop *l, int fd, uint32_t events)
{
    watch *w = watch_of(l, fd);
    if (!w) return CN_ERR_NOTFOUND;
    struct epoll_event event = {.events = events, .data.u64 = watch_tag(fd, w->generation)};
    return epoll_ctl(l->epoll, EPOLL_CTL_MOD, fd, &event) < 0 ? cn_err_from_errno(errno) : CN_OK;
}

void cn_loop_unwatch(cn_loop *l, int fd)
{
    watch *w = watch_of(l, fd);
    if (!w) return;
    w->fn = NULL;
    (void)epoll_ctl(l->epoll, EPOLL_CTL_DEL, fd, NULL); /* fails harmlessly when fd was closed before */
}

cn_err cn_loop_call(cn_loop *l, cn_loop_fn fn, void *arg)
{
    cn_err err = CN_OK;
    pthread_mutex_lock(&l->lock);
    if (l->calls_n == CALLS_MAX) err = CN_ERR_FULL;
    if (!err && l->calls_n == l->calls_cap) {
        size_t cap = l->calls_cap ? 2 * l->calls_cap : 64;
        call *grown = reallocarray(l->calls, cap, sizeof *grown);
        if (grown) {
            l->calls = grown;
            l->calls_cap = cap;
        } else {
            err = CN_ERR_NOMEM;
        }
    }
    if (!err) {
        l->calls[l->calls_n] = (call){fn, arg};
        if (l->calls_n++ == 0) (void)eventfd_write(l->wake, 1);
    }
    pthread_mutex_unlock(&l->lock);
    return err;
}

void cn_loop_after_turn(cn_loop *l, cn_loop_fn fn, void *arg)
{
    assert(cn_loop_mine(l));
    if (l->after_n == AFTER_TURN_MAX) {
        cn_error("base.loop", "%s: more than %d after-turn functions", l->name, AFTER_TURN_MAX);
        abort();
    }
    l->after[l->after_n++] = (call){fn, arg};
}

/* Debug builds say which loop has a handler that kept others waiting. */
static void slow_check(const cn_loop *l, uint64_t started, const char *what)
{
#ifndef NDEBUG
    uint64_t took = (cn_mono_ns() - started) / 1000000;
    if (l->slow_ms && took > l->slow_ms)
        cn_warn("base.loop", "%s: a %s handler took %llu ms", l->name, what, (unsigned long long)took);
#else
    (void)l, (void)started, (void)what;
#endif
}

static uint64_t slow_start(void)
{
#ifndef NDEBUG
    return cn_mono_ns();
#else
    return 0;
#endif
}

/* Runs what other threads had asked for up to now; what these calls ask for waits for the next turn. */
static void run_calls(cn_loop *l)
{
    eventfd_t ignored;
    (void)eventfd_read(l->wake, &ignored);
    pthread_mutex_lock(&l->lock);
    CN_AUTO_FREE call *calls = l->calls;
    size_t n = l->calls_n;
    l->calls = NULL;
    l->calls_n = l->calls_cap = 0;
    pthread_mutex_unlock(&l->lock);
    for (size_t i = 0; i < n; i++) {
        uint64_t started = slow_start();
        calls[i].fn(calls[i].arg);
        slow_check(l, started, "call");
    }
}

static void run_event(cn_loop *l, const struct epoll_event *event)
{
    int fd = (int)(uint32_t)event->data.u64;
    if (fd == l->wake) {
        run_calls(l);
        return;
    }
    watch w = l->watches[fd];
    /* an earlier handler of this turn may have unwatched it */
    if (!w.fn || w.generation != (uint32_t)(event->data.u64 >> 32)) return;
    uint64_t started = slow_start();
    w.fn(w.arg, event->events);
    slow_check(l, started, "descriptor");
}

static bool run_timers(cn_loop *l)
{
    bool any = false;
    uint64_t mark = cn_timers_mark(&l->timers);
    cn_loop_fn fn = NULL;
    void *arg = NULL;
    while (cn_timers_take_due(&l->timers, l->now_ns, mark, &fn, &arg)) {
        uint64_t started = slow_start();
        fn(arg);
        slow_check(l, started, "timer");
        any = true;
    }
    return any;
}

static void turn(cn_loop *l)
{
    struct epoll_event events[EVENTS_PER_TURN];
    struct timespec wait, *timeout = NULL;
    uint64_t due = 0;
    if (cn_timers_next(&l->timers, &due)) {
        uint64_t now = cn_mono_ns(), left = due > now ? due - now : 0;
        wait = (struct timespec){.tv_sec = (time_t)(left / 1000000000), .tv_nsec = (long)(left % 1000000000)};
        timeout = &wait;
    }
    int n = epoll_pwait2(l->epoll, events, EVENTS_PER_TURN, timeout, NULL);
    if (n < 0 && errno != EINTR) {
        cn_error("base.loop", "%s: epoll: errno %d", l->name, errno);
        abort();
    }
    l->now_ns = cn_mono_ns();
    bool any = run_timers(l);
    for (int i = 0; i < n; i++) run_event(l, &events[i]);
    if (!any && n <= 0) return;
    for (unsigned i = 0; i < l->after_n; i++) l->after[i].fn(l->after[i].arg);
}

void cn_loop_run(cn_loop *l)
{
    atomic_store_explicit(&l->owner, (uintptr_t)&thread_mark, memory_order_relaxed);
    if (gettid() != getpid())
        pthread_setname_np(pthread_self(), l->name); /* the main thread keeps the program's name */
    while (!atomic_load_explicit(&l->stop, memory_order_acquire)) turn(l);
    run_calls(l); /* whoever asked before the stop may wait for it, or hand over memory */
    atomic_store_explicit(&l->stop, false, memory_order_relaxed);
    atomic_store_explicit(&l->owner, 0, memory_order_relaxed);
}

void cn_loop_stop(cn_loop *l)
{
    atomic_store_explicit(&l->stop, true, memory_order_release);
    (void)eventfd_write(l->wake, 1);
}

void cn_loop_free(cn_loop *l)
{
    if (!l) return;
    cn_timers_clear(&l->timers);
    cn_fd_close(&l->epoll);
    cn_fd_close(&l->wake);
    pthread_mutex_destroy(&l->lock);
    free(l->calls);
    free(l->watches);
    free(l);
}

cn_err cn_timer_new(cn_timer **out, cn_loop *l, cn_loop_fn fn, void *arg)
{
    assert(cn_loop_mine(l));
    return cn_timers_add(&l->timers, out, l, fn, arg);
}

void cn_timer_arm(cn_timer *t, uint64_t ms)
{
    cn_loop *l = cn_timers_loop(t);
    if (!l) return;
    assert(cn_loop_mine(l));
    /* outside a running loop the time of the last turn is old */
    bool running = atomic_load_explicit(&l->owner, memory_order_relaxed) != 0;
    uint64_t now = running ? l->now_ns : cn_mono_ns();
    cn_timers_arm(t, ms > (UINT64_MAX - now) / 1000000 ? UINT64_MAX : now + ms * 1000000);
}
