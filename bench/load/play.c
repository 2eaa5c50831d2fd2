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
#include "media/tier.h"

#define CONNECT_MS 30000
#define CEILING_MS 2000
#define SETTLED_MS 1000
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
        if (p->shows_n && !seat_show_all(seats[i], shows, p->shows_n, p->tier ? p->tier : "4k")) return false;
    }
    return true;
}

/* Everybody in the room. */
typedef struct table {
    const scene *scene;
    seat *const *seats;
    FILE *save; /* for the frames that come to the first listener, NULL: none */
} table;

/* Delays are then those of frames. */
static bool files(const play_options *o)
{
    bool any = false;
    for (unsigned i = 0; i < CROWD_LAYERS; i++) any |= o->shape.footage[i] != NULL;
    return any;
}

/* What each listener got so far. */
static void listeners_note(play_result *out, const table *at)
{
    const scene *s = at->scene;
    out->listeners_n = 0;
    for (unsigned i = 1; i < s->persons && out->listeners_n < PLAY_LISTENERS; i++) {
        play_listener *l = &out->listeners[out->listeners_n++];
        l->tier = s->person[i].tier ? s->person[i].tier : "4k";
        (void)cn_strcpy(l->state, sizeof l->state, seat_slot_state(at->seats[i]));
        crowd_pc_frames(seat_pc(at->seats[i]), &l->frames);
    }
}

/* The largest layer that a listener's tier allows comes to him, or the server said that there is none. */
static bool settled(const seat *who, const char *tier_max, const play_options *o)
{
    cn_tier tier = CN_TIER_4K;
    crowd_frames frames;
    int best = -1;
    (void)cn_tier_parse(tier_max ? tier_max : "4k", &tier);
    for (int i = 0; i < CROWD_LAYERS; i++) {
        const footage *f = o->shape.footage[i];
        if (f && (int64_t)f->width * f->height <= cn_tier_area_max(tier)) best = i;
    }
    crowd_pc_frames(seat_pc(who), &frames);
    bool live = strcmp(seat_slot_state(who), "live") == 0;
    return best < 0 ? strcmp(seat_slot_state(who), "limit") == 0 : live && frames.layer == best;
}

/* Until that has been so for a second, `warm` seconds at most: estimates need their time. */
static void settle(play_result *out, crowd *c, const table *at, const play_options *o)
{
    uint64_t start = cn_mono_ms(), since = start, now = start;
    while (now - start < o->warm * 1000ull && now - since < SETTLED_MS) {
        crowd_play(c, 50);
        now = cn_mono_ms();
        for (unsigned i = 1; i < at->scene->persons; i++)
            if (!settled(at->seats[i], at->scene->person[i].tier, o)) since = now;
    }
    out->settled_s = (double)(since - start) / 1000;
}

/* The host lowers the room's ceiling; for how long layers above it still come. */
static bool ceiling_play(play_result *out, crowd *c, seat *const *seats, const play_options *o)
{
    cn_tier tier;
    crowd_frames before;
    crowd_pc_frames(seat_pc(seats[1]), &before);
    uint64_t start = cn_mono_ns(), last = start;
    if (!cn_tier_parse(o->ceiling, &tier) || !seat_ceiling(seats[0], o->ceiling)) return false;
    crowd_play(c, CEILING_MS);
    for (unsigned i = 0; i < CROWD_LAYERS; i++) {
        const footage *f = o->shape.footage[i];
        uint64_t seen = crowd_layer_seen_ns(c, i);
        if (f && (int64_t)f->width * f->height > cn_tier_area_max(tier) && seen > last) last = seen;
    }
    out->ceiling_ms = (double)(last - start) / 1e6;
    crowd_pc_frames(seat_pc(seats[1]), &out->ceiling_frames);
    for (unsigned i = 0; i < CROWD_LAYERS; i++) out->ceiling_frames.seen[i] -= before.seen[i];
    (void)cn_strcpy(out->ceiling_state, sizeof out->ceiling_state, seat_slot_state(seats[1]));
    out->totals.frames_altered = crowd_totals_get(c)->frames_altered;
    out->totals.frames_missing = crowd_totals_get(c)->frames_missing;
    return true;
}

/* The clock runs over `seconds`; what is still on its way then is waited for. `at`: NULL against Janus. */
static bool measure(play_result *out, crowd *c, pid_t pid, const play_options *o, const table *at)
{
    uint64_t soft[2] = {0, 0};
    crowd_hold(c, false);
    if (at && files(o))
        settle(out, c, at, o);
    else
        crowd_play(c, o->warm * 1000);
    if (at && at->save) crowd_pc_save(seat_pc(at->seats[1]), at->save);
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
    if (at && at->scene->persons > 1) listeners_note(out, at);
    ok = ok && (!o->schedule || crowd_departures_write(c, o->schedule));
    if (out->softirq_known && cpu_softirq_ns(o->server_cpu, &soft[1])) out->softirq_ns = soft[1] - soft[0];
    ok = ok && proc_use_get(pid, &out->after);
    out->before.cpu_ns = cpu[0];
    out->after.cpu_ns = cpu[1];
    crowd_play(c, 500);
    crowd_totals_close(c);
    out->totals.lost = crowd_totals_get(c)->lost;
    out->streams_wanted = crowd_streams(c, &out->streams_delivered, &out->audio_missing);
    if (ok && at && o->ceiling) ok = ceiling_play(out, c, at->seats, o);
    return ok && (files(o) || direct_play(&out->direct, DIRECT_PACKETS, DIRECT_BYTES));
}

bool play_consilium(play_result *out, const host *h, const scene *s, const play_options *o)
{
    *out = (play_result){.server = "Consilium", .ceiling_ms = -1};
    uint64_t start = cn_mono_ns();
    crowd *c = crowd_new(&o->shape);
    door *d = c ? door_open(c, h->port, h->user, h->password) : NULL;
    seat **seats = cn_calloc(s->persons, sizeof(seat *));
    if (c) crowd_hold(c, true);
    bool ok = d && seats && seats_take(c, d, s, seats);
    out->join_seconds = (double)(cn_mono_ns() - start) / 1e9;
    if (ok) (void)cn_strcpy(out->profile, sizeof out->profile, seat_profile(seats[0]));
    FILE *file = ok && o->save ? fopen(o->save, "we") : NULL;
    ok = ok && (file || !o->save) && measure(out, c, h->pid, o, &(table){s, seats, file});
    for (unsigned i = 0; seats && i < s->persons; i++) seat_leave(seats[i]);
    free(seats);
    door_close(d);
    crowd_free(c);
    if (file && fclose(file)) ok = false;
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
    *out = (play_result){.ceiling_ms = -1};
    (void)cn_strcpy(out->server, sizeof out->server, h->version);
    uint64_t start = cn_mono_ns();
    crowd *c = crowd_new(&o->shape);
    guest **guests = cn_calloc(s->persons, sizeof(guest *));
    if (c) crowd_hold(c, true);
    bool ok = c && guests && guests_take(c, h->port, s, guests);
    out->join_seconds = (double)(cn_mono_ns() - start) / 1e9;
    if (ok) (void)cn_strcpy(out->profile, sizeof out->profile, guest_profile(guests[0]));
    ok = ok && measure(out, c, h->pid, o, NULL);
    for (unsigned i = 0; guests && i < s->persons; i++) guest_free(guests[i]);
    free(guests);
    crowd_free(c);
    return ok;
}
