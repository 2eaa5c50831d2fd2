#include "viewer/slide/deepzoom.h"

static int64_t ceil_div(int64_t a, int64_t b)
{
    return (a + b - 1) / b;
}

unsigned cn_dz_levels(int64_t width, int64_t height)
{
    int64_t side = width > height ? width : height;
    unsigned levels = 1;
    while (side > 1) {
        side = ceil_div(side, 2);
        levels++;
    }
    return levels;
}

cn_err cn_dz_level_size(int64_t width, int64_t height, unsigned level, int64_t *level_width, int64_t *level_height)
{
    unsigned levels = cn_dz_levels(width, height);
    if (width < 1 || height < 1 || level >= levels) return CN_ERR_NOTFOUND;
    int64_t scale = (int64_t)1 << (levels - 1 - level);
    *level_width = ceil_div(width, scale);
    *level_height = ceil_div(height, scale);
    return CN_OK;
}

cn_err cn_dz_tile_rect(int64_t width, int64_t height, unsigned level, int64_t column, int64_t row, cn_dz_rect *out)
{
    int64_t lw = 0, lh = 0;
    CN_TRY(cn_dz_level_size(width, height, level, &lw, &lh));
    if (column < 0 || row < 0 || column >= ceil_div(lw, CN_DZ_TILE) || row >= ceil_div(lh, CN_DZ_TILE))
        return CN_ERR_NOTFOUND;
    int64_t x0 = column * CN_DZ_TILE - (column > 0 ? CN_DZ_OVERLAP : 0);
    int64_t y0 = row * CN_DZ_TILE - (row > 0 ? CN_DZ_OVERLAP : 0);
    int64_t x1 = (column + 1) * CN_DZ_TILE + CN_DZ_OVERLAP;
    int64_t y1 = (row + 1) * CN_DZ_TILE + CN_DZ_OVERLAP;
    if (x1 > lw) x1 = lw;
    if (y1 > lh) y1 = lh;
    *out = (cn_dz_rect){.x = x0,
                        .y = y0,
                        .width = x1 - x0,
                        .height = y1 - y0,
                        .scale = (double)((int64_t)1 << (cn_dz_levels(width, height) - 1 - level))};
    return CN_OK;
}
