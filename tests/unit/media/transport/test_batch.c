#include "cn_test.h"

#include <string.h>

#include "base/crypto.h"
#include "media/transport/batch.h"
#include "media/transport/keymap_impl.h"

/* what leaves together: sizes after protection, 'r' marks what cannot be padded */
static void runs_are_found(void **state)
{
    (void)state;
    static const struct {
        uint16_t sizes[8];
        const char *rigid;
        size_t count, run, segment;
    } cases[] = {
        {{1100}, " ", 1, 1, 1100},
        {{1100, 1100, 1100}, "   ", 3, 3, 1100},
        {{1100, 1098, 1099, 1100}, "    ", 4, 4, 1100},
        {{1098, 1100, 1099}, "   ", 3, 3, 1100}, /* the first is padded too */
        {{1100, 1100, 400}, "   ", 3, 3, 1100},  /* a shorter one ends it */
        {{1100, 400, 1100}, "   ", 3, 2, 1100},  /* and nothing comes after */
        {{100, 1100, 1100}, "   ", 3, 1, 100},   /* padding 100 to 1100 would cost more than it saves */
        {{1100, 1100, 1190}, "   ", 3, 2, 1100}, /* 90 is more than a sixteenth */
        {{1100, 1098, 1100}, " r ", 3, 2, 1100}, /* what cannot be padded can only be last */
        {{1098, 1100}, "r ", 2, 1, 1098},
        {{1100, 1100, 1100}, "rrr", 3, 3, 1100},
        {{1100, 1100, 1101}, " r ", 3, 2, 1100},
        {{80, 84, 82}, "   ", 3, 3, 84},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        bool rigid[8];
        for (size_t k = 0; k < 8; k++) rigid[k] = k < strlen(cases[i].rigid) && cases[i].rigid[k] == 'r';
        size_t segment = 0, run = cn_batch_run(cases[i].sizes, rigid, cases[i].count, &segment);
        if (run != cases[i].run || segment != cases[i].segment) print_message("case %zu\n", i);
        assert_int_equal(run, cases[i].run);
        assert_int_equal(segment, cases[i].segment);
    }
}

static void runs_keep_the_kernels_bounds(void **state)
{
    (void)state;
    uint16_t sizes[200];
    bool rigid[200] = {false};
    size_t segment;
    for (size_t i = 0; i < COUNT_OF(sizes); i++) sizes[i] = 200;
    assert_int_equal(cn_batch_run(sizes, rigid, COUNT_OF(sizes), &segment), 64);
    for (size_t i = 0; i < COUNT_OF(sizes); i++) sizes[i] = (uint16_t)(1400 + i);
    size_t run = cn_batch_run(sizes, rigid, COUNT_OF(sizes), &segment);
    assert_true(run > 40 && run * segment <= 65507);
}

/* a map of 300 against a plain array, with keys that come and go */
static void the_map_finds_what_was_set(void **state)
{
    (void)state;
    cn_keymap *map = NULL;
    assert_ok(cn_keymap_new(&map, 300));
    static int objects[1000];
    bool in[1000] = {false};
    size_t count = 0;
    uint32_t random = 7;
    for (unsigned round = 0; round < 200000; round++) {
        random = random * 1664525 + 1013904223;
        size_t i = (random >> 8) % 1000;
        cn_key key = {{i, i * 31, 5}};
        if (round % 7 == 0 || count == 300) {
            cn_keymap_remove(map, &key);
            count -= in[i];
            in[i] = false;
        } else {
            assert_ok(cn_keymap_set(map, &key, &objects[i]));
            count += !in[i];
            in[i] = true;
        }
        assert_int_equal(map->count, count);
        random = random * 1664525 + 1013904223;
        i = (random >> 8) % 1000;
        key = (cn_key){{i, i * 31, 5}};
        assert_ptr_equal(cn_keymap_get(map, &key), in[i] ? &objects[i] : NULL);
    }
    for (size_t i = 0; i < 1000 && map->count < 300; i++) {
        assert_ok(cn_keymap_set(map, &(cn_key){{i, i * 31, 5}}, &objects[i]));
    }
    assert_err(cn_keymap_set(map, &(cn_key){{1, 2, 3}}, &objects[0]), CN_ERR_FULL);
    cn_keymap_free(map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_are_found),
        cmocka_unit_test(runs_keep_the_kernels_bounds),
        cmocka_unit_test(the_map_finds_what_was_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
