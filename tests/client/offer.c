#include "offer.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"

void rtc_offer_own(rtc_offer *offer, const rtc_client *client)
{
    offer->ufrag = rtc_client_ufrag(client);
    offer->pwd = rtc_client_pwd(client);
    offer->fingerprint = rtc_client_fingerprint(client);
}

static void audio_lines(cn_buf *buf, bool red, bool plain)
{
    const unsigned pt = RTC_PT_OPUS;
    cn_buf_fmt(buf, "a=rtpmap:%u opus/48000/2\r\na=fmtp:%u minptime=10;useinbandfec=1\r\n", pt, pt);
    if (!plain) cn_buf_fmt(buf, "a=rtcp-fb:%u transport-cc\r\n", pt);
    if (red) cn_buf_fmt(buf, "a=rtpmap:%u red/48000/2\r\na=fmtp:%u %u/%u\r\n", RTC_PT_RED, RTC_PT_RED, pt, pt);
}

static void video_lines(cn_buf *buf, cn_codec codec, bool plain)
{
    static const char *const feedback[] = {"ccm fir", "nack pli", "transport-cc", "nack"};
    unsigned pt = rtc_pt(codec);
    cn_buf_fmt(buf, "a=rtpmap:%u %s/90000\r\n", pt, cn_codec_name(codec));
    if (codec == CN_CODEC_H264)
        cn_buf_fmt(buf, "a=fmtp:%u level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f\r\n", pt);
    for (size_t i = 0; i < (plain ? 2 : sizeof feedback / sizeof *feedback); i++)
        cn_buf_fmt(buf, "a=rtcp-fb:%u %s\r\n", pt, feedback[i]);
    if (plain) return;
    cn_buf_fmt(buf, "a=rtpmap:%u rtx/90000\r\na=fmtp:%u apt=%u\r\n", pt + 1, pt + 1, pt);
}

static void section(cn_buf *buf, const rtc_offer *offer, bool video, const char *mid, const char *direction)
{
    char pts[32];
    unsigned pt = rtc_pt(offer->codec);
    if (video && offer->plain)
        (void)cn_fmt(pts, sizeof pts, "%u", pt);
    else if (video)
        (void)cn_fmt(pts, sizeof pts, "%u %u", pt, pt + 1);
    else if (offer->red)
        (void)cn_fmt(pts, sizeof pts, "%u %u", RTC_PT_RED, RTC_PT_OPUS);
    else
        (void)cn_fmt(pts, sizeof pts, "%u", RTC_PT_OPUS);
    cn_buf_fmt(buf,
               "m=%s 9 UDP/TLS/RTP/SAVPF %s\r\nc=IN IP4 0.0.0.0\r\na=mid:%s\r\na=%s\r\na=rtcp-mux\r\na=rtcp-rsize\r\n",
               video ? "video" : "audio", pts, mid, direction);
    cn_buf_fmt(buf, "a=ice-ufrag:%s\r\na=ice-pwd:%s\r\na=fingerprint:sha-256 %s\r\na=setup:%s\r\n", offer->ufrag,
               offer->pwd, offer->fingerprint, offer->setup);
    for (size_t i = 0; i < RTC_EXTS; i++)
        if ((video ? rtc_exts[i].video : rtc_exts[i].audio) &&
            (rtc_exts[i].ext != CN_RTP_EXT_DEPENDENCY || offer->dependency) &&
            (rtc_exts[i].ext != CN_RTP_EXT_TWCC || !offer->plain))
            cn_buf_fmt(buf, "a=extmap:%u %s\r\n", rtc_exts[i].id, cn_rtp_ext_uri(rtc_exts[i].ext));
    if (video)
        video_lines(buf, offer->codec, offer->plain);
    else
        audio_lines(buf, offer->red, offer->plain);
}

/* As Plan B wrote it. */
static void ssrc_groups(cn_buf *buf, const rtc_offer *offer)
{
    cn_buf_str(buf, "a=ssrc-group:SIM");
    for (unsigned i = 0; i < offer->layers; i++) cn_buf_fmt(buf, " %u", offer->camera_ssrc + 2 * i);
    cn_buf_str(buf, "\r\n");
    for (unsigned i = 0; i < offer->layers; i++)
        cn_buf_fmt(buf, "a=ssrc-group:FID %u %u\r\n", offer->camera_ssrc + 2 * i, offer->camera_ssrc + 2 * i + 1);
    for (unsigned i = 0; i < 2 * offer->layers; i++)
        cn_buf_fmt(buf, "a=ssrc:%u cname:client\r\n", offer->camera_ssrc + i);
}

static void camera(cn_buf *buf, const rtc_offer *offer)
{
    section(buf, offer, true, "cam", "sendonly");
    cn_buf_str(buf, "a=msid:- cam\r\n");
    if (offer->layers == 1) {
        cn_buf_fmt(buf, "a=ssrc-group:FID %u %u\r\na=ssrc:%u cname:client\r\na=ssrc:%u cname:client\r\n",
                   offer->camera_ssrc, offer->camera_ssrc + 1, offer->camera_ssrc, offer->camera_ssrc + 1);
        return;
    }
    if (offer->ssrc_groups) {
        ssrc_groups(buf, offer);
        return;
    }
    for (unsigned i = 0; i < offer->layers; i++) cn_buf_fmt(buf, "a=rid:%s send\r\n", rtc_rid(i));
    cn_buf_str(buf, "a=simulcast:send ");
    for (unsigned i = 0; i < offer->layers; i++)
        cn_buf_fmt(buf, "%s%s", rtc_rid(i), i + 1 < offer->layers ? ";" : "\r\n");
}

static bool text_done(cn_buf *buf, char *out, size_t size)
{
    bool ok = !buf->err && buf->p && cn_strcpy(out, size, buf->p);
    cn_buf_free(buf);
    return ok;
}

bool rtc_offer_write(char *out, size_t size, const rtc_offer *offer)
{
    cn_buf buf = {.max = size};
    char mid[RTC_MID];
    unsigned slots = offer->audio_slots + offer->video_slots;
    cn_buf_str(&buf, "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE");
    if (offer->mic) cn_buf_str(&buf, " mic");
    if (offer->layers) cn_buf_str(&buf, " cam");
    for (unsigned i = 0; i < slots; i++) {
        (void)rtc_slot_mid(mid, i, offer->audio_slots);
        cn_buf_fmt(&buf, " %s", mid);
    }
    cn_buf_str(&buf, "\r\na=extmap-allow-mixed\r\na=ice-options:trickle\r\na=msid-semantic: WMS\r\n");
    if (offer->mic) {
        section(&buf, offer, false, "mic", "sendonly");
        cn_buf_fmt(&buf, "a=msid:- mic\r\na=ssrc:%u cname:client\r\n", offer->mic_ssrc);
    }
    if (offer->layers) camera(&buf, offer);
    for (unsigned i = 0; i < slots; i++) {
        bool video = rtc_slot_mid(mid, i, offer->audio_slots);
        section(&buf, offer, video, mid, "recvonly");
    }
    return text_done(&buf, out, size);
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

bool rtc_answer_write(char *out, size_t size, const char *offer, const rtc_offer *own)
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
    return text_done(&buf, out, size);
}
