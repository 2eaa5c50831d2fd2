/* Writes fields of bits, most significant first, into zeroed bytes. */
#ifndef CN_CLIENT_BITS_H
#define CN_CLIENT_BITS_H

#include <stdint.h>

typedef struct rtc_bits {
    uint8_t *p;
    unsigned at; /* bits written */
} rtc_bits;

/** The low `width` bits of a value. */
void rtc_bits_put(rtc_bits *out, unsigned width, uint32_t value);
/** Exp-Golomb code (ITU-T H.264 §9.1): ue(v). */
void rtc_bits_put_ue(rtc_bits *out, uint32_t value);
/** One of `bound` values, not symmetric (AV1 §4.10.7): the first ones take a bit less. */
void rtc_bits_put_ns(rtc_bits *out, unsigned bound, unsigned value);
/** Whole bytes so far. */
unsigned rtc_bits_bytes(const rtc_bits *out);

#endif
