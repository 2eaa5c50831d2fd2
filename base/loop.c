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
    cn_loop *loop = CN_NEW(cn_loop);
    if (!loop) return CN_ERR_NOMEM;
    cn_strcpy(loop->name, sizeof loop->name, name);
    loop->slow_ms = slow_ms;
    loop->now_ns = cn_mono_ns();
    pthread_mutex_init(&loop->lock, NULL);
    loop->wake = -1;
    loop->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (loop->epoll >= 0) loop->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = (uint32_t)loop->wake};
    if (loop->epoll < 0 || loop->wake < 0 || epoll_ctl(loop->epoll, EPOLL_CTL_ADD, loop->wake, &event) < 0) {
        cn_err err = cn_err_from_errno(errno);
        cn_loop_free(loop);
        return err;
    }
    *out = loop;
    return CN_OK;
}

bool cn_loop_mine(const cn_loop *loop)
{
    uintptr_t owner = atomic_load_explicit(&loop->owner, memory_order_relaxed);
    return !owner || owner == (uintptr_t)&thread_mark;
}

uint64_t cn_loop_now_ns(const cn_loop *loop)
{
    return loop->now_ns;
}

static uint64_t watch_tag(int fd, uint32_t generation)
{
    return (uint64_t)generation << 32 | (uint32_t)fd;
}

static cn_err watches_reach(cn_loop *loop, int fd)
{
    size_t need = (size_t)fd + 1;
    if (need <= loop->watches_n) return CN_OK;
    size_t n = loop->watches_n ? loop->watches_n : 64;
    while (n < need) n *= 2;
    watch *grown = reallocarray(loop->watches, n, sizeof *grown);
    if (!grown) return CN_ERR_NOMEM;
    memset(grown + loop->watches_n, 0, (n - loop->watches_n) * sizeof *grown);
    loop->watches = grown;
    loop->watches_n = n;
    return CN_OK;
}

cn_err cn_loop_watch(cn_loop *loop, int fd, uint32_t events, cn_fd_fn fn, void *arg)
{
    assert(cn_loop_mine(loop));
    if (fd < 0 || !fn) return CN_ERR_INVALID;
    CN_TRY(watches_reach(loop, fd));
    watch *watcher = &loop->watches[fd];
    struct epoll_event event = {.events = events, .data.u64 = watch_tag(fd, watcher->generation + 1)};
    if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) < 0) return cn_err_from_errno(errno);
    *watcher = (watch){.fn = fn, .arg = arg, .generation = watcher->generation + 1};
    return CN_OK;
}

static watch *watch_of(cn_loop *loop, int fd)
{
    assert(cn_loop_mine(loop));
    if (fd < 0 || (size_t)fd >= loop->watches_n || !loop->watches[fd].fn) return NULL;
    return &loop->watches[fd];
}

cn_err cn_loop_watch_change(cn_loop *loop, int fd, uint32_t events)
{
    watch *watcher = watch_of(loop, fd);
    if (!watcher) return CN_ERR_NOTFOUND;
    struct epoll_event event = {.events = events, .data.u64 = watch_tag(fd, watcher->generation)};
    return epoll_ctl(loop->epoll, EPOLL_CTL_MOD, fd, &event) < 0 ? cn_err_from_errno(errno) : CN_OK;
}

void cn_loop_unwatch(cn_loop *loop, int fd)
{
    watch *watcher = watch_of(loop, fd);
    if (!watcher) return;
    watcher->fn = NULL;
    (void)epoll_ctl(loop->epoll, EPOLL_CTL_DEL, fd, NULL); /* fails harmlessly when fd was closed before */
}

cn_err cn_loop_call(cn_loop *loop, cn_loop_fn fn, void *arg)
{
    cn_err err = CN_OK;
    pthread_mutex_lock(&loop->lock);
    if (loop->calls_n == CALLS_MAX) err = CN_ERR_FULL;
    if (!err && loop->calls_n == loop->calls_cap) {
        size_t cap = loop->calls_cap ? 2 * loop->calls_cap : 64;
        call *grown = reallocarray(loop->calls, cap, sizeof *grown);
        if (grown) {
            loop->calls = grown;
            loop->calls_cap = cap;
        } else {
            err = CN_ERR_NOMEM;
        }
    }
    if (!err) {
        loop->calls[loop->calls_n] = (call){fn, arg};
        if (loop->calls_n++ == 0) (void)eventfd_write(loop->wake, 1);
    }
    pthread_mutex_unlock(&loop->lock);
    return err;
}

void cn_loop_after_turn(cn_loop *loop, cn_loop_fn fn, void *arg)
{
    assert(cn_loop_mine(loop));
    if (loop->after_n == AFTER_TURN_MAX) {
        cn_error("base.loop", "%s: more than %d after-turn functions", loop->name, AFTER_TURN_MAX);
        abort();
    }
    loop->after[loop->after_n++] = (call){fn, arg};
}

