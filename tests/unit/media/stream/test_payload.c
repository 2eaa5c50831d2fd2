#include "cn_test.h"

#include <string.h>

#include "media/stream/payload.h"
#include "media/wire/payload_h264.h"
#include "media/wire/payload_vp8.h"
#include "media/wire/payload_av1.h"
#include "media/wire/payload_vp9.h"

#define KEY_TAG 0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0xe0, 0x41 /* 640 × 480, vertical scale 1 */

typedef struct vp8_case {
    const char *name;
    uint8_t bytes[24];
    size_t n;
    cn_err err;
    cn_vp8 want;
} vp8_case;

static const vp8_case vp8_cases[] = {
    {"plain delta", {0x10, 0x01}, 2, CN_OK, {.frame_start = true, .descriptor_len = 1}},
    {"continuation", {0x00, 0xaa}, 2, CN_OK, {.descriptor_len = 1}},
    {"second partition's start is no frame's start", {0x11, 0xaa}, 2, CN_OK, {.descriptor_len = 1}},
    {"key frame",
     {0x10, KEY_TAG},
     11,
     CN_OK,
     {.frame_start = true, .key = true, .descriptor_len = 1, .width = 640, .height = 480}},
    {"short picture id",
     {0x90, 0x80, 0x11, 0x01},
     4,
     CN_OK,
     {.frame_start = true, .has_picture_id = true, .picture_id = 17, .picture_id_at = 2, .descriptor_len = 3}},
    {"all fields",
     {0xb0, 0xf0, 0xd2, 0x34, 0x56, 0xa3, KEY_TAG},
     16,
     CN_OK,
     {.frame_start = true,
      .non_reference = true,
      .key = true,
      .has_picture_id = true,
      .picture_id_15 = true,
      .has_tl0picidx = true,
      .has_tid = true,
      .has_keyidx = true,
      .layer_sync = true,
      .picture_id = 0x5234,
      .tl0picidx = 0x56,
      .tid = 2,
      .keyidx = 3,
      .picture_id_at = 2,
      .tl0picidx_at = 4,
      .descriptor_len = 6,
      .width = 640,
      .height = 480}},
    {"only a key index",
     {0x90, 0x10, 0x23, 0x01},
     4,
     CN_OK,
     {.frame_start = true, .has_keyidx = true, .keyidx = 3, .descriptor_len = 3}},
    {"empty", {0}, 0, CN_ERR_PARSE, {0}},
    {"descriptor only", {0x10}, 1, CN_ERR_PARSE, {0}},
    {"cut in the extension", {0x90}, 1, CN_ERR_PARSE, {0}},
    {"cut in the picture id", {0x90, 0x80, 0x92}, 3, CN_ERR_PARSE, {0}},
    {"cut before the index", {0x90, 0x40}, 2, CN_ERR_PARSE, {0}},
    {"cut in the key frame's header", {0x10, KEY_TAG}, 10, CN_ERR_PARSE, {0}},
    {"wrong start code", {0x10, 0x10, 0x02, 0x00, 0x9d, 0x01, 0x2b, 0x80, 0x02, 0xe0, 0x01}, 11, CN_ERR_PARSE, {0}},
    {"no width", {0x10, 0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x00, 0x00, 0xe0, 0x01}, 11, CN_ERR_PARSE, {0}},
};

static void vp8_descriptors_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(vp8_cases); i++) {
        const vp8_case *row = &vp8_cases[i];
        cn_vp8 got = {0};
        if (cn_vp8_parse(&got, row->bytes, row->n) != row->err) fail_msg("%s: wrong result", row->name);
        const cn_vp8 *vp8 = &row->want;
        bool same = got.frame_start == vp8->frame_start && got.non_reference == vp8->non_reference &&
                    got.key == vp8->key && got.has_picture_id == vp8->has_picture_id &&
                    got.picture_id_15 == vp8->picture_id_15 && got.has_tl0picidx == vp8->has_tl0picidx &&
                    got.has_tid == vp8->has_tid && got.has_keyidx == vp8->has_keyidx &&
                    got.layer_sync == vp8->layer_sync && got.picture_id == vp8->picture_id &&
                    got.tl0picidx == vp8->tl0picidx && got.tid == vp8->tid && got.keyidx == vp8->keyidx &&
                    got.picture_id_at == vp8->picture_id_at && got.tl0picidx_at == vp8->tl0picidx_at &&
                    got.descriptor_len == vp8->descriptor_len && got.width == vp8->width && got.height == vp8->height;
        if (!same) fail_msg("%s: wrong fields", row->name);
    }
}

