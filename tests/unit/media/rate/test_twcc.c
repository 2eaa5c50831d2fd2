#include "cn_test.h"

#include "media/rate/twcc.h"

#define MS 1000000ull

static void arrivals_become_lists(void **state)
{
    (void)state;
    cn_twcc_in twcc = {0};
    cn_twcc_arrival list[CN_TWCC_WINDOW];
    uint16_t base = 0;
    assert_false(cn_twcc_in_due(&twcc, 1000 * MS));
    assert_int_equal(cn_twcc_in_take(&twcc, 1000 * MS, list, 10, &base), 0);
    cn_twcc_in_packet(&twcc, 65534, 1000 * MS);
    cn_twcc_in_packet(&twcc, 65535, 1001 * MS);
    cn_twcc_in_packet(&twcc, 65535, 1009 * MS); /* a double tells nothing */
    cn_twcc_in_packet(&twcc, 1, 1002 * MS);
    assert_true(cn_twcc_in_due(&twcc, 1002 * MS));
    assert_int_equal(cn_twcc_in_take(&twcc, 1002 * MS, list, 10, &base), 3);
    assert_int_equal(base, 65534);
    assert_int_equal(list[1].seq, 65535);
    assert_int_equal(list[1].time_us, 1001000);
    assert_int_equal(list[2].seq, 1);
    cn_twcc_in_packet(&twcc, 4, 1010 * MS);
    assert_false(cn_twcc_in_due(&twcc, 1251 * MS)); /* one packet can wait */
    assert_true(cn_twcc_in_due(&twcc, 1252 * MS));
    assert_int_equal(cn_twcc_in_take(&twcc, 1252 * MS, list, 10, &base), 1);
    assert_int_equal(base, 2); /* 2 and 3 are told as lost */
    cn_twcc_in_packet(&twcc, 3, 1253 * MS);
    assert_int_equal(cn_twcc_in_take(&twcc, 1310 * MS, list, 10, &base), 2);
    assert_int_equal(base, 3);
    assert_int_equal(list[0].time_us, 1253000);
    assert_int_equal(list[1].seq, 4);
    for (uint16_t i = 5; i < 15; i++) cn_twcc_in_packet(&twcc, i, 1311 * MS);
    assert_false(cn_twcc_in_due(&twcc, 1359 * MS)); /* ten packets are told after 50 ms */
    assert_true(cn_twcc_in_due(&twcc, 1360 * MS));
    assert_int_equal(cn_twcc_in_take(&twcc, 1360 * MS, list, 10, &base), 10);
    assert_false(cn_twcc_in_due(&twcc, 9000 * MS));
    cn_twcc_in_free(&twcc);
}

static void many_packets_make_a_feedback_due_and_come_in_parts(void **state)
{
    (void)state;
    cn_twcc_in twcc = {0};
    cn_twcc_arrival list[64];
    uint16_t base = 0;
    for (unsigned i = 0; i < 100; i++) cn_twcc_in_packet(&twcc, (uint16_t)i, 1000 * MS + i);
    assert_true(cn_twcc_in_due(&twcc, 1));
    assert_int_equal(cn_twcc_in_take(&twcc, 1000 * MS, list, 64, &base), 64);
    assert_int_equal(cn_twcc_in_take(&twcc, 1000 * MS, list, 64, &base), 36);
    assert_int_equal(base, 64);
    assert_int_equal(cn_twcc_in_take(&twcc, 1000 * MS, list, 64, &base), 0);
    cn_twcc_in_packet(&twcc, 30000, 2000 * MS); /* a jump over the window: what lies between is not told as lost */
    assert_int_equal(cn_twcc_in_take(&twcc, 2000 * MS, list, 64, &base), 1);
    assert_int_equal(base, 30000);
    cn_twcc_in_packet(&twcc, 20000, 2000 * MS); /* too old */
    assert_false(cn_twcc_in_due(&twcc, 9000 * MS));
    cn_twcc_in_free(&twcc);
}

