/* Answers. */
#include <string.h>

#include "media/sdp/sdp_parts.h"

/* ---- does the struct fit the offer? ---- */

static bool codec_fits(const cn_sdp_section *offer, uint8_t pt, uint8_t rtx_pt)
{
    const cn_sdp_codec *codec = cn_sdp_codec_find(offer, pt);
    if (!codec) return false;
    if (rtx_pt == CN_SDP_NO_PT) return true;
    const cn_sdp_codec *rtx = cn_sdp_codec_find(offer, rtx_pt);
    return rtx && rtx->codec == CN_CODEC_RTX && rtx->apt == pt;
}

/* No payload type stands twice on the m-line. */
static bool pts_differ(const cn_sdp_answer_section *section)
{
    uint64_t seen[4] = {0};
    for (size_t i = 0; i < 2 * section->codec_count; i++) {
        unsigned pt = i & 1 ? section->codecs[i / 2].rtx_pt : section->codecs[i / 2].pt;
        if (pt == CN_SDP_NO_PT) continue;
        if (seen[pt >> 6] >> (pt & 63) & 1) return false;
        seen[pt >> 6] |= (uint64_t)1 << (pt & 63);
    }
    return true;
}

static bool section_fits(const cn_sdp_answer_section *section)
{
    const cn_sdp_section *offer = section->offer;
    if (!offer) return false;
    if (!section->accept) return true;
    if (offer->disabled || offer->kind > CN_SDP_VIDEO) return false;
    if (section->codec_count == 0 || section->codec_count > CN_SDP_ANSWER_CODECS) return false;
    for (size_t i = 0; i < section->codec_count; i++)
        if (!codec_fits(offer, section->codecs[i].pt, section->codecs[i].rtx_pt)) return false;
    if (!pts_differ(section)) return false;
    bool sends = section->dir & CN_SDP_SENDONLY, receives = section->dir & CN_SDP_RECVONLY;
    if ((sends && !(offer->dir & CN_SDP_RECVONLY)) || (receives && !(offer->dir & CN_SDP_SENDONLY))) return false;
    return section->ssrc == 0 || section->cname != NULL;
}

static bool answer_fits(const cn_sdp_answer *answer)
{
    if (!answer->offer || answer->section_count != answer->offer->section_count || !answer->ufrag || !answer->pwd ||
        !answer->fingerprint)
        return false;
    if (!cn_sdp_ufrag_valid(answer->ufrag) || !cn_sdp_pwd_valid(answer->pwd)) return false;
    for (size_t i = 0; i < answer->section_count; i++)
        if (answer->sections[i].offer != &answer->offer->sections[i] || !section_fits(&answer->sections[i]))
            return false;
    return true;
}

/* ---- session ---- */

static void session_write(const cn_sdp_answer *answer, cn_buf *buf)
{
    cn_buf_fmt(buf, "v=0\r\no=- %llu %llu IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n", (unsigned long long)answer->session_id,
               (unsigned long long)answer->version);
    if (answer->offer->bundle) {
        cn_buf_str(buf, "a=group:BUNDLE");
        for (size_t i = 0; i < answer->section_count; i++)
            if (answer->sections[i].accept) cn_buf_fmt(buf, " %s", answer->sections[i].offer->mid);
        cn_buf_str(buf, "\r\n");
    }
    cn_buf_str(buf, "a=ice-lite\r\n");
    if (answer->offer->mixed) cn_buf_str(buf, "a=extmap-allow-mixed\r\n");
    cn_buf_str(buf, "a=msid-semantic: WMS *\r\n");
}

static void fingerprint_write(const uint8_t *bytes, cn_buf *buf)
{
    cn_buf_str(buf, "a=fingerprint:sha-256 ");
    for (int i = 0; i < 32; i++) cn_buf_fmt(buf, "%02X%s", bytes[i], i < 31 ? ":" : "\r\n");
}

/* RFC 8839 §5.1, RFC 6544 §4.5: host candidates, UDP before TCP, in the order given. */
void cn_sdp_candidates_write(const cn_sdp_candidate *candidate, size_t count, cn_buf *buf)
{
    for (size_t i = 0; i < count; i++) {
        unsigned type = candidate[i].tcp ? 90 : 126;
        unsigned priority = type << 24 | (0xffffu - (unsigned)i) << 8 | 255;
        cn_buf_fmt(buf, "a=candidate:%zu 1 %s %u %s %u typ host%s\r\n", i + 1, candidate[i].tcp ? "tcp" : "udp",
                   priority, candidate[i].address, candidate[i].port, candidate[i].tcp ? " tcptype passive" : "");
    }
    cn_buf_str(buf, "a=end-of-candidates\r\n");
}

/* ---- codecs ---- */

static bool accepted(const cn_sdp_answer_section *section, unsigned pt)
{
    for (size_t i = 0; i < section->codec_count; i++)
        if (section->codecs[i].pt == pt) return true;
    return false;
}

static void opus_parameters(const cn_sdp_codec *codec, cn_buf *buf)
{
    cn_buf_fmt(buf, "a=fmtp:%u minptime=10;useinbandfec=1;usedtx=1\r\n", codec->pt);
}

