/* Files that are right and rare, and wrong ones that no collection has: extended offset tables, several fragments, films, text that says the wrong charset, depth. */
#include "cn_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "support_dicom.h"
#include "viewer/dicom/reader.h"

#define ITEM 0xfffee000u
#define ITEM_END 0xfffee00du
#define SEQUENCE_END 0xfffee0ddu
#define UNDEFINED 0xffffffffu
#define EXPLICIT "1.2.840.10008.1.2.1"
#define RLE "1.2.840.10008.1.2.5"
#define JPEG "1.2.840.10008.1.2.4.50"

static void good(int fd, cn_dicom_index *out)
{
    char why[256] = "";
    if (cn_dicom_reader_index(reader, fd, out, why, sizeof(why)) != CN_OK) fail_msg("%s", why);
}

static void refused(int fd, const char *says)
{
    char why[256] = "";
    cn_dicom_index index = {.tags = NULL};
    cn_err err = cn_dicom_reader_index(reader, fd, &index, why, sizeof(why));
    if (err == CN_OK || err == CN_ERR_CRASHED || !strstr(why, says)) fail_msg("%s: %s", cn_err_name(err), why);
}

/* ---- texts ---- */

static const struct {
    const char *charset, *bytes, *group, *name, *note;
} texts[] = {
    {"ISO 2022 IR 58", "Zhang^San=\xd5\xc5^\xc8\xfd", "Ideographic", "张^三", ""},
    {"ISO 2022 IR 58", "Zhang^San=\x1b$)A\xd5\xc5^\x1b$)A\xc8\xfd", "Ideographic", "张^三", ""},
    {"\\ISO 2022 IR 58", "Zhang^San=\x1b$)A\xd5\xc5^\x1b$)A\xc8\xfd", "Ideographic", "张^三", ""},
    {"GBK", "\xd5\xc5\x5c\xc8\xfd", "Alphabetic", "张", ""},
    {"GBK", "\x81\x5c^\xc8\xfd", "Alphabetic", "乗^三", ""}, /* its second byte is a backslash */
    {"GB18030", "\x95\x32\x82\x36^\xc8\xfd", "Alphabetic", "𠀀^三", ""},
    {"GB18030", "\xff^\xc8\xfd", "Alphabetic", "\xef\xbf\xbd^三", "charset"},
    {"ISO_IR 192", "\xe5\xbc\xa0^\xff", "Alphabetic", "张^\xef\xbf\xbd", "charset"},
    {NULL, "\xd5\xc5^\xc8\xfd", "Alphabetic", "张^三", "charset"},
    {NULL, "Buc^J\xe9r\xf4me", "Alphabetic", "Buc^J\xef\xbf\xbdr\xef\xbf\xbdme", "charset"},
    {"ISO_IR 100", "Buc^J\xe9r\xf4me", "Alphabetic", "Buc^Jérôme", ""},
    {"ISO_IR 999", "Hans", "Alphabetic", "Hans", "charset"},
};

static void texts_of_every_kind(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        cn_buf file = {.p = NULL};
        cn_dicom_index index = {.tags = NULL};
        dicom_begin(&file, EXPLICIT);
        dicom_image(&file, texts[i].charset, texts[i].bytes, 0, 0, 0);
        CN_AUTO_CLOSE int fd = dicom_open(&file);
        good(fd, &index);
        const json_t *values = json_object_get(json_object_get(index.tags, "00100010"), "Value");
        const char *name = json_string_value(json_object_get(json_array_get(values, 0), texts[i].group));
        if (!name || strcmp(name, texts[i].name) != 0 || strcmp(index.note, texts[i].note) != 0)
            fail_msg("%zu: %s (%s) instead of %s (%s)", i, name, index.note, texts[i].name, texts[i].note);
        cn_dicom_index_clear(&index);
    }
}

/* ---- fragments ---- */

/* A frame of 4 pixels, all of `value`: one RLE segment. */
static void rle_frame(uint8_t out[68], uint8_t value)
{
    const uint8_t packed[4] = {(uint8_t)(257 - 4), value, 128, 0};
    memset(out, 0, 68);
    out[0] = 1;
    out[4] = 64;
    memcpy(out + 64, packed, 4);
}

static void add_rle(cn_buf *file, uint8_t value)
{
    uint8_t frame[68];
    rle_frame(frame, value);
    dicom_item(file, ITEM, sizeof(frame));
    cn_buf_add(file, frame, sizeof(frame));
}

static void frame_is(int fd, uint32_t frame, uint8_t value)
{
    char why[256] = "";
    void *bytes = NULL;
    size_t n = 0;
    if (cn_dicom_reader_frame(reader, fd, frame, &bytes, &n, why, sizeof(why)) != CN_OK) fail_msg("%s", why);
    assert_int_equal(n, 4);
    for (size_t i = 0; i < n; i++) assert_int_equal(((uint8_t *)bytes)[i], value);
    free(bytes);
}

