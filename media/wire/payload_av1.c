#include "media/wire/payload_av1.h"

cn_err cn_av1_parse(cn_av1 *out, const uint8_t *payload, size_t len)
{
    if (len < 2) return CN_ERR_PARSE;
    cn_av1 av1 = {.continues = payload[0] & 0x80, .goes_on = payload[0] & 0x40, .sequence = payload[0] & 8};
    if (av1.sequence && av1.continues) return CN_ERR_PARSE;
    *out = av1;
    return CN_OK;
}
