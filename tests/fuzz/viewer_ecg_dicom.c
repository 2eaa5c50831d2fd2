/* Any bytes as a DICOM waveform: refused in words, or a record within its bounds. */
// covers: viewer/ecg/reader/read_dicom.c
#include "ecg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return one_ecg(data, size);
}
