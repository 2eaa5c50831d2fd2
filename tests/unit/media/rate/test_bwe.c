#include "cn_test.h"

#include <stdio.h>
#include <stdlib.h>

#include "support_link.h"

static bool verbose;

static void run(link_sim *link, const char *what, uint64_t ms)
{
    link_run(link, ms);
    if (verbose)
        printf("%-28s est %5.0f came %5.0f kbit/s, queue mean %4.0f max %4.0f ms, lost %.1f %%\n", what,
               cn_bwe_bps(&link->bwe) / 1000.0, link_came_bps(link) / 1000, link->queue_ms_sum / (double)ms,
               link->queue_ms_max, link->packets > 0 ? 100 * link->lost_packets / link->packets : 0);
}

static void it_finds_a_wide_path_fast(void **state)
{
    (void)state;
    link_sim link;
    link_init(&link, 100e6);
    run(&link, "wide, first 2 s", 2000);
    run(&link, "wide", 3000);
    assert_true(link_came_bps(&link) > 3.8e6);
    assert_true(link.lost_packets == 0 && link.queue_ms_max < 20);
}

static void it_settles_below_a_narrow_one(void **state)
{
    (void)state;
    static const double rates[] = {300e3, 600e3, 1e6, 2.5e6};
    for (size_t i = 0; i < COUNT_OF(rates); i++) {
        link_sim link;
        link_init(&link, rates[i]);
        run(&link, "narrow, first 3 s", 3000);
        run(&link, "narrow", 30000);
        assert_true(link_came_bps(&link) > 0.75 * rates[i]);
        assert_true(link.queue_ms_sum / 30000 < 60 && link.lost_packets / link.packets < 0.01);
    }
}

/* 4 → 1 → 4 Mbit/s: down within 3 s, up within 10 s (DESIGN §8). */
static void steps(bool layered)
{
    link_sim link;
    link_init(&link, 4.6e6);
    link.layered = layered;
    run(&link, "4.6 Mbit/s", 10000);
    assert_true(cn_bwe_bps(&link.bwe) > 3.5e6);
    link.rate_bps = 1e6;
    run(&link, "cut to 1, first 3 s", 3000);
    run(&link, "1 Mbit/s", 10000);
    assert_true(cn_bwe_bps(&link.bwe) < 1.1e6);
    assert_true(link_came_bps(&link) > (layered ? 0.4e6 : 0.7e6) && link.queue_ms_sum / 10000 < 100);
    assert_true(link.lost_packets / link.packets < 0.02);
    link.rate_bps = 4.6e6;
    run(&link, "back to 4.6, first 10 s", 10000);
    run(&link, "4.6 Mbit/s", 5000);
    assert_true(link_came_bps(&link) > (layered ? 3.9e6 : 3.3e6));
}

static void it_follows_steps(void **state)
{
    (void)state;
    steps(false);
}

static void it_follows_steps_with_layers(void **state)
{
    (void)state;
    steps(true);
}

static void it_makes_room_for_others_and_comes_back(void **state)
{
    (void)state;
    link_sim link;
    link_init(&link, 3e6);
    run(&link, "alone on 3 Mbit/s", 15000);
    link.cross_bps = 1.5e6;
    run(&link, "others take 1.5", 5000);
    run(&link, "others take 1.5", 10000);
    assert_true(link_came_bps(&link) > 1.0e6 && link.queue_ms_sum / 10000 < 80 &&
                link.lost_packets / link.packets < 0.01);
    link.cross_bps = 0;
    run(&link, "alone again, first 10 s", 10000);
    run(&link, "alone again", 5000);
    assert_true(link_came_bps(&link) > 2.2e6);
}

static void jitter_is_not_a_queue(void **state)
{
    (void)state;
    static const uint64_t jitter_ms[] = {30, 80, 160};
    for (size_t i = 0; i < COUNT_OF(jitter_ms); i++) {
        link_sim link;
        link_init(&link, 10e6);
        link.jitter_ns = jitter_ms[i] * 1000000ull;
        run(&link, "jitter, first 5 s", 5000);
        run(&link, "jitter", 20000);
        assert_true(link_came_bps(&link) > 2.5e6);
    }
}

/* Another route, 60 ms longer, while little is sent: nothing was learnt of how much fits. */
static void a_longer_way_starves_nobody(void **state)
{
    (void)state;
    link_sim link;
    link_init(&link, 10e6);
    link.wanted_bps = 300e3;
    run(&link, "little is sent", 10000);
    link.delay_ns += 60 * 1000000ull;
    for (unsigned i = 0; i < 20; i++) {
        run(&link, "over a longer way", 250);
        assert_true(cn_bwe_budget(&link.bwe, link.now_ns) > 400e3);
    }
}

/* What is overtaken is told as lost first: it is not. */
static void overtaking_is_not_loss(void **state)
{
    (void)state;
    link_sim link;
    link_init(&link, 20e6);
    link.delay_ns = 60 * 1000000ull;
    link.jitter_ns = 60 * 1000000ull;
    link.overtaking = true;
    link.wanted_bps = 2.5e6;
    run(&link, "overtaking within 60 ms, first 5 s", 5000);
    run(&link, "overtaking within 60 ms", 20000);
    assert_true(link_came_bps(&link) > 2.4e6);
    link.loss = 0.3;
    run(&link, "and 30 % lost", 5000);
    assert_true(cn_bwe_bps(&link.bwe) < 2e6); /* what is lost still counts */
}

