#include "names.h"

#include <stdlib.h>

#include "base/str.h"

const rtc_ext rtc_exts[RTC_EXTS] = {{CN_RTP_EXT_AUDIO_LEVEL, 1, true, false},
                                    {CN_RTP_EXT_TWCC, 3, true, true},
                                    {CN_RTP_EXT_MID, 4, true, true},
                                    {CN_RTP_EXT_RID, 10, false, true},
                                    {CN_RTP_EXT_REPAIRED_RID, 11, false, true},
                                    {CN_RTP_EXT_DEPENDENCY, 12, false, true}};

uint8_t rtc_pt(cn_codec codec)
{
    static const uint8_t pts[CN_CODEC_COUNT] = {[CN_CODEC_AUDIO_RED] = RTC_PT_RED,
                                                [CN_CODEC_VP8] = RTC_PT_VP8,
                                                [CN_CODEC_VP9] = RTC_PT_VP9,
                                                [CN_CODEC_H264] = RTC_PT_H264,
                                                [CN_CODEC_OPUS] = RTC_PT_OPUS};
    return pts[codec];
}

const char *rtc_rid(unsigned layer)
{
    static const char *const rids[RTC_LAYERS] = {"q", "h", "f"};
    return rids[layer < RTC_LAYERS ? layer : 0];
}

void rtc_exts_get(cn_rtp_exts *out)
{
    *out = (cn_rtp_exts){.two_byte = true};
    for (size_t i = 0; i < RTC_EXTS; i++)
        if (!cn_rtp_exts_set(out, rtc_exts[i].ext, rtc_exts[i].id)) abort();
}

bool rtc_slot_mid(char out[RTC_MID], unsigned index, unsigned audio_slots)
{
    bool video = index >= audio_slots;
    (void)cn_fmt(out, RTC_MID, "%c%u", video ? 'v' : 'a', video ? index - audio_slots : index);
    return video;
}