/* The ring is as long as what waits, and what came within a second: a packet overtaken by hundreds is told after all. */
static void what_waits_or_is_late_is_kept(void **state)
{
    (void)state;
    cn_twcc_in twcc = {0};
    cn_twcc_arrival list[CN_TWCC_WINDOW];
    uint16_t base = 0;
    for (unsigned i = 0; i < 900; i++)
        if (i != 5) cn_twcc_in_packet(&twcc, (uint16_t)(65000 + i), 1000 * MS + i * MS);
    assert_int_equal(cn_twcc_in_take(&twcc, 1900 * MS, list, CN_TWCC_WINDOW, &base), 899);
    assert_int_equal(base, 65000);
    for (size_t i = 0; i < 899; i++) {
        size_t number = i < 5 ? i : i + 1;
        assert_int_equal(list[i].seq, (uint16_t)(65000 + number));
        assert_int_equal(list[i].time_us, 1000000 + (int64_t)number * 1000);
    }
    cn_twcc_in_packet(&twcc, 65005, 1901 * MS);
    assert_int_equal(cn_twcc_in_take(&twcc, 2000 * MS, list, CN_TWCC_WINDOW, &base), 895);
    assert_int_equal(base, 65005);
    assert_int_equal(list[0].time_us, 1901000);
    cn_twcc_in_free(&twcc);
    /* a voice, told every 250 ms: what is over a second old need not be kept */
    for (unsigned i = 0; i < 400; i++) {
        cn_twcc_in_packet(&twcc, (uint16_t)i, 1000 * MS + i * 20 * MS);
        if (i % 12 == 11) assert_int_equal(cn_twcc_in_take(&twcc, 0, list, CN_TWCC_WINDOW, &base), 12);
    }
    assert_int_equal(twcc.room, 64);
    cn_twcc_in_free(&twcc);
}

static cn_twcc_list feedback;

static void answers(uint16_t base, uint16_t count, int64_t first_us)
{
    feedback.base_seq = base;
    feedback.count = count;
    for (uint16_t i = 0; i < count; i++) feedback.arrival_us[i] = first_us + i * 1000;
}

static void feedback_tells_the_fate_of_what_was_sent(void **state)
{
    (void)state;
    cn_twcc_out *twcc = NULL;
    cn_twcc_summary summary;
    assert_err(cn_twcc_out_new(&twcc, 100), CN_ERR_INVALID);
    assert_ok(cn_twcc_out_new(&twcc, 256));
    answers(1, 3, 0);
    assert_err(cn_twcc_out_feedback(twcc, &feedback, 0, &summary), CN_ERR_INVALID);
    uint16_t first = 0;
    for (unsigned i = 0; i < 100; i++) {
        uint16_t seq = cn_twcc_out_next(twcc, 1000, i % 2 ? CN_TWCC_VIDEO : CN_TWCC_AUDIO, 1000 * MS + i * MS);
        if (!i) first = seq;
        assert_int_equal(seq, (uint16_t)(first + i));
    }
    answers(first, 100, 5000000);
    for (unsigned i = 0; i < 100; i += 5) feedback.arrival_us[i] = CN_TWCC_LOST;
    assert_ok(cn_twcc_out_feedback(twcc, &feedback, 1149 * MS, &summary));
    assert_int_equal(summary.acked, 80);
    assert_int_equal(summary.lost, 20);
    assert_int_equal(summary.acked_bytes, 80000);
    assert_int_equal(summary.rtt_ms, 50);
    assert_int_equal(summary.result_count, 100);
    assert_int_equal(summary.results[1].sent_ns, 1001 * MS);
    assert_int_equal(summary.results[1].arrival_us, 5001000);
    assert_int_equal(summary.results[1].kind, CN_TWCC_VIDEO);
    assert_int_equal(summary.results[5].arrival_us, CN_TWCC_LOST);
    assert_true(cn_twcc_out_loss(twcc, 1149 * MS) == 0.2);
    /* again: nothing new; then ten of the lost ones come after all */
    assert_ok(cn_twcc_out_feedback(twcc, &feedback, 1150 * MS, &summary));
    assert_int_equal(summary.result_count, 0);
    for (unsigned i = 0; i < 50; i += 5) feedback.arrival_us[i] = 6000000;
    assert_ok(cn_twcc_out_feedback(twcc, &feedback, 1160 * MS, &summary));
    assert_int_equal(summary.acked, 10);
    assert_int_equal(summary.lost, 0);
    assert_true(cn_twcc_out_loss(twcc, 1160 * MS) == 0.1);
    answers((uint16_t)(first + 100), 50, 0); /* never sent */
    assert_err(cn_twcc_out_feedback(twcc, &feedback, 1160 * MS, &summary), CN_ERR_INVALID);
    cn_twcc_out_free(twcc);
    cn_twcc_out_free(NULL);
}

