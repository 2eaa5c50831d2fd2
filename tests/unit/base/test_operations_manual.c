/* docs/operations.md prints the configuration table: it must be the table that is compiled in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/child.h"
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

/* The unit that the manual prints is the one that is installed, and it gives as little away as was promised. */
static void test_the_unit_is_narrow(void **state)
{
    (void)state;
    char *manual = NULL, *unit = NULL, *judged = NULL;
    char out[] = "/tmp/consilium-unit-XXXXXX";
    int status = -1, fd = mkstemp(out);
    double exposure = 100;
    assert_int_equal(cn_file_read(CN_SOURCE_DIR "/docs/operations.md", 1 << 20, &manual, NULL), CN_OK);
    assert_int_equal(cn_file_read(CN_SOURCE_DIR "/docs/consilium.service", 1 << 20, &unit, NULL), CN_OK);
    assert_non_null(strstr(manual, unit));
    free(manual);
    free(unit);
    assert_true(fd >= 0);
    close(fd);
    const char *const argv[] = {"sh",
                                "-c",
                                "exec systemd-analyze security --offline=true --no-pager \"$0\" >\"$1\"",
                                CN_SOURCE_DIR "/docs/consilium.service",
                                out,
                                NULL};
    assert_int_equal(cn_child_run(argv, NULL, &status), CN_OK);
    assert_int_equal(cn_file_read(out, 1 << 20, &judged, NULL), CN_OK);
    unlink(out);
    const char *said = strstr(judged, "Overall exposure level");
    if (said && (said = strstr(said, ": "))) exposure = strtod(said + 2, NULL);
    free(judged);
    if (exposure > 10) {
        print_message("skipped: no systemd-analyze that judges a file\n");
        skip();
    }
    print_message("exposure %.1f\n", exposure);
    assert_true(exposure <= 2.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_reference_is_current),
                                       cmocka_unit_test(test_the_unit_is_narrow)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
