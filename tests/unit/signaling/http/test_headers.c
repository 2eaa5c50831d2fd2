/* Ranges, entity tags, cookies, encodings. */
#include "cn_test.h"

#include <stdio.h>
#include <sys/stat.h>

#include "signaling/http/range.h"
#include "signaling/http/statics.h"
#include "support_db.h"

static void reads_ranges(void **state)
{
    static const struct {
        const char *header;
        int64_t size;
        cn_range expected;
        int64_t from, n;
    } cases[] = {
        {NULL, 10, CN_RANGE_WHOLE, 0, 10},
        {"bytes=0-4", 10, CN_RANGE_PART, 0, 5},
        {"bytes=5-", 10, CN_RANGE_PART, 5, 5},
        {"bytes=5-100", 10, CN_RANGE_PART, 5, 5},
        {"bytes=9-9", 10, CN_RANGE_PART, 9, 1},
        {"bytes=-3", 10, CN_RANGE_PART, 7, 3},
        {"bytes=-30", 10, CN_RANGE_PART, 0, 10},
        {"bytes=10-", 10, CN_RANGE_BAD, 0, 0},
        {"bytes=-0", 10, CN_RANGE_BAD, 0, 0},
        {"bytes=0-", 0, CN_RANGE_BAD, 0, 0},
        {"bytes=4-2", 10, CN_RANGE_WHOLE, 0, 10},
        {"bytes=0-1,3-4", 10, CN_RANGE_WHOLE, 0, 10},
        {"bytes=a-b", 10, CN_RANGE_WHOLE, 0, 10},
        {"bytes=-", 10, CN_RANGE_WHOLE, 0, 10},
        {"bytes=", 10, CN_RANGE_WHOLE, 0, 10},
        {"items=0-1", 10, CN_RANGE_WHOLE, 0, 10},
        {"bytes=99999999999999999999-", 10, CN_RANGE_WHOLE, 0, 10},
        {"bytes=0-99999999999999999999", 10, CN_RANGE_WHOLE, 0, 10},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t from, n;
        cn_range range = cn_range_parse(cases[i].header, cases[i].size, &from, &n);
        if (range != cases[i].expected) fail_msg("%s: %d", cases[i].header, range);
        if (range != CN_RANGE_BAD && (from != cases[i].from || n != cases[i].n))
            fail_msg("%s: %ld+%ld", cases[i].header, (long)from, (long)n);
    }
}

static void finds_entity_tags(void **state)
{
    static const struct {
        const char *header;
        bool expected;
    } cases[] = {{NULL, false},
                 {"", false},
                 {"*", true},
                 {"\"a\"", true},
                 {"W/\"a\"", true},
                 {"\"b\", \"a\"", true},
                 {"\"b\",W/\"a\"", true},
                 {"\"ab\"", false},
                 {"\"a", false},
                 {"a", false},
                 {"\"\"", false}};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        if (cn_etag_listed(cases[i].header, "a") != cases[i].expected) fail_msg("%s", cases[i].header);
}

static void finds_cookies(void **state)
{
    char out[8];
    (void)state;
    assert_string_equal(cn_cookie_find("sid=abc", "sid", out, sizeof out), "abc");
    assert_string_equal(cn_cookie_find("a=1; sid=abc; b=2", "sid", out, sizeof out), "abc");
    assert_string_equal(cn_cookie_find("xsid=1; sid=2", "sid", out, sizeof out), "2");
    assert_null(cn_cookie_find("sid=", "sid", out, sizeof out));
    assert_null(cn_cookie_find("sid=12345678", "sid", out, sizeof out));
    assert_null(cn_cookie_find("side=1", "sid", out, sizeof out));
    assert_null(cn_cookie_find(NULL, "sid", out, sizeof out));
}

static void judges_encodings(void **state)
{
    (void)state;
    assert_true(cn_encoding_accepted("gzip, deflate, br", "br"));
    assert_true(cn_encoding_accepted("BR;q=0.1", "br"));
    assert_true(cn_encoding_accepted("*", "br"));
    assert_true(cn_encoding_accepted("br;q=1.0", "br"));
    assert_false(cn_encoding_accepted("br;q=0", "br"));
    assert_false(cn_encoding_accepted("br;q=0.000, *", "br"));
    assert_false(cn_encoding_accepted("brotli", "br"));
    assert_false(cn_encoding_accepted("", "br"));
    assert_false(cn_encoding_accepted(NULL, "br"));
}

static void put(const char *dir, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void serves_only_what_the_folder_holds(void **state)
{
    char dir[128], assets[160];
    cn_statics *statics = NULL;
    cn_static out;
    (void)state;
    snprintf(dir, sizeof dir, "%s/web", support_dir());
    snprintf(assets, sizeof assets, "%s/assets", dir);
    assert_int_equal(mkdir(dir, 0700) | mkdir(assets, 0700), 0);
    put(dir, "index.html", "page");
    put(dir, ".secret", "hidden");
    put(assets, "a.js", "plain");
    put(assets, "a.js.gz", "packed");
    put(assets, "only.js.br", "packed");
    assert_ok(cn_statics_load(&statics, dir));
    assert_true(cn_statics_find(statics, "/", NULL, NULL, &out));
    assert_false(out.immutable);
    assert_true(cn_statics_find(statics, "/assets/a.js", NULL, "gzip", &out));
    assert_string_equal(out.encoding, "gzip");
    assert_true(out.immutable && out.varies && out.n == 6);
    assert_true(cn_statics_find(statics, "/assets/a.js", NULL, "br", &out));
    assert_null(out.encoding);
    static const char *const absent[] = {"/.secret", "/assets", "/assets/", "/assets/../index.html", "/assets/only.js",
                                         "/api/x",   "/ws",     "/index",   "//index.html",          "/index.html/"};
    for (size_t i = 0; i < COUNT_OF(absent); i++)
        if (cn_statics_find(statics, absent[i], NULL, NULL, &out)) fail_msg("%s", absent[i]);
    assert_true(cn_statics_find(statics, "/requests/1", "text/html,*/*", NULL, &out));
    assert_false(cn_statics_find(statics, "/api/x", "text/html", NULL, &out));
    assert_false(cn_statics_find(statics, "/requests/x.png", "text/html", NULL, &out));
    cn_statics_free(statics);
    assert_err(cn_statics_load(&statics, "/nonexistent/web"), CN_ERR_NOTFOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_ranges),
        cmocka_unit_test(finds_entity_tags),
        cmocka_unit_test(finds_cookies),
        cmocka_unit_test(judges_encodings),
        cmocka_unit_test(serves_only_what_the_folder_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
