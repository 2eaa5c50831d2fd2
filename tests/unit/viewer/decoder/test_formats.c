/* Slides of every format that tests/slides makes: OpenSlide opens each as what it is with the picture that was drawn, our
 * decoder's pixels are exactly OpenSlide's, and a locked worker's picture is exactly those, encoded. */
#include "cn_test.h"

#include <math.h>
#include <openslide.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/child.h"
#include "base/mem.h"
#include "base/str.h"
#include "slides/slides.h"
#include "viewer/decoder/jpeg.h"
#include "viewer/decoder/ome.h"
#include "viewer/decoder/pixels.h"
#include "viewer/decoder/slide.h"
#include "viewer/slide/decoders.h"

#define WIDTH 300
#define HEIGHT 200

static char folder[] = "/tmp/consilium-test-formats-XXXXXX";

static int setup(void **state)
{
    if (!mkdtemp(folder)) return -1;
    return cn_decoders_new((cn_decoders **)state, CN_BUILD_DIR "/consilium-decoder", 4) == CN_OK ? 0 : -1;
}

static int teardown(void **state)
{
    const char *const argv[] = {"rm", "-rf", folder, NULL};
    int status = -1;
    cn_decoders_free(*state);
    return cn_child_run(argv, &(cn_child_limits){.wall_seconds = 30}, &status) == CN_OK ? status : -1;
}

static void make(const slides_kind *kind, char path[256])
{
    char dir[200];
    cn_fmt(dir, sizeof(dir), "%s/%s", folder, kind->name);
    cn_fmt(path, 256, "%s/%s", dir, kind->file);
    if (mkdir(dir, 0700) == 0) assert_ok(slides_make(kind, dir));
}

/* dB of the part of a region that is the picture; INFINITY: exactly it. */
static double likeness(const slides_kind *kind, double down, const uint8_t *rgb, int64_t x, int64_t y)
{
    double sum = 0, count = 0;
    for (int64_t j = 0; j < HEIGHT; j++)
        for (int64_t i = 0; i < WIDTH; i++) {
            double px = (double)(x + i) * down - (double)kind->left, py = (double)(y + j) * down - (double)kind->top;
            uint8_t want[3];
            if (px < 0 || py < 0 || px >= (double)kind->width || py >= (double)kind->height) continue;
            slides_pixel(px, py, want);
            for (int c = 0; c < 3; c++) sum += pow((double)rgb[3 * (j * WIDTH + i) + c] - want[c], 2);
            count += 3;
        }
    assert_true(count > 0);
    return sum > 0 ? 10 * log10(255 * 255 * count / sum) : INFINITY;
}

static uint8_t *theirs(openslide_t *osr, int32_t level, int64_t x, int64_t y)
{
    uint32_t *argb = cn_calloc(WIDTH * HEIGHT, 4);
    uint8_t *rgb = cn_calloc(WIDTH * HEIGHT, 3);
    const char *background = openslide_get_property_value(osr, OPENSLIDE_PROPERTY_NAME_BACKGROUND_COLOR);
    openslide_read_region(osr, argb, x, y, level, WIDTH, HEIGHT);
    assert_null(openslide_get_error(osr));
    cn_pixels_flatten(argb, WIDTH * HEIGHT, background ? (uint32_t)strtoul(background, NULL, 16) : 0xffffff, rgb);
    free(argb);
    return rgb;
}

static void encoded_by_a_worker(cn_decoders *decoders, const char *path, int32_t level, int64_t x, int64_t y,
                                const uint8_t *rgb)
{
    const cn_decode_ask ask = {
        .op = CN_DECODE_REGION, .level = (uint32_t)level, .column = x, .row = y, .width = WIDTH, .height = HEIGHT};
    void *bytes = NULL;
    size_t n = 0, want = 0;
    CN_AUTO_FREE uint8_t *jpeg = malloc(1 << 20);
    assert_ok(cn_jpeg_encode(rgb, WIDTH, HEIGHT, jpeg, 1 << 20, &want));
    assert_ok(cn_decoders_ask(decoders, path, "", &ask, &bytes, &n));
    assert_int_equal(n, want);
    assert_memory_equal(bytes, jpeg, n);
    free(bytes);
}

