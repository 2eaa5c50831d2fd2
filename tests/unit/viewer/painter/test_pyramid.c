/* Plain pictures of every kind as pyramids: written here by the formats' own libraries, read back by libtiff, and the
 * pixels compared. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <jpeglib.h>
#include <libheif/heif.h>
#include <math.h>
#include <openjpeg.h>
#include <png.h>
#include <tiffio.h>

#include "base/child.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "viewer/painter/exif.h"
#include "viewer/painter/picture.h"

#define WIDTH 1030
#define HEIGHT 310

static char folder[] = "/tmp/consilium-test-pyramid-XXXXXX";
static uint8_t source[3 * WIDTH * HEIGHT];

static uint8_t wave(int x, int y, double across, double down, double phase)
{
    return (uint8_t)lround(128 + 100 * sin(x / across + phase) * cos(y / down + phase));
}

static int setup(void **state)
{
    (void)state;
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++) {
            uint8_t *pixel = source + 3 * (y * WIDTH + x);
            pixel[0] = wave(x, y, 61, 43, 0);
            pixel[1] = wave(x, y, 37, 83, 1);
            pixel[2] = (uint8_t)((x + 2 * y) * 200 / (WIDTH + 2 * HEIGHT));
        }
    return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    const char *const argv[] = {"rm", "-rf", folder, NULL};
    const cn_child_limits limits = {.wall_seconds = 30};
    int status = -1;
    return cn_child_run(argv, &limits, &status) == CN_OK ? status : -1;
}

static const char *place(const char *name)
{
    static char path[4][200];
    static unsigned turn;
    char *out = path[turn++ % 4];
    assert_true(cn_fmt(out, 200, "%s/%s", folder, name));
    return out;
}

/* ---- reading back ---- */

typedef struct seen {
    uint32_t width, height, levels;
    float per_cm;
    uint32_t icc_bytes;
    uint8_t *rgb;
} seen;

static void read_level(TIFF *tif, seen *out)
{
    CN_AUTO_FREE uint32_t *raster = cn_calloc((size_t)out->width * out->height, 4);
    assert_true(TIFFReadRGBAImageOriented(tif, out->width, out->height, raster, ORIENTATION_TOPLEFT, 1));
    out->rgb = cn_calloc((size_t)out->width * out->height, 3);
    for (size_t i = 0; i < (size_t)out->width * out->height; i++) {
        out->rgb[3 * i] = (uint8_t)TIFFGetR(raster[i]);
        out->rgb[3 * i + 1] = (uint8_t)TIFFGetG(raster[i]);
        out->rgb[3 * i + 2] = (uint8_t)TIFFGetB(raster[i]);
    }
}

/* Every level half of the one before, of tiles that are whole JPEGs. */
static void look(const char *path, seen *out)
{
    *out = (seen){.levels = 0};
    uint32_t width = 0, height = 0;
    uint8_t tile[1 << 20];
    void *icc;
    TIFF *tif = TIFFOpen(path, "r");
    assert_non_null(tif);
    do {
        uint32_t w = 0, h = 0, tables = 0;
        void *bytes;
        assert_true(TIFFGetField(tif, TIFFTAG_IMAGEWIDTH, &w) && TIFFGetField(tif, TIFFTAG_IMAGELENGTH, &h));
        if (out->levels) assert_true(w == (width + 1) / 2 && h == (height + 1) / 2);
        assert_true(TIFFIsTiled(tif));
        assert_false(TIFFGetField(tif, TIFFTAG_JPEGTABLES, &tables, &bytes));
        tmsize_t n = TIFFReadRawTile(tif, 0, tile, sizeof(tile));
        assert_true(n > 4 && tile[0] == 0xff && tile[1] == 0xd8 && tile[n - 2] == 0xff && tile[n - 1] == 0xd9);
        width = w;
        height = h;
        out->levels++;
    } while (TIFFReadDirectory(tif));
    assert_true(width <= 512 && height <= 512);
    assert_true(TIFFSetDirectory(tif, 0));
    TIFFGetField(tif, TIFFTAG_IMAGEWIDTH, &out->width);
    TIFFGetField(tif, TIFFTAG_IMAGELENGTH, &out->height);
    TIFFGetField(tif, TIFFTAG_XRESOLUTION, &out->per_cm);
    TIFFGetField(tif, TIFFTAG_ICCPROFILE, &out->icc_bytes, &icc);
    read_level(tif, out);
    TIFFClose(tif);
}

