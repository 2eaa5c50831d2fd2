#include "poll.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "state.h"

#define EVENTS 128

bool crowd_watch(crowd *throng, int fd, void (*fn)(void *arg), void *arg)
{
    if ((size_t)fd >= throng->watched_n) {
        size_t n = (size_t)fd + 64;
        crowd_watched *more = reallocarray(throng->watched, n, sizeof *more);
        if (!more) return false;
        memset(more + throng->watched_n, 0, (n - throng->watched_n) * sizeof *more);
        throng->watched = more;
        throng->watched_n = n;
    }
    throng->watched[fd] = (crowd_watched){fd, fn, arg};
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    return epoll_ctl(throng->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

void crowd_unwatch(crowd *throng, int fd)
{
    (void)epoll_ctl(throng->epoll, EPOLL_CTL_DEL, fd, NULL);
    if ((size_t)fd < throng->watched_n) throng->watched[fd].fn = NULL;
}

void crowd_receive(crowd *throng, int wait_ms)
{
    struct epoll_event events[EVENTS];
    int n = epoll_wait(throng->epoll, events, EVENTS, wait_ms);
    throng->now_ns = cn_mono_ns();
    for (int i = 0; i < n; i++) {
        crowd_watched watched = throng->watched[events[i].data.fd];
        if (watched.fn) watched.fn(watched.arg);
    }
}
