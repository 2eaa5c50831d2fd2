/*
 * Pixels of every real file against other programs: DCMTK's for native, JPEG, JPEG-LS and RLE, GDCM's for JPEG 2000, OpenJPEG's for HTJ2K; and
 * the whole file written plainly, which must hold the same.
 */
#include "cn_test.h"

#include <fcntl.h>
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
#include "support_dicom.h"
#include "viewer/dicom/reader.h"

#define SHARED DICOM_SHARED

static char folder[] = "/tmp/consilium-test-pixels-XXXXXX";
static char theirs[64], ours[64];

static int setup(void **state)
{
    assert_non_null(mkdtemp(folder));
    cn_fmt(theirs, sizeof(theirs), "%s/theirs.dcm", folder);
    cn_fmt(ours, sizeof(ours), "%s/ours.dcm", folder);
    return dicom_setup(state);
}

static int teardown(void **state)
{
    unlink(theirs);
    unlink(ours);
    rmdir(folder);
    return dicom_teardown(state);
}

static bool is_one_of(const char *word, const char *const *list)
{
    for (; *list; list++)
        if (strcmp(word, *list) == 0) return true;
    return false;
}

/* ---- what others say ---- */

static const char *oracle_of(const char *syntax)
{
    static const char *const jpeg[] = {"1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.57",
                                       "1.2.840.10008.1.2.4.70", NULL};
    static const char *const jpegls[] = {"1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81", NULL};
    static const char *const j2k[] = {"1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91", NULL};
    static const char *const native[] = {"1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2",
                                         "1.2.840.10008.1.2.1.99", NULL};
    return is_one_of(syntax, jpeg)                      ? "dcmdjpeg"
           : is_one_of(syntax, jpegls)                  ? "dcmdjpls"
           : is_one_of(syntax, j2k)                     ? "gdcmconv"
           : is_one_of(syntax, native)                  ? "dcmconv"
           : strcmp(syntax, "1.2.840.10008.1.2.5") == 0 ? "dcmdrle"
                                                        : NULL;
}

static bool ask_oracle(const char *program, const char *path)
{
    const char *option = strcmp(program, "gdcmconv") == 0 ? "--raw" : "+te";
    const char *const argv[] = {program, option, path, theirs, NULL};
    int status = -1;
    unlink(theirs);
    return cn_child_run(argv, &(cn_child_limits){.wall_seconds = 60}, &status) == CN_OK && status == 0;
}

static cn_err look(const char *path, cn_dicom_index *out)
{
    char why[256];
    CN_AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd < 0 ? CN_ERR_NOTFOUND : cn_dicom_reader_index(reader, fd, out, why, sizeof(why));
}

/* The pixels of a native file, caller frees. */
static uint8_t *native_pixels(const char *path, size_t *n)
{
    cn_dicom_index index = {.tags = NULL};
    if (look(path, &index) != CN_OK) return NULL;
    CN_AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    uint8_t *bytes = malloc(index.pixel_length + 1);
    *n = index.pixel_length;
    assert_true(bytes && pread(fd, bytes, *n, (off_t)index.pixel_offset) == (ssize_t)*n);
    cn_dicom_index_clear(&index);
    return bytes;
}

/* ---- what ours say ---- */

static unsigned compared, skipped;

static unsigned worst(const uint8_t *left, const uint8_t *right, size_t n)
{
    unsigned most = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned by = left[i] > right[i] ? (unsigned)left[i] - right[i] : (unsigned)right[i] - left[i];
        if (by > most) most = by;
    }
    return most;
}

/* All frames in one, caller frees; NULL with the reason printed. */
static uint8_t *all_frames(const char *path, const cn_dicom_index *index, size_t *n)
{
    CN_AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    cn_buf all = {.max = (size_t)1 << 30};
    for (uint32_t i = 0; i < index->frames; i++) {
        char why[256] = "";
        void *bytes = NULL;
        size_t len = 0;
        cn_err err = cn_dicom_reader_frame(reader, fd, i, &bytes, &len, why, sizeof(why));
        if (err != CN_OK) {
            print_message("%s frame %u: %s %s\n", path + strlen(SHARED), i, cn_err_name(err), why);
            cn_buf_free(&all);
            return NULL;
        }
        cn_buf_add(&all, bytes, len);
        free(bytes);
    }
    *n = all.n;
    return (uint8_t *)cn_buf_take(&all);
}

