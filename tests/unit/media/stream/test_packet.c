#include "cn_test.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>

#include "base/spsc.h"
#include "media/stream/packet.h"

static void a_packet_is_clean_however_often_it_was_used(void **state)
{
    (void)state;
    cn_packet_pool *pool = NULL;
    assert_err(cn_packet_pool_new(&pool, 0), CN_ERR_INVALID);
    assert_ok(cn_packet_pool_new(&pool, 1));
    cn_packet *first = cn_packet_new(pool, CN_PACKET_MAX);
    assert_non_null(first);
    memset(cn_packet_data(first), 0xff, CN_PACKET_MAX);
    first->key = first->marker = true;
    first->width = 640;
    first->tid = 2;
    cn_packet_unref(first);
    cn_packet *again = cn_packet_new(pool, CN_PACKET_MAX);
    assert_ptr_equal(again, first);
    assert_false(again->key || again->marker || again->width);
    assert_int_equal(again->tid, CN_PACKET_NO_TID);
    cn_packet_unref(again);
    cn_packet_unref(NULL);
    cn_packet_pool_free(pool);
    cn_packet_pool_free(NULL);
}

static void the_bound_denies_and_counts_and_heals(void **state)
{
    (void)state;
    cn_packet_pool *pool = NULL;
    cn_packet *held[100];
    assert_ok(cn_packet_pool_new(&pool, COUNT_OF(held)));
    for (size_t i = 0; i < COUNT_OF(held); i++) {
        held[i] = cn_packet_new(pool, CN_PACKET_MAX);
        assert_non_null(held[i]);
        for (size_t j = 0; j < i; j++) assert_ptr_not_equal(held[i], held[j]);
    }
    assert_null(cn_packet_new(pool, CN_PACKET_MAX));
    cn_packet_pool_stats stats;
    cn_packet_pool_stats_get(pool, &stats);
    assert_int_equal(stats.denied, 1);
    assert_int_equal(stats.in_use, COUNT_OF(held));
    assert_int_equal(stats.allocated, COUNT_OF(held));
    cn_packet_unref(cn_packet_ref(held[7])); /* still held: nothing comes back */
    assert_null(cn_packet_new(pool, CN_PACKET_MAX));
    cn_packet_unref(held[7]);
    held[7] = cn_packet_new(pool, CN_PACKET_MAX);
    assert_non_null(held[7]);
    for (size_t i = 0; i < COUNT_OF(held); i++) cn_packet_unref(held[i]);
    cn_packet_pool_free(pool);
}

/* Each has room for what was asked for, whatever the others hold. */
static void packets_are_as_large_as_asked_for(void **state)
{
    (void)state;
    cn_packet_pool *pool = NULL;
    cn_packet *held[CN_PACKET_MAX + 1];
    assert_ok(cn_packet_pool_new(&pool, 2 * COUNT_OF(held))); /* slabs of each size are not full */
    for (unsigned round = 0; round < 2; round++) {
        for (size_t len = 0; len < COUNT_OF(held); len++) {
            assert_non_null(held[len] = cn_packet_new(pool, len));
            memset(cn_packet_data(held[len]), (int)(len & 0xff), len);
        }
        for (size_t len = 0; len < COUNT_OF(held); len++) {
            for (size_t i = 0; i < len; i++) assert_int_equal(cn_packet_bytes(held[len])[i], len & 0xff);
            cn_packet_unref(held[len]);
        }
    }
    cn_packet_pool_free(pool);
}

static size_t allocated(const cn_packet_pool *pool)
{
    cn_packet_pool_stats stats;
    cn_packet_pool_stats_get(pool, &stats);
    return stats.allocated;
}

