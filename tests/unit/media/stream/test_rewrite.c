#include "cn_test.h"

#include <string.h>

#include "media/stream/rewrite.h"
#include "media/stream/seq.h"

#define MS 1000000ull
#define A 7
#define B 9
#define C 11

static cn_rewrite *video(void)
{
    cn_rewrite *rw = NULL;
    assert_ok(cn_rewrite_new(
        &rw, &(cn_rewrite_config){.clock = 90000, .records = 256, .first_seq = 65000, .first_ts = 4294960000u}));
    return rw;
}

/* A packet of a VP8 frame: number and timestamp; the picture id follows the frame. */
static cn_packet packet(uint64_t seq, uint32_t frame)
{
    cn_packet pkt = {.ext_seq = seq,
                     .ts = frame * 3000,
                     .payload_len = 100,
                     .has_picture_id = true,
                     .picture_id_15 = true,
                     .picture_id = (uint16_t)(frame & 0x7fff)};
    pkt.has_tl0picidx = true;
    pkt.tl0picidx = (uint8_t)frame;
    return pkt;
}

static uint32_t switch_to(cn_rewrite *rw, uint32_t source, const cn_packet *first, uint64_t now_ns)
{
    return cn_rewrite_switch(
        rw, &(cn_rewrite_from){
                .source = source, .group = source, .first = first, .run_end_ts = first->ts, .now_ns = now_ns});
}

static cn_rewrite_out sent(cn_rewrite *rw, uint32_t source, cn_packet packet, uint64_t now_ns)
{
    cn_rewrite_out out = {0};
    cn_rewrite_verdict verdict = cn_rewrite_packet(rw, source, &packet, now_ns, &out);
    if (verdict != CN_REWRITE_SEND)
        fail_msg("packet %llu: verdict %d", (unsigned long long)packet.ext_seq, (int)verdict);
    return out;
}

static void assert_verdict(cn_rewrite *rw, uint32_t source, cn_packet packet, cn_rewrite_verdict want)
{
    cn_rewrite_out out;
    assert_int_equal(cn_rewrite_packet(rw, source, &packet, 0, &out), want);
}

static void bounds_are_checked(void **state)
{
    (void)state;
    cn_rewrite *rw = NULL;
    assert_true(sizeof(cn_sent) <= 32);
    assert_err(cn_rewrite_new(&rw, &(cn_rewrite_config){.clock = 0, .records = 256}), CN_ERR_INVALID);
    assert_err(cn_rewrite_new(&rw, &(cn_rewrite_config){.clock = 90000, .records = 100}), CN_ERR_INVALID);
    assert_err(cn_rewrite_new(&rw, &(cn_rewrite_config){.clock = 90000, .records = 65536}), CN_ERR_INVALID);
    assert_null(rw);
    cn_rewrite_free(NULL);
    rw = video();
    uint32_t n;
    assert_false(cn_rewrite_highest(rw, &n));
    assert_false(cn_rewrite_ts(rw, 0, &n));
    assert_null(cn_rewrite_sent(rw, 65000));
    assert_verdict(rw, A, packet(1, 1), CN_REWRITE_FOREIGN);
    cn_rewrite_free(rw);
}

static void losses_stay_and_drops_close_up(void **state)
{
    (void)state;
    cn_rewrite *rw = video();
    cn_rewrite_out out;
    cn_packet pkt = packet(100, 1);
    switch_to(rw, A, &pkt, 0);
    assert_int_equal(sent(rw, A, packet(100, 1), 0).seq, 65000);
    assert_int_equal(sent(rw, A, packet(103, 2), 0).seq, 65003); /* 101 and 102 are missing */
    pkt = packet(104, 3);
    assert_int_equal(cn_rewrite_drop(rw, A, &pkt, 0, &out), CN_REWRITE_SKIP);
    pkt = packet(105, 3);
    assert_int_equal(cn_rewrite_drop(rw, A, &pkt, 0, &out), CN_REWRITE_SKIP);
    assert_int_equal(sent(rw, A, packet(106, 4), 0).seq, 65004);
    pkt = packet(108, 5); /* 107 is missing before it */
    assert_int_equal(cn_rewrite_drop(rw, A, &pkt, 0, &out), CN_REWRITE_SKIP);
    assert_int_equal(sent(rw, A, packet(109, 6), 0).seq, 65006);
    assert_int_equal(sent(rw, A, packet(107, 4), 0).seq, 65005);
    assert_int_equal(sent(rw, A, packet(101, 1), 0).seq, 65001);
    assert_verdict(rw, A, packet(101, 1), CN_REWRITE_DUPLICATE);
    assert_verdict(rw, A, packet(105, 3), CN_REWRITE_OLD);
    assert_verdict(rw, A, packet(99, 0), CN_REWRITE_OLD);
    assert_verdict(rw, B, packet(110, 6), CN_REWRITE_FOREIGN);
    cn_rewrite_free(rw);
}

