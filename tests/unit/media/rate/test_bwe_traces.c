/* The estimator against calls that were recorded (tests/data/bwe): what was
 * sent, when it came and when the browser said so are the browser's and the
 * line's; the estimator's own answers change nothing of it. */
#include "cn_test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "media/rate/bwe.h"

#define UNIT_US 100u /* of the times in a trace */
#define TICK_US \
    250 /* of the times in a feedback \
           (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1) */
#define PACKETS 16384
#define SECOND_US 1000000ull
#define WARM_US 3000000ull
#define WANTED 2200000u /* bps: voices and the largest layer */
#define PROBE_GAP_US 12000
#define EARLY_US 4000000 /* a recorded probe may come before its time by so much: another estimator waited for it */
#define NEEDED 2e6       /* bps: the same; what was sent beyond was repeated on demand */

typedef struct trace_packet {
    uint64_t sent_us, came_us; /* came: 0 for lost */
    uint16_t bytes;
    bool repeat, told_lost; /* repeat: of a probe */
} trace_packet;

typedef struct replay {
    trace_packet packets[PACKETS];
    size_t sent, told; /* told: below this number all were reported */
    uint64_t now_us, last_repeat_us, line_us;
    uint32_t line_kbps, rtt_ms;
    bool probing;
    cn_bwe bwe;
} replay;

/* What a judge is told after every feedback. */
typedef struct moment {
    uint64_t now_us, line_us; /* line: when it last changed */
    uint32_t line_kbps;
    double sent_bps, estimate_bps; /* sent: in the last second, without probes */
} moment;

typedef void (*judge)(void *arg, const moment *when);

static bool verbose;

static uint64_t clock_ns(uint64_t us)
{
    return 5 * SECOND_US * 1000 + us * 1000;
}

static void probe_follow(replay *player, bool repeat)
{
    cn_bwe_probe wanted;
    if (player->probing && !repeat && player->now_us > player->last_repeat_us + PROBE_GAP_US) {
        player->probing = false;
        size_t last = player->sent - 1;
        while (!player->packets[last].repeat) last--;
        cn_bwe_probe_end(&player->bwe, last);
    }
    if (!repeat) return;
    player->last_repeat_us = player->now_us;
    if (player->probing || player->bwe.probe.under_way ||
        !cn_bwe_probe_want(&player->bwe, WANTED, clock_ns(player->now_us + EARLY_US), &wanted))
        return;
    player->probing = true;
    cn_bwe_probe_begin(&player->bwe, player->sent, clock_ns(player->now_us));
}

/* "size time-on-the-way", "-" for lost, and "p" for a probe's. */
static bool packet_read(replay *player, char *word, char **rest)
{
    int64_t bytes = 0, way = 0;
    const char *on_the_way = strtok_r(NULL, " \n", rest);
    bool lost = on_the_way && *on_the_way == '-', repeat = strtok_r(NULL, " \n", rest) != NULL;
    if (player->sent == PACKETS || !on_the_way || !cn_parse_i64(word, 1, 2000, &bytes)) return false;
    if (!lost && !cn_parse_i64(on_the_way, 0, 1000000, &way)) return false;
    probe_follow(player, repeat);
    player->packets[player->sent++] = (trace_packet){.sent_us = player->now_us,
                                                     .came_us = lost ? 0 : player->now_us + (uint64_t)way * UNIT_US,
                                                     .bytes = (uint16_t)bytes,
                                                     .repeat = repeat};
    return true;
}

static cn_twcc_result result(const replay *player, size_t index, bool came)
{
    const trace_packet *pkt = &player->packets[index];
    return (cn_twcc_result){.seq = index,
                            .sent_ns = clock_ns(pkt->sent_us),
                            .arrival_us = came ? (int64_t)(pkt->came_us / TICK_US * TICK_US) - 777000000 : CN_TWCC_LOST,
                            .size = pkt->bytes,
                            .late = index < player->told};
}

/* As browsers report: up to the newest that came, what is missing as lost; and
 * again when that comes after all. */
static void feedback(replay *player, uint64_t left_us)
{
    static cn_twcc_result results[PACKETS];
    size_t n = 0, newest = player->told, from = player->told > 500 ? player->told - 500 : 0;
    uint64_t acked_us = 0;
    for (size_t i = player->told; i < player->sent; i++)
        if (player->packets[i].came_us && player->packets[i].came_us <= left_us) newest = i + 1;
    for (size_t i = from; i < newest; i++) {
        trace_packet *pkt = &player->packets[i];
        bool came = pkt->came_us && pkt->came_us <= left_us;
        if (i < player->told && !(pkt->told_lost && came)) continue;
        results[n++] = result(player, i, came);
        pkt->told_lost = !came;
        if (came) acked_us = pkt->sent_us;
    }
    player->told = newest;
    if (!n) return;
    uint32_t rtt_ms = acked_us ? (uint32_t)((player->now_us - acked_us) / 1000) : player->rtt_ms;
    player->rtt_ms = player->rtt_ms ? (7 * player->rtt_ms + rtt_ms) / 8 : rtt_ms;
    probe_follow(player, false);
    cn_bwe_feedback(&player->bwe, results, n, player->rtt_ms, clock_ns(player->now_us));
}

static double sent_bps(const replay *player)
{
    double bits = 0;
    for (size_t i = player->sent; i-- && player->packets[i].sent_us + SECOND_US > player->now_us;)
        if (!player->packets[i].repeat) bits += 8.0 * player->packets[i].bytes;
    return bits;
}

