/*
 * Every hostile file of the shared collection, and good ones with something wrong in them, through every question: an answer or a plain refusal within
 * ten seconds, and no worker ends. 500 seeded mutations under AddressSanitizer, 100 of them without; 10,000 with CONSILIUM_LONG
 * (./check --long). CN_TEST_SEED runs one alone.
 */
#include "cn_test.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "support_dicom.h"
#include "viewer/dicom/reader.h"

#define SHARED DICOM_SHARED "dicom"
#define FILES 400
#define LIMIT_MS 9000
#ifdef __SANITIZE_ADDRESS__
#define FEW 500
#else
#define FEW 100
#endif

/* ---- every question ---- */

static unsigned answers, refusals;

static void count(const char *what, const char *question, cn_err err, const char *why)
{
    if (err == CN_ERR_CRASHED || err == CN_ERR_TIMEOUT || err == CN_ERR_IO)
        fail_msg("%s, %s: %s %s", what, question, cn_err_name(err), why);
    if (err != CN_OK && err != CN_ERR_TOOBIG && !why[0])
        fail_msg("%s, %s: %s without a reason", what, question, cn_err_name(err));
    answers += err == CN_OK;
    refusals += err != CN_OK;
}

static void ask_pixels(const char *what, int fd, uint32_t frame)
{
    char why[256] = "";
    void *bytes = NULL;
    size_t len = 0;
    count(what, "frame", cn_dicom_reader_frame(reader, fd, frame, &bytes, &len, why, sizeof(why)), why);
    free(bytes);
    bytes = NULL;
    count(what, "stored", cn_dicom_reader_stored(reader, fd, frame, &bytes, &len, why, sizeof(why)), why);
    free(bytes);
    bytes = NULL;
    const cn_dicom_view view = {.frame = frame, .size = 256, .quality = 75};
    count(what, "render", cn_dicom_reader_render(reader, fd, &view, &bytes, &len, why, sizeof(why)), why);
    free(bytes);
}

static void ask_all(const char *what, int fd)
{
    char why[256] = "";
    uint64_t from = cn_mono_ms();
    cn_dicom_index index = {.tags = NULL};
    cn_err err = cn_dicom_reader_index(reader, fd, &index, why, sizeof(why));
    count(what, "index", err, why);
    if (err == CN_OK) {
        uint32_t last = index.frames ? index.frames - 1 : 0;
        ask_pixels(what, fd, 0);
        if (last) ask_pixels(what, fd, last);
        CN_AUTO_CLOSE int out = memfd_create("plain", MFD_CLOEXEC);
        count(what, "plain", cn_dicom_reader_plain(reader, fd, out, why, sizeof(why)), why);
        CN_AUTO_CLOSE int clean = memfd_create("clean", MFD_CLOEXEC);
        const cn_dicom_box box = {.x = 3, .y = 3, .width = 10, .height = 10};
        const cn_dicom_deid how = {.box = &box, .boxes = last % 2};
        count(what, "deidentify", cn_dicom_reader_deidentify(reader, fd, &how, clean, why, sizeof(why)), why);
        cn_dicom_index_clear(&index);
    }
    if (cn_mono_ms() - from > LIMIT_MS) fail_msg("%s took %llu ms", what, (unsigned long long)(cn_mono_ms() - from));
}

/* ---- the shared collection ---- */

static int one_hostile(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)at;
    if (type != FTW_F) return 0;
    CN_AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    ask_all(path, fd);
    return 0;
}

static void every_hostile_file(void **state)
{
    (void)state;
    if (!have_shared()) return;
    assert_int_equal(nftw(SHARED "/hostile-pwnlab", one_hostile, 16, 0), 0);
    print_message("%u answers, %u refusals\n", answers, refusals);
}

/* ---- mutations ---- */

static char *paths[FILES];
static size_t path_count;

static int take_path(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)at;
    if (type == FTW_F && !strstr(path, "hostile") && st->st_size < 200000 && path_count < FILES)
        paths[path_count++] = cn_strdup(path);
    return 0;
}

static int by_name(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

static uint64_t next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* A few bytes changed, a number made large, a piece taken out or doubled, the end cut off; mostly where the elements stand. */
static size_t mutate(uint8_t *bytes, size_t n, uint64_t *seed)
{
    static const uint32_t numbers[] = {0, 1, 0xff, 0x7fff, 0xffff, 0x10000, 0x7fffffff, 0xfffffffe, 0xffffffff};
    for (uint64_t times = 1 + next(seed) % 4; times > 0 && n > 16; times--) {
        size_t at = (size_t)(next(seed) % (next(seed) % 2 && n > 3000 ? 3000 : n - 8)),
               piece = (size_t)(next(seed) % 64);
        if (piece > n - at) piece = n - at;
        switch (next(seed) % 5) {
        case 0: bytes[at] = (uint8_t)next(seed); break;
        case 1: bytes[at] ^= (uint8_t)(1u << next(seed) % 8); break;
        case 2: memcpy(bytes + at, &numbers[next(seed) % 9], next(seed) % 2 ? 2 : 4); break;
        case 3:
            memmove(bytes + at, bytes + at + piece, n - at - piece);
            n -= piece;
            break;
        default:
            if (next(seed) % 8 == 0) n = at;
        }
    }
    return n;
}

static void one_mutation(uint64_t number)
{
    char what[600];
    uint64_t seed = number * 0x9e3779b97f4a7c15u + 1;
    const char *path = paths[next(&seed) % path_count];
    char *bytes = NULL;
    size_t n = 0;
    assert_int_equal(cn_file_read(path, 1u << 20, &bytes, &n), CN_OK);
    n = mutate((uint8_t *)bytes, n, &seed);
    cn_fmt(what, sizeof(what), "CN_TEST_SEED=%llu %s", (unsigned long long)number, path);
    CN_AUTO_CLOSE int fd = memfd_create("mutation", MFD_CLOEXEC);
    assert_int_equal(cn_write_all(fd, bytes, n), CN_OK);
    ask_all(what, fd);
    free(bytes);
}

static void mutations(void **state)
{
    (void)state;
    if (!have_shared()) return;
    assert_int_equal(nftw(SHARED, take_path, 16, 0), 0);
    qsort(paths, path_count, sizeof(*paths), by_name);
    const char *alone = getenv("CN_TEST_SEED");
    const char *longer = getenv("CONSILIUM_LONG");
    uint64_t many = longer && *longer ? 10000 : FEW;
    answers = refusals = 0;
    if (alone) one_mutation(strtoull(alone, NULL, 10));
    for (uint64_t number = 0; !alone && number < many; number++) one_mutation(number);
    print_message("%u answers, %u refusals\n", answers, refusals);
    for (size_t i = 0; i < path_count; i++) free(paths[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_hostile_file), cmocka_unit_test(mutations)};
    return cmocka_run_group_tests(tests, dicom_setup, dicom_teardown);
}