/* Twice as much as fits any more: the queue that is there until the sender has heard of it and given way is what voices
 * are late by. */
static void a_sudden_narrow_is_heard_at_once(void **state)
{
    (void)state;
    for (unsigned jitter_ms = 0; jitter_ms <= 40; jitter_ms += 40) {
        link_sim link;
        link_init(&link, 4e6);
        link.queue_ms = 1000;
        link.jitter_ns = jitter_ms * 1000000ull;
        link.wanted_bps = 2.1e6;
        run(&link, "before", 15000);
        assert_true(link_came_bps(&link) > 2.0e6);
        link.rate_bps = 1e6;
        run(&link, "4 Mbit/s become 1", 1000);
        assert_in_range((unsigned)link.queue_ms_max, 100, 350);
        run(&link, "a second later", 2000);
        assert_true(link.queue_ms_sum / (double)link.run_ms < 120);
    }
}

/* A starved receiver stamps what came while it did not run at once, later: that is no queue of the line's. */
static void a_starved_receiver_is_not_a_queue(void **state)
{
    (void)state;
    static const uint64_t stalls_ms[] = {30, 80, 150};
    for (size_t i = 0; i < COUNT_OF(stalls_ms); i++) {
        link_sim link;
        link_init(&link, 10e6);
        link.stall_ns = stalls_ms[i] * 1000000ull;
        run(&link, "stalls, first 5 s", 5000);
        run(&link, "stalls", 20000);
        assert_true(link_came_bps(&link) > 2.5e6);
    }
}

static void random_loss_is_not_a_queue(void **state)
{
    (void)state;
    link_sim link;
    link_init(&link, 10e6);
    link.loss = 0.05;
    link.delay_ns = 40 * 1000000ull;
    run(&link, "5 % loss, first 5 s", 5000);
    run(&link, "5 % loss", 20000);
    assert_true(link_came_bps(&link) > 3.2e6);
}

static void a_bad_wireless_stretch_passes(void **state)
{
    (void)state;
    link_sim link;
    link_init(&link, 10e6);
    link.burst_loss = 0.03;
    link.jitter_ns = 10 * 1000000ull;
    run(&link, "wireless, first 5 s", 5000);
    run(&link, "wireless", 20000);
    assert_true(link_came_bps(&link) > 1.5e6);
    link.burst_loss = 0;
    run(&link, "clear again", 10000);
    run(&link, "clear again", 3000);
    assert_true(link_came_bps(&link) > 3.2e6);
}

static void heavy_loss_brings_it_down(void **state)
{
    (void)state;
    link_sim link;
    link_init(&link, 10e6);
    run(&link, "clear", 5000);
    link.loss = 0.3;
    run(&link, "30 % loss", 5000);
    assert_true(cn_bwe_bps(&link.bwe) < 2e6);
    link.loss = 0;
    run(&link, "clear", 10000);
    assert_true(cn_bwe_bps(&link.bwe) > 3e6);
}

static void the_receivers_ceiling_holds(void **state)
{
    (void)state;
    link_sim link;
    link_init(&link, 10e6);
    cn_bwe_cap(&link.bwe, 500000);
    run(&link, "REMB 500", 5000);
    assert_true(cn_bwe_bps(&link.bwe) <= 500000 && link_came_bps(&link) < 520000);
    cn_bwe_cap(&link.bwe, 0);
    run(&link, "no REMB", 5000);
    assert_true(cn_bwe_bps(&link.bwe) > 3e6);
}

static void an_idle_application_keeps_what_was_found(void **state)
{
    (void)state;
    link_sim link;
    link_init(&link, 10e6);
    run(&link, "busy", 10000);
    uint32_t before = cn_bwe_bps(&link.bwe);
    link.wanted_bps = 100e3;
    run(&link, "idle", 30000);
    assert_true(cn_bwe_bps(&link.bwe) >= before && cn_bwe_bps(&link.bwe) < 2 * before);
}

int main(void)
{
    verbose = getenv("CN_VERBOSE") != NULL;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_finds_a_wide_path_fast),
        cmocka_unit_test(it_settles_below_a_narrow_one),
        cmocka_unit_test(it_follows_steps),
        cmocka_unit_test(it_follows_steps_with_layers),
        cmocka_unit_test(it_makes_room_for_others_and_comes_back),
        cmocka_unit_test(jitter_is_not_a_queue),
        cmocka_unit_test(a_longer_way_starves_nobody),
        cmocka_unit_test(overtaking_is_not_loss),
        cmocka_unit_test(a_sudden_narrow_is_heard_at_once),
        cmocka_unit_test(a_starved_receiver_is_not_a_queue),
        cmocka_unit_test(random_loss_is_not_a_queue),
        cmocka_unit_test(a_bad_wireless_stretch_passes),
        cmocka_unit_test(heavy_loss_brings_it_down),
        cmocka_unit_test(the_receivers_ceiling_holds),
        cmocka_unit_test(an_idle_application_keeps_what_was_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
