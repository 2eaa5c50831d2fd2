/* The SDP that a client writes: its offer, and its answer to the offer of a Janus subscription. What it sends and how
 * many slots it wants is said in one struct; names, payload types and extension ids are the same for all clients. */
#ifndef CN_CLIENT_OFFER_H
#define CN_CLIENT_OFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client.h"
#include "names.h"

#define RTC_SDP_MAX (128 * 1024)

typedef struct rtc_offer {
    const char *ufrag, *pwd, *fingerprint; /* borrowed: rtc_offer_own */
    const char *setup;                     /* "actpass", "active" or "passive" */
    bool mic;
    bool red; /* voices with older blocks in front (RFC 2198), sent and taken */
    uint32_t mic_ssrc;
    cn_codec codec;       /* of the camera and of what the slots take: VP8, VP9 or H264 */
    bool plain;           /* no transport-wide feedback, no retransmission: what simple players offer */
    bool dependency;      /* with the dependency descriptor */
    unsigned layers;      /* of the camera: 0 none, 1 plain, more: simulcast with the RIDs of names.h */
    bool ssrc_groups;     /* simulcast by a=ssrc-group:SIM instead: SSRCs from camera_ssrc on, each's RTX one above */
    uint32_t camera_ssrc; /* told in the SDP when there is one layer; its RTX is one above */
    unsigned audio_slots, video_slots;
} rtc_offer;

/** Credentials and fingerprint of the client, who must outlive the offer. */
void rtc_offer_own(rtc_offer *offer, const rtc_client *client);
/** Sections "mic", "cam", "a0"…, "v0"…; false when it does not fit. */
bool rtc_offer_write(char *out, size_t size, const rtc_offer *offer);
/** An answer that takes every section of `offer` (recvonly), as the receiving side of Janus's subscription. */
bool rtc_answer_write(char *out, size_t size, const char *offer, const rtc_offer *own);

#endif
