#include "cn_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/config.h"
#include "base/file.h"
#include "base/str.h"

static cn_err parse(const char *text, cn_config **out, cn_problem *problem)
{
    *problem = (cn_problem){0};
    return cn_config_parse(out, text, strlen(text), problem);
}

static void an_empty_file_gives_the_defaults(void **state)
{
    (void)state;
    cn_config *config = NULL;
    assert_ok(cn_config_parse(&config, NULL, 0, NULL));
    assert_string_equal(cn_config_str(config, "server", "listen"), "127.0.0.1");
    assert_int_equal(cn_config_int(config, "server", "port"), 8080);
    assert_string_equal(cn_config_str(config, "server", "port"), "8080");
    assert_int_equal(cn_config_int(config, "server", "time_zone_minutes"), 480);
    cn_config_free(config);
    cn_config_free(NULL);
}

static void values_comments_and_blanks(void **state)
{
    (void)state;
    cn_config *config = NULL;
    cn_problem problem;
    assert_ok(parse("\xef\xbb\xbf; a comment\r\n# another\n\n [ server ] \r\n  port\t=  0 \r\nnode = a ; b # c = d\n"
                    "[database]\nurl=host=db user=x password='p=;#'\n[server]\ntls_cert =\nmanagement_port=-1",
                    &config, &problem));
    assert_int_equal(cn_config_int(config, "server", "port"), 0);
    assert_string_equal(cn_config_str(config, "server", "node"), "a ; b # c = d");
    assert_string_equal(cn_config_str(config, "database", "url"), "host=db user=x password='p=;#'");
    assert_string_equal(cn_config_str(config, "server", "tls_cert"), "");
    assert_int_equal(cn_config_int(config, "server", "management_port"), -1);
    cn_config_free(config);
}

static void long_values_stay_whole(void **state)
{
    (void)state;
    cn_buf buf = {0};
    cn_buf_str(&buf, "[database]\nurl = sealed:");
    for (int i = 0; i < 3000; i++) cn_buf_str(&buf, "x");
    cn_config *config = NULL;
    cn_problem problem;
    assert_ok(parse(buf.p, &config, &problem));
    assert_int_equal(strlen(cn_config_str(config, "database", "url")), 3007);
    cn_config_free(config);
    cn_buf_free(&buf);
}

static void what_is_wrong_is_named_with_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        cn_err err;
        const char *field, *says;
    } cases[] = {
        {"[server]\nport = 70000\n", CN_ERR_INVALID, "server.port", "Line 2: must be a whole number from 0 to 65535."},
        {"[server]\nport = 80x\n", CN_ERR_INVALID, "server.port", "Line 2"},
        {"[server]\nport =\n", CN_ERR_INVALID, "server.port", "Line 2"},
        {"\n\n[server]\nprot = 1\n", CN_ERR_INVALID, "server.prot", "Line 4: there is no such key."},
        {"[sever]\n", CN_ERR_INVALID, "sever", "Line 1: there is no such section."},
        {"[]\n", CN_ERR_INVALID, "", "no such section"},
        {"[server\n", CN_ERR_PARSE, "", "Line 1: a section needs"},
        {"[\n", CN_ERR_PARSE, "", "Line 1"},
        {"port = 1\n", CN_ERR_PARSE, "port", "Line 1: a key needs"},
        {"[server]\nport\n", CN_ERR_PARSE, "", "Line 2: expected key = value."},
        {"[server]\n= 1\n", CN_ERR_INVALID, "server.", "no such key"},
        {"[server]\nport=1\n\nport=1\n", CN_ERR_INVALID, "server.port", "Line 4: already set in line 2."},
        {"[server]\nnode = a\x01\n", CN_ERR_PARSE, "", "Line 2 holds a control character."},
        {"[server]\nnode = \xff\n", CN_ERR_PARSE, "", "UTF-8"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        cn_config *config = NULL;
        cn_problem problem;
        assert_err(parse(cases[i].text, &config, &problem), cases[i].err);
        assert_null(config);
        assert_string_equal(problem.field, cases[i].field);
        assert_non_null(strstr(problem.detail, cases[i].says));
    }
    cn_config *config = NULL;
    assert_err(cn_config_parse(&config, "[server]\nport=1\0", 16, NULL), CN_ERR_PARSE);
}

/* The printed reference is a configuration file that says exactly what the defaults say. */
static void the_reference_reads_back(void **state)
{
    (void)state;
    char *text = NULL;
    size_t n = 0;
    FILE *file = open_memstream(&text, &n);
    cn_config_print_reference(file);
    fclose(file);
    cn_config *config = NULL;
    cn_problem problem = {0};
    assert_ok(cn_config_parse(&config, text, n, &problem));
    assert_int_equal(cn_config_int(config, "minutes", "quota"), 360000);
    assert_string_equal(cn_config_str(config, "minutes", "rule"), "aggregate");
    assert_non_null(strstr(text, "# port of /metrics"));
    cn_config_free(config);
    free(text);
}

static void files_are_read(void **state)
{
    (void)state;
    char path[] = "/tmp/cn_config_XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_ok(cn_write_all(fd, "[media]\nworkers = 3\n", 20));
    close(fd);
    cn_config *config = NULL;
    cn_problem problem = {0};
    assert_ok(cn_config_load(&config, path, &problem));
    assert_int_equal(cn_config_int(config, "media", "workers"), 3);
    cn_config_free(config);
    unlink(path);
    assert_err(cn_config_load(&config, path, &problem), CN_ERR_NOTFOUND);
    assert_non_null(strstr(problem.detail, path));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_file_gives_the_defaults), cmocka_unit_test(values_comments_and_blanks),
        cmocka_unit_test(long_values_stay_whole),           cmocka_unit_test(what_is_wrong_is_named_with_its_line),
        cmocka_unit_test(the_reference_reads_back),         cmocka_unit_test(files_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
