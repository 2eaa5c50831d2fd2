#include "cn_test.h"

#include "media/stream/history.h"

#define MS 1000000ull

static cn_packet_pool *pool;

static int setup(void **state)
{
    (void)state;
    return cn_packet_pool_new(&pool, 16384) == CN_OK ? 0 : 1;
}

/* Asserts (in debug builds) that every reference was dropped. */
static int teardown(void **state)
{
    (void)state;
    cn_packet_pool_free(pool);
    return 0;
}

static bool put(cn_history *history, uint64_t seq, uint32_t ts, uint64_t at_ns, bool key_start)
{
    cn_packet *packet = cn_packet_new(pool, CN_PACKET_MAX);
    assert_non_null(packet);
    packet->ext_seq = seq;
    packet->ts = ts;
    packet->arrival_ns = at_ns;
    packet->payload_len = 100;
    packet->key = packet->frame_start = key_start;
    bool kept = cn_history_put(history, packet);
    cn_packet_unref(packet);
    return kept;
}

static void packets_are_found_until_bound_or_age(void **state)
{
    (void)state;
    cn_history *history = NULL;
    assert_err(cn_history_new(&history, 100), CN_ERR_INVALID);
    assert_ok(cn_history_new(&history, 256));
    assert_null(cn_history_get(history, 0, 0));
    for (uint64_t s = 1000; s < 1300; s++) assert_true(put(history, s, 0, s * MS, false));
    assert_int_equal(cn_history_highest(history), 1299);
    for (uint64_t s = 1000; s < 1400; s++) {
        cn_packet *packet = cn_history_get(history, s, 1300 * MS);
        assert_int_equal(packet ? packet->ext_seq : 0, s >= 1044 && s < 1300 ? s : 0);
    }
    assert_null(cn_history_get(history, 1100, 3101 * MS));
    assert_non_null(cn_history_get(history, 1101, 3101 * MS));
    cn_history_expire(history, 3101 * MS);
    assert_null(cn_history_get(history, 1100, 1300 * MS));
    assert_non_null(cn_history_get(history, 1101, 1300 * MS));
    cn_history_free(history);
    cn_history_free(NULL);
}

static void late_and_double_packets_find_their_place(void **state)
{
    (void)state;
    cn_history *history = NULL;
    assert_ok(cn_history_new(&history, 64));
    assert_true(put(history, 500, 0, 0, false));
    assert_true(put(history, 503, 0, 0, false));
    assert_true(put(history, 501, 0, 0, false));
    assert_false(put(history, 501, 0, 0, false));
    assert_true(put(history, 498, 0, 0, false)); /* even before the first */
    assert_null(cn_history_get(history, 502, 0));
    assert_non_null(cn_history_get(history, 498, 0));
    assert_false(put(history, 430, 0, 0, false));
    cn_history_expire(history, 10000 * MS); /* everything */
    assert_true(put(history, 502, 0, 10000 * MS, false));
    assert_non_null(cn_history_get(history, 502, 10000 * MS));
    assert_true(put(history, 900, 0, 10001 * MS, false)); /* a jump over the whole ring */
    assert_null(cn_history_get(history, 502, 10001 * MS));
    cn_history_clear(history);
    assert_int_equal(cn_history_highest(history), 0);
    assert_null(cn_history_get(history, 900, 10001 * MS));
    cn_history_free(history);
}

