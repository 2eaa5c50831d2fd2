/* An input taken piece by piece: numbers, and stretches of bytes. What is no longer there is 0. */
#ifndef CN_FUZZ_INPUT_H
#define CN_FUZZ_INPUT_H

#include <stddef.h>
#include <stdint.h>

typedef struct input {
    const uint8_t *p;
    size_t n;
} input;

/** A number of so many bytes, the first one the highest. */
static inline uint64_t input_number(input *in, unsigned bytes)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes; i++) {
        value = value << 8 | (in->n ? *in->p : 0);
        if (in->n) in->p++, in->n--;
    }
    return value;
}

static inline uint8_t input_byte(input *in)
{
    return (uint8_t)input_number(in, 1);
}

/** At most `len` bytes, as many as there are. */
static inline const uint8_t *input_bytes(input *in, size_t *len)
{
    const uint8_t *at = in->p;
    if (*len > in->n) *len = in->n;
    in->p += *len;
    in->n -= *len;
    return at;
}

/** Ends the target when a promise was broken. */
static inline void must(int kept)
{
    if (!kept) __builtin_trap();
}

#endif
