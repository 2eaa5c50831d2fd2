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

static void take(line *wire, run *trial, uint64_t now_ns)
{
    for (line_packet *packet; (packet = line_pop(wire, now_ns)) != NULL;) {
        size_t number;
        memcpy(&number, packet->bytes, sizeof number);
        trial->at_ns[number] = packet->due_ns;
        trial->came[trial->came_n++] = number;
        line_drop(wire, packet);
    }
}

/* Time passes to the next instant at which something happens, up to `end_ns`. */
static void pass(line *wire, run *trial, uint64_t end_ns)
{
    for (uint64_t t; (t = line_next_ns(wire)) <= end_ns && t != LINE_NONE;) take(wire, trial, t);
}

static void push(line *wire, run *trial, size_t number, uint64_t now_ns)
{
    line_packet *packet = line_packet_new(wire);
    assert_non_null(packet);
    packet->size = SIZE;
    memcpy(packet->bytes, &number, sizeof number);
    trial->pushed_ns[number] = now_ns;
    line_fate fate = line_push(wire, packet, now_ns);
    trial->lost[number] = fate == LINE_LOST;
    trial->lost_n += fate == LINE_LOST;
    trial->dropped_n += fate == LINE_DROPPED;
}

static run *play(line *wire, size_t count, uint64_t gap_ns)
{
    run *trial = calloc(1, sizeof *trial);
    assert_non_null(trial);
    for (size_t i = 0; i < count; i++) {
        pass(wire, trial, i * gap_ns);
        push(wire, trial, i, i * gap_ns);
    }
    pass(wire, trial, LINE_NONE - 1);
    const line_counts *counts = line_counts_of(wire);
    assert_int_equal(counts->in, count);
    assert_int_equal(counts->out, trial->came_n);
    assert_int_equal(counts->lost, trial->lost_n);
    assert_int_equal(counts->dropped, trial->dropped_n);
    assert_int_equal(trial->came_n + trial->lost_n + trial->dropped_n, count);
    assert_int_equal(counts->bytes_out, trial->came_n * SIZE);
    return trial;
}

static run *play_shape(uint64_t seed, line_shape shape, size_t count, uint64_t gap_ns)
{
    line *wire = line_new(seed);
    assert_non_null(wire);
    *line_shape_of(wire) = shape;
    run *trial = play(wire, count, gap_ns);
    line_free(wire);
    return trial;
}

static bool in_order(const run *trial)
{
    for (size_t i = 1; i < trial->came_n; i++)
        if (trial->came[i] < trial->came[i - 1]) return false;
    return true;
}

static void delays(const run *trial, uint64_t *least, uint64_t *most)
{
    *least = UINT64_MAX;
    *most = 0;
    for (size_t i = 0; i < trial->came_n; i++) {
        uint64_t d = trial->at_ns[trial->came[i]] - trial->pushed_ns[trial->came[i]];
        if (d < *least) *least = d;
        if (d > *most) *most = d;
    }
}

static void a_line_of_no_shape_does_nothing(void **state)
{
    (void)state;
    uint64_t least, most;
    run *trial = play_shape(1, (line_shape){0}, 1000, MS);
    delays(trial, &least, &most);
    assert_int_equal(trial->came_n, 1000);
    assert_int_equal(most, 0);
    assert_true(in_order(trial));
    free(trial);
    trial = play_shape(1, (line_shape){.cut = true}, 1000, MS);
    assert_int_equal(trial->lost_n, 1000);
    free(trial);
}

static void loss_is_the_share_that_was_asked_for(void **state)
{
    (void)state;
    run *trial = play_shape(7, (line_shape){.loss = 0.05}, MANY, MS);
    assert_in_range(trial->lost_n, MANY * 45 / 1000, MANY * 55 / 1000);
    free(trial);
}

