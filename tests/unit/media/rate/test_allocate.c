#include "cn_test.h"

#include <math.h>
#include <stdio.h>

#include "media/rate/allocate.h"

#define S 1000000000ull

/* Simulcast of a camera: 320×180, 640×360, 1280×720. */
static cn_alloc_slot camera(unsigned priority, unsigned width, unsigned height)
{
    return (cn_alloc_slot){
        .on = true,
        .fresh = true,
        .priority = priority,
        .width = width,
        .height = height,
        .layer_count = 3,
        .chosen = CN_ALLOC_PAUSED,
        .layers = {{true, 150000, 320, 180}, {true, 500000, 640, 360}, {true, 1500000, 1280, 720}},
    };
}

static void the_layer_fits_the_display(void **state)
{
    (void)state;
    static const struct {
        unsigned width, height;
        cn_tier tier;
        int want;
    } cases[] = {
        {1280, 720, CN_TIER_4K, 2}, {1920, 1080, CN_TIER_4K, 2},
        {640, 360, CN_TIER_4K, 1},  {800, 450, CN_TIER_4K, 1},
        {801, 450, CN_TIER_4K, 2},  {100, 100, CN_TIER_4K, 0},
        {0, 0, CN_TIER_4K, 2},      {1280, 720, CN_TIER_SD, 1},
        {1280, 720, CN_TIER_HD, 2}, {100, 100, CN_TIER_VOICE, CN_ALLOC_PAUSED},
    };
    cn_alloc_slot slot = camera(0, 0, 0);
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_int_equal(cn_alloc_layer_fit(slot.layers, 3, cases[i].width, cases[i].height, cases[i].tier),
                         cases[i].want);
    cn_alloc_layer down[] = {
        {true, 0, 1280, 720, 0}, {false, 0, 640, 360, 0}, {true, 0, 320, 180, 0}}; /* any order, one stopped */
    assert_int_equal(cn_alloc_layer_fit(down, 3, 640, 360, CN_TIER_4K), 0);
    assert_int_equal(cn_alloc_layer_fit(down, 3, 640, 360, CN_TIER_SD), 2);
    assert_int_equal(cn_alloc_layer_fit(down, 0, 640, 360, CN_TIER_SD), CN_ALLOC_PAUSED);
}

static void a_new_want_is_served_at_once(void **state)
{
    (void)state;
    cn_alloc_slot slot[] = {camera(0, 1280, 720)};
    assert_true(cn_allocate(slot, 1, 1500000 + 30000, 30000, CN_TIER_4K, S));
    assert_int_equal(slot[0].chosen, 2);
    assert_int_equal(slot[0].why, CN_ALLOC_FITS);
    assert_false(slot[0].fresh);
    assert_false(cn_allocate(slot, 1, 1530000, 30000, CN_TIER_4K, S));
}

/* Somebody asks for a camera before it is known which layers it has: that is no reason to hold it back later. */
static void what_was_not_known_yet_is_served_at_once(void **state)
{
    (void)state;
    cn_alloc_slot slot[] = {camera(0, 1280, 720)};
    slot[0].layer_count = 0;
    assert_false(cn_allocate(slot, 1, 2000000, 0, CN_TIER_4K, S));
    assert_int_equal(slot[0].why, CN_ALLOC_NO_LAYER);
    slot[0].layer_count = 3;
    assert_true(cn_allocate(slot, 1, 2000000, 0, CN_TIER_4K, S + S / 100));
    assert_int_equal(slot[0].chosen, 2);
    assert_false(slot[0].fresh);
}

