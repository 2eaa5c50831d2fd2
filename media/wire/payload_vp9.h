/* VP9 payload descriptor (RFC 9628 §4.2). */
#ifndef CN_MEDIA_PAYLOAD_VP9_H
#define CN_MEDIA_PAYLOAD_VP9_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define CN_VP9_SPATIAL 8

/*
 *  |I|P|L|F|B|E|V|Z|   I: |M| PICTURE ID | (M: + 8 bits)   L: | TID |U| SID |D| (F = 0: | TL0PICIDX |)
 *                      F and P: | P_DIFF |N| up to 3 times   V: scalability structure
 */
typedef struct cn_vp9 {
    bool frame_start, frame_end; /* of the picture in one spatial layer */
    bool inter;                  /* predicted from earlier pictures (P) */
    bool inter_layer;            /* predicted from the spatial layer below (D) */
    bool switch_up;              /* U: later pictures of higher temporal layers need nothing before this one */
    bool flexible, has_layers, has_picture_id, picture_id_15, has_tl0picidx;
    bool not_for_upper; /* Z: spatial layers above do not use it */
    uint16_t picture_id;
    uint8_t tl0picidx, tid, sid;
    uint8_t picture_id_at, tl0picidx_at; /* offset from the payload's start, 0: none */
    uint8_t descriptor_len;
    uint8_t spatial; /* layers that a scalability structure with sizes tells, 0: none here */
    uint16_t width[CN_VP9_SPATIAL], height[CN_VP9_SPATIAL];
} cn_vp9;

/** CN_ERR_PARSE: cut off, more than 3 references, nothing behind the descriptor. `out` is written only on success. */
cn_err cn_vp9_parse(cn_vp9 *out, const uint8_t *payload, size_t len);

/** Writes picture id and TL0PICIDX in place as cn_vp8_rewrite does: both fields look the same. */
void cn_vp9_rewrite(uint8_t *payload, uint8_t picture_id_at, bool picture_id_15, uint16_t picture_id,
                    uint8_t tl0picidx_at, uint8_t tl0picidx);

#endif
