#include "bits.h"

void rtc_bits_put(rtc_bits *out, unsigned width, uint32_t value)
{
    while (width--) {
        if (value >> width & 1) out->p[out->at / 8] |= (uint8_t)(0x80 >> out->at % 8);
        out->at++;
    }
}

void rtc_bits_put_ue(rtc_bits *out, uint32_t value)
{
    unsigned n = 0;
    while ((value + 1) >> (n + 1)) n++;
    rtc_bits_put(out, n, 0);
    rtc_bits_put(out, n + 1, value + 1);
}

void rtc_bits_put_ns(rtc_bits *out, unsigned bound, unsigned value)
{
    unsigned width = 0;
    while (bound >> width) width++;
    unsigned few = (1u << width) - bound;
    if (value < few)
        rtc_bits_put(out, width - 1, value);
    else
        rtc_bits_put(out, width, value + few);
}

unsigned rtc_bits_bytes(const rtc_bits *out)
{
    return (out->at + 7) / 8;
}