/* Debug builds say which loop has a handler that kept others waiting. */
static void slow_check(const cn_loop *loop, uint64_t started, const char *what)
{
#ifndef NDEBUG
    uint64_t took = (cn_mono_ns() - started) / 1000000;
    if (loop->slow_ms && took > loop->slow_ms)
        cn_warn("base.loop", "%s: a %s handler took %llu ms", loop->name, what, (unsigned long long)took);
#else
    (void)loop, (void)started, (void)what;
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
static void run_calls(cn_loop *loop)
{
    eventfd_t ignored;
    (void)eventfd_read(loop->wake, &ignored);
    pthread_mutex_lock(&loop->lock);
    CN_AUTO_FREE call *calls = loop->calls;
    size_t n = loop->calls_n;
    loop->calls = NULL;
    loop->calls_n = loop->calls_cap = 0;
    pthread_mutex_unlock(&loop->lock);
    for (size_t i = 0; i < n; i++) {
        uint64_t started = slow_start();
        calls[i].fn(calls[i].arg);
        slow_check(loop, started, "call");
    }
}

static void run_event(cn_loop *loop, const struct epoll_event *event)
{
    int fd = (int)(uint32_t)event->data.u64;
    if (fd == loop->wake) {
        run_calls(loop);
        return;
    }
    watch watcher = loop->watches[fd];
    /* an earlier handler of this turn may have unwatched it */
    if (!watcher.fn || watcher.generation != (uint32_t)(event->data.u64 >> 32)) return;
    uint64_t started = slow_start();
    watcher.fn(watcher.arg, event->events);
    slow_check(loop, started, "descriptor");
}

static bool run_timers(cn_loop *loop)
{
    bool any = false;
    uint64_t mark = cn_timers_mark(&loop->timers);
    cn_loop_fn fn = NULL;
    void *arg = NULL;
    while (cn_timers_take_due(&loop->timers, loop->now_ns, mark, &fn, &arg)) {
        uint64_t started = slow_start();
        fn(arg);
        slow_check(loop, started, "timer");
        any = true;
    }
    return any;
}

static void turn(cn_loop *loop)
{
    struct epoll_event events[EVENTS_PER_TURN];
    struct timespec wait, *timeout = NULL;
    uint64_t due = 0;
    if (cn_timers_next(&loop->timers, &due)) {
        uint64_t now = cn_mono_ns(), left = due > now ? due - now : 0;
        wait = (struct timespec){.tv_sec = (time_t)(left / 1000000000), .tv_nsec = (long)(left % 1000000000)};
        timeout = &wait;
    }
    int n = epoll_pwait2(loop->epoll, events, EVENTS_PER_TURN, timeout, NULL);
    if (n < 0 && errno != EINTR) {
        cn_error("base.loop", "%s: epoll: errno %d", loop->name, errno);
        abort();
    }
    loop->now_ns = cn_mono_ns();
    bool any = run_timers(loop);
    for (int i = 0; i < n; i++) run_event(loop, &events[i]);
    if (!any && n <= 0) return;
    for (unsigned i = 0; i < loop->after_n; i++) loop->after[i].fn(loop->after[i].arg);
}

void cn_loop_run(cn_loop *loop)
{
    atomic_store_explicit(&loop->owner, (uintptr_t)&thread_mark, memory_order_relaxed);
    if (gettid() != getpid())
        pthread_setname_np(pthread_self(), loop->name); /* the main thread keeps the program's name */
    while (!atomic_load_explicit(&loop->stop, memory_order_acquire)) turn(loop);
    run_calls(loop); /* whoever asked before the stop may wait for it, or hand over memory */
    atomic_store_explicit(&loop->stop, false, memory_order_relaxed);
    atomic_store_explicit(&loop->owner, 0, memory_order_relaxed);
}

void cn_loop_stop(cn_loop *loop)
{
    atomic_store_explicit(&loop->stop, true, memory_order_release);
    (void)eventfd_write(loop->wake, 1);
}

void cn_loop_free(cn_loop *loop)
{
    if (!loop) return;
    cn_timers_clear(&loop->timers);
    cn_fd_close(&loop->epoll);
    cn_fd_close(&loop->wake);
    pthread_mutex_destroy(&loop->lock);
    free(loop->calls);
    free(loop->watches);
    free(loop);
}

cn_err cn_timer_new(cn_timer **out, cn_loop *loop, cn_loop_fn fn, void *arg)
{
    assert(cn_loop_mine(loop));
    return cn_timers_add(&loop->timers, out, loop, fn, arg);
}

void cn_timer_arm(cn_timer *timer, uint64_t ms)
{
    cn_loop *loop = cn_timers_loop(timer);
    if (!loop) return;
    assert(cn_loop_mine(loop));
    /* outside a running loop the time of the last turn is old */
    bool running = atomic_load_explicit(&loop->owner, memory_order_relaxed) != 0;
    uint64_t now = running ? loop->now_ns : cn_mono_ns();
    cn_timers_arm(timer, ms > (UINT64_MAX - now) / 1000000 ? UINT64_MAX : now + ms * 1000000);
}