static void numbers_wrap_and_old_ones_are_forgotten(void **state)
{
    (void)state;
    cn_twcc_out *twcc = NULL;
    cn_twcc_summary summary;
    assert_ok(cn_twcc_out_new(&twcc, 256));
    uint16_t seq = 0;
    for (unsigned i = 0; i < 65536 + 10; i++) seq = cn_twcc_out_next(twcc, 100, CN_TWCC_VIDEO, (uint64_t)i * MS);
    answers((uint16_t)(seq - 19), 20, 0); /* over the wrap */
    assert_ok(cn_twcc_out_feedback(twcc, &feedback, 65600 * MS, &summary));
    assert_int_equal(summary.acked, 20);
    answers((uint16_t)(seq - 300), 20, 0);
    assert_err(cn_twcc_out_feedback(twcc, &feedback, 65600 * MS, &summary), CN_ERR_INVALID);
    cn_twcc_out_free(twcc);
}

static void a_feedback_packet_makes_the_way_there_and_back(void **state)
{
    (void)state;
    cn_twcc_in in = {0};
    for (unsigned i = 0; i < 60; i++)
        if (i % 7) cn_twcc_in_packet(&in, (uint16_t)(65500 + i), 77000 * MS + i * 3 * MS);
    cn_twcc_arrival list[100];
    uint16_t base;
    size_t n = cn_twcc_in_take(&in, 0, list, 100, &base), used = 0;
    uint8_t packet[512];
    size_t len = cn_rtcp_write_twcc(packet, sizeof packet, 1, 2, in.number, base, list, n, &used);
    assert_true(len > 0);
    assert_int_equal(used, n);
    cn_rtcp_it it;
    cn_rtcp pkt;
    assert_ok(cn_rtcp_open(&it, packet, len));
    assert_true(cn_rtcp_next(&it, &pkt));
    assert_ok(cn_twcc_list_read(&feedback, &pkt));
    assert_int_equal(feedback.base_seq, (uint16_t)(65500 + 1));
    assert_int_equal(feedback.count, 59);
    for (unsigned i = 1; i < 60; i++) {
        int64_t want = i % 7 ? 77000000 + (int64_t)i * 3000 : CN_TWCC_LOST;
        if (want != CN_TWCC_LOST)
            assert_in_range(feedback.arrival_us[i - 1] - want + 250, 0, 500);
        else
            assert_int_equal(feedback.arrival_us[i - 1], want);
    }
    len = cn_rtcp_write_pli(packet, sizeof packet, 1, 2);
    assert_ok(cn_rtcp_open(&it, packet, len));
    assert_true(cn_rtcp_next(&it, &pkt));
    assert_err(cn_twcc_list_read(&feedback, &pkt), CN_ERR_INVALID);
    cn_twcc_in_free(&in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arrivals_become_lists),
        cmocka_unit_test(many_packets_make_a_feedback_due_and_come_in_parts),
        cmocka_unit_test(what_waits_or_is_late_is_kept),
        cmocka_unit_test(feedback_tells_the_fate_of_what_was_sent),
        cmocka_unit_test(numbers_wrap_and_old_ones_are_forgotten),
        cmocka_unit_test(a_feedback_packet_makes_the_way_there_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