static void a_run_is_the_key_frame_and_all_since(void **state)
{
    (void)state;
    cn_history *history = NULL;
    cn_history_run run;
    assert_ok(cn_history_new(&history, 256));
    assert_err(cn_history_run_get(history, 0, &run), CN_ERR_NOTFOUND);
    put(history, 100, 1, 0, false);
    assert_err(cn_history_run_get(history, 0, &run), CN_ERR_NOTFOUND);
    put(history, 101, 3000, 10 * MS, true); /* H.264: SPS and IDR both start the same frame */
    put(history, 103, 3000, 10 * MS, true);
    put(history, 104, 6000, 20 * MS, false);
    assert_err(cn_history_run_get(history, 20 * MS, &run), CN_ERR_AGAIN);
    put(history, 102, 3000, 30 * MS, false);
    assert_ok(cn_history_run_get(history, 40 * MS, &run));
    assert_int_equal(run.first, 101);
    assert_int_equal(run.last, 104);
    assert_int_equal(run.first_ts, 3000);
    assert_int_equal(run.last_ts, 6000);
    assert_int_equal(run.bytes, 400);
    assert_err(cn_history_run_get(history, 1011 * MS, &run), CN_ERR_TIMEOUT);

    put(history, 106, 9000, 1020 * MS, true); /* a new one: the hole before it does not matter */
    assert_ok(cn_history_run_get(history, 1021 * MS, &run));
    assert_int_equal(run.first, 106);
    put(history, 105, 6000, 1030 * MS, true); /* a late older key frame changes nothing */
    assert_ok(cn_history_run_get(history, 1031 * MS, &run));
    assert_int_equal(run.first, 106);
    cn_history_free(history);
}

static void a_key_frame_pushed_out_starts_no_run(void **state)
{
    (void)state;
    cn_history *history = NULL;
    cn_history_run run;
    assert_ok(cn_history_new(&history, 64));
    put(history, 100, 0, 0, true);
    for (uint64_t s = 101; s < 170; s++) put(history, s, 0, 0, false);
    assert_err(cn_history_run_get(history, 0, &run), CN_ERR_NOTFOUND);
    cn_history_expire(history, 5000 * MS);
    assert_true(put(history, 110, 0, 5000 * MS, false));
    assert_err(cn_history_run_get(history, 5000 * MS, &run), CN_ERR_NOTFOUND);
    cn_history_free(history);
}

/* Of an encoder whose key frames come when it likes. */
static void a_kept_run_has_bounds_of_its_own(void **state)
{
    (void)state;
    cn_history *history = NULL;
    cn_history_run run;
    assert_ok(cn_history_new(&history, 1024));
    cn_history_keep(history, true);
    for (uint64_t s = 90; s < 100; s++) put(history, s, 0, s * 3 * MS, false);
    for (uint64_t s = 100; s < 3000; s++) put(history, s, (uint32_t)s, s * 3 * MS, s == 100);
    uint64_t now_ns = 9000 * MS;
    assert_null(cn_history_get(history, 99, now_ns));
    assert_non_null(cn_history_get(history, 100, now_ns));
    assert_ok(cn_history_run_get(history, now_ns, &run));
    assert_int_equal(run.first, 100);
    assert_int_equal(run.last, 2999);
    assert_int_equal(cn_history_key(history), 100);
    cn_history_expire(history, now_ns);
    assert_ok(cn_history_run_get(history, now_ns, &run));

    put(history, 3000, 3000, now_ns, true); /* the next one: what was before goes by its age */
    put(history, 3001, 3001, now_ns + 10 * MS, false);
    assert_null(cn_history_get(history, 100, now_ns + 10 * MS));
    assert_ok(cn_history_run_get(history, now_ns + 10 * MS, &run));
    assert_int_equal(run.first, 3000);
    cn_history_expire(history, now_ns + 12020 * MS); /* too long ago for anybody to catch up */
    assert_err(cn_history_run_get(history, now_ns + 12020 * MS, &run), CN_ERR_NOTFOUND);

    now_ns += 20000 * MS; /* more packets than are kept */
    for (uint64_t s = 4000; s < 4000 + CN_HISTORY_KEPT + 1; s++) put(history, s, (uint32_t)s, now_ns, s == 4000);
    assert_err(cn_history_run_get(history, now_ns + 3000 * MS, &run), CN_ERR_NOTFOUND);
    cn_history_free(history);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(packets_are_found_until_bound_or_age, setup, teardown),
        cmocka_unit_test_setup_teardown(late_and_double_packets_find_their_place, setup, teardown),
        cmocka_unit_test_setup_teardown(a_run_is_the_key_frame_and_all_since, setup, teardown),
        cmocka_unit_test_setup_teardown(a_key_frame_pushed_out_starts_no_run, setup, teardown),
        cmocka_unit_test_setup_teardown(a_kept_run_has_bounds_of_its_own, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
