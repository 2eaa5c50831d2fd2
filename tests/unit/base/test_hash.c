#include "cn_test.h"

#include "base/hash.h"

/* Vectors of the authors (draft-eastlake-fnv, appendix C). */
static void known_hashes(void **state)
{
    (void)state;
    assert_true(cn_hash("") == 0xcbf29ce484222325u);
    assert_true(cn_hash("a") == 0xaf63dc4c8601ec8cu);
    assert_true(cn_hash("foobar") == 0x85944171f73967e8u);
    assert_true(cn_hash_more(cn_hash("foo"), "bar") == cn_hash("foobar"));
    assert_true(cn_hash("\xff") != cn_hash("\x7f"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(known_hashes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