static double psnr(const uint8_t *a, const uint8_t *b, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (a[i] - b[i]) * (double)(a[i] - b[i]);
    return sum > 0 ? 10 * log10(255.0 * 255 * (double)n / sum) : 99;
}

static cn_err convert(const char *name, seen *out)
{
    const char *to = place("out.tif"), *said = place("out.said");
    unlink(to);
    unlink(said);
    cn_err err = cn_painter_pyramid(place(name), to, said);
    if (err == CN_OK) {
        CN_AUTO_FREE char *far = NULL;
        size_t n = 0;
        assert_int_equal(cn_file_read(said, 10, &far, &n), CN_OK);
        assert_true(n == 1 && far[0] == 100);
        look(to, out);
    }
    return err;
}

static uint8_t grey_of(const uint8_t *rgb)
{
    return rgb[0];
}

/* `wanted` NULL: the source. */
static void expect(const char *name, const uint8_t *wanted, double decibels)
{
    seen got;
    cn_err err = convert(name, &got);
    if (err != CN_OK) fail_msg("%s: %s", name, cn_err_text(err));
    assert_int_equal(got.width, WIDTH);
    assert_int_equal(got.height, HEIGHT);
    assert_int_equal(got.levels, 3);
    double same = psnr(wanted ? wanted : source, got.rgb, sizeof(source));
    if (same < decibels) fail_msg("%s: %.1f dB", name, same);
    free(got.rgb);
}

static void expect_grey(const char *name)
{
    static uint8_t wanted[sizeof(source)];
    for (size_t i = 0; i < sizeof(source); i += 3) memset(wanted + i, grey_of(source + i), 3);
    expect(name, wanted, 35);
}

/* ---- JPEG ---- */

static const uint8_t exif[] = {'E', 'x', 'i', 'f', 0, 0, 'M', 'M', 0, 42, 0, 0, 0, 8, 0,
                               1,   1,   18,  0,   3, 0, 0,   0,   1, 0,  6, 0, 0, 0, 0};

