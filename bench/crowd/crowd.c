#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "crowd_private.h"

#define EVENTS 128

crowd *crowd_new(const crowd_shape *shape)
{
    crowd *c = CN_NEW(crowd);
    if (!c) return NULL;
    c->shape = *shape;
    bool files = false;
    for (unsigned i = 0; i < CROWD_LAYERS; i++) files |= shape->footage[i] != NULL;
    if (files && !(c->film = CN_NEW(film))) abort();
    for (unsigned i = 0; files && i < CROWD_LAYERS; i++) c->film->layer[i] = shape->footage[i];
    c->epoll = epoll_create1(EPOLL_CLOEXEC);
    c->now_ns = cn_mono_ns();
    return c;
}

crowd_totals *crowd_totals_get(crowd *c)
{
    uint64_t bad = c->gone_bad;
    for (const crowd_pc *pc = c->pcs; pc; pc = pc->next) {
        const cn_client_counts *k = cn_client_counts_get(pc->client);
        bad += k->rtp_bad + k->rtcp_bad;
    }
    c->totals.undecryptable = bad - c->bad_before;
    return &c->totals;
}

void crowd_totals_reset(crowd *c)
{
    uint64_t bad = crowd_totals_get(c)->undecryptable;
    c->bad_before += bad;
    for (crowd_pc *pc = c->pcs; pc; pc = pc->next)
        for (size_t i = 0; i < pc->inlet_n; i++) {
            inlet_close(&pc->inlets[i], &c->totals);
            watch_reset(&pc->inlets[i]);
        }
    memset(&c->totals, 0, sizeof c->totals);
}

void crowd_totals_close(crowd *c)
{
    for (crowd_pc *pc = c->pcs; pc; pc = pc->next)
        for (size_t i = 0; i < pc->inlet_n; i++) inlet_close(&pc->inlets[i], &c->totals);
}

unsigned crowd_streams(const crowd *c, unsigned *delivering, unsigned *audio_missing)
{
    unsigned wanted = 0;
    *delivering = *audio_missing = 0;
    for (const crowd_pc *pc = c->pcs; pc; pc = pc->next) {
        for (size_t i = 0; i < pc->inlet_n; i++) {
            const inlet *in = &pc->inlets[i];
            wanted++;
            bool flows = in->sourced && c->now_ns - in->last_ns < 1000000000ull;
            *delivering += flows;
            *audio_missing += !flows && !in->video;
        }
    }
    return wanted;
}

uint64_t crowd_delays(const uint32_t buckets[CROWD_DELAY_BUCKETS])
{
    uint64_t all = 0;
    for (size_t i = 0; i < CROWD_DELAY_BUCKETS; i++) all += buckets[i];
    return all;
}

double crowd_delay_ms(const uint32_t buckets[CROWD_DELAY_BUCKETS], double share)
{
    uint64_t all = crowd_delays(buckets), seen = 0;
    size_t i = 0;
    for (; i < CROWD_DELAY_BUCKETS && all; i++) {
        seen += buckets[i];
        if ((double)seen >= share * (double)all) break;
    }
    return (double)(i + 1) * CROWD_DELAY_STEP_NS / 1e6;
}

bool crowd_watch(crowd *c, int fd, void (*fn)(void *arg), void *arg)
{
    if ((size_t)fd >= c->watched_n) {
        size_t n = (size_t)fd + 64;
        crowd_watched *more = reallocarray(c->watched, n, sizeof *more);
        if (!more) return false;
        memset(more + c->watched_n, 0, (n - c->watched_n) * sizeof *more);
        c->watched = more;
        c->watched_n = n;
    }
    c->watched[fd] = (crowd_watched){fd, fn, arg};
    struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};
    return epoll_ctl(c->epoll, EPOLL_CTL_ADD, fd, &e) == 0;
}

void crowd_unwatch(crowd *c, int fd)
{
    (void)epoll_ctl(c->epoll, EPOLL_CTL_DEL, fd, NULL);
    if ((size_t)fd < c->watched_n) c->watched[fd].fn = NULL;
}

static void receive(crowd *c, int wait_ms)
{
    struct epoll_event events[EVENTS];
    int n = epoll_wait(c->epoll, events, EVENTS, wait_ms);
    c->now_ns = cn_mono_ns();
    for (int i = 0; i < n; i++) {
        crowd_watched w = c->watched[events[i].data.fd];
        if (w.fn) w.fn(w.arg);
    }
}

void crowd_departures_keep(crowd *c, size_t max)
{
    free(c->departures);
    c->departures = max ? cn_calloc(max, sizeof *c->departures) : NULL;
    c->departures_n = 0;
    c->departures_max = c->departures ? max : 0;
}

static int departure_compare(const void *left, const void *right)
{
    const crowd_departure *a = left, *b = right;
    return a->wall_ns < b->wall_ns ? -1 : a->wall_ns > b->wall_ns;
}

bool crowd_departures_write(crowd *c, const char *path)
{
    qsort(c->departures, c->departures_n, sizeof *c->departures, departure_compare);
    FILE *f = fopen(path, "we");
    for (size_t i = 0; f && i < c->departures_n; i++) {
        const crowd_departure *d = &c->departures[i];
        fprintf(f, "%lld %u %u\n", (long long)(d->wall_ns - c->departures[0].wall_ns) / 1000, d->destination, d->size);
    }
    bool ok = f && !ferror(f) && c->departures_n;
    if (f && fclose(f)) ok = false;
    crowd_departures_keep(c, 0);
    return ok;
}

void crowd_hold(crowd *c, bool hold)
{
    c->held = hold;
}

void crowd_play(crowd *c, unsigned ms)
{
    uint64_t until = cn_mono_ns() + (uint64_t)ms * 1000000;
    do {
        c->now_ns = cn_mono_ns();
        for (crowd_pc *pc = c->pcs; pc; pc = pc->next) crowd_pc_turn(pc);
        receive(c, 1);
    } while (c->now_ns < until);
}

void crowd_free(crowd *c)
{
    if (!c) return;
    while (c->pcs) crowd_pc_free(c->pcs);
    if (c->epoll >= 0) close(c->epoll);
    free(c->watched);
    free(c->departures);
    free(c->film);
    free(c);
}