static void extended_offset_table(void **state)
{
    (void)state;
    cn_buf file = {.p = NULL};
    cn_dicom_index index = {.tags = NULL};
    const uint64_t offsets[] = {0, 76}, lengths[] = {68, 68};
    dicom_begin(&file, RLE);
    dicom_image(&file, NULL, "A^B", 2, 2, 2);
    dicom_bytes(&file, 0x7fe00001, "OV", offsets, sizeof(offsets));
    dicom_bytes(&file, 0x7fe00002, "OV", lengths, sizeof(lengths));
    dicom_head(&file, 0x7fe00010, "OB", UNDEFINED);
    dicom_item(&file, ITEM, 0);
    add_rle(&file, 7);
    add_rle(&file, 200);
    dicom_item(&file, SEQUENCE_END, 0);
    CN_AUTO_CLOSE int fd = dicom_open(&file);
    good(fd, &index);
    assert_true(index.as_stored && index.frames == 2);
    assert_string_equal(index.note, "");
    assert_int_equal(index.frame[1].offset, index.frame[0].offset + 76);
    assert_int_equal(index.frame[1].length, 68);
    frame_is(fd, 0, 7);
    frame_is(fd, 1, 200);
    cn_dicom_index_clear(&index);
}

/* The basic offset table says which fragments are which frame's; a lie is left aside and noted. */
static void fragments_by_table(void **state)
{
    (void)state;
    for (uint32_t lie = 0; lie < 2; lie++) {
        cn_buf file = {.p = NULL};
        cn_dicom_index index = {.tags = NULL};
        uint8_t frame[68];
        dicom_begin(&file, RLE);
        dicom_image(&file, NULL, "A^B", 2, 2, 2);
        dicom_head(&file, 0x7fe00010, "OB", UNDEFINED);
        dicom_item(&file, ITEM, 8);
        const uint32_t table[] = {0, lie ? 60 : 84};
        cn_buf_add(&file, table, 8);
        rle_frame(frame, 9);
        dicom_item(&file, ITEM, 60);
        cn_buf_add(&file, frame, 60);
        dicom_item(&file, ITEM, 8);
        cn_buf_add(&file, frame + 60, 8);
        add_rle(&file, 10);
        dicom_item(&file, SEQUENCE_END, 0);
        CN_AUTO_CLOSE int fd = dicom_open(&file);
        if (lie) {
            refused(fd, "(7FE0,0010) PixelData: which of its 3 fragments belong to which of 2 frames");
            continue;
        }
        good(fd, &index);
        assert_true(!index.as_stored && !index.frame && index.frames == 2);
        frame_is(fd, 0, 9);
        frame_is(fd, 1, 10);
        void *joined = NULL;
        size_t n = 0;
        char why[256] = "";
        assert_int_equal(cn_dicom_reader_stored(reader, fd, 0, &joined, &n, why, sizeof(why)), CN_OK);
        assert_int_equal(n, sizeof(frame));
        assert_memory_equal(joined, frame, n);
        free(joined);
        cn_dicom_index_clear(&index);
    }
}

static void film_in_fragments(void **state)
{
    (void)state;
    cn_buf file = {.p = NULL};
    cn_dicom_index index = {.tags = NULL};
    char why[256] = "";
    void *bytes = NULL;
    size_t n = 0;
    dicom_begin(&file, "1.2.840.10008.1.2.4.102");
    dicom_image(&file, NULL, "A^B", 480, 640, 250);
    dicom_head(&file, 0x7fe00010, "OB", UNDEFINED);
    dicom_item(&file, ITEM, 0);
    for (int i = 0; i < 3; i++) {
        dicom_item(&file, ITEM, 10);
        cn_buf_str(&file, "\1\2\3\4\5\6\7\1\2\3");
    }
    dicom_item(&file, SEQUENCE_END, 0);
    CN_AUTO_CLOSE int fd = dicom_open(&file);
    good(fd, &index);
    assert_true(index.frames == 250 && !index.as_stored && index.pixel_length == 8 + 3 * 18);
    assert_int_equal(cn_dicom_reader_frame(reader, fd, 0, &bytes, &n, why, sizeof(why)), CN_ERR_UNSUPPORTED);
    assert_string_equal(why, "(7FE0,0010) PixelData: a film has no frames of its own.");
    cn_dicom_index_clear(&index);
}

