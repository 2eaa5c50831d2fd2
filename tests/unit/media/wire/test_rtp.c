#include "cn_test.h"

#include <string.h>

#include "media/wire/rtp.h"

static cn_rtp_exts ids_some(bool two_byte)
{
    cn_rtp_exts exts = {.two_byte = two_byte};
    assert_true(cn_rtp_exts_set(&exts, CN_RTP_EXT_MID, 4));
    assert_true(cn_rtp_exts_set(&exts, CN_RTP_EXT_RID, 10));
    assert_true(cn_rtp_exts_set(&exts, CN_RTP_EXT_AUDIO_LEVEL, 1));
    assert_true(cn_rtp_exts_set(&exts, CN_RTP_EXT_TWCC, 3));
    assert_true(cn_rtp_exts_set(&exts, CN_RTP_EXT_ABS_SEND_TIME, 2));
    assert_true(cn_rtp_exts_set(&exts, CN_RTP_EXT_DEPENDENCY, 14));
    return exts;
}

static void ids_have_one_meaning(void **state)
{
    (void)state;
    cn_rtp_exts exts = {0};
    assert_false(cn_rtp_exts_set(&exts, CN_RTP_EXT_MID, 0));
    assert_false(cn_rtp_exts_set(&exts, CN_RTP_EXT_MID, 15));
    assert_false(cn_rtp_exts_set(&exts, CN_RTP_EXT_MID, 256));
    assert_false(cn_rtp_exts_set(&exts, CN_RTP_EXT_COUNT, 1));
    assert_true(cn_rtp_exts_set(&exts, CN_RTP_EXT_MID, 3));
    assert_true(cn_rtp_exts_set(&exts, CN_RTP_EXT_MID, 3));
    assert_false(cn_rtp_exts_set(&exts, CN_RTP_EXT_RID, 3));
    assert_true(cn_rtp_exts_set(&exts, CN_RTP_EXT_MID, 255));
    assert_true(cn_rtp_exts_set(&exts, CN_RTP_EXT_RID, 3));
    for (int e = 0; e < CN_RTP_EXT_COUNT; e++) {
        const char *uri = cn_rtp_ext_uri((cn_rtp_ext)e);
        assert_int_equal(cn_rtp_ext_by_uri(uri, strlen(uri)), e);
        assert_int_equal(cn_rtp_ext_by_uri(uri, strlen(uri) - 1), CN_RTP_EXT_COUNT);
    }
    assert_string_equal(cn_rtp_ext_uri(CN_RTP_EXT_COUNT), "");
}

static void header_is_read(void **state)
{
    (void)state;
    static const uint8_t p[] = {
        0xb2, 0xe0, 0x12, 0x34, 1, 2,    3,    4,    5,    6, 7,    8, /* V2 P X CC=2, M, PT 96 */
        0,    0,    0,    1,    0, 0,    0,    2,                      /* CSRCs */
        0xbe, 0xde, 0,    3,                                           /* 12 bytes of extensions */
        0x40, '7',  0x10, 0x85, 0, 0x31, 0xab, 0xcd, 0x70, 9, 0xf0, 0xff,
        0xaa, 0xbb, 0,    2}; /* payload, 2 bytes of padding */
    cn_rtp_exts ids = ids_some(false);
    cn_rtp rtp;
    assert_ok(cn_rtp_parse(p, sizeof p, &ids, &rtp));
    assert_int_equal(rtp.pt, 96);
    assert_true(rtp.marker);
    assert_int_equal(rtp.seq, 0x1234);
    assert_int_equal(rtp.ts, 0x01020304);
    assert_int_equal(rtp.ssrc, 0x05060708);
    assert_int_equal(rtp.csrc_count, 2);
    assert_int_equal(cn_be32(rtp.csrcs + 4), 2);
    assert_int_equal(rtp.header_len, 36);
    assert_int_equal(rtp.padding, 2);
    assert_int_equal(rtp.payload_len, 2);
    assert_int_equal(rtp.payload[0], 0xaa);
    uint16_t seq;
    assert_true(cn_rtp_twcc(&rtp, &seq));
    assert_int_equal(seq, 0xabcd);
    uint8_t level;
    bool voice;
    assert_true(cn_rtp_audio_level(&rtp, &level, &voice));
    assert_int_equal(level, 5);
    assert_true(voice);
    assert_true(cn_rtp_ext_is(&rtp, CN_RTP_EXT_MID, "7"));
    assert_false(cn_rtp_ext_is(&rtp, CN_RTP_EXT_MID, "77"));
    assert_false(cn_rtp_ext_is(&rtp, CN_RTP_EXT_RID, "7"));
    assert_false(cn_rtp_has(&rtp, CN_RTP_EXT_ABS_SEND_TIME));
    /* without a map nothing is known, and nothing wrong */
    assert_ok(cn_rtp_parse(p, sizeof p, NULL, &rtp));
    assert_int_equal(rtp.present, 0);
    assert_false(cn_rtp_twcc(&rtp, &seq));
    assert_false(cn_rtp_audio_level(&rtp, &level, &voice));
}

