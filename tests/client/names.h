/* What all our offers call things: payload types, header extensions, layers and sections. */
#ifndef CN_CLIENT_NAMES_H
#define CN_CLIENT_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "media/wire/codec.h"
#include "media/wire/rtp.h"

#define RTC_LAYERS 3
#define RTC_MID 16
#define RTC_EXTS 6

#define RTC_PT_RED 63
#define RTC_PT_VP8 96 /* of video: its RTX has the next one */
#define RTC_PT_VP9 98
#define RTC_PT_H264 102
#define RTC_PT_OPUS 111

/* A header extension, and in which sections it is offered. */
typedef struct rtc_ext {
    cn_rtp_ext ext;
    unsigned id;
    bool audio, video;
} rtc_ext;

extern const rtc_ext rtc_exts[RTC_EXTS];

/** All of them, as packets are written and parsed with. */
void rtc_exts_get(cn_rtp_exts *out);
/** The payload type of a codec; 0: not offered. */
uint8_t rtc_pt(cn_codec codec);
/** The RID of a layer, from the smallest: "q", "h", "f". */
const char *rtc_rid(unsigned layer);
/** The mid of slot `index`, voices first: "a0"…, "v0"…; and whether it takes video. */
bool rtc_slot_mid(char out[RTC_MID], unsigned index, unsigned audio_slots);

#endif
