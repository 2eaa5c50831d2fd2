/* A slide's own tiles and its cells: what a browser shows of them is what OpenSlide reads, and tiles that are sent as they
 * are stand so in the file. */
#include "cn_test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jpeglib.h>

#include "base/child.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "support_tiff.h"
#include "viewer/decoder/pixels.h"
#include "viewer/decoder/slide.h"
#include "viewer/slide/native.h"

#include <openslide.h>

static char folder[] = "/tmp/consilium-test-tiles-XXXXXX";
static char demo[96];
static uint8_t answer[4 << 20];

static int setup(void **state)
{
    (void)state;
    char dir[64];
    if (!mkdtemp(folder) || !cn_fmt(dir, sizeof(dir), "%s/a", folder) || mkdir(dir, 0700)) return -1;
    cn_fmt(demo, sizeof(demo), "%s/demo.tif", dir);
    const char *const argv[] = {CN_BUILD_DIR "/consilium-demo-slide", demo, "3000", "2000", "7", NULL};
    int status = -1;
    return cn_child_run(argv, &(cn_child_limits){.wall_seconds = 60}, &status) == CN_OK ? status : -1;
}

static int teardown(void **state)
{
    (void)state;
    const char *const argv[] = {"rm", "-rf", folder, NULL};
    int status = -1;
    return cn_child_run(argv, &(cn_child_limits){.wall_seconds = 30}, &status) == CN_OK ? status : -1;
}

/* ---- pictures ---- */

/* As a browser does: nothing is told to libjpeg. */
static uint8_t *decode(const void *bytes, size_t len, uint32_t *width, uint32_t *height)
{
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_decompress(&jpeg);
    jpeg_mem_src(&jpeg, bytes, len);
    assert_int_equal(jpeg_read_header(&jpeg, TRUE), JPEG_HEADER_OK);
    jpeg.out_color_space = JCS_RGB;
    jpeg_start_decompress(&jpeg);
    *width = jpeg.output_width;
    *height = jpeg.output_height;
    uint8_t *rgb = cn_calloc((size_t)*width * *height, 3);
    assert_non_null(rgb);
    while (jpeg.output_scanline < *height) {
        JSAMPROW line = rgb + (size_t)3 * *width * jpeg.output_scanline;
        jpeg_read_scanlines(&jpeg, &line, 1);
    }
    jpeg_finish_decompress(&jpeg);
    jpeg_destroy_decompress(&jpeg);
    return rgb;
}

