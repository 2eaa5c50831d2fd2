/*
 * Redundant audio (RFC 2198): one packet with the newest block of audio and, before it, what earlier packets carried.
 * Pure: bytes in, views out; any thread, no allocation.
 *
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * |1|  block PT   |     timestamp offset      |   block length    |   per older block, oldest first
 * |0|  block PT   |                                                   the newest one: its length is the rest
 */
#ifndef CN_MEDIA_RED_H
#define CN_MEDIA_RED_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define CN_RED_BLOCKS 16        /* in one packet at most, the newest included */
#define CN_RED_OFFSET_MAX 16383 /* ticks that a block may be older than its packet */

typedef struct cn_red_block {
    uint16_t offset; /* ticks that it is older than the packet's timestamp; 0 for the newest */
    uint16_t at, len;
    uint8_t pt;
} cn_red_block;

typedef struct cn_red {
    cn_red_block block[CN_RED_BLOCKS]; /* in the packet's order: the newest is the last */
    size_t count;
} cn_red;

/** CN_ERR_PARSE: headers or blocks run past `len`, more than CN_RED_BLOCKS, or nothing in the newest. */
cn_err cn_red_parse(cn_red *out, const uint8_t *payload, size_t len);

static inline const cn_red_block *cn_red_newest(const cn_red *red)
{
    return &red->block[red->count - 1];
}

/** Copies a parsed payload, its blocks named `pt`, without empty blocks and those older than `most` ticks. `out` has as
 * many bytes as the payload. Returns the bytes written. */
size_t cn_red_write(uint8_t *out, const uint8_t *payload, const cn_red *red, uint8_t pt, uint32_t most);

#endif
