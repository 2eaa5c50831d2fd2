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

static void test_parts_become_objects_together(void **state)
{
    (void)state;
    static const char *const texts[] = {"one", "two", "one", "three"}; /* the same bytes twice are one object */
    enum { COUNT = 4 };
    char root[128], path[512];
    cn_part list[COUNT + 1];
    cn_files *files = open_files(root);
    for (size_t i = 0; i < COUNT; i++) {
        snprintf(list[i].id, sizeof list[i].id, "part%zu", i);
        assert_int_equal(cn_part_begin(files, list[i].id), CN_OK);
        assert_int_equal(cn_part_append(files, list[i].id, 0, texts[i], strlen(texts[i])), CN_OK);
        assert_int_equal(cn_part_hash(files, list[i].id, list[i].sha256, &list[i].size), CN_OK);
    }
    /* one that is not there: nothing is named before all are on disk */
    list[COUNT] = list[0];
    snprintf(list[COUNT].id, sizeof list[COUNT].id, "nobody");
    assert_int_equal(cn_parts_publish(files, list, COUNT + 1), CN_ERR_NOTFOUND);
    assert_int_equal(cn_files_path(files, list[0].sha256, path, sizeof path), CN_ERR_NOTFOUND);
    assert_int_equal(cn_parts_publish(files, list, CN_PARTS_AT_ONCE + 1), CN_ERR_TOOBIG);
    assert_int_equal(cn_parts_publish(files, list, 0), CN_OK);
    assert_int_equal(cn_parts_publish(files, list, COUNT), CN_OK);
    for (size_t i = 0; i < COUNT; i++) {
        expect_content(files, list[i].sha256, texts[i]);
        assert_int_equal(cn_part_remove(files, list[i].id), CN_OK);
        expect_content(files, list[i].sha256, texts[i]);
    }
    cn_files_close(files);
}

static void test_what_is_known_lies_beside(void **state)
{
    (void)state;
    char root[128], path[512], wanted[512];
    cn_files *files = open_files(root);
    assert_int_equal(cn_files_index_path(files, SHA_ABC, path, sizeof path), CN_OK);
    snprintf(wanted, sizeof wanted, "/indexes/%.2s/%s", SHA_ABC, SHA_ABC + 2);
    assert_non_null(strstr(path, wanted));
    assert_int_equal(cn_file_write_durable(path, "x", 1, 0600), CN_OK); /* its folder is there */
    assert_int_equal(cn_files_index_path(files, "../../etc/passwd", path, sizeof path), CN_ERR_INVALID);
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
          "image/heic"),
        C("\0\0\0\x18"
          "ftypavif\0\0\0\0mif1",
          NULL),
        C("\0\0\0\x0cjP  \r\n\x87\n\0\0\0\x14", "image/jp2"),
        C("\xff\x4f\xff\x51\0\x2f", "image/jp2"),
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
        C("\xbb\xbc\xd5\xdf\xcd\xf5\xd0\xa1\xc3\xf7\xa3\xac\x81\x39\xee\x39\r\n", "text/plain"), /* GB18030 */
        C("\xbb\xbc\xd5", "text/plain"), /* cut in a character */
        C("\xbb\xbc\x81\x39\xee", "text/plain"),
        C("\xbb\xbc\x81\x39\xee\x20", NULL),
        C("\xbb\xbc\xd5\x1f", NULL),
        C("\xff\xfe\xe3\x60\x05\x80\r\0\n\0", "text/plain"), /* UTF-16, as Notepad's "Unicode" */
        C("\xfe\xff\x60\xe3\xd8\x42\xdf\xb7", "text/plain"),
        C("\xff\xfe\0\0A\0\0\0", NULL), /* UTF-32 */
        C("\xff\xfe\x42\xd8"
          "A\0",
          NULL), /* half a pair of surrogates */
        C("\xff\xfe\xb7\xdf", NULL),
        C("\xff\xfe", NULL),
        C("{\\rtf1\\ansi \xb3\xf6\xd4\xba}", "application/rtf"),
        C("\xef\xbb\xbf\r\n <!DOCTYPE HTML PUBLIC \"-//W3C\"><html>", "text/html"),
        C("<html xmlns:o=\"urn:schemas-microsoft-com:office:office\">", "text/html"),
        C("<?xml version=\"1.0\"?><!-- by HIS --><HTML>", "text/html"),
        C("<table border=1><tr><td>\xb3\xf6", "text/html"),
        C("<tablet> 5 mg", "text/plain"),
        C("<!-- never ends", "text/plain"),
        C("<", "text/plain"),
        C("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1....E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e\0\0\0",
          "application/x-ole-encrypted"),
        C("", NULL),
        C("\xff", NULL),
