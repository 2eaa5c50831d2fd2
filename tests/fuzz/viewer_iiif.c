// The parameters of an IIIF request, five texts with a "/" between them: what is asked for lies inside the picture and the bounds, and
// written canonically asks for the same.
// covers: viewer/slide/iiif.c
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "viewer/slide/iiif.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void split(char *text, cn_iiif_texts *out)
{
    const char **places[] = {&out->region, &out->size, &out->rotation, &out->quality, &out->format};
    *out = (cn_iiif_texts){"", "", "", "", ""};
    for (size_t i = 0; i < 5 && text; i++) {
        *places[i] = text;
        text = strpbrk(text, i < 3 ? "/" : ".");
        if (text) *text++ = 0;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[256], again[CN_IIIF_CANONICAL];
    cn_iiif_texts texts;
    cn_iiif_ask ask, same;
    const char *wrong = NULL;
    if (size < 4 || size > sizeof(text)) return 0;
    int64_t width = 1 + data[0] * 1201, height = 1 + data[1] * 997;
    memcpy(text, data + 2, size - 2);
    text[size - 2] = 0;
    split(text, &texts);
    if (cn_iiif_parse(&texts, width, height, &ask, &wrong) != CN_OK) {
        if (!wrong) __builtin_trap();
        return 0;
    }
    if (ask.x < 0 || ask.y < 0 || ask.width < 1 || ask.height < 1 || ask.x + ask.width > width ||
        ask.y + ask.height > height || ask.quarters > 3)
        __builtin_trap();
    if (!ask.out_width || !ask.out_height || ask.out_width > CN_IIIF_SIDE || ask.out_height > CN_IIIF_SIDE ||
        (int64_t)ask.out_width * ask.out_height > CN_IIIF_AREA)
        __builtin_trap();
    cn_iiif_canonical(&ask, width, height, again);
    split(again, &texts);
    if (cn_iiif_parse(&texts, width, height, &same, &wrong) != CN_OK || same.x != ask.x || same.width != ask.width ||
        same.out_width != ask.out_width || same.out_height != ask.out_height || same.quarters != ask.quarters)
        __builtin_trap();
    return 0;
}
