/* docs/operations.md prints the configuration table: it must be the table that is compiled in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"
#include "base/file.h"

static void test_reference_is_current(void **state)
{
    (void)state;
    char *manual = NULL, *reference = NULL;
    size_t n = 0;
    FILE *to = open_memstream(&reference, &n);
    cn_config_print_reference(to);
    fclose(to);
    assert_int_equal(cn_file_read(CN_SOURCE_DIR "/docs/operations.md", 1 << 20, &manual, NULL), CN_OK);
    if (!strstr(manual, reference))
        fail_msg("%s", "docs/operations.md: put the output of `consilium --help-config` into its ini block");
    free(manual);
    free(reference);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_reference_is_current)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