static uint8_t *encode(const uint8_t *rgb, uint32_t width, uint32_t height, unsigned long *len)
{
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    unsigned char *bytes = NULL;
    *len = 0;
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &bytes, len);
    jpeg.image_width = width;
    jpeg.image_height = height;
    jpeg.input_components = 3;
    jpeg.in_color_space = JCS_RGB;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, 90, TRUE);
    for (int i = 0; i < 3; i++) jpeg.comp_info[i].h_samp_factor = jpeg.comp_info[i].v_samp_factor = 1;
    jpeg_start_compress(&jpeg, TRUE);
    while (jpeg.next_scanline < height) {
        JSAMPROW line = (JSAMPROW)(uintptr_t)(rgb + (size_t)3 * width * jpeg.next_scanline);
        jpeg_write_scanlines(&jpeg, &line, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    return bytes;
}

/* What OpenSlide itself reads of a rectangle in a level's pixels. */
static uint8_t *region(openslide_t *osr, int32_t level, int64_t x, int64_t y, int64_t width, int64_t height)
{
    double down = openslide_get_level_downsample(osr, level);
    uint32_t *argb = cn_calloc((size_t)(width * height), 4);
    uint8_t *rgb = cn_calloc((size_t)(width * height), 3);
    assert_true(argb && rgb);
    openslide_read_region(osr, argb, (int64_t)((double)x * down + 0.5), (int64_t)((double)y * down + 0.5), level, width,
                          height);
    assert_null(openslide_get_error(osr));
    cn_pixels_flatten(argb, (size_t)(width * height), 0xffffff, rgb);
    free(argb);
    return rgb;
}

/* ---- a slide, as its worker has it and as the server reads it ---- */

typedef struct opened {
    cn_dslide *slide;
    openslide_t *osr;
    cn_decode_info info;
    char *file;
    size_t file_n;
    int fd;
} opened;

static void open_slide(opened *out, const char *path)
{
    size_t n = 0;
    *out = (opened){.fd = open(path, O_RDONLY | O_CLOEXEC)};
    assert_true(out->fd >= 0);
    assert_ok(cn_dslide_open(&out->slide, path));
    assert_non_null(out->osr = openslide_open(path));
    assert_ok(cn_file_read(path, 64 << 20, &out->file, &out->file_n));
    assert_ok(cn_dslide_answer(out->slide, &(cn_decode_ask){.op = CN_DECODE_INFO}, answer, sizeof(answer), &n));
    assert_true(cn_decode_info_read(answer, n, &out->info));
}

static void close_slide(opened *slide)
{
    cn_dslide_close(slide->slide);
    openslide_close(slide->osr);
    free(slide->file);
    close(slide->fd);
}

static cn_decode_ask ask_of(const opened *slide, uint32_t op, uint32_t level, int64_t column, int64_t row)
{
    return (cn_decode_ask){.op = op, .level = level, .column = column, .row = row, .size = slide->info.levels};
}

/* In pages as small as they get, so that there are many. */
static void load(const opened *slide, uint32_t level, size_t page, cn_tiletable *table)
{
    int64_t columns = (slide->info.level_width[level] - 1) / slide->info.tile_width[level] + 1;
    int64_t rows = (slide->info.level_height[level] - 1) / slide->info.tile_height[level] + 1;
    assert_ok(cn_tiletable_init(table, (uint64_t)(columns * rows)));
    while (table->known < table->tiles) {
        size_t n = 0;
        const cn_decode_ask ask = ask_of(slide, CN_DECODE_TABLE, level, (int64_t)table->known, 0);
        assert_ok(cn_dslide_answer(slide->slide, &ask, answer, page, &n));
        assert_ok(cn_tiletable_add(table, answer, n, slide->file_n));
    }
}

static void same_pixels(const opened *slide, uint32_t level, int64_t column, int64_t row, const void *bytes, size_t len)
{
    uint32_t width = 0, height = 0, tile_width = slide->info.tile_width[level];
    int64_t left = slide->info.level_width[level] - column * tile_width;
    int64_t top = slide->info.level_height[level] - row * slide->info.tile_height[level];
    uint8_t *shown = decode(bytes, len, &width, &height);
    assert_int_equal(width, tile_width);
    assert_int_equal(height, slide->info.tile_height[level]);
    if (left > width) left = width; /* the viewer cuts the rest off */
    if (top > height) top = height;
    uint8_t *wanted = region(slide->osr, (int32_t)level, column * width, row * height, left, top);
    for (int64_t y = 0; y < top; y++)
        assert_memory_equal(shown + 3 * y * width, wanted + 3 * y * left, (size_t)(3 * left));
    free(shown);
    free(wanted);
}

/* Every tile of every level. */
static void tiles_are_the_files(const char *path, bool adobe)
{
    opened slide;
    open_slide(&slide, path);
    for (uint32_t level = 0; level < slide.info.levels; level++) {
        cn_tiletable table;
        assert_int_equal(slide.info.native[level], CN_NATIVE_SLIDE);
        load(&slide, level, 2048, &table);
        assert_int_equal(memmem(table.front, table.front_n, "Adobe", 5) != NULL, adobe);
        int64_t columns = (slide.info.level_width[level] - 1) / slide.info.tile_width[level] + 1;
        for (uint64_t i = 0; i < table.tiles; i++) {
            uint64_t place = cn_tiletable_place(&table, i);
            void *bytes = NULL;
            size_t n = 0;
            assert_ok(cn_native_read(&table, place, slide.fd, true, &bytes, &n));
            /* once what was put in front is taken out, it is the file */
            assert_int_equal(n - table.front_n + 2, cn_tile_length(place));
            assert_memory_equal((char *)bytes + table.front_n, slide.file + cn_tile_offset(place) + 2,
                                n - table.front_n);
            same_pixels(&slide, level, (int64_t)i % columns, (int64_t)i / columns, bytes, n);
            free(bytes);
        }
        cn_tiletable_end(&table);
    }
    close_slide(&slide);
}

static void a_browser_shows_what_is_stored(void **state)
{
    (void)state;
    tiles_are_the_files(demo, false);
}

/* Real ones, in folders of their own. False: they are not here. */
static bool real(const char *name, char path[300])
{
    char from[300];
    cn_fmt(from, sizeof(from), CN_SOURCE_DIR "/../shared/data/wsi/%s", name);
    if (access(from, R_OK) != 0) {
        print_message("skipped: no ../shared/data\n");
        return false;
    }
    cn_fmt(path, 300, "%s/%s", folder, name);
    mkdir(path, 0700);
    cn_fmt(path, 300, "%s/%s/%s", folder, name, name);
    char *bytes = NULL;
    size_t n = 0;
    assert_ok(cn_file_read(from, 64 << 20, &bytes, &n));
    assert_ok(cn_file_write_durable(path, bytes, n, 0600));
    free(bytes);
    return true;
}

/* Aperio's RGB tiles say nowhere that they are: without Adobe's segment every browser shows them green. */
static void rgb_that_does_not_say_so_keeps_its_colours(void **state)
{
    (void)state;
    char path[300];
    if (!real("CMU-1-Small-Region.svs", path)) skip();
    tiles_are_the_files(path, true);
}

static void a_cell_is(const opened *slide, uint32_t level, int64_t column, int64_t row)
{
    size_t n = 0;
    unsigned long wanted_n = 0;
    const cn_decode_info *info = &slide->info;
    const cn_decode_ask ask = ask_of(slide, CN_DECODE_CELL, level, column, row);
    assert_ok(cn_dslide_answer(slide->slide, &ask, answer, sizeof(answer), &n));
    int64_t width = info->level_width[level] - 512 * column, height = info->level_height[level] - 512 * row;
    if (width > 512) width = 512;
    if (height > 512) height = 512;
    uint8_t *rgb = region(slide->osr, (int32_t)level, 512 * column, 512 * row, width, height);
    uint8_t *wanted = encode(rgb, (uint32_t)width, (uint32_t)height, &wanted_n);
    assert_int_equal(n, wanted_n);
    assert_memory_equal(answer, wanted, n);
    free(wanted);
    free(rgb);
}

/* NDPI has one strip a level: what is encoded is exactly OpenSlide's pixels, in libjpeg's quality 90, 4:4:4. */
static void cells_are_what_openslide_reads(void **state)
{
    (void)state;
    char path[300];
    opened slide;
    size_t n = 0;
    if (!real("test3-DAPI-2-387.ndpi", path)) skip();
    open_slide(&slide, path);
    for (uint32_t level = 0; level < slide.info.levels; level++) {
        assert_int_equal(slide.info.native[level], CN_NATIVE_NO);
        assert_int_equal(slide.info.tile_width[level], CN_DECODE_CELL_SIDE);
        int64_t column = (slide.info.level_width[level] - 1) / 512, row = (slide.info.level_height[level] - 1) / 512;
        a_cell_is(&slide, level, 0, 0);
        a_cell_is(&slide, level, column, row);
        const cn_decode_ask past = ask_of(&slide, CN_DECODE_CELL, level, column + 1, row);
        assert_int_equal(cn_dslide_answer(slide.slide, &past, answer, sizeof(answer), &n), CN_ERR_NOTFOUND);
    }
    close_slide(&slide);
}

/* ---- tiles that are not there ---- */

static void nothing_written_is_background(void **state)
{
    (void)state;
    char path[300];
    opened slide;
    cn_tiletable table;
    size_t n = 0;
    uint32_t width = 0, height = 0;
    cn_fmt(path, sizeof(path), "%s/empty", folder);
    tiff_changed_copy(demo, path, "slide.tif", tiff_empty_tiles);
    cn_fmt(path, sizeof(path), "%s/empty/slide.tif", folder);
    open_slide(&slide, path);
    load(&slide, 0, sizeof(answer), &table);
    for (uint64_t i = 0; i < table.tiles; i++)
        assert_int_equal(cn_tiletable_place(&table, i) == CN_TILE_EMPTY, i % 3 == 0);
    const cn_decode_ask cell = ask_of(&slide, CN_DECODE_CELL, 0, 3, 2);
    assert_ok(cn_dslide_answer(slide.slide, &cell, answer, sizeof(answer), &n));
    uint8_t *rgb = decode(answer, n, &width, &height);
    assert_true(width == 256 && height == 256);
    for (size_t i = 0; i < 3 * 256 * 256; i++) assert_int_equal(rgb[i], 255);
    free(rgb);
    cn_tiletable_end(&table);
    close_slide(&slide);
}

/* A file that was cut off, and one in whose middle something else stands: an error for what is gone, the rest is there. */
static void what_is_damaged_is_an_error(void **state)
{
    (void)state;
    opened slide;
    cn_tiletable table;
    char path[300];
    unsigned good = 0, bad = 0;
    open_slide(&slide, demo);
    load(&slide, 0, sizeof(answer), &table);
    cn_fmt(path, sizeof(path), "%s/hole", folder);
    memset(slide.file + slide.file_n / 8, 0x5a, slide.file_n / 8);
    assert_ok(cn_file_write_durable(path, slide.file, slide.file_n, 0600));
    CN_AUTO_CLOSE int hole = open(path, O_RDONLY | O_CLOEXEC);
    for (uint64_t i = 0; i < table.tiles; i++) {
        void *bytes = NULL;
        size_t n = 0;
        cn_err err = cn_native_read(&table, cn_tiletable_place(&table, i), hole, true, &bytes, &n);
        assert_true(err == CN_OK || err == CN_ERR_CORRUPT);
        *(err == CN_OK ? &good : &bad) += 1;
        free(bytes);
    }
    assert_true(good > 10 && bad > 10);
    assert_ok(ftruncate(open(path, O_RDWR | O_CLOEXEC), 100) == 0 ? CN_OK : CN_ERR_IO);
    void *bytes = NULL;
    size_t n = 0;
    assert_int_equal(cn_native_read(&table, cn_tiletable_place(&table, 20), hole, true, &bytes, &n), CN_ERR_CORRUPT);
    cn_tiletable_end(&table);
    close_slide(&slide);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_browser_shows_what_is_stored), cmocka_unit_test(rgb_that_does_not_say_so_keeps_its_colours),
        cmocka_unit_test(cells_are_what_openslide_reads), cmocka_unit_test(nothing_written_is_background),
        cmocka_unit_test(what_is_damaged_is_an_error),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