/* A camera that was off for a second: its layers stopped, and are there again. */
static void what_comes_back_is_served_at_once(void **state)
{
    (void)state;
    cn_alloc_slot slot[] = {camera(0, 640, 360)};
    assert_true(cn_allocate(slot, 1, 10000000, 0, CN_TIER_4K, 1 * S));
    int chosen = slot[0].chosen;
    assert_true(chosen >= 0);
    for (unsigned i = 0; i < slot[0].layer_count; i++) slot[0].layers[i].usable = false;
    assert_true(cn_allocate(slot, 1, 10000000, 0, CN_TIER_4K, 2 * S));
    assert_int_equal(slot[0].chosen, CN_ALLOC_PAUSED);
    for (unsigned i = 0; i < slot[0].layer_count; i++) slot[0].layers[i].usable = true;
    assert_true(cn_allocate(slot, 1, 10000000, 0, CN_TIER_4K, 2 * S + S / 10));
    assert_int_equal(slot[0].chosen, chosen);
}

static void the_important_one_is_served_before_the_last(void **state)
{
    (void)state;
    cn_alloc_slot slot[] = {camera(1, 640, 360), camera(1, 640, 360), camera(9, 1280, 720), camera(1, 640, 360)};
    cn_allocate(slot, 4, 2000000, 0, CN_TIER_4K, S);
    assert_int_equal(slot[2].chosen, 2); /* all it can show */
    assert_int_equal(slot[0].chosen, 0); /* equals share: everybody something before anybody more */
    assert_int_equal(slot[1].chosen, 0);
    assert_int_equal(slot[3].chosen, 0);
    /* less: it keeps its place, the last ones pause, at once */
    cn_allocate(slot, 4, 1700000, 0, CN_TIER_4K, S + 1);
    assert_int_equal(slot[2].chosen, 2);
    assert_int_equal(slot[0].chosen, 0);
    assert_int_equal(slot[1].chosen, CN_ALLOC_PAUSED);
    assert_int_equal(slot[1].why, CN_ALLOC_BUDGET);
    cn_allocate(slot, 4, 700000, 0, CN_TIER_4K, S + 2);
    assert_int_equal(slot[2].chosen, 1);
    assert_int_equal(slot[0].chosen, 0);
    cn_allocate(slot, 4, 149000, 0, CN_TIER_4K, S + 3);
    for (size_t i = 0; i < 4; i++) assert_int_equal(slot[i].chosen, CN_ALLOC_PAUSED);
    assert_false(cn_allocate(slot, 4, 30000, 50000, CN_TIER_4K, S + 4)); /* audio alone is more than fits */
}

static void upward_waits_and_needs_headroom(void **state)
{
    (void)state;
    cn_alloc_slot slot[] = {camera(1, 1280, 720)};
    cn_allocate(slot, 1, 600000, 0, CN_TIER_4K, S);
    assert_int_equal(slot[0].chosen, 1);
    for (unsigned t = 2; t < 20; t++) assert_false(cn_allocate(slot, 1, 1700000, 0, CN_TIER_4K, t * S)); /* 1.13 × */
    assert_false(cn_allocate(slot, 1, 1730000, 0, CN_TIER_4K, 20 * S));
    assert_false(cn_allocate(slot, 1, 1730000, 0, CN_TIER_4K, 21 * S));
    assert_false(cn_allocate(slot, 1, 1600000, 0, CN_TIER_4K, 21 * S + 1)); /* interrupted: waits anew */
    assert_false(cn_allocate(slot, 1, 1730000, 0, CN_TIER_4K, 22 * S));
    assert_false(cn_allocate(slot, 1, 1730000, 0, CN_TIER_4K, 24 * S - 1));
    assert_true(cn_allocate(slot, 1, 1730000, 0, CN_TIER_4K, 24 * S));
    assert_int_equal(slot[0].chosen, 2);
    assert_false(cn_allocate(slot, 1, 1510000, 0, CN_TIER_4K, 25 * S)); /* staying needs no headroom */
    assert_true(cn_allocate(slot, 1, 1490000, 0, CN_TIER_4K, 25 * S + 1));
    assert_int_equal(slot[0].chosen, 1);
}

/* What went for a queue that had to be drained comes back with the next call, if there is room for more than it needs.
 */
