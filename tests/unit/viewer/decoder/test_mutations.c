/*
 * Good slides with something wrong in them, and every odd file of the shared collection: each question ends with a picture
 * or a clear refusal, within ten seconds, and the pool goes on. 500 seeded mutations under AddressSanitizer, 100 of them without; 10,000 with CONSILIUM_LONG
 * (./check --long). CN_TEST_SEED runs one alone.
 */
#include "cn_test.h"

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "slides/slides.h"
#include "viewer/slide/decoders.h"

#define FILES 96
#define LIMIT_MS 10000
#ifdef __SANITIZE_ADDRESS__
#define FEW 500
#else
#define FEW 100
#endif

static char folder[] = "/tmp/consilium-test-mutations-XXXXXX";

typedef struct good_file {
    char *bytes;
    size_t n;
    char dir[200], path[256]; /* of its own, and of the slide that it belongs to */
    char name[200];
} good_file;

static good_file files[FILES];
static size_t file_count;
static cn_decoders *decoders;
static unsigned pictures, refusals, crashes;

static void remove_all(const char *path)
{
    const char *const argv[] = {"rm", "-rf", path, NULL};
    int status = -1;
    assert_true(cn_child_run(argv, &(cn_child_limits){.wall_seconds = 30}, &status) == CN_OK && status == 0);
}

static int teardown(void **state)
{
    (void)state;
    cn_decoders_free(decoders);
    for (size_t i = 0; i < file_count; i++) free(files[i].bytes);
    remove_all(folder);
    return 0;
}

/* ---- questions ---- */

static void ask(const char *path, const cn_decode_ask *question)
{
    void *bytes = NULL;
    size_t n = 0;
    uint64_t start = cn_mono_ms();
    cn_err err = cn_decoders_ask(decoders, path, "", question, &bytes, &n);
    free(bytes);
    if (cn_mono_ms() - start > LIMIT_MS + 2000) print_message("%s took %d ms\n", path, (int)(cn_mono_ms() - start));
    assert_true(cn_mono_ms() - start <= LIMIT_MS + 2000);
    pictures += err == CN_OK;
    crashes += err == CN_ERR_CRASHED;
    refusals += err != CN_OK;
    if (err != CN_OK && err != CN_ERR_UNSUPPORTED && err != CN_ERR_CORRUPT && err != CN_ERR_TOOBIG &&
        err != CN_ERR_NOTFOUND && err != CN_ERR_IO && err != CN_ERR_CRASHED) {
        print_message("%s: %s\n", path, cn_err_name(err));
        assert_ok(err);
    }
}

static void look_at(const char *path)
{
    ask(path, &(cn_decode_ask){.op = CN_DECODE_INFO});
    ask(path, &(cn_decode_ask){.op = CN_DECODE_THUMB, .size = 200});
    ask(path, &(cn_decode_ask){.op = CN_DECODE_REGION, .column = 300, .row = 200, .width = 300, .height = 300});
    cn_decoders_forget(decoders, path);
}

/* ---- mutations ---- */

static uint64_t mix(uint64_t *seed)
{
    uint64_t value = *seed += 0x9e3779b97f4a7c15u;
    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9u;
    value = (value ^ value >> 27) * 0x94d049bb133111ebu;
    return value ^ value >> 31;
}

/* Somewhere: half of the time near the beginning or the end, where formats say what they are. */
static size_t somewhere(uint64_t *seed, size_t n)
{
    uint64_t how = mix(seed) % 4;
    size_t near = n < 2048 ? n : 2048;
    return how == 0 ? mix(seed) % near : how == 1 ? n - 1 - mix(seed) % near : mix(seed) % n;
}

static void put_odd_number(uint64_t *seed, char *bytes, size_t n)
{
    static const uint32_t odd[] = {0, 1, 0xffffffff, 0x7fffffff, 0x80000000, 0xffff, 0x10000, 0x7fff};
    uint32_t value = odd[mix(seed) % COUNT_OF(odd)];
    size_t at = somewhere(seed, n);
    memcpy(bytes + at, &value, n - at < 4 ? n - at : 4);
}