static void vp8_rewriting_keeps_every_other_bit(void **state)
{
    (void)state;
    uint8_t p[] = {0xb0, 0xf0, 0xd2, 0x34, 0x56, 0xa3, KEY_TAG};
    uint8_t want[] = {0xb0, 0xf0, 0xff, 0xfe, 0x07, 0xa3, KEY_TAG};
    cn_vp8_rewrite(p, 2, true, 0x7ffe, 4, 7);
    assert_memory_equal(p, want, sizeof p);
    uint8_t narrow[] = {0x90, 0x80, 0x11, 0x01};
    uint8_t narrow_want[] = {0x90, 0x80, 0x02, 0x01};
    cn_vp8_rewrite(narrow, 2, false, 0x182, 0, 9);
    assert_memory_equal(narrow, narrow_want, sizeof narrow);
    cn_vp8_rewrite(narrow, 0, true, 0x182, 0, 9);
    assert_memory_equal(narrow, narrow_want, sizeof narrow);
}

/* High with cropping and VUI (both with emulation prevention bytes), and Constrained Baseline. */
static const uint8_t sps_720[] = {0x67, 0x64, 0x00, 0x1f, 0xac, 0xd9, 0x40, 0x50, 0x05, 0xbb, 0x01, 0x10, 0x00,
                                  0x00, 0x03, 0x00, 0x10, 0x00, 0x00, 0x03, 0x03, 0xc0, 0xf1, 0x83, 0x19, 0x60};
static const uint8_t sps_1080[] = {0x67, 0x64, 0x00, 0x28, 0xac, 0xd9, 0x40, 0x78, 0x02, 0x27, 0xe5, 0x84, 0x00,
                                   0x00, 0x03, 0x00, 0x04, 0x00, 0x00, 0x03, 0x00, 0xf0, 0x3c, 0x60, 0xc6, 0x58};
static const uint8_t sps_baseline[] = {0x67, 0x42, 0xc0, 0x1f, 0x8c, 0x8d, 0x40,
                                       0x50, 0x1e, 0xd0, 0x0f, 0x08, 0x84, 0x6a};

static void the_size_comes_from_the_sps(void **state)
{
    (void)state;
    uint16_t w = 0, h = 0;
    assert_ok(cn_h264_sps_size(sps_720, sizeof sps_720, &w, &h));
    assert_int_equal(w, 1280);
    assert_int_equal(h, 720);
    assert_ok(cn_h264_sps_size(sps_1080, sizeof sps_1080, &w, &h));
    assert_int_equal(w, 1920);
    assert_int_equal(h, 1080);
    assert_ok(cn_h264_sps_size(sps_baseline, sizeof sps_baseline, &w, &h));
    assert_int_equal(w, 640);
    assert_int_equal(h, 480);
    for (size_t n = 0; n < 9; n++) assert_err(cn_h264_sps_size(sps_1080, n, &w, &h), CN_ERR_PARSE);
}

typedef struct h264_case {
    const char *name;
    uint8_t bytes[32];
    size_t n;
    cn_err err;
    bool key, start, slice, non_reference;
    uint16_t width;
} h264_case;

