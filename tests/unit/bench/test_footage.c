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

static void put(file *f, const void *p, size_t n)
{
    memcpy(f->p + f->n, p, n);
    f->n += n;
}

static void ivf_begin(file *f)
{
    uint8_t head[FOOTAGE_IVF_HEAD];
    *f = (file){0};
    footage_ivf_head(head, 3840, 2160);
    put(f, head, sizeof head);
}

static void ivf_add(file *f, bool key, size_t n, uint64_t ticks, uint32_t seed)
{
    uint8_t head[FOOTAGE_IVF_FRAME], bytes[20000];
    footage_ivf_frame(head, (uint32_t)n, ticks);
    put(f, head, sizeof head);
    for (size_t i = 0; i < n; i++) bytes[i] = (uint8_t)((seed = seed * 1664525u + 1013904223u) >> 24);
    bytes[0] = (uint8_t)((bytes[0] & 0xfe) | !key);
    put(f, bytes, n);
}

/* A byte stream: SPS (320 × 180) and PPS, slices; start codes of three and four bytes, zeros behind some. */
static void h264_add(file *f, bool key, size_t n, uint8_t fill)
{
    static const uint8_t sets[] = {0,    0,    0,    1,    0x67, 0x42, 0xe0, 0x1f, 0x8c, 0x68, 0x14, 0x19, 0x79, 0xe0,
                                   0x1e, 0x11, 0x08, 0xd4, 0,    0,    0,    1,    0x68, 0xce, 0x3c, 0x80, 0,    0};
    static const uint8_t start[] = {0, 0, 1};
    uint8_t slice[8000];
    memset(slice, fill, n);
    slice[0] = key ? 0x65 : 0x41;
    slice[1] = 0x88; /* first_mb_in_slice 0 */
    if (key) put(f, sets, sizeof sets);
    put(f, start, sizeof start);
    put(f, slice, n / 2);
    slice[1] = 0x48; /* another slice of the same picture */
    put(f, start, sizeof start);
    put(f, slice, n - n / 2);
}

/* ---- the reader ---- */

static void frames_of_an_ivf_file_are_found(void **state)
{
    (void)state;
    file f;
    footage t;
    ivf_begin(&f);
    ivf_add(&f, true, 9000, 0, 1);
    ivf_add(&f, false, 500, 3000, 2);
    ivf_add(&f, false, 501, 6003, 3);
    assert_ok(footage_parse(&t, f.p, f.n, 30));
    assert_int_equal(t.codec, PAYLOAD_VP8);
    assert_int_equal(t.width, 3840);
    assert_int_equal(t.height, 2160);
    assert_int_equal(t.frames, 3);
    assert_true(t.frame[0].key && !t.frame[1].key);
    assert_int_equal(t.frame[0].n, 9000);
    assert_int_equal(t.frame[0].ticks, 3000);
    assert_int_equal(t.frame[1].ticks, 3003);
    assert_int_equal(t.frame[2].ticks, 3003); /* as the one before */
    footage_free(&t);
}

static void access_units_of_a_byte_stream_are_found(void **state)
{
    (void)state;
    file f = {0};
    footage t;
    h264_add(&f, true, 6000, 0x55);
    h264_add(&f, false, 900, 0x56);
    h264_add(&f, false, 4000, 0x57);
    assert_ok(footage_parse(&t, f.p, f.n, 25));
    assert_int_equal(t.codec, PAYLOAD_H264);
    assert_int_equal(t.frames, 3);
    assert_true(t.frame[0].key && !t.frame[1].key && !t.frame[2].key);
    assert_int_equal(t.frame[1].ticks, 3600);
    assert_int_equal(t.frame[1].n, 900 + 2 * 4);
    assert_true(t.width > 0 && t.height > 0);
    footage_free(&t);
}

