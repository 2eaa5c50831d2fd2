/* A stream in pieces of any size gives the same datagrams as in one, and never more than came. */
// covers: media/wire/framing.c
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "media/wire/framing.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STREAM 8192

typedef struct sum {
    size_t count, bytes;
    uint32_t hash;
} sum;

static bool on_frame(void *arg, uint8_t *bytes, size_t len)
{
    sum *total = arg;
    if (!len || len > CN_FRAME_MAX) abort();
    for (size_t i = 0; i < len; i++) total->hash = (total->hash ^ bytes[i]) * 16777619u;
    memset(bytes, 0, len);
    total->hash += (uint32_t)len;
    total->count++;
    total->bytes += len;
    return bytes == NULL || total->count < 512;
}

static cn_err feed(sum *total, const uint8_t *data, size_t size, size_t piece)
{
    static uint8_t room[CN_DEFRAME_ROOM + STREAM];
    cn_deframer deframer = {0};
    cn_err err = CN_OK;
    for (size_t at = 0, n; at < size && !err; at += n) {
        n = size - at < piece ? size - at : piece;
        memcpy(room + CN_DEFRAME_ROOM, data + at, n);
        err = cn_deframe(&deframer, room + CN_DEFRAME_ROOM, n, on_frame, total);
        if (deframer.n > sizeof deframer.rest) abort();
    }
    return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > STREAM) return 0;
    sum whole = {0, 0, 2166136261u}, split = whole;
    cn_err err = feed(&whole, data + 1, size - 1, STREAM);
    cn_err failure = feed(&split, data + 1, size - 1, (size_t)data[0] + 1);
    if (err != failure || whole.hash != split.hash || whole.count != split.count) abort();
    if (whole.bytes + CN_FRAME_HEAD * whole.count > size - 1) abort();
    uint8_t head[CN_FRAME_HEAD];
    cn_frame_head(head, whole.bytes & 0xffff);
    if ((size_t)(head[0] << 8 | head[1]) != (whole.bytes & 0xffff)) abort();
    return 0;
}
