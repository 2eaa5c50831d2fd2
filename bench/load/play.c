#include "play.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "cpu.h"
#include "direct.h"
#include "door.h"
#include "gateway.h"

#define CONNECT_MS 30000
#define DEPARTURES 4000000
#define DIRECT_PACKETS 10000
#define DIRECT_BYTES 1132

static bool everybody_connected(crowd *c, seat **seats, unsigned n)
{
    uint64_t until = cn_mono_ms() + CONNECT_MS;
    unsigned connected = 0;
    while (connected < n && cn_mono_ms() < until) {
        crowd_play(c, 50);
        connected = 0;
        for (unsigned i = 0; i < n; i++) connected += seat_connected(seats[i]);
    }
    if (connected < n) fprintf(stderr, "load: only %u of %u are connected\n", connected, n);
    return connected == n;
}

static bool seats_take(crowd *c, door *d, const scene *s, seat **seats)
{
    for (unsigned i = 0; i < s->persons; i++) {
        char room[32];
        const scene_person *p = &s->person[i];
        (void)cn_fmt(room, sizeof room, "load-%u", p->room);
        seat_shape shape = {
            .room = room, .mic = p->mic, .layers = p->layers, .audio_slots = p->audio_slots, .video_slots = p->shows_n};
        if (!(seats[i] = seat_join(d, (uint16_t)i, &shape))) return false;
    }
    if (!everybody_connected(c, seats, s->persons)) return false;
    for (unsigned i = 0; i < s->persons; i++) {
        seat_show shows[SCENE_SHOWS];
        const scene_person *p = &s->person[i];
        for (unsigned k = 0; k < p->shows_n; k++)
            shows[k] = (seat_show){p->shows[k].sender, p->shows[k].width, p->shows[k].height};
        if (p->shows_n && !seat_show_all(seats[i], shows, p->shows_n)) return false;
    }
    return true;
}

/* The clock runs over `seconds`; what is still on its way then is waited for. */
static bool measure(play_result *out, crowd *c, pid_t pid, const play_options *o)
{
    uint64_t soft[2] = {0, 0};
    crowd_hold(c, false);
    crowd_play(c, o->warm * 1000);
    crowd_totals_reset(c);
    crowd_departures_keep(c, o->schedule ? DEPARTURES : 0);
    out->softirq_known = o->server_cpu >= 0 && cpu_softirq_ns(o->server_cpu, &soft[0]);
    bool ok = proc_use_get(pid, &out->before);
    uint64_t start = cn_mono_ns(), own = cpu_process_ns(), cpu[2];
    ok = ok && proc_cpu_ns(pid, &cpu[0]);
    crowd_play(c, o->seconds * 1000);
    ok = ok && proc_cpu_ns(pid, &cpu[1]);
    out->seconds = (double)(cn_mono_ns() - start) / 1e9;
    out->own_cpu = (double)(cpu_process_ns() - own) / 1e9 / out->seconds;
    out->totals = *crowd_totals_get(c);
    ok = ok && (!o->schedule || crowd_departures_write(c, o->schedule));
    if (out->softirq_known && cpu_softirq_ns(o->server_cpu, &soft[1])) out->softirq_ns = soft[1] - soft[0];
    ok = ok && proc_use_get(pid, &out->after);
    out->before.cpu_ns = cpu[0];
    out->after.cpu_ns = cpu[1];
    crowd_play(c, 500);
    crowd_totals_close(c);
    out->totals.lost = crowd_totals_get(c)->lost;
    out->streams_wanted = crowd_streams(c, &out->streams_delivered);
    ok = ok && direct_play(&out->direct, DIRECT_PACKETS, DIRECT_BYTES);
    return ok;
}

bool play_consilium(play_result *out, const host *h, const scene *s, const play_options *o)
{
    *out = (play_result){.server = "Consilium"};
    uint64_t start = cn_mono_ns();
    crowd *c = crowd_new(&o->shape);
    door *d = c ? door_open(c, h->port, h->user, h->password) : NULL;
    seat **seats = cn_calloc(s->persons, sizeof(seat *));
    if (c) crowd_hold(c, true);
    bool ok = d && seats && seats_take(c, d, s, seats);
    out->join_seconds = (double)(cn_mono_ns() - start) / 1e9;
    if (ok) (void)cn_strcpy(out->profile, sizeof out->profile, seat_profile(seats[0]));
    ok = ok && measure(out, c, h->pid, o);
    for (unsigned i = 0; seats && i < s->persons; i++) seat_leave(seats[i]);
    free(seats);
    door_close(d);
    crowd_free(c);
    return ok;
}

/* ---- Janus ---- */

static bool guests_connected(crowd *c, guest **guests, unsigned n)
{
    uint64_t until = cn_mono_ms() + CONNECT_MS;
    unsigned connected = 0;
    while (connected < n && cn_mono_ms() < until) {
        crowd_play(c, 50);
        connected = 0;
        for (unsigned i = 0; i < n; i++) connected += guest_connected(guests[i]);
    }
    if (connected < n) fprintf(stderr, "load: Janus: only %u of %u are connected\n", connected, n);
    return connected == n;
}

static bool guests_take(crowd *c, uint16_t port, const scene *s, guest **guests)
{
    for (unsigned i = 0; i < s->persons; i++)
        if (!(guests[i] = guest_publish(c, port, (uint16_t)i, &s->person[i]))) return false;
    if (!guests_connected(c, guests, s->persons)) return false;
    for (unsigned i = 0; i < s->persons; i++) {
        if (!guest_subscribe(guests[i])) return false;
    }
    if (!guests_connected(c, guests, s->persons)) return false;
    for (unsigned i = 0; i < s->persons; i++) {
        if (!guest_layers(guests[i])) return false;
    }
    return true;
}

bool play_janus(play_result *out, const gateway_host *h, const scene *s, const play_options *o)
{
    *out = (play_result){0};
    (void)cn_strcpy(out->server, sizeof out->server, h->version);
    uint64_t start = cn_mono_ns();
    crowd *c = crowd_new(&o->shape);
    guest **guests = cn_calloc(s->persons, sizeof(guest *));
    if (c) crowd_hold(c, true);
    bool ok = c && guests && guests_take(c, h->port, s, guests);
    out->join_seconds = (double)(cn_mono_ns() - start) / 1e9;
    if (ok) (void)cn_strcpy(out->profile, sizeof out->profile, guest_profile(guests[0]));
    ok = ok && measure(out, c, h->pid, o);
    for (unsigned i = 0; guests && i < s->persons; i++) guest_free(guests[i]);
    free(guests);
    crowd_free(c);
    return ok;
}
