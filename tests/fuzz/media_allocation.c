/* Any bytes as an encoder's allocation: areas stand only where a stream is, and only when sizes were told. */
// covers: media/wire/allocation.c
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "media/wire/allocation.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cn_allocation allocation;
    if (size > 255) return 0;
    uint8_t *exact = malloc(size + 1); /* so that a read past the end is seen */
    memcpy(exact, data, size);
    if (cn_allocation_parse(&allocation, exact, size) == CN_OK) {
        if (allocation.streams > CN_ALLOCATION_STREAMS) abort();
        for (unsigned i = 0; i < CN_ALLOCATION_STREAMS; i++)
            for (unsigned s = 0; s < CN_ALLOCATION_SPATIAL; s++)
                if (allocation.area[i][s] && (!allocation.sized || i >= allocation.streams)) abort();
    }
    free(exact);
    return 0;
}