static void one_level(cn_decoders *decoders, const slides_kind *kind, const char *path, openslide_t *osr,
                      cn_dslide *ours, int32_t level)
{
    static const double places[][2] = {{0, 0}, {0.31, 0.22}, {0.7, 0.6}, {-0.05, -0.05}};
    int64_t width = 0, height = 0;
    double down = openslide_get_level_downsample(osr, level);
    openslide_get_level0_dimensions(osr, &width, &height);
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        int64_t step = llround(down);
        int64_t x = (int64_t)((double)width * places[i][0]) / step * step,
                y = (int64_t)((double)height * places[i][1]) / step * step;
        CN_AUTO_FREE uint8_t *want = theirs(osr, level, x, y);
        CN_AUTO_FREE uint8_t *got = NULL;
        if (kind->down[level] > 0 && places[i][0] >= 0) {
            double db = likeness(kind, kind->down[level], want, x / step, y / step);
            if (i == 0) print_message("%s level %d: %.1f dB\n", kind->name, level, db);
            assert_true(kind->lossless ? isinf(db) : db >= 35);
        }
        assert_ok(cn_dslide_read(ours, level, x, y, WIDTH, HEIGHT, &got));
        assert_memory_equal(got, want, WIDTH * HEIGHT * 3);
        encoded_by_a_worker(decoders, path, level, x, y, got);
    }
}

static void every_format_is_read(void **state)
{
    for (const slides_kind *kind = slides_kinds; kind->name; kind++) {
        char path[256];
        cn_dslide *ours = NULL;
        if (!kind->vendor) continue;
        make(kind, path);
        openslide_t *osr = openslide_open(path);
        assert_non_null(osr);
        assert_null(openslide_get_error(osr));
        assert_string_equal(openslide_get_property_value(osr, OPENSLIDE_PROPERTY_NAME_VENDOR), kind->vendor);
        assert_int_equal(openslide_get_level_count(osr), kind->levels);
        assert_ok(cn_dslide_open(&ours, path));
        for (int32_t level = 0; level < kind->levels; level++) one_level(*state, kind, path, osr, ours, level);
        cn_dslide_close(ours);
        openslide_close(osr);
    }
}

/* ---- OME-TIFF ---- */

static void opened(const char *name, cn_dslide **ours, cn_decode_info *info, const slides_kind **kind)
{
    char path[256];
    size_t n = 0;
    for (*kind = slides_kinds; strcmp((*kind)->name, name) != 0; (*kind)++) {
    }
    make(*kind, path);
    assert_ok(cn_dslide_open(ours, path));
    assert_ok(cn_dslide_answer(*ours, &(cn_decode_ask){.op = CN_DECODE_INFO}, info, sizeof(*info), &n));
}

/* Levels smaller than a tile came shifted by what the tile is larger, or blank: OpenSlide shows what libtiff makes of
 * them. */
static void small_levels_stand_where_they_are(void **state)
{
    (void)state;
    cn_dslide *ours = NULL;
    const slides_kind *kind = NULL;
    cn_decode_info info;
    opened("generic-small", &ours, &info, &kind);
    for (int32_t level = 0; level < 3; level++) {
        CN_AUTO_FREE uint8_t *got = NULL;
        int64_t step = (int64_t)kind->down[level];
        assert_ok(cn_dslide_read(ours, level, 8 * step, 4 * step, WIDTH, HEIGHT, &got));
        assert_true(isinf(likeness(kind, kind->down[level], got, 8, 4)));
    }
    cn_dslide_close(ours);
}

static void ome_says_what_it_is(void **state)
{
    (void)state;
    cn_dslide *ours = NULL;
    const slides_kind *kind = NULL;
    cn_decode_info info;
    opened("ome", &ours, &info, &kind);
    assert_string_equal(info.vendor, "ome-tiff");
    assert_int_equal(info.levels, 3);
    assert_int_equal(info.level_width[2], 160);
    assert_true(fabs(info.mpp_x - 0.5) < 1e-9 && fabs(info.mpp_y - 0.5) < 1e-9 && info.objective == 20);
    assert_int_equal(info.z_planes, 3);
    assert_int_equal(info.z_first, 1);
    assert_true(info.z_spacing == 1.5);
    assert_int_equal(info.channels, 3);
    assert_string_equal(info.channel[2].name, "CD8 & CD4");
    assert_int_equal(info.channel[0].colour, 0xff0000);
    assert_int_equal(info.lacks_levels, 0);
    cn_dslide_close(ours);
}

static int by_value(const void *a, const void *b)
{
    return *(const uint16_t *)a - *(const uint16_t *)b;
}

/* What shows a channel: the darkest hundredth and the lightest 500th of its overview in the middle plane are lost. */
static void window_of(int channel, double *low, double *high)
{
    static uint16_t values[160 * 120];
    for (int y = 0; y < 120; y++)
        for (int x = 0; x < 160; x++) values[y * 160 + x] = slides_ome_value(x * 4, y * 4, 1, channel);
    qsort(values, COUNT_OF(values), sizeof(values[0]), by_value);
    *low = values[(size_t)((COUNT_OF(values) - 1) * 0.01)];
    *high = values[(size_t)((COUNT_OF(values) - 1) * 0.998)];
}