static const h264_case h264_cases[] = {
    {"IDR slice", {0x65, 0x88, 0x80}, 3, CN_OK, true, true, true, false, 0},
    {"second slice of an IDR", {0x65, 0x40, 0x80}, 3, CN_OK, true, false, true, false, 0},
    {"P slice", {0x41, 0x9a}, 2, CN_OK, false, true, true, false, 0},
    {"slice nobody refers to", {0x01, 0x9a}, 2, CN_OK, false, true, true, true, 0},
    {"SPS and PPS in one",
     {0x78, 0x00, 0x0e, 0x67, 0x42, 0xc0, 0x1f, 0x8c, 0x8d, 0x40, 0x50, 0x1e,
      0xd0, 0x0f, 0x08, 0x84, 0x6a, 0x00, 0x04, 0x68, 0xce, 0x3c, 0x80},
     23,
     CN_OK,
     true,
     true,
     false,
     false,
     640},
    {"first fragment of an IDR", {0x7c, 0x85, 0x88}, 3, CN_OK, true, true, true, false, 0},
    {"middle fragment of an IDR", {0x7c, 0x05, 0x88}, 3, CN_OK, true, false, true, false, 0},
    {"last fragment of a P", {0x5c, 0x41, 0x88}, 3, CN_OK, false, false, true, false, 0},
    {"access unit delimiter", {0x09, 0xf0}, 2, CN_OK, false, true, false, false, 0},
    {"damaged SPS still is a key", {0x67, 0x42}, 2, CN_OK, true, true, false, false, 0},
    {"empty", {0}, 0, CN_ERR_PARSE, false, false, false, false, 0},
    {"forbidden bit", {0xe5, 0x88}, 2, CN_ERR_PARSE, false, false, false, false, 0},
    {"empty aggregate", {0x78}, 1, CN_ERR_PARSE, false, false, false, false, 0},
    {"unit of nothing", {0x78, 0x00, 0x00, 0x65}, 4, CN_ERR_PARSE, false, false, false, false, 0},
    {"unit past the end", {0x78, 0x00, 0x03, 0x65, 0x88}, 5, CN_ERR_PARSE, false, false, false, false, 0},
    {"half a size", {0x78, 0x00, 0x02, 0x65, 0x88, 0x00}, 6, CN_ERR_PARSE, false, false, false, false, 0},
    {"aggregate in an aggregate", {0x78, 0x00, 0x02, 0x78, 0x88}, 5, CN_ERR_PARSE, false, false, false, false, 0},
    {"fragment without data", {0x7c, 0x85}, 2, CN_ERR_PARSE, false, false, false, false, 0},
    {"start and end in one", {0x7c, 0xc5, 0x88}, 3, CN_ERR_PARSE, false, false, false, false, 0},
    {"STAP-B", {0x79, 0x00, 0x00}, 3, CN_ERR_UNSUPPORTED, false, false, false, false, 0},
    {"type 0", {0x60, 0x00}, 2, CN_ERR_UNSUPPORTED, false, false, false, false, 0},
};

static void h264_packets_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(h264_cases); i++) {
        const h264_case *row = &h264_cases[i];
        cn_h264 got = {0};
        if (cn_h264_parse(&got, row->bytes, row->n) != row->err) fail_msg("%s: wrong result", row->name);
        if (got.key != row->key || got.frame_start != row->start || got.has_slice != row->slice ||
            got.non_reference != row->non_reference || got.width != row->width)
            fail_msg("%s: wrong fields", row->name);
    }
}

static void packets_are_filled_by_codec(void **state)
{
    (void)state;
    cn_packet_pool *pool = NULL;
    assert_ok(cn_packet_pool_new(&pool, 4));
    static const uint8_t key[] = {0x10, KEY_TAG};
    cn_packet *packet = cn_packet_new(pool, CN_PACKET_MAX);
    packet->payload_at = 12;
    packet->payload_len = sizeof key;
    packet->marker = true;
    memcpy(cn_packet_data(packet) + 12, key, sizeof key);
    packet->codec = CN_CODEC_VP8;
    assert_ok(cn_payload_parse(packet));
    assert_true(packet->key && packet->frame_start && packet->frame_end);
    assert_int_equal(packet->width, 640);
    assert_int_equal(packet->tid, CN_PACKET_NO_TID);
    cn_packet_unref(packet);

    packet = cn_packet_new(pool, CN_PACKET_MAX);
    packet->codec = CN_CODEC_VP8; /* padding only */
    assert_ok(cn_payload_parse(packet));
    assert_false(packet->frame_start || packet->frame_end || packet->key);
    cn_packet_unref(packet);

    packet = cn_packet_new(pool, CN_PACKET_MAX);
    packet->codec = CN_CODEC_OPUS;
    packet->payload_len = 3;
    assert_ok(cn_payload_parse(packet));
    assert_true(packet->frame_start && packet->frame_end);
    cn_packet_unref(packet);

    packet = cn_packet_new(pool, CN_PACKET_MAX);
    packet->codec = CN_CODEC_H264;
    packet->payload_len = 1;
    cn_packet_data(packet)[0] = 0xff;
    assert_err(cn_payload_parse(packet), CN_ERR_PARSE);
    cn_packet_unref(packet);
    cn_packet_pool_free(pool);
}