static void picture_ids_have_no_holes(void **state)
{
    (void)state;
    cn_rewrite *rw = video();
    cn_rewrite_out out;
    cn_packet pkt = packet(100, 0x7ffe);
    switch_to(rw, A, &pkt, 0);
    assert_int_equal(sent(rw, A, pkt, 0).picture_id, 0x7ffe);
    for (uint64_t s = 101; s < 103; s++) { /* a frame of two packets goes */
        pkt = packet(s, 0x7fff);
        assert_int_equal(cn_rewrite_drop(rw, A, &pkt, 0, &out), CN_REWRITE_SKIP);
    }
    assert_int_equal(sent(rw, A, packet(103, 0x8000), 0).picture_id, 0x7fff);
    pkt = packet(200, 5); /* another source goes on from there */
    switch_to(rw, B, &pkt, 0);
    cn_rewrite_out first = sent(rw, B, pkt, 0);
    assert_int_equal(first.picture_id, 0);
    assert_int_equal(first.tl0picidx, (0x8000 + 1) & 0xff);
    cn_packet narrow = packet(201, 6);
    narrow.picture_id_15 = false;
    assert_int_equal(sent(rw, B, narrow, 0).picture_id, 1);
    cn_rewrite_free(rw);
}

/* A hole that was reserved for a packet which nobody wants cannot be closed any more. */
static void late_drops_are_filled_or_sent(void **state)
{
    (void)state;
    cn_rewrite *rw = video();
    cn_rewrite_out out;
    cn_packet pkt = packet(100, 1);
    switch_to(rw, A, &pkt, 0);
    (void)sent(rw, A, pkt, 0);
    pkt = packet(102, 2); /* the frame's first packet, 101, is missing */
    assert_int_equal(cn_rewrite_drop(rw, A, &pkt, 0, &out), CN_REWRITE_SKIP);
    (void)sent(rw, A, packet(104, 4), 0); /* and so is all of frame 3 */
    pkt = packet(101, 2);
    assert_int_equal(cn_rewrite_drop(rw, A, &pkt, 0, &out), CN_REWRITE_FILL);
    assert_int_equal(out.seq, 65001);
    assert_true(cn_rewrite_sent(rw, 65001)->filler);
    assert_int_equal(cn_rewrite_drop(rw, A, &pkt, 0, &out), CN_REWRITE_DUPLICATE);
    pkt = packet(103, 3);
    assert_int_equal(cn_rewrite_drop(rw, A, &pkt, 0, &out), CN_REWRITE_SEND);
    assert_int_equal(out.seq, 65002);
    assert_int_equal(out.picture_id, 2);
    pkt = packet(106, 6); /* wanted again, but a packet of its frame was dropped */
    assert_int_equal(cn_rewrite_drop(rw, A, &pkt, 0, &out), CN_REWRITE_SKIP);
    (void)sent(rw, A, packet(107, 7), 0);
    assert_verdict(rw, A, packet(105, 6), CN_REWRITE_FILL);
    cn_packet padding = {.ext_seq = 109, .ts = 21000};
    (void)sent(rw, A, packet(110, 8), 0);
    assert_int_equal(cn_rewrite_drop(rw, A, &padding, 0, &out), CN_REWRITE_FILL);
    cn_rewrite_free(rw);
}

