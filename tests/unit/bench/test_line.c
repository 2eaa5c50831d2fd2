#include "cn_test.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "impair/line.h"

#define MS 1000000ull
#define MANY 20000
#define SIZE 1222 /* with the headers of IPv4 and UDP 1,250 bytes: 10 ms at 1 Mbit/s */

/* What became of packets that were pushed one every `gap_ns`. */
typedef struct run {
    bool lost[MANY];
    size_t came[MANY]; /* numbers, in the order of their coming */
    uint64_t at_ns[MANY], pushed_ns[MANY];
    size_t came_n, lost_n, dropped_n;
} run;

static void take(line *l, run *r, uint64_t now_ns)
{
    for (line_packet *p; (p = line_pop(l, now_ns)) != NULL;) {
        size_t number;
        memcpy(&number, p->bytes, sizeof number);
        r->at_ns[number] = p->due_ns;
        r->came[r->came_n++] = number;
        line_drop(l, p);
    }
}

/* Time passes to the next instant at which something happens, up to `end_ns`. */
static void pass(line *l, run *r, uint64_t end_ns)
{
    for (uint64_t t; (t = line_next_ns(l)) <= end_ns && t != LINE_NONE;) take(l, r, t);
}

static void push(line *l, run *r, size_t number, uint64_t now_ns)
{
    line_packet *p = line_packet_new(l);
    assert_non_null(p);
    p->size = SIZE;
    memcpy(p->bytes, &number, sizeof number);
    r->pushed_ns[number] = now_ns;
    line_fate fate = line_push(l, p, now_ns);
    r->lost[number] = fate == LINE_LOST;
    r->lost_n += fate == LINE_LOST;
    r->dropped_n += fate == LINE_DROPPED;
}

static run *play(line *l, size_t n, uint64_t gap_ns)
{
    run *r = calloc(1, sizeof *r);
    assert_non_null(r);
    for (size_t i = 0; i < n; i++) {
        pass(l, r, i * gap_ns);
        push(l, r, i, i * gap_ns);
    }
    pass(l, r, LINE_NONE - 1);
    const line_counts *c = line_counts_of(l);
    assert_int_equal(c->in, n);
    assert_int_equal(c->out, r->came_n);
    assert_int_equal(c->lost, r->lost_n);
    assert_int_equal(c->dropped, r->dropped_n);
    assert_int_equal(r->came_n + r->lost_n + r->dropped_n, n);
    assert_int_equal(c->bytes_out, r->came_n * SIZE);
    return r;
}

static run *play_shape(uint64_t seed, line_shape shape, size_t n, uint64_t gap_ns)
{
    line *l = line_new(seed);
    assert_non_null(l);
    *line_shape_of(l) = shape;
    run *r = play(l, n, gap_ns);
    line_free(l);
    return r;
}

static bool in_order(const run *r)
{
    for (size_t i = 1; i < r->came_n; i++)
        if (r->came[i] < r->came[i - 1]) return false;
    return true;
}

static void delays(const run *r, uint64_t *least, uint64_t *most)
{
    *least = UINT64_MAX;
    *most = 0;
    for (size_t i = 0; i < r->came_n; i++) {
        uint64_t d = r->at_ns[r->came[i]] - r->pushed_ns[r->came[i]];
        if (d < *least) *least = d;
        if (d > *most) *most = d;
    }
}

static void a_line_of_no_shape_does_nothing(void **state)
{
    (void)state;
    uint64_t least, most;
    run *r = play_shape(1, (line_shape){0}, 1000, MS);
    delays(r, &least, &most);
    assert_int_equal(r->came_n, 1000);
    assert_int_equal(most, 0);
    assert_true(in_order(r));
    free(r);
    r = play_shape(1, (line_shape){.cut = true}, 1000, MS);
    assert_int_equal(r->lost_n, 1000);
    free(r);
}

static void loss_is_the_share_that_was_asked_for(void **state)
{
    (void)state;
    run *r = play_shape(7, (line_shape){.loss = 0.05}, MANY, MS);
    assert_in_range(r->lost_n, MANY * 45 / 1000, MANY * 55 / 1000);
    free(r);
}

