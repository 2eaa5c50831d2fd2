#include "cn_test.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "media/wire/rtcp.h"
#include "media/wire/rtp.h"
#include "support_rtcp.h"

/* The only packet of a datagram. */
static cn_rtcp only(const uint8_t *bytes, size_t len)
{
    cn_rtcp_it it;
    cn_rtcp pkt, more;
    assert_int_not_equal(len, 0);
    assert_int_equal(len % 4, 0);
    assert_ok(cn_rtcp_open(&it, bytes, len));
    assert_true(cn_rtcp_next(&it, &pkt));
    assert_false(cn_rtcp_next(&it, &more));
    return pkt;
}

static void malformed_compounds(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        uint8_t p[40];
        size_t n;
        cn_err err;
    } cases[] = {
        {"nothing", {0}, 0, CN_ERR_PARSE},
        {"three bytes", {0x80, 201, 0}, 3, CN_ERR_PARSE},
        {"version 1", {0x40, 201, 0, 1}, 8, CN_ERR_PARSE},
        {"empty RR", {0x80, 201, 0, 1}, 8, CN_OK},
        {"RR too short", {0x80, 201, 0, 0}, 4, CN_ERR_PARSE},
        {"RR with a block that is not there", {0x81, 201, 0, 1}, 8, CN_ERR_PARSE},
        {"length past the end", {0x80, 201, 0, 2}, 8, CN_ERR_PARSE},
        {"bytes left over", {0x80, 201, 0, 1}, 11, CN_ERR_PARSE},
        {"zeroes left over", {0x80, 201, 0, 1}, 12, CN_ERR_PARSE},
        {"SR too short", {0x80, 200, 0, 5}, 24, CN_ERR_PARSE},
        {"SR", {0x80, 200, 0, 6}, 28, CN_OK},
        {"BYE of nobody", {0x80, 203, 0, 0}, 4, CN_OK},
        {"BYE of two, one there", {0x82, 203, 0, 1}, 8, CN_ERR_PARSE},
        {"unknown type", {0x80, 210, 0, 1}, 8, CN_OK},
        {"APP", {0x80, 204, 0, 2}, 12, CN_OK},
        {"PLI alone (RFC 5506)", {0x81, 206, 0, 2}, 12, CN_OK},
        {"PLI too short", {0x81, 206, 0, 1}, 8, CN_ERR_PARSE},
        {"NACK of nothing", {0x81, 205, 0, 2}, 12, CN_ERR_PARSE},
        {"FIR without entry", {0x84, 206, 0, 2}, 12, CN_ERR_PARSE},
        {"FIR with half an entry", {0x84, 206, 0, 3}, 16, CN_ERR_PARSE},
        {"AFB that is not REMB", {0x8f, 206, 0, 3, [12] = 'x'}, 16, CN_OK},
        {"REMB too short", {0x8f, 206, 0, 3, [12] = 'R', 'E', 'M', 'B'}, 16, CN_ERR_PARSE},
        {"REMB naming more than there is", {0x8f, 206, 0, 4, [12] = 'R', 'E', 'M', 'B', 1}, 20, CN_ERR_PARSE},
        {"SDES chunk without end", {0x81, 202, 0, 2, 0, 0, 0, 1, 1, 2, 'a', 'b'}, 12, CN_ERR_PARSE},
        {"SDES item past the end", {0x81, 202, 0, 2, 0, 0, 0, 1, 1, 9, 'a', 0}, 12, CN_ERR_PARSE},
        {"SDES of two chunks, one there", {0x82, 202, 0, 2, 0, 0, 0, 1, 1, 1, 'a', 0}, 12, CN_ERR_PARSE},
        {"SDES without chunks", {0x80, 202, 0, 0}, 4, CN_OK},
        {"padding", {0xa0, 201, 0, 2, [11] = 4}, 12, CN_OK},
        {"padding over the body", {0xa0, 201, 0, 1, [7] = 8}, 8, CN_ERR_PARSE},
        {"padding not of words", {0xa0, 201, 0, 2, [11] = 3}, 12, CN_OK},
        {"padding of nothing", {0xa0, 201, 0, 2}, 12, CN_ERR_PARSE},
        {"padding on an empty packet", {0xa0, 203, 0, 0}, 4, CN_ERR_PARSE},
        {"padding before the last", {0xa0, 201, 0, 2, [11] = 4, 0x80, 201, 0, 1}, 20, CN_OK},
        {"padding eats the RR", {0xa0, 201, 0, 1, [7] = 4}, 8, CN_ERR_PARSE},
        {"good, then bad", {0x80, 201, 0, 1, [8] = 0x81, 205, 0, 1}, 16, CN_ERR_PARSE},
        {"TWCC too short", {0x8f, 205, 0, 3}, 16, CN_ERR_PARSE},
        {"TWCC without its chunk", {0x8f, 205, 0, 4, [15] = 1}, 20, CN_ERR_PARSE},
        {"TWCC run of nothing", {0x8f, 205, 0, 5, [15] = 1}, 24, CN_ERR_PARSE},
        {"TWCC without its delta", {0x8f, 205, 0, 5, [15] = 5, [20] = 0x20, 5}, 24, CN_ERR_PARSE},
        {"TWCC filled up to a word", {0xaf, 205, 0, 5, [15] = 1, [20] = 0x20, 1, 4, 1}, 24, CN_OK}, /* Chromium */
        {"TWCC of lost ones", {0x8f, 205, 0, 5, [15] = 5, [20] = 0x00, 5}, 24, CN_OK},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        cn_rtcp_it it;
        cn_err err = cn_rtcp_open(&it, cases[i].p, cases[i].n);
        if (err != cases[i].err) fail_msg("%s: %s", cases[i].what, cn_err_name(err));
    }
}