static void what_is_no_such_file_is_refused(void **state)
{
    (void)state;
    file f;
    footage t;
    ivf_begin(&f);
    assert_err(footage_parse(&t, f.p, f.n, 30), CN_ERR_PARSE); /* no frame */
    ivf_add(&f, false, 100, 0, 1);
    assert_err(footage_parse(&t, f.p, f.n, 30), CN_ERR_PARSE); /* no key frame first */
    ivf_begin(&f);
    ivf_add(&f, true, 100, 0, 1);
    ivf_add(&f, false, 100, 0, 1);
    assert_err(footage_parse(&t, f.p, f.n, 30), CN_ERR_PARSE); /* time stands still */
    ivf_begin(&f);
    ivf_add(&f, true, 100, 0, 1);
    for (size_t n = 0; n < f.n; n++) assert_int_not_equal(footage_parse(&t, f.p, n, 30), CN_OK); /* cut off anywhere */
    assert_ok(footage_parse(&t, f.p, f.n, 30));
    footage_free(&t);
    memcpy(f.p + 8, "AV01", 4);
    assert_err(footage_parse(&t, f.p, f.n, 30), CN_ERR_UNSUPPORTED);
    memcpy(f.p + 8, "VP80", 4);
    memset(f.p + 32, 0xff, 4); /* a frame of 4 GiB */
    assert_err(footage_parse(&t, f.p, f.n, 30), CN_ERR_PARSE);
    assert_err(footage_parse(&t, f.p, f.n, 0), CN_ERR_INVALID);
    assert_null(t.frame);
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

static void on_frame(void *arg, const gather_frame *f)
{
    bench *b = arg;
    if (f->whole)
        (void)film_match(b->film, &b->view, f->bytes, f->n, 1);
    else
        film_torn(&b->view);
    b->torn += !f->whole;
}

static void bench_open(bench *b, bool h264)
{
    file f = {0};
    *b = (bench){.seq = 70000, .film = CN_NEW(film)};
    if (!h264) ivf_begin(&f);
    for (unsigned i = 0; i < 6; i++) {
        if (h264)
            h264_add(&f, i == 0, 3000 + 700 * i, (uint8_t)(0x51 + i));
        else
            ivf_add(&f, i == 0, 3000 + 700 * i, 3000 * i, i);
    }
    assert_ok(footage_parse(&b->t, f.p, f.n, 30));
    b->film->layer[2] = &b->t;
    b->gather = gather_new(b->t.codec, on_frame, b);
    assert_non_null(b->gather);
}

static void bench_close(bench *b)
{
    gather_free(b->gather);
    footage_free(&b->t);
    free(b->film);
}

typedef enum order { FORWARD, BACKWARD } order;

/* The next frame of the file in packets, in some order, one of them left out or with another byte. */
static void play(bench *b, order how, int lost, int changed)
{
    const footage_frame *e = &b->t.frame[b->at];
    uint8_t payload[PACKING_MAX];
    assert_true(e->cuts > 1);
    film_sent(b->film, 2, b->at, 1000);
    for (size_t i = 0; i < e->cuts; i++) {
        size_t k = how == FORWARD ? i : e->cuts - 1 - i;
        const packing_cut *cut = &b->t.cuts[e->cut + k];
        assert_in_range(cut->bytes, 1, PACKING_MAX);
        packing_write(payload, e->bytes, cut, 77, 8);
        if ((int)k == changed) payload[cut->bytes - 1] ^= 1;
        gather_packet p = {.seq = b->seq + k,
                           .ts = 3000 * (b->at + 1),
                           .marker = k + 1 == e->cuts,
                           .payload = payload,
                           .n = cut->bytes};
        if ((int)k != lost) gather_put(b->gather, &p);
    }
    b->seq += e->cuts;
    b->at = (b->at + 1) % (unsigned)b->t.frames;
}

static void frames_come_out_as_they_went_in(bool h264)
{
    bench b;
    bench_open(&b, h264);
    play(&b, FORWARD, -1, -1);
    for (unsigned i = 1; i < 20; i++) play(&b, i % 2 ? BACKWARD : FORWARD, -1, -1);
    assert_int_equal(b.view.seen[2], 20);
    assert_int_equal(b.view.altered + b.view.missing + b.torn, 0);
    bench_close(&b);
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
    bench b;
    bench_open(&b, false);
    play(&b, FORWARD, -1, -1);
    play(&b, FORWARD, -1, 1);
    play(&b, FORWARD, -1, -1);
    assert_int_equal(b.view.altered, 1);
    assert_int_equal(b.view.missing, 1); /* nobody saw what it was */
    assert_int_equal(b.view.seen[2], 2);
    bench_close(&b);
}

static void a_lost_packet_costs_its_frame(void **state)
{
    (void)state;
    bench b;
    bench_open(&b, true);
    play(&b, FORWARD, -1, -1);
    play(&b, FORWARD, 1, -1);
    for (unsigned i = 0; i < 400; i++) play(&b, FORWARD, -1, -1);
    assert_int_equal(b.torn, 1);
    assert_int_equal(b.view.altered, 1);
    assert_int_equal(b.view.missing, 1);
    assert_in_range(b.view.seen[2], 390, 401);
    bench_close(&b);
}

static void a_frame_that_never_left_the_server_is_missed(void **state)
{
    (void)state;
    bench b;
    bench_open(&b, false);
    play(&b, FORWARD, -1, -1);
    film_sent(b.film, 2, b.at++, 1000); /* sent, but left out without a gap in the numbers */
    play(&b, FORWARD, -1, -1);
    assert_int_equal(b.view.missing, 1);
    b.view.paused = true; /* now the server says so: from a key frame on nothing was missed */
    while (b.at) film_sent(b.film, 2, b.at, 1000), b.at = (b.at + 1) % (unsigned)b.t.frames;
    play(&b, FORWARD, -1, -1);
    play(&b, FORWARD, -1, -1);
    assert_int_equal(b.view.missing, 1);
    assert_int_equal(b.view.altered, 0);
    assert_int_equal(b.view.seen[2], 4);
    bench_close(&b);
}

static void a_layer_begins_with_a_key_frame(void **state)
{
    (void)state;
    bench b;
    bench_open(&b, false);
    b.at = 1;
    play(&b, FORWARD, -1, -1);
    assert_int_equal(b.view.altered, 1);
    assert_int_equal(b.view.seen[2], 0);
    bench_close(&b);
}

static void damaged_payloads_are_refused(void **state)
{
    (void)state;
    uint8_t frame[64];
    static const struct {
        payload_codec codec;
        uint8_t p[8];
        size_t n;
    } bad[] = {
        {PAYLOAD_VP8, {0x90}, 1},                /* X, but nothing follows */
        {PAYLOAD_VP8, {0x90, 0xe0, 0x80, 1}, 4}, /* descriptor cut off */
        {PAYLOAD_VP8, {0x10}, 1},                /* nothing behind it */
        {PAYLOAD_H264, {0x78}, 1},               /* STAP-A of nothing */
        {PAYLOAD_H264, {0x78, 0, 9, 0x67}, 4},   /* unit longer than the packet */
        {PAYLOAD_H264, {0x78, 0, 0}, 3},         /* empty unit */
        {PAYLOAD_H264, {0x78, 0}, 2},            /* half a length */
        {PAYLOAD_H264, {0x7c, 0x85}, 2},         /* FU-A without bytes */
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        size_t n = 0;
        assert_false(packing_take(frame, sizeof frame, &n, bad[i].codec, bad[i].p, bad[i].n));
    }
    size_t n = sizeof frame - 3;
    const uint8_t fits_not[] = {0x10, 1, 2, 3, 4};
    assert_false(packing_take(frame, sizeof frame, &n, PAYLOAD_VP8, fits_not, sizeof fits_not));
}

/* Files and packets with bytes changed, cut off anywhere: taken or refused, never read or written past their end (which
 * AddressSanitizer sees). */
static void any_bytes_are_taken_or_refused(void **state)
{
    (void)state;
    uint32_t seed = 7;
    for (unsigned round = 0; round < 3000; round++) {
        file f = {0};
        footage t;
        if (round % 2) ivf_begin(&f);
        for (unsigned i = 0; i < 3; i++) {
            if (round % 2)
                ivf_add(&f, i == 0, 200, 3000 * i, round + i);
            else
                h264_add(&f, i == 0, 200, (uint8_t)(0x51 + i));
        }
        for (unsigned i = 0; i < 4; i++) {
            seed = seed * 1664525u + 1013904223u;
            f.p[seed >> 8 & 127] = (uint8_t)(seed >> 3);
        }
        size_t n = round % 3 ? f.n : (seed >> 9) % f.n;
        uint8_t *exact = cn_memdup(f.p, n ? n : 1), frame[256];
        if (footage_parse(&t, exact, n, 30) == CN_OK) assert_true(t.frame[0].n > 0 && t.cut_n >= t.frames);
        footage_free(&t);
        for (size_t at = 0; at + 40 < n; at += 40) {
            uint8_t *payload = cn_memdup(exact + at, 1 + at % 40);
            size_t got = 0;
            (void)packing_take(frame, sizeof frame, &got, round % 2 ? PAYLOAD_H264 : PAYLOAD_VP8, payload, 1 + at % 40);
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