static void h264_parameters(const cn_sdp_codec *codec, cn_buf *buf)
{
    const cn_sdp_h264 *h264 = &codec->h264;
    unsigned level = h264->asymmetry && h264->level < 0x34 ? 0x34 : h264->level;
    cn_buf_fmt(buf, "a=fmtp:%u %spacketization-mode=%u;profile-level-id=%02x%02x%02x\r\n", codec->pt,
               h264->asymmetry ? "level-asymmetry-allowed=1;" : "", h264->packetization_mode, h264->profile,
               h264->constraints, level);
}

static void red_parameters(const cn_sdp_answer_section *section, const cn_sdp_codec *codec, cn_buf *buf)
{
    char first[4] = "";
    int64_t pt;
    size_t n = strcspn(codec->fmtp, "/");
    if (n == 0 || n >= sizeof first) return;
    memcpy(first, codec->fmtp, n);
    if (cn_sdp_number(first, 127, &pt) && accepted(section, (unsigned)pt))
        cn_buf_fmt(buf, "a=fmtp:%u %s\r\n", codec->pt, codec->fmtp);
}

static void parameters_write(const cn_sdp_answer_section *section, const cn_sdp_codec *codec, cn_buf *buf)
{
    switch (codec->codec) {
    case CN_CODEC_OPUS: opus_parameters(codec, buf); break;
    case CN_CODEC_H264: h264_parameters(codec, buf); break;
    case CN_CODEC_AUDIO_RED: red_parameters(section, codec, buf); break;
    case CN_CODEC_VP9: cn_buf_fmt(buf, "a=fmtp:%u profile-id=%u\r\n", codec->pt, codec->vp9_profile); break;
    /* level 5.1: 4096 × 2304 at 30 (AV1, annex A) */
    case CN_CODEC_AV1:
        cn_buf_fmt(buf, "a=fmtp:%u level-idx=13;profile=%u;tier=0\r\n", codec->pt, codec->vp9_profile);
        break;
    default: break;
    }
}

