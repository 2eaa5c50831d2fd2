// What an OME-TIFF says of itself: what is taken has planes and channels within their bounds, and names that may be shown.
// covers: viewer/decoder/omexml.c
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "viewer/decoder/omexml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cn_ome_plan *plan = malloc(sizeof(*plan));
    if (!plan) return 0;
    if (cn_ome_read_xml((const char *)data, size, plan) == CN_OK) {
        if (plan->width < 1 || plan->height < 1 || plan->z_planes < 1 || plan->channels < 1 ||
            plan->channels > CN_DECODE_CHANNELS || (uint64_t)plan->z_planes * plan->channels > CN_OME_PLANES)
            __builtin_trap();
        if (plan->samples != 1 && plan->samples != 3) __builtin_trap();
        if (!(plan->mpp_x >= 0) || !(plan->mpp_y >= 0) || !(plan->z_spacing >= 0 && plan->z_spacing <= 1000))
            __builtin_trap();
        for (uint32_t i = 0; i < plan->channels; i++)
            if (!cn_decode_is_name(plan->channel[i].name) || plan->channel[i].colour > 0xffffff) __builtin_trap();
    }
    free(plan);
    return 0;
}
