#include "media/wire/framing.h"

#include <string.h>

#include "media/wire/bytes.h"

cn_err cn_deframe(cn_deframer *deframer, uint8_t *chunk, size_t length, cn_frame_fn fn, void *arg)
{
    uint8_t *p = chunk - deframer->n, *end = chunk + length;
    memcpy(p, deframer->rest, deframer->n);
    deframer->n = 0;
    while (end - p >= CN_FRAME_HEAD) {
        size_t len = cn_be16(p);
        if (len > CN_FRAME_MAX) return CN_ERR_TOOBIG;
        if ((size_t)(end - p) < CN_FRAME_HEAD + len) break;
        p += CN_FRAME_HEAD;
        if (len && !fn(arg, p, len)) return CN_ERR_CLOSED;
        p += len;
    }
    deframer->n = (size_t)(end - p);
    memcpy(deframer->rest, p, deframer->n);
    return CN_OK;
}

void cn_frame_head(uint8_t out[CN_FRAME_HEAD], size_t len)
{
    cn_put16(out, (uint16_t)len);
}
