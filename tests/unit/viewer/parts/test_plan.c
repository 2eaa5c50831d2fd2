/* Names of archives, scanners' key files, and which entries are a slide. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "viewer/parts/keys.h"
#include "viewer/parts/names.h"
#include "viewer/parts/plan.h"

/* ---- names ---- */

static void test_names(void **state)
{
    static const struct {
        const char *bytes;
        cn_name_kind kind;
        const char *path;
    } rows[] = {
        {"a.svs", CN_NAME_FILE, "a.svs"},
        {"a/b/c.dat", CN_NAME_FILE, "a/b/c.dat"},
        {"./a//b/./c", CN_NAME_FILE, "a/b/c"},
        {"a\\b.dat", CN_NAME_FILE, "a/b.dat"},
        {"a/", CN_NAME_FOLDER, "a"},
        {"a/.", CN_NAME_FOLDER, "a"},
        {"\xe5\x88\x87\xe7\x89\x87.mrxs", CN_NAME_FILE, "\xe5\x88\x87\xe7\x89\x87.mrxs"},
        {"\xc7\xd0\xc6\xac.mrxs", CN_NAME_FILE, "\xe5\x88\x87\xe7\x89\x87.mrxs"},
        /* 0x5C, the backslash, is the second byte of this character, and no border of folders */
        {"\x95\x5c.svs", CN_NAME_FILE, "\xe6\x98\x9e.svs"},
        {"\x81\x30\x86\x35.svs", CN_NAME_FILE, "\xc2\xbd.svs"}, /* four bytes: not in GBK */
        {"..", CN_NAME_OUTSIDE, NULL},
        {"../a", CN_NAME_OUTSIDE, NULL},
        {"a/../../b", CN_NAME_OUTSIDE, NULL},
        {"a\\..\\b", CN_NAME_OUTSIDE, NULL},
        {"/etc/passwd", CN_NAME_OUTSIDE, NULL},
        {"\\\\server\\share", CN_NAME_OUTSIDE, NULL},
        {"C:\\a.svs", CN_NAME_OUTSIDE, NULL},
        {"c:a.svs", CN_NAME_OUTSIDE, NULL},
        {"..a", CN_NAME_FILE, "..a"},
        {"", CN_NAME_BAD, NULL},
        {".", CN_NAME_BAD, NULL},
        {"a\nb", CN_NAME_BAD, NULL},
        {"\xff\xff", CN_NAME_BAD, NULL},
        {"\xc7", CN_NAME_BAD, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char path[CN_NAME_BYTES];
        cn_name_kind kind = cn_name_read(rows[i].bytes, strlen(rows[i].bytes), path);
        if (kind != rows[i].kind) fail_msg("row %zu: %d", i, (int)kind);
        if (rows[i].path) assert_string_equal(path, rows[i].path);
    }
}

static void test_long_names(void **state)
{
    char bytes[CN_NAME_BYTES + 1], path[CN_NAME_BYTES];
    (void)state;
    memset(bytes, 'a', sizeof(bytes));
    assert_int_equal(cn_name_read(bytes, 255, path), CN_NAME_FILE);
    assert_int_equal(cn_name_read(bytes, 256, path), CN_NAME_BAD);
    assert_int_equal(cn_name_read("a\0b", 3, path), CN_NAME_BAD);
    for (size_t i = 100; i < sizeof(bytes); i += 100) bytes[i] = '/';
    assert_int_equal(cn_name_read(bytes, CN_NAME_BYTES - 1, path), CN_NAME_FILE);
    assert_int_equal(cn_name_read(bytes, CN_NAME_BYTES, path), CN_NAME_BAD);
}

static void test_key_files(void **state)
{
    static const char text[] = "\xef\xbb\xbfno section=1\r\n; c\n[ A ]\r\n x = 1 = 2 \r\n[B\nplain\n[C]=\ny=";
    static const char *const expected[][3] = {{"", "no section", "1"}, {"A", "x", "1 = 2"}, {"C", "y", ""}};
    cn_keys keys;
    cn_keys_line line;
    (void)state;
    cn_keys_begin(&keys, text, sizeof(text) - 1);
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        assert_true(cn_keys_next(&keys, &line));
        assert_true(cn_keys_is(line.section, expected[i][0]));
        assert_true(cn_keys_is(line.key, expected[i][1]));
        assert_true(cn_keys_is(line.value, expected[i][2]));
    }
    assert_false(cn_keys_next(&keys, &line));
}