static void plain_is_the_same(const char *path, const cn_dicom_index *index, const uint8_t *frames, size_t n)
{
    char why[256] = "";
    unlink(ours);
    CN_AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    CN_AUTO_CLOSE int out = open(ours, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (cn_dicom_reader_plain(reader, fd, out, why, sizeof(why)) != CN_OK) fail_msg("%s plain: %s", path, why);
    cn_dicom_index again = {.tags = NULL};
    if (cn_dicom_reader_index(reader, out, &again, why, sizeof(why)) != CN_OK) fail_msg("%s again: %s", path, why);
    assert_string_equal(again.syntax, "1.2.840.10008.1.2.1");
    assert_string_equal(again.photometric, index->plain_photometric);
    assert_true(again.frames == index->frames && again.rows == index->rows && again.columns == index->columns);
    size_t had = 0;
    CN_AUTO_FREE uint8_t *bytes = native_pixels(ours, &had);
    assert_true(bytes && had >= n / (index->bits_allocated == 1 ? 2 : 1));
    if (index->bits_allocated > 1 && memcmp(bytes, frames, n) != 0) fail_msg("%s: plain pixels differ", path);
    /* every element but those that describe how pixels are stored */
    const char *key;
    json_t *value;
    json_object_foreach(index->tags, key, value)
    {
        bool pixels = strncmp(key, "7FE0", 4) == 0 || strcmp(key, "00280004") == 0 || strcmp(key, "00280006") == 0;
        if (pixels || json_object_get(value, "BulkDataURI")) continue;
        CN_AUTO_FREE char *text = json_dumps(value, JSON_COMPACT);
        if (strstr(text, "BulkDataURI")) continue; /* another place */
        if (!json_equal(value, json_object_get(again.tags, key)))
            fail_msg("%s: %s has become something else", path, key);
    }
    cn_dicom_index_clear(&again);
}

/* DCMTK leaves colours of RLE in the planes that they were in. */
static void from_planes(const char *path, const cn_dicom_index *of, uint8_t *bytes)
{
    cn_dicom_index index = {.tags = NULL};
    assert_int_equal(look(path, &index), CN_OK);
    json_t *planar = json_array_get(json_object_get(json_object_get(index.tags, "00280006"), "Value"), 0);
    size_t pixels = (size_t)of->rows * of->columns, size = of->bits_allocated / 8, n = 3 * pixels * size;
    for (uint32_t i = 0; of->samples == 3 && json_integer_value(planar) == 1 && i < of->frames; i++) {
        CN_AUTO_FREE uint8_t *copy = cn_memdup(bytes + i * n, n);
        for (size_t at = 0; at < n; at++) {
            size_t sample = at / size, byte = at % size;
            bytes[i * n + at] = copy[(sample % 3 * pixels + sample / 3) * size + byte];
        }
    }
    cn_dicom_index_clear(&index);
}

/* Big endian pixels of 32 bits in words of 16: DCMTK swaps the words' bytes only. The doses are the same file's in little endian. */
static bool is_disputed(const char *path)
{
    return strstr(path, "rtdose_expb");
}

static void compare(const char *path, const cn_dicom_index *index)
{
    const char *oracle = oracle_of(index->syntax);
    size_t n = 0, m = 0;
    CN_AUTO_FREE uint8_t *mine = all_frames(path, index, &n);
    if (!mine) return;
    plain_is_the_same(path, index, mine, n);
    CN_AUTO_FREE uint8_t *other = oracle && ask_oracle(oracle, path) ? native_pixels(theirs, &m) : NULL;
    if (!other || index->bits_allocated == 1 || is_disputed(path)) {
        skipped++;
        return;
    }
    if (m < n) fail_msg("%s: %zu bytes instead of %zu", path, n, m);
    if (strcmp(oracle, "dcmdrle") == 0) from_planes(theirs, index, other);
    unsigned off = worst(mine, other, n);
    bool lossy_colour = strcmp(index->syntax, "1.2.840.10008.1.2.4.50") == 0;
    if (off > (lossy_colour ? 3 : 0)) fail_msg("%s (%s) differs by %u", path + strlen(SHARED), oracle, off);
    compared++;
}

static int one_file(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)at;
    static unsigned number;
    if (type != FTW_F || strstr(path, "hostile")) return 0;
    const char *longer = getenv("CONSILIUM_LONG");
    if (!(longer && *longer) && (st->st_size > 400000 || number++ % 3)) return 0;
    cn_dicom_index index = {.tags = NULL};
    if (look(path, &index) == CN_OK && index.frames) compare(path, &index);
    cn_dicom_index_clear(&index);
    return 0;
}