/* What Chromium, Firefox and webrtcbin really sent: the fuzzer's corpus. */
static void reads_what_clients_send(void **state)
{
    (void)state;
    glob_t found;
    assert_int_equal(glob(CN_SOURCE_DIR "/tests/fuzz/corpus/media_rtcp/*_[0-9][0-9]", 0, NULL, &found), 0);
    assert_true(found.gl_pathc >= 30);
    size_t feedback = 0;
    for (size_t i = 0; i < found.gl_pathc; i++) {
        char *p = NULL;
        size_t n = 0;
        assert_ok(cn_file_read(found.gl_pathv[i], 65536, &p, &n));
        cn_rtcp_it it;
        if (cn_rtcp_open(&it, (const uint8_t *)p, n) != CN_OK) fail_msg("%s", found.gl_pathv[i]);
        for (cn_rtcp pkt; cn_rtcp_next(&it, &pkt);) feedback += pkt.type == CN_RTCP_TWCC;
        free(p);
    }
    assert_true(feedback > 10);
    globfree(&found);
}

static void readers_answer_only_for_their_type(void **state)
{
    (void)state;
    static const uint8_t app[] = {0x80, 204, 0, 2, 0, 0, 0, 9, 'n', 'a', 'm', 'e'};
    cn_rtcp pkt = only(app, sizeof app);
    assert_int_equal(pkt.type, CN_RTCP_UNKNOWN);
    assert_int_equal(pkt.pt, 204);
    cn_rtcp_sr sr;
    cn_rtcp_block block;
    uint32_t ssrc;
    size_t n;
    uint8_t number;
    uint64_t bps;
    uint16_t seq;
    cn_rtcp_nack_it nack = {.pkt = &pkt};
    cn_rtcp_twcc_it twcc;
    assert_false(cn_rtcp_sr_read(&pkt, &sr));
    assert_false(cn_rtcp_block_read(&pkt, 0, &block));
    assert_false(cn_rtcp_fir_read(&pkt, 0, &ssrc, &number));
    assert_false(cn_rtcp_remb_read(&pkt, &bps, &n));
    assert_false(cn_rtcp_nack_next(&nack, &seq));
    assert_false(cn_rtcp_twcc_open(&twcc, &pkt));
    assert_int_equal(cn_rtcp_media(&pkt), 0);
}

static void block_equal(const cn_rtcp_block *left, const cn_rtcp_block *right)
{
    assert_int_equal(left->ssrc, right->ssrc);
    assert_int_equal(left->fraction_lost, right->fraction_lost);
    assert_int_equal(left->lost, right->lost);
    assert_int_equal(left->highest_seq, right->highest_seq);
    assert_int_equal(left->jitter, right->jitter);
    assert_int_equal(left->lsr, right->lsr);
    assert_int_equal(left->dlsr, right->dlsr);
}