/* ---- plans ---- */

#define INI                                                                                                    \
    "[HIERARCHICAL]\r\nINDEXFILE = Index.dat\r\nHIER_0_NAME = Slide zoom level\r\n[DATAFILE]\r\nFILE_COUNT = " \
    "2\r\nFILE_0 = Data0000.dat\r\nFILE_1 = Data0001.dat\r\n"
#define VMS                                                                                            \
    "[Virtual Microscope Specimen]\nImageFile=s 1.jpg\nImageFile(1,0)=s(1,0).jpg\nMapFile=s_map.jpg\n" \
    "OptimisationFile=s.opt\nMacroImage=s_macro.jpg\nAuthCode=1\n"

typedef struct row {
    const char *names[10];
    const char *keys;
    cn_zip_refusal refusal;
    const char *to[10]; /* as the names stand; NULL: left out */
} row;

static const row rows[] = {
    {{"x/n.mrxs", "x/n/Slidedat.ini", "x/n/Index.dat", "x/n/Data0000.dat", "x/n/DATA0001.DAT", "x/n/log.txt",
      "x/a.svs"},
     INI,
     CN_ZIP_FINE,
     {"slide.mrxs", "slide/Slidedat.ini", "slide/Index.dat", "slide/Data0000.dat", "slide/Data0001.dat"}},
    {{"n.MRXS", "N/slidedat.INI", "N/Index.dat", "N/Data0000.dat", "N/Data0001.dat", "__MACOSX/._n.MRXS", ".DS_Store"},
     INI,
     CN_ZIP_FINE,
     {"slide.mrxs", "slide/Slidedat.ini", "slide/Index.dat", "slide/Data0000.dat", "slide/Data0001.dat"}},
    {{"n.mrxs", "n/Slidedat.ini", "n/Index.dat", "n/Data0000.dat"}, INI, CN_ZIP_LACKS, {NULL}},
    {{"n.mrxs", "m/Slidedat.ini", "m/Index.dat"}, INI, CN_ZIP_NO_FOLDER, {NULL}},
    {{"n/Slidedat.ini", "n/Index.dat"}, INI, CN_ZIP_NO_MRXS, {NULL}},
    {{"d/s.vms", "d/s 1.jpg", "d/s(1,0).jpg", "d/S_MAP.jpg", "d/s.opt", "d/other.jpg", "s_macro.jpg"},
     VMS,
     CN_ZIP_FINE,
     {"slide.vms", "s 1.jpg", "s(1,0).jpg", "s_map.jpg", "s.opt"}},
    {{"d/s.vms", "d/s 1.jpg", "d/s_map.jpg"}, VMS, CN_ZIP_LACKS, {NULL}},
    {{"s.vmu", "a.ngr", "b.ngr"},
     "[U]\nImageFile=a.ngr\nMapFile=b.ngr\n",
     CN_ZIP_FINE,
     {"slide.vmu", "a.ngr", "b.ngr"}},
    /* no part goes where the main file is, or out of the folder */
    {{"s.vms", "slide.vms.jpg", "m.jpg"}, "[V]\nImageFile=slide.vms.jpg\nMapFile=m.jpg\n", CN_ZIP_LACKS, {NULL}},
    {{"d/s.vms", "m.jpg"}, "[V]\nImageFile=../m.jpg\nMapFile=..\\m.jpg\n", CN_ZIP_LACKS, {NULL}},
    {{"s.vms", "m.jpg"}, "[V]\nImageFile=m.jpg\nMapFile=m.jpg\n", CN_ZIP_FINE, {"slide.vms", "m.jpg"}},
    /* the archive in GB 18030 and the key file in UTF-8, the other way round, parts under the name that the slide says */
    {{"s.vms", "\xc7\xd0.jpg", "\xe5\x88\x87_m.jpg"},
     "[V]\nImageFile=\xe5\x88\x87.jpg\nMapFile=\xc7\xd0_m.jpg\n",
     CN_ZIP_FINE,
     {"slide.vms", "\xe5\x88\x87.jpg", "\xc7\xd0_m.jpg"}},
    {{"\xe5\xbc\xa0\xe4\xb8\x89/x.SVS", "x.txt"}, NULL, CN_ZIP_FINE, {"slide.svs"}},
    {{"a.svs", "b.ndpi"}, NULL, CN_ZIP_SEVERAL, {NULL}},
    {{"a.mrxs", "b.vms"}, NULL, CN_ZIP_SEVERAL, {NULL}},
    {{"a.txt", "svs", "a.svs/b"}, NULL, CN_ZIP_NO_SLIDE, {NULL}},
    {{NULL}, NULL, CN_ZIP_NO_SLIDE, {NULL}},
    {{"a.svs", "d/../a.svs"}, NULL, CN_ZIP_OUTSIDE, {NULL}},
    {{"a.svs", "./A.svs"}, NULL, CN_ZIP_TWICE, {NULL}},
    {{"a.svs", "\xff"}, NULL, CN_ZIP_NAME, {NULL}},
};

