// What a slide says of its scale, five texts with a zero between them: nothing that comes out is nonsense.
// covers: viewer/slide/scale.c
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "viewer/slide/scale.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[256];
    const char *texts[5] = {NULL};
    if (size > sizeof(text) - 1) size = sizeof(text) - 1;
    memcpy(text, data, size);
    text[size] = 0;
    size_t n = 0;
    for (size_t at = 0; at < size && n < 5; at += strlen(text + at) + 1) texts[n++] = text + at;
    cn_scale scale;
    const int64_t width = 100000, height = 70000;
    cn_scale_of(
        &(cn_scale_texts){
            .mpp_x = texts[0], .mpp_y = texts[1], .per_unit_x = texts[2], .per_unit_y = texts[3], .unit = texts[4]},
        width, height, &scale);
    if (!(scale.mpp_x >= 0 && scale.mpp_x <= 100) || !(scale.stretch_x >= 1 && scale.stretch_x <= 16)) __builtin_trap();
    if (scale.width < width || scale.width > 16 * width || scale.height < height || scale.height > 16 * height)
        __builtin_trap();
    return 0;
}