static void reports(void **state)
{
    (void)state;
    uint8_t p[256];
    const cn_rtcp_sr in = {.ssrc = 1, .ntp = 0x0102030405060708u, .rtp_ts = 9, .packets = 10, .octets = 11};
    const cn_rtcp_block blocks[] = {
        {21, 22, -5, 24, 25, 26, 27}, {31, 255, 1 << 24, 34, 35, 36, 37}, {41, 0, -(1 << 24), 0, 0, 0, 0}};
    size_t n = cn_rtcp_write_sr(p, sizeof p, &in, blocks, 3);
    cn_rtcp pkt = only(p, n);
    cn_rtcp_sr sr;
    assert_true(cn_rtcp_sr_read(&pkt, &sr));
    assert_true(sr.ntp == in.ntp);
    assert_int_equal(sr.rtp_ts, 9);
    assert_int_equal(sr.packets, 10);
    assert_int_equal(sr.octets, 11);
    assert_int_equal(cn_be32(pkt.body), 1);
    cn_rtcp_block block;
    assert_true(cn_rtcp_block_read(&pkt, 0, &block));
    block_equal(&block, &blocks[0]);
    assert_true(cn_rtcp_block_read(&pkt, 1, &block));
    assert_int_equal(block.lost, (1 << 23) - 1); /* saturates */
    assert_int_equal(block.dlsr, 37);
    assert_true(cn_rtcp_block_read(&pkt, 2, &block));
    assert_int_equal(block.lost, -(1 << 23));
    assert_false(cn_rtcp_block_read(&pkt, 3, &block));
    assert_int_equal(cn_rtcp_write_sr(p, n - 1, &in, blocks, 3), 0);
    assert_int_equal(cn_rtcp_write_sr(p, sizeof p, &in, blocks, 32), 0);

    n = cn_rtcp_write_rr(p, sizeof p, 77, blocks, 1);
    pkt = only(p, n);
    assert_int_equal(pkt.type, CN_RTCP_RR);
    assert_int_equal(cn_be32(pkt.body), 77);
    assert_true(cn_rtcp_block_read(&pkt, 0, &block));
    block_equal(&block, &blocks[0]);
    assert_false(cn_rtcp_sr_read(&pkt, &sr));
    assert_int_equal(cn_rtcp_write_rr(p, n - 1, 77, blocks, 1), 0);
}

/* SDES of one chunk, and in it one CNAME. */
static void one_chunk(const cn_rtcp *pkt, uint32_t ssrc, const char *cname, size_t len)
{
    assert_int_equal(pkt->type, CN_RTCP_SDES);
    assert_int_equal(pkt->count, 1);
    assert_int_equal(cn_be32(pkt->body), ssrc);
    assert_int_equal(pkt->body[4], 1);
    assert_int_equal(pkt->body[5], len);
    assert_memory_equal(pkt->body + 6, cname, len);
    assert_int_equal(pkt->body[6 + len], 0);
}

static void compound_of_many(void **state)
{
    (void)state;
    uint8_t p[256];
    size_t n = cn_rtcp_write_rr(p, sizeof p, 1, NULL, 0);
    n += cn_rtcp_write_cname(p + n, sizeof p - n, 1, "consilium");
    n += cn_rtcp_write_pli(p + n, sizeof p - n, 1, 2);
    n += rtcp_fir(p + n, sizeof p - n, 1, 3, 200);
    n += rtcp_remb(p + n, sizeof p - n, 1, 2500000, (const uint32_t[]){5, 6}, 2);
    n += rtcp_bye(p + n, sizeof p - n, (const uint32_t[]){7, 8}, 2);
    static const cn_rtcp_type order[] = {CN_RTCP_RR, CN_RTCP_SDES, CN_RTCP_PLI, CN_RTCP_FIR, CN_RTCP_REMB, CN_RTCP_BYE};
    cn_rtcp_it it;
    assert_ok(cn_rtcp_open(&it, p, n));
    cn_rtcp pkt[COUNT_OF(order)], more;
    for (size_t i = 0; i < COUNT_OF(order); i++) {
        assert_true(cn_rtcp_next(&it, &pkt[i]));
        assert_int_equal(pkt[i].type, order[i]);
    }
    assert_false(cn_rtcp_next(&it, &more));
    uint32_t ssrc;
    size_t len;
    one_chunk(&pkt[1], 1, "consilium", 9);
    assert_int_equal(cn_be32(pkt[2].body), 1);
    assert_int_equal(cn_rtcp_media(&pkt[2]), 2);
    uint8_t number;
    assert_true(cn_rtcp_fir_read(&pkt[3], 0, &ssrc, &number));
    assert_int_equal(ssrc, 3);
    assert_int_equal(number, 200);
    assert_false(cn_rtcp_fir_read(&pkt[3], 1, &ssrc, &number));
    uint64_t bps;
    assert_true(cn_rtcp_remb_read(&pkt[4], &bps, &len));
    assert_int_equal(bps, 2500000 >> 4 << 4); /* 18 bits of mantissa */
    assert_int_equal(len, 2);
    assert_int_equal(pkt[5].count, 2);
    assert_int_equal(cn_be32(pkt[5].body + 4), 8);
}

