// A colour profile out of a slide: refused, or a table.
// covers: viewer/decoder/colour.c
#include <stdint.h>

#include "base/err.h"
#include "viewer/decode_proto.h"
#include "viewer/decoder/colour.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t table[CN_DECODE_COLOUR_BYTES];
    cn_err err = cn_colour_table(data, size, table);
    if (err != CN_OK && err != CN_ERR_UNSUPPORTED && err != CN_ERR_NOMEM) __builtin_trap();
    if (err == CN_OK && !cn_colour_is_rgb_profile(data, size)) __builtin_trap();
    return 0;
}
