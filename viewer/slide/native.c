#include "viewer/slide/native.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "base/mem.h"

#define PADDING 16 /* zeros behind a picture: some writers round lengths up */

static cn_err read_whole(int fd, uint8_t *into, size_t len, uint64_t offset, bool wait)
{
    size_t done = 0;
    while (done < len) {
        const struct iovec to = {.iov_base = into + done, .iov_len = len - done};
        ssize_t got = preadv2(fd, &to, 1, (off_t)(offset + done), wait ? 0 : RWF_NOWAIT);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 && wait) return cn_err_from_errno(errno);
        if (got <= 0) return wait ? CN_ERR_CORRUPT : CN_ERR_AGAIN;
        done += (size_t)got;
    }
    return CN_OK;
}

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
    cn_err err = read_whole(fd, tile, n, cn_tile_offset(place), wait);
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
