#include "sdp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

static const struct {
    cn_rtp_ext ext;
    unsigned id;
    bool audio, video;
} exts[] = {{CN_RTP_EXT_AUDIO_LEVEL, 1, true, false},
            {CN_RTP_EXT_TWCC, 3, true, true},
            {CN_RTP_EXT_MID, 4, true, true},
            {CN_RTP_EXT_RID, 10, false, true},
            {CN_RTP_EXT_REPAIRED_RID, 11, false, true}};

const char *crowd_rid(unsigned layer)
{
    static const char *const rids[CROWD_LAYERS] = {"q", "h", "f"};
    return rids[layer < CROWD_LAYERS ? layer : 0];
}

bool crowd_offer_exts(cn_rtp_exts *out)
{
    *out = (cn_rtp_exts){0};
    for (size_t i = 0; i < sizeof exts / sizeof *exts; i++)
        if (!cn_rtp_exts_set(out, exts[i].ext, exts[i].id)) return false;
    return true;
}

/* ---- writing ---- */

static void codec_lines(cn_buf *buf, bool video, payload_codec codec)
{
    if (!video) {
        cn_buf_str(
            buf,
            "a=rtpmap:111 opus/48000/2\r\na=rtcp-fb:111 transport-cc\r\na=fmtp:111 minptime=10;useinbandfec=1\r\n");
        return;
    }
    bool vp8 = codec == PAYLOAD_VP8;
    unsigned pt = vp8 ? CROWD_PT_VP8 : CROWD_PT_H264;
    cn_buf_fmt(buf, "a=rtpmap:%u %s/90000\r\n", pt, vp8 ? "VP8" : "H264");
    if (!vp8)
        cn_buf_fmt(buf, "a=fmtp:%u level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f\r\n", pt);
    static const char *const feedback[] = {"transport-cc", "ccm fir", "nack", "nack pli"};
    for (size_t i = 0; i < sizeof feedback / sizeof *feedback; i++)
        cn_buf_fmt(buf, "a=rtcp-fb:%u %s\r\n", pt, feedback[i]);
    cn_buf_fmt(buf, "a=rtpmap:%u rtx/90000\r\na=fmtp:%u apt=%u\r\n", pt + 1, pt + 1, pt);
}

static void section(cn_buf *buf, const crowd_offer *offer, bool video, const char *mid, const char *direction)
{
    char pts[32] = "111";
    unsigned pt = offer->codec == PAYLOAD_VP8 ? CROWD_PT_VP8 : CROWD_PT_H264;
    if (video) (void)cn_fmt(pts, sizeof pts, "%u %u", pt, pt + 1);
    cn_buf_fmt(buf,
               "m=%s 9 UDP/TLS/RTP/SAVPF %s\r\nc=IN IP4 0.0.0.0\r\na=mid:%s\r\na=%s\r\na=rtcp-mux\r\na=rtcp-rsize\r\n",
               video ? "video" : "audio", pts, mid, direction);
    cn_buf_fmt(buf, "a=ice-ufrag:%s\r\na=ice-pwd:%s\r\na=fingerprint:sha-256 %s\r\na=setup:%s\r\n", offer->ufrag,
               offer->pwd, offer->fingerprint, offer->setup);
    for (size_t i = 0; i < sizeof exts / sizeof *exts; i++) {
        if (video ? exts[i].video : exts[i].audio)
            cn_buf_fmt(buf, "a=extmap:%u %s\r\n", exts[i].id, cn_rtp_ext_uri(exts[i].ext));
    }
    codec_lines(buf, video, offer->codec);
}

