/* Hamamatsu VMS: an index, JPEGs with restart markers side by side, and one of the whole. */
#include <stdlib.h>

#include "base/str.h"
#include "slides/inside.h"

#define MCU 8
#define TILE 256

typedef struct part {
    int64_t left;
    double down;
} part;

static void part_place(const void *ctx, int64_t x, int64_t y, double *px, double *py)
{
    const part *of = ctx;
    *px = (double)(x + of->left) * of->down;
    *py = (double)y * of->down;
}

static cn_err put_part(const char *dir, const char *name, const part *of, int64_t width, int64_t height)
{
    FILE *out = slides_file(dir, name);
    uint8_t *rgb = reallocarray(NULL, (size_t)(width * height), 3);
    bool good = out && rgb;
    int64_t tile = width < TILE ? width : TILE;
    if (good) {
        slides_draw(rgb, 0, 0, width, height, part_place, of);
        good = slides_jpeg(out, rgb, (uint32_t)width, (uint32_t)height, (unsigned)(tile / MCU)) > 0;
    }
    free(rgb);
    if (out) good = fclose(out) == 0 && good;
    return good ? CN_OK : CN_ERR_IO;
}

cn_err slides_make_vms(const slides_kind *kind, const char *dir)
{
    FILE *out = slides_file(dir, kind->file);
    if (!out) return CN_ERR_IO;
    fprintf(out,
            "[Virtual Microscope Specimen]\r\nNoLayers=1\r\nNoJpegColumns=2\r\nNoJpegRows=1\r\nImageFile=made.jpg\r\n"
            "ImageFile(1,0)=made(1,0).jpg\r\nMapFile=made_map2.jpg\r\nMacroImage=made_macro.jpg\r\n"
            "SourceLens=20\r\nPhysicalWidth=%d\r\nPhysicalHeight=%d\r\nPhysicalMacroWidth=76000000\r\n"
            "PhysicalMacroHeight=26000000\r\n",
            (int)kind->width * 500, (int)kind->height * 500);
    if (fclose(out) != 0) return CN_ERR_IO;
    double map = kind->down[4];
    CN_TRY(put_part(dir, "made.jpg", &(part){0, 1}, kind->width / 2, kind->height));
    CN_TRY(put_part(dir, "made(1,0).jpg", &(part){kind->width / 2, 1}, kind->width / 2, kind->height));
    CN_TRY(put_part(dir, "made_map2.jpg", &(part){0, map}, (int64_t)((double)kind->width / map),
                    (int64_t)((double)kind->height / map)));
    return put_part(dir, "made_macro.jpg", &(part){0, 16}, 256, 64);
}