#undef C
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *exact = malloc(cases[i].n + 1); /* so that a sanitizer sees reading past the end */
        exact = realloc(exact, cases[i].n ? cases[i].n : 1);
        memcpy(exact, cases[i].bytes, cases[i].n);
        const char *type = cn_files_sniff(exact, cases[i].n, exact, cases[i].n);
        if ((type == NULL) != (cases[i].type == NULL) || (type && strcmp(type, cases[i].type) != 0))
            fail_msg("case %zu: %s", i, type ? type : "NULL");
        free(exact);
    }
    char dicom[200] = "II*";
    memcpy(dicom + 128, "DICM", 4);
    assert_string_equal(cn_files_sniff(dicom, sizeof dicom, NULL, 0), "application/dicom");
    assert_string_equal(cn_files_sniff(dicom, 131, NULL, 0), "image/tiff");
}

static void ecgs_are_told_by_their_content(void **state)
{
    (void)state;
    static const struct {
        const char *text, *type;
    } xml[] = {
        {"<?xml version=\"1.0\"?>\n<AnnotatedECG xmlns=\"urn:hl7-org:v3\">", CN_TYPE_ECG "aecg"},
        {"<!-- by a portal --><v3:AnnotatedECG>", CN_TYPE_ECG "aecg"},
        {"<!DOCTYPE RestingECG SYSTEM \"restecg.dtd\">\n<RestingECG>", CN_TYPE_ECG "muse"},
        {"<RestingECGs>", "text/plain"},
        {"<!DOCTYPE RestingECG", "text/plain"},
    };
    for (size_t i = 0; i < sizeof xml / sizeof *xml; i++)
        assert_string_equal(cn_files_sniff(xml[i].text, strlen(xml[i].text), NULL, 0), xml[i].type);
    static const char scp[] = "\1\2\3\4\5\6\1\2\0\0\x88\0\0\0\x0d\x0dSCPECG";
    assert_string_equal(cn_files_sniff(scp, sizeof scp - 1, NULL, 0), CN_TYPE_ECG "scp");
    uint8_t dicom[256] = {0};
    memcpy(dicom + 128, "DICM", 4);
    memcpy(dicom + 160, "1.2.840.10008.5.1.4.1.1.9.1.1", 29);
    assert_string_equal(cn_files_sniff(dicom, sizeof dicom, NULL, 0), CN_TYPE_ECG "dicom");
    dicom[188] = '4'; /* a haemodynamic waveform is none */
    assert_string_equal(cn_files_sniff(dicom, sizeof dicom, NULL, 0), "application/dicom");
}

/* ---- ZIP files whose local headers say nothing within the first bytes ---- */

#define DOCX "application/vnd.openxmlformats-officedocument.wordprocessingml.document"

static void le(cn_buf *out, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++) cn_buf_fmt(out, "%c", (int)(value >> 8 * i & 0xff));
}

