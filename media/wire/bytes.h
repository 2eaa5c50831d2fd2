/* Big-endian numbers of 16 to 64 bits in bytes: read and written. */
#ifndef CN_MEDIA_BYTES_H
#define CN_MEDIA_BYTES_H

#include <stdint.h>

static inline uint16_t cn_be16(const uint8_t *bytes)
{
    return (uint16_t)((unsigned)bytes[0] << 8 | bytes[1]);
}
static inline uint32_t cn_be24(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 16 | (uint32_t)bytes[1] << 8 | bytes[2];
}
static inline uint32_t cn_be32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | cn_be24(bytes + 1);
}
static inline uint64_t cn_be64(const uint8_t *bytes)
{
    return (uint64_t)cn_be32(bytes) << 32 | cn_be32(bytes + 4);
}
static inline void cn_put16(uint8_t *bytes, unsigned value)
{
    bytes[0] = (uint8_t)(value >> 8), bytes[1] = (uint8_t)value;
}
static inline void cn_put24(uint8_t *bytes, uint32_t value)
{
    bytes[0] = (uint8_t)(value >> 16), cn_put16(bytes + 1, value & 0xffff);
}
static inline void cn_put32(uint8_t *bytes, uint32_t value)
{
    bytes[0] = (uint8_t)(value >> 24), cn_put24(bytes + 1, value & 0xffffff);
}
static inline void cn_put64(uint8_t *bytes, uint64_t value)
{
    cn_put32(bytes, (uint32_t)(value >> 32)), cn_put32(bytes + 4, (uint32_t)value);
}

#endif
