#include "cn_test.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "crowd/film.h"
#include "crowd/gather.h"

/* ---- files made here ---- */

typedef struct file {
    uint8_t p[64 * 1024];
    size_t n;
} file;

static void put(file *target, const void *bytes, size_t len)
{
    memcpy(target->p + target->n, bytes, len);
    target->n += len;
}

static void ivf_begin(file *target)
{
    uint8_t head[FOOTAGE_IVF_HEAD];
    *target = (file){0};
    footage_ivf_head(head, 3840, 2160);
    put(target, head, sizeof head);
}

static void ivf_add(file *target, bool key, size_t len, uint64_t ticks, uint32_t seed)
{
    uint8_t head[FOOTAGE_IVF_FRAME], bytes[20000];
    footage_ivf_frame(head, (uint32_t)len, ticks);
    put(target, head, sizeof head);
    for (size_t i = 0; i < len; i++) bytes[i] = (uint8_t)((seed = seed * 1664525u + 1013904223u) >> 24);
    bytes[0] = (uint8_t)((bytes[0] & 0xfe) | !key);
    put(target, bytes, len);
}

/* A byte stream: SPS (320 × 180) and PPS, slices; start codes of three and four bytes, zeros behind some. */
static void h264_add(file *target, bool key, size_t len, uint8_t fill)
{
    static const uint8_t sets[] = {0,    0,    0,    1,    0x67, 0x42, 0xe0, 0x1f, 0x8c, 0x68, 0x14, 0x19, 0x79, 0xe0,
                                   0x1e, 0x11, 0x08, 0xd4, 0,    0,    0,    1,    0x68, 0xce, 0x3c, 0x80, 0,    0};
    static const uint8_t start[] = {0, 0, 1};
    uint8_t slice[8000];
    memset(slice, fill, len);
    slice[0] = key ? 0x65 : 0x41;
    slice[1] = 0x88; /* first_mb_in_slice 0 */
    if (key) put(target, sets, sizeof sets);
    put(target, start, sizeof start);
    put(target, slice, len / 2);
    slice[1] = 0x48; /* another slice of the same picture */
    put(target, start, sizeof start);
    put(target, slice, len - len / 2);
}

/* ---- the reader ---- */

static void frames_of_an_ivf_file_are_found(void **state)
{
    (void)state;
    file target;
    footage clip;
    ivf_begin(&target);
    ivf_add(&target, true, 9000, 0, 1);
    ivf_add(&target, false, 500, 3000, 2);
    ivf_add(&target, false, 501, 6003, 3);
    assert_ok(footage_parse(&clip, target.p, target.n, 30));
    assert_int_equal(clip.codec, CN_CODEC_VP8);
    assert_int_equal(clip.width, 3840);
    assert_int_equal(clip.height, 2160);
    assert_int_equal(clip.frames, 3);
    assert_true(clip.frame[0].key && !clip.frame[1].key);
    assert_int_equal(clip.frame[0].n, 9000);
    assert_int_equal(clip.frame[0].ticks, 3000);
    assert_int_equal(clip.frame[1].ticks, 3003);
    assert_int_equal(clip.frame[2].ticks, 3003); /* as the one before */
    footage_free(&clip);
}

static void access_units_of_a_byte_stream_are_found(void **state)
{
    (void)state;
    file target = {0};
    footage clip;
    h264_add(&target, true, 6000, 0x55);
    h264_add(&target, false, 900, 0x56);
    h264_add(&target, false, 4000, 0x57);
    assert_ok(footage_parse(&clip, target.p, target.n, 25));
    assert_int_equal(clip.codec, CN_CODEC_H264);
    assert_int_equal(clip.frames, 3);
    assert_true(clip.frame[0].key && !clip.frame[1].key && !clip.frame[2].key);
    assert_int_equal(clip.frame[1].ticks, 3600);
    assert_int_equal(clip.frame[1].n, 900 + 2 * 4);
    assert_true(clip.width > 0 && clip.height > 0);
    footage_free(&clip);
}

static void what_is_no_such_file_is_refused(void **state)
{
    (void)state;
    file target;
    footage clip;
    ivf_begin(&target);
    assert_err(footage_parse(&clip, target.p, target.n, 30), CN_ERR_PARSE); /* no frame */
    ivf_add(&target, false, 100, 0, 1);
    assert_err(footage_parse(&clip, target.p, target.n, 30), CN_ERR_PARSE); /* no key frame first */
    ivf_begin(&target);
    ivf_add(&target, true, 100, 0, 1);
    ivf_add(&target, false, 100, 0, 1);
    assert_err(footage_parse(&clip, target.p, target.n, 30), CN_ERR_PARSE); /* time stands still */
    ivf_begin(&target);
    ivf_add(&target, true, 100, 0, 1);
    for (size_t n = 0; n < target.n; n++)
        assert_int_not_equal(footage_parse(&clip, target.p, n, 30), CN_OK); /* cut off anywhere */
    assert_ok(footage_parse(&clip, target.p, target.n, 30));
    footage_free(&clip);
    memcpy(target.p + 8, "AV01", 4);
    assert_err(footage_parse(&clip, target.p, target.n, 30), CN_ERR_UNSUPPORTED);
    memcpy(target.p + 8, "VP80", 4);
    memset(target.p + 32, 0xff, 4); /* a frame of 4 GiB */
    assert_err(footage_parse(&clip, target.p, target.n, 30), CN_ERR_PARSE);
    assert_err(footage_parse(&clip, target.p, target.n, 0), CN_ERR_INVALID);
    assert_null(clip.frame);
}

