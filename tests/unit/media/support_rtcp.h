/* RTCP that only receivers write: the server reads it. Each appends one packet and returns its length, 0 when it does not
 * fit. */
#ifndef CN_SUPPORT_RTCP_H
#define CN_SUPPORT_RTCP_H

#include <stddef.h>
#include <stdint.h>

size_t rtcp_bye(uint8_t *out, size_t cap, const uint32_t *ssrcs, size_t count);
size_t rtcp_fir(uint8_t *out, size_t cap, uint32_t sender, uint32_t media, uint8_t number);
/** REMB over count ≤ 255 SSRCs. */
size_t rtcp_remb(uint8_t *out, size_t cap, uint32_t sender, uint64_t bps, const uint32_t *ssrcs, size_t count);

#endif
