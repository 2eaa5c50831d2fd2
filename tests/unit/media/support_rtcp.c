#include "support_rtcp.h"

#include "media/wire/bytes.h"

enum { HEADER = 4, FEEDBACK = 12, PT_BYE = 203, PT_PSFB = 206, FMT_FIR = 4, FMT_AFB = 15 };

static size_t header(uint8_t *out, unsigned count, unsigned pt, size_t len)
{
    out[0] = (uint8_t)(0x80 | count);
    out[1] = (uint8_t)pt;
    cn_put16(out + 2, (uint16_t)(len / 4 - 1));
    return len;
}

static size_t feedback(uint8_t *out, unsigned fmt, size_t len, uint32_t sender)
{
    cn_put32(out + 4, sender);
    cn_put32(out + 8, 0); /* the entries name the targets */
    return header(out, fmt, PT_PSFB, len);
}

size_t rtcp_bye(uint8_t *out, size_t cap, const uint32_t *ssrcs, size_t count)
{
    size_t len = HEADER + count * 4;
    if (len > cap) return 0;
    for (size_t i = 0; i < count; i++) cn_put32(out + HEADER + i * 4, ssrcs[i]);
    return header(out, (unsigned)count, PT_BYE, len);
}

size_t rtcp_fir(uint8_t *out, size_t cap, uint32_t sender, uint32_t media, uint8_t number)
{
    if (cap < FEEDBACK + 8) return 0;
    cn_put32(out + FEEDBACK, media);
    cn_put32(out + FEEDBACK + 4, (uint32_t)number << 24);
    return feedback(out, FMT_FIR, FEEDBACK + 8, sender);
}

size_t rtcp_remb(uint8_t *out, size_t cap, uint32_t sender, uint64_t bps, const uint32_t *ssrcs, size_t count)
{
    size_t len = FEEDBACK + 8 + count * 4;
    if (len > cap) return 0;
    unsigned exponent = 0;
    while (bps >> exponent > 0x3ffff) exponent++;
    cn_put32(out + FEEDBACK, 0x52454d42); /* "REMB" */
    cn_put32(out + FEEDBACK + 4, (uint32_t)count << 24 | exponent << 18 | (uint32_t)(bps >> exponent));
    for (size_t i = 0; i < count; i++) cn_put32(out + FEEDBACK + 8 + i * 4, ssrcs[i]);
    return feedback(out, FMT_AFB, len, sender);
}
