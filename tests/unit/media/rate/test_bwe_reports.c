/* A bottleneck between a sender of a picture in layers and a voice, and a receiver who has nothing but receiver reports. */
#include "cn_test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "media/rate/reported.h"

#define MS 1000000ull
#define STEP_MS 5
#define RING 65536
#define AUDIO_BPS 40000
#define CEILING 8000000

typedef struct ssrc {
    cn_reported_stream heard;
    unsigned bytes; /* of a packet */
    uint32_t sent, highest, reported;
    uint32_t came, came_then;
    double owed;
    uint32_t sent_ms[RING];
    bool lost[RING];
} ssrc;

typedef struct line {
    double rate_bps, queue_ms, loss; /* the path: 20 ms each way, drop tail, at random */
    unsigned report_ms;              /* 0: never */
    bool voice, rtt;
    const double *layers; /* of the picture, from the smallest */
    size_t layer_count;
    unsigned copies; /* pictures of that kind */
    cn_bwe bwe;
    cn_reported reported;
    uint64_t now_ns, next_report_ns, bytes;
    double queue_bits, least_age_ms;
    uint32_t random;
    ssrc audio, video;
    uint64_t to_come[2]; /* reports on their way back */
    /* of the last run */
    double shown_ms, paused_ms, lost_packets, packets, came_bits;
    unsigned switches;
    double shown; /* bps of the picture at present */
} line;

static bool verbose;

static void line_init(line *path, double rate_bps, const double *layers, size_t count)
{
    memset(path, 0, sizeof *path);
    path->rate_bps = rate_bps;
    path->queue_ms = 300;
    path->report_ms = 1000;
    path->voice = path->rtt = true;
    path->layers = layers;
    path->layer_count = count;
    path->copies = 1;
    path->now_ns = 5000 * MS;
    path->random = 1;
    path->audio = (ssrc){.bytes = 100, .sent = 70000};
    path->video = (ssrc){.bytes = 1200, .sent = 90000};
    path->audio.highest = path->audio.reported = 70000;
    path->video.highest = path->video.reported = 90000;
    path->reported.from_ns = path->now_ns;
    cn_bwe_init(&path->bwe);
}

static double draw(line *path)
{
    path->random = path->random * 1664525u + 1013904223u;
    return (path->random >> 8) / 16777216.0;
}

static void packet(line *path, ssrc *stream)
{
    double bits = stream->bytes * 8.0;
    unsigned at = ++stream->sent % RING;
    stream->sent_ms[at] = (uint32_t)(path->now_ns / MS);
    path->bytes += stream->bytes;
    path->packets++;
    stream->lost[at] = draw(path) < path->loss || path->queue_bits + bits > path->queue_ms / 1000 * path->rate_bps;
    if (stream->lost[at]) {
        path->lost_packets++;
        return;
    }
    path->queue_bits += bits;
    path->came_bits += bits;
}

static void give(line *path, ssrc *stream, double bps)
{
    stream->owed += bps * STEP_MS / 1000;
    for (; stream->owed >= stream->bytes * 8.0; stream->owed -= stream->bytes * 8.0) packet(path, stream);
}

/* What arrived by now, as long as the queue that stands at present takes. */
static void arrive(line *path, ssrc *stream)
{
    double wait_ms = 20 + path->queue_bits / path->rate_bps * 1000;
    while (stream->highest < stream->sent) {
        unsigned at = (stream->highest + 1) % RING;
        if ((double)(path->now_ns / MS - stream->sent_ms[at]) < wait_ms) break;
        stream->highest++;
        stream->came += !stream->lost[at];
    }
}

static void block(line *path, ssrc *stream)
{
    uint32_t expected = stream->highest - stream->reported, came = stream->came - stream->came_then;
    uint32_t next = stream->highest + 1;
    if (!expected) return;
    cn_reported_block heard = {
        .sent = stream->sent,
        .first = stream->reported,
        .highest = stream->highest & 0xffff,
        .fraction = (uint8_t)fmin(255, (expected - came) * 256.0 / expected),
        .age_ms = next <= stream->sent ? (uint32_t)(path->now_ns / MS) + 20 - stream->sent_ms[next % RING] : 0};
    cn_reported_add(&path->reported, &stream->heard, &heard);
    stream->reported = stream->highest;
    stream->came_then = stream->came;
}

static double wanted(const line *path)
{
    return path->copies * path->layers[path->layer_count - 1] + AUDIO_BPS;
}

