/* What real files hold, as a reader says it: names in every character set, where frames lie, and plain words about what is broken. */
#include "cn_test.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "support_dicom.h"
#include "viewer/dicom/reader.h"

#define SHARED DICOM_SHARED

static cn_err look(const char *path, cn_dicom_index *out, char why[256])
{
    CN_AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    why[0] = 0;
    if (fd < 0) fail_msg("%s is not there", path);
    return cn_dicom_reader_index(reader, fd, out, why, 256);
}

/* ---- what is in good files ---- */

static const struct {
    const char *path;
    uint32_t rows, columns, frames;
    bool as_stored;
    const char *syntax, *photometric, *note;
} good[] = {
    {"dicom/pydicom-data/693_UNCI.dcm", 512, 512, 1, true, "1.2.840.10008.1.2.1", "MONOCHROME2", ""},
    {"dicom/pydicom/MR_small_implicit.dcm", 64, 64, 1, true, "1.2.840.10008.1.2", "MONOCHROME2", ""},
    {"dicom/pydicom/MR_small_expb.dcm", 64, 64, 1, false, "1.2.840.10008.1.2.2", "MONOCHROME2", ""},
    {"dicom/pydicom-data/emri_small_RLE.dcm", 64, 64, 10, true, "1.2.840.10008.1.2.5", "MONOCHROME2", ""},
    {"dicom/pydicom-data/liver.dcm", 512, 512, 3, false, "1.2.840.10008.1.2.1", "MONOCHROME2", ""},
    {"dicom/pydicom-data/HTJ2K_08_RGB.dcm", 480, 640, 1, true, "1.2.840.10008.1.2.4.203", "RGB", "uid"},
    {"dicom/pydicom/examples_ybr_color.dcm", 240, 320, 30, true, "1.2.840.10008.1.2.4.50", "YBR_FULL_422", ""},
    {"dicom/dicomParser/CT0012.fragmented_no_bot_jpeg_ls.80.dcm", 512, 512, 2, false, "1.2.840.10008.1.2.4.80",
     "MONOCHROME2", ""},
    {"dicom/dicomParser/CT0012.not_fragmented_bot_jpeg_ls.80.dcm", 512, 512, 2, true, "1.2.840.10008.1.2.4.80",
     "MONOCHROME2", ""},
    {"dicom/dicomParser/IM00001.fragmented_no_bot_jpeg_baseline.50.dcm", 240, 320, 8, false, "1.2.840.10008.1.2.4.50",
     "YBR_FULL", ""},
    {"dicom/pydicom-data/OT-PAL-8-face.dcm", 480, 640, 1, true, "1.2.840.10008.1.2", "PALETTE COLOR", "meta"},
    {"dicom/dicomParser/report_dfl", 0, 0, 0, false, "1.2.840.10008.1.2.1.99", "", ""},
    {"dicom-wsi/jpeg.dicom", 256, 256, 12, true, "1.2.840.10008.1.2.4.50", "YBR_FULL_422", ""},
};

static void good_files(void **state)
{
    (void)state;
    for (size_t i = 0; have_shared() && i < sizeof(good) / sizeof(good[0]); i++) {
        char path[512], why[256];
        cn_dicom_index index = {.tags = NULL};
        assert_true(cn_fmt(path, sizeof(path), SHARED "%s", good[i].path));
        if (look(path, &index, why) != CN_OK) fail_msg("%s: %s", good[i].path, why);
        if (index.rows != good[i].rows || index.columns != good[i].columns || index.frames != good[i].frames ||
            index.as_stored != good[i].as_stored || strcmp(index.syntax, good[i].syntax) != 0 ||
            strcmp(index.photometric, good[i].photometric) != 0 || strcmp(index.note, good[i].note) != 0)
            fail_msg("%s: %ux%u, %u frames, %d, %s, %s, \"%s\"", good[i].path, index.rows, index.columns, index.frames,
                     index.as_stored, index.syntax, index.photometric, index.note);
        assert_true(index.as_stored == (index.frame != NULL));
        cn_dicom_index_clear(&index);
    }
}

/* ---- names ---- */

