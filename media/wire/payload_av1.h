/* AV1 payload: the aggregation header alone (AV1 RTP specification §4.4). Everything else is told by the dependency
 * descriptor. */
#ifndef CN_MEDIA_PAYLOAD_AV1_H
#define CN_MEDIA_PAYLOAD_AV1_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* |Z|Y|W W|N|-|-|-| */
typedef struct cn_av1 {
    bool continues; /* Z: begins inside an OBU */
    bool goes_on;   /* Y: the last OBU goes on in the next packet */
    bool sequence;  /* N: first packet of a coded video sequence, so of a key frame */
} cn_av1;

/** CN_ERR_PARSE: nothing behind the header, or a packet that both begins a sequence and continues an OBU. */
cn_err cn_av1_parse(cn_av1 *out, const uint8_t *payload, size_t len);

#endif
