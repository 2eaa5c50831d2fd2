/* SDP as a client of ours or of Janus needs it: what to offer, and the few lines of the other side's that it reads. */
#ifndef CN_CROWD_SDP_H
#define CN_CROWD_SDP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "media/wire/rtp.h"
#include "payload.h"

#define CROWD_SDP_MAX (128 * 1024)
#define CROWD_SECTIONS 72
#define CROWD_LAYERS 3
#define CROWD_MID 16

#define CROWD_PT_OPUS 111
#define CROWD_PT_VP8 96
#define CROWD_PT_VP8_RTX 97
#define CROWD_PT_H264 102
#define CROWD_PT_H264_RTX 103

typedef struct crowd_offer {
    const char *ufrag, *pwd, *fingerprint;
    const char *setup; /* "actpass" or "active" */
    bool mic;
    uint32_t mic_ssrc;
    payload_codec codec;  /* of the camera and of what the slots take */
    unsigned layers;      /* of the camera: 0 none, 1 plain, more: simulcast with the RIDs below */
    uint32_t camera_ssrc; /* told in the SDP when there is one layer */
    unsigned audio_slots, video_slots;
} crowd_offer;

/** The RID of a layer, from the smallest: "q", "h", "f". */
const char *crowd_rid(unsigned layer);
/** Sections "mic", "cam", "a0"…, "v0"…; false when it does not fit. */
bool crowd_offer_write(char *out, size_t size, const crowd_offer *offer);
/** An answer that takes every section of `offer` (recvonly), as the receiving side of Janus's subscription. */
bool crowd_answer_write(char *out, size_t size, const char *offer, const crowd_offer *own);
/** The ids of header extensions in our offers. */
bool crowd_offer_exts(cn_rtp_exts *out);

typedef enum crowd_pt { CROWD_NOTHING, CROWD_OPUS, CROWD_VP8, CROWD_H264, CROWD_RTX } crowd_pt;

typedef struct crowd_section {
    char mid[CROWD_MID];
    bool video, sends;  /* sends: sendonly or sendrecv */
    uint32_t ssrc, rtx; /* 0: not told */
} crowd_section;

typedef struct crowd_sdp {
    char ufrag[64], pwd[64], fingerprint[100], address[64];
    uint16_t port;
    cn_rtp_exts exts;
    uint8_t kind[128]; /* crowd_pt by payload type */
    size_t sections;
    crowd_section section[CROWD_SECTIONS];
} crowd_sdp;

/** False, with a message on standard error, when something that a client needs is missing. */
bool crowd_sdp_read(crowd_sdp *out, const char *sdp);

#endif