/* Gilbert–Elliott: 1 / (1 + leave / enter) of the packets find the bad state, 1 / leave of them in a row. */
static void bursts_are_as_many_and_as_long_as_asked_for(void **state)
{
    (void)state;
    run *r = play_shape(7, (line_shape){.burst_enter = 0.01, .burst_leave = 0.25, .burst_loss = 1}, MANY, MS);
    size_t bursts = 0;
    for (size_t i = 0; i < MANY; i++) bursts += r->lost[i] && (!i || !r->lost[i - 1]);
    assert_in_range(r->lost_n, MANY * 30 / 1000, MANY * 47 / 1000);
    assert_in_range(10 * r->lost_n / bursts, 35, 45);
    free(r);
    r = play_shape(7, (line_shape){.burst_enter = 0.01, .burst_leave = 0.25, .burst_loss = 0.5}, MANY, MS);
    assert_in_range(r->lost_n, MANY * 15 / 1000, MANY * 24 / 1000);
    free(r);
}

static void delay_and_jitter_stay_within_their_bounds(void **state)
{
    (void)state;
    uint64_t least, most;
    run *r = play_shape(3, (line_shape){.delay_ms = 40}, 1000, MS);
    delays(r, &least, &most);
    assert_true(least == 40 * MS && most == 40 * MS);
    free(r);
    r = play_shape(3, (line_shape){.delay_ms = 40, .jitter_ms = 10}, 5000, MS);
    delays(r, &least, &most);
    assert_in_range(least, 30 * MS, 40 * MS);
    assert_in_range(most, 49 * MS, 50 * MS);
    assert_true(in_order(r)); /* who is late holds up those behind him */
    free(r);
    r = play_shape(3, (line_shape){.delay_ms = 40, .jitter_ms = 10, .jitter_reorders = true}, 5000, MS);
    delays(r, &least, &most);
    assert_in_range(least, 30 * MS, 31 * MS);
    assert_in_range(most, 49 * MS, 50 * MS);
    assert_false(in_order(r));
    free(r);
    r = play_shape(3, (line_shape){.jitter_ms = 10}, 5000, MS); /* nothing comes before it left */
    delays(r, &least, &most);
    assert_in_range(most, 9 * MS, 10 * MS);
    free(r);
}

static void some_are_overtaken(void **state)
{
    (void)state;
    size_t late = 0;
    run *r = play_shape(5, (line_shape){.delay_ms = 20, .reorder = 0.1, .reorder_ms = 30}, MANY, 5 * MS);
    for (size_t i = 0; i < MANY; i++) late += r->at_ns[i] - r->pushed_ns[i] == 50 * MS;
    assert_in_range(late, MANY * 9 / 100, MANY * 11 / 100);
    for (size_t i = 0; i < MANY; i++)
        assert_true(r->at_ns[i] - r->pushed_ns[i] == 50 * MS || r->at_ns[i] - r->pushed_ns[i] == 20 * MS);
    assert_false(in_order(r));
    free(r);
}

/* Twice what a link of 1 Mbit/s carries: half of it comes, one packet every 10 ms, none waits longer than the queue. */
static void a_link_carries_its_rate_and_no_more(void **state)
{
    (void)state;
    line *l = line_new(1);
    *line_shape_of(l) = (line_shape){.rate_kbps = 1000, .queue_ms = 100};
    run *r = play(l, 2000, 5 * MS);
    uint64_t least, most;
    delays(r, &least, &most);
    assert_in_range(r->came_n, 1000, 1012);
    assert_int_equal(least, 10 * MS);
    assert_in_range(most, 100 * MS, 120 * MS);
    for (size_t i = 1; i < r->came_n; i++) assert_int_equal(r->at_ns[r->came[i]] - r->at_ns[r->came[i - 1]], 10 * MS);
    assert_true(in_order(r));
    assert_in_range((uint64_t)line_counts_of(l)->queue_ms, 90, 100);
    free(r);
    line_free(l);
    r = play_shape(1, (line_shape){.rate_kbps = 1000}, 1000, 5 * MS); /* 300 ms where nothing is said */
    delays(r, &least, &most);
    assert_in_range(most, 300 * MS, 320 * MS);
    free(r);
    r = play_shape(1, (line_shape){.rate_kbps = 1000}, 1000, 11 * MS); /* below its rate nobody waits */
    delays(r, &least, &most);
    assert_true(least == 10 * MS && most == 10 * MS && r->came_n == 1000);
    free(r);
}