static void remb_saturates(void **state)
{
    (void)state;
    uint8_t p[64];
    size_t len, n = rtcp_remb(p, sizeof p, 1, UINT64_MAX, NULL, 0);
    uint64_t bps;
    cn_rtcp pkt = only(p, n);
    assert_true(cn_rtcp_remb_read(&pkt, &bps, &len));
    assert_true(bps == (uint64_t)1 << 63);
    p[17] = 0xff; /* exponent 63 */
    assert_true(cn_rtcp_remb_read(&pkt, &bps, &len));
    assert_true(bps == (uint64_t)1 << 63);
    assert_int_equal(rtcp_remb(p, 19, 1, 1, NULL, 0), 0);
}

static void cname_lengths(void **state)
{
    (void)state;
    char text[257];
    uint8_t p[300];
    for (size_t want = 0; want <= 256; want++) {
        memset(text, 'x', want);
        text[want] = 0;
        size_t n = cn_rtcp_write_cname(p, sizeof p, 5, text);
        if (want == 256) {
            assert_int_equal(n, 0);
            continue;
        }
        cn_rtcp pkt = only(p, n);
        one_chunk(&pkt, 5, text, want);
        assert_int_equal(cn_rtcp_write_cname(p, n - 1, 5, text), 0);
    }
    /* two chunks, the first without a CNAME */
    static const uint8_t two[] = {0x82, 202, 0, 5, 0, 0, 0, 1, 6, 1, 't', 0, 0, 0, 0, 2, 6, 0, 1, 1, 'c', 0, 0, 0};
    cn_rtcp pkt = only(two, sizeof two);
    assert_int_equal(pkt.count, 2);
}

static void nacks_pack_and_unpack(void **state)
{
    (void)state;
    static const uint16_t seqs[] = {65530, 65531, 65535, 0, 10, 11, 27, 28, 300};
    uint8_t p[64];
    size_t used, n = cn_rtcp_write_nack(p, sizeof p, 1, 2, seqs, COUNT_OF(seqs), &used);
    assert_int_equal(used, COUNT_OF(seqs));
    assert_int_equal(n, 12 + 4 * 4); /* 65530–10, 11–27, 28, 300 */
    cn_rtcp pkt = only(p, n);
    assert_int_equal(cn_rtcp_media(&pkt), 2);
    cn_rtcp_nack_it it = {.pkt = &pkt};
    uint16_t seq;
    for (size_t i = 0; i < COUNT_OF(seqs); i++) {
        assert_true(cn_rtcp_nack_next(&it, &seq));
        assert_int_equal(seq, seqs[i]);
    }
    assert_false(cn_rtcp_nack_next(&it, &seq));
    n = cn_rtcp_write_nack(p, 19, 1, 2, seqs, COUNT_OF(seqs), &used);
    assert_int_equal(n, 16);
    assert_int_equal(used, 5);
    assert_int_equal(cn_rtcp_write_nack(p, 15, 1, 2, seqs, COUNT_OF(seqs), &used), 0);
    assert_int_equal(used, 0);
    assert_int_equal(cn_rtcp_write_nack(p, 64, 1, 2, seqs, 0, NULL), 0);
}

/* Made by hand from the draft's figures: run of 2 small, vector of seven two-bit statuses, vector of one-bit statuses.
 */
static void twcc_by_hand(void **state)
{
    (void)state;
    static const uint8_t p[] = {0x8f,        205,  0,    9,    0,    0,  0,    1,    0, 0, 0, 2, 0xff, 0xff,
                                0,           12,   0xff, 0xff, 0xfe, 77, 0x20, 0x02, /* 2 × small */
                                0xc0 | 0x09, 0x00, /* none, large, small, none ×4: 00 10 01 00 00 00 00 */
                                0xa0,        0x00, /* 1, 0, 0: of 14 only 3 count */
                                4,           255,  0xff, 0xfc, 8,    16, 0,    0,    0, 0, 0, 0, 0,    0};
    cn_rtcp pkt = only(p, sizeof p);
    cn_rtcp_twcc_it it;
    assert_true(cn_rtcp_twcc_open(&it, &pkt));
    assert_int_equal(it.base_seq, 65535);
    assert_int_equal(it.count, 12);
    assert_int_equal(it.reference, -2);
    assert_int_equal(it.number, 77);
    static const struct {
        bool received;
        int delta;
    } expected[] = {{true, 4},  {true, 255}, {false, 0}, {true, -4}, {true, 8},  {false, 0},
                    {false, 0}, {false, 0},  {false, 0}, {true, 16}, {false, 0}, {false, 0}};
    cn_rtcp_twcc out;
    for (size_t i = 0; i < COUNT_OF(expected); i++) {
        assert_true(cn_rtcp_twcc_next(&it, &out));
        assert_int_equal(out.seq, (uint16_t)(65535 + i));
        if (out.received != expected[i].received || out.delta_250us != expected[i].delta) fail_msg("status %zu", i);
    }
    assert_false(cn_rtcp_twcc_next(&it, &out));
}

