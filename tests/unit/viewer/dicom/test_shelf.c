/* Instances that are looked at: what a file holds is asked of a reader once, and found again by what is kept beside the object. */
#include "cn_test.h"

#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "support_db.h"
#include "support_dicom.h"
#include "viewer/dicom/shelf.h"

enum { ROWS = 4, COLUMNS = 6, FRAMES = 3 };

/* A picture of three frames in the store. */
static cn_files *store(char sha[65])
{
    char path[256];
    uint8_t pixels[ROWS * COLUMNS * FRAMES];
    cn_buf file = {.p = NULL};
    cn_files *files = NULL;
    for (size_t i = 0; i < sizeof pixels; i++) pixels[i] = (uint8_t)i;
    dicom_begin(&file, "1.2.840.10008.1.2.1");
    dicom_image(&file, NULL, "Phantom", ROWS, COLUMNS, FRAMES);
    dicom_bytes(&file, 0x7fe00010, "OB", pixels, sizeof pixels);
    snprintf(path, sizeof path, "%s/shelf", support_dir());
    assert_int_equal(cn_files_open(&files, path), CN_OK);
    snprintf(path, sizeof path, "%s/image.dcm", support_dir());
    assert_int_equal(cn_file_write_durable(path, file.p, file.n, 0600), CN_OK);
    assert_int_equal(cn_files_put_path(files, path, sha), CN_OK);
    cn_buf_free(&file);
    return files;
}

static cn_dicom_opened *opened(cn_dicom_shelf *shelf, const char *sha)
{
    char why[256] = "";
    cn_dicom_opened *one = NULL;
    if (cn_dicom_shelf_open(shelf, sha, &one, why, sizeof why) != CN_OK) fail_msg("%s", why);
    return one;
}

/* The last byte of the last frame is where its place says. */
static void frames_are_right(const cn_dicom_opened *one)
{
    uint8_t byte = 0;
    assert_int_equal(one->index.frames, FRAMES);
    assert_true(one->index.as_stored);
    assert_null(one->index.tags);
    const cn_dicom_span *last = &one->index.frame[FRAMES - 1];
    assert_int_equal(last->length, ROWS * COLUMNS);
    assert_int_equal(cn_read_at(one->fd, &byte, 1, last->offset + last->length - 1, true), CN_OK);
    assert_int_equal(byte, ROWS * COLUMNS * FRAMES - 1);
}

static void a_file_is_read_through_once(void **state)
{
    (void)state;
    char sha[65], record[512];
    cn_files *files = store(sha);
    cn_dicom_shelf *shelf = NULL;
    assert_int_equal(cn_dicom_shelf_new(&shelf, files, readers), CN_OK);
    assert_null(cn_dicom_shelf_find(shelf, sha));
    cn_dicom_opened *one = opened(shelf, sha), *again = cn_dicom_shelf_find(shelf, sha);
    frames_are_right(one);
    assert_ptr_equal(one, again);
    cn_unref(again);
    cn_dicom_shelf_free(shelf);
    frames_are_right(one); /* whoever has one keeps it */
    cn_unref(one);

    /* with no reader to ask */
    cn_dicom_readers *nobody = NULL;
    assert_int_equal(cn_dicom_readers_new(&nobody, CN_BUILD_DIR "/consilium-dicom", 0), CN_OK);
    assert_int_equal(cn_dicom_shelf_new(&shelf, files, nobody), CN_OK);
    one = opened(shelf, sha);
    frames_are_right(one);
    cn_unref(one);
    cn_dicom_index index;
    assert_int_equal(cn_dicom_shelf_tags(shelf, sha, &index, NULL, 0), CN_OK);
    assert_non_null(json_object_get(index.tags, "00280008"));
    cn_dicom_index_clear(&index);
    assert_int_equal(cn_dicom_shelf_tags(shelf, "00", &index, NULL, 0), CN_ERR_INVALID);
    cn_dicom_shelf_free(shelf);
    cn_dicom_readers_free(nobody);

    /* bent: asked for again, and kept again */
    assert_int_equal(cn_files_index_path(files, sha, record, sizeof record), CN_OK);
    assert_int_equal(cn_file_write_durable(record, "CNDICOMX and more", 17, 0600), CN_OK);
    assert_int_equal(cn_dicom_record_load(record, 1 << 20, false, &index), CN_ERR_CORRUPT);
    assert_int_equal(cn_dicom_shelf_new(&shelf, files, readers), CN_OK);
    one = opened(shelf, sha);
    frames_are_right(one);
    assert_int_equal(cn_dicom_record_load(record, one->file_bytes, true, &index), CN_OK);
    cn_dicom_index_clear(&index);
    /* it is about a file of that length */
    assert_int_equal(cn_dicom_record_load(record, one->file_bytes - 1, true, &index), CN_ERR_CORRUPT);
    cn_unref(one);
    cn_dicom_shelf_free(shelf);
    cn_files_close(files);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_file_is_read_through_once)};
    return cmocka_run_group_tests(tests, dicom_setup, dicom_teardown);
}
