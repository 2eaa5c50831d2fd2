/* H.264 payload (RFC 6184 §5): single NAL unit, STAP-A, FU-A; the size from an SPS (ITU-T H.264 §7.3.2.1.1). */
#ifndef CN_MEDIA_PAYLOAD_H264_H
#define CN_MEDIA_PAYLOAD_H264_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

typedef struct cn_h264 {
    bool key;         /* an IDR slice, its fragment, or an SPS is inside */
    bool frame_start; /* certainly begins an access unit: SPS, PPS, AUD, SEI, or a slice with first_mb_in_slice 0 */
    bool has_slice;
    bool non_reference;     /* slices only, all with nal_ref_idc 0 */
    uint16_t width, height; /* from an SPS in this packet, cropped; 0 otherwise */
} cn_h264;

/** CN_ERR_PARSE: empty, an aggregate cut off or with an empty unit, FU without its header, forbidden bit set.
 * CN_ERR_UNSUPPORTED: STAP-B, MTAP, FU-B (interleaved mode is never negotiated) and reserved types. A damaged SPS
 * leaves the size 0. */
cn_err cn_h264_parse(cn_h264 *out, const uint8_t *payload, size_t len);

/** Width and height of an SPS NAL unit (with its header byte). CN_ERR_PARSE when damaged or larger than 16,384. */
cn_err cn_h264_sps_size(const uint8_t *nal, size_t len, uint16_t *width, uint16_t *height);

#endif