static void write_jpeg(const char *path, const uint8_t *rgb, int width, int height, bool progressive, int orientation,
                       const uint8_t *icc, unsigned icc_bytes)
{
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr mgr;
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    jpeg.err = jpeg_std_error(&mgr);
    jpeg_create_compress(&jpeg);
    jpeg_stdio_dest(&jpeg, file);
    jpeg.image_width = (JDIMENSION)width;
    jpeg.image_height = (JDIMENSION)height;
    jpeg.input_components = 3;
    jpeg.in_color_space = JCS_RGB;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, 95, TRUE);
    if (progressive) jpeg_simple_progression(&jpeg);
    jpeg_start_compress(&jpeg, TRUE);
    if (orientation) {
        uint8_t marker[sizeof(exif)];
        memcpy(marker, exif, sizeof(exif));
        marker[25] = (uint8_t)orientation;
        jpeg_write_marker(&jpeg, JPEG_APP0 + 1, marker, sizeof(marker));
    }
    if (icc) jpeg_write_icc_profile(&jpeg, icc, icc_bytes);
    while (jpeg.next_scanline < jpeg.image_height) {
        JSAMPROW line = (JSAMPROW)(uintptr_t)(rgb + (size_t)jpeg.next_scanline * (size_t)width * 3);
        jpeg_write_scanlines(&jpeg, &line, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    fclose(file);
}

static void write_cmyk_jpeg(const char *path)
{
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr mgr;
    FILE *file = fopen(path, "wb");
    static uint8_t line[4 * WIDTH];
    jpeg.err = jpeg_std_error(&mgr);
    jpeg_create_compress(&jpeg);
    jpeg_stdio_dest(&jpeg, file);
    jpeg.image_width = WIDTH;
    jpeg.image_height = HEIGHT;
    jpeg.input_components = 4;
    jpeg.in_color_space = JCS_CMYK;
    jpeg_set_defaults(&jpeg);
    jpeg_set_colorspace(&jpeg, JCS_YCCK); /* with Adobe's marker: inks are stored inverted */
    jpeg_set_quality(&jpeg, 97, TRUE);
    jpeg_start_compress(&jpeg, TRUE);
    while (jpeg.next_scanline < jpeg.image_height) {
        for (int x = 0; x < WIDTH; x++) {
            memcpy(line + 4 * x, source + 3 * ((int)jpeg.next_scanline * WIDTH + x), 3);
            line[4 * x + 3] = 255;
        }
        JSAMPROW row = line;
        jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    fclose(file);
}

static void jpeg_kinds(void **state)
{
    (void)state;
    uint8_t icc[200] = {0};
    seen got;
    memcpy(icc + 16, "RGB ", 4);
    write_jpeg(place("a.jpg"), source, WIDTH, HEIGHT, false, 0, icc, sizeof(icc));
    expect("a.jpg", NULL, 35);
    assert_int_equal(convert("a.jpg", &got), CN_OK);
    assert_int_equal(got.icc_bytes, sizeof(icc));
    free(got.rgb);
    write_jpeg(place("p.jpg"), source, WIDTH, HEIGHT, true, 0, NULL, 0);
    expect("p.jpg", NULL, 35);
    write_cmyk_jpeg(place("cmyk.jpg"));
    expect("cmyk.jpg", NULL, 35);
}

/* The picture as a camera would store it that was held so. */
static void lay(int orientation, uint8_t *out, int *width, int *height)
{
    bool lying = orientation >= 5;
    *width = lying ? HEIGHT : WIDTH;
    *height = lying ? WIDTH : HEIGHT;
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++) {
            /* TIFF 6.0: which sides of the upright picture the first line and the first column are */
            bool from_right = orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7;
            bool from_bottom = orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8;
            int across = from_right ? WIDTH - 1 - x : x, down = from_bottom ? HEIGHT - 1 - y : y;
            int row = lying ? across : down, column = lying ? down : across;
            memcpy(out + 3 * (row * *width + column), source + 3 * (y * WIDTH + x), 3);
        }
}

static void turned_as_the_camera_was_held(void **state)
{
    (void)state;
    static uint8_t stored[sizeof(source)];
    for (int orientation = 1; orientation <= 8; orientation++) {
        int width, height;
        lay(orientation, stored, &width, &height);
        write_jpeg(place("turned.jpg"), stored, width, height, false, orientation, NULL, 0);
        expect("turned.jpg", NULL, 35);
    }
    assert_int_equal(cn_exif_orientation(exif, sizeof(exif)), 6);
    assert_int_equal(cn_exif_orientation(exif + 6, sizeof(exif) - 6), 6);
    assert_int_equal(cn_exif_orientation(exif, 20), 1);
    assert_int_equal(cn_exif_orientation("", 0), 1);
}

/* ---- PNG, BMP ---- */

static void write_png(const char *path, int bits, bool interlaced, bool alpha)
{
    FILE *file = fopen(path, "wb");
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    int parts = alpha ? 4 : 3;
    static uint8_t pixels[HEIGHT][8 * WIDTH];
    png_bytep rows[HEIGHT];
    for (int y = 0; y < HEIGHT; y++) {
        rows[y] = pixels[y];
        uint8_t *out = pixels[y];
        for (int x = 0; x < WIDTH; x++)
            for (int c = 0; c < parts; c++) {
                uint8_t value = c == 3 ? 255 : source[3 * (y * WIDTH + x) + c];
                *out++ = value;
                if (bits == 16) *out++ = value;
            }
    }
    png_init_io(png, file);
    png_set_IHDR(png, info, WIDTH, HEIGHT, bits, alpha ? PNG_COLOR_TYPE_RGBA : PNG_COLOR_TYPE_RGB,
                 interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, 0, 0);
    png_set_rows(png, info, rows);
    png_set_compression_level(png, 1);
    png_write_png(png, info, 0, NULL);
    png_destroy_write_struct(&png, &info);
    fclose(file);
}

static void write_bmp(const char *path, int bits, bool upward)
{
    uint32_t palette = bits == 8 ? 1024 : 0, begin = 54 + palette, high = upward ? HEIGHT : (uint32_t)-HEIGHT;
    uint32_t fields[] = {0, 0, begin, 40, WIDTH, high, 1u | (uint32_t)bits << 16, 0, 0, 0, 0, 0, 0};
    static uint8_t line[4 * WIDTH];
    FILE *file = fopen(path, "wb");
    fwrite("BM", 1, 2, file);
    fwrite(fields, 4, 13, file);
    for (uint32_t i = 0; i < palette / 4; i++) fwrite(&(uint32_t){i * 0x10101}, 4, 1, file);
    for (int y = 0; y < HEIGHT; y++) {
        const uint8_t *rgb = source + 3 * WIDTH * (upward ? HEIGHT - 1 - y : y);
        for (int x = 0; x < WIDTH; x++)
            for (int c = 0; c < bits / 8; c++)
                line[x * bits / 8 + c] = bits == 8 ? grey_of(rgb + 3 * x) : c == 3 ? 0 : rgb[3 * x + 2 - c];
        fwrite(line, 1, (size_t)(WIDTH * bits / 8 + 3) / 4 * 4, file);
    }
    fclose(file);
}

static void png_and_bmp(void **state)
{
    (void)state;
    write_png(place("a.png"), 8, false, false);
    expect("a.png", NULL, 38);
    write_png(place("b.png"), 16, true, true);
    expect("b.png", NULL, 38);
    write_bmp(place("a.bmp"), 24, true);
    expect("a.bmp", NULL, 38);
    write_bmp(place("down.bmp"), 32, false);
    expect("down.bmp", NULL, 38);
    write_bmp(place("grey.bmp"), 8, true);
    expect_grey("grey.bmp");
}

/* ---- TIFF ---- */

typedef struct tiff_kind {
    const char *name;
    uint16_t compression, photometric, bits, parts;
    bool tiled, separate, big;
    unsigned shift; /* of 16 bits: so many are not used */
    uint16_t orientation;
} tiff_kind;

static uint8_t sample(const tiff_kind *kind, int x, int y, int c)
{
    const uint8_t *rgb = source + 3 * (y * WIDTH + x);
    if (kind->photometric == PHOTOMETRIC_SEPARATED) return c == 3 ? 0 : (uint8_t)(255 - rgb[c]);
    if (kind->photometric == PHOTOMETRIC_MINISWHITE) return (uint8_t)(255 - grey_of(rgb));
    if (kind->parts == 1) return grey_of(rgb);
    return c == 3 ? 255 : rgb[c];
}

static void put(const tiff_kind *kind, uint8_t **at, uint8_t value)
{
    if (kind->bits == 16) {
        uint16_t wide = (uint16_t)((value << 8 | value) >> kind->shift);
        memcpy(*at, &wide, 2);
        *at += 2;
    } else {
        *(*at)++ = value;
    }
}

static void write_block(TIFF *tif, const tiff_kind *kind, int left, int top, int width, int height, int plane)
{
    static uint8_t block[8 * 256 * WIDTH];
    uint8_t *at = block;
    for (int y = top; y < top + height; y++)
        for (int x = left; x < left + width; x++)
            for (int c = 0; c < (kind->separate ? 1 : kind->parts); c++)
                put(kind, &at,
                    sample(kind, x < WIDTH ? x : WIDTH - 1, y < HEIGHT ? y : HEIGHT - 1, kind->separate ? plane : c));
    if (kind->tiled)
        assert_true(TIFFWriteTile(tif, block, (uint32_t)left, (uint32_t)top, 0, (uint16_t)plane) > 0);
    else
        assert_true(
            TIFFWriteEncodedStrip(tif, TIFFComputeStrip(tif, (uint32_t)top, (uint16_t)plane), block, at - block) > 0);
}

static void write_tiff(const tiff_kind *kind)
{
    TIFF *tif = TIFFOpen(place("a.tif"), kind->big ? "w8" : "w");
    TIFFSetField(tif, TIFFTAG_IMAGEWIDTH, WIDTH);
    TIFFSetField(tif, TIFFTAG_IMAGELENGTH, HEIGHT);
    TIFFSetField(tif, TIFFTAG_BITSPERSAMPLE, kind->bits);
    TIFFSetField(tif, TIFFTAG_SAMPLESPERPIXEL, kind->parts);
    TIFFSetField(tif, TIFFTAG_PLANARCONFIG, kind->separate ? PLANARCONFIG_SEPARATE : PLANARCONFIG_CONTIG);
    TIFFSetField(tif, TIFFTAG_COMPRESSION, kind->compression);
    TIFFSetField(tif, TIFFTAG_PHOTOMETRIC, kind->photometric);
    if (kind->orientation) TIFFSetField(tif, TIFFTAG_ORIENTATION, kind->orientation);
    if (kind->compression == COMPRESSION_JPEG) {
        TIFFSetField(tif, TIFFTAG_JPEGQUALITY, 95);
        TIFFSetField(tif, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
    }
    if (kind->photometric == PHOTOMETRIC_PALETTE) {
        static uint16_t map[256];
        for (int i = 0; i < 256; i++) map[i] = (uint16_t)(i * 257);
        TIFFSetField(tif, TIFFTAG_COLORMAP, map, map, map);
    }
    if (kind->tiled) {
        TIFFSetField(tif, TIFFTAG_TILEWIDTH, 256);
        TIFFSetField(tif, TIFFTAG_TILELENGTH, 256);
    } else {
        TIFFSetField(tif, TIFFTAG_ROWSPERSTRIP, 96);
    }
    for (int plane = 0; plane < (kind->separate ? kind->parts : 1); plane++)
        for (int top = 0; top < HEIGHT; top += kind->tiled ? 256 : 96)
            for (int left = 0; left < WIDTH; left += kind->tiled ? 256 : WIDTH)
                write_block(tif, kind, left, top, kind->tiled ? 256 : WIDTH,
                            kind->tiled         ? 256
                            : HEIGHT - top < 96 ? HEIGHT - top
                                                : 96,
                            plane);
    TIFFClose(tif);
}

static void tiff_kinds(void **state)
{
    (void)state;
    static const tiff_kind kinds[] = {
        {"strips", COMPRESSION_NONE, PHOTOMETRIC_RGB, 8, 3, .tiled = false},
        {"LZW tiles", COMPRESSION_LZW, PHOTOMETRIC_RGB, 8, 3, .tiled = true},
        {"deflate, BigTIFF", COMPRESSION_ADOBE_DEFLATE, PHOTOMETRIC_RGB, 8, 3, .big = true},
        {"JPEG strips", COMPRESSION_JPEG, PHOTOMETRIC_YCBCR, 8, 3, .tiled = false},
        {"JPEG tiles", COMPRESSION_JPEG, PHOTOMETRIC_YCBCR, 8, 3, .tiled = true},
        {"16 bits", COMPRESSION_LZW, PHOTOMETRIC_RGB, 16, 3, .tiled = false},
        {"12 of 16 bits, tiles", COMPRESSION_NONE, PHOTOMETRIC_RGB, 16, 3, .tiled = true, .shift = 4},
        {"CMYK", COMPRESSION_LZW, PHOTOMETRIC_SEPARATED, 8, 4, .tiled = false},
        {"CMYK, 16 bits, tiles", COMPRESSION_NONE, PHOTOMETRIC_SEPARATED, 16, 4, .tiled = true},
        {"planes apart", COMPRESSION_LZW, PHOTOMETRIC_RGB, 8, 3, .separate = true},
        {"planes apart, tiles", COMPRESSION_NONE, PHOTOMETRIC_RGB, 8, 3, .separate = true, .tiled = true},
        {"grey", COMPRESSION_PACKBITS, PHOTOMETRIC_MINISBLACK, 8, 1, .tiled = false},
        {"grey, 12 of 16 bits", COMPRESSION_NONE, PHOTOMETRIC_MINISBLACK, 16, 1, .shift = 4},
        {"white is 0", COMPRESSION_LZW, PHOTOMETRIC_MINISWHITE, 8, 1, .tiled = true},
        {"palette", COMPRESSION_LZW, PHOTOMETRIC_PALETTE, 8, 1, .tiled = false},
    };
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        print_message("%s\n", kinds[i].name);
        write_tiff(&kinds[i]);
        if (kinds[i].parts == 1)
            expect_grey("a.tif");
        else
            expect("a.tif", NULL, 35);
    }
}

static void tiff_turned_and_scans(void **state)
{
    (void)state;
    seen got;
    tiff_kind kind = {"", COMPRESSION_NONE, PHOTOMETRIC_RGB, 8, 3, .orientation = ORIENTATION_RIGHTTOP};
    write_tiff(&kind);
    assert_int_equal(convert("a.tif", &got), CN_OK);
    assert_int_equal(got.width, HEIGHT);
    assert_int_equal(got.height, WIDTH);
    /* the stored lower left corner is seen at the upper left */
    for (int c = 0; c < 3; c++) assert_in_range(got.rgb[c] + 20 - source[3 * (HEIGHT - 1) * WIDTH + c], 0, 40);
    free(got.rgb);
    kind.orientation = 0;
    write_tiff(&kind);
    TIFF *tif = TIFFOpen(place("a.tif"), "a");
    TIFFSetField(tif, TIFFTAG_IMAGEWIDTH, WIDTH);
    TIFFSetField(tif, TIFFTAG_IMAGELENGTH, 1);
    TIFFSetField(tif, TIFFTAG_BITSPERSAMPLE, 8);
    TIFFSetField(tif, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK);
    TIFFWriteEncodedStrip(tif, 0, source, WIDTH);
    TIFFClose(tif);
    assert_int_equal(convert("a.tif", &got), CN_ERR_UNSUPPORTED);
}

/* ---- JPEG 2000 ---- */

static void write_j2k(const char *path, OPJ_CODEC_FORMAT format, int tile, int bits, bool ycc)
{
    opj_image_cmptparm_t parts[3] = {0};
    opj_cparameters_t parameters;
    for (int c = 0; c < 3; c++)
        parts[c] = (opj_image_cmptparm_t){.dx = 1, .dy = 1, .w = WIDTH, .h = HEIGHT, .prec = (OPJ_UINT32)bits};
    opj_image_t *image = opj_image_create(3, parts, ycc ? OPJ_CLRSPC_SYCC : OPJ_CLRSPC_SRGB);
    image->x1 = WIDTH;
    image->y1 = HEIGHT;
    for (int i = 0; i < WIDTH * HEIGHT; i++) {
        const uint8_t *rgb = source + 3 * i;
        double y = 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2];
        double colours[3] = {y, (rgb[2] - y) / 1.772 + 128, (rgb[0] - y) / 1.402 + 128};
        for (int c = 0; c < 3; c++)
            image->comps[c].data[i] = (ycc ? (int)lround(colours[c]) : rgb[c]) * ((1 << bits) - 1) / 255;
    }
    opj_set_default_encoder_parameters(&parameters);
    parameters.tcp_mct = (char)!ycc;
    if (tile) {
        parameters.tile_size_on = OPJ_TRUE;
        parameters.cp_tdx = parameters.cp_tdy = tile;
    }
    opj_codec_t *codec = opj_create_compress(format);
    assert_true(opj_setup_encoder(codec, &parameters, image));
    opj_stream_t *stream = opj_stream_create_default_file_stream(path, OPJ_FALSE);
    assert_true(opj_start_compress(codec, image, stream) && opj_encode(codec, stream) &&
                opj_end_compress(codec, stream));
    opj_stream_destroy(stream);
    opj_destroy_codec(codec);
    opj_image_destroy(image);
}