static void malformed_packets(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        uint8_t p[28];
        size_t n;
        cn_err err;
    } cases[] = {
        {"bare header", {0x80, 96}, 12, CN_OK},
        {"short", {0x80, 96}, 11, CN_ERR_PARSE},
        {"version 1", {0x40, 96}, 12, CN_ERR_PARSE},
        {"version 3", {0xc0, 96}, 12, CN_ERR_PARSE},
        {"CSRC cut", {0x81, 96}, 15, CN_ERR_PARSE},
        {"15 CSRCs", {0x8f, 96}, 28, CN_ERR_PARSE},
        {"no room for the extension's head", {0x90, 96}, 15, CN_ERR_PARSE},
        {"empty extension block", {0x90, 96, [12] = 0xbe, 0xde, 0, 0}, 16, CN_OK},
        {"extension block cut", {0x90, 96, [12] = 0xbe, 0xde, 0, 2}, 20, CN_ERR_PARSE},
        {"extension block huge", {0x90, 96, [12] = 0xbe, 0xde, 0xff, 0xff}, 20, CN_ERR_PARSE},
        {"one-byte element cut", {0x90, 96, [12] = 0xbe, 0xde, 0, 1, 0x43, 1, 2, 3}, 20, CN_ERR_PARSE},
        {"one-byte element at the end", {0x90, 96, [12] = 0xbe, 0xde, 0, 1, 0x42, 1, 2, 3}, 20, CN_OK},
        {"id 15 stops", {0x90, 96, [12] = 0xbe, 0xde, 0, 1, 0xff, 1, 2, 3}, 20, CN_OK},
        {"id 0 with a length stops", {0x90, 96, [12] = 0xbe, 0xde, 0, 1, 0x0f, 1, 2, 3}, 20, CN_OK},
        {"two-byte element cut", {0x90, 96, [12] = 0x10, 0x00, 0, 1, 4, 3, 1, 2}, 20, CN_ERR_PARSE},
        {"two-byte id alone", {0x90, 96, [12] = 0x10, 0x00, 0, 1, 0, 0, 0, 4}, 20, CN_ERR_PARSE},
        {"two-byte empty element", {0x90, 96, [12] = 0x10, 0x0f, 0, 1, 4, 0, 9, 0}, 20, CN_OK},
        {"another profile", {0x90, 96, [12] = 0x12, 0x34, 0, 1, 0xff, 0xff, 0xff, 0xff}, 20, CN_OK},
        {"padding of 0", {0xa0, 96}, 13, CN_ERR_PARSE},
        {"padding into the header", {0xa0, 96, [12] = 2}, 13, CN_ERR_PARSE},
        {"padding without a byte", {0xa0, 96, [11] = 1}, 12, CN_ERR_PARSE},
        {"padding only", {0xa0, 96, [13] = 2}, 14, CN_OK},
    };
    cn_rtp_exts ids = ids_some(true);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        cn_rtp rtp;
        cn_err err = cn_rtp_parse(cases[i].p, cases[i].n, &ids, &rtp);
        if (err != cases[i].err) fail_msg("%s: %s", cases[i].what, cn_err_name(err));
        if (err == CN_OK) assert_int_equal(rtp.header_len + rtp.payload_len + rtp.padding, rtp.len);
    }
}

static void wrong_lengths_and_doubles_are_ignored(void **state)
{
    (void)state;
    cn_rtp_exts ids = ids_some(true);
    cn_rtp rtp;
    /* TWCC of 1 byte; then two audio levels, of which the first counts */
    static const uint8_t p[] = {0x90, 96,   0, 0, 0,    0, 0,    0, 0,    0, 0, 0,
                                0xbe, 0xde, 0, 2, 0x30, 7, 0x10, 5, 0x10, 9, 0, 0};
    assert_ok(cn_rtp_parse(p, sizeof p, &ids, &rtp));
    assert_int_equal(rtp.present, CN_RTP_EXT_BIT(CN_RTP_EXT_AUDIO_LEVEL));
    assert_int_equal(rtp.ext[CN_RTP_EXT_AUDIO_LEVEL].p[0], 5);
}

