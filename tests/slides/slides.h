/*
 * Small slides of every format that OpenSlide reads, with a picture that is known pixel by pixel: what scanners write, as
 * far as OpenSlide's readers look at it. Written with libtiff and libjpeg, from what those readers ask of a file.
 */
#ifndef CN_TESTS_SLIDES_H
#define CN_TESTS_SLIDES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define SLIDES_LEVELS 8

/** One kind of slide that can be made. Where its picture lies: pixel (x, y) of level i is slides_pixel of
 * ((x × down[i]) − left, (y × down[i]) − top), inside width × height; there is none outside. */
typedef struct slides_kind {
    const char *name;   /* of its folder */
    const char *file;   /* the one that is opened */
    const char *vendor; /* as OpenSlide names it; NULL: it does not read it, or wrongly */
    bool lossless;
    int64_t left, top, width, height;
    int levels;
    double down[SLIDES_LEVELS]; /* 0: a level that is not drawn by us but made of others */
    cn_err (*make)(const struct slides_kind *kind, const char *dir);
} slides_kind;

#define SLIDES_OME_CHANNELS 3
#define SLIDES_OME_PLANES 3

/** What the OME-TIFFs of 16 bits hold: their planes show the picture moved, their channels its three colours. */
uint16_t slides_ome_value(double x, double y, int z, int channel);

/** All of them; the last has no name. */
extern const slides_kind slides_kinds[];

/** The picture: smooth, nowhere the same, pink as a section is. */
void slides_pixel(double x, double y, uint8_t rgb[3]);

/** Makes a slide in the folder `dir`, which exists and is empty. */
cn_err slides_make(const slides_kind *kind, const char *dir);

#endif