static void jpeg_2000(void **state)
{
    (void)state;
    write_j2k(place("a.jp2"), OPJ_CODEC_JP2, 0, 8, false);
    expect("a.jp2", NULL, 38);
    write_j2k(place("tiles.jp2"), OPJ_CODEC_JP2, 300, 12, false);
    expect("tiles.jp2", NULL, 38);
    write_j2k(place("ycc.jp2"), OPJ_CODEC_JP2, 256, 8, true);
    expect("ycc.jp2", NULL, 35);
    write_j2k(place("a.j2k"), OPJ_CODEC_J2K, 0, 8, false);
    expect("a.j2k", NULL, 38);
}

/* One strip that is a codestream, as three programs number it. */
static void jpeg_2000_in_tiff(void **state)
{
    (void)state;
    static const uint16_t compressions[] = {33003, 33005, 34712};
    for (int i = 0; i < 3; i++) {
        CN_AUTO_FREE char *bytes = NULL;
        size_t n = 0;
        write_j2k(place("a.j2k"), OPJ_CODEC_J2K, 0, 8, i == 0);
        assert_int_equal(cn_file_read(place("a.j2k"), 1 << 24, &bytes, &n), CN_OK);
        TIFF *tif = TIFFOpen(place("a.tif"), "w");
        TIFFSetField(tif, TIFFTAG_IMAGEWIDTH, WIDTH);
        TIFFSetField(tif, TIFFTAG_IMAGELENGTH, HEIGHT);
        TIFFSetField(tif, TIFFTAG_BITSPERSAMPLE, 8);
        TIFFSetField(tif, TIFFTAG_SAMPLESPERPIXEL, 3);
        TIFFSetField(tif, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_RGB);
        TIFFSetField(tif, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG);
        TIFFSetField(tif, TIFFTAG_ROWSPERSTRIP, HEIGHT);
        TIFFSetField(tif, TIFFTAG_COMPRESSION, compressions[i]);
        assert_int_equal(TIFFWriteRawStrip(tif, 0, bytes, (tmsize_t)n), n);
        TIFFClose(tif);
        expect("a.tif", NULL, 35);
    }
}

