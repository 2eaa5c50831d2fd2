#include "media/wire/allocation.h"

#include <string.h>

#include "media/wire/bytes.h"

#define SIZE_BYTES 5

/* Which spatial layers of each stream are active. Returns the bytes read, 0 when there are too few. */
static size_t read_active(const uint8_t *bytes, size_t len, unsigned streams, uint8_t *active)
{
    uint8_t all = bytes[0] & 0xf;
    size_t more = all ? 0 : (streams + 1) / 2;
    if (len < 1 + more) return 0;
    for (unsigned i = 0; i < streams; i++) {
        unsigned own = all ? all : (unsigned)bytes[1 + i / 2] >> (i % 2 ? 0 : 4);
        active[i] = (uint8_t)(own & 0xf);
    }
    return 1 + more;
}

/* Rates are of no use here. */
static size_t skip_rates(const uint8_t *bytes, size_t len, size_t at, unsigned layers)
{
    size_t counts = at;
    at += (layers + 3) / 4;
    if (at > len) return 0;
    for (unsigned i = 0; i < layers; i++)
        for (unsigned t = 0; t <= ((unsigned)bytes[counts + i / 4] >> (6 - i % 4 * 2) & 3); t++) {
            while (at < len && bytes[at] & 0x80) at++;
            if (at++ >= len) return 0;
        }
    return at;
}

cn_err cn_allocation_parse(cn_allocation *out, const uint8_t *bytes, size_t len)
{
    uint8_t active[CN_ALLOCATION_STREAMS] = {0};
    memset(out, 0, sizeof *out);
    if (!len) return CN_ERR_PARSE;
    if (len == 1 && !bytes[0]) return CN_OK; /* nothing is sent */
    out->streams = (uint8_t)((bytes[0] >> 4 & 3) + 1);
    size_t at = read_active(bytes, len, out->streams, active);
    if (!at) return CN_ERR_PARSE;
    unsigned layers = 0;
    for (unsigned i = 0; i < out->streams; i++) layers += (unsigned)__builtin_popcount(active[i]);
    if (!(at = skip_rates(bytes, len, at, layers))) return CN_ERR_PARSE;
    if (at == len) return CN_OK;
    if (len - at != (size_t)layers * SIZE_BYTES) return CN_ERR_PARSE;
    out->sized = true;
    for (unsigned i = 0; i < out->streams; i++)
        for (unsigned s = 0; s < CN_ALLOCATION_SPATIAL; s++) {
            if (!(active[i] >> s & 1)) continue;
            out->area[i][s] = (cn_be16(bytes + at) + 1ull) * (cn_be16(bytes + at + 2) + 1ull);
            at += SIZE_BYTES;
        }
    return CN_OK;
}