static void a_switch_keeps_counting_and_lets_late_packets_in(void **state)
{
    (void)state;
    cn_rewrite *rw = video();
    cn_packet pkt = packet(100, 1);
    uint32_t ts0 = switch_to(rw, A, &pkt, 1000 * MS);
    assert_int_equal(ts0, 4294960000u);
    assert_int_equal(sent(rw, A, pkt, 1000 * MS).ts, ts0);
    assert_int_equal(sent(rw, A, packet(102, 2), 1033 * MS).ts, ts0 + 3000);
    pkt = packet(5000, 77);
    uint32_t named = switch_to(rw, B, &pkt, 1133 * MS);
    cn_rewrite_out first = sent(rw, B, pkt, 1133 * MS);
    assert_int_equal(first.ts, named);
    assert_int_equal(first.ts, ts0 + 3000 + 9000); /* 100 ms passed; wraps */
    assert_int_equal(first.seq, 65003);
    cn_rewrite_out late = sent(rw, A, packet(101, 1), 1134 * MS);
    assert_int_equal(late.seq, 65001);
    assert_int_equal(late.ts, ts0);
    assert_verdict(rw, A, packet(103, 3), CN_REWRITE_OLD);
    assert_int_equal(sent(rw, B, packet(5001, 78), 1170 * MS).ts, named + 3000);
    uint32_t ts;
    assert_true(cn_rewrite_ts(rw, 79 * 3000, &ts));
    assert_int_equal(ts, named + 6000);
    uint32_t highest;
    assert_true(cn_rewrite_highest(rw, &highest));
    assert_int_equal(highest, 65536 + 65004);
    cn_rewrite_free(rw);
}

static void layers_of_one_source_keep_the_capture_time(void **state)
{
    (void)state;
    cn_rewrite *rw = video();
    cn_packet pkt = packet(100, 1000);
    uint32_t ts0 = cn_rewrite_switch(rw, &(cn_rewrite_from){.source = A,
                                                            .group = 1,
                                                            .first = &pkt,
                                                            .run_end_ts = pkt.ts,
                                                            .capture_ns = 500 * (int64_t)MS,
                                                            .now_ns = 540 * MS});
    (void)sent(rw, A, pkt, 540 * MS);
    pkt = packet(1, 2); /* captured 33⅓ ms later, though it came 70 ms later */
    uint32_t ts1 = cn_rewrite_switch(rw, &(cn_rewrite_from){.source = B,
                                                            .group = 1,
                                                            .first = &pkt,
                                                            .run_end_ts = pkt.ts,
                                                            .capture_ns = 500 * (int64_t)MS + 33333333,
                                                            .now_ns = 610 * MS});
    assert_int_equal(ts1 - ts0, 3000);
    (void)sent(rw, B, pkt, 610 * MS);
    /* back to A with a frame that was captured before the last one sent: never backwards, and exact again after a few
     * frames */
    pkt = packet(200, 999);
    cn_packet next = packet(201, 1004);
    uint32_t ts2 = cn_rewrite_switch(rw, &(cn_rewrite_from){.source = C,
                                                            .group = 1,
                                                            .first = &pkt,
                                                            .run_end_ts = pkt.ts,
                                                            .capture_ns = 500 * (int64_t)MS - 33333333,
                                                            .now_ns = 620 * MS});
    assert_int_equal(ts2 - ts1, 1);
    (void)sent(rw, C, pkt, 620 * MS);
    assert_int_equal(sent(rw, C, next, 700 * MS).ts - ts0, 4 * 3000);
    cn_rewrite_free(rw);
}

static void a_run_of_old_frames_ends_at_now(void **state)
{
    (void)state;
    cn_rewrite *rw = video();
    cn_packet pkt = packet(100, 1);
    (void)switch_to(rw, A, &pkt, 0);
    uint32_t before = sent(rw, A, pkt, 0).ts;
    cn_packet first = packet(300, 50); /* 15 frames since its key frame, shown within the 40 ms that passed */
    uint32_t ts = cn_rewrite_switch(
        rw, &(cn_rewrite_from){.source = B, .group = 2, .first = &first, .run_end_ts = 65 * 3000, .now_ns = 40 * MS});
    assert_true(cn_ts_diff(ts, before) > 0);
    uint32_t former = before;
    for (uint32_t f = 50; f <= 65; f++) {
        uint32_t now = sent(rw, B, packet(250 + f, f), 40 * MS).ts;
        assert_true(cn_ts_diff(now, former) > 0);
        former = now;
    }
    assert_int_equal(former, before + 3600);
    assert_int_equal(sent(rw, B, packet(316, 66), 73 * MS).ts, before + 6600);
    cn_rewrite_free(rw);
}

