/* The SDP of a bench client: an offer as our web app's, and the few lines of the answer that it needs. */
#ifndef CN_BENCH_OFFER_H
#define CN_BENCH_OFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "media/rtp.h"

#define OFFER_OPUS 111
#define OFFER_VP8 96

typedef struct offer_fill {
    const char *ufrag, *pwd, *fingerprint;
    uint32_t audio_ssrc, video_ssrc;
    bool video;
    unsigned audio_slots, video_slots;
} offer_fill;

/** False when it does not fit. */
bool offer_write(char *out, size_t size, const offer_fill *f);
/** The ids that the offer gives to header extensions. */
bool offer_exts(cn_rtp_exts *out);

typedef struct answer_view {
    char ufrag[64], pwd[64], fingerprint[96], address[64];
    uint16_t port;
} answer_view;

bool answer_read(answer_view *out, const char *sdp);

#endif
