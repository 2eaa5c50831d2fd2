// covers: media/wire/demux.c
#include <stdint.h>
#include <stdlib.h>

#include "media/wire/demux.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cn_datagram kind = cn_demux(data, size);
    cn_stun stun;
    if (cn_stun_check(data, size, &stun) != CN_OK) return 0;
    if (kind != CN_DATAGRAM_STUN || stun.ufrag_len > stun.username_len) abort();
    const uint8_t *name = (const uint8_t *)stun.username;
    if (name && (name < data || name + stun.username_len > data + size)) abort();
    return 0;
}