static void document(void **state)
{
    (void)state;
    cn_buf file = {.p = NULL};
    cn_dicom_index index = {.tags = NULL};
    char pdf[3000] = "%PDF-1.4";
    dicom_begin(&file, EXPLICIT);
    dicom_image(&file, NULL, "A^B", 0, 0, 0);
    dicom_bytes(&file, 0x00420011, "OB", pdf, sizeof(pdf));
    dicom_text(&file, 0x00420012, "LO", "application/pdf");
    CN_AUTO_CLOSE int fd = dicom_open(&file);
    good(fd, &index);
    const char *uri = json_string_value(json_object_get(json_object_get(index.tags, "00420011"), "BulkDataURI"));
    unsigned long long offset = 0, length = 0;
    char start[9] = "";
    assert_true(uri && sscanf(uri, "%llu/%llu", &offset, &length) == 2 && length == sizeof(pdf));
    assert_int_equal(pread(fd, start, 8, (off_t)offset), 8);
    assert_string_equal(start, "%PDF-1.4");
    cn_dicom_index_clear(&index);
}

/* ---- hostile ---- */

static void nested_to_the_bottom(void **state)
{
    (void)state;
    cn_buf file = {.p = NULL};
    dicom_begin(&file, EXPLICIT);
    for (int i = 0; i < 500000; i++) {
        dicom_head(&file, 0x00081140, "SQ", UNDEFINED);
        dicom_item(&file, ITEM, UNDEFINED);
    }
    CN_AUTO_CLOSE int fd = dicom_open(&file);
    refused(fd, "(0008,1140) ReferencedImageSequence: sequences are nested more than 64 deep.");
}

static void sizes_that_lie(void **state)
{
    static const struct {
        uint32_t tag;
        unsigned value;
        const char *says;
    } lies[] = {
        {0x00280010, 65535, "(7FE0,0010) PixelData: has 4 bytes, 1 frames of 65535 rows and 2 columns need 131070."},
        {0x00280010, 0, "(0028,0010) Rows: is 0 or missing, and there are pixels."},
        {0x00280100, 7, "(0028,0100) BitsAllocated: 7 bits cannot be."},
        {0x00280101, 12, "(0028,0101) BitsStored: 12 bits of 8 cannot be."},
        {0x00280002, 9, "(0028,0002) SamplesPerPixel: 9 samples cannot be."},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        cn_buf file = {.p = NULL};
        dicom_begin(&file, EXPLICIT);
        dicom_image(&file, NULL, "A^B", 2, 2, 1);
        dicom_us(&file, lies[i].tag, lies[i].value); /* once more, and the last one counts */
        dicom_bytes(&file, 0x7fe00010, "OB", "abcd", 4);
        CN_AUTO_CLOSE int fd = dicom_open(&file);
        refused(fd, lies[i].says);
    }
}

/* Five gigabytes, of which only the pages that are looked at are read. */
static void larger_than_memory(void **state)
{
    (void)state;
    cn_buf file = {.p = NULL};
    cn_dicom_index index = {.tags = NULL};
    char why[256] = "";
    void *bytes = NULL;
    size_t n = 0;
    const uint32_t frames = 3800;
    dicom_begin(&file, EXPLICIT);
    dicom_image(&file, NULL, "A^B", 1000, 1000, frames);
    dicom_head(&file, 0x7fe00010, "OB", frames * 1000000u);
    size_t head = file.n;
    CN_AUTO_CLOSE int fd = dicom_open(&file);
    assert_int_equal(ftruncate(fd, (off_t)head + (off_t)frames * 1000000), 0);
    assert_int_equal(pwrite(fd, "\x2a", 1, (off_t)head + (off_t)(frames - 1) * 1000000), 1);
    good(fd, &index);
    assert_true(index.as_stored && index.frames == frames);
    assert_int_equal(cn_dicom_reader_frame(reader, fd, frames - 1, &bytes, &n, why, sizeof(why)), CN_OK);
    assert_true(n == 1000000 && *(uint8_t *)bytes == 0x2a);
    free(bytes);
    cn_dicom_index_clear(&index);
}

/* ---- workers ---- */

static void places(void **state)
{
    (void)state;
    cn_dicom_reader *second = NULL, *third = NULL;
    assert_int_equal(cn_dicom_reader_open(readers, &second), CN_OK);
    assert_int_equal(cn_dicom_reader_open(readers, &third), CN_ERR_AGAIN);
    cn_dicom_reader_close(second);
    assert_int_equal(cn_dicom_reader_open(readers, &third), CN_OK);
    cn_dicom_reader_close(third);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_of_every_kind),
        cmocka_unit_test(extended_offset_table),
        cmocka_unit_test(fragments_by_table),
        cmocka_unit_test(film_in_fragments),
        cmocka_unit_test(document),
        cmocka_unit_test(nested_to_the_bottom),
        cmocka_unit_test(sizes_that_lie),
        cmocka_unit_test(larger_than_memory),
        cmocka_unit_test(places),
    };
    return cmocka_run_group_tests(tests, dicom_setup, dicom_teardown);
}