static void feedback_write(unsigned pt, unsigned fb, cn_buf *buf)
{
    static const struct {
        unsigned bit;
        const char *text;
    } kinds[] = {{CN_SDP_FB_NACK, "nack"},
                 {CN_SDP_FB_PLI, "nack pli"},
                 {CN_SDP_FB_FIR, "ccm fir"},
                 {CN_SDP_FB_TWCC, "transport-cc"},
                 {CN_SDP_FB_REMB, "goog-remb"}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (fb & kinds[i].bit) cn_buf_fmt(buf, "a=rtcp-fb:%u %s\r\n", pt, kinds[i].text);
}

static void codecs_write(const cn_sdp_answer_section *section, cn_buf *buf)
{
    for (size_t i = 0; i < section->codec_count; i++) {
        const cn_sdp_codec *codec = cn_sdp_codec_find(section->offer, section->codecs[i].pt);
        cn_buf_fmt(buf, "a=rtpmap:%u %s/%u", codec->pt, codec->name, codec->clock);
        if (codec->channels > 1) cn_buf_fmt(buf, "/%u", codec->channels);
        cn_buf_str(buf, "\r\n");
        feedback_write(codec->pt, codec->fb & section->fb, buf);
        parameters_write(section, codec, buf);
        if (section->codecs[i].rtx_pt == CN_SDP_NO_PT) continue;
        cn_buf_fmt(buf, "a=rtpmap:%u rtx/%u\r\na=fmtp:%u apt=%u\r\n", section->codecs[i].rtx_pt, codec->clock,
                   section->codecs[i].rtx_pt, codec->pt);
    }
}

/* ---- sections ---- */

uint16_t cn_sdp_answer_exts(const cn_sdp_answer_section *section)
{
    unsigned usable = 0;
    if (section->dir & CN_SDP_RECVONLY) usable |= section->offer->ext_sends;
    if (section->dir & CN_SDP_SENDONLY) usable |= section->offer->ext_receives;
    return (uint16_t)(section->accept ? section->exts & usable : 0);
}

/* RFC 8285 §5: a direction that was offered is answered by its mirror; none by none. */
static void extensions_write(const cn_sdp_answer_section *section, cn_buf *buf)
{
    uint16_t exts = cn_sdp_answer_exts(section);
    for (int e = 0; e < CN_RTP_EXT_COUNT; e++) {
        uint16_t bit = CN_RTP_EXT_BIT(e);
        if (!(exts & bit)) continue;
        const char *dir = !(section->offer->ext_sends & bit)      ? "/sendonly"
                          : !(section->offer->ext_receives & bit) ? "/recvonly"
                                                                  : "";
        cn_buf_fmt(buf, "a=extmap:%u%s %s\r\n", section->offer->exts.id[e], dir, cn_rtp_ext_uri((cn_rtp_ext)e));
    }
}

/* What rests in the offer rests in the answer: Chromium takes a RID without '~' for an order to send it, at every answer. */
static void rids_write(const cn_sdp_answer_section *section, cn_buf *buf)
{
    const char *separator = "a=simulcast:recv ";
    for (size_t i = 0; i < section->offer->rid_count; i++)
        if (section->rid_mask >> i & 1) cn_buf_fmt(buf, "a=rid:%s recv\r\n", section->offer->rids[i]);
    for (size_t i = 0; section->offer->simulcast && i < section->offer->rid_count; i++) {
        if (!(section->rid_mask >> i & 1)) continue;
        cn_buf_fmt(buf, "%s%s%s", separator, section->offer->rids_paused >> i & 1 ? "~" : "", section->offer->rids[i]);
        separator = ";";
    }
    if (*separator == ';') cn_buf_str(buf, "\r\n");
}

static void ssrcs_write(const cn_sdp_answer_section *section, cn_buf *buf)
{
    if (section->stream && section->track) cn_buf_fmt(buf, "a=msid:%s %s\r\n", section->stream, section->track);
    if (section->ssrc == 0) return;
    if (section->rtx_ssrc) cn_buf_fmt(buf, "a=ssrc-group:FID %u %u\r\n", section->ssrc, section->rtx_ssrc);
    cn_buf_fmt(buf, "a=ssrc:%u cname:%s\r\n", section->ssrc, section->cname);
    if (section->rtx_ssrc) cn_buf_fmt(buf, "a=ssrc:%u cname:%s\r\n", section->rtx_ssrc, section->cname);
}

static void media_line(const cn_sdp_answer_section *section, const cn_sdp_candidate *candidate, cn_buf *buf)
{
    const cn_sdp_section *sdp_section = section->offer;
    cn_buf_fmt(buf, "m=%s %u %s", sdp_section->media, section->accept ? candidate ? candidate->port : 9 : 0,
               sdp_section->protocol);
    for (size_t i = 0; section->accept && i < section->codec_count; i++) {
        cn_buf_fmt(buf, " %u", section->codecs[i].pt);
        if (section->codecs[i].rtx_pt != CN_SDP_NO_PT) cn_buf_fmt(buf, " %u", section->codecs[i].rtx_pt);
    }
    if (!section->accept) cn_buf_fmt(buf, " %s", sdp_section->formats);
    const char *address = candidate ? candidate->address : "0.0.0.0";
    cn_buf_fmt(buf, "\r\nc=IN IP%c %s\r\n", strchr(address, ':') ? '6' : '4', address);
    if (*sdp_section->mid) cn_buf_fmt(buf, "a=mid:%s\r\n", sdp_section->mid);
}

static void transport_write(const cn_sdp_answer *answer, cn_buf *buf)
{
    cn_buf_fmt(buf, "a=ice-ufrag:%s\r\na=ice-pwd:%s\r\n", answer->ufrag, answer->pwd);
    fingerprint_write(answer->fingerprint, buf);
    cn_buf_fmt(buf, "a=setup:%s\r\n", answer->dtls_client ? "active" : "passive");
}

/*
 * RFC 9429 §5.3.1 lets a rejected section end with its m-line; but webrtcbin and aiortc refuse a whole answer in which
 * any section lacks the transport, and werift one whose data channel has no port.
 */
static void rejected_write(const cn_sdp_answer *answer, const cn_sdp_answer_section *section, cn_buf *buf)
{
    cn_buf_str(buf, "a=inactive\r\n");
    transport_write(answer, buf);
    if (strcmp(section->offer->formats, "webrtc-datachannel") == 0) cn_buf_str(buf, "a=sctp-port:5000\r\n");
}

static void section_write(const cn_sdp_answer *answer, const cn_sdp_answer_section *section, bool first, cn_buf *buf)
{
    static const char *const dirs[] = {"inactive", "sendonly", "recvonly", "sendrecv"};
    bool default_here = first && answer->candidate_count && !answer->candidates[0].tcp;
    media_line(section, default_here ? &answer->candidates[0] : NULL, buf);
    if (!section->accept) {
        rejected_write(answer, section, buf);
        return;
    }
    transport_write(answer, buf);
    if (first) cn_sdp_candidates_write(answer->candidates, answer->candidate_count, buf);
    cn_buf_fmt(buf, "a=%s\r\na=rtcp-mux\r\n", dirs[section->dir & 3]);
    if (answer->mux_only) cn_buf_str(buf, "a=rtcp-mux-only\r\n");
    if (section->offer->rtcp_rsize) cn_buf_str(buf, "a=rtcp-rsize\r\n");
    if (section->offer->mixed && !answer->offer->mixed) cn_buf_str(buf, "a=extmap-allow-mixed\r\n");
    extensions_write(section, buf);
    codecs_write(section, buf);
    if (section->dir & CN_SDP_RECVONLY) rids_write(section, buf);
    if (section->dir & CN_SDP_SENDONLY) ssrcs_write(section, buf);
}

cn_err cn_sdp_answer_write(const cn_sdp_answer *answer, cn_buf *buf)
{
    if (!answer_fits(answer)) return CN_ERR_INVALID;
    session_write(answer, buf);
    bool first = true;
    for (size_t i = 0; i < answer->section_count; i++) {
        section_write(answer, &answer->sections[i], first && answer->sections[i].accept, buf);
        first = first && !answer->sections[i].accept;
    }
    return buf->err;
}
