/* 3DHISTECH: a small file, and a folder of its name with an index, data and a description. Photos of 2 × 2 images that
 * overlap; further levels put images together, the last one those of several photos. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/str.h"
#include "slides/inside.h"

#define SIDE 256 /* of an image */
#define DIVISIONS 2
#define ACROSS 6 /* images */
#define DOWN 4
#define OVERLAP 32
#define ADVANCE (DIVISIONS * SIDE - OVERLAP) /* from photo to photo */
#define LEVELS 3
#define VERSION "01.02"
#define ID "0123456789ABCDEF0123456789ABCDEF"

typedef struct stored {
    int32_t index, offset, length;
} stored;

typedef struct writer {
    FILE *data;
    bool bmp;
    stored images[LEVELS][ACROSS * DOWN];
    int count[LEVELS];
    stored label, macro, positions;
} writer;

/* Of an image at (x, y) of level 0's images: which pixel of the picture. */
typedef struct image_place {
    int x, y, level;
} image_place;

static void photo_place(const void *ctx, int64_t x, int64_t y, double *px, double *py)
{
    const image_place *at = ctx;
    int concat = 1 << at->level;
    int64_t full_x = x * concat, full_y = y * concat; /* as if images lay edge to edge */
    int64_t left = at->x * SIDE + full_x, top = at->y * SIDE + full_y, photo = (int64_t)DIVISIONS * SIDE;
    *px = (double)(left / photo * ADVANCE + left % photo);
    *py = (double)(top / photo * ADVANCE + top % photo);
}

static void put32(FILE *out, int32_t value)
{
    const uint8_t bytes[4] = {(uint8_t)value, (uint8_t)(value >> 8), (uint8_t)(value >> 16), (uint8_t)(value >> 24)};
    fwrite(bytes, sizeof(bytes), 1, out);
}

static void put_bmp(FILE *out, const uint8_t *rgb, int side)
{
    int bytes = 3 * side * side;
    fwrite("BM", 2, 1, out);
    put32(out, 54 + bytes);
    put32(out, 0);
    put32(out, 54);
    put32(out, 40);
    put32(out, side);
    put32(out, side);
    put32(out, 1 | 24 << 16); /* one plane, 24 bits */
    for (int i = 0; i < 6; i++) put32(out, i == 1 ? bytes : 0);
    for (int y = side - 1; y >= 0; y--)
        for (int x = 0; x < side; x++) {
            const uint8_t *from = rgb + 3 * (y * side + x);
            const uint8_t bgr[3] = {from[2], from[1], from[0]};
            fwrite(bgr, sizeof(bgr), 1, out);
        }
}

static stored put_image(writer *to, const image_place *at, bool bmp)
{
    static uint8_t rgb[3 * SIDE * SIDE];
    stored image = {.index = at->y * ACROSS + at->x, .offset = (int32_t)ftell(to->data)};
    slides_draw(rgb, 0, 0, SIDE, SIDE, photo_place, at);
    if (bmp)
        put_bmp(to->data, rgb, SIDE);
    else
        slides_jpeg(to->data, rgb, SIDE, SIDE, 0);
    image.length = (int32_t)ftell(to->data) - image.offset;
    return image;
}

static stored put_positions(writer *to)
{
    stored record = {.offset = (int32_t)ftell(to->data)};
    for (int y = 0; y < DOWN / DIVISIONS; y++)
        for (int x = 0; x < ACROSS / DIVISIONS; x++) {
            fputc(0, to->data);
            put32(to->data, x * ADVANCE);
            put32(to->data, y * ADVANCE);
        }
    record.length = (int32_t)ftell(to->data) - record.offset;
    return record;
}

static void put_data(writer *to)
{
    fputs(VERSION ID, to->data);
    for (int level = 0; level < LEVELS; level++)
        for (int y = 0; y < DOWN; y += 1 << level)
            for (int x = 0; x < ACROSS; x += 1 << level) {
                const image_place at = {x, y, level};
                to->images[level][to->count[level]++] = put_image(to, &at, to->bmp);
            }
    to->macro = put_image(to, &(image_place){0, 0, 2}, false);
    to->label = put_image(to, &(image_place){0, 0, 2}, false);
    to->positions = put_positions(to);
}

/* A record of its own: a page with one entry. Returns where it begins. */
static int32_t put_record(FILE *out, const stored *what)
{
    int32_t page = (int32_t)ftell(out);
    put32(out, 1);
    for (int i = 0; i < 3; i++) put32(out, 0);
    put32(out, what->offset);
    put32(out, what->length);
    put32(out, 0); /* the file */
    int32_t record = (int32_t)ftell(out);
    put32(out, 0);
    put32(out, page);
    return record;
}

static int32_t put_level(FILE *out, const writer *of, int level)
{
    int32_t page = (int32_t)ftell(out);
    put32(out, of->count[level]);
    put32(out, 0); /* no further page */
    for (int i = 0; i < of->count[level]; i++) {
        const stored *image = &of->images[level][i];
        put32(out, image->index);
        put32(out, image->offset);
        put32(out, image->length);
        put32(out, 0);
    }
    int32_t record = (int32_t)ftell(out);
    put32(out, 0);
    put32(out, page);
    return record;
}

