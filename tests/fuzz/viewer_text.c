// Any bytes as a text file: what comes out is UTF-8 with its mark, whatever went in.
// covers: viewer/document/text.c
#include <stdint.h>
#include <string.h>

#include "viewer/document/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cn_buf out = {0};
    if (cn_text_utf8(data, size, &out) != CN_OK) __builtin_trap();
    if (out.n < 3 || memcmp(out.p, "\xef\xbb\xbf", 3) != 0 || !cn_utf8_valid(out.p, out.n)) __builtin_trap();
    cn_buf_free(&out);
    cn_err err = cn_text_rtf(data, size, &out);
    for (size_t i = 0; i < out.n; i++)
        if ((uint8_t)out.p[i] > 0x7f) __builtin_trap();
    if (err != CN_OK && out.n > 0) __builtin_trap();
    cn_buf_free(&out);
    return 0;
}
