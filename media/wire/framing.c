#include "media/wire/framing.h"

#include <string.h>

#include "media/wire/rtp.h"

cn_err cn_deframe(cn_deframer *d, uint8_t *chunk, size_t n, cn_frame_fn fn, void *arg)
{
    uint8_t *p = chunk - d->n, *end = chunk + n;
    memcpy(p, d->rest, d->n);
    d->n = 0;
    while (end - p >= CN_FRAME_HEAD) {
        size_t len = cn_be16(p);
        if (len > CN_FRAME_MAX) return CN_ERR_TOOBIG;
        if ((size_t)(end - p) < CN_FRAME_HEAD + len) break;
        p += CN_FRAME_HEAD;
        if (len && !fn(arg, p, len)) return CN_ERR_CLOSED;
        p += len;
    }
    d->n = (size_t)(end - p);
    memcpy(d->rest, p, d->n);
    return CN_OK;
}

void cn_frame_head(uint8_t out[CN_FRAME_HEAD], size_t n)
{
    cn_put16(out, (uint16_t)n);
}