/* Gilbert–Elliott: 1 / (1 + leave / enter) of the packets find the bad state, 1 / leave of them in a row. */
static void bursts_are_as_many_and_as_long_as_asked_for(void **state)
{
    (void)state;
    run *trial = play_shape(7, (line_shape){.burst_enter = 0.01, .burst_leave = 0.25, .burst_loss = 1}, MANY, MS);
    size_t bursts = 0;
    for (size_t i = 0; i < MANY; i++) bursts += trial->lost[i] && (!i || !trial->lost[i - 1]);
    assert_in_range(trial->lost_n, MANY * 30 / 1000, MANY * 47 / 1000);
    assert_in_range(10 * trial->lost_n / bursts, 35, 45);
    free(trial);
    trial = play_shape(7, (line_shape){.burst_enter = 0.01, .burst_leave = 0.25, .burst_loss = 0.5}, MANY, MS);
    assert_in_range(trial->lost_n, MANY * 15 / 1000, MANY * 24 / 1000);
    free(trial);
}

static void delay_and_jitter_stay_within_their_bounds(void **state)
{
    (void)state;
    uint64_t least, most;
    run *trial = play_shape(3, (line_shape){.delay_ms = 40}, 1000, MS);
    delays(trial, &least, &most);
    assert_true(least == 40 * MS && most == 40 * MS);
    free(trial);
    trial = play_shape(3, (line_shape){.delay_ms = 40, .jitter_ms = 10}, 5000, MS);
    delays(trial, &least, &most);
    assert_in_range(least, 30 * MS, 40 * MS);
    assert_in_range(most, 49 * MS, 50 * MS);
    assert_true(in_order(trial)); /* who is late holds up those behind him */
    free(trial);
    trial = play_shape(3, (line_shape){.delay_ms = 40, .jitter_ms = 10, .jitter_reorders = true}, 5000, MS);
    delays(trial, &least, &most);
    assert_in_range(least, 30 * MS, 31 * MS);
    assert_in_range(most, 49 * MS, 50 * MS);
    assert_false(in_order(trial));
    free(trial);
    trial = play_shape(3, (line_shape){.jitter_ms = 10}, 5000, MS); /* nothing comes before it left */
    delays(trial, &least, &most);
    assert_in_range(most, 9 * MS, 10 * MS);
    free(trial);
}

static void some_are_overtaken(void **state)
{
    (void)state;
    size_t late = 0;
    run *trial = play_shape(5, (line_shape){.delay_ms = 20, .reorder = 0.1, .reorder_ms = 30}, MANY, 5 * MS);
    for (size_t i = 0; i < MANY; i++) late += trial->at_ns[i] - trial->pushed_ns[i] == 50 * MS;
    assert_in_range(late, MANY * 9 / 100, MANY * 11 / 100);
    for (size_t i = 0; i < MANY; i++)
        assert_true(trial->at_ns[i] - trial->pushed_ns[i] == 50 * MS ||
                    trial->at_ns[i] - trial->pushed_ns[i] == 20 * MS);
    assert_false(in_order(trial));
    free(trial);
}

/* Twice what a link of 1 Mbit/s carries: half of it comes, one packet every 10 ms, none waits longer than the queue. */
static void a_link_carries_its_rate_and_no_more(void **state)
{
    (void)state;
    line *wire = line_new(1);
    *line_shape_of(wire) = (line_shape){.rate_kbps = 1000, .queue_ms = 100};
    run *trial = play(wire, 2000, 5 * MS);
    uint64_t least, most;
    delays(trial, &least, &most);
    assert_in_range(trial->came_n, 1000, 1012);
    assert_int_equal(least, 10 * MS);
    assert_in_range(most, 100 * MS, 120 * MS);
    for (size_t i = 1; i < trial->came_n; i++)
        assert_int_equal(trial->at_ns[trial->came[i]] - trial->at_ns[trial->came[i - 1]], 10 * MS);
    assert_true(in_order(trial));
    assert_in_range((uint64_t)line_counts_of(wire)->queue_ms, 90, 100);
    free(trial);
    line_free(wire);
    trial = play_shape(1, (line_shape){.rate_kbps = 1000}, 1000, 5 * MS); /* 300 ms where nothing is said */
    delays(trial, &least, &most);
    assert_in_range(most, 300 * MS, 320 * MS);
    free(trial);
    trial = play_shape(1, (line_shape){.rate_kbps = 1000}, 1000, 11 * MS); /* below its rate nobody waits */
    delays(trial, &least, &most);
    assert_true(least == 10 * MS && most == 10 * MS && trial->came_n == 1000);
    free(trial);
}

