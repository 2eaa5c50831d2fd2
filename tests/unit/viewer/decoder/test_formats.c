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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_format_is_read),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
