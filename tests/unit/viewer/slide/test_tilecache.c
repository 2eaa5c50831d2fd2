#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/mem.h"
#include "viewer/slide/tilecache.h"

typedef struct maker {
    atomic_int made;
    size_t n;
    cn_err err;
    unsigned sleep_us;
} maker;

static cn_err make(void *arg, void **bytes, size_t *len)
{
    maker *factory = arg;
    atomic_fetch_add(&factory->made, 1);
    if (factory->sleep_us) usleep(factory->sleep_us);
    if (factory->err != CN_OK) return factory->err;
    *bytes = cn_calloc(1, factory->n);
    *len = factory->n;
    return CN_OK;
}

static void get_is_made_once_and_bounded(void **state)
{
    (void)state;
    cn_tilecache *cache = NULL;
    maker factory = {.n = 1000};
    assert_int_equal(cn_tilecache_new(&cache, 10000), CN_OK);
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 5; i++) {
            char key[16];
            cn_tile *tile = NULL;
            snprintf(key, sizeof(key), "k%d", i);
            assert_int_equal(cn_tilecache_get(cache, key, make, &factory, &tile), CN_OK);
            assert_int_equal(tile->n, 1000);
            cn_unref(tile);
        }
    assert_int_equal(factory.made, 5);
    for (int i = 0; i < 100; i++) {
        char key[16];
        cn_tile *tile = NULL;
        snprintf(key, sizeof(key), "more%d", i);
        assert_int_equal(cn_tilecache_get(cache, key, make, &factory, &tile), CN_OK);
        cn_unref(tile);
        cn_tilecache_stats stats;
        cn_tilecache_stats_get(cache, &stats);
        assert_true(stats.bytes <= 10000);
    }
    cn_tile *big = NULL;
    factory.n = 20000;
    assert_int_equal(cn_tilecache_get(cache, "big", make, &factory, &big), CN_OK);
    assert_int_equal(big->n, 20000);
    cn_unref(big);
    cn_tilecache_free(cache);
}

typedef struct asker {
    cn_tilecache *cache;
    maker *maker;
    cn_err err;
} asker;

static void *ask(void *arg)
{
    asker *job = arg;
    cn_tile *tile = NULL;
    job->err = cn_tilecache_get(job->cache, "same", make, job->maker, &tile);
    cn_unref(tile);
    return NULL;
}

static int ask_together(maker *factory, cn_err expected)
{
    cn_tilecache *cache = NULL;
    assert_int_equal(cn_tilecache_new(&cache, 1 << 20), CN_OK);
    pthread_t threads[16];
    asker askers[16];
    for (int i = 0; i < 16; i++) {
        askers[i] = (asker){.cache = cache, .maker = factory};
        assert_int_equal(pthread_create(&threads[i], NULL, ask, &askers[i]), 0);
    }
    for (int i = 0; i < 16; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(askers[i].err, expected);
    }
    cn_tilecache_free(cache);
    return factory->made;
}

static void many_asking_at_once_make_it_once(void **state)
{
    (void)state;
    maker good = {.n = 10, .sleep_us = 100000};
    assert_int_equal(ask_together(&good, CN_OK), 1);
    maker bad = {.err = CN_ERR_CORRUPT, .sleep_us = 100000};
    assert_int_equal(ask_together(&bad, CN_ERR_CORRUPT), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(get_is_made_once_and_bounded),
                                       cmocka_unit_test(many_asking_at_once_make_it_once)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