static void a_restart_of_numbers_leaves_no_hole(void **state)
{
    (void)state;
    cn_rewrite *rw = video();
    cn_packet pkt = packet(100, 1);
    switch_to(rw, A, &pkt, 0);
    (void)sent(rw, A, pkt, 0);
    assert_int_equal(sent(rw, A, packet(5000, 2), 0).seq, 65001);
    cn_rewrite_free(rw);
}

static void audio_marks_the_first_packet_of_a_source(void **state)
{
    (void)state;
    cn_rewrite *rw = NULL;
    assert_ok(cn_rewrite_new(&rw, &(cn_rewrite_config){.clock = 48000, .records = 64, .first_seq = 1, .first_ts = 0}));
    cn_packet packet = {.ext_seq = 10, .ts = 960, .payload_len = 50};
    switch_to(rw, A, &packet, 0);
    assert_true(sent(rw, A, packet, 0).marker);
    packet.ext_seq++;
    assert_false(sent(rw, A, packet, 0).marker);
    cn_rewrite_free(rw);
}

static void resends_are_bounded_and_paced(void **state)
{
    (void)state;
    cn_rewrite *rw = video();
    cn_packet pkt = packet(100, 1);
    switch_to(rw, A, &pkt, 0);
    cn_rewrite_out out = sent(rw, A, pkt, 0);
    /* the first request is answered, whatever the round trip is thought to be */
    for (unsigned i = 1; i <= 10; i++) {
        const cn_sent *r = cn_rewrite_resend(rw, out.seq, 50, i == 1 ? 40 * MS : i * 50 * MS);
        assert_non_null(r);
        assert_int_equal(r->in_seq, 100);
        assert_int_equal(r->source, A);
        assert_int_equal(r->ts, out.ts);
        assert_null(cn_rewrite_resend(rw, out.seq, 50, (i == 1 ? 89 : i * 50 + 49) * MS));
    }
    assert_null(cn_rewrite_resend(rw, out.seq, 50, 5000 * MS));
    for (uint32_t i = 1; i <= 256; i++) (void)sent(rw, A, packet(100 + i, 1 + i), 0);
    assert_null(cn_rewrite_sent(rw, out.seq)); /* forgotten */
    assert_non_null(cn_rewrite_sent(rw, (uint16_t)(out.seq + 1)));
    assert_null(cn_rewrite_sent(rw, (uint16_t)(out.seq + 257))); /* not sent yet */
    cn_rewrite_free(rw);
}

/* GStreamer asks for the next packet when it does not come in time, and throws it away when it comes after its latency. */
static void what_was_given_up_in_a_pause_is_left_out(void **state)
{
    (void)state;
    cn_rewrite *rw = video();
    cn_packet first = packet(100, 1), other = packet(10, 20);
    switch_to(rw, A, &first, 0);
    cn_rewrite_asked(rw, 65000); /* nothing was sent yet */
    assert_int_equal(sent(rw, A, packet(100, 1), 0).seq, 65000);
    cn_rewrite_asked(rw, 65001);
    assert_int_equal(sent(rw, A, packet(101, 2), 100 * MS).seq, 65001); /* late, and in time still */
    cn_rewrite_asked(rw, 65002);
    cn_rewrite_asked(rw, 65002);
    assert_int_equal(sent(rw, A, packet(102, 3), 500 * MS).seq, 65003);
    assert_int_equal(sent(rw, A, packet(103, 3), 500 * MS).seq, 65004);
    assert_null(cn_rewrite_resend(rw, 65002, 10, 500 * MS));
    cn_rewrite_asked(rw, 65000);
    cn_rewrite_asked(rw, 65005 + 16);
    assert_int_equal(sent(rw, A, packet(104, 4), 1000 * MS).seq, 65005);
    cn_rewrite_asked(rw, 65006);
    cn_rewrite_asked(rw, 65007);
    assert_int_equal(sent(rw, A, packet(106, 5), 2000 * MS).seq, 65008); /* 105 is missing */
    assert_int_equal(sent(rw, A, packet(105, 5), 2000 * MS).seq, 65006);
    cn_rewrite_asked(rw, 65009);
    switch_to(rw, B, &other, 3000 * MS);
    assert_int_equal(sent(rw, B, packet(10, 20), 3000 * MS).seq, 65010);
    assert_int_equal(sent(rw, B, packet(11, 20), 3000 * MS).seq, 65011);
    cn_rewrite_free(rw);
}