static void report(line *path)
{
    if (!path->report_ms || path->now_ns < path->next_report_ns) return;
    path->next_report_ns = path->now_ns + path->report_ms * MS;
    block(path, &path->audio);
    block(path, &path->video);
    cn_bwe_heard heard = {.wanted_bps = (uint32_t)wanted(path)};
    uint64_t now = path->now_ns + 20 * MS;
    if (cn_reported_take(&path->reported, path->bytes, path->rtt ? 45 : 0, now, &heard)) {
        (void)cn_bwe_report(&path->bwe, &heard, now);
        if (verbose)
            printf("  %6.1f s loss %4.1f %% sent %5u came %5u queue %4u ms: %5u kbit/s\n", (double)now / 1e9,
                   heard.loss * 100, heard.sent_bps / 1000, heard.came_bps / 1000, heard.queue_ms,
                   cn_bwe_bps(&path->bwe) / 1000);
    }
}

/* The largest layers that fit: of as many pictures as do. */
static double choose(line *path)
{
    cn_bwe_least least = {.ceiling_bps = CEILING,
                          .first_bps = (uint32_t)path->layers[0] + AUDIO_BPS,
                          .all_bps = (uint32_t)(path->copies * path->layers[0]) + AUDIO_BPS};
    double budget = cn_bwe_try_least(&path->bwe, &least, path->now_ns) - AUDIO_BPS, best = 0;
    for (unsigned n = 1; n <= path->copies; n++)
        for (size_t i = 0; i < path->layer_count; i++)
            if (n * path->layers[i] <= budget) best = fmax(best, n * path->layers[i]);
    return best;
}

static void run(line *path, const char *what, unsigned ms)
{
    path->shown_ms = path->paused_ms = path->lost_packets = path->packets = path->came_bits = 0;
    path->switches = 0;
    for (unsigned t = 0; t < ms; t += STEP_MS) {
        path->now_ns += STEP_MS * MS;
        path->queue_bits = fmax(0, path->queue_bits - path->rate_bps * STEP_MS / 1000);
        if (t % 200 == 0) {
            double now = choose(path);
            path->switches += now != path->shown;
            path->shown = now;
        }
        if (path->voice) give(path, &path->audio, AUDIO_BPS);
        give(path, &path->video, path->shown);
        arrive(path, &path->audio);
        arrive(path, &path->video);
        report(path);
        *(path->shown > 0 ? &path->shown_ms : &path->paused_ms) += STEP_MS;
    }
    if (verbose)
        printf("%-26s est %5u shown %5.0f kbit/s for %.1f of %.1f s, came %5.0f, lost %.1f %%, %u switches\n", what,
               cn_bwe_bps(&path->bwe) / 1000, path->shown / 1000, path->shown_ms / 1000, ms / 1000.0,
               path->came_bits / ms, path->packets > 0 ? 100 * path->lost_packets / path->packets : 0, path->switches);
}

static const double one[] = {2.5e6}, large[] = {5e6}, camera[] = {320e3}, layers[] = {150e3, 500e3, 1.5e6, 4e6};

static void an_encoders_only_layer_is_seen_at_once(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        line path;
        line_init(&path, 50e6, i & 1 ? large : one, 1);
        path.report_ms = i & 2 ? 1000 : 0;
        path.voice = i & 4;
        run(&path, "one layer", 1000);
        assert_true(path.paused_ms < 300);
        run(&path, "one layer", 60000);
        assert_true(path.paused_ms == 0 && path.switches == 0);
    }
}

static void all_of_thirty_cameras_come(void **state)
{
    (void)state;
    line path;
    line_init(&path, 100e6, camera, 1);
    path.copies = 30;
    run(&path, "30 cameras, first 5 s", 5000);
    assert_true(path.shown > 29.9 * camera[0]);
    run(&path, "30 cameras", 30000);
    assert_true(path.switches == 0);
}

static void who_never_reports_gets_no_more_than_the_ceiling(void **state)
{
    (void)state;
    line path;
    line_init(&path, 100e6, camera, 1);
    path.report_ms = 0;
    path.copies = 30;
    run(&path, "silent, 30 cameras", 8000);
    assert_true(path.shown < 2.1e6);
    run(&path, "silent, 30 cameras", 8000);
    assert_true(path.shown > 7e6 && path.shown < CEILING);
}

