#include "sdp.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

static void text_take(char *out, size_t size, const char *line, const char *key)
{
    size_t skip = strlen(key), len = strlen(line);
    if (strncmp(line, key, skip) != 0) return;
    if (out[0] || len - skip >= size) return; /* the first one counts */
    memcpy(out, line + skip, len - skip + 1);
}

static void candidate_take(rtc_sdp *sdp, const char *line)
{
    char transport[8], address[64];
    unsigned port;
    if (sdp->port || sscanf(line, "a=candidate:%*s 1 %7s %*s %63s %u typ host", transport, address, &port) != 3) return;
    if (strcmp(transport, "udp") != 0 && strcmp(transport, "UDP") != 0) return;
    if (strchr(address, ':')) return;
    sdp->port = (uint16_t)port;
    (void)cn_strcpy(sdp->address, sizeof sdp->address, address);
}

static void codec_take(rtc_sdp *sdp, unsigned long pt, const char *name, bool video)
{
    cn_codec codec = cn_codec_parse(name, strlen(name), video);
    bool taken = codec == CN_CODEC_OPUS || codec == CN_CODEC_AUDIO_RED || codec == CN_CODEC_VP8 ||
                 codec == CN_CODEC_VP9 || codec == CN_CODEC_H264 || codec == CN_CODEC_RTX;
    if (taken && pt < sizeof sdp->codec) sdp->codec[pt] = (uint8_t)codec;
}

static void numbers_take(rtc_sdp *sdp, rtc_section *in, const char *line)
{
    unsigned long a = 0, b = 0;
    char text[128];
    if (sscanf(line, "a=extmap:%lu %127s", &a, text) == 2 || sscanf(line, "a=extmap:%lu/%*s %127s", &a, text) == 2) {
        cn_rtp_ext ext = cn_rtp_ext_by_uri(text, strlen(text));
        if (ext != CN_RTP_EXT_COUNT && !sdp->exts.id[ext]) (void)cn_rtp_exts_set(&sdp->exts, ext, (unsigned)a);
    } else if (in && sscanf(line, "a=rtpmap:%lu %127[^/]", &a, text) == 2) {
        codec_take(sdp, a, text, in->video);
    } else if (in && sscanf(line, "a=ssrc-group:FID %lu %lu", &a, &b) == 2) {
        in->ssrc = (uint32_t)a;
        in->rtx = (uint32_t)b;
    } else if (in && sscanf(line, "a=ssrc:%lu", &a) == 1 && !in->ssrc) {
        in->ssrc = (uint32_t)a;
    }
}

void rtc_sdp_scan(rtc_sdp *out, const char *sdp)
{
    *out = (rtc_sdp){0};
    rtc_section *in = NULL;
    char line[600];
    for (const char *at = sdp; *at;) {
        size_t n = strcspn(at, "\r\n");
        (void)cn_fmt(line, sizeof line, "%.*s", (int)(n < sizeof line ? n : sizeof line - 1), at);
        if (strncmp(line, "m=", 2) == 0 && out->sections < RTC_SECTIONS) {
            in = &out->section[out->sections++];
            in->video = strncmp(line, "m=video", 7) == 0;
        }
        if (in) text_take(in->mid, sizeof in->mid, line, "a=mid:");
        if (in && (strcmp(line, "a=sendonly") == 0 || strcmp(line, "a=sendrecv") == 0)) in->sends = true;
        text_take(out->ufrag, sizeof out->ufrag, line, "a=ice-ufrag:");
        text_take(out->pwd, sizeof out->pwd, line, "a=ice-pwd:");
        text_take(out->fingerprint, sizeof out->fingerprint, line, "a=fingerprint:sha-256 ");
        candidate_take(out, line);
        numbers_take(out, in, line);
        at += n;
        at += strspn(at, "\r\n");
    }
}

bool rtc_sdp_read(rtc_sdp *out, const char *sdp)
{
    rtc_sdp_scan(out, sdp);
    bool ok = out->ufrag[0] && out->pwd[0] && out->fingerprint[0] && out->port && out->sections;
    if (!ok) fprintf(stderr, "client: the other side's SDP lacks what a client needs:\n%s\n", sdp);
    return ok;
}

const rtc_section *rtc_sdp_section(const rtc_sdp *sdp, const char *mid)
{
    for (size_t i = 0; i < sdp->sections; i++)
        if (strcmp(sdp->section[i].mid, mid) == 0) return &sdp->section[i];
    return NULL;
}

bool rtc_sdp_target(const rtc_sdp *sdp, rtc_client *client)
{
    return rtc_client_target(client, sdp->address, sdp->port, sdp->ufrag, sdp->pwd, sdp->fingerprint);
}