/* ---- HEIC ---- */

static bool write_heic(const char *path)
{
    struct heif_context *file = heif_context_alloc();
    struct heif_encoder *encoder = NULL;
    struct heif_image *image = NULL;
    int stride = 0;
    if (heif_context_get_encoder_for_format(file, heif_compression_HEVC, &encoder).code != heif_error_Ok) {
        heif_context_free(file);
        return false;
    }
    heif_image_create(WIDTH, HEIGHT, heif_colorspace_RGB, heif_chroma_interleaved_RGB, &image);
    heif_image_add_plane(image, heif_channel_interleaved, WIDTH, HEIGHT, 24);
    uint8_t *plane = heif_image_get_plane(image, heif_channel_interleaved, &stride);
    for (int y = 0; y < HEIGHT; y++) memcpy(plane + y * stride, source + 3 * y * WIDTH, 3 * WIDTH);
    heif_encoder_set_lossy_quality(encoder, 95);
    assert_int_equal(heif_context_encode_image(file, image, encoder, NULL, NULL).code, heif_error_Ok);
    assert_int_equal(heif_context_write_to_file(file, path).code, heif_error_Ok);
    heif_image_release(image);
    heif_encoder_release(encoder);
    heif_context_free(file);
    return true;
}

static void heic(void **state)
{
    (void)state;
    if (!write_heic(place("a.heic"))) {
        print_message("skipped: libheif cannot write HEIC here\n");
        skip();
    }
    expect("a.heic", NULL, 35);
}