/* ---- packets, and frames again ---- */

typedef struct bench {
    footage t;
    film *film;
    film_view view;
    gather *gather;
    uint64_t seq, torn;
    unsigned at;
} bench;

static void on_frame(void *arg, const gather_frame *frame)
{
    bench *suite = arg;
    if (frame->whole)
        (void)film_match(suite->film, &suite->view, frame->bytes, frame->n, 1);
    else
        film_torn(&suite->view);
    suite->torn += !frame->whole;
}

static void bench_open(bench *suite, bool h264)
{
    file target = {0};
    *suite = (bench){.seq = 70000, .film = CN_NEW(film)};
    if (!h264) ivf_begin(&target);
    for (unsigned i = 0; i < 6; i++) {
        if (h264)
            h264_add(&target, i == 0, 3000 + 700 * i, (uint8_t)(0x51 + i));
        else
            ivf_add(&target, i == 0, 3000 + 700 * i, 3000 * i, i);
    }
    assert_ok(footage_parse(&suite->t, target.p, target.n, 30));
    suite->film->layer[2] = &suite->t;
    suite->gather = gather_new(suite->t.codec, on_frame, suite);
    assert_non_null(suite->gather);
}

static void bench_close(bench *suite)
{
    gather_free(suite->gather);
    footage_free(&suite->t);
    free(suite->film);
}

typedef enum order { FORWARD, BACKWARD } order;

/* The next frame of the file in packets, in some order, one of them left out or with another byte. */
static void play(bench *suite, order how, int lost, int changed)
{
    const footage_frame *picture = &suite->t.frame[suite->at];
    uint8_t payload[PACKING_MAX];
    assert_true(picture->cuts > 1);
    film_sent(suite->film, 2, suite->at, 1000);
    for (size_t i = 0; i < picture->cuts; i++) {
        size_t k = how == FORWARD ? i : picture->cuts - 1 - i;
        const packing_cut *cut = &suite->t.cuts[picture->cut + k];
        assert_in_range(cut->bytes, 1, PACKING_MAX);
        packing_write(payload, picture->bytes, cut, 77, 8);
        if ((int)k == changed) payload[cut->bytes - 1] ^= 1;
        gather_packet packet = {.seq = suite->seq + k,
                                .ts = 3000 * (suite->at + 1),
                                .marker = k + 1 == picture->cuts,
                                .payload = payload,
                                .n = cut->bytes};
        if ((int)k != lost) gather_put(suite->gather, &packet);
    }
    suite->seq += picture->cuts;
    suite->at = (suite->at + 1) % (unsigned)suite->t.frames;
}

static void frames_come_out_as_they_went_in(bool h264)
{
    bench suite;
    bench_open(&suite, h264);
    play(&suite, FORWARD, -1, -1);
    for (unsigned i = 1; i < 20; i++) play(&suite, i % 2 ? BACKWARD : FORWARD, -1, -1);
    assert_int_equal(suite.view.seen[2], 20);
    assert_int_equal(suite.view.altered + suite.view.missing + suite.torn, 0);
    bench_close(&suite);
}

static void vp8_frames_come_out_as_they_went_in(void **state)
{
    (void)state;
    frames_come_out_as_they_went_in(false);
}

static void h264_frames_come_out_as_they_went_in(void **state)
{
    (void)state;
    frames_come_out_as_they_went_in(true);
}

static void a_single_changed_byte_is_seen(void **state)
{
    (void)state;
    bench suite;
    bench_open(&suite, false);
    play(&suite, FORWARD, -1, -1);
    play(&suite, FORWARD, -1, 1);
    play(&suite, FORWARD, -1, -1);
    assert_int_equal(suite.view.altered, 1);
    assert_int_equal(suite.view.missing, 1); /* nobody saw what it was */
    assert_int_equal(suite.view.seen[2], 2);
    bench_close(&suite);
}

static void a_lost_packet_costs_its_frame(void **state)
{
    (void)state;
    bench suite;
    bench_open(&suite, true);
    play(&suite, FORWARD, -1, -1);
    play(&suite, FORWARD, 1, -1);
    for (unsigned i = 0; i < 400; i++) play(&suite, FORWARD, -1, -1);
    assert_int_equal(suite.torn, 1);
    assert_int_equal(suite.view.altered, 1);
    assert_int_equal(suite.view.missing, 1);
    assert_in_range(suite.view.seen[2], 390, 401);
    bench_close(&suite);
}