static void what_waits_leaves_at_the_new_rate(void **state)
{
    (void)state;
    line *l = line_new(1);
    run *r = calloc(1, sizeof *r);
    assert_true(l && r);
    line_shape_of(l)->rate_kbps = 1000;
    for (size_t i = 0; i < 10; i++) push(l, r, i, 0);
    pass(l, r, 10 * MS);
    assert_int_equal(r->came_n, 1);
    line_shape_of(l)->rate_kbps = 10000;
    pass(l, r, LINE_NONE - 1);
    assert_int_equal(r->came_n, 10);
    assert_int_equal(r->at_ns[1], 20 * MS); /* was being sent */
    for (size_t i = 2; i < 10; i++) assert_int_equal(r->at_ns[i], 20 * MS + (i - 1) * MS);
    free(r);
    line_free(l);
}

static bool same(const run *a, const run *b)
{
    return a->came_n == b->came_n && memcmp(a->lost, b->lost, sizeof a->lost) == 0 &&
           memcmp(a->at_ns, b->at_ns, sizeof a->at_ns) == 0 && memcmp(a->came, b->came, sizeof a->came) == 0;
}

static void the_same_seed_makes_the_same_decisions(void **state)
{
    (void)state;
    const line_shape shape = {.loss = 0.02,
                              .burst_enter = 0.005,
                              .burst_leave = 0.2,
                              .burst_loss = 0.8,
                              .delay_ms = 30,
                              .jitter_ms = 15,
                              .jitter_reorders = true,
                              .reorder = 0.02,
                              .reorder_ms = 40,
                              .rate_kbps = 4000,
                              .queue_ms = 50};
    run *a = play_shape(42, shape, 5000, 2 * MS), *b = play_shape(42, shape, 5000, 2 * MS),
        *c = play_shape(43, shape, 5000, 2 * MS);
    assert_true(same(a, b));
    assert_false(same(a, c));
    free(b);
    line *l = line_new(9);
    *line_shape_of(l) = shape;
    run *other = play(l, 100, 2 * MS);
    line_free(l);
    l = line_new(9);
    *line_shape_of(l) = shape;
    line_seed(l, 42);
    b = play(l, 5000, 2 * MS);
    assert_true(same(a, b));
    line_free(l);
    free(a);
    free(b);
    free(c);
    free(other);
}

static void what_is_under_way_has_a_bound(void **state)
{
    (void)state;
    line *l = line_new(1);
    run *r = calloc(1, sizeof *r);
    assert_true(l && r);
    line_shape_of(l)->delay_ms = 1000;
    for (size_t i = 0; i < LINE_PACKETS; i++) push(l, r, i, 0);
    assert_null(line_packet_new(l));
    assert_int_equal(line_counts_of(l)->overflow, 1);
    assert_int_equal(line_next_ns(l), 1000 * MS);
    take(l, r, 1000 * MS);
    assert_int_equal(r->came_n, LINE_PACKETS);
    assert_true(in_order(r));
    assert_int_equal(line_next_ns(l), LINE_NONE);
    push(l, r, 0, 1001 * MS);
    free(r);
    line_free(l);
}

static void lateness_is_counted(void **state)
{
    (void)state;
    static const uint64_t late_us[] = {0, 150, 400, 900, 1500, 4000, 9000, 70000};
    line *l = line_new(1);
    run *r = calloc(1, sizeof *r);
    assert_true(l && r);
    line_shape_of(l)->delay_ms = 1;
    for (size_t i = 0; i < COUNT_OF(late_us); i++) {
        push(l, r, i, i * 100 * MS);
        take(l, r, i * 100 * MS + MS + late_us[i] * 1000);
    }
    for (size_t i = 0; i < COUNT_OF(late_us); i++) assert_int_equal(line_counts_of(l)->late_us[i], 1);
    assert_int_equal(line_counts_of(l)->late_max_us, 70000);
    free(r);
    line_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_of_no_shape_does_nothing),
        cmocka_unit_test(loss_is_the_share_that_was_asked_for),
        cmocka_unit_test(bursts_are_as_many_and_as_long_as_asked_for),
        cmocka_unit_test(delay_and_jitter_stay_within_their_bounds),
        cmocka_unit_test(some_are_overtaken),
        cmocka_unit_test(a_link_carries_its_rate_and_no_more),
        cmocka_unit_test(what_waits_leaves_at_the_new_rate),
        cmocka_unit_test(the_same_seed_makes_the_same_decisions),
        cmocka_unit_test(what_is_under_way_has_a_bound),
        cmocka_unit_test(lateness_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