static void what_waits_leaves_at_the_new_rate(void **state)
{
    (void)state;
    line *wire = line_new(1);
    run *trial = calloc(1, sizeof *trial);
    assert_true(wire && trial);
    line_shape_of(wire)->rate_kbps = 1000;
    for (size_t i = 0; i < 10; i++) push(wire, trial, i, 0);
    pass(wire, trial, 10 * MS);
    assert_int_equal(trial->came_n, 1);
    line_shape_of(wire)->rate_kbps = 10000;
    pass(wire, trial, LINE_NONE - 1);
    assert_int_equal(trial->came_n, 10);
    assert_int_equal(trial->at_ns[1], 20 * MS); /* was being sent */
    for (size_t i = 2; i < 10; i++) assert_int_equal(trial->at_ns[i], 20 * MS + (i - 1) * MS);
    free(trial);
    line_free(wire);
}

static bool same(const run *left, const run *right)
{
    return left->came_n == right->came_n && memcmp(left->lost, right->lost, sizeof left->lost) == 0 &&
           memcmp(left->at_ns, right->at_ns, sizeof left->at_ns) == 0 &&
           memcmp(left->came, right->came, sizeof left->came) == 0;
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
    run *trial = play_shape(42, shape, 5000, 2 * MS), *b = play_shape(42, shape, 5000, 2 * MS),
        *c = play_shape(43, shape, 5000, 2 * MS);
    assert_true(same(trial, b));
    assert_false(same(trial, c));
    free(b);
    line *wire = line_new(9);
    *line_shape_of(wire) = shape;
    run *other = play(wire, 100, 2 * MS);
    line_free(wire);
    wire = line_new(9);
    *line_shape_of(wire) = shape;
    line_seed(wire, 42);
    b = play(wire, 5000, 2 * MS);
    assert_true(same(trial, b));
    line_free(wire);
    free(trial);
    free(b);
    free(c);
    free(other);
}

static void what_is_under_way_has_a_bound(void **state)
{
    (void)state;
    line *wire = line_new(1);
    run *trial = calloc(1, sizeof *trial);
    assert_true(wire && trial);
    line_shape_of(wire)->delay_ms = 1000;
    for (size_t i = 0; i < LINE_PACKETS; i++) push(wire, trial, i, 0);
    assert_null(line_packet_new(wire));
    assert_int_equal(line_counts_of(wire)->overflow, 1);
    assert_int_equal(line_next_ns(wire), 1000 * MS);
    take(wire, trial, 1000 * MS);
    assert_int_equal(trial->came_n, LINE_PACKETS);
    assert_true(in_order(trial));
    assert_int_equal(line_next_ns(wire), LINE_NONE);
    push(wire, trial, 0, 1001 * MS);
    free(trial);
    line_free(wire);
}

static void lateness_is_counted(void **state)
{
    (void)state;
    static const uint64_t late_us[] = {0, 150, 400, 900, 1500, 4000, 9000, 70000};
    line *wire = line_new(1);
    run *trial = calloc(1, sizeof *trial);
    assert_true(wire && trial);
    line_shape_of(wire)->delay_ms = 1;
    for (size_t i = 0; i < COUNT_OF(late_us); i++) {
        push(wire, trial, i, i * 100 * MS);
        take(wire, trial, i * 100 * MS + MS + late_us[i] * 1000);
    }
    for (size_t i = 0; i < COUNT_OF(late_us); i++) assert_int_equal(line_counts_of(wire)->late_us[i], 1);
    assert_int_equal(line_counts_of(wire)->late_max_us, 70000);
    free(trial);
    line_free(wire);
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
