#include "cn_test.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    cn_strcpy(folder, sizeof folder, "/tmp/cn_file_XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder); /* fails the test when something was left behind */
}

static void durable_files_replace_whole(void **state)
{
    (void)state;
    char path[128], *text = NULL;
    size_t n = 0;
    cn_fmt(path, sizeof path, "%s/f", folder);
    assert_ok(cn_file_write_durable(path, "one", 3, 0400));
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0400);
    assert_ok(cn_file_write_durable(path, "second", 6, 0640));
    assert_ok(cn_file_read(path, 6, &text, &n));
    assert_int_equal(n, 6);
    assert_string_equal(text, "second");
    free(text);
    text = NULL;
    assert_err(cn_file_read(path, 5, &text, &n), CN_ERR_TOOBIG);
    assert_null(text);
    assert_ok(cn_file_write_durable(path, "", 0, 0600));
    assert_ok(cn_file_read(path, 0, &text, &n));
    assert_int_equal(n, 0);
    assert_string_equal(text, "");
    free(text);
    assert_int_equal(unlink(path), 0);
}

static void failures_leave_nothing_behind(void **state)
{
    (void)state;
    char path[128], *text = NULL;
    size_t n = 0;
    cn_fmt(path, sizeof path, "%s/none/f", folder);
    assert_err(cn_file_write_durable(path, "x", 1, 0600), CN_ERR_NOTFOUND);
    assert_err(cn_file_read(path, 10, &text, &n), CN_ERR_NOTFOUND);
    assert_err(cn_file_write_durable(folder, "x", 1, 0600), CN_ERR_IO); /* a folder cannot be replaced */
    DIR *d = opendir("/tmp");
    const struct dirent *found;
    while ((found = readdir(d)))
        assert_true(strncmp(found->d_name, folder + 5, strlen(folder + 5)) != 0 || !strcmp(found->d_name, folder + 5));
    closedir(d);
}

static void a_full_disk_says_so(void **state)
{
    (void)state;
    FILE *full = fopen("/dev/full", "w");
    assert_non_null(full);
    assert_err(cn_write_all(fileno(full), "x", 1), CN_ERR_NOSPACE);
    fclose(full);
}

static void folders_are_made_with_their_parents(void **state)
{
    (void)state;
    char path[128], file[128];
    cn_fmt(path, sizeof path, "%s/a/b//c/", folder);
    assert_ok(cn_mkdirs(path));
    assert_ok(cn_mkdirs(path));
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_ok(cn_fsync_parent(path));
    assert_ok(cn_fsync_parent("/"));
    assert_ok(cn_fsync_parent("plain"));
    cn_fmt(file, sizeof file, "%s/a/f", folder);
    assert_ok(cn_file_write_durable(file, "", 0, 0600));
    assert_err(cn_mkdirs(file), CN_ERR_CONFLICT);
    assert_err(cn_mkdirs(""), CN_ERR_INVALID);
    static const char *const parts[] = {"a/b/c", "a/b"};
    unlink(file);
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        cn_fmt(path, sizeof path, "%s/%s", folder, parts[i]);
        assert_int_equal(rmdir(path), 0);
    }
    cn_fmt(path, sizeof path, "%s/a", folder);
    assert_int_equal(rmdir(path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(durable_files_replace_whole, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(failures_leave_nothing_behind, make_folder, remove_folder),
        cmocka_unit_test(a_full_disk_says_so),
        cmocka_unit_test_setup_teardown(folders_are_made_with_their_parents, make_folder, remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
