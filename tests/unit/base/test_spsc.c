#include "cn_test.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>

#include "base/mem.h"
#include "base/spsc.h"

static bool readable(int fd)
{
    struct pollfd polled = {.fd = fd, .events = POLLIN};
    return poll(&polled, 1, 0) == 1;
}

typedef struct pair {
    uint64_t number, check;
    char more[5];
} pair;

static void a_ring_holds_a_power_of_two(void **state)
{
    (void)state;
    cn_spsc *queue = NULL;
    pair item = {0};
    assert_err(cn_spsc_new(&queue, 0, 8), CN_ERR_INVALID);
    assert_err(cn_spsc_new(&queue, 8, 0), CN_ERR_INVALID);
    assert_err(cn_spsc_new(&queue, SIZE_MAX / 8, SIZE_MAX / 8), CN_ERR_NOMEM);
    assert_ok(cn_spsc_new(&queue, 5, sizeof(pair)));
    assert_false(cn_spsc_pop(queue, &item));
    for (uint64_t round = 0; round < 3; round++) {
        for (uint64_t i = 0; i < 8; i++) assert_true(cn_spsc_push(queue, &(pair){.number = i + round}));
        assert_false(cn_spsc_push(queue, &(pair){0}));
        for (uint64_t i = 0; i < 8; i++) {
            assert_true(cn_spsc_pop(queue, &item));
            assert_int_equal(item.number, i + round);
        }
        assert_false(cn_spsc_pop(queue, &item));
    }
    assert_false(readable(cn_spsc_fd(queue)));
    cn_spsc_wake(queue);
    cn_spsc_wake(queue);
    assert_true(readable(cn_spsc_fd(queue)));
    cn_spsc_drain_wake(queue);
    assert_false(readable(cn_spsc_fd(queue)));
    cn_spsc_wake(queue);
    assert_true(readable(cn_spsc_fd(queue)));
    cn_spsc_free(queue);
    cn_spsc_free(NULL);
}

#define PAIRS 300000

static void *produce_pairs(void *arg)
{
    cn_spsc *queue = arg;
    for (uint64_t i = 0; i < PAIRS; i++) {
        pair item = {.number = i, .check = ~i};
        while (!cn_spsc_push(queue, &item)) {
            cn_spsc_wake(queue);
            sched_yield();
        }
        if (i % 7 == 0) cn_spsc_wake(queue);
    }
    cn_spsc_wake(queue);
    return NULL;
}

static void one_producer_one_consumer_lose_nothing(void **state)
{
    (void)state;
    cn_spsc *queue = NULL;
    assert_ok(cn_spsc_new(&queue, 256, sizeof(pair)));
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, produce_pairs, queue), 0);
    for (uint64_t expected = 0; expected < PAIRS;) {
        struct pollfd polled = {.fd = cn_spsc_fd(queue), .events = POLLIN};
        assert_int_equal(poll(&polled, 1, 10000), 1);
        cn_spsc_drain_wake(queue);
        for (pair item; cn_spsc_pop(queue, &item); expected++) {
            if (item.number != expected || item.check != ~expected) fail_msg("item %zu is torn", (size_t)expected);
        }
    }
    pthread_join(thread, NULL);
    cn_spsc_free(queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ring_holds_a_power_of_two),
        cmocka_unit_test(one_producer_one_consumer_lose_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
