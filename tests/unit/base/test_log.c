#include "cn_test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"

/* Standard error goes into a pipe between begin and end. */
static int saved_stderr, pipe_fds[2];

static void capture_begin(void)
{
    assert_int_equal(pipe2(pipe_fds, O_NONBLOCK | O_CLOEXEC), 0);
    saved_stderr = dup(STDERR_FILENO);
    dup2(pipe_fds[1], STDERR_FILENO);
}

static size_t capture_end(char *out, size_t size)
{
    dup2(saved_stderr, STDERR_FILENO);
    close(saved_stderr);
    ssize_t n = read(pipe_fds[0], out, size - 1);
    close(pipe_fds[0]);
    close(pipe_fds[1]);
    out[n > 0 ? n : 0] = 0;
    return n > 0 ? (size_t)n : 0;
}

static void a_line_has_time_level_place_and_text(void **state)
{
    (void)state;
    char text[2000];
    capture_begin();
    cn_info("media.ice", "peer %d\x1b[31m left\n\xc2\x9b\x7f", 7);
    capture_end(text, sizeof text);
    assert_memory_equal(text, "20", 2);
    assert_int_equal(text[10], 'T');
    assert_string_equal(text + 24, " info media.ice: peer 7?[31m left????\n");
}

static void a_long_line_is_cut_at_a_whole_character(void **state)
{
    (void)state;
    char long_text[1500], text[2000];
    for (int shift = 0; shift < 3; shift++) {
        size_t n = 0;
        for (int i = 0; i < shift; i++) long_text[n++] = 'a';
        while (n + 4 < sizeof long_text) {
            memcpy(long_text + n, "\xe4\xbc\x9a", 3);
            n += 3;
        }
        long_text[n] = 0;
        capture_begin();
        cn_error("x", "%s", long_text);
        size_t got = capture_end(text, sizeof text);
        assert_in_range(got, 996, 1000);
        assert_true(cn_utf8_valid(text, got));
        assert_int_equal(text[got - 1], '\n');
    }
    memset(long_text, 'w', sizeof long_text - 1); /* even a place that alone is too long */
    long_text[sizeof long_text - 1] = 0;
    capture_begin();
    cn_error(long_text, "%s", long_text);
    assert_int_equal(capture_end(text, sizeof text), 1000);
}

static void levels_filter(void **state)
{
    (void)state;
    char text[500];
    cn_log_level level = CN_LOG_DEBUG;
    assert_int_equal(cn_log_level_parse("warn", &level), 0);
    assert_int_equal(level, CN_LOG_WARN);
    assert_int_equal(cn_log_level_parse("loud", &level), -1);
    assert_int_equal(cn_log_level_parse(NULL, &level), -1);
    cn_log_set_level(CN_LOG_WARN);
    capture_begin();
    cn_debug("x", "a");
    cn_info("x", "b");
    cn_warn("x", "c");
    capture_end(text, sizeof text);
    assert_string_equal(text + 24, " warn x: c\n");
    cn_log_set_level(CN_LOG_INFO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_has_time_level_place_and_text),
        cmocka_unit_test(a_long_line_is_cut_at_a_whole_character),
        cmocka_unit_test(levels_filter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