bool crowd_offer_write(char *out, size_t size, const crowd_offer *offer)
{
    cn_buf buf = {.max = size};
    cn_buf_str(&buf, "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE");
    if (offer->mic) cn_buf_str(&buf, " mic");
    if (offer->layers) cn_buf_str(&buf, " cam");
    for (unsigned i = 0; i < offer->audio_slots; i++) cn_buf_fmt(&buf, " a%u", i);
    for (unsigned i = 0; i < offer->video_slots; i++) cn_buf_fmt(&buf, " v%u", i);
    cn_buf_str(&buf, "\r\na=extmap-allow-mixed\r\na=ice-options:trickle\r\na=msid-semantic: WMS\r\n");
    if (offer->mic) {
        section(&buf, offer, false, "mic", "sendonly");
        cn_buf_fmt(&buf, "a=msid:- mic\r\na=ssrc:%u cname:crowd\r\n", offer->mic_ssrc);
    }
    if (offer->layers) {
        section(&buf, offer, true, "cam", "sendonly");
        cn_buf_str(&buf, "a=msid:- cam\r\n");
        if (offer->layers == 1)
            cn_buf_fmt(&buf, "a=ssrc-group:FID %u %u\r\na=ssrc:%u cname:crowd\r\na=ssrc:%u cname:crowd\r\n",
                       offer->camera_ssrc, offer->camera_ssrc + 1, offer->camera_ssrc, offer->camera_ssrc + 1);
        for (unsigned i = 0; offer->layers > 1 && i < offer->layers; i++)
            cn_buf_fmt(&buf, "a=rid:%s send\r\n", crowd_rid(i));
        if (offer->layers > 1) cn_buf_str(&buf, "a=simulcast:send ");
        for (unsigned i = 0; offer->layers > 1 && i < offer->layers; i++)
            cn_buf_fmt(&buf, "%s%s", crowd_rid(i), i + 1 < offer->layers ? ";" : "\r\n");
    }
    for (unsigned i = 0; i < offer->audio_slots + offer->video_slots; i++) {
        char mid[CROWD_MID];
        bool video = i >= offer->audio_slots;
        (void)cn_fmt(mid, sizeof mid, "%c%u", video ? 'v' : 'a', video ? i - offer->audio_slots : i);
        section(&buf, offer, video, mid, "recvonly");
    }
    bool ok = !buf.err && buf.p && cn_strcpy(out, size, buf.p);
    cn_buf_free(&buf);
    return ok;
}

/* Lines of an offer that an answer repeats as they are. */
static bool repeated(const char *line)
{
    static const char *const heads[] = {
        "c=", "a=mid:", "a=rtpmap:", "a=fmtp:", "a=rtcp-fb:", "a=extmap:", "a=rtcp-mux", "a=rtcp-rsize"};
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        if (strncmp(line, heads[i], strlen(heads[i])) == 0) return true;
    return false;
}

bool crowd_answer_write(char *out, size_t size, const char *offer, const crowd_offer *own)
{
    cn_buf buf = {.max = size};
    cn_buf_str(&buf, "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=ice-options:trickle\r\n");
    bool inside = false;
    for (const char *line = offer; *line;) {
        size_t n = strcspn(line, "\r\n");
        if (strncmp(line, "a=group:BUNDLE", 14) == 0) cn_buf_fmt(&buf, "%.*s\r\n", (int)n, line);
        if (strncmp(line, "m=", 2) == 0) {
            inside = true;
            cn_buf_fmt(&buf, "%.*s\r\n", (int)n, line);
            cn_buf_fmt(&buf,
                       "a=recvonly\r\na=ice-ufrag:%s\r\na=ice-pwd:%s\r\na=fingerprint:sha-256 %s\r\na=setup:active\r\n",
                       own->ufrag, own->pwd, own->fingerprint);
        } else if (inside && repeated(line)) {
            cn_buf_fmt(&buf, "%.*s\r\n", (int)n, line);
        }
        line += n;
        line += strspn(line, "\r\n");
    }
    bool ok = !buf.err && buf.p && cn_strcpy(out, size, buf.p);
    cn_buf_free(&buf);
    return ok;
}

/* ---- reading ---- */