/* Changes `bytes`, returns how many of them are left. */
static size_t mutate(uint64_t *seed, char *bytes, size_t n)
{
    size_t at = somewhere(seed, n), count = 1 + mix(seed) % 64;
    switch (mix(seed) % 6) {
    case 0: return at;
    case 1:
        for (size_t i = 0; i < count; i++) bytes[somewhere(seed, n)] ^= (char)(1u << mix(seed) % 8);
        return n;
    case 2: memset(bytes + at, (int)(mix(seed) % 2 * 255), n - at < 1024 ? n - at : 1024); return n;
    case 3:
        for (size_t i = 0; i < count / 8 + 1; i++) put_odd_number(seed, bytes, n);
        return n;
    case 4: memmove(bytes + at, bytes + at / 2, n - at < 4096 ? n - at : 4096); return n;
    default: memmove(bytes + at, bytes + at + (n - at) / 16, n - at - (n - at) / 16); return n - (n - at) / 16;
    }
}

static void write_file(const good_file *file, const char *bytes, size_t n)
{
    char path[420];
    cn_fmt(path, sizeof(path), "%s/%s", file->dir, file->name);
    FILE *out = fopen(path, "wbe");
    assert_non_null(out);
    assert_true(fwrite(bytes, 1, n, out) == n && fclose(out) == 0);
}

static void one_mutation(uint64_t nth)
{
    uint64_t seed = nth;
    const good_file *file = &files[mix(&seed) % file_count];
    char *bytes = malloc(file->n);
    assert_non_null(bytes);
    memcpy(bytes, file->bytes, file->n);
    size_t n = file->n;
    for (uint64_t i = 1 + mix(&seed) % 3; i > 0 && n > 8; i--) n = mutate(&seed, bytes, n);
    write_file(file, bytes, n);
    free(bytes);
    look_at(file->path);
    write_file(file, file->bytes, file->n);
}

/* ---- good ones ---- */

static const char *slide_of_files; /* while a folder is walked */

static int take_file(const char *path, const struct stat *st, int type, struct FTW *at)
{
    if (type != FTW_F || st->st_size == 0 || file_count == FILES) return 0;
    good_file *file = &files[file_count++];
    cn_strcpy(file->path, sizeof(file->path), slide_of_files);
    cn_strcpy(file->name, sizeof(file->name), path + at->base);
    cn_fmt(file->dir, sizeof(file->dir), "%.*s", at->base - 1, path);
    return cn_file_read(path, 64 << 20, &file->bytes, &file->n) == CN_OK ? 0 : -1;
}

static int setup(void **state)
{
    (void)state;
    if (!mkdtemp(folder)) return -1;
    for (const slides_kind *kind = slides_kinds; kind->name; kind++) {
        char dir[200], path[256];
        cn_fmt(dir, sizeof(dir), "%s/%s", folder, kind->name);
        cn_fmt(path, sizeof(path), "%s/%s", dir, kind->file);
        if (mkdir(dir, 0700) != 0 || slides_make(kind, dir) != CN_OK) return -1;
        slide_of_files = path;
        if (nftw(dir, take_file, 16, FTW_PHYS) != 0) return -1;
    }
    return cn_decoders_new(&decoders, CN_BUILD_DIR "/consilium-decoder", 2) == CN_OK ? 0 : -1;
}

static void mutations(void **state)
{
    (void)state;
    const char *longer = getenv("CONSILIUM_LONG"), *alone = getenv("CN_TEST_SEED");
    uint64_t first = alone ? strtoull(alone, NULL, 10) : 0;
    uint64_t count = alone ? 1 : longer && *longer ? 10000 : FEW;
    for (uint64_t i = first; i < first + count; i++) {
        if (alone) print_message("seed %llu\n", (unsigned long long)i);
        one_mutation(i);
    }
    print_message("%u mutations: %u questions answered, %u refused, %u of them by a crash of the decoder\n",
                  (unsigned)count, pictures, refusals, crashes);
    assert_true(alone || (pictures > count / 4 && refusals > count / 4));
    pictures = 0;
    look_at(files[0].path); /* nobody is left behind */
    assert_int_equal(pictures, 3);
}

/* ---- the shared collection ---- */

static unsigned seen;

static int one_shared(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)at;
    char real[4096];
    if (type != FTW_F || !realpath(path, real)) return 0;
    look_at(real);
    seen++;
    return 0;
}

static void every_shared_file(void **state)
{
    (void)state;
    pictures = refusals = crashes = 0;
    if (nftw(CN_SOURCE_DIR "/../shared/data/wsi", one_shared, 16, 0) != 0 || !seen) {
        print_message("skipped: no ../shared/data\n");
        skip();
    }
    print_message("%u files: %u questions answered, %u refused, %u of them by a crash of the decoder\n", seen, pictures,
                  refusals, crashes);
    assert_true(pictures > 30);
    assert_int_equal(crashes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(mutations), cmocka_unit_test(every_shared_file)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