static void both_forms_survive_a_round_trip(void **state)
{
    (void)state;
    uint8_t dd[40];
    for (size_t i = 0; i < sizeof dd; i++) dd[i] = (uint8_t)i;
    static const struct {
        bool two_byte;
        uint8_t dd; /* bytes of dependency descriptor */
        uint16_t profile;
        bool dd_arrives;
    } cases[] = {
        {false, 16, 0xbede, true}, {true, 16, 0xbede, true}, {true, 17, 0x1000, true}, {false, 17, 0xbede, false}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        cn_rtp_exts ids = ids_some(cases[i].two_byte);
        cn_rtp_head head = {.ts = 90000, .ssrc = 0xdeadbeef, .seq = 65535, .pt = 98, .marker = true};
        cn_rtp_head_bytes(&head, CN_RTP_EXT_MID, "video0", 6);
        cn_rtp_head_number(&head, CN_RTP_EXT_TWCC, 0x1234, 2);
        cn_rtp_head_number(&head, CN_RTP_EXT_ABS_SEND_TIME, 0x987654, 3);
        cn_rtp_head_bytes(&head, CN_RTP_EXT_DEPENDENCY, dd, cases[i].dd);
        cn_rtp_head_number(&head, CN_RTP_EXT_ORIENTATION, 1, 1); /* the receiver has no id for it */
        uint8_t p[CN_RTP_HEADER_MAX];
        uint16_t at;
        size_t n = cn_rtp_write_header(p, sizeof p, &head, &ids, &at);
        assert_int_equal(n, cn_rtp_header_size(&head, &ids));
        assert_int_equal(n % 4, 0);
        assert_int_equal(cn_be16(p + 12), cases[i].profile);
        assert_int_equal(cn_be16(p + at), 0x1234);
        for (size_t cap = 0; cap < n; cap++) assert_int_equal(cn_rtp_write_header(p, cap, &head, &ids, NULL), 0);
        cn_rtp rtp;
        assert_ok(cn_rtp_parse(p, n, &ids, &rtp));
        assert_int_equal(rtp.seq, 65535);
        assert_int_equal(rtp.ssrc, 0xdeadbeef);
        assert_int_equal(rtp.payload_len, 0);
        assert_true(cn_rtp_ext_is(&rtp, CN_RTP_EXT_MID, "video0"));
        assert_false(cn_rtp_has(&rtp, CN_RTP_EXT_ORIENTATION));
        assert_int_equal(cn_rtp_has(&rtp, CN_RTP_EXT_DEPENDENCY), cases[i].dd_arrives);
        if (cases[i].dd_arrives) assert_memory_equal(rtp.ext[CN_RTP_EXT_DEPENDENCY].p, dd, cases[i].dd);
        assert_true(cn_rtp_has(&rtp, CN_RTP_EXT_ABS_SEND_TIME));
        assert_int_equal(cn_be24(rtp.ext[CN_RTP_EXT_ABS_SEND_TIME].p), 0x987654);
    }
}

static void longest_header_has_room(void **state)
{
    (void)state;
    cn_rtp_exts ids = {.two_byte = true};
    cn_rtp_head head = {.pt = 96};
    uint8_t value[255] = {0};
    static const uint8_t most[CN_RTP_EXT_COUNT] = {16, 16, 16, 1, 2, 3, 1, 3, 128, 255};
    for (int e = 0; e < CN_RTP_EXT_COUNT; e++) {
        assert_true(cn_rtp_exts_set(&ids, (cn_rtp_ext)e, 20 + (unsigned)e));
        cn_rtp_head_bytes(&head, (cn_rtp_ext)e, value, most[e]);
    }
    uint8_t p[CN_RTP_HEADER_MAX];
    size_t n = cn_rtp_write_header(p, sizeof p, &head, &ids, NULL);
    assert_int_not_equal(n, 0);
    cn_rtp rtp;
    assert_ok(cn_rtp_parse(p, n, &ids, &rtp));
    assert_int_equal(rtp.present, (1 << CN_RTP_EXT_COUNT) - 1);
}

static void values_that_nobody_may_send_are_left_out(void **state)
{
    (void)state;
    cn_rtp_exts ids = ids_some(true);
    cn_rtp_head head = {.pt = 96};
    cn_rtp_head_bytes(&head, CN_RTP_EXT_MID, "", 0);
    cn_rtp_head_bytes(&head, CN_RTP_EXT_RID, "seventeen letters", 17);
    cn_rtp_head_number(&head, CN_RTP_EXT_TWCC, 1, 3);
    uint8_t p[64];
    assert_int_equal(cn_rtp_write_header(p, sizeof p, &head, &ids, NULL), 12);
    assert_int_equal(p[0], 0x80);
    assert_int_equal(cn_rtp_write_header(p, sizeof p, &head, NULL, NULL), 12);
}