static void what_a_queue_took_comes_back_at_once(void **state)
{
    (void)state;
    cn_alloc_slot slot[] = {camera(1, 1280, 720)};
    cn_allocate(slot, 1, 600000, 0, CN_TIER_4K, S);
    cn_allocate(slot, 1, 400000, 0, CN_TIER_4K, 2 * S);
    assert_int_equal(slot[0].chosen, 0);
    slot[0].eased = 1 + 2;
    assert_false(cn_allocate(slot, 1, 510000, 0, CN_TIER_4K, 2 * S + S / 2)); /* too tight */
    slot[0].eased = 1 + 1;                                                    /* it had that one */
    assert_false(cn_allocate(slot, 1, 600000, 0, CN_TIER_4K, 2 * S + S / 2));
    slot[0].eased = 1 + 2;
    assert_true(cn_allocate(slot, 1, 600000, 0, CN_TIER_4K, 2 * S + S / 2));
    assert_int_equal(slot[0].chosen, 1);
    assert_int_equal(slot[0].eased, 0);
    assert_false(cn_allocate(slot, 1, 1800000, 0, CN_TIER_4K, 3 * S));
}

/* While one waits, nobody uses what it waits for, and nobody else loses what he has for nothing. */
static void waiting_holds_its_share(void **state)
{
    (void)state;
    cn_alloc_slot slot[] = {camera(5, 1280, 720), camera(1, 640, 360)};
    cn_allocate(slot, 2, 800000, 0, CN_TIER_4K, S);
    assert_int_equal(slot[0].chosen, 1);
    assert_int_equal(slot[1].chosen, 0);
    assert_false(cn_allocate(slot, 2, 1900000, 0, CN_TIER_4K, 2 * S));
    assert_true(cn_allocate(slot, 2, 1900000, 0, CN_TIER_4K, 4 * S));
    assert_int_equal(slot[0].chosen, 2);
    assert_int_equal(slot[1].chosen, 0);
}

/* An estimate that swings about the rate of the large layer, in 60 s of decisions five times a second. */
static void a_wobbling_estimate_makes_no_wobbling_picture(void **state)
{
    (void)state;
    static const struct {
        double swing, noise, period_s;
    } cases[] = {{0.12, 0.03, 3}, {0.2, 0.05, 10}, {0.35, 0.1, 12}, {0.35, 0, 5}};
    for (size_t k = 0; k < COUNT_OF(cases); k++) {
        cn_alloc_slot slot[] = {camera(9, 1280, 720), camera(1, 320, 180), camera(1, 320, 180)};
        unsigned changes = 0, last_changes = 0;
        uint64_t seed = k;
        for (unsigned step = 1; step <= 300; step++) {
            seed = seed * 6364136223846793005ull + 1442695040888963407ull;
            double noise = ((double)(seed >> 40) / 8388608.0 - 1) * cases[k].noise;
            double t = step * 0.2;
            double bps = 1530000 * (1 + cases[k].swing * sin(t * 2 * 3.14159265 / cases[k].period_s) + noise);
            int large = slot[0].chosen, small = slot[2].chosen;
            (void)cn_allocate(slot, COUNT_OF(slot), (uint32_t)bps, 30000, CN_TIER_4K, 100 * S + step * (S / 5));
            changes += step > 1 && large != slot[0].chosen;
            last_changes += step > 150 && (large != slot[0].chosen || small != slot[2].chosen);
            assert_true(slot[0].chosen >= 1); /* never less than fits, whatever the others have */
        }
        printf("swing %.2f, %.0f s: %u changes of the large one in 60 s, %u of any in the last 30\n", cases[k].swing,
               cases[k].period_s, changes, last_changes);
        assert_in_range(changes, 0, 8);
        assert_in_range(last_changes, 0, 6);
    }
}

