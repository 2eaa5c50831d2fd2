/* VP8 payload descriptor (RFC 7741 §4.2) and key frame header (RFC 6386 §9.1). */
#ifndef CN_MEDIA_PAYLOAD_VP8_H
#define CN_MEDIA_PAYLOAD_VP8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/*
 *  |X|R|N|S|R| PID |    X: |I|L|T|K| RSV |   I: |M| PictureID | (M: + 8 bits)   L: | TL0PICIDX |   T,K: |TID|Y| KEYIDX
 * |
 */
typedef struct cn_vp8 {
    bool frame_start; /* S set and PID 0 */
    bool non_reference;
    bool key; /* only known where frame_start */
    bool has_picture_id, picture_id_15, has_tl0picidx, has_tid, has_keyidx, layer_sync;
    uint16_t picture_id;
    uint8_t tl0picidx, tid, keyidx;
    uint8_t picture_id_at, tl0picidx_at; /* offset from the payload's start, 0: none */
    uint8_t descriptor_len;
    uint16_t width, height; /* of a key frame's first packet; 0 otherwise */
} cn_vp8;

/** Reads descriptor and, at a frame's start, the frame tag. CN_ERR_PARSE: cut off, nothing behind the descriptor, a key
 * frame without its start code or with a zero side. `out` is written only on success. */
cn_err cn_vp8_parse(cn_vp8 *out, const uint8_t *payload, size_t len);

/** Writes PictureID (masked to the field's width) and TL0PICIDX in place at the offsets which the parser found (0: left
 * alone). The field's width is kept. */
void cn_vp8_rewrite(uint8_t *payload, uint8_t picture_id_at, bool picture_id_15, uint16_t picture_id,
                    uint8_t tl0picidx_at, uint8_t tl0picidx);

#endif