static void ome_planes_and_channels(void **state)
{
    (void)state;
    cn_dslide *ours = NULL;
    const slides_kind *kind = NULL;
    cn_decode_info info;
    opened("ome", &ours, &info, &kind);
    cn_ome *ome = NULL;
    char path[256];
    make(kind, path);
    assert_ok(cn_ome_open(&ome, path, &info));
    CN_AUTO_FREE uint32_t *argb = cn_calloc(WIDTH * HEIGHT, 4);
    double low[3], high[3];
    for (int c = 0; c < 3; c++) window_of(c, &low[c], &high[c]);
    for (uint32_t level = 0; level < 2; level++)
        for (uint32_t z = 0; z < 3; z++)
            for (uint32_t channel = 0; channel <= 3; channel++) {
                assert_ok(cn_ome_read(ome, level, 10, 20, WIDTH, HEIGHT, z, channel, argb));
                for (int i = 0; i < WIDTH * HEIGHT; i++)
                    for (int c = 0; c < 3; c++) {
                        double x = (10 + i % WIDTH) * kind->down[level], y = (20 + i / WIDTH) * kind->down[level];
                        double part = (slides_ome_value(x, y, (int)z, c) - low[c]) / (high[c] - low[c]);
                        part = channel && (int)channel - 1 != c ? 0 : fmin(1, fmax(0, part));
                        int got = argb[i] >> (16 - 8 * c) & 255;
                        assert_true(abs(got - (int)(part * 255 + 0.5)) <= 1);
                    }
            }
    assert_err(cn_ome_read(ome, 0, 0, 0, 10, 10, 3, 0, argb), CN_ERR_NOTFOUND);
    assert_err(cn_ome_read(ome, 0, 0, 0, 10, 10, 0, 4, argb), CN_ERR_NOTFOUND);
    cn_ome_close(ome);
    cn_dslide_close(ours);
}

/* A locked worker's answers: another plane and another channel are other pictures, the first is the middle one. */
static void ome_by_a_worker(void **state)
{
    char path[256];
    const slides_kind *kind = slides_kinds;
    void *bytes[4] = {NULL};
    size_t n[4] = {0};
    while (strcmp(kind->name, "ome") != 0) kind++;
    make(kind, path);
    const cn_decode_ask asks[] = {{.op = CN_DECODE_TILE, .level = 10, .column = 1},
                                  {.op = CN_DECODE_TILE, .level = 10, .column = 1, .z = 2},
                                  {.op = CN_DECODE_TILE, .level = 10, .column = 1, .z = 3},
                                  {.op = CN_DECODE_TILE, .level = 10, .column = 1, .z = 2, .channel = 1}};
    for (size_t i = 0; i < COUNT_OF(asks); i++)
        assert_ok(cn_decoders_ask(*state, path, "", &asks[i], &bytes[i], &n[i]));
    assert_true(n[0] == n[1] && memcmp(bytes[0], bytes[1], n[0]) == 0);
    assert_false(n[1] == n[2] && memcmp(bytes[1], bytes[2], n[1]) == 0);
    assert_false(n[1] == n[3] && memcmp(bytes[1], bytes[3], n[1]) == 0);
    for (size_t i = 0; i < COUNT_OF(asks); i++) free(bytes[i]);
    void *none = NULL;
    assert_err(cn_decoders_ask(*state, path, "", &(cn_decode_ask){.op = CN_DECODE_THUMB, .size = 64, .z = 4}, &none, n),
               CN_ERR_NOTFOUND);
}

static void ome_in_colours(void **state)
{
    (void)state;
    cn_dslide *ours = NULL;
    const slides_kind *kind = NULL;
    cn_decode_info info;
    opened("ome-rgb", &ours, &info, &kind);
    assert_int_equal(info.z_planes, 0);
    assert_int_equal(info.channels, 0);
    for (int32_t level = 0; level < 2; level++) {
        int64_t step = (int64_t)kind->down[level];
        CN_AUTO_FREE uint8_t *got = NULL;
        assert_ok(cn_dslide_read(ours, level, 200 * step, 150 * step, WIDTH, HEIGHT, &got));
        assert_true(likeness(kind, kind->down[level], got, 200, 150) >= 35);
    }
    cn_dslide_close(ours);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_format_is_read), cmocka_unit_test(small_levels_stand_where_they_are),
        cmocka_unit_test(ome_says_what_it_is),  cmocka_unit_test(ome_planes_and_channels),
        cmocka_unit_test(ome_by_a_worker),      cmocka_unit_test(ome_in_colours),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
