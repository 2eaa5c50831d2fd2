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
#define TICK_US                       \
    250 /* of the times in a feedback \
           (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1) */
#define PACKETS 16384
#define SECOND_US 1000000ull
#define WARM_US 3000000ull
#define WANTED 2200000u /* bps: voices and the largest layer */
#define PROBE_GAP_US 12000
#define EARLY_US 4000000 /* a recorded probe may come before its time by so much: another estimator waited for it */
#define NEEDED 2e6       /* bps: the same; what was sent beyond was repeated on demand */

typedef struct packet {
    uint64_t sent_us, came_us; /* came: 0 for lost */
    uint16_t bytes;
    bool repeat, told_lost; /* repeat: of a probe */
} packet;

typedef struct replay {
    packet packets[PACKETS];
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

typedef void (*judge)(void *arg, const moment *m);

static bool verbose;

static uint64_t clock_ns(uint64_t us)
{
    return 5 * SECOND_US * 1000 + us * 1000;
}

static void probe_follow(replay *r, bool repeat)
{
    cn_bwe_probe wanted;
    if (r->probing && !repeat && r->now_us > r->last_repeat_us + PROBE_GAP_US) {
        r->probing = false;
        size_t last = r->sent - 1;
        while (!r->packets[last].repeat) last--;
        cn_bwe_probe_end(&r->bwe, last);
    }
    if (!repeat) return;
    r->last_repeat_us = r->now_us;
    if (r->probing || r->bwe.probe.under_way ||
        !cn_bwe_probe_want(&r->bwe, WANTED, clock_ns(r->now_us + EARLY_US), &wanted))
        return;
    r->probing = true;
    cn_bwe_probe_begin(&r->bwe, r->sent, clock_ns(r->now_us));
}

/* "size time-on-the-way", "-" for lost, and "p" for a probe's. */
static bool packet_read(replay *r, char *word, char **rest)
{
    int64_t bytes = 0, way = 0;
    const char *on_the_way = strtok_r(NULL, " \n", rest);
    bool lost = on_the_way && *on_the_way == '-', repeat = strtok_r(NULL, " \n", rest) != NULL;
    if (r->sent == PACKETS || !on_the_way || !cn_parse_i64(word, 1, 2000, &bytes)) return false;
    if (!lost && !cn_parse_i64(on_the_way, 0, 1000000, &way)) return false;
    probe_follow(r, repeat);
    r->packets[r->sent++] = (packet){.sent_us = r->now_us,
                                     .came_us = lost ? 0 : r->now_us + (uint64_t)way * UNIT_US,
                                     .bytes = (uint16_t)bytes,
                                     .repeat = repeat};
    return true;
}

static cn_twcc_result result(const replay *r, size_t i, bool came)
{
    const packet *p = &r->packets[i];
    return (cn_twcc_result){.seq = i,
                            .sent_ns = clock_ns(p->sent_us),
                            .arrival_us = came ? (int64_t)(p->came_us / TICK_US * TICK_US) - 777000000 : CN_TWCC_LOST,
                            .size = p->bytes,
                            .late = i < r->told};
}

/* As browsers report: up to the newest that came, what is missing as lost; and
 * again when that comes after all. */
static void feedback(replay *r, uint64_t left_us)
{
    static cn_twcc_result results[PACKETS];
    size_t n = 0, newest = r->told, from = r->told > 500 ? r->told - 500 : 0;
    uint64_t acked_us = 0;
    for (size_t i = r->told; i < r->sent; i++)
        if (r->packets[i].came_us && r->packets[i].came_us <= left_us) newest = i + 1;
    for (size_t i = from; i < newest; i++) {
        packet *p = &r->packets[i];
        bool came = p->came_us && p->came_us <= left_us;
        if (i < r->told && !(p->told_lost && came)) continue;
        results[n++] = result(r, i, came);
        p->told_lost = !came;
        if (came) acked_us = p->sent_us;
    }
    r->told = newest;
    if (!n) return;
    uint32_t rtt_ms = acked_us ? (uint32_t)((r->now_us - acked_us) / 1000) : r->rtt_ms;
    r->rtt_ms = r->rtt_ms ? (7 * r->rtt_ms + rtt_ms) / 8 : rtt_ms;
    probe_follow(r, false);
    cn_bwe_feedback(&r->bwe, results, n, r->rtt_ms, clock_ns(r->now_us));
}

static double sent_bps(const replay *r)
{
    double bits = 0;
    for (size_t i = r->sent; i-- && r->packets[i].sent_us + SECOND_US > r->now_us;)
        if (!r->packets[i].repeat) bits += 8.0 * r->packets[i].bytes;
    return bits;
}

static bool line_read(replay *r, char *text, judge fn, void *arg)
{
    int64_t passed = 0, number = 0;
    char *rest = NULL, *word = strtok_r(text, " \n", &rest);
    if (!word || !cn_parse_i64(word, 0, 10000000, &passed) || !(word = strtok_r(NULL, " \n", &rest))) return false;
    r->now_us += (uint64_t)passed * UNIT_US;
    if (*word != '<' && *word != '=') return packet_read(r, word, &rest);
    char *value = strtok_r(NULL, " \n", &rest);
    if (!value || !cn_parse_i64(value, 0, 1000000, &number)) return false;
    if (*word == '=') {
        r->line_kbps = (uint32_t)number;
        r->line_us = r->now_us;
        return true;
    }
    feedback(r, r->now_us - (uint64_t)number * UNIT_US);
    fn(arg, &(moment){.now_us = r->now_us,
                      .line_us = r->line_us,
                      .line_kbps = r->line_kbps,
                      .sent_bps = sent_bps(r),
                      .estimate_bps = cn_bwe_bps(&r->bwe)});
    return true;
}

static void tell(const replay *r, uint64_t *told_s)
{
    if (!verbose || r->now_us / SECOND_US == *told_s) return;
    *told_s = r->now_us / SECOND_US;
    printf("%3u s line %4u sent %5.0f est %5.0f delay %5.0f loss %6.0f queue %u "
           "ms\n",
           (unsigned)*told_s, r->line_kbps, sent_bps(r) / 1000, cn_bwe_bps(&r->bwe) / 1000.0, r->bwe.bps / 1000,
           fmin(r->bwe.loss_bps / 1000, 99999), cn_delaytrend_queue_ms(&r->bwe.trend));
}

static void play(const char *name, judge fn, void *arg)
{
    char path[1024], text[128];
    uint64_t told_s = 0;
    replay *r = calloc(1, sizeof *r);
    assert_non_null(r);
    cn_bwe_init(&r->bwe);
    assert_true(cn_fmt(path, sizeof path, "%s/tests/data/bwe/%s.txt", CN_SOURCE_DIR, name));
    FILE *f = fopen(path, "re");
    assert_non_null(f);
    if (verbose) printf("%s\n", name);
    while (fgets(text, sizeof text, f)) {
        if (text[0] == '#') continue;
        if (!line_read(r, text, fn, arg)) fail_msg("%s: a line cannot be read", path);
        tell(r, &told_s);
    }
    (void)fclose(f);
    assert_true(r->sent > 1000 && r->told > 1000);
    free(r);
}

/* ---- what a viewer notices: the estimate against what was sent ---- */

typedef struct least {
    double share; /* of what was sent and needed */
    uint64_t at_us;
} least;

static void keep_least(void *arg, const moment *m)
{
    least *l = arg;
    double share = m->sent_bps > 0 ? m->estimate_bps / fmin(m->sent_bps, NEEDED) : 1;
    if (m->now_us < WARM_US || share >= l->share) return;
    *l = (least){share, m->now_us};
}

static void holds(const char *name, double share)
{
    least l = {.share = INFINITY};
    play(name, keep_least, &l);
    if (verbose) printf("%s: at least %.2f of what was sent, at %.1f s\n", name, l.share, (double)l.at_us / 1e6);
    assert_true(l.share >= share);
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

typedef struct step {
    uint32_t low_kbps;
    double former_bps, fell_s, back_s; /* fell, back: 0 while it has not */
    double high_after;                 /* largest share of the narrow line from 3 s on */
} step;

static void keep_step(void *arg, const moment *m)
{
    step *s = arg;
    double since_s = (double)(m->now_us - m->line_us) / 1e6;
    if (m->line_us < SECOND_US) {
        s->former_bps = m->sent_bps;
    } else if (m->line_kbps < 2000) {
        s->low_kbps = m->line_kbps;
        if (!(s->fell_s > 0) && m->estimate_bps < 1000.0 * m->line_kbps) s->fell_s = since_s;
        if (since_s > 3) s->high_after = fmax(s->high_after, m->estimate_bps / 1000 / m->line_kbps);
    } else if (!(s->back_s > 0) && m->estimate_bps >= s->former_bps) {
        s->back_s = since_s;
    }
}

static void follows(const char *name)
{
    step s = {0};
    play(name, keep_step, &s);
    if (verbose)
        printf("%s: under the line after %.1f s, then at most %.2f of it, back "
               "after %.1f s\n",
               name, s.fell_s, s.high_after, s.back_s);
    assert_true(s.low_kbps && s.fell_s > 0 && s.fell_s < 3 && s.high_after < 1);
    assert_true(s.back_s > 0 && s.back_s < 10);
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