static const struct {
    const char *path, *group, *name;
} names[] = {
    {"chrX1.dcm", "Alphabetic", "Wang^XiaoDong"}, {"chrX1.dcm", "Ideographic", "王^小東"},
    {"chrX2.dcm", "Alphabetic", "Wang^XiaoDong"}, {"chrX2.dcm", "Ideographic", "王^小东"},
    {"chrFren.dcm", "Alphabetic", "Buc^Jérôme"},  {"chrGerm.dcm", "Alphabetic", "Äneas^Rüdiger"},
    {"chrGreek.dcm", "Alphabetic", "Διονυσιος"},  {"chrRuss.dcm", "Alphabetic", "Люкceмбypг"},
    {"chrArab.dcm", "Alphabetic", "قباني^لنزار"}, {"chrHbrw.dcm", "Alphabetic", "שרון^דבורה"},
    {"chrH31.dcm", "Ideographic", "山田^太郎"},   {"chrH31.dcm", "Phonetic", "やまだ^たろう"},
    {"chrH32.dcm", "Alphabetic", "ﾔﾏﾀﾞ^ﾀﾛｳ"},     {"chrH32.dcm", "Ideographic", "山田^太郎"},
    {"chrI2.dcm", "Ideographic", "洪^吉洞"},      {"chrI2.dcm", "Phonetic", "홍^길동"},
};

static const char *name_of(const cn_dicom_index *index, const char *group)
{
    const json_t *values = json_object_get(json_object_get(index->tags, "00100010"), "Value");
    const char *name = json_string_value(json_object_get(json_array_get(values, 0), group));
    return name ? name : "";
}

static void names_in_every_charset(void **state)
{
    (void)state;
    for (size_t i = 0; have_shared() && i < sizeof(names) / sizeof(names[0]); i++) {
        char path[512], why[256];
        cn_dicom_index index = {.tags = NULL};
        assert_true(cn_fmt(path, sizeof(path), SHARED "dicom/charset/%s", names[i].path));
        if (look(path, &index, why) != CN_OK) fail_msg("%s: %s", names[i].path, why);
        if (strcmp(name_of(&index, names[i].group), names[i].name) != 0)
            fail_msg("%s: %s instead of %s", names[i].path, name_of(&index, names[i].group), names[i].name);
        assert_string_equal(index.note, "");
        cn_dicom_index_clear(&index);
    }
}

/* ---- every file ---- */

static unsigned seen, taken;
static bool talkative;

static void tell(const char *path, cn_err err, const char *why, const cn_dicom_index *index)
{
    if (!talkative) return;
    if (err != CN_OK)
        printf("%s: %s %s\n", path + strlen(SHARED), cn_err_name(err), why);
    else
        printf("%s: %ux%u %u frames %s%s [%s] %s\n", path + strlen(SHARED), index->columns, index->rows, index->frames,
               index->as_stored ? "stored " : "", index->photometric, index->note, index->syntax);
}

static int one_file(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)at;
    if (type != FTW_F) return 0;
    char why[256];
    cn_dicom_index index = {.tags = NULL};
    uint64_t from = cn_mono_ms();
    cn_err err = look(path, &index, why);
    seen++;
    taken += err == CN_OK;
    tell(path, err, why, &index);
    if (cn_mono_ms() - from > 5000) fail_msg("%s took %llu ms", path, (unsigned long long)(cn_mono_ms() - from));
    if (err == CN_ERR_CRASHED || err == CN_ERR_TIMEOUT) fail_msg("%s: %s", path, cn_err_name(err));
    if (err != CN_OK && !why[0]) fail_msg("%s: %s without a reason", path, cn_err_name(err));
    if (err == CN_OK && !json_object_size(index.tags)) fail_msg("%s: no elements", path);
    cn_dicom_index_clear(&index);
    return 0;
}

static void every_file_is_taken_or_refused(void **state)
{
    (void)state;
    if (!have_shared()) return;
    talkative = getenv("CONSILIUM_TELL") != NULL;
    assert_int_equal(nftw(SHARED "dicom", one_file, 16, 0), 0);
    assert_int_equal(nftw(SHARED "dicom-wsi", one_file, 16, 0), 0);
    print_message("%u of %u files taken\n", taken, seen);
    assert_true(taken > 200);
}

/* ---- how long it takes ---- */

static void a_thousand_images(void **state)
{
    (void)state;
    enum { IMAGES = 1000 };
    if (!have_shared()) return;
    uint64_t from = cn_mono_ms();
    for (int i = 0; i < IMAGES; i++) {
        char why[256];
        cn_dicom_index index = {.tags = NULL};
        assert_int_equal(look(SHARED "dicom/pydicom-data/693_UNCI.dcm", &index, why), CN_OK);
        cn_dicom_index_clear(&index);
    }
    double each = (double)(cn_mono_ms() - from) / IMAGES;
    print_message("%.3f ms for one CT image of 512 x 512\n", each);
    assert_true(each < 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_thousand_images), cmocka_unit_test(good_files),
                                       cmocka_unit_test(names_in_every_charset),
                                       cmocka_unit_test(every_file_is_taken_or_refused)};
    return cmocka_run_group_tests(tests, dicom_setup, dicom_teardown);
}
