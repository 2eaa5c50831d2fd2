#include "crowd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "pc.h"
#include "poll.h"
#include "state.h"
#include "watch.h"

crowd *crowd_new(const crowd_shape *shape)
{
    crowd *throng = CN_NEW(crowd);
    if (!throng) return NULL;
    throng->shape = *shape;
    bool files = false;
    for (unsigned i = 0; i < RTC_LAYERS; i++) files |= shape->footage[i] != NULL;
    if (files && !(throng->film = CN_NEW(film))) abort();
    for (unsigned i = 0; files && i < RTC_LAYERS; i++) throng->film->layer[i] = shape->footage[i];
    throng->epoll = epoll_create1(EPOLL_CLOEXEC);
    throng->now_ns = cn_mono_ns();
    return throng;
}

crowd_totals *crowd_totals_get(crowd *throng)
{
    uint64_t bad = throng->gone_bad;
    for (const crowd_pc *pc = throng->pcs; pc; pc = pc->next) {
        const rtc_client_counts *counts = rtc_client_counts_get(pc->client);
        bad += counts->rtp_bad + counts->rtcp_bad;
    }
    throng->totals.undecryptable = bad - throng->bad_before;
    return &throng->totals;
}

void crowd_totals_reset(crowd *throng)
{
    uint64_t bad = crowd_totals_get(throng)->undecryptable;
    throng->bad_before += bad;
    for (crowd_pc *pc = throng->pcs; pc; pc = pc->next)
        for (size_t i = 0; i < pc->inlet_n; i++) {
            inlet_close(&pc->inlets[i], &throng->totals);
            film_watch_reset(&pc->inlets[i]);
        }
    memset(&throng->totals, 0, sizeof throng->totals);
}

void crowd_totals_close(crowd *throng)
{
    for (crowd_pc *pc = throng->pcs; pc; pc = pc->next)
        for (size_t i = 0; i < pc->inlet_n; i++) inlet_close(&pc->inlets[i], &throng->totals);
}

unsigned crowd_streams(const crowd *throng, unsigned *delivering, unsigned *audio_missing)
{
    unsigned wanted = 0;
    *delivering = *audio_missing = 0;
    for (const crowd_pc *pc = throng->pcs; pc; pc = pc->next) {
        for (size_t i = 0; i < pc->inlet_n; i++) {
            const inlet *in = &pc->inlets[i];
            wanted++;
            bool flows = in->sourced && throng->now_ns - in->last_ns < 1000000000ull;
            *delivering += flows;
            *audio_missing += !flows && !in->video;
        }
    }
    return wanted;
}

void crowd_departures_keep(crowd *throng, size_t max)
{
    free(throng->departures);
    throng->departures = max ? cn_calloc(max, sizeof *throng->departures) : NULL;
    throng->departures_n = 0;
    throng->departures_max = throng->departures ? max : 0;
}

static int departure_compare(const void *left, const void *right)
{
    const crowd_departure *departed = left, *b = right;
    return departed->wall_ns < b->wall_ns ? -1 : departed->wall_ns > b->wall_ns;
}

bool crowd_departures_write(crowd *throng, const char *path)
{
    qsort(throng->departures, throng->departures_n, sizeof *throng->departures, departure_compare);
    FILE *file = fopen(path, "we");
    for (size_t i = 0; file && i < throng->departures_n; i++) {
        const crowd_departure *departed = &throng->departures[i];
        fprintf(file, "%lld %u %u\n", (long long)(departed->wall_ns - throng->departures[0].wall_ns) / 1000,
                departed->destination, departed->size);
    }
    bool ok = file && !ferror(file) && throng->departures_n;
    if (file && fclose(file)) ok = false;
    crowd_departures_keep(throng, 0);
    return ok;
}

void crowd_hold(crowd *throng, bool hold)
{
    throng->held = hold;
}

void crowd_play(crowd *throng, unsigned ms)
{
    uint64_t until = cn_mono_ns() + (uint64_t)ms * 1000000;
    do {
        throng->now_ns = cn_mono_ns();
        for (crowd_pc *pc = throng->pcs; pc; pc = pc->next) crowd_pc_turn(pc);
        crowd_receive(throng, 1);
    } while (throng->now_ns < until);
}

void crowd_free(crowd *throng)
{
    if (!throng) return;
    while (throng->pcs) crowd_pc_free(throng->pcs);
    if (throng->epoll >= 0) close(throng->epoll);
    free(throng->watched);
    free(throng->departures);
    free(throng->film);
    free(throng);
}