static void put_index(FILE *out, const writer *of)
{
    int32_t levels[LEVELS], others[3];
    fputs(VERSION ID, out);
    long roots = ftell(out);
    put32(out, 0);
    put32(out, 0);
    for (int i = 0; i < LEVELS; i++) levels[i] = put_level(out, of, i);
    others[0] = put_record(out, &of->macro);
    others[1] = put_record(out, &of->label);
    others[2] = put_record(out, &of->positions);
    int32_t hier = (int32_t)ftell(out);
    for (int i = 0; i < LEVELS; i++) put32(out, levels[i]);
    int32_t nonhier = (int32_t)ftell(out);
    for (int i = 0; i < 3; i++) put32(out, others[i]);
    fseek(out, roots, SEEK_SET);
    put32(out, hier);
    put32(out, nonhier);
}

static void put_description(FILE *out, bool bmp)
{
    fprintf(out,
            "[GENERAL]\r\nSLIDE_VERSION = 01.02\r\nSLIDE_ID = " ID "\r\nIMAGENUMBER_X = %d\r\nIMAGENUMBER_Y = %d\r\n"
            "OBJECTIVE_MAGNIFICATION = 20\r\nCameraImageDivisionsPerSide = %d\r\n",
            ACROSS, DOWN, DIVISIONS);
    fprintf(out, "[HIERARCHICAL]\r\nINDEXFILE = Index.dat\r\nHIER_COUNT = 1\r\nNONHIER_COUNT = 2\r\n"
                 "HIER_0_NAME = Slide zoom level\r\nHIER_0_COUNT = 3\r\n");
    for (int i = 0; i < LEVELS; i++)
        fprintf(out, "HIER_0_VAL_%d = ZoomLevel_%d\r\nHIER_0_VAL_%d_SECTION = LAYER_0_LEVEL_%d_SECTION\r\n", i, i, i,
                i);
    fprintf(
        out,
        "NONHIER_0_NAME = Scan data layer\r\nNONHIER_0_COUNT = 2\r\n"
        "NONHIER_0_VAL_0 = ScanDataLayer_SlideThumbnail\r\nNONHIER_0_VAL_0_SECTION = NONHIERLAYER_0_LEVEL_0_SECTION\r\n"
        "NONHIER_0_VAL_1 = ScanDataLayer_SlideBarcode\r\nNONHIER_0_VAL_1_SECTION = NONHIERLAYER_0_LEVEL_1_SECTION\r\n"
        "NONHIER_1_NAME = VIMSLIDE_POSITION_BUFFER\r\nNONHIER_1_COUNT = 1\r\nNONHIER_1_SECTION = "
        "NONHIERLAYER_1_SECTION\r\nNONHIER_1_VAL_0 = default\r\nNONHIER_1_VAL_0_SECTION = "
        "NONHIERLAYER_1_LEVEL_0_SECTION\r\n");
    fprintf(out, "[NONHIERLAYER_0_LEVEL_0_SECTION]\r\nTHUMBNAIL_IMAGE_TYPE = JPEG\r\n"
                 "[NONHIERLAYER_0_LEVEL_1_SECTION]\r\nBARCODE_IMAGE_TYPE = JPEG\r\n"
                 "[NONHIERLAYER_1_SECTION]\r\nVIMSLIDE_POSITION_DATA_FORMAT_VERSION = 257\r\n"
                 "[NONHIERLAYER_1_LEVEL_0_SECTION]\r\nVIMSLIDE_POSITION_DATA_FORMAT_VERSION = 257\r\n"
                 "[DATAFILE]\r\nFILE_COUNT = 1\r\nFILE_0 = Data0000.dat\r\n");
    for (int i = 0; i < LEVELS; i++)
        fprintf(out,
                "[LAYER_0_LEVEL_%d_SECTION]\r\nOVERLAP_X = %g\r\nOVERLAP_Y = %g\r\nMICROMETER_PER_PIXEL_X = %g\r\n"
                "MICROMETER_PER_PIXEL_Y = %g\r\nIMAGE_FORMAT = %s\r\nIMAGE_FILL_COLOR_BGR = 16777215\r\n"
                "DIGITIZER_WIDTH = %d\r\nDIGITIZER_HEIGHT = %d\r\nIMAGE_CONCAT_FACTOR = %d\r\n",
                i, (double)OVERLAP / (1 << i), (double)OVERLAP / (1 << i), 0.25 * (1 << i), 0.25 * (1 << i),
                bmp ? "BMP24" : "JPEG", SIDE, SIDE, i ? 1 : 0);
}

cn_err slides_make_mirax(const slides_kind *kind, const char *dir)
{
    char folder[1024];
    size_t stem = strlen(kind->file) - strlen(".mrxs");
    if (!cn_fmt(folder, sizeof(folder), "%s/%.*s", dir, (int)stem, kind->file) || mkdir(folder, 0700) != 0)
        return CN_ERR_IO;
    writer to = {.data = slides_file(folder, "Data0000.dat"), .bmp = kind->lossless};
    FILE *index = slides_file(folder, "Index.dat"), *description = slides_file(folder, "Slidedat.ini");
    FILE *main_file = slides_file(dir, kind->file);
    bool good = to.data && index && description && main_file;
    if (good) {
        put_data(&to);
        put_index(index, &to);
        put_description(description, to.bmp);
        static uint8_t rgb[3 * 64 * 64];
        slides_jpeg(main_file, rgb, 64, 64, 0); /* scanners put a small picture there */
    }
    FILE *files[] = {to.data, index, description, main_file};
    for (size_t i = 0; i < 4; i++)
        if (files[i]) good = fclose(files[i]) == 0 && good;
    return good ? CN_OK : CN_ERR_IO;
}