static void a_frame_that_never_left_the_server_is_missed(void **state)
{
    (void)state;
    bench suite;
    bench_open(&suite, false);
    play(&suite, FORWARD, -1, -1);
    film_sent(suite.film, 2, suite.at++, 1000); /* sent, but left out without a gap in the numbers */
    play(&suite, FORWARD, -1, -1);
    assert_int_equal(suite.view.missing, 1);
    suite.view.paused = true; /* now the server says so: from a key frame on nothing was missed */
    while (suite.at) film_sent(suite.film, 2, suite.at, 1000), suite.at = (suite.at + 1) % (unsigned)suite.t.frames;
    play(&suite, FORWARD, -1, -1);
    play(&suite, FORWARD, -1, -1);
    assert_int_equal(suite.view.missing, 1);
    assert_int_equal(suite.view.altered, 0);
    assert_int_equal(suite.view.seen[2], 4);
    bench_close(&suite);
}

static void a_layer_begins_with_a_key_frame(void **state)
{
    (void)state;
    bench suite;
    bench_open(&suite, false);
    suite.at = 1;
    play(&suite, FORWARD, -1, -1);
    assert_int_equal(suite.view.altered, 1);
    assert_int_equal(suite.view.seen[2], 0);
    bench_close(&suite);
}

static void damaged_payloads_are_refused(void **state)
{
    (void)state;
    uint8_t frame[64];
    static const struct {
        cn_codec codec;
        uint8_t p[8];
        size_t n;
    } bad[] = {
        {CN_CODEC_VP8, {0x90}, 1},                /* X, but nothing follows */
        {CN_CODEC_VP8, {0x90, 0xe0, 0x80, 1}, 4}, /* descriptor cut off */
        {CN_CODEC_VP8, {0x10}, 1},                /* nothing behind it */
        {CN_CODEC_H264, {0x78}, 1},               /* STAP-A of nothing */
        {CN_CODEC_H264, {0x78, 0, 9, 0x67}, 4},   /* unit longer than the packet */
        {CN_CODEC_H264, {0x78, 0, 0}, 3},         /* empty unit */
        {CN_CODEC_H264, {0x78, 0}, 2},            /* half a length */
        {CN_CODEC_H264, {0x7c, 0x85}, 2},         /* FU-A without bytes */
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        size_t n = 0;
        assert_false(packing_take(frame, sizeof frame, &n, bad[i].codec, bad[i].p, bad[i].n));
    }
    size_t n = sizeof frame - 3;
    const uint8_t fits_not[] = {0x10, 1, 2, 3, 4};
    assert_false(packing_take(frame, sizeof frame, &n, CN_CODEC_VP8, fits_not, sizeof fits_not));
}

/* Files and packets with bytes changed, cut off anywhere: taken or refused, never read or written past their end (which
 * AddressSanitizer sees). */
static void any_bytes_are_taken_or_refused(void **state)
{
    (void)state;
    uint32_t seed = 7;
    for (unsigned round = 0; round < 3000; round++) {
        file target = {0};
        footage clip;
        if (round % 2) ivf_begin(&target);
        for (unsigned i = 0; i < 3; i++) {
            if (round % 2)
                ivf_add(&target, i == 0, 200, 3000 * i, round + i);
            else
                h264_add(&target, i == 0, 200, (uint8_t)(0x51 + i));
        }
        for (unsigned i = 0; i < 4; i++) {
            seed = seed * 1664525u + 1013904223u;
            target.p[seed >> 8 & 127] = (uint8_t)(seed >> 3);
        }
        size_t n = round % 3 ? target.n : (seed >> 9) % target.n;
        uint8_t *exact = cn_memdup(target.p, n ? n : 1), frame[256];
        if (footage_parse(&clip, exact, n, 30) == CN_OK) assert_true(clip.frame[0].n > 0 && clip.cut_n >= clip.frames);
        footage_free(&clip);
        for (size_t at = 0; at + 40 < n; at += 40) {
            uint8_t *payload = cn_memdup(exact + at, 1 + at % 40);
            size_t got = 0;
            (void)packing_take(frame, sizeof frame, &got, round % 2 ? CN_CODEC_H264 : CN_CODEC_VP8, payload,
                               1 + at % 40);
            assert_in_range(got, 0, sizeof frame);
            free(payload);
        }
        free(exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_of_an_ivf_file_are_found),
        cmocka_unit_test(access_units_of_a_byte_stream_are_found),
        cmocka_unit_test(what_is_no_such_file_is_refused),
        cmocka_unit_test(vp8_frames_come_out_as_they_went_in),
        cmocka_unit_test(h264_frames_come_out_as_they_went_in),
        cmocka_unit_test(a_single_changed_byte_is_seen),
        cmocka_unit_test(a_lost_packet_costs_its_frame),
        cmocka_unit_test(a_frame_that_never_left_the_server_is_missed),
        cmocka_unit_test(a_layer_begins_with_a_key_frame),
        cmocka_unit_test(damaged_payloads_are_refused),
        cmocka_unit_test(any_bytes_are_taken_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
