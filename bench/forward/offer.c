#include "offer.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

static const struct {
    cn_rtp_ext ext;
    unsigned id;
} exts[] = {{CN_RTP_EXT_AUDIO_LEVEL, 1}, {CN_RTP_EXT_TWCC, 3}, {CN_RTP_EXT_MID, 4}};

bool offer_exts(cn_rtp_exts *out)
{
    *out = (cn_rtp_exts){0};
    for (size_t i = 0; i < sizeof exts / sizeof *exts; i++) {
        if (!cn_rtp_exts_set(out, exts[i].ext, exts[i].id)) return false;
    }
    return true;
}

static void section(cn_buf *b, const offer_fill *f, bool video, const char *mid, uint32_t ssrc)
{
    cn_buf_fmt(b,
               "m=%s 9 UDP/TLS/RTP/SAVPF %s\r\nc=IN IP4 0.0.0.0\r\na=mid:%s\r\na=%s\r\na=rtcp-mux\r\na=rtcp-rsize\r\n",
               video ? "video" : "audio", video ? "96 97" : "111", mid, ssrc ? "sendonly" : "recvonly");
    cn_buf_fmt(b, "a=ice-ufrag:%s\r\na=ice-pwd:%s\r\na=fingerprint:sha-256 %s\r\na=setup:actpass\r\n", f->ufrag, f->pwd,
               f->fingerprint);
    for (size_t i = 0; i < sizeof exts / sizeof *exts; i++) {
        if (exts[i].ext != CN_RTP_EXT_AUDIO_LEVEL || !video)
            cn_buf_fmt(b, "a=extmap:%u %s\r\n", exts[i].id, cn_rtp_ext_uri(exts[i].ext));
    }
    if (video) {
        cn_buf_str(b,
                   "a=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 transport-cc\r\na=rtcp-fb:96 ccm fir\r\na=rtcp-fb:96 nack\r\n"
                   "a=rtcp-fb:96 nack pli\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n");
    } else {
        cn_buf_str(
            b, "a=rtpmap:111 opus/48000/2\r\na=rtcp-fb:111 transport-cc\r\na=fmtp:111 minptime=10;useinbandfec=1\r\n");
    }
    if (ssrc) cn_buf_fmt(b, "a=msid:- %s\r\na=ssrc:%u cname:bench\r\n", mid, ssrc);
}

bool offer_write(char *out, size_t size, const offer_fill *f)
{
    cn_buf b = {.max = size};
    cn_buf_str(&b, "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE mic");
    if (f->video) cn_buf_str(&b, " cam");
    for (unsigned i = 0; i < f->audio_slots; i++) cn_buf_fmt(&b, " a%u", i);
    for (unsigned i = 0; i < f->video_slots; i++) cn_buf_fmt(&b, " v%u", i);
    cn_buf_str(&b, "\r\na=extmap-allow-mixed\r\na=msid-semantic: WMS\r\n");
    section(&b, f, false, "mic", f->audio_ssrc);
    if (f->video) section(&b, f, true, "cam", f->video_ssrc);
    for (unsigned i = 0; i < f->audio_slots + f->video_slots; i++) {
        char mid[16];
        bool video = i >= f->audio_slots;
        (void)cn_fmt(mid, sizeof mid, "%c%u", video ? 'v' : 'a', video ? i - f->audio_slots : i);
        section(&b, f, video, mid, 0);
    }
    bool ok = !b.err && b.p && cn_strcpy(out, size, b.p);
    cn_buf_free(&b);
    return ok;
}

static bool value(char *out, size_t size, const char *sdp, const char *key)
{
    const char *at = strstr(sdp, key);
    if (!at) return false;
    at += strlen(key);
    size_t n = strcspn(at, "\r\n");
    if (n >= size) return false;
    memcpy(out, at, n);
    out[n] = '\0';
    return true;
}

bool answer_read(answer_view *out, const char *sdp)
{
    char candidate[200];
    unsigned port = 0;
    bool ok = value(out->ufrag, sizeof out->ufrag, sdp, "a=ice-ufrag:") &&
              value(out->pwd, sizeof out->pwd, sdp, "a=ice-pwd:") &&
              value(out->fingerprint, sizeof out->fingerprint, sdp, "a=fingerprint:sha-256 ") &&
              value(candidate, sizeof candidate, sdp, "a=candidate:") &&
              sscanf(candidate, "%*s 1 %*s %*s %63s %u typ host", out->address, &port) == 2;
    out->port = (uint16_t)port;
    if (!ok) fprintf(stderr, "forward: the answer lacks what a client needs:\n%s\n", sdp);
    return ok;
}
