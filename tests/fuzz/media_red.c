/* Any bytes as redundant audio: blocks lie inside the payload, and what is written from it reads back the same, less
 * what was to be left out. First two bytes: the payload type and the oldest offset that is kept. */
// covers: media/wire/red.c
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "media/wire/red.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void compare(const cn_red *in, const uint8_t *bytes, const cn_red *out, const uint8_t *data, uint8_t pt,
                    uint32_t most)
{
    size_t k = 0;
    for (size_t i = 0; i < in->count; i++) {
        const cn_red_block *block = &in->block[i], *red_block = &out->block[k];
        if (i + 1 < in->count && (!block->len || block->offset > most)) continue;
        if (k++ == out->count || red_block->pt != pt || red_block->offset != block->offset ||
            red_block->len != block->len)
            abort();
        if (memcmp(bytes + block->at, data + red_block->at, block->len) != 0) abort();
    }
    if (k != out->count) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) return 0;
    uint8_t pt = data[0] & 0x7f;
    uint32_t most = (uint32_t)data[1] << 6;
    size_t n = size - 2;
    uint8_t *payload = calloc(1, size), *written = calloc(1, size);
    cn_red in, out;
    if (payload && written) {
        uint8_t *p = payload + 2; /* at the very end, so that a read past it is seen */
        memcpy(p, data + 2, n);
        if (cn_red_parse(&in, p, n) == CN_OK) {
            size_t m = cn_red_write(written, p, &in, pt, most);
            if (m > n || cn_red_parse(&out, written, m)) abort();
            compare(&in, p, &out, written, pt, most);
        }
    }
    free(payload);
    free(written);
    return 0;
}
