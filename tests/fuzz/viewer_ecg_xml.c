/* Any bytes as an aECG or a MUSE-like XML: refused in words, or a record within its bounds. */
// covers: viewer/ecg/reader/read_aecg.c
// covers: viewer/ecg/reader/read_muse.c
#include "ecg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return one_ecg(data, size);
}
