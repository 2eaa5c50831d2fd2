#include "cn_test.h"

#include "media/stream/recent.h"

#define MS 1000000ull

static cn_packet_pool *pool;

static int setup(void **state)
{
    (void)state;
    return cn_packet_pool_new(&pool, 64) == CN_OK ? 0 : 1;
}

/* Asserts (in debug builds) that every reference was dropped. */
static int teardown(void **state)
{
    (void)state;
    cn_packet_pool_free(pool);
    return 0;
}

static void put(cn_recent *recent, uint64_t seq, uint64_t at_ns, int level, uint64_t sent)
{
    cn_packet *packet = cn_packet_new(pool, CN_PACKET_MAX);
    assert_non_null(packet);
    packet->ext_seq = seq;
    packet->arrival_ns = at_ns;
    packet->has_audio_level = level >= 0;
    packet->audio_level = (uint8_t)level;
    cn_recent_put(recent, packet, sent);
    cn_packet_unref(packet);
}

/* What comes every 20 ms; the last is now. −1: no level is told. −2: no packet. `from`: number of the first that is
 * sent, 0: none. */
static void words_are_found(void **state)
{
    (void)state;
    static const struct {
        int levels[10];
        size_t n;
        uint64_t from;
    } cases[] = {
        {{75, 78, 76, 74, 30, 32}, 6, 4},                  /* a word: with the packet before it */
        {{75, 78, 76, 74, 60, 30}, 6, 4},                  /* it swells */
        {{75, 78, 76, 74, 70, 69}, 6, 0},                  /* noise */
        {{30, 31, 29, 30, 32, 30}, 6, 0},                  /* in the middle of a long word */
        {{30, 31, 75, 76, 40, 30}, 6, 4},                  /* the next word */
        {{75, 30, 31, 29, 75, 76}, 6, 1},                  /* a short one, just over */
        {{75, 78, 30, 31, 29, 30, 31, 32, 30, 31}, 10, 0}, /* it began before all that is kept */
        {{75, -2, -2, -2, -2, -2, -2, 30, 31}, 9, 8},      /* after a pause without packets */
        {{127, 127, 127, 100, 99, 101}, 6, 0},             /* a microphone that is opened in silence */
        {{-1, -1, -1, -1, -1, -1}, 6, 0},
        {{-1, -2, -2, -2, -2, -2, -2, -1, -1}, 9, 8},
        {{0}, 0, 0},
        {{30}, 1, 0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        cn_recent recent = {0};
        uint64_t now = 5000 * MS, last = 0;
        for (size_t k = 0; k < cases[i].n; k++, now += 20 * MS) {
            if (cases[i].levels[k] == -2) continue;
            put(&recent, k + 1, now, cases[i].levels[k], 0);
            last = k + 1;
        }
        cn_packet *out[CN_RECENT];
        size_t n = cn_recent_word(&recent, 1, now, out);
        if (n != (cases[i].from ? last - cases[i].from + 1 : 0)) fail_msg("case %zu: %zu packets", i, n);
        for (size_t k = 0; k < n; k++) assert_int_equal(out[k]->ext_seq, cases[i].from + k);
        cn_recent_clear(&recent);
        assert_int_equal(cn_recent_word(&recent, 1, now, out), 0);
    }
}

static void nobody_gets_a_packet_twice(void **state)
{
    (void)state;
    cn_recent recent = {0};
    cn_packet *out[CN_RECENT];
    uint64_t now = 5000 * MS;
    for (uint64_t k = 1; k <= 6; k++, now += 20 * MS) put(&recent, k, now, k < 4 ? 75 : 30, k == 4 ? 2 : 0);
    assert_int_equal(cn_recent_word(&recent, 1, now, out), 4);
    assert_int_equal(cn_recent_word(&recent, 2, now, out), 3);
    assert_int_equal(out[1]->ext_seq, 5);
    cn_recent_sent(&recent, 1);
    assert_int_equal(cn_recent_word(&recent, 1, now, out), 0);
    assert_int_equal(cn_recent_word(&recent, 2, now, out), 3);
    assert_int_equal(cn_recent_word(&recent, 4, now, out), 4);
    assert_int_equal(cn_recent_word(&recent, 4, now + CN_RECENT_NS - 50 * MS, out), 2); /* the rest is too old */
    put(&recent, 7, now, 30, 1);
    assert_int_equal(cn_recent_word(&recent, 1, now, out), 0);
    cn_recent_clear(&recent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(words_are_found, setup, teardown),
        cmocka_unit_test_setup_teardown(nobody_gets_a_packet_twice, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