static void what_a_peak_took_is_given_back(void **state)
{
    (void)state;
    enum { PEAK = 4000, STEADY = 100 };
    static cn_packet *held[PEAK];
    cn_packet_pool *pool = NULL;
    assert_ok(cn_packet_pool_new(&pool, PEAK));
    for (size_t i = 0; i < PEAK; i++) assert_non_null(held[i] = cn_packet_new(pool, CN_PACKET_MAX));
    for (size_t i = 0; i < 5; i++) cn_packet_pool_trim(pool);
    assert_int_equal(allocated(pool), PEAK);
    for (size_t i = STEADY; i < PEAK; i++) cn_packet_unref(held[PEAK - 1 - (i - STEADY)]);
    cn_packet_pool_trim(pool);
    assert_int_equal(allocated(pool), PEAK); /* not at once */
    for (size_t second = 0; second < 3 * CN_PACKET_IDLE; second++) {
        for (size_t i = 0; i < 500; i++) { /* those who are in keep on */
            cn_packet_unref(held[i % STEADY]);
            assert_non_null(held[i % STEADY] = cn_packet_new(pool, CN_PACKET_MAX));
        }
        cn_packet_pool_trim(pool);
    }
    assert_true(allocated(pool) <= 512);
    size_t level = allocated(pool);
    for (size_t i = STEADY; i < PEAK; i++)
        assert_non_null(held[i] = cn_packet_new(pool, CN_PACKET_MAX)); /* and taken again */
    assert_int_equal(allocated(pool), PEAK);
    assert_true(level < PEAK);
    for (size_t i = 0; i < PEAK; i++) cn_packet_unref(held[i]);
    for (size_t i = 0; i < 3 * CN_PACKET_IDLE; i++) cn_packet_pool_trim(pool);
    assert_int_equal(allocated(pool), 0);
    cn_packet_pool_free(pool);
}

#define CONSUMERS 2
#define PACKETS 50000

static struct {
    cn_packet_pool *pool;
    cn_spsc *queues[CONSUMERS];
    uint64_t sums[CONSUMERS];
} shared;

static void *consume(void *arg)
{
    size_t me = (size_t)(uintptr_t)arg;
    for (size_t got = 0; got < PACKETS;) {
        cn_packet *packet;
        if (!cn_spsc_pop(shared.queues[me], &packet)) {
            sched_yield();
            continue;
        }
        assert_int_equal(cn_packet_bytes(packet)[0], (uint8_t)packet->ext_seq);
        shared.sums[me] += packet->ext_seq;
        cn_packet_unref(packet);
        got++;
    }
    return NULL;
}

/* The owner writes and shares each packet with two other threads; whichever comes last gives it back. */
static void packets_cross_threads_without_a_lock(void **state)
{
    (void)state;
    assert_ok(cn_packet_pool_new(&shared.pool, 256));
    pthread_t threads[CONSUMERS];
    for (size_t i = 0; i < CONSUMERS; i++) assert_ok(cn_spsc_new(&shared.queues[i], 256, sizeof(cn_packet *)));
    for (size_t i = 0; i < CONSUMERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, consume, (void *)(uintptr_t)i), 0);
    uint64_t sum = 0;
    for (uint64_t n = 0; n < PACKETS; n++) {
        cn_packet *packet;
        while (!(packet = cn_packet_new(shared.pool, CN_PACKET_MAX))) sched_yield();
        packet->ext_seq = n;
        cn_packet_data(packet)[0] = (uint8_t)n;
        sum += n;
        for (size_t i = 0; i < CONSUMERS; i++)
            while (cn_packet_ref(packet), !cn_spsc_push(shared.queues[i], &packet)) {
                cn_packet_unref(packet);
                sched_yield();
            }
        cn_packet_unref(packet);
    }
    for (size_t i = 0; i < CONSUMERS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(shared.sums[i], sum);
        cn_spsc_free(shared.queues[i]);
    }
    cn_packet_pool_stats stats;
    cn_packet_pool_stats_get(shared.pool, &stats);
    assert_int_equal(stats.taken, PACKETS);
    cn_packet_pool_free(shared.pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_packet_is_clean_however_often_it_was_used),
        cmocka_unit_test(the_bound_denies_and_counts_and_heals),
        cmocka_unit_test(packets_are_as_large_as_asked_for),
        cmocka_unit_test(what_a_peak_took_is_given_back),
        cmocka_unit_test(packets_cross_threads_without_a_lock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
