/* Which way up a camera held a picture, from its EXIF (JEITA CP-3451). Pure. */
#ifndef CN_VIEWER_PAINTER_EXIF_H
#define CN_VIEWER_PAINTER_EXIF_H

#include <stddef.h>
#include <stdint.h>

/** `bytes`: a TIFF structure, with or without "Exif\0\0" before it. 1…8 as tag 274 counts; 1 where it does not say. */
unsigned cn_exif_orientation(const void *bytes, size_t len);

#endif
