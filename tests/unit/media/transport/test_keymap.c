#include "cn_test.h"

#include "media/transport/keymap_impl.h"

static cn_key key(uint64_t number)
{
    return (cn_key){{number, number % 7, 0}};
}

static void entries_are_found_while_it_grows_and_empties(void **state)
{
    (void)state;
    enum { MAX = 5000 };
    static int values[MAX];
    cn_keymap *map = NULL;
    assert_ok(cn_keymap_new(&map, MAX));
    for (uint64_t i = 0; i < MAX; i++) {
        cn_key id_key = key(i);
        assert_null(cn_keymap_get(map, &id_key));
        assert_ok(cn_keymap_set(map, &id_key, &values[i]));
    }
    assert_int_equal(map->count, MAX);
    cn_key more = key(MAX), first = key(0);
    assert_err(cn_keymap_set(map, &more, &values[0]), CN_ERR_FULL);
    assert_ok(cn_keymap_set(map, &first, &values[1])); /* replaces, at the bound too */
    assert_ptr_equal(cn_keymap_get(map, &first), &values[1]);
    for (uint64_t i = 0; i < MAX; i += 2) {
        cn_key id_key = key(i);
        cn_keymap_remove(map, &id_key);
        cn_keymap_remove(map, &id_key);
    }
    for (uint64_t i = 0; i < MAX; i++) {
        cn_key id_key = key(i);
        assert_ptr_equal(cn_keymap_get(map, &id_key), i % 2 ? &values[i] : NULL);
    }
    assert_int_equal(map->count, MAX / 2);
    cn_keymap_free(map);
    cn_keymap_free(NULL);
}

static void those_who_come_and_go_cost_no_memory(void **state)
{
    (void)state;
    int value = 0;
    cn_keymap *map = NULL;
    assert_ok(cn_keymap_new(&map, 32768));
    for (uint64_t i = 0; i < 100000; i++) {
        cn_key id_key = key(i), gone = key(i - 20);
        assert_ok(cn_keymap_set(map, &id_key, &value));
        if (i >= 20) cn_keymap_remove(map, &gone);
    }
    assert_int_equal(map->count, 20);
    assert_true((map->mask + 1) * sizeof *map->buckets <= 4096);
    cn_keymap_free(map);
}

static void what_makes_no_sense_is_refused(void **state)
{
    (void)state;
    cn_keymap *map = NULL;
    cn_key id_key = key(1);
    assert_err(cn_keymap_new(&map, 0), CN_ERR_INVALID);
    assert_ok(cn_keymap_new(&map, 1));
    assert_err(cn_keymap_set(map, &id_key, NULL), CN_ERR_INVALID);
    cn_keymap_free(map);
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
