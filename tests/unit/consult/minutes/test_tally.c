/* A meter that is fed as far as there are signs of life: what stands in the ledger ends at the last packet. */
#include "cn_test.h"

#include <string.h>

#include "consult/minutes/tally.h"

#define HD 921600
#define WALL 1795162500000 /* the middle of a month */

typedef struct book {
    cn_meter_segment row[400];
    size_t n;
} book;

static cn_meter_segment out[CN_TALLY_SEGMENTS];

static void keep(book *ledger, size_t count)
{
    assert_true(count <= CN_TALLY_SEGMENTS && ledger->n + count <= COUNT_OF(ledger->row));
    memcpy(ledger->row + ledger->n, out, count * sizeof *out);
    ledger->n += count;
}

#define AREA(mono, area) keep(&ledger, cn_tally_area(&tally, mono, area, area, out, CN_TALLY_SEGMENTS))
#define SIGN(mono) keep(&ledger, cn_tally_sign(&tally, mono, out, CN_TALLY_SEGMENTS))
#define CHECKPOINT(mono) keep(&ledger, cn_tally_checkpoint(&tally, mono, out, CN_TALLY_SEGMENTS))
#define STOP(mono, cause) keep(&ledger, cn_tally_stop(&tally, mono, cause, out, CN_TALLY_SEGMENTS))

/* Milliseconds in the ledger; no gap, no overlap. */
static int64_t total(const book *ledger)
{
    int64_t at = WALL;
    for (size_t i = 0; i < ledger->n; i++) {
        assert_int_equal(ledger->row[i].start_ms, at);
        assert_true(ledger->row[i].duration_ms > 0);
        at += ledger->row[i].duration_ms;
    }
    return at - WALL;
}

static void who_vanished_ends_at_his_last_packet_over_a_checkpoint(void **state)
{
    (void)state;
    book ledger = {.n = 0};
    cn_tally tally;
    cn_tally_start(&tally, 1000, WALL, 480);
    AREA(1000, HD);
    SIGN(55300);
    CHECKPOINT(61000); /* 5.7 s after his last packet */
    assert_int_equal(total(&ledger), 54300);
    CHECKPOINT(74000);
    STOP(55300, "timeout");
    assert_int_equal(total(&ledger), 54300);
    assert_string_equal(ledger.row[ledger.n - 1].end_cause, "checkpoint"); /* nothing was left for the end */
}

static void what_was_sent_to_who_had_vanished_is_not_counted(void **state)
{
    (void)state;
    book ledger = {.n = 0};
    cn_tally tally;
    cn_tally_start(&tally, 1000, WALL, 480);
    AREA(1000, HD);
    SIGN(5000);
    AREA(6000, 0); /* the others switch cameras off and on */
    AREA(8000, 4 * HD);
    CHECKPOINT(10000);
    AREA(12000, HD);
    assert_int_equal(total(&ledger), 4000);
    STOP(5400, "timeout"); /* a packet came after the last that was told */
    assert_int_equal(total(&ledger), 4400);
    assert_int_equal(ledger.row[ledger.n - 1].tier_aggregate, cn_meter_tier(HD));
    assert_string_equal(ledger.row[ledger.n - 1].end_cause, "timeout");
}

static void signs_of_life_settle_what_waits(void **state)
{
    (void)state;
    book ledger = {.n = 0};
    cn_tally tally;
    cn_tally_start(&tally, 1000, WALL, 480);
    AREA(2000, HD);
    AREA(7000, 0);
    assert_int_equal(ledger.n, 0);
    SIGN(7000);
    assert_int_equal(total(&ledger), 6000); /* 1 s voice, 5 s HD */
    assert_int_equal(ledger.row[1].tier_aggregate, cn_meter_tier(HD));
    assert_int_equal(ledger.row[1].duration_ms, 5000);
    SIGN(6000);     /* an older one says nothing */
    AREA(6500, HD); /* and time stands still rather than go back */
    STOP(9000, "leave");
    assert_int_equal(total(&ledger), 8000);
    AREA(10000, 0);
    SIGN(10000);
    CHECKPOINT(11000);
    STOP(12000, "leave");
    assert_int_equal(total(&ledger), 8000);
}

static void nothing_is_lost_where_signs_do_not_get_through(void **state)
{
    (void)state;
    book ledger = {.n = 0};
    cn_tally tally;
    cn_tally_start(&tally, 1000, WALL, 480);
    AREA(1000, HD);
    for (uint64_t now = 61000; now <= 601000; now += 60000) CHECKPOINT(now);
    assert_int_equal(total(&ledger), 540000); /* what a crash now would leave: all but the last minute */
    STOP(602000, "leave");
    assert_int_equal(total(&ledger), 601000);
}

static void more_changes_than_can_wait_are_counted(void **state)
{
    (void)state;
    book ledger = {.n = 0};
    cn_tally tally;
    cn_tally_start(&tally, 1000, WALL, 480);
    for (int i = 0; i < 3 * CN_TALLY_CHANGES; i++) AREA(2000 + (uint64_t)i * 100, i % 2 ? 0 : HD);
    assert_int_equal(ledger.n, 2 * CN_TALLY_CHANGES);
    SIGN(20000);
    STOP(21000, "leave");
    assert_int_equal(ledger.n, 3 * CN_TALLY_CHANGES + 1);
    assert_int_equal(total(&ledger), 20000);
}

/* Chance against the plain meter: with a sign at every instant nothing differs. */
static void with_signs_all_the_time_it_is_the_meter(void **state)
{
    (void)state;
    uint32_t seed = 7;
    for (int round = 0; round < 200; round++) {
        book ledger = {.n = 0}, plain = {.n = 0};
        cn_tally tally;
        cn_meter meter;
        uint64_t now = 1000;
        cn_tally_start(&tally, now, WALL, 480);
        cn_meter_start(&meter, now, WALL, 480);
        for (int i = 0; i < 100; i++) {
            seed = seed * 1664525u + 1013904223u;
            now += seed >> 20 & 2047;
            int64_t area = (int64_t)(seed >> 28) * 300000;
            SIGN(now);
            if (seed & 0x100) {
                AREA(now, area);
                cn_meter_segment *to = plain.row + plain.n;
                plain.n += cn_meter_area(&meter, now, area, area, to, CN_METER_SEGMENTS);
            } else {
                CHECKPOINT(now);
                plain.n += cn_meter_checkpoint(&meter, now, plain.row + plain.n, CN_METER_SEGMENTS);
            }
        }
        STOP(now + 5, "leave");
        plain.n += cn_meter_stop(&meter, now + 5, "leave", plain.row + plain.n, CN_METER_SEGMENTS);
        assert_int_equal(ledger.n, plain.n);
        for (size_t i = 0; i < plain.n; i++) {
            assert_int_equal(ledger.row[i].duration_ms, plain.row[i].duration_ms);
            assert_int_equal(ledger.row[i].tier_aggregate, plain.row[i].tier_aggregate);
            assert_string_equal(ledger.row[i].end_cause, plain.row[i].end_cause);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_vanished_ends_at_his_last_packet_over_a_checkpoint),
        cmocka_unit_test(what_was_sent_to_who_had_vanished_is_not_counted),
        cmocka_unit_test(signs_of_life_settle_what_waits),
        cmocka_unit_test(nothing_is_lost_where_signs_do_not_get_through),
        cmocka_unit_test(more_changes_than_can_wait_are_counted),
        cmocka_unit_test(with_signs_all_the_time_it_is_the_meter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