static void every_picture(void **state)
{
    (void)state;
    if (!have_shared()) return;
    assert_int_equal(nftw(SHARED "dicom", one_file, 16, 0), 0);
    assert_int_equal(nftw(SHARED "dicom-wsi", one_file, 16, 0), 0);
    print_message("%u files compared, %u without another opinion\n", compared, skipped);
    assert_true(compared > 30);
}

/* ---- files that others cannot read ---- */

static uint8_t *first_frame(const char *name, size_t *n)
{
    char path[512];
    cn_dicom_index index = {.tags = NULL};
    assert_true(cn_fmt(path, sizeof(path), SHARED "dicom/%s", name));
    if (look(path, &index) != CN_OK) fail_msg("%s", path);
    uint8_t *bytes = all_frames(path, &index, n);
    cn_dicom_index_clear(&index);
    assert_non_null(bytes);
    return bytes;
}

/* The same picture in another coat. */
static void twins(void **state)
{
    static const char *const pairs[][2] = {
        {"pydicom/rtdose_1frame.dcm", "pydicom/rtdose_expb_1frame.dcm"},
        {"pydicom/rtdose_1frame.dcm", "pydicom/rtdose_rle_1frame.dcm"},
        {"pydicom-data/liver.dcm", "pydicom-data/liver_expb.dcm"},
        {"pydicom-data/liver.dcm", "pydicom-data/liver_j2k.dcm"},
        {"pydicom-data/liver_nonbyte_aligned.dcm", "pydicom-data/liver_nonbyte_aligned_deflate.dcm"},
        {"pydicom-data/liver_nonbyte_aligned.dcm", "pydicom-data/liver_nonbyte_aligned_j2k.dcm"},
        {"pydicom-data/liver_nonbyte_aligned.dcm", "pydicom-data/liver_nonbyte_aligned_rle.dcm"},
        {"pydicom-data/SC_rgb.dcm", "pydicom-data/SC_rgb_expb.dcm"},
        {"pydicom-data/SC_rgb_32bit.dcm", "pydicom-data/SC_rgb_expb_32bit.dcm"},
        {"pydicom/SC_rgb_small_odd.dcm", "pydicom/SC_rgb_small_odd_big_endian.dcm"},
    };
    (void)state;
    for (size_t i = 0; have_shared() && i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        size_t n = 0, m = 0;
        CN_AUTO_FREE uint8_t *one = first_frame(pairs[i][0], &n);
        CN_AUTO_FREE uint8_t *other = first_frame(pairs[i][1], &m);
        if (n != m || memcmp(one, other, n) != 0) fail_msg("%s and %s differ", pairs[i][0], pairs[i][1]);
    }
}

