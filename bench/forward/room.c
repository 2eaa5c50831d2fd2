#include "room.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "crowd/crowd.h"
#include "crowd/pc.h"

#define AUDIO_SLOTS 5
#define VIDEO_BYTES 1100
#define CONNECT_MS 20000
#define LATE_MS 200
#define DEPARTURES_MAX 4000000

struct room {
    room_shape shape;
    bench_server *server;
    crowd *crowd;
    crowd_pc **pcs;
    size_t n;
};

static bool has_camera(const room *played, size_t index)
{
    return index < played->shape.video;
}

static void name(char out[BENCH_NAME], size_t index)
{
    (void)cn_fmt(out, BENCH_NAME, "p%zu", index);
}

static bool answered(room *played, size_t index, const char *offer, char *answer)
{
    bench_join join = {
        .video = has_camera(played, index), .audio_slots = AUDIO_SLOTS, .video_slots = played->shape.slots};
    name(join.name, index);
    bool ok = bench_server_join(played->server, &join, offer, answer, BENCH_OFFER);
    if (!ok) fprintf(stderr, "forward: %s cannot join: %s\n", join.name, answer);
    return ok;
}

static bool join(room *played, size_t index)
{
    rtc_offer offer = {.setup = "actpass",
                       .mic = true,
                       .layers = has_camera(played, index),
                       .audio_slots = AUDIO_SLOTS,
                       .video_slots = played->shape.slots};
    char *text = cn_calloc(1, BENCH_OFFER), *answer = cn_calloc(1, BENCH_OFFER);
    rtc_sdp *sdp = CN_NEW(rtc_sdp);
    crowd_pc *pc = played->pcs[index] = crowd_pc_new(played->crowd, (uint16_t)index);
    if (!text || !answer || !sdp || !pc) abort();
    crowd_pc_own(pc, &offer);
    bool ok = rtc_offer_write(text, BENCH_OFFER, &offer) && answered(played, index, text, answer) &&
              rtc_sdp_read(sdp, answer) && crowd_pc_remote(pc, sdp);
    free(text);
    free(answer);
    free(sdp);
    return ok;
}

static bool everybody_connected(room *played)
{
    uint64_t until = cn_mono_ms() + CONNECT_MS;
    size_t connected = 0;
    while (connected < played->n && cn_mono_ms() < until) {
        crowd_play(played->crowd, 20);
        connected = 0;
        for (size_t i = 0; i < played->n; i++) connected += crowd_pc_connected(played->pcs[i]);
    }
    if (connected < played->n) fprintf(stderr, "forward: only %zu of %zu connected\n", connected, played->n);
    return connected == played->n;
}

/** Each watches the next cameras after its own place, so that all cameras are watched alike. */
static bool slots_fill(room *played)
{
    for (size_t i = 0; i < played->n; i++) {
        bench_show show = {0};
        name(show.name, i);
        size_t k = 0;
        for (size_t at = 1; k < played->shape.slots && k < BENCH_SLOTS && at <= played->shape.video; at++) {
            size_t shown = (i + at) % played->shape.video;
            if (shown != i) name(show.shown[k++], shown);
        }
        if (!bench_server_show(played->server, &show)) return false;
    }
    return true;
}

/* Nobody sends before all are there: so they begin where they are put between two packets. */
static void begin(room *played)
{
    for (size_t i = 0; i < played->n; i++) {
        crowd_pc_mic(played->pcs[i], i < played->shape.speakers ? CROWD_SPEAKS : CROWD_SILENT);
        if (has_camera(played, i)) crowd_pc_camera(played->pcs[i], 1);
    }
}

room *room_new(bench_server *server, const room_shape *shape)
{
    crowd_shape each = {.codec = CN_CODEC_VP8,
                        .fps = shape->fps,
                        .packet_bytes = VIDEO_BYTES,
                        .pace = shape->spread ? CROWD_EVEN : CROWD_BURST,
                        .profile = "SRTP_AEAD_AES_128_GCM"};
    each.layer[RTC_LAYERS - 1] =
        (crowd_layer_shape){640, 360, (uint16_t)(shape->kbps < UINT16_MAX ? shape->kbps : UINT16_MAX)};
    room *played = CN_NEW(room);
    if (!played) return NULL;
    played->shape = *shape;
    played->server = server;
    played->n = shape->video + shape->voice;
    played->pcs = cn_calloc(played->n, sizeof(crowd_pc *));
    played->crowd = crowd_new(&each);
    bool ok = played->pcs && played->crowd;
    for (size_t i = 0; i < played->n && ok; i++) {
        ok = join(played, i);
        crowd_play(played->crowd, 0);
    }
    if (ok && everybody_connected(played) && slots_fill(played)) {
        begin(played);
        return played;
    }
    room_free(played);
    return NULL;
}

void room_play(room *played, unsigned ms)
{
    crowd_play(played->crowd, ms);
}

void room_reset(room *played)
{
    crowd_totals_reset(played->crowd);
    crowd_departures_keep(played->crowd, played->shape.record ? DEPARTURES_MAX : 0);
}

void room_counts_get(room *played, room_counts *out)
{
    const crowd_totals *totals = crowd_totals_get(played->crowd);
    *out = (room_counts){.video_in = totals->video_in,
                         .audio_in = totals->audio_in,
                         .foreign = totals->corrupt,
                         .bad = totals->undecryptable,
                         .delay_p50_ms = crowd_delay_ms(totals->delays, 0.5),
                         .delay_p99_ms = crowd_delay_ms(totals->delays, 0.99),
                         .delay_max_ms = crowd_delay_ms(totals->delays, 1.0)};
    crowd_hold(played->crowd, true);
    crowd_play(played->crowd, LATE_MS);
    crowd_totals_close(played->crowd);
    /* what came by retransmission before it came by itself is a duplicate, too */
    uint64_t recovered = totals->recovered > totals->duplicates ? totals->recovered - totals->duplicates : 0;
    out->missing = totals->lost + recovered;
    crowd_hold(played->crowd, false);
}

bool room_schedule_write(room *played, const char *path)
{
    bool ok = crowd_departures_write(played->crowd, path);
    if (!ok) fprintf(stderr, "forward: no schedule in %s\n", path);
    return ok;
}

void room_free(room *played)
{
    if (!played) return;
    crowd_free(played->crowd);
    free(played->pcs);
    free(played);
}