/* ---- what is damaged or hostile ---- */

static void cut(const char *name, double share)
{
    CN_AUTO_FREE char *bytes = NULL;
    size_t n = 0;
    assert_int_equal(cn_file_read(place(name), 1 << 26, &bytes, &n), CN_OK);
    FILE *file = fopen(place("cut"), "wb");
    assert_int_equal(fwrite(bytes, 1, (size_t)((double)n * share), file), (size_t)((double)n * share));
    fclose(file);
}

static void cut_files_are_refused(void **state)
{
    (void)state;
    static const char *const names[] = {"a.jpg", "p.jpg", "a.png", "b.png", "a.bmp", "a.jp2", "tiles.jp2", "a.heic"};
    static const double shares[] = {0.0005, 0.01, 0.5, 0.97};
    seen got;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        for (size_t k = 0; k < sizeof(shares) / sizeof(shares[0]) && access(place(names[i]), R_OK) == 0; k++) {
            cut(names[i], shares[k]);
            cn_err err = convert("cut", &got);
            if (err != CN_ERR_CORRUPT && err != CN_ERR_UNSUPPORTED)
                fail_msg("%s, %g of it: %s", names[i], shares[k], cn_err_text(err));
        }
    const tiff_kind kind = {"", COMPRESSION_LZW, PHOTOMETRIC_RGB, 8, 3, .tiled = false};
    write_tiff(&kind);
    cut("a.tif", 0.5);
    assert_int_equal(convert("cut", &got), CN_ERR_CORRUPT);
}

