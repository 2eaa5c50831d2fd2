/* The other side's SDP as a client needs it: the few lines that it reads of an offer, an answer or a fragment. Apart
 * from media/sdp on purpose: the two cannot agree on the same mistake. */
#ifndef CN_CLIENT_SDP_H
#define CN_CLIENT_SDP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client.h"
#include "names.h"

#define RTC_SECTIONS 72

typedef struct rtc_section {
    char mid[RTC_MID];
    bool video, sends;  /* sends: sendonly or sendrecv */
    uint32_t ssrc, rtx; /* 0: not told */
} rtc_section;

typedef struct rtc_sdp {
    char ufrag[64], pwd[64], fingerprint[100];
    char address[64]; /* of the first UDP candidate of IPv4 */
    uint16_t port;
    cn_rtp_exts exts;
    uint8_t codec[128]; /* cn_codec by payload type; CN_CODEC_OTHER: none that a client takes */
    size_t sections;
    rtc_section section[RTC_SECTIONS];
} rtc_sdp;

/** Takes what is there, if only a part. */
void rtc_sdp_scan(rtc_sdp *out, const char *sdp);
/** The same; false, with a message on standard error, when something that a client needs is missing. */
bool rtc_sdp_read(rtc_sdp *out, const char *sdp);
/** NULL: there is none of this name. */
const rtc_section *rtc_sdp_section(const rtc_sdp *sdp, const char *mid);
/** rtc_client_target with what it says. */
bool rtc_sdp_target(const rtc_sdp *sdp, rtc_client *client);

#endif