/* Few records are kept for few packets; a burst that was lost makes room for all of itself. */
static void a_long_gap_is_filled_by_late_packets(void **state)
{
    (void)state;
    cn_rewrite *rw = video();
    cn_packet pkt = packet(100, 1);
    switch_to(rw, A, &pkt, 0);
    cn_rewrite_out first = sent(rw, A, pkt, 0);
    (void)sent(rw, A, packet(301, 2), 3000 * MS);
    for (uint64_t seq = 101; seq <= 300; seq++) (void)sent(rw, A, packet(seq, 2), 3100 * MS);
    assert_verdict(rw, A, packet(200, 2), CN_REWRITE_DUPLICATE);
    assert_non_null(cn_rewrite_resend(rw, (uint16_t)(first.seq + 1), 50, 3200 * MS));
    assert_non_null(cn_rewrite_resend(rw, (uint16_t)(first.seq + 200), 50, 3200 * MS));
    cn_rewrite_free(rw);
}

/* ---- any order of losses, reordering, doubles, drops and switches ---- */

static uint64_t seed;
static uint32_t random_below(uint32_t bound)
{
    seed = seed * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)(seed >> 33) % bound;
}

typedef struct log_entry {
    uint32_t source;
    uint64_t in_seq;
    bool filler;
    uint16_t picture_id;
    uint32_t ts;
} log_entry;

static log_entry sent_log[65536];

static void note(uint32_t source, const cn_packet *packet, const cn_rewrite_out *out, bool filler)
{
    log_entry *row = &sent_log[out->seq];
    if (row->source) fail_msg("number %u was given twice", out->seq);
    *row = (log_entry){
        .source = source, .in_seq = packet->ext_seq, .filler = filler, .picture_id = out->picture_id, .ts = out->ts};
}

/* Two packets per frame, every other frame droppable; each number comes about once, within 6 places. */
static void one_stretch(cn_rewrite *rw, uint32_t source, uint64_t first, bool drop, uint64_t *now)
{
    cn_packet pkt = packet(first, (uint32_t)(first / 2));
    switch_to(rw, source, &pkt, *now);
    uint64_t order[120];
    for (size_t i = 0; i < COUNT_OF(order); i++) order[i] = first + i;
    for (size_t i = 1; i + 6 < COUNT_OF(order); i++) {
        size_t j = i + random_below(6) * (random_below(10) == 0);
        uint64_t t = order[i];
        order[i] = order[j];
        order[j] = t;
    }
    for (size_t i = 0; i < COUNT_OF(order); i++) {
        *now += 16 * MS;
        pkt = packet(order[i], (uint32_t)(order[i] / 2));
        cn_rewrite_out out;
        bool unwanted = drop && order[i] / 2 % 2 != first / 2 % 2;
        cn_rewrite_verdict verdict =
            unwanted ? cn_rewrite_drop(rw, source, &pkt, *now, &out) : cn_rewrite_packet(rw, source, &pkt, *now, &out);
        if (verdict == CN_REWRITE_SEND || verdict == CN_REWRITE_FILL)
            note(source, &pkt, &out, verdict == CN_REWRITE_FILL);
        else
            assert_true(unwanted && verdict == CN_REWRITE_SKIP);
        if (random_below(8) == 0 && verdict != CN_REWRITE_SKIP)
            assert_int_equal(cn_rewrite_packet(rw, source, &pkt, *now, &out), CN_REWRITE_DUPLICATE);
    }
}

