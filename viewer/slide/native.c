#include "viewer/slide/native.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"

#define PADDING 16 /* zeros behind a picture: some writers round lengths up */

static bool is_whole(const uint8_t *tile, size_t len)
{
    if (tile[0] != 0xff || tile[1] != 0xd8) return false;
    for (size_t zeros = 0; zeros < PADDING && len > 4 && tile[len - 1] == 0; zeros++) len--;
    return tile[len - 2] == 0xff && tile[len - 1] == 0xd9;
}

cn_err cn_native_read(const cn_tiletable *table, uint64_t place, int fd, bool wait, void **bytes, size_t *len)
{
    uint32_t n = cn_tile_length(place);
    size_t total = table->front_n + n - 2;
    uint8_t *all = malloc(total);
    if (!all) return CN_ERR_NOMEM;
    uint8_t *tile = all + table->front_n - 2; /* its SOI gives way to what stands in front */
    cn_err err = cn_read_at(fd, tile, n, cn_tile_offset(place), wait);
    if (err == CN_OK && !is_whole(tile, n)) err = CN_ERR_CORRUPT;
    if (err != CN_OK) {
        free(all);
        return err;
    }
    memcpy(all, table->front, table->front_n);
    *bytes = all;
    *len = total;
    return CN_OK;
}
