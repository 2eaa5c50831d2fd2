/* Any bytes as SCP-ECG: refused in words, or a record within its bounds. With a first byte above 127 the sections' check sums are made right first, so that
 * what stands behind them is reached. */
// covers: viewer/ecg/reader/read_scp.c
#include <stdlib.h>
#include <string.h>

#include "ecg.h"

static size_t le32(const uint8_t *p)
{
    return p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16 | (size_t)p[3] << 24;
}

static void seal(uint8_t *p, size_t n)
{
    unsigned crc = 0xffff;
    for (size_t i = 2; i < n; i++) {
        crc ^= (unsigned)p[i] << 8;
        for (int bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1 ^ 0x1021) & 0xffff : crc << 1 & 0xffff;
    }
    p[0] = (uint8_t)crc;
    p[1] = (uint8_t)(crc >> 8);
}

static void seal_sections(uint8_t *file, size_t n)
{
    for (size_t at = 22; at + 10 <= n && at < 22 + 120; at += 10) {
        size_t length = le32(file + at + 2), index = le32(file + at + 6);
        if (index >= 1 && index - 1 < n && length >= 16 && length <= n - (index - 1)) seal(file + index - 1, length);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) return 0;
    uint8_t *file = malloc(size - 1);
    must(file != NULL);
    memcpy(file, data + 1, size - 1);
    if (data[0] > 127) seal_sections(file, size - 1);
    one_ecg(file, size - 1);
    free(file);
    return 0;
}
