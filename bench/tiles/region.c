/*
 * bench-region: what a decoded tile costs without a server: openslide_read_region of each tile's region and libjpeg's
 * encoding with the server's settings (quality 90, no subsampling), one after the other in one thread.
 *
 *   bench-region SLIDE SIDE WARM < "LEVEL X Y" a line (X and Y in pixels of level 0, as OpenSlide counts); the first WARM tiles are not timed
 *
 * Prints one JSON object: tiles, the median and the sum of their times in µs, and the bytes of all JPEGs.
 */
#include <openslide.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>

#include "base/clock.h"

#define TILES_MAX 4096
#define SIDE_MAX 1024
#define QUALITY 90

static uint32_t argb[SIDE_MAX * SIDE_MAX];
static uint8_t rgb[SIDE_MAX * SIDE_MAX * 3];
static uint64_t took_us[TILES_MAX];

static void to_rgb(size_t pixels)
{
    for (size_t i = 0; i < pixels; i++) {
        rgb[3 * i] = (uint8_t)(argb[i] >> 16);
        rgb[3 * i + 1] = (uint8_t)(argb[i] >> 8);
        rgb[3 * i + 2] = (uint8_t)argb[i];
    }
}

static unsigned long encode(unsigned side)
{
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr failure;
    unsigned char *bytes = NULL;
    unsigned long length = 0;
    jpeg.err = jpeg_std_error(&failure);
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &bytes, &length);
    jpeg.image_width = jpeg.image_height = side;
    jpeg.input_components = 3;
    jpeg.in_color_space = JCS_RGB;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, QUALITY, TRUE);
    jpeg.comp_info[0].h_samp_factor = jpeg.comp_info[0].v_samp_factor = 1;
    jpeg_start_compress(&jpeg, TRUE);
    while (jpeg.next_scanline < side) {
        JSAMPROW line = rgb + (size_t)jpeg.next_scanline * side * 3;
        jpeg_write_scanlines(&jpeg, &line, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    free(bytes);
    return length;
}

static int by_time(const void *one, const void *other)
{
    uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)other;
    return (a > b) - (a < b);
}

int main(int argc, char **argv)
{
    unsigned side = argc == 4 ? (unsigned)strtoul(argv[2], NULL, 10) : 0;
    unsigned long warm = argc == 4 ? strtoul(argv[3], NULL, 10) : 0;
    openslide_t *slide = side > 0 && side <= SIDE_MAX ? openslide_open(argv[1]) : NULL;
    if (!slide || openslide_get_error(slide)) {
        fprintf(stderr, "usage: bench-region SLIDE SIDE WARM < TILES; a slide that OpenSlide reads\n");
        return 2;
    }
    char line[128];
    size_t tiles = 0;
    uint64_t sum_us = 0, bytes = 0;
    while (tiles < TILES_MAX && fgets(line, sizeof(line), stdin)) {
        char *rest = NULL;
        int32_t level = (int32_t)strtol(line, &rest, 10);
        int64_t left = strtoll(rest, &rest, 10), top = strtoll(rest, &rest, 10);
        uint64_t start_ns = cn_mono_ns();
        openslide_read_region(slide, argb, left, top, level, side, side);
        to_rgb((size_t)side * side);
        unsigned long length = encode(side);
        if (warm > 0) {
            warm--;
            continue;
        }
        bytes += length;
        took_us[tiles] = (cn_mono_ns() - start_ns) / 1000;
        sum_us += took_us[tiles++];
    }
    const char *wrong = openslide_get_error(slide);
    if (wrong || tiles == 0) {
        fprintf(stderr, "bench-region: %s\n", wrong ? wrong : "no tiles were asked for");
        return 1;
    }
    qsort(took_us, tiles, sizeof(took_us[0]), by_time);
    printf("{\"tiles\":%zu,\"p50_us\":%llu,\"sum_us\":%llu,\"bytes\":%llu}\n", tiles,
           (unsigned long long)took_us[tiles / 2], (unsigned long long)sum_us, (unsigned long long)bytes);
    openslide_close(slide);
    return 0;
}
