/* What leaves without identity: no name, number, date or private element of the old file stands in any byte of the new one, and boxes are black. */
#include "cn_test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "support_dicom.h"
#include "viewer/dicom/reader.h"

#define EXPLICIT "1.2.840.10008.1.2.1"

static const cn_dicom_box box = {.x = 1, .y = 0, .width = 2, .height = 1};

static int with_identity(const char *photometric)
{
    cn_buf file = {.p = NULL};
    dicom_begin(&file, EXPLICIT);
    dicom_text(&file, 0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.7");
    dicom_text(&file, 0x00080018, "UI", "1.2.3.4");
    dicom_text(&file, 0x00080020, "DA", "20260102");
    dicom_text(&file, 0x00080060, "CS", "OT");
    dicom_text(&file, 0x00080080, "LO", "SECRET-HOSPITAL");
    dicom_text(&file, 0x0008103e, "LO", "SECRET-SERIES");
    dicom_head(&file, 0x00081140, "SQ", 0xffffffff);
    dicom_item(&file, 0xfffee000, 0xffffffff);
    dicom_text(&file, 0x00081150, "UI", "1.2.840.10008.5.1.4.1.1.7");
    dicom_text(&file, 0x00081155, "UI", "1.2.3.4");
    dicom_item(&file, 0xfffee00d, 0);
    dicom_item(&file, 0xfffee0dd, 0);
    dicom_text(&file, 0x00090010, "LO", "SECRET-MAKER");
    dicom_text(&file, 0x00091001, "LO", "SECRET-PRIVATE");
    dicom_text(&file, 0x00100010, "PN", "SECRET^NAME");
    dicom_text(&file, 0x00100020, "LO", "SECRET-ID");
    dicom_text(&file, 0x00181000, "LO", "SECRET-SERIAL");
    dicom_text(&file, 0x0020000d, "UI", "1.2.3");
    dicom_text(&file, 0x0020000e, "UI", "1.2.3.1");
    dicom_us(&file, 0x00280002, 1);
    dicom_text(&file, 0x00280004, "CS", photometric);
    dicom_us(&file, 0x00280010, 2);
    dicom_us(&file, 0x00280011, 3);
    dicom_us(&file, 0x00280100, 8);
    dicom_us(&file, 0x00280101, 8);
    dicom_us(&file, 0x00280102, 7);
    dicom_us(&file, 0x00280103, 0);
    dicom_text(&file, 0x00324001, "LT", "SECRET in no table");
    dicom_bytes(&file, 0x7fe00010, "OB", "abcdef", 6);
    return dicom_open(&file);
}

static char *cleaned(int fd, const cn_dicom_deid *how, size_t *n, cn_dicom_index *index)
{
    char why[256] = "";
    struct stat st;
    CN_AUTO_CLOSE int out = memfd_create("clean", MFD_CLOEXEC);
    if (cn_dicom_reader_deidentify(reader, fd, how, out, why, sizeof(why)) != CN_OK) fail_msg("%s", why);
    if (cn_dicom_reader_index(reader, out, index, why, sizeof(why)) != CN_OK) fail_msg("%s", why);
    assert_int_equal(fstat(out, &st), 0);
    *n = (size_t)st.st_size;
    char *bytes = cn_calloc(1, *n);
    assert_true(pread(out, bytes, *n, 0) == (ssize_t)*n);
    return bytes;
}

static const char *word(const cn_dicom_index *index, const char *tag)
{
    return json_string_value(json_array_get(json_object_get(json_object_get(index->tags, tag), "Value"), 0));
}

static void nothing_of_the_patient(void **state)
{
    (void)state;
    const cn_dicom_deid how = {.key = {1, 2, 3}};
    cn_dicom_index index = {.tags = NULL};
    size_t n = 0;
    CN_AUTO_CLOSE int fd = with_identity("MONOCHROME2");
    CN_AUTO_FREE char *bytes = cleaned(fd, &how, &n, &index);
    assert_null(memmem(bytes, n, "SECRET", 6));
    assert_null(memmem(bytes, n, "20260102", 8));
    assert_null(memmem(bytes, n, "1.2.3", 5));
    assert_non_null(memmem(bytes, n, "abcdef", 6));
    assert_string_equal(word(&index, "00120062"), "YES");
    assert_string_equal(word(&index, "00080060"), "OT");
    assert_string_equal(index.sop_class, "1.2.840.10008.5.1.4.1.1.7");
    assert_null(json_object_get(index.tags, "00090010"));
    /* references go on pointing */
    json_t *sequence = json_object_get(json_object_get(index.tags, "00081140"), "Value");
    json_t *uid = json_object_get(json_array_get(sequence, 0), "00081155");
    assert_string_equal(json_string_value(json_array_get(json_object_get(uid, "Value"), 0)), index.instance);
    assert_true(strncmp(index.study, "2.25.", 5) == 0 && strcmp(index.study, index.series) != 0);
    cn_dicom_index_clear(&index);
}

static void uids_by_key(void **state)
{
    (void)state;
    char study[3][65];
    for (unsigned char i = 0; i < 3; i++) {
        const cn_dicom_deid how = {.key = {i / 2}};
        cn_dicom_index index = {.tags = NULL};
        size_t n = 0;
        CN_AUTO_CLOSE int fd = with_identity("MONOCHROME2");
        free(cleaned(fd, &how, &n, &index));
        memcpy(study[i], index.study, 65);
        cn_dicom_index_clear(&index);
    }
    assert_string_equal(study[0], study[1]);
    assert_string_not_equal(study[1], study[2]);
}

static void boxes_are_black(void **state)
{
    (void)state;
    static const char *const photometric[] = {"MONOCHROME2", "MONOCHROME1"};
    static const char *const pixels[] = {"a\0\0def", "a\xff\xff"
                                                     "def"};
    for (int i = 0; i < 2; i++) {
        const cn_dicom_deid how = {.key = {1}, .box = &box, .boxes = 1};
        cn_dicom_index index = {.tags = NULL};
        size_t n = 0;
        CN_AUTO_CLOSE int fd = with_identity(photometric[i]);
        CN_AUTO_FREE char *bytes = cleaned(fd, &how, &n, &index);
        assert_int_equal(index.pixel_length, 6);
        assert_memory_equal(bytes + index.pixel_offset, pixels[i], 6);
        cn_dicom_index_clear(&index);
    }
}

/* A compressed picture of the collection: decoded where there is a box, otherwise as it was. */
static void compressed_pictures(void **state)
{
    (void)state;
    CN_AUTO_CLOSE int fd =
        open(CN_SOURCE_DIR "/../shared/data/dicom/pydicom/examples_ybr_color.dcm", O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        print_message("skipped: no ../shared/data\n");
        return;
    }
    cn_dicom_index index = {.tags = NULL};
    size_t n = 0;
    const cn_dicom_deid as_is = {.key = {1}}, boxed = {.key = {1}, .box = &box, .boxes = 1};
    free(cleaned(fd, &as_is, &n, &index));
    assert_true(index.as_stored && index.frames == 30);
    assert_string_equal(index.syntax, "1.2.840.10008.1.2.4.50");
    cn_dicom_index_clear(&index);
    CN_AUTO_FREE char *bytes = cleaned(fd, &boxed, &n, &index);
    assert_string_equal(index.syntax, EXPLICIT);
    assert_string_equal(index.photometric, "RGB");
    for (uint32_t frame = 0; frame < index.frames; frame++)
        for (size_t at = 3; at < 9; at++) assert_int_equal(bytes[index.frame[frame].offset + at], 0);
    cn_dicom_index_clear(&index);
}

static void documents_do_not_leave(void **state)
{
    (void)state;
    cn_buf file = {.p = NULL};
    char why[256] = "";
    dicom_begin(&file, EXPLICIT);
    dicom_image(&file, NULL, "A^B", 0, 0, 0);
    dicom_bytes(&file, 0x00420011, "OB", "%PDF", 4);
    CN_AUTO_CLOSE int fd = dicom_open(&file);
    CN_AUTO_CLOSE int out = memfd_create("clean", MFD_CLOEXEC);
    const cn_dicom_deid how = {.key = {1}};
    assert_int_equal(cn_dicom_reader_deidentify(reader, fd, &how, out, why, sizeof(why)), CN_ERR_UNSUPPORTED);
    assert_string_equal(why, "(0042,0011) EncapsulatedDocument: a document cannot be freed of names.");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_of_the_patient), cmocka_unit_test(uids_by_key),
                                       cmocka_unit_test(boxes_are_black), cmocka_unit_test(compressed_pictures),
                                       cmocka_unit_test(documents_do_not_leave)};
    return cmocka_run_group_tests(tests, dicom_setup, dicom_teardown);
}