/* OpenJPEG decodes HTJ2K without OpenJPH. */
static void htj2k(void **state)
{
    (void)state;
    if (!have_shared()) return;
    char path[512], raw[96], picture[96], why[256] = "";
    size_t n = 0, m = 0;
    cn_dicom_index index = {.tags = NULL};
    CN_AUTO_FREE uint8_t *mine = first_frame("pydicom-data/HTJ2K_08_RGB.dcm", &n);
    assert_true(cn_fmt(path, sizeof(path), SHARED "dicom/pydicom-data/HTJ2K_08_RGB.dcm"));
    assert_int_equal(look(path, &index), CN_OK);
    cn_fmt(raw, sizeof(raw), "%s/frame.j2k", folder);
    cn_fmt(picture, sizeof(picture), "%s/frame.rawl", folder);
    CN_AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    CN_AUTO_FREE uint8_t *stored = malloc(index.frame[0].length);
    assert_true(pread(fd, stored, index.frame[0].length, (off_t)index.frame[0].offset) > 0);
    assert_int_equal(cn_file_write_durable(raw, stored, index.frame[0].length, 0600), CN_OK);
    const char *const argv[] = {"opj_decompress", "-i", raw, "-o", picture, NULL};
    int status = -1;
    assert_true(cn_child_run(argv, &(cn_child_limits){.wall_seconds = 60}, &status) == CN_OK && status == 0);
    char *planes = NULL;
    assert_int_equal(cn_file_read(picture, 1u << 26, &planes, &m), CN_OK);
    assert_int_equal(n, m);
    size_t pixels = n / 3;
    unsigned most = 0;
    for (size_t at = 0; at < n; at++) {
        unsigned byte = (uint8_t)planes[at % 3 * pixels + at / 3],
                 by = byte > mine[at] ? byte - mine[at] : mine[at] - byte;
        most = by > most ? by : most;
    }
    free(planes);
    unlink(raw);
    unlink(picture);
    cn_dicom_index_clear(&index);
    print_message("HTJ2K: at most %u off\n", most);
    assert_true(most <= 1 && !why[0]);
}

/* Hundreds of frames of JPEG 2000 take longer than any one answer may, and go on. */
static void many_frames(void **state)
{
    (void)state;
    const char *longer = getenv("CONSILIUM_LONG");
    if (!have_shared() || !longer || !*longer) return;
    enum { FRAMES = 600 };
    cn_dicom_index one = {.tags = NULL}, index = {.tags = NULL};
    assert_int_equal(look(SHARED "dicom/pydicom-data/693_J2KR.dcm", &one), CN_OK);
    assert_non_null(one.frame);
    CN_AUTO_CLOSE int fd = open(SHARED "dicom/pydicom-data/693_J2KR.dcm", O_RDONLY | O_CLOEXEC);
    uint32_t n = (uint32_t)one.frame[0].length;
    CN_AUTO_FREE char *stream = cn_calloc(n, 1);
    assert_true(pread(fd, stream, n, (off_t)one.frame[0].offset) == (ssize_t)n);
    cn_buf file = {.max = 1u << 30};
    dicom_begin(&file, one.syntax);
    dicom_image(&file, NULL, "A^B", one.rows, one.columns, FRAMES);
    dicom_us(&file, 0x00280100, 16);
    dicom_us(&file, 0x00280101, 16);
    dicom_head(&file, 0x7fe00010, "OB", 0xffffffff);
    dicom_item(&file, 0xfffee000, 0);
    for (int i = 0; i < FRAMES; i++) {
        dicom_item(&file, 0xfffee000, n);
        cn_buf_add(&file, stream, n);
    }
    dicom_item(&file, 0xfffee0dd, 0);
    CN_AUTO_CLOSE int in = dicom_open(&file);
    CN_AUTO_CLOSE int out = open(ours, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    char why[256] = "";
    uint64_t from = cn_mono_ms();
    if (cn_dicom_reader_plain(reader, in, out, why, sizeof(why)) != CN_OK) fail_msg("%s", why);
    print_message("%d frames in %llu ms\n", FRAMES, (unsigned long long)(cn_mono_ms() - from));
    assert_int_equal(cn_dicom_reader_index(reader, out, &index, why, sizeof(why)), CN_OK);
    assert_true(index.pixel_length == (uint64_t)FRAMES * one.rows * one.columns * 2);
    cn_dicom_index_clear(&one);
    cn_dicom_index_clear(&index);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(many_frames), cmocka_unit_test(twins), cmocka_unit_test(htj2k),
                                       cmocka_unit_test(every_picture)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