/* 4,000 million pixels in 70 bytes. */
static void a_claim_is_not_believed(void **state)
{
    (void)state;
    seen got;
    static const uint8_t png[] = {0x89, 'P',  'N',  'G', 13, 10,   26,   10, 0, 0, 0, 13, 'I', 'H', 'D', 'R', 0,
                                  3,    0xd0, 0x90, 0,   3,  0xd0, 0x90, 8,  2, 0, 0, 0,  0,   0,   0,   0};
    FILE *file = fopen(place("claim.png"), "wb");
    fwrite(png, 1, sizeof(png), file);
    fclose(file);
    assert_int_not_equal(convert("claim.png", &got), CN_OK);
    TIFF *tif = TIFFOpen(place("claim.tif"), "w");
    TIFFSetField(tif, TIFFTAG_IMAGEWIDTH, 290000);
    TIFFSetField(tif, TIFFTAG_IMAGELENGTH, 290000);
    TIFFSetField(tif, TIFFTAG_BITSPERSAMPLE, 8);
    TIFFSetField(tif, TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK);
    TIFFSetField(tif, TIFFTAG_ROWSPERSTRIP, 1);
    TIFFWriteEncodedStrip(tif, 0, source, 290000);
    TIFFClose(tif);
    assert_int_equal(convert("claim.tif", &got), CN_ERR_TOOBIG);
}

#ifdef __SANITIZE_ADDRESS__
/* libx265 keeps some of what it wrote a HEIC with; we only read them. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:x265_malloc";
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jpeg_kinds),
        cmocka_unit_test(turned_as_the_camera_was_held),
        cmocka_unit_test(png_and_bmp),
        cmocka_unit_test(tiff_kinds),
        cmocka_unit_test(tiff_turned_and_scans),
        cmocka_unit_test(jpeg_2000),
        cmocka_unit_test(jpeg_2000_in_tiff),
        cmocka_unit_test(heic),
        cmocka_unit_test(cut_files_are_refused),
        cmocka_unit_test(a_claim_is_not_believed),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
