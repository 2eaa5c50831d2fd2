#include "play.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "cpu.h"
#include "crowd/watch.h"
#include "direct.h"
#include "door.h"
#include "gateway.h"
#include "media/kinds.h"

#define CONNECT_MS 30000
#define CEILING_MS 2000
#define SETTLED_MS 1000
#define DEPARTURES 4000000
#define DIRECT_PACKETS 10000
#define DIRECT_BYTES 1132

static bool everybody_connected(crowd *throng, seat **seats, unsigned count)
{
    uint64_t until = cn_mono_ms() + CONNECT_MS;
    unsigned connected = 0;
    while (connected < count && cn_mono_ms() < until) {
        crowd_play(throng, 50);
        connected = 0;
        for (unsigned i = 0; i < count; i++) connected += seat_connected(seats[i]);
    }
    if (connected < count) fprintf(stderr, "load: only %u of %u are connected\n", connected, count);
    return connected == count;
}

static bool seats_take(crowd *throng, door *gate, const scene *setting, seat **seats)
{
    for (unsigned i = 0; i < setting->persons; i++) {
        char room[32];
        const scene_person *person = &setting->person[i];
        (void)cn_fmt(room, sizeof room, "load-%u", person->room);
        seat_shape shape = {.room = room,
                            .mic = person->mic,
                            .layers = person->layers,
                            .audio_slots = person->audio_slots,
                            .video_slots = person->shows_n};
        if (!(seats[i] = seat_join(gate, (uint16_t)i, &shape))) return false;
    }
    if (!everybody_connected(throng, seats, setting->persons)) return false;
    for (unsigned i = 0; i < setting->persons; i++) {
        seat_show shows[SCENE_SHOWS];
        const scene_person *person = &setting->person[i];
        for (unsigned k = 0; k < person->shows_n; k++)
            shows[k] = (seat_show){person->shows[k].sender, person->shows[k].width, person->shows[k].height};
        if (person->shows_n && !seat_show_all(seats[i], shows, person->shows_n, person->tier ? person->tier : "4k"))
            return false;
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
static bool files(const play_options *opts)
{
    bool any = false;
    for (unsigned i = 0; i < RTC_LAYERS; i++) any |= opts->shape.footage[i] != NULL;
    return any;
}

/* What each listener got so far. */
static void listeners_note(play_result *out, const table *at)
{
    const scene *setting = at->scene;
    out->listeners_n = 0;
    for (unsigned i = 1; i < setting->persons && out->listeners_n < PLAY_LISTENERS; i++) {
        play_listener *listener = &out->listeners[out->listeners_n++];
        listener->tier = setting->person[i].tier ? setting->person[i].tier : "4k";
        (void)cn_strcpy(listener->state, sizeof listener->state, seat_slot_state(at->seats[i]));
        crowd_pc_frames(seat_pc(at->seats[i]), &listener->frames);
    }
}

/* The largest layer that a listener's tier allows comes to him, or the server said that there is none. */
static bool settled(const seat *who, const char *tier_max, const play_options *opts)
{
    cn_tier tier = CN_TIER_4K;
    crowd_frames frames;
    int best = -1;
    (void)cn_tier_parse(tier_max ? tier_max : "4k", &tier);
    for (int i = 0; i < RTC_LAYERS; i++) {
        const footage *clip = opts->shape.footage[i];
        if (clip && (int64_t)clip->width * clip->height <= cn_tier_area_max(tier)) best = i;
    }
    crowd_pc_frames(seat_pc(who), &frames);
    bool live = strcmp(seat_slot_state(who), "live") == 0;
    return best < 0 ? strcmp(seat_slot_state(who), "limit") == 0 : live && frames.layer == best;
}

/* Until that has been so for a second, `warm` seconds at most: estimates need their time. */
static void settle(play_result *out, crowd *throng, const table *at, const play_options *opts)
{
    uint64_t start = cn_mono_ms(), since = start, now = start;
    while (now - start < opts->warm * 1000ull && now - since < SETTLED_MS) {
        crowd_play(throng, 50);
        now = cn_mono_ms();
        for (unsigned i = 1; i < at->scene->persons; i++)
            if (!settled(at->seats[i], at->scene->person[i].tier, opts)) since = now;
    }
    out->settled_s = (double)(since - start) / 1000;
}

/* The host lowers the room's ceiling; for how long layers above it still come. */
static bool ceiling_play(play_result *out, crowd *throng, seat *const *seats, const play_options *opts)
{
    cn_tier tier;
    crowd_frames before;
    crowd_pc_frames(seat_pc(seats[1]), &before);
    uint64_t start = cn_mono_ns(), last = start;
    if (!cn_tier_parse(opts->ceiling, &tier) || !seat_ceiling(seats[0], opts->ceiling)) return false;
    crowd_play(throng, CEILING_MS);
    for (unsigned i = 0; i < RTC_LAYERS; i++) {
        const footage *clip = opts->shape.footage[i];
        uint64_t seen = crowd_layer_seen_ns(throng, i);
        if (clip && (int64_t)clip->width * clip->height > cn_tier_area_max(tier) && seen > last) last = seen;
    }
    out->ceiling_ms = (double)(last - start) / 1e6;
    crowd_pc_frames(seat_pc(seats[1]), &out->ceiling_frames);
    for (unsigned i = 0; i < RTC_LAYERS; i++) out->ceiling_frames.seen[i] -= before.seen[i];
    (void)cn_strcpy(out->ceiling_state, sizeof out->ceiling_state, seat_slot_state(seats[1]));
    out->totals.frames_altered = crowd_totals_get(throng)->frames_altered;
    out->totals.frames_missing = crowd_totals_get(throng)->frames_missing;
    return true;
}

/* The clock runs over `seconds`; what is still on its way then is waited for. `at`: NULL against Janus. */
static bool measure(play_result *out, crowd *throng, pid_t pid, const play_options *opts, const table *at)
{
    uint64_t soft[2] = {0, 0};
    crowd_hold(throng, false);
    if (at && files(opts))
        settle(out, throng, at, opts);
    else
        crowd_play(throng, opts->warm * 1000);
    if (at && at->save) crowd_pc_save(seat_pc(at->seats[1]), at->save);
    crowd_totals_reset(throng);
    crowd_departures_keep(throng, opts->schedule ? DEPARTURES : 0);
    out->softirq_known = opts->server_cpu >= 0 && cpu_softirq_ns(opts->server_cpu, &soft[0]);
    bool ok = proc_use_get(pid, &out->before);
    uint64_t start = cn_mono_ns(), own = cpu_process_ns(), cpu[2];
    ok = ok && proc_cpu_ns(pid, &cpu[0]);
    crowd_play(throng, opts->seconds * 1000);
    ok = ok && proc_cpu_ns(pid, &cpu[1]);
    out->seconds = (double)(cn_mono_ns() - start) / 1e9;
    out->own_cpu = (double)(cpu_process_ns() - own) / 1e9 / out->seconds;
    out->totals = *crowd_totals_get(throng);
    if (at && at->scene->persons > 1) listeners_note(out, at);
    ok = ok && (!opts->schedule || crowd_departures_write(throng, opts->schedule));
    if (out->softirq_known && cpu_softirq_ns(opts->server_cpu, &soft[1])) out->softirq_ns = soft[1] - soft[0];
    ok = ok && proc_use_get(pid, &out->after);
    out->before.cpu_ns = cpu[0];
    out->after.cpu_ns = cpu[1];
    crowd_play(throng, 500);
    crowd_totals_close(throng);
    out->totals.lost = crowd_totals_get(throng)->lost;
    out->streams_wanted = crowd_streams(throng, &out->streams_delivered, &out->audio_missing);
    if (ok && at && opts->ceiling) ok = ceiling_play(out, throng, at->seats, opts);
    return ok && (files(opts) || direct_play(&out->direct, DIRECT_PACKETS, DIRECT_BYTES));
}

bool play_consilium(play_result *out, const host *machine, const scene *setting, const play_options *opts)
{
    *out = (play_result){.server = "Consilium", .ceiling_ms = -1};
    uint64_t start = cn_mono_ns();
    crowd *throng = crowd_new(&opts->shape);
    door *gate = throng ? door_open(throng, machine->port, machine->user, machine->password) : NULL;
    seat **seats = cn_calloc(setting->persons, sizeof(seat *));
    if (throng) crowd_hold(throng, true);
    bool ok = gate && seats && seats_take(throng, gate, setting, seats);
    out->join_seconds = (double)(cn_mono_ns() - start) / 1e9;
    if (ok) (void)cn_strcpy(out->profile, sizeof out->profile, seat_profile(seats[0]));
    FILE *file = ok && opts->save ? fopen(opts->save, "we") : NULL;
    ok = ok && (file || !opts->save) && measure(out, throng, machine->pid, opts, &(table){setting, seats, file});
    for (unsigned i = 0; seats && i < setting->persons; i++) seat_leave(seats[i]);
    free(seats);
    door_close(gate);
    crowd_free(throng);
    if (file && fclose(file)) ok = false;
    return ok;
}

/* ---- Janus ---- */

static bool guests_connected(crowd *throng, guest **guests, unsigned count)
{
    uint64_t until = cn_mono_ms() + CONNECT_MS;
    unsigned connected = 0;
    while (connected < count && cn_mono_ms() < until) {
        crowd_play(throng, 50);
        connected = 0;
        for (unsigned i = 0; i < count; i++) connected += guest_connected(guests[i]);
    }
    if (connected < count) fprintf(stderr, "load: Janus: only %u of %u are connected\n", connected, count);
    return connected == count;
}

static bool guests_take(crowd *throng, uint16_t port, const scene *setting, guest **guests)
{
    for (unsigned i = 0; i < setting->persons; i++)
        if (!(guests[i] = guest_publish(throng, port, (uint16_t)i, &setting->person[i]))) return false;
    if (!guests_connected(throng, guests, setting->persons)) return false;
    for (unsigned i = 0; i < setting->persons; i++) {
        if (!guest_subscribe(guests[i])) return false;
    }
    if (!guests_connected(throng, guests, setting->persons)) return false;
    for (unsigned i = 0; i < setting->persons; i++) {
        if (!guest_layers(guests[i])) return false;
    }
    return true;
}

bool play_janus(play_result *out, const gateway_host *gateway, const scene *setting, const play_options *opts)
{
    *out = (play_result){.ceiling_ms = -1};
    (void)cn_strcpy(out->server, sizeof out->server, gateway->version);
    uint64_t start = cn_mono_ns();
    crowd *throng = crowd_new(&opts->shape);
    guest **guests = cn_calloc(setting->persons, sizeof(guest *));
    if (throng) crowd_hold(throng, true);
    bool ok = throng && guests && guests_take(throng, gateway->port, setting, guests);
    out->join_seconds = (double)(cn_mono_ns() - start) / 1e9;
    if (ok) (void)cn_strcpy(out->profile, sizeof out->profile, guest_profile(guests[0]));
    ok = ok && measure(out, throng, gateway->pid, opts, NULL);
    for (unsigned i = 0; guests && i < setting->persons; i++) guest_free(guests[i]);
    free(guests);
    crowd_free(throng);
    return ok;
}