static cn_err plan_of(cn_parts *plan, const row *it, cn_zip_refusal *refusal)
{
    cn_err err = CN_OK;
    for (size_t i = 0; err == CN_OK && it->names[i]; i++)
        err = cn_parts_add(plan, it->names[i], strlen(it->names[i]), false, 100, refusal);
    if (err == CN_OK) err = cn_parts_find(plan, refusal);
    if (err == CN_OK && it->keys) {
        assert_true(cn_parts_keys(plan) >= 0);
        err = cn_parts_take(plan, it->keys, strlen(it->keys), refusal);
    }
    return err;
}

static void test_plans(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cn_parts *plan = NULL;
        cn_zip_refusal refusal = CN_ZIP_FINE;
        int64_t bytes = 0;
        assert_int_equal(cn_parts_new(&plan), CN_OK);
        cn_err err = plan_of(plan, &rows[i], &refusal);
        if (refusal != rows[i].refusal) fail_msg("row %zu: \"%s\"", i, cn_zip_word(refusal));
        assert_int_equal(err, refusal == CN_ZIP_FINE ? CN_OK : CN_ERR_INVALID);
        for (size_t k = 0; err == CN_OK && k < cn_parts_count(plan); k++) {
            const char *to = cn_parts_to(plan, k);
            if (!rows[i].to[k] != !to || (to && strcmp(to, rows[i].to[k]) != 0)) fail_msg("row %zu, entry %zu", i, k);
            bytes += to ? 100 : 0;
        }
        if (err == CN_OK) assert_int_equal(cn_parts_bytes(plan), bytes);
        cn_parts_free(plan);
    }
}

static void test_too_many(void **state)
{
    cn_parts *plan = NULL;
    cn_zip_refusal refusal = CN_ZIP_FINE;
    char name[32];
    (void)state;
    assert_int_equal(cn_parts_new(&plan), CN_OK);
    for (size_t i = 0; i < CN_PLAN_ENTRIES; i++) {
        snprintf(name, sizeof(name), "d/%zu.dat", i);
        assert_int_equal(cn_parts_add(plan, name, strlen(name), false, 1, &refusal), CN_OK);
    }
    assert_int_equal(cn_parts_add(plan, "a.svs", 5, false, 1, &refusal), CN_ERR_INVALID);
    assert_int_equal(refusal, CN_ZIP_MANY);
    cn_parts_free(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names), cmocka_unit_test(test_long_names), cmocka_unit_test(test_key_files),
        cmocka_unit_test(test_plans), cmocka_unit_test(test_too_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