static bool line_read(replay *player, char *text, judge fn, void *arg)
{
    int64_t passed = 0, number = 0;
    char *rest = NULL, *word = strtok_r(text, " \n", &rest);
    if (!word || !cn_parse_i64(word, 0, 10000000, &passed) || !(word = strtok_r(NULL, " \n", &rest))) return false;
    player->now_us += (uint64_t)passed * UNIT_US;
    if (*word != '<' && *word != '=') return packet_read(player, word, &rest);
    char *value = strtok_r(NULL, " \n", &rest);
    if (!value || !cn_parse_i64(value, 0, 1000000, &number)) return false;
    if (*word == '=') {
        player->line_kbps = (uint32_t)number;
        player->line_us = player->now_us;
        return true;
    }
    feedback(player, player->now_us - (uint64_t)number * UNIT_US);
    fn(arg, &(moment){.now_us = player->now_us,
                      .line_us = player->line_us,
                      .line_kbps = player->line_kbps,
                      .sent_bps = sent_bps(player),
                      .estimate_bps = cn_bwe_bps(&player->bwe)});
    return true;
}

static void tell(const replay *player, uint64_t *told_s)
{
    if (!verbose || player->now_us / SECOND_US == *told_s) return;
    *told_s = player->now_us / SECOND_US;
    printf("%3u s line %4u sent %5.0f est %5.0f delay %5.0f loss %6.0f queue %u "
           "ms\n",
           (unsigned)*told_s, player->line_kbps, sent_bps(player) / 1000, cn_bwe_bps(&player->bwe) / 1000.0,
           player->bwe.bps / 1000, fmin(player->bwe.loss_bps / 1000, 99999),
           cn_delaytrend_queue_ms(&player->bwe.trend));
}

static void play(const char *name, judge fn, void *arg)
{
    char path[1024], text[128];
    uint64_t told_s = 0;
    replay *player = calloc(1, sizeof *player);
    assert_non_null(player);
    cn_bwe_init(&player->bwe);
    assert_true(cn_fmt(path, sizeof path, "%s/tests/data/bwe/%s.txt", CN_SOURCE_DIR, name));
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    if (verbose) printf("%s\n", name);
    while (fgets(text, sizeof text, file)) {
        if (text[0] == '#') continue;
        if (!line_read(player, text, fn, arg)) fail_msg("%s: a line cannot be read", path);
        tell(player, &told_s);
    }
    (void)fclose(file);
    assert_true(player->sent > 1000 && player->told > 1000);
    free(player);
}

/* ---- what a viewer notices: the estimate against what was sent ---- */

typedef struct least {
    double share; /* of what was sent and needed */
    uint64_t at_us;
} least;

static void keep_least(void *arg, const moment *when)
{
    least *lowest = arg;
    double share = when->sent_bps > 0 ? when->estimate_bps / fmin(when->sent_bps, NEEDED) : 1;
    if (when->now_us < WARM_US || share >= lowest->share) return;
    *lowest = (least){share, when->now_us};
}

static void holds(const char *name, double share)
{
    least lowest = {.share = INFINITY};
    play(name, keep_least, &lowest);
    if (verbose)
        printf("%s: at least %.2f of what was sent, at %.1f s\n", name, lowest.share, (double)lowest.at_us / 1e6);
    assert_true(lowest.share >= share);
}

static void a_clean_line_is_no_limit(void **state)
{
    (void)state;
    holds("chromium-clean", 1);
    holds("firefox-clean", 1);
}

static void loss_by_chance_costs_little(void **state)
{
    (void)state;
    holds("chromium-loss", 0.9);
    holds("firefox-loss", 0.9);
}

static void wireless_costs_little(void **state)
{
    (void)state;
    holds("chromium-wireless", 0.9);
    holds("firefox-wireless", 0.9);
}

static void jitter_costs_little(void **state)
{
    (void)state;
    holds("chromium-jitter", 0.9);
    holds("chromium-jitter-2", 0.9);
    holds("firefox-jitter", 0.9);
    holds("chromium-overtaking", 0.9);
    holds("firefox-overtaking", 0.9);
}

typedef struct trace_step {
    uint32_t low_kbps;
    double former_bps, fell_s, back_s; /* fell, back: 0 while it has not */
    double high_after;                 /* largest share of the narrow line from 3 s on */
} trace_step;

static void keep_step(void *arg, const moment *when)
{
    trace_step *one = arg;
    double since_s = (double)(when->now_us - when->line_us) / 1e6;
    if (when->line_us < SECOND_US) {
        one->former_bps = when->sent_bps;
    } else if (when->line_kbps < 2000) {
        one->low_kbps = when->line_kbps;
        if (!(one->fell_s > 0) && when->estimate_bps < 1000.0 * when->line_kbps) one->fell_s = since_s;
        if (since_s > 3) one->high_after = fmax(one->high_after, when->estimate_bps / 1000 / when->line_kbps);
    } else if (!(one->back_s > 0) && when->estimate_bps >= one->former_bps) {
        one->back_s = since_s;
    }
}

static void follows(const char *name)
{
    trace_step one = {0};
    play(name, keep_step, &one);
    if (verbose)
        printf("%s: under the line after %.1f s, then at most %.2f of it, back "
               "after %.1f s\n",
               name, one.fell_s, one.high_after, one.back_s);
    assert_true(one.low_kbps && one.fell_s > 0 && one.fell_s < 3 && one.high_after < 1);
    assert_true(one.back_s > 0 && one.back_s < 10);
}

static void steps_are_followed(void **state)
{
    (void)state;
    follows("chromium-step");
    follows("firefox-step");
}

int main(void)
{
    verbose = getenv("CN_VERBOSE") != NULL;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clean_line_is_no_limit), cmocka_unit_test(loss_by_chance_costs_little),
        cmocka_unit_test(wireless_costs_little),    cmocka_unit_test(jitter_costs_little),
        cmocka_unit_test(steps_are_followed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