static void no_number_is_ever_given_twice_and_none_is_left_out(void **state)
{
    (void)state;
    for (seed = 1; seed < 200; seed++) {
        uint64_t keep = seed;
        memset(sent_log, 0, sizeof sent_log);
        cn_rewrite *rw = video();
        uint64_t now = 0;
        for (uint32_t i = 0; i < 8; i++)
            one_stretch(rw, 100 + i, 2 * (uint64_t)(1000 + random_below(20000)), i % 2, &now);
        uint32_t highest;
        assert_true(cn_rewrite_highest(rw, &highest));
        const log_entry *former = NULL;
        for (uint32_t n = 65536 + 65000; n <= highest; n++) {
            const log_entry *row = &sent_log[n & 0xffff];
            if (!row->source) fail_msg("seed %llu: number %u is missing", (unsigned long long)keep, n);
            if (row->filler) continue;
            if (former && former->source == row->source && former->in_seq / 2 == row->in_seq / 2) {
                assert_int_equal(former->picture_id, row->picture_id);
                assert_int_equal(former->ts, row->ts);
            } else if (former) {
                if ((uint16_t)((former->picture_id + 1) & 0x7fff) != row->picture_id)
                    fail_msg("seed %llu: picture %u after %u", (unsigned long long)keep, row->picture_id,
                             former->picture_id);
                assert_true(cn_ts_diff(row->ts, former->ts) > 0);
            }
            former = row;
        }
        cn_rewrite_free(rw);
        seed = keep;
    }
}

/* A VP9 packet with a descriptor: picture and frame numbers as its publisher counts them. */
static cn_packet described(uint64_t seq, uint32_t picture, uint16_t frame)
{
    cn_packet pkt = packet(seq, picture);
    pkt.codec = CN_CODEC_VP9;
    pkt.dd_len = 3;
    pkt.frame_number = frame;
    return pkt;
}

/* References count in frame numbers and picture ids: what is dropped leaves its number empty, and a switch counts on.
 */
static void numbers_that_are_referred_to_keep_their_holes(void **state)
{
    (void)state;
    cn_rewrite *rw = video();
    cn_rewrite_out out;
    cn_packet packet = described(100, 10, 65534);
    switch_to(rw, A, &packet, 0);
    assert_int_equal(sent(rw, A, packet, 0).frame_number, 65534);
    packet = described(101, 11, 65535);
    assert_int_equal(cn_rewrite_drop(rw, A, &packet, 0, &out), CN_REWRITE_SKIP);
    out = sent(rw, A, described(102, 12, 0), 0);
    assert_int_equal(out.seq, 65001);
    assert_int_equal(out.frame_number, 0);
    assert_int_equal(out.picture_id, 12);
    (void)sent(rw, A, described(104, 14, 2), 0);
    packet = described(103, 13, 1); /* a number was kept for it, but nobody is to see it */
    assert_int_equal(cn_rewrite_drop(rw, A, &packet, 0, &out), CN_REWRITE_FILL);

    packet = described(900, 500, 7000);
    switch_to(rw, B, &packet, 40 * MS);
    out = sent(rw, B, packet, 40 * MS);
    assert_int_equal(out.frame_number, 3);
    assert_int_equal(out.picture_id, 15);
    assert_int_equal(sent(rw, B, described(901, 502, 7004), 80 * MS).frame_number, 7);
    assert_int_equal(cn_rewrite_sent(rw, out.seq)->frame_number, 3);
    cn_rewrite_free(rw);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounds_are_checked),
        cmocka_unit_test(losses_stay_and_drops_close_up),
        cmocka_unit_test(picture_ids_have_no_holes),
        cmocka_unit_test(late_drops_are_filled_or_sent),
        cmocka_unit_test(numbers_that_are_referred_to_keep_their_holes),
        cmocka_unit_test(a_switch_keeps_counting_and_lets_late_packets_in),
        cmocka_unit_test(layers_of_one_source_keep_the_capture_time),
        cmocka_unit_test(a_run_of_old_frames_ends_at_now),
        cmocka_unit_test(a_restart_of_numbers_leaves_no_hole),
        cmocka_unit_test(audio_marks_the_first_packet_of_a_source),
        cmocka_unit_test(resends_are_bounded_and_paced),
        cmocka_unit_test(what_was_given_up_in_a_pause_is_left_out),
        cmocka_unit_test(a_long_gap_is_filled_by_late_packets),
        cmocka_unit_test(no_number_is_ever_given_twice_and_none_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
