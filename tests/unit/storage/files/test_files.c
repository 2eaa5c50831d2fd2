/* Content-addressed files, resumable parts, names of slides, sniffing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "storage/files/files.h"
#include "support_db.h"

#define SHA_ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" /* FIPS 180-2, "abc" */

static cn_files *open_files(char root[128])
{
    static unsigned serial;
    cn_files *files = NULL;
    snprintf(root, 128, "%s/files%u", support_dir(), ++serial);
    assert_int_equal(cn_files_open(&files, root), CN_OK);
    return files;
}

static void expect_content(const cn_files *files, const char *sha, const char *text)
{
    char path[512];
    CN_AUTO_FREE char *got = NULL;
    struct stat st;
    assert_int_equal(cn_files_path(files, sha, path, sizeof path), CN_OK);
    assert_int_equal(cn_file_read(path, 1 << 20, &got, NULL), CN_OK);
    assert_string_equal(got, text);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0400);
}

/* The bytes as an object, by way of a file of their own. */
static cn_err put(cn_files *files, const void *bytes, size_t len, char sha[65])
{
    char source[256];
    snprintf(source, sizeof source, "%s/put-source", support_dir());
    cn_err err = cn_file_write_durable(source, bytes, len, 0600);
    return err == CN_OK ? cn_files_put_path(files, source, sha) : err;
}

/* As an upload ends: hash, object, and the part goes. */
static cn_err finish(cn_files *files, const char *id, char sha[65], int64_t *size)
{
    cn_err err = cn_part_hash(files, id, sha, size);
    if (err == CN_OK) err = cn_part_publish(files, id, sha, *size);
    return err == CN_OK ? cn_part_remove(files, id) : err;
}