static void reasons_are_told(void **state)
{
    (void)state;
    cn_alloc_slot slot[] = {camera(1, 640, 360), camera(1, 640, 360), camera(1, 640, 360)};
    slot[0].on = false;
    slot[1].layer_count = 0;
    slot[2].layers[0].usable = slot[2].layers[1].usable = false;
    assert_false(cn_allocate(slot, 3, 9000000, 0, CN_TIER_SD, S));
    assert_int_equal(slot[0].why, CN_ALLOC_OFF);
    assert_int_equal(slot[1].why, CN_ALLOC_NO_LAYER);
    assert_int_equal(slot[2].why, CN_ALLOC_TIER);
    /* a smaller window gives the larger layer up at once; a ceiling too */
    slot[0] = camera(1, 1280, 720);
    cn_allocate(slot, 1, 9000000, 0, CN_TIER_4K, S);
    assert_int_equal(slot[0].chosen, 2);
    slot[0].width = 320, slot[0].height = 180;
    assert_true(cn_allocate(slot, 1, 9000000, 0, CN_TIER_4K, S + 1));
    assert_int_equal(slot[0].chosen, 0);
    slot[0].layers[0].usable = false; /* its layer ended: the next best, not nothing */
    cn_allocate(slot, 1, 9000000, 0, CN_TIER_4K, S + 2);
    assert_int_not_equal(slot[0].chosen, 0);
}

static void sums_never_exceed_the_budget(void **state)
{
    (void)state;
    uint64_t seed = 11;
    cn_alloc_slot slot[CN_MEDIA_SLOTS];
    for (size_t i = 0; i < COUNT_OF(slot); i++) slot[i] = camera((unsigned)i % 5, 320 + (unsigned)i * 20, 180);
    for (uint64_t step = 1; step < 2000; step++) {
        seed = seed * 6364136223846793005ull + 1442695040888963407ull;
        uint32_t budget = (uint32_t)(seed >> 33) % 30000000;
        (void)cn_allocate(slot, COUNT_OF(slot), budget, 100000, CN_TIER_4K, step * S / 2);
        uint64_t sum = 100000;
        for (size_t i = 0; i < COUNT_OF(slot); i++)
            if (slot[i].chosen >= 0) sum += slot[i].layers[slot[i].chosen].bps;
        assert_true(sum <= budget || sum == 100000);
    }
}

/* Fewer pictures a second before a smaller picture, and back again in the same order. */
static void the_last_temporal_layer_goes_first(void **state)
{
    (void)state;
    static const struct {
        uint32_t budget;
        int want;
    } cases[] = {{2000000, 3}, {1400000, 2}, {900000, 1}, {400000, 0}, {100000, CN_ALLOC_PAUSED}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        cn_alloc_slot slot = {.on = true,
                              .fresh = true,
                              .width = 1280,
                              .height = 720,
                              .layer_count = 4,
                              .chosen = CN_ALLOC_PAUSED,
                              .layers = {{true, 300000, 640, 360, 1},
                                         {true, 500000, 640, 360, 2},
                                         {true, 1000000, 1280, 720, 1},
                                         {true, 1600000, 1280, 720, 2}}};
        (void)cn_allocate(&slot, 1, cases[i].budget, 0, CN_TIER_4K, 1);
        assert_int_equal(slot.chosen, cases[i].want);
        assert_int_equal(cn_alloc_layer_fit(slot.layers, 4, 1280, 720, CN_TIER_4K), 3);
        assert_int_equal(cn_alloc_layer_fit(slot.layers, 4, 640, 360, CN_TIER_4K), 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_layer_fits_the_display),
        cmocka_unit_test(a_new_want_is_served_at_once),
        cmocka_unit_test(what_was_not_known_yet_is_served_at_once),
        cmocka_unit_test(what_comes_back_is_served_at_once),
        cmocka_unit_test(the_important_one_is_served_before_the_last),
        cmocka_unit_test(upward_waits_and_needs_headroom),
        cmocka_unit_test(what_a_queue_took_comes_back_at_once),
        cmocka_unit_test(waiting_holds_its_share),
        cmocka_unit_test(a_wobbling_estimate_makes_no_wobbling_picture),
        cmocka_unit_test(the_last_temporal_layer_goes_first),
        cmocka_unit_test(reasons_are_told),
        cmocka_unit_test(sums_never_exceed_the_budget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