static void vp9_descriptors_are_read(void **state)
{
    (void)state;
    /* Chromium 156: first packet of a key picture of two spatial layers, with their sizes */
    static const uint8_t key[] = {0x8a, 0x98, 0x67, 0x30, 0x01, 0x40, 0x00, 0xb4, 0x02, 0x80, 0x01, 0x68, 0x49};
    static const uint8_t flexible[] = {0xfd, 0x98, 0x68, 0x50, 0x02, 0x87};
    static const uint8_t groups[] = {0xa2, 0x11, 0x34, 0x09, 0x08, 0x02, 0x14, 0x01, 0x38, 0x02, 0x03, 0x55};
    static const struct {
        const char *name;
        const uint8_t *bytes;
        size_t n;
        cn_vp9 want;
    } cases[] = {
        {"sizes",
         key,
         sizeof key,
         {.frame_start = true,
          .has_picture_id = true,
          .picture_id_15 = true,
          .picture_id = 0x1867,
          .picture_id_at = 1,
          .spatial = 2,
          .width = {320, 640},
          .height = {180, 360},
          .descriptor_len = 12}},
        {"flexible",
         flexible,
         sizeof flexible,
         {.frame_start = true,
          .frame_end = true,
          .inter = true,
          .flexible = true,
          .has_layers = true,
          .tid = 2,
          .switch_up = true,
          .not_for_upper = true,
          .has_picture_id = true,
          .picture_id_15 = true,
          .picture_id = 0x1868,
          .picture_id_at = 1,
          .descriptor_len = 5}},
        {"pictures in groups",
         groups,
         sizeof groups,
         {.has_picture_id = true,
          .picture_id = 0x11,
          .picture_id_at = 1,
          .has_layers = true,
          .tid = 1,
          .switch_up = true,
          .sid = 2,
          .has_tl0picidx = true,
          .tl0picidx = 9,
          .tl0picidx_at = 3,
          .descriptor_len = 11}},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        cn_vp9 vp9;
        print_message("%s\n", cases[i].name);
        assert_ok(cn_vp9_parse(&vp9, cases[i].bytes, cases[i].n));
        assert_memory_equal(&vp9, &cases[i].want, sizeof vp9);
        for (size_t n = 0; n < cases[i].n; n++) assert_err(cn_vp9_parse(&vp9, cases[i].bytes, n), CN_ERR_PARSE);
    }
    static const uint8_t four[] = {0x50, 0x03, 0x03, 0x03, 0x03, 0x00};
    cn_vp9 vp9;
    assert_err(cn_vp9_parse(&vp9, four, sizeof four), CN_ERR_PARSE);
}

static void av1_headers_are_read(void **state)
{
    (void)state;
    static const uint8_t key[] = {0x28, 0x16}, middle[] = {0xd0, 0x34}, wrong[] = {0x88, 0x00};
    cn_av1 av1;
    assert_ok(cn_av1_parse(&av1, key, 2));
    assert_true(av1.sequence && !av1.continues && !av1.goes_on);
    assert_ok(cn_av1_parse(&av1, middle, 2));
    assert_true(!av1.sequence && av1.continues && av1.goes_on);
    assert_err(cn_av1_parse(&av1, wrong, 2), CN_ERR_PARSE);
    assert_err(cn_av1_parse(&av1, key, 1), CN_ERR_PARSE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vp9_descriptors_are_read),    cmocka_unit_test(av1_headers_are_read),
        cmocka_unit_test(vp8_descriptors_are_read),    cmocka_unit_test(vp8_rewriting_keeps_every_other_bit),
        cmocka_unit_test(the_size_comes_from_the_sps), cmocka_unit_test(h264_packets_are_read),
        cmocka_unit_test(packets_are_filled_by_codec),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
