/* What the writers of formats share. */
#ifndef CN_TESTS_SLIDES_INSIDE_H
#define CN_TESTS_SLIDES_INSIDE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <tiffio.h>

#include "slides/slides.h"

/** Which pixel of the picture (level-0 units) stands at (x, y) of what is stored. */
typedef void (*slides_place)(const void *ctx, int64_t x, int64_t y, double *px, double *py);

/** A rectangle of pixels of the picture, RGB. */
void slides_draw(uint8_t *rgb, int64_t x, int64_t y, int64_t width, int64_t height, slides_place place,
                 const void *ctx);

typedef struct slides_dir {
    int64_t width, height;
    uint32_t tile_width, tile_height;  /* 0: one strip */
    uint16_t compression, photometric; /* JPEG with RGB stores RGB; with YCbCr, subsampled */
    uint32_t subfile;                  /* FILETYPE_REDUCEDIMAGE… */
    const char *description, *software, *xml;
    double per_cm; /* XResolution; 0: none */
    slides_place place;
    const void *ctx;
} slides_dir;

/** Writes one directory and begins the next. */
cn_err slides_write_dir(TIFF *tif, const slides_dir *dir);

/** Evenly: ctx is a double, the downsample. */
void slides_even(const void *ctx, int64_t x, int64_t y, double *px, double *py);

/** A JPEG, 4:4:4, Q95; `restart`: MCUs between restart markers, 0: none. Returns its bytes, 0 on failure. */
size_t slides_jpeg(FILE *out, const uint8_t *rgb, uint32_t width, uint32_t height, unsigned restart);

/** DIR/NAME opened for writing, NULL on failure. */
FILE *slides_file(const char *dir, const char *name);
TIFF *slides_tiff(const char *dir, const char *name);

cn_err slides_make_mirax(const slides_kind *kind, const char *dir);
cn_err slides_make_vms(const slides_kind *kind, const char *dir);
cn_err slides_make_generic(const slides_kind *kind, const char *dir);
cn_err slides_make_svs(const slides_kind *kind, const char *dir);
cn_err slides_make_scn(const slides_kind *kind, const char *dir);
cn_err slides_make_philips(const slides_kind *kind, const char *dir);
cn_err slides_make_bif(const slides_kind *kind, const char *dir);
cn_err slides_make_trestle(const slides_kind *kind, const char *dir);
cn_err slides_make_ome(const slides_kind *kind, const char *dir);

#endif