static void text_take(char *out, size_t size, const char *from, size_t len)
{
    if (out[0] || len >= size) return; /* the first one counts */
    memcpy(out, from, len);
    out[len] = '\0';
}

static void candidate_take(crowd_sdp *sdp, const char *line)
{
    char transport[8], address[64];
    unsigned port;
    if (sdp->port || sscanf(line, "a=candidate:%*s 1 %7s %*s %63s %u typ host", transport, address, &port) != 3) return;
    if (strcmp(transport, "udp") != 0 && strcmp(transport, "UDP") != 0) return;
    if (strchr(address, ':')) return;
    sdp->port = (uint16_t)port;
    (void)cn_strcpy(sdp->address, sizeof sdp->address, address);
}

static void numbers_take(crowd_sdp *sdp, crowd_section *in, const char *line)
{
    unsigned long a = 0, b = 0;
    char text[128];
    if (sscanf(line, "a=extmap:%lu %127s", &a, text) == 2 || sscanf(line, "a=extmap:%lu/%*s %127s", &a, text) == 2) {
        cn_rtp_ext ext = cn_rtp_ext_by_uri(text, strlen(text));
        if (ext != CN_RTP_EXT_COUNT && !sdp->exts.id[ext]) (void)cn_rtp_exts_set(&sdp->exts, ext, (unsigned)a);
    } else if (sscanf(line, "a=rtpmap:%lu %127[^/]", &a, text) == 2 && a < 128) {
        static const struct {
            const char *name;
            crowd_pt kind;
        } names[] = {{"opus", CROWD_OPUS}, {"VP8", CROWD_VP8}, {"H264", CROWD_H264}, {"rtx", CROWD_RTX}};
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            if (strcmp(text, names[i].name) == 0) sdp->kind[a] = (uint8_t)names[i].kind;
    } else if (in && sscanf(line, "a=ssrc-group:FID %lu %lu", &a, &b) == 2) {
        in->ssrc = (uint32_t)a;
        in->rtx = (uint32_t)b;
    } else if (in && sscanf(line, "a=ssrc:%lu", &a) == 1 && !in->ssrc) {
        in->ssrc = (uint32_t)a;
    }
}

bool crowd_sdp_read(crowd_sdp *out, const char *sdp)
{
    *out = (crowd_sdp){0};
    crowd_section *in = NULL;
    char line[600];
    for (const char *at = sdp; *at;) {
        size_t n = strcspn(at, "\r\n");
        (void)cn_fmt(line, sizeof line, "%.*s", (int)(n < sizeof line ? n : sizeof line - 1), at);
        if (strncmp(line, "m=", 2) == 0 && out->sections < CROWD_SECTIONS) {
            in = &out->section[out->sections++];
            in->video = strncmp(line, "m=video", 7) == 0;
        }
        if (in && strncmp(line, "a=mid:", 6) == 0) text_take(in->mid, sizeof in->mid, line + 6, strlen(line) - 6);
        if (in && (strcmp(line, "a=sendonly") == 0 || strcmp(line, "a=sendrecv") == 0)) in->sends = true;
        if (strncmp(line, "a=ice-ufrag:", 12) == 0)
            text_take(out->ufrag, sizeof out->ufrag, line + 12, strlen(line) - 12);
        if (strncmp(line, "a=ice-pwd:", 10) == 0) text_take(out->pwd, sizeof out->pwd, line + 10, strlen(line) - 10);
        if (strncmp(line, "a=fingerprint:sha-256 ", 22) == 0)
            text_take(out->fingerprint, sizeof out->fingerprint, line + 22, strlen(line) - 22);
        candidate_take(out, line);
        numbers_take(out, in, line);
        at += n;
        at += strspn(at, "\r\n");
    }
    bool ok = out->ufrag[0] && out->pwd[0] && out->fingerprint[0] && out->port && out->sections;
    if (!ok) fprintf(stderr, "load: the other side's SDP lacks what a client needs:\n%s\n", sdp);
    return ok;
}