static void test_put(void **state)
{
    (void)state;
    char root[128], sha[65], path[512], source[256];
    cn_files *files = open_files(root);
    assert_int_equal(cn_files_ping(files), CN_OK);
    assert_int_equal(cn_files_path(files, SHA_ABC, path, sizeof path), CN_ERR_NOTFOUND);
    assert_int_equal(put(files, "abc", 3, sha), CN_OK);
    assert_string_equal(sha, SHA_ABC);
    expect_content(files, sha, "abc");
    assert_int_equal(put(files, "abc", 3, sha), CN_OK); /* the same again */
    expect_content(files, sha, "abc");
    snprintf(source, sizeof source, "%s/tmp-source", support_dir());
    assert_int_equal(cn_file_write_durable(source, "hello", 5, 0600), CN_OK);
    assert_int_equal(cn_files_put_path(files, source, sha), CN_OK);
    expect_content(files, sha, "hello");
    assert_int_equal(access(source, F_OK), 0);
    assert_int_equal(cn_files_put_path(files, "/nonexistent", sha), CN_ERR_NOTFOUND);
    assert_int_equal(put(files, "", 0, sha), CN_OK);
    expect_content(files, sha, "");
    static const char *const bad[] = {"",
                                      "../../etc/passwd",
                                      "ABC",
                                      "zz7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
                                      "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD",
                                      SHA_ABC "0"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(cn_files_path(files, bad[i], path, sizeof path), CN_ERR_INVALID);
    /* an object cut short by a broken disk is replaced by the next upload of the same content */
    assert_int_equal(cn_files_path(files, SHA_ABC, path, sizeof path), CN_OK);
    assert_int_equal(truncate(path, 1), 0);
    assert_int_equal(put(files, "abc", 3, sha), CN_OK);
    expect_content(files, sha, "abc");
    cn_files_close(files);
    /* what a crash left is swept after a day, not before */
    char old[256], young[256];
    snprintf(old, sizeof old, "%s/tmp/OLD", root);
    snprintf(young, sizeof young, "%s/tmp/YOUNG", root);
    assert_int_equal(cn_file_write_durable(old, "x", 1, 0600), CN_OK);
    assert_int_equal(cn_file_write_durable(young, "x", 1, 0600), CN_OK);
    time_t then = time(NULL) - 25 * 3600;
    assert_int_equal(utimensat(AT_FDCWD, old, (struct timespec[2]){{.tv_sec = then}, {.tv_sec = then}}, 0), 0);
    assert_int_equal(cn_files_open(&files, root), CN_OK);
    assert_int_equal(access(old, F_OK), -1);
    assert_int_equal(access(young, F_OK), 0);
    cn_files_close(files);
}

static void test_relative_root(void **state)
{
    (void)state;
    char here[512], path[512], sha[65];
    cn_files *files = NULL;
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(chdir(support_dir()), 0);
    assert_int_equal(cn_files_open(&files, "relative/files"), CN_OK);
    assert_int_equal(put(files, "abc", 3, sha), CN_OK);
    assert_int_equal(cn_files_path(files, sha, path, sizeof path), CN_OK);
    assert_int_equal(path[0], '/'); /* it is handed to other processes, which stand elsewhere */
    assert_int_equal(chdir("/"), 0);
    expect_content(files, sha, "abc");
    cn_files_close(files);
    assert_int_equal(chdir(here), 0);
}

static void test_parts_resume(void **state)
{
    (void)state;
    char root[128], sha[65];
    int64_t n = -1;
    cn_files *files = open_files(root);
    assert_int_equal(cn_part_create(files, "up1"), CN_OK);
    assert_int_equal(cn_part_create(files, "up1"), CN_ERR_CONFLICT);
    assert_int_equal(cn_part_append(files, "up1", 0, "hel", 3), CN_OK);
    assert_int_equal(cn_part_sync(files, "up1"), CN_OK);
    cn_files_close(files); /* a new process goes on */
    assert_int_equal(cn_files_open(&files, root), CN_OK);
    assert_int_equal(cn_part_length(files, "up1", &n), CN_OK);
    assert_int_equal(n, 3);
    assert_int_equal(cn_part_append(files, "up1", 0, "xxx", 3), CN_ERR_CONFLICT);
    assert_int_equal(cn_part_append(files, "up1", 4, "xxx", 3), CN_ERR_CONFLICT);
    assert_int_equal(cn_part_append(files, "up1", 3, "lo", 2), CN_OK);
    assert_int_equal(finish(files, "up1", sha, &n), CN_OK);
    assert_int_equal(n, 5);
    assert_string_equal(sha, "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
    expect_content(files, sha, "hello");
    assert_int_equal(cn_part_length(files, "up1", &n), CN_ERR_NOTFOUND);
    assert_int_equal(finish(files, "up1", sha, &n), CN_ERR_NOTFOUND);
    /* the same content once more */
    assert_int_equal(cn_part_create(files, "up2"), CN_OK);
    assert_int_equal(cn_part_append(files, "up2", 0, "hello", 5), CN_OK);
    assert_int_equal(finish(files, "up2", sha, &n), CN_OK);
    expect_content(files, sha, "hello");
    assert_int_equal(cn_part_create(files, "up3"), CN_OK);
    assert_int_equal(cn_part_remove(files, "up3"), CN_OK);
    assert_int_equal(cn_part_remove(files, "up3"), CN_ERR_NOTFOUND);
    assert_int_equal(cn_part_append(files, "up3", 0, "x", 1), CN_ERR_NOTFOUND);
    static const char *const bad[] = {"", "../x", "a/b", "a.b",
                                      "0123456789012345678901234567890123456789012345678901234567890123456789"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(cn_part_create(files, bad[i]), CN_ERR_INVALID);
    cn_files_close(files);
}

/* The child appends and reports; after SIGKILL what was synced and reported is there. */
static void append_until_killed(cn_files *files, int to)
{
    for (int64_t at = 0;; at += 1000) {
        char block[1000];
        memset(block, 'a' + (int)(at / 1000 % 26), sizeof block);
        if (cn_part_append(files, "kill", at, block, sizeof block) != CN_OK || cn_part_sync(files, "kill") != CN_OK)
            _exit(1);
        int64_t done = at + 1000;
        if (write(to, &done, sizeof done) != sizeof done) _exit(2);
    }
}

static void test_kill_keeps_parts(void **state)
{
    (void)state;
    char root[128];
    int pipe_fd[2], status = 0;
    int64_t done = 0, last = 0, length = 0;
    cn_files *files = open_files(root);
    assert_int_equal(cn_part_create(files, "kill"), CN_OK);
    assert_int_equal(pipe(pipe_fd), 0);
    pid_t pid = fork();
    if (pid == 0) append_until_killed(files, pipe_fd[1]);
    close(pipe_fd[1]);
    while (read(pipe_fd[0], &done, sizeof done) == sizeof done) {
        last = done;
        if (done == 30000) kill(pid, SIGKILL);
    }
    close(pipe_fd[0]);
    waitpid(pid, &status, 0);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(cn_part_length(files, "kill", &length), CN_OK);
    assert_true(length >= last && last >= 30000);
    assert_int_equal(cn_part_append(files, "kill", length, "end", 3), CN_OK);
    cn_files_close(files);
}

static void test_file_size_limit(void **state)
{
    (void)state;
    char root[128];
    int64_t n = 0;
    struct rlimit old, now;
    cn_files *files = open_files(root);
    char *block = cn_calloc(1, 100000);
    assert_int_equal(cn_part_create(files, "big"), CN_OK);
    assert_int_equal(cn_part_append(files, "big", 0, block, 50000), CN_OK);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    now = (struct rlimit){.rlim_cur = 60000, .rlim_max = old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &now), 0);
    cn_err err = cn_part_append(files, "big", 50000, block, 100000);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(err, CN_ERR_NOSPACE);
    assert_int_equal(cn_part_length(files, "big", &n), CN_OK);
    assert_int_equal(n, 50000); /* nothing half-written */
    assert_int_equal(cn_part_append(files, "big", 50000, block, 100000), CN_OK);
    free(block);
    cn_files_close(files);
}

/* In a mount namespace of its own, with a file system of 70 MiB: refused at 64 MiB left, ready again after room was
 * made. */
static int on_small_disk(void)
{
    cn_files *files = NULL;
    char root[128], sha[65];
    int64_t n = 0;
    if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) return 77;
    snprintf(root, sizeof root, "%s/small", support_dir());
    mkdir(root, 0700);
    if (mount("tmpfs", root, "tmpfs", 0, "size=70m") < 0) return 77;
    char *block = cn_calloc(1, 4 << 20);
    if (cn_files_open(&files, root) != CN_OK || cn_part_create(files, "a") != CN_OK) return 1;
    if (cn_part_append(files, "a", 0, block, 4 << 20) != CN_OK) return 2;
    if (cn_part_append(files, "a", 4 << 20, block, 4 << 20) != CN_OK) return 3;
    if (cn_files_ping(files) != CN_ERR_NOSPACE) return 4;
    if (cn_part_append(files, "a", 8 << 20, block, 1) != CN_ERR_NOSPACE || put(files, "x", 1, sha) != CN_ERR_NOSPACE)
        return 5;
    if (cn_part_length(files, "a", &n) != CN_OK || n != 8 << 20) return 6;
    if (cn_part_remove(files, "a") != CN_OK || cn_files_ping(files) != CN_OK) return 7;
    /* full within one write: cut back to where it was */
    if (cn_part_create(files, "b") != CN_OK || cn_part_append(files, "b", 0, block, 100) != CN_OK) return 8;
    char *huge = cn_calloc(1, 80 << 20);
    if (cn_part_append(files, "b", 100, huge, 80 << 20) != CN_ERR_NOSPACE) return 9;
    if (cn_part_length(files, "b", &n) != CN_OK || n != 100) return 10;
    if (put(files, huge, 80 << 20, sha) != CN_ERR_NOSPACE || cn_files_ping(files) != CN_OK) return 11;
    free(block);
    free(huge);
    cn_files_close(files);
    return 0;
}

static void test_full_disk(void **state)
{
    (void)state;
    int status = 0;
    (void)support_dir();
    pid_t pid = fork();
    if (pid == 0) _exit(on_small_disk());
    waitpid(pid, &status, 0);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77) skip(); /* not permitted to mount */
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_named_links(void **state)
{
    (void)state;
    char root[128], sha[65], other[65], path[512], again[512];
    cn_files *files = open_files(root);
    assert_int_equal(put(files, "abc", 3, sha), CN_OK);
    assert_int_equal(put(files, "def", 3, other), CN_OK);
    static const struct {
        const char *name, *end;
    } good[] = {{"slide.svs", "/slides/S1/slide.svs"},
                {"病理 切片(1).svs", "/slides/S1/病理 切片(1).svs"},
                {"CMU-1/Slidedat.ini", "/slides/S1/CMU-1/Slidedat.ini"},
                {"C:\\fake\\x.ndpi", "/slides/S1/C_/fake/x.ndpi"},
                {"/abs/y.tif", "/slides/S1/abs/y.tif"},
                {".hidden", "/slides/S1/_hidden"},
                {"-rf", "/slides/S1/_rf"},
                {"a\nb\x7f*.tif", "/slides/S1/a_b__.tif"},
                {"./z.tif", "/slides/S1/z.tif"}};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_int_equal(cn_files_link_named(files, "S1", good[i].name, sha, path, sizeof path), CN_OK);
        assert_string_equal(path + strlen(root), good[i].end);
        assert_int_equal(access(path, R_OK), 0);
    }
    static const char *const bad[] = {"",  "..", "../x",      "a/../../x",        "a\\..\\b",
                                      "/", ".",  "x\xff.tif", "1/2/3/4/5/6/7/8/9"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(cn_files_link_named(files, "S1", bad[i], sha, path, sizeof path), CN_ERR_INVALID);
    assert_int_equal(cn_files_link_named(files, "../S", "x", sha, path, sizeof path), CN_ERR_INVALID);
    assert_int_equal(cn_files_link_named(files, "S1", "slide.svs", sha, again, sizeof again),
                     CN_OK); /* once more: the same */
    assert_int_equal(cn_files_link_named(files, "S1", "slide.svs", other, again, sizeof again), CN_ERR_CONFLICT);
    assert_int_equal(cn_files_link_named(files, "S1", "q", SHA_ABC "0", again, sizeof again), CN_ERR_INVALID);
    assert_int_equal(cn_files_unlink_beside(files, "S1", "levels.tif"), CN_OK); /* there is none */
    assert_int_equal(cn_files_link_named(files, "S1", "levels.tif", sha, again, sizeof again), CN_OK);
    assert_int_equal(cn_files_unlink_beside(files, "S1", "levels.tif"), CN_OK);
    assert_int_equal(access(again, F_OK), -1);
    assert_int_equal(cn_files_unlink_beside(files, "S1", "../S1/slide.svs"), CN_ERR_INVALID);
    assert_int_equal(cn_files_unlink_beside(files, "..", "S1"), CN_ERR_INVALID);
    char longest[700];
    for (size_t i = 0; i < 200; i++) memcpy(longest + 3 * i, "切", 3);
    memcpy(longest + 600, ".svs", 5);
    assert_int_equal(cn_files_link_named(files, "S1", longest, sha, path, sizeof path), CN_OK);
    assert_in_range(strlen(strrchr(path, '/')), 190, 201);
    assert_string_equal(path + strlen(path) - 4, ".svs");
    assert_true(cn_utf8_valid(path, strlen(path)));
    cn_files_close(files);
}

static void test_sniff(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
        const char *type;
    } cases[] = {
#define C(s, type) {s, sizeof s - 1, type}
        C("%PDF-1.7\n%\xe2\xe3", "application/pdf"),
        C("\n\n junk %PDF-1.4", "application/pdf"),
        C("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "image/png"),
        C("\xff\xd8\xff\xe0\0\x10JFIF", "image/jpeg"),
        C("GIF89a\1\0\1\0", "image/gif"),
        C("RIFF\x24\0\0\0WEBPVP8 ", "image/webp"),
        C("RIFF\x24\0\0\0WAVEfmt ", NULL),
        C("II*\0\x08\0\0\0", "image/tiff"),
        C("MM\0*\0\0\0\x08", "image/tiff"),
        C("II+\0\x08\0\0\0", "image/tiff"),
        C("BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0", "image/bmp"),
        C("BMW is a car, not a bitmap", "text/plain"),
        C("\0\0\0\x18"
          "ftypmp42\0\0\0\0isom",
          "video/mp4"),
        C("\0\0\0\x18"
          "ftypheic\0\0\0\0mif1",
          NULL),
        C("PK\3\4\x14\0\0\0\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x13\0\0\0[Content_Types].xml...."
          "PK\3\4\x14\0\0\0\x08\0\0\0\0\0\0\0\0\0\0\0"
          "\0\0\0\0\0\0\x11\0\0\0word/document.xml",
          "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        C("PK\3\4\x14\0\0\0\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x0f\0\0\0xl/workbook.xml",
          "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        C("PK\3\4\x14\0\0\0\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x14\0\0\0ppt/presentation.xml",
          "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
        C("PK\3\4\x14\0\0\0\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x05\0\0\0a.txt", "application/zip"),
        C("PK\3\4", "application/zip"),
        C("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1....W\0o\0r\0d\0D\0o\0c\0u\0m\0e\0n\0t\0\0\0", "application/msword"),
        C("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1....W\0o\0r\0k\0b\0o\0o\0k\0\0\0", "application/vnd.ms-excel"),
        C("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1....P\0o\0w\0e\0r\0P\0o\0i\0n\0t\0 \0D\0o\0c\0u\0m\0e\0n\0t\0\0\0",
          "application/vnd.ms-powerpoint"),
        C("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1....", "application/x-ole-storage"),
        C("病人自述头痛三天。\r\n", "text/plain"),
        C("\xef\xbb\xbfwith a BOM", "text/plain"),
        C("cut in a char\xe7\x97", "text/plain"),
        C("broken \xe7 inside", NULL),
        C("\x7f"
          "ELF\2\1\1\0",
          NULL),
        C("MZ\x90\0\3\0", NULL),
        C("esc \x1b[31m", NULL),
        C("", NULL),
        C("\xff", NULL),
#undef C
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *exact = malloc(cases[i].n + 1); /* so that a sanitizer sees reading past the end */
        exact = realloc(exact, cases[i].n ? cases[i].n : 1);
        memcpy(exact, cases[i].bytes, cases[i].n);
        const char *type = cn_files_sniff(exact, cases[i].n);
        if ((type == NULL) != (cases[i].type == NULL) || (type && strcmp(type, cases[i].type) != 0))
            fail_msg("case %zu: %s", i, type ? type : "NULL");
        free(exact);
    }
    char dicom[200] = "II*";
    memcpy(dicom + 128, "DICM", 4);
    assert_string_equal(cn_files_sniff(dicom, sizeof dicom), "application/dicom");
    assert_string_equal(cn_files_sniff(dicom, 131), "image/tiff");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_put),          cmocka_unit_test(test_relative_root),
        cmocka_unit_test(test_parts_resume), cmocka_unit_test(test_kill_keeps_parts),
        cmocka_unit_test(test_full_disk),    cmocka_unit_test(test_file_size_limit),
        cmocka_unit_test(test_named_links),  cmocka_unit_test(test_sniff),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
