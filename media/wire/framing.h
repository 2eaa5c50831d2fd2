/*
 * Datagrams on a byte stream (RFC 4571 §2): each is preceded by its length in 16 bits. Pure: any thread, no I/O, no
 * allocation.
 *
 *    0                   1
 *    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 ...
 *   +-------------------------------+---------------------
 *   |            LENGTH             |  STUN, DTLS, SRTP …
 *   +-------------------------------+---------------------
 */
#ifndef CN_MEDIA_FRAMING_H
#define CN_MEDIA_FRAMING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define CN_FRAME_HEAD 2
#define CN_FRAME_MAX 2048 /* bytes of a datagram; a longer one than any of ours breaks the stream */

/** What has come of a frame that is not complete. Zeroed is ready. */
typedef struct cn_deframer {
    size_t n;
    uint8_t rest[CN_FRAME_HEAD + CN_FRAME_MAX];
} cn_deframer;

/** Writable bytes that cn_deframe needs before the chunk. */
#define CN_DEFRAME_ROOM (CN_FRAME_HEAD + CN_FRAME_MAX)

/** One datagram, not empty: writable, valid until the function returns. False: no more of this stream is wanted. */
typedef bool (*cn_frame_fn)(void *arg, uint8_t *bytes, size_t len);

/**
 * Takes the next `length` bytes of a stream, before which CN_DEFRAME_ROOM bytes may be overwritten, and hands over
 * every datagram that is complete; empty ones mean nothing (RFC 4571 §2). CN_ERR_TOOBIG: a length over CN_FRAME_MAX,
 * the stream is of no use any more. CN_ERR_CLOSED: `fn` wanted no more.
 */
cn_err cn_deframe(cn_deframer *deframer, uint8_t *chunk, size_t length, cn_frame_fn fn, void *arg);

/** Writes the length that goes before a datagram of len ≤ 65,535 bytes. */
void cn_frame_head(uint8_t out[CN_FRAME_HEAD], size_t len);

#endif