/* One stored part (APPNOTE 4.3.7), and its line for the directory (4.3.12). */
static void zip_part(cn_buf *out, cn_buf *directory, const char *name, const void *bytes, size_t len)
{
    size_t at = out->n;
    cn_buf_add(out, "PK\3\4\24\0\0\0\0\0\0\0\0\0\0\0\0\0", 18);
    le(out, len, 4), le(out, len, 4), le(out, strlen(name), 2), le(out, 0, 2);
    cn_buf_str(out, name);
    cn_buf_add(out, bytes, len);
    cn_buf_add(directory, "PK\1\2\24\0\24\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
    le(directory, len, 4), le(directory, len, 4), le(directory, strlen(name), 2);
    cn_buf_add(directory, "\0\0\0\0\0\0\0\0\0\0\0\0", 12);
    le(directory, at, 4);
    cn_buf_str(directory, name);
}

/* The directory and its end (4.3.16), with the long form (4.3.14, 4.3.15) before it when `zip64`. */
static void zip_end(cn_buf *out, cn_buf *directory, bool zip64, const char *comment)
{
    uint64_t at = out->n, n = directory->n;
    cn_buf_add(out, directory->p, directory->n);
    if (zip64) {
        uint64_t record = out->n;
        cn_buf_add(out, "PK\6\6", 4);
        le(out, 44, 8), le(out, 45, 2), le(out, 45, 2), le(out, 0, 8), le(out, 2, 8), le(out, 2, 8), le(out, n, 8);
        le(out, at, 8);
        cn_buf_add(out, "PK\6\7", 4);
        le(out, 0, 4), le(out, record, 8), le(out, 1, 4);
    }
    cn_buf_add(out, "PK\5\6\0\0\0\0\2\0\2\0", 12);
    le(out, zip64 ? UINT32_MAX : n, 4), le(out, zip64 ? UINT32_MAX : at, 4), le(out, strlen(comment), 2);
    cn_buf_str(out, comment);
    cn_buf_free(directory);
}

static const char *sniffed(const cn_buf *bytes)
{
    char path[256];
    const char *type = "unread";
    snprintf(path, sizeof path, "%s/sniffed", support_dir());
    assert_int_equal(cn_file_write_durable(path, bytes->p, bytes->n, 0600), CN_OK);
    assert_int_equal(cn_files_sniff_path(path, &type), CN_OK);
    return type ? type : "unknown";
}

static void test_sniff_zip_directory(void **state)
{
    (void)state;
    const size_t large = 3 << 20;
    char *media = cn_calloc(1, large);
    for (int zip64 = 0; zip64 < 2; zip64++) { /* a picture of 3 MB stands before the first part under word/ */
        cn_buf zip = {0}, directory = {0};
        zip_part(&zip, &directory, "docProps/thumbnail.jpeg", media, large);
        zip_part(&zip, &directory, "word/document.xml", "<w/>", 4);
        zip_end(&zip, &directory, zip64, zip64 ? "" : "a comment PK\5\6 that is none");
        assert_string_equal(sniffed(&zip), DOCX);
        cn_buf_free(&zip);
    }
    /* a stored spreadsheet inside is a part, not the whole */
    cn_buf inner = {0}, inner_directory = {0}, zip = {0}, directory = {0};
    zip_part(&inner, &inner_directory, "xl/workbook.xml", media, 100);
    zip_end(&inner, &inner_directory, false, "");
    zip_part(&zip, &directory, "customXml/item1.xml", media, 100000);
    zip_part(&zip, &directory, "word/embeddings/a.xlsx", inner.p, inner.n);
    zip_end(&zip, &directory, false, "");
    assert_string_equal(sniffed(&zip), DOCX);
    cn_buf_free(&zip);
    zip_part(&zip, &directory, "a.xlsx", inner.p, inner.n);
    zip_end(&zip, &directory, false, "");
    assert_string_equal(sniffed(&zip), "application/zip");
    cn_buf_free(&zip);
    cn_buf_free(&inner);
    free(media);
}

static void test_sniff_directory_at_the_end(void **state)
{
    (void)state;
    cn_buf ole = {0};
    char *sectors = cn_calloc(1, 200000);
    cn_buf_add(&ole, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8);
    cn_buf_add(&ole, sectors, 200000);
    cn_buf_add(&ole, "W\0o\0r\0k\0b\0o\0o\0k\0\0", 18);
    assert_string_equal(sniffed(&ole), "application/vnd.ms-excel");
    cn_buf_free(&ole);
    free(sectors);
    const char *type = NULL;
    assert_int_equal(cn_files_sniff_path("/nonexistent", &type), CN_ERR_NOTFOUND);
}

/* ---- parts of slides ---- */

/* A folder as the unpacker leaves it. */
static void parts_folder(const char *root, const char *name, char out[256])
{
    char path[512];
    snprintf(out, 256, "%s/%s", root, name);
    snprintf(path, sizeof path, "%s/slide", out);
    assert_int_equal(cn_mkdirs(path), CN_OK);
    snprintf(path, sizeof path, "%s/slide.mrxs", out);
    assert_int_equal(cn_file_write_durable(path, "m", 1, 0600), CN_OK);
    snprintf(path, sizeof path, "%s/slide/Data0000.dat", out);
    assert_int_equal(cn_file_write_durable(path, "d", 1, 0600), CN_OK);
}

static void test_parts_come_and_go_whole(void **state)
{
    char root[128], dir[256], path[512], found[512];
    cn_files *files = open_files(root);
    (void)state;
    parts_folder(root, "tmp/a", dir);
    assert_int_equal(cn_files_parts_find(files, "S1", "slide", found, sizeof found), CN_ERR_NOTFOUND);
    assert_int_equal(cn_files_parts_put(files, "S1", dir), CN_OK);
    assert_int_equal(access(dir, F_OK), -1);
    assert_int_equal(cn_files_parts_find(files, "S1", "slide", found, sizeof found), CN_OK);
    snprintf(path, sizeof path, "%s/slides/S1/slide.mrxs", root);
    assert_string_equal(found, path);
    snprintf(path, sizeof path, "%s/slides/S1/slide/Data0000.dat", root);
    assert_int_equal(access(path, R_OK), 0);
    assert_int_equal(cn_files_parts_remove(files, "S1"), CN_OK);
    assert_int_equal(cn_files_parts_remove(files, "S1"), CN_OK);
    assert_int_equal(cn_files_parts_find(files, "S1", "slide", found, sizeof found), CN_ERR_NOTFOUND);
    assert_int_equal(cn_files_parts_put(files, "../x", root), CN_ERR_INVALID);
    cn_files_close(files);
}

/* A helper that was taken over may leave anything. */
static void test_parts_are_plain_files(void **state)
{
    static const char *const kinds[] = {"symlink", "hard link", "fifo", "deep"};
    char root[128], dir[256], path[512], other[512], name[32];
    cn_files *files = open_files(root);
    (void)state;
    snprintf(other, sizeof other, "%s/secret", root);
    assert_int_equal(cn_file_write_durable(other, "s", 1, 0600), CN_OK);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        snprintf(name, sizeof name, "tmp/b%zu", i);
        parts_folder(root, name, dir);
        snprintf(path, sizeof path, "%s/slide/Index.dat", dir);
        int failed = i == 0 ? symlink(other, path) : i == 1 ? link(other, path) : i == 2 ? mkfifo(path, 0600) : 0;
        assert_int_equal(failed, 0);
        if (i == 3) {
            snprintf(path, sizeof path, "%s/slide/a/b/c", dir);
            assert_int_equal(cn_mkdirs(path), CN_OK);
        }
        if (cn_files_parts_put(files, "S2", dir) != CN_ERR_CORRUPT) fail_msg("%s", kinds[i]);
        assert_int_equal(cn_files_parts_find(files, "S2", "slide", path, sizeof path), CN_ERR_NOTFOUND);
    }
    cn_files_close(files);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts_come_and_go_whole),
        cmocka_unit_test(test_parts_are_plain_files),
        cmocka_unit_test(test_sniff_zip_directory),
        cmocka_unit_test(test_sniff_directory_at_the_end),
        cmocka_unit_test(test_put),
        cmocka_unit_test(test_relative_root),
        cmocka_unit_test(test_parts_resume),
        cmocka_unit_test(test_parts_become_objects_together),
        cmocka_unit_test(test_what_is_known_lies_beside),
        cmocka_unit_test(test_kill_keeps_parts),
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_file_size_limit),
        cmocka_unit_test(test_named_links),
        cmocka_unit_test(test_sniff),
        cmocka_unit_test(ecgs_are_told_by_their_content),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
