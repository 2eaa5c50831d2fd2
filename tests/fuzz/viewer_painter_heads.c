// Heads of pictures: which way up by EXIF, and a BMP's head with one line of it.
// covers: viewer/painter/bmp.c viewer/painter/exif.c
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "viewer/painter/bmp.h"
#include "viewer/painter/exif.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cn_bmp file;
    unsigned orientation = cn_exif_orientation(data, size);
    if (orientation < 1 || orientation > 8) __builtin_trap();
    if (cn_bmp_head(data, size, &file) != CN_OK || file.width > 4096) return 0;
    uint8_t *stored = calloc(1, file.stride), *rgb = calloc((size_t)file.width, 3);
    for (size_t i = 0; i < file.stride && size; i++) stored[i] = data[i % size];
    cn_bmp_line(&file, stored, rgb);
    free(stored);
    free(rgb);
    return 0;
}
