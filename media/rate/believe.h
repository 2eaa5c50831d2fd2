/*
 * How large a picture counts whose size its sender claims (REQUIREMENTS §14 rule 2: what is sent). Pure.
 *
 * A size stands in a key frame's head, in an SPS or in a descriptor, and costs nothing to write there; what others pay
 * follows from it. So it is held against what it must have cost to send:
 *
 *  - Too large: an encoder cannot leave out a block of a key frame, and each block takes some bits even in a picture of
 *    one colour. VP8 3 bits for 16 × 16, H.264 (CABAC; the second field predicted) 0.1, VP9 1.9 for 64 × 64, AV1 next to nothing. A claim for which
 *    the larger of the last two key frames is too short is untrue, and so is one above the largest picture that any
 *    level of these codecs knows. It counts as what such a key frame ordinarily holds.
 *  - Too small: frames of more bits than the pixels have, uncompressed. It counts as what frames of that size
 *    ordinarily hold.
 *  - Contradicted: the encoder's own allocation (video-layers-allocation) tells an area that is twice or half as large.
 *    The larger one counts, unless it is too large.
 *
 * What is doubted never counts above the ceiling of who is sent it; the caller knows that one.
 *
 * Where the doubt goes: the bounds are the codecs' limits and not habits, so what could be true is believed. A still
 * 4K screen at a few kbit/s is: its key frame holds all of it, and how little follows does not matter. Who sends black
 * 4K pictures of H.264 or VP9 is believed, too, for they can be that short; there the doubt goes against who pays, as
 * his decoder really gets that picture. A disproved claim counts by the ordinary, which may be less than is shown or
 * more: it is told once, so that somebody looks.
 */
#ifndef CN_MEDIA_BELIEVE_H
#define CN_MEDIA_BELIEVE_H

#include <stdbool.h>
#include <stdint.h>

#include "media/kinds.h"
#include "media/wire/codec.h"

#define CN_BELIEVE_LEVELS 35651584 /* pixels: the largest picture of H.264 level 6.2, VP9 6.2, AV1 6.3 */

typedef struct cn_size_claim {
    cn_codec codec;
    bool based;              /* a spatial layer that is predicted from a smaller one of its stream */
    uint32_t width, height;  /* as the stream says */
    uint32_t key_bytes;      /* payload of its key frame, with the layers that it needs */
    uint32_t bytes, frames;  /* of the last second; 0: not known */
    uint64_t allocated_area; /* as the encoder's allocation says; 0: it says nothing */
} cn_size_claim;

/** The area that counts in pixels, at most UINT32_MAX; `doubt` gets what is wrong with the claim. 0 when there is no
 * claim, or no key frame to hold it against. */
uint32_t cn_believe(const cn_size_claim *claim, cn_size_doubt *doubt);

#endif