/* Reads a report back and compares it with what was written into it. */
static void twcc_equal(const uint8_t *bytes, size_t len, uint16_t base, const cn_twcc_arrival *arrival, size_t used)
{
    cn_rtcp pkt = only(bytes, len);
    cn_rtcp_twcc_it it;
    assert_true(cn_rtcp_twcc_open(&it, &pkt));
    assert_int_equal(it.base_seq, base);
    int64_t tick = (int64_t)it.reference * 256;
    cn_rtcp_twcc twcc;
    size_t i = 0;
    while (cn_rtcp_twcc_next(&it, &twcc)) {
        if (!twcc.received) continue;
        assert_true(i < used);
        assert_int_equal(twcc.seq, arrival[i].seq);
        tick += twcc.delta_250us;
        assert_true(tick == arrival[i].time_us / 250);
        i++;
    }
    assert_int_equal(i, used);
}

/* Seeded numbers below 2^31 (xorshift), so that a failing round can be repeated. */
static int dice(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return (int)(*state >> 1);
}

static void twcc_round_trips(void **state)
{
    (void)state;
    uint32_t seed = 20261120;
    static cn_twcc_arrival arrival[3000];
    uint8_t p[1200];
    for (int round = 0; round < 2000; round++) {
        size_t n = 1 + (size_t)dice(&seed) % COUNT_OF(arrival);
        int loss = dice(&seed) % 60, jitter = dice(&seed) % 3;
        uint16_t seq = (uint16_t)dice(&seed), base = (uint16_t)(seq - dice(&seed) % 3);
        int64_t now = dice(&seed) % 1000000000;
        for (size_t i = 0; i < n; i++) {
            arrival[i] = (cn_twcc_arrival){seq, now};
            now += jitter == 0 ? 0 : jitter == 1 ? dice(&seed) % 3000 : dice(&seed) % 200000 - 50000;
            if (now < 0) now = 0;
            seq = (uint16_t)(seq + 1 + (dice(&seed) % 100 < loss ? dice(&seed) % 40 : 0));
        }
        size_t done = 0, reports_made = 0;
        while (done < n) {
            size_t used, len = cn_rtcp_write_twcc(p, sizeof p, 1, 2, (uint8_t)reports_made++, base, arrival + done,
                                                  n - done, &used);
            assert_true(len > 0 && len <= sizeof p && used > 0);
            twcc_equal(p, len, base, arrival + done, used);
            done += used;
            if (done < n) base = arrival[done].seq;
        }
    }
}

static void twcc_limits(void **state)
{
    (void)state;
    uint8_t p[64];
    size_t used;
    const cn_twcc_arrival apart[] = {{5, 1000000}, {6, 1000000 + 8191750}, {7, 30000000}};
    size_t n = cn_rtcp_write_twcc(p, sizeof p, 1, 2, 0, 5, apart, 3, &used);
    assert_int_equal(used, 2);
    twcc_equal(p, n, 5, apart, 2);
    const cn_twcc_arrival gap[] = {{5, 0}, {5 + 1 + 8191, 0}, {5 + 2 + 2 * 8191 + 1, 0}};
    n = cn_rtcp_write_twcc(p, sizeof p, 1, 2, 0, 5, gap, 3, &used);
    assert_int_equal(used, 2);
    twcc_equal(p, n, 5, gap, 2);
    for (size_t cap = 0; cap < 24; cap++) assert_int_equal(cn_rtcp_write_twcc(p, cap, 1, 2, 0, 5, apart, 1, &used), 0);
    assert_int_equal(used, 0);
    assert_int_equal(cn_rtcp_write_twcc(p, sizeof p, 1, 2, 0, 5, apart, 0, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(malformed_compounds),
        cmocka_unit_test(reads_what_clients_send),
        cmocka_unit_test(readers_answer_only_for_their_type),
        cmocka_unit_test(reports),
        cmocka_unit_test(compound_of_many),
        cmocka_unit_test(remb_saturates),
        cmocka_unit_test(cname_lengths),
        cmocka_unit_test(nacks_pack_and_unpack),
        cmocka_unit_test(twcc_by_hand),
        cmocka_unit_test(twcc_round_trips),
        cmocka_unit_test(twcc_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
