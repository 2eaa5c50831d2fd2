#include "cn_test.h"

#include "media/transport/keymap.h"

static cn_key key(uint64_t i)
{
    return (cn_key){{i, i % 7, 0}};
}

static void entries_are_found_while_it_grows_and_empties(void **state)
{
    (void)state;
    enum { MAX = 5000 };
    static int values[MAX];
    cn_keymap *m = NULL;
    assert_ok(cn_keymap_new(&m, MAX));
    for (uint64_t i = 0; i < MAX; i++) {
        cn_key k = key(i);
        assert_null(cn_keymap_get(m, &k));
        assert_ok(cn_keymap_set(m, &k, &values[i]));
    }
    assert_int_equal(cn_keymap_count(m), MAX);
    cn_key more = key(MAX), first = key(0);
    assert_err(cn_keymap_set(m, &more, &values[0]), CN_ERR_FULL);
    assert_ok(cn_keymap_set(m, &first, &values[1])); /* replaces, at the bound too */
    assert_ptr_equal(cn_keymap_get(m, &first), &values[1]);
    for (uint64_t i = 0; i < MAX; i += 2) {
        cn_key k = key(i);
        cn_keymap_remove(m, &k);
        cn_keymap_remove(m, &k);
    }
    for (uint64_t i = 0; i < MAX; i++) {
        cn_key k = key(i);
        assert_ptr_equal(cn_keymap_get(m, &k), i % 2 ? &values[i] : NULL);
    }
    assert_int_equal(cn_keymap_count(m), MAX / 2);
    cn_keymap_free(m);
    cn_keymap_free(NULL);
}

static void those_who_come_and_go_cost_no_memory(void **state)
{
    (void)state;
    int value = 0;
    cn_keymap *m = NULL;
    assert_ok(cn_keymap_new(&m, 32768));
    for (uint64_t i = 0; i < 100000; i++) {
        cn_key k = key(i), gone = key(i - 20);
        assert_ok(cn_keymap_set(m, &k, &value));
        if (i >= 20) cn_keymap_remove(m, &gone);
    }
    assert_int_equal(cn_keymap_count(m), 20);
    assert_true(cn_keymap_bytes(m) <= 4096);
    cn_keymap_free(m);
}

static void what_makes_no_sense_is_refused(void **state)
{
    (void)state;
    cn_keymap *m = NULL;
    cn_key k = key(1);
    assert_err(cn_keymap_new(&m, 0), CN_ERR_INVALID);
    assert_ok(cn_keymap_new(&m, 1));
    assert_err(cn_keymap_set(m, &k, NULL), CN_ERR_INVALID);
    cn_keymap_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_are_found_while_it_grows_and_empties),
        cmocka_unit_test(those_who_come_and_go_cost_no_memory),
        cmocka_unit_test(what_makes_no_sense_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
