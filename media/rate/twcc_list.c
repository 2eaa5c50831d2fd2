#include "media/rate/twcc.h"

cn_err cn_twcc_list_read(cn_twcc_list *out, const cn_rtcp *pkt)
{
    cn_rtcp_twcc_it it;
    if (!cn_rtcp_twcc_open(&it, pkt)) return CN_ERR_INVALID;
    if (it.count > CN_TWCC_WINDOW) return CN_ERR_TOOBIG;
    out->base_seq = it.base_seq;
    out->count = 0;
    int64_t time_us = (int64_t)it.reference * 64000;
    for (cn_rtcp_twcc status; out->count < CN_TWCC_WINDOW && cn_rtcp_twcc_next(&it, &status);) {
        if (status.received) time_us += (int64_t)status.delta_250us * 250;
        out->arrival_us[out->count++] = status.received ? time_us : CN_TWCC_LOST;
    }
    return CN_OK;
}
