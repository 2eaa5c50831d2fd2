#include "media/rate/believe.h"

#define BLOCK 256             /* pixels of 16 × 16 */
#define ORDINARY_KEY 24000    /* thousandths of a bit for a block of a key frame: a tenth of a bit per pixel */
#define ORDINARY_FRAME 10     /* pixels for each bit of a frame: the same */
#define UNCOMPRESSED 32       /* bits of a pixel: 4:4:4 in 10 bits, and headers */
#define FRAMES 2              /* fewer tell nothing */
#define CONTRADICTED_TIMES 2u /* two sizes of one picture: odd sides are rounded, and a change takes a moment */

/* Thousandths of a bit that a block of a key frame takes at least; `based`: all but nothing where the smaller layer has
 * it. */
static const struct {
    uint32_t alone, based;
} least[CN_CODEC_COUNT] = {
    [CN_CODEC_VP8] = {3000, 3000}, [CN_CODEC_H264] = {100, 100}, [CN_CODEC_VP9] = {118, 2}, [CN_CODEC_AV1] = {2, 1}};

static uint64_t area_of(uint64_t bytes, uint32_t millibits)
{
    return bytes * 8 * 1000 / millibits * BLOCK;
}

static uint64_t least_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* The largest picture that the key frame can hold. */
static uint64_t most(const cn_size_claim *claim)
{
    uint32_t millibits = claim->based ? least[claim->codec].based : least[claim->codec].alone;
    uint64_t held = millibits ? area_of(claim->key_bytes, millibits) : UINT64_MAX;
    return least_u64(held, CN_BELIEVE_LEVELS);
}

static bool too_small(const cn_size_claim *claim, uint64_t area)
{
    return claim->frames >= FRAMES && (uint64_t)claim->bytes * 8 / claim->frames > area * UNCOMPRESSED;
}

uint32_t cn_believe(const cn_size_claim *claim, cn_size_doubt *doubt)
{
    uint64_t area = (uint64_t)claim->width * claim->height, allocated = claim->allocated_area, limit = most(claim);
    *doubt = CN_SIZE_BELIEVED;
    if (!area || !claim->key_bytes || (unsigned)claim->codec >= CN_CODEC_COUNT) return 0;
    if (area > limit) {
        *doubt = CN_SIZE_TOO_LARGE;
        area = least_u64(limit, area_of(claim->key_bytes, ORDINARY_KEY));
    } else if (too_small(claim, area)) {
        *doubt = CN_SIZE_TOO_SMALL;
        area = (uint64_t)claim->bytes * 8 / claim->frames * ORDINARY_FRAME;
    } else if (allocated && allocated <= limit &&
               (allocated > CONTRADICTED_TIMES * area || area > CONTRADICTED_TIMES * allocated)) {
        *doubt = CN_SIZE_CONTRADICTED;
        if (allocated > area) area = allocated;
    }
    return (uint32_t)least_u64(area, CN_BELIEVE_LEVELS);
}
