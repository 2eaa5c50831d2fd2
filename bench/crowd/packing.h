/* A frame cut into RTP payloads and put together again: VP8 (RFC 7741 §4) and H.264 in packetization mode 1 (RFC 6184
 * §5.6 single NAL units, §5.7.1 STAP-A, §5.8 FU-A). An H.264 frame is an access unit whose NAL units each begin with a
 * start code of four bytes. Pure; any thread. */
#ifndef CN_CROWD_PACKING_H
#define CN_CROWD_PACKING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "payload.h"

#define PACKING_MAX 1160 /* bytes of a payload: with headers, extensions and RTX below 1,200 */

typedef enum packing_kind { PACKING_VP8, PACKING_NAL, PACKING_STAP, PACKING_FU } packing_kind;

/* One payload's part of its frame. */
typedef struct packing_cut {
    uint32_t at;    /* in the frame: of the bytes; STAP: of the first start code */
    uint16_t len;   /* of them in the frame */
    uint16_t bytes; /* of the payload */
    uint8_t kind;   /* packing_kind */
    uint8_t nal;    /* STAP, FU: the first byte of the payload */
    uint8_t fu;     /* FU: its header */
    bool first;     /* of the frame */
} packing_cut;

/** Cuts a frame. Returns how many parts it has, of which at most `max` are written; 0: no frame of this codec. */
size_t packing_cuts(packing_cut *out, size_t max, cn_codec codec, const uint8_t *frame, size_t len);
/** Writes cut->bytes bytes. `picture`, `tl0`: VP8's PictureID of 15 bits and TL0PICIDX. */
void packing_write(uint8_t *out, const uint8_t *frame, const packing_cut *cut, uint16_t picture, uint8_t tl0);
/** Appends what a payload carries to a frame of `*used` bytes. False: malformed, or it would exceed `max`. */
bool packing_take(uint8_t *frame, size_t max, size_t *used, cn_codec codec, const uint8_t *payload, size_t len);

/** The next NAL unit of an Annex-B byte stream (ITU-T H.264 §B.1) at or behind `*at`, without start code and trailing
 * zeros; `*at` moves behind it. False: there is none. */
bool packing_nal(const uint8_t *bytes, size_t length, size_t *at, size_t *nal, size_t *len);

#endif
