/*
 * A publisher of VP9 in three spatial and three temporal layers, every picture of an upper spatial layer predicted from
 * the one below ("L3T3" of the W3C's scalability modes): dependency descriptors (AV1 RTP specification, appendix A) and
 * VP9 payload descriptors (RFC 9628) as such a camera writes them. Its own writer: media/ only reads descriptors.
 */
#ifndef CN_SUPPORT_SVC_H
#define CN_SUPPORT_SVC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SVC_SPATIAL 3
#define SVC_TEMPORAL 3
#define SVC_DESCRIPTOR_MAX 255
#define SVC_VP9_MAX 24

/** One picture in one spatial layer. */
typedef struct svc_frame {
    uint32_t picture; /* since the last key picture, which is 0 */
    uint16_t number;  /* of the frame, over all layers */
    uint16_t id;      /* of the picture, 15 bits */
    uint8_t tl0, sid;
} svc_frame;

/** Its temporal layer: 0 2 1 2, from the key picture on. */
unsigned svc_tid(uint32_t picture);
/** The descriptor of one of its packets: first and last of the frame. Returns its length. */
size_t svc_descriptor(uint8_t out[SVC_DESCRIPTOR_MAX], const svc_frame *frame, bool first, bool last);
/** The payload descriptor of one of its packets. Returns its length. */
size_t svc_vp9(uint8_t out[SVC_VP9_MAX], const svc_frame *frame, bool first, bool last);

#endif