static void copying_a_received_packet(void **state)
{
    (void)state;
    cn_rtp_exts ids = ids_some(false), other = {0};
    assert_true(cn_rtp_exts_set(&other, CN_RTP_EXT_AUDIO_LEVEL, 9));
    cn_rtp_head head = {.pt = 111};
    cn_rtp_head_number(&head, CN_RTP_EXT_AUDIO_LEVEL, 0x92, 1);
    cn_rtp_head_bytes(&head, CN_RTP_EXT_MID, "0", 1);
    uint8_t p[64], q[64];
    size_t n = cn_rtp_write_header(p, sizeof p, &head, &ids, NULL);
    cn_rtp rtp;
    assert_ok(cn_rtp_parse(p, n, &ids, &rtp));
    cn_rtp_head copy = {.pt = 63};
    const cn_rtp_view *level = &rtp.ext[CN_RTP_EXT_AUDIO_LEVEL];
    cn_rtp_head_bytes(&copy, CN_RTP_EXT_AUDIO_LEVEL, level->p, level->n);
    n = cn_rtp_write_header(q, sizeof q, &copy, &other, NULL);
    assert_int_equal(n, 20);
    assert_int_equal(q[16], 0x90);
    assert_int_equal(q[17], 0x92);
}

static void padding(void **state)
{
    (void)state;
    uint8_t p[300];
    cn_rtp_head head = {.pt = 97, .ssrc = 7};
    size_t n = cn_rtp_write_padding(p, sizeof p, &head, NULL, 255, NULL);
    assert_int_equal(n, 267);
    cn_rtp rtp;
    assert_ok(cn_rtp_parse(p, n, NULL, &rtp));
    assert_int_equal(rtp.payload_len, 0);
    assert_int_equal(rtp.padding, 255);
    assert_int_equal(cn_rtp_write_padding(p, 266, &head, NULL, 255, NULL), 0);
    assert_int_equal(cn_rtp_write_padding(p, 11, &head, NULL, 255, NULL), 0);
    assert_int_equal(cn_rtp_pad(p, 20, 300, 0), 0);
    assert_int_equal(cn_rtp_pad(p, 20, 10, 1), 0);
}

static void rtx_round_trip(void **state)
{
    (void)state;
    cn_rtp_exts ids = ids_some(false);
    cn_rtp_head head = {.ts = 5, .ssrc = 222, .seq = 9, .pt = 97, .marker = true};
    cn_rtp_head_bytes(&head, CN_RTP_EXT_MID, "1", 1);
    uint8_t p[128];
    uint16_t at;
    size_t n = cn_rtp_write_rtx(p, sizeof p, &head, &ids, 0xfffe, (const uint8_t *)"frame", 5, &at);
    assert_int_equal(at, 0);
    assert_int_equal(n, 20 + 2 + 5);
    assert_int_equal(cn_rtp_write_rtx(p, n - 1, &head, &ids, 1, (const uint8_t *)"frame", 5, NULL), 0);
    assert_int_equal(cn_rtp_write_rtx(p, 21, &head, &ids, 1, NULL, 0, NULL), 0);
    n = cn_rtp_write_rtx(p, sizeof p, &head, &ids, 0xfffe, (const uint8_t *)"frame", 5, NULL);
    n = cn_rtp_pad(p, n, sizeof p, 3);
    cn_rtp rtp;
    assert_ok(cn_rtp_parse(p, n, &ids, &rtp));
    assert_int_equal(rtp.payload_len, 7);
    uint8_t *start;
    size_t len;
    assert_ok(cn_rtp_restore_rtx(p, &rtp, 96, 111, &start, &len));
    assert_ok(cn_rtp_parse(start, len, &ids, &rtp));
    assert_int_equal(rtp.seq, 0xfffe);
    assert_int_equal(rtp.ssrc, 111);
    assert_int_equal(rtp.pt, 96);
    assert_true(rtp.marker);
    assert_int_equal(rtp.ts, 5);
    assert_int_equal(rtp.padding, 3);
    assert_int_equal(rtp.payload_len, 5);
    assert_memory_equal(rtp.payload, "frame", 5);
    assert_true(cn_rtp_ext_is(&rtp, CN_RTP_EXT_MID, "1"));
    /* a probe of padding has no original */
    n = cn_rtp_write_padding(p, sizeof p, &head, &ids, 20, NULL);
    assert_ok(cn_rtp_parse(p, n, &ids, &rtp));
    assert_err(cn_rtp_restore_rtx(p, &rtp, 96, 111, &start, &len), CN_ERR_PARSE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_have_one_meaning),
        cmocka_unit_test(header_is_read),
        cmocka_unit_test(malformed_packets),
        cmocka_unit_test(wrong_lengths_and_doubles_are_ignored),
        cmocka_unit_test(both_forms_survive_a_round_trip),
        cmocka_unit_test(longest_header_has_room),
        cmocka_unit_test(values_that_nobody_may_send_are_left_out),
        cmocka_unit_test(copying_a_received_packet),
        cmocka_unit_test(padding),
        cmocka_unit_test(rtx_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