static void a_narrow_line_brings_it_down_and_leaves_the_voice_whole(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 6; i++) {
        line path;
        line_init(&path, 500e3, i & 1 ? layers : one, i & 1 ? 4 : 1);
        path.report_ms = i & 2 ? 5000 : 1000;
        path.queue_ms = i & 4 ? 2000 : 300;
        run(&path, "500 kbit/s, first 10 s", 10000);
        run(&path, "500 kbit/s", 300000);
        assert_true(path.lost_packets < 0.25 * path.packets);
        assert_true(path.switches < 25);
        if (i & 1)
            assert_true(path.paused_ms < 15000 && path.came_bits / 300 > 150e3);
        else
            assert_true(path.paused_ms > 250000);
    }
}

static void loss_of_more_than_a_tenth_brings_it_down(void **state)
{
    (void)state;
    line path;
    line_init(&path, 50e6, layers, 4);
    run(&path, "clear", 10000);
    assert_true(path.shown > 3.9e6);
    path.loss = 0.14;
    run(&path, "14 % loss, first 20 s", 20000);
    unsigned before = path.switches;
    assert_true(cn_bwe_bps(&path.bwe) < 1.5e6);
    run(&path, "14 % loss", 120000);
    assert_true(before < 8 && path.switches < 12 && path.paused_ms == 0);
    path.loss = 0;
    run(&path, "clear again, first 30 s", 30000);
    run(&path, "clear again", 10000);
    assert_true(path.shown > 3.9e6);
}

static void a_little_loss_keeps_what_there_is(void **state)
{
    (void)state;
    line path;
    line_init(&path, 50e6, one, 1);
    path.loss = 0.05;
    run(&path, "5 % loss", 60000);
    assert_true(path.paused_ms < 300);
}

static void a_line_that_becomes_narrow_is_followed(void **state)
{
    (void)state;
    line path;
    line_init(&path, 10e6, layers, 4);
    run(&path, "10 Mbit/s", 10000);
    assert_true(path.shown > 3.9e6);
    path.rate_bps = 1e6;
    run(&path, "1 Mbit/s, first 3 s", 3000);
    assert_true(path.shown < 1e6);
    run(&path, "1 Mbit/s", 60000);
    assert_true(path.lost_packets < 0.15 * path.packets);
    path.rate_bps = 10e6;
    run(&path, "10 Mbit/s again", 60000);
    assert_true(path.shown > 3.9e6);
}

static void a_long_way_is_no_queue(void **state)
{
    (void)state;
    line path;
    line_init(&path, 50e6, layers, 4);
    path.rtt = false; /* no sender report was seen: the round trip is not known */
    run(&path, "round trip not known", 10000);
    assert_true(path.shown > 3.9e6);
}

static void what_is_reported_is_taken_with_care(void **state)
{
    (void)state;
    cn_reported reported = {.from_ns = 1000 * MS};
    cn_reported_stream stream = {0};
    cn_bwe_heard heard = {0};
    cn_reported_block first = {.sent = 66000, .first = 65900, .highest = 65980 & 0xffff, .fraction = 64};
    cn_reported_add(&reported, &stream, &first);
    cn_reported_block old = {.sent = 66010, .highest = 65950 & 0xffff, .fraction = 255};
    cn_reported_add(&reported, &stream, &old);
    assert_false(cn_reported_take(&reported, 100000, 0, 1200 * MS, &heard));
    assert_true(cn_reported_take(&reported, 100000, 0, 2000 * MS, &heard));
    assert_true(heard.loss > 0.24 && heard.loss < 0.26 && heard.sent_bps == 800000);
    assert_true(heard.came_bps > 470000 && heard.came_bps < 490000); /* 60 of 100 */
    assert_false(cn_reported_take(&reported, 100000, 0, 3000 * MS, &heard));
    assert_true(cn_reported_take(&reported, 100000, 0, 4100 * MS, &heard)); /* silence is no loss */
    assert_true(heard.loss == 0 && heard.came_bps == 0 && heard.sent_bps == 0);
}

int main(void)
{
    verbose = getenv("CN_VERBOSE") != NULL;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_encoders_only_layer_is_seen_at_once),
        cmocka_unit_test(all_of_thirty_cameras_come),
        cmocka_unit_test(who_never_reports_gets_no_more_than_the_ceiling),
        cmocka_unit_test(a_narrow_line_brings_it_down_and_leaves_the_voice_whole),
        cmocka_unit_test(loss_of_more_than_a_tenth_brings_it_down),
        cmocka_unit_test(a_little_loss_keeps_what_there_is),
        cmocka_unit_test(a_line_that_becomes_narrow_is_followed),
        cmocka_unit_test(a_long_way_is_no_queue),
        cmocka_unit_test(what_is_reported_is_taken_with_care),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
