#include "cn_test.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

static void sizes_are_checked_and_memory_is_zeroed(void **state)
{
    (void)state;
    assert_null(cn_calloc(SIZE_MAX / 2, 3));
    CN_AUTO_FREE unsigned char *p = cn_calloc(4, 8);
    assert_non_null(p);
    for (int i = 0; i < 32; i++) assert_int_equal(p[i], 0);
    CN_AUTO_FREE void *none = cn_calloc(0, 8);
    assert_non_null(none);
}

static void copies_of_nothing_are_nothing(void **state)
{
    (void)state;
    assert_null(cn_strdup(NULL));
    assert_null(cn_strndup(NULL, 3));
    assert_null(cn_memdup(NULL, 3));
    CN_AUTO_FREE char *a = cn_strdup("abc"), *b = NULL, *c = NULL;
    b = cn_strndup("abcdef", 2);
    c = cn_strndup("ab", 100);
    assert_string_equal(a, "abc");
    assert_string_equal(b, "ab");
    assert_string_equal(c, "ab");
}

typedef struct thing {
    int *destroyed;
    char text[5];
} thing;

static void thing_destroy(void *object)
{
    thing *json = object;
    if (json->destroyed) ++*json->destroyed;
}

static void the_last_reference_destroys_once(void **state)
{
    (void)state;
    int destroyed = 0;
    thing *object = cn_ref_new(sizeof *object, thing_destroy);
    assert_non_null(object);
    assert_int_equal((uintptr_t)object % 16, 0);
    object->destroyed = &destroyed;
    assert_ptr_equal(cn_ref(object), object);
    assert_null(cn_unref(object));
    assert_int_equal(destroyed, 0);
    assert_null(cn_unref(object));
    assert_int_equal(destroyed, 1);
    assert_null(cn_ref(NULL));
    assert_null(cn_unref(NULL));
    assert_null(cn_ref_new(SIZE_MAX - 4, NULL));
    cn_unref(cn_ref_new(3, NULL));
}

static void *refs_and_unrefs(void *object)
{
    for (int i = 0; i < 10000; i++) cn_unref(cn_ref(object));
    return cn_unref(object);
}

static void references_count_across_threads(void **state)
{
    (void)state;
    int destroyed = 0;
    thing *object = cn_ref_new(sizeof *object, thing_destroy);
    object->destroyed = &destroyed;
    pthread_t threads[4];
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, refs_and_unrefs, cn_ref(object)), 0);
    for (size_t i = 0; i < COUNT_OF(threads); i++) pthread_join(threads[i], NULL);
    assert_int_equal(destroyed, 0);
    cn_unref(object);
    assert_int_equal(destroyed, 1);
}

static void descriptors_close_at_the_end_of_their_scope(void **state)
{
    (void)state;
    int seen = -1;
    {
        CN_AUTO_CLOSE int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
        assert_true(fd >= 0);
        seen = fd;
    }
    assert_int_equal(fcntl(seen, F_GETFD), -1);
    int fd = -1;
    cn_fd_close(&fd);
    cn_fd_close(NULL);
    assert_int_equal(fd, -1);
}

static void an_ebb_is_told_once(void **state)
{
    (void)state;
    size_t peak = 0;
    assert_false(cn_mem_ebb(&peak, 0));
    assert_false(cn_mem_ebb(&peak, 230));
    assert_false(cn_mem_ebb(&peak, 120));
    assert_true(cn_mem_ebb(&peak, 115));
    assert_false(cn_mem_ebb(&peak, 115));
    assert_true(cn_mem_ebb(&peak, 3));
    assert_false(cn_mem_ebb(&peak, 0));
    assert_false(cn_mem_ebb(&peak, 15));
    assert_false(cn_mem_ebb(&peak, 0)); /* rooms of a few come and go all day */
    assert_false(cn_mem_ebb(&peak, 16));
    assert_true(cn_mem_ebb(&peak, 0));
}

static size_t resident(void)
{
    size_t pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%*u %zu", &pages), 1);
    fclose(file);
    return pages * 4096;
}

static void what_is_free_goes_back_to_the_system(void **state)
{
    (void)state;
    enum { N = 5000, SIZE = 4000 };
    static char *held[N];
    for (size_t i = 0; i < N; i++) {
        held[i] = malloc(SIZE);
        assert_non_null(held[i]);
        memset(held[i], 1, SIZE);
    }
    for (size_t i = 0; i < N - 1; i++) free(held[i]); /* the last one keeps the heap from shrinking by itself */
    size_t before = resident();
    cn_mem_trim();
#if !defined __SANITIZE_ADDRESS__ && !defined __SANITIZE_THREAD__ /* these have allocators of their own */
    assert_true(before > resident() + N * SIZE / 2);
#else
    (void)before;
#endif
    free(held[N - 1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_checked_and_memory_is_zeroed),
        cmocka_unit_test(copies_of_nothing_are_nothing),
        cmocka_unit_test(the_last_reference_destroys_once),
        cmocka_unit_test(references_count_across_threads),
        cmocka_unit_test(an_ebb_is_told_once),
        cmocka_unit_test(what_is_free_goes_back_to_the_system),
        cmocka_unit_test(descriptors_close_at_the_end_of_their_scope),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
