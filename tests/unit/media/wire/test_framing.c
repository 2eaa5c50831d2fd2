#include "cn_test.h"

#include <stdlib.h>
#include <string.h>

#include "media/wire/framing.h"

#define STREAM 20000

typedef struct seen {
    size_t count, bytes;
    uint8_t data[STREAM];
    size_t lengths[600];
    size_t stop_after;
} seen;

static bool on_frame(void *arg, uint8_t *bytes, size_t len)
{
    seen *marks = arg;
    assert_true(len > 0 && len <= CN_FRAME_MAX);
    memcpy(marks->data + marks->bytes, bytes, len);
    memset(bytes, 0xee, len); /* it may be decrypted in place */
    marks->bytes += len;
    marks->lengths[marks->count++] = len;
    return marks->count != marks->stop_after;
}

/** Feeds the stream in pieces that `piece` names. */
static cn_err feed(seen *marks, const uint8_t *stream, size_t len, size_t (*piece)(size_t at))
{
    static uint8_t room[CN_DEFRAME_ROOM + STREAM];
    cn_deframer deframer = {0};
    memset(marks, 0, offsetof(seen, stop_after));
    for (size_t at = 0, some; at < len; at += some) {
        some = piece(at) < len - at ? piece(at) : len - at;
        memcpy(room + CN_DEFRAME_ROOM, stream + at, some);
        cn_err err = cn_deframe(&deframer, room + CN_DEFRAME_ROOM, some, on_frame, marks);
        if (err) return err;
    }
    return CN_OK;
}

static size_t all(size_t at)
{
    (void)at;
    return STREAM;
}

static size_t one(size_t at)
{
    (void)at;
    return 1;
}

static size_t odd(size_t at)
{
    return at * 2654435761u % 1900 + 1;
}

static void every_split_gives_the_same(void **state)
{
    (void)state;
    static const size_t lengths[] = {1, 20, 0, 1200, 2048, 0, 2, 13, 1400, 2047, 3, 1, 1, 500};
    static uint8_t stream[STREAM], datagrams[STREAM];
    size_t n = 0, bytes = 0, frames = 0;
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        cn_frame_head(stream + n, lengths[i]);
        for (size_t k = 0; k < lengths[i]; k++) stream[n + 2 + k] = datagrams[bytes + k] = (uint8_t)(i * 31 + k);
        n += 2 + lengths[i];
        bytes += lengths[i];
        if (lengths[i]) frames++;
    }
    size_t (*const pieces[])(size_t) = {all, one, odd};
    for (size_t i = 0; i < COUNT_OF(pieces); i++) {
        static seen marks;
        assert_ok(feed(&marks, stream, n, pieces[i]));
        assert_int_equal(marks.count, frames);
        assert_int_equal(marks.bytes, bytes);
        assert_memory_equal(marks.data, datagrams, bytes);
        /* the last byte is missing: so is the last frame */
        assert_ok(feed(&marks, stream, n - 1, pieces[i]));
        assert_int_equal(marks.count, frames - 1);
    }
}

static void a_length_over_the_bound_breaks_the_stream(void **state)
{
    (void)state;
    uint8_t stream[] = {0, 1, 7, 8, 1, 9};
    static seen marks;
    assert_err(feed(&marks, stream, sizeof stream, all), CN_ERR_TOOBIG);
    assert_int_equal(marks.count, 1);
    assert_err(feed(&marks, stream, sizeof stream, one), CN_ERR_TOOBIG);
    assert_int_equal(marks.count, 1);
    cn_frame_head(stream + 3, 65535);
    assert_int_equal(stream[3] << 8 | stream[4], 65535);
    assert_err(feed(&marks, stream, sizeof stream, one), CN_ERR_TOOBIG);
}

static void nothing_is_handed_over_after_a_refusal(void **state)
{
    (void)state;
    static const uint8_t stream[] = {0, 1, 7, 0, 1, 8, 0, 1, 9};
    static seen marks;
    marks.stop_after = 2;
    assert_err(feed(&marks, stream, sizeof stream, all), CN_ERR_CLOSED);
    assert_int_equal(marks.count, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_split_gives_the_same),
        cmocka_unit_test(a_length_over_the_bound_breaks_the_stream),
        cmocka_unit_test(nothing_is_handed_over_after_a_refusal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
