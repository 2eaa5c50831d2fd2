/* Answers. */
#include <string.h>

#include "media/sdp/sdp_parts.h"

/* ---- does the struct fit the offer? ---- */

static bool codec_fits(const cn_sdp_section *offer, uint8_t pt, uint8_t rtx_pt)
{
    const cn_sdp_codec *c = cn_sdp_codec_find(offer, pt);
    if (!c) return false;
    if (rtx_pt == CN_SDP_NO_PT) return true;
    const cn_sdp_codec *rtx = cn_sdp_codec_find(offer, rtx_pt);
    return rtx && rtx->codec == CN_CODEC_RTX && rtx->apt == pt;
}

/* No payload type stands twice on the m-line. */
static bool pts_differ(const cn_sdp_answer_section *s)
{
    uint64_t seen[4] = {0};
    for (size_t i = 0; i < 2 * s->codec_count; i++) {
        unsigned pt = i & 1 ? s->codecs[i / 2].rtx_pt : s->codecs[i / 2].pt;
        if (pt == CN_SDP_NO_PT) continue;
        if (seen[pt >> 6] >> (pt & 63) & 1) return false;
        seen[pt >> 6] |= (uint64_t)1 << (pt & 63);
    }
    return true;
}

static bool section_fits(const cn_sdp_answer_section *s)
{
    const cn_sdp_section *offer = s->offer;
    if (!offer) return false;
    if (!s->accept) return true;
    if (offer->disabled || offer->kind > CN_SDP_VIDEO) return false;
    if (s->codec_count == 0 || s->codec_count > CN_SDP_ANSWER_CODECS) return false;
    for (size_t i = 0; i < s->codec_count; i++)
        if (!codec_fits(offer, s->codecs[i].pt, s->codecs[i].rtx_pt)) return false;
    if (!pts_differ(s)) return false;
    bool sends = s->dir & CN_SDP_SENDONLY, receives = s->dir & CN_SDP_RECVONLY;
    if ((sends && !(offer->dir & CN_SDP_RECVONLY)) || (receives && !(offer->dir & CN_SDP_SENDONLY))) return false;
    return s->ssrc == 0 || s->cname != NULL;
}

static bool answer_fits(const cn_sdp_answer *a)
{
    if (!a->offer || a->section_count != a->offer->section_count || !a->ufrag || !a->pwd || !a->fingerprint)
        return false;
    if (!cn_sdp_ufrag_valid(a->ufrag) || !cn_sdp_pwd_valid(a->pwd)) return false;
    for (size_t i = 0; i < a->section_count; i++)
        if (a->sections[i].offer != &a->offer->sections[i] || !section_fits(&a->sections[i])) return false;
    return true;
}

/* ---- session ---- */

static void session_write(const cn_sdp_answer *a, cn_buf *b)
{
    cn_buf_fmt(b, "v=0\r\no=- %llu %llu IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n", (unsigned long long)a->session_id,
               (unsigned long long)a->version);
    if (a->offer->bundle) {
        cn_buf_str(b, "a=group:BUNDLE");
        for (size_t i = 0; i < a->section_count; i++)
            if (a->sections[i].accept) cn_buf_fmt(b, " %s", a->sections[i].offer->mid);
        cn_buf_str(b, "\r\n");
    }
    cn_buf_str(b, "a=ice-lite\r\n");
    if (a->offer->mixed) cn_buf_str(b, "a=extmap-allow-mixed\r\n");
    cn_buf_str(b, "a=msid-semantic: WMS *\r\n");
}

static void fingerprint_write(const uint8_t *p, cn_buf *b)
{
    cn_buf_str(b, "a=fingerprint:sha-256 ");
    for (int i = 0; i < 32; i++) cn_buf_fmt(b, "%02X%s", p[i], i < 31 ? ":" : "\r\n");
}

/* RFC 8839 §5.1, RFC 6544 §4.5: host candidates, UDP before TCP, in the order given. */
void cn_sdp_candidates_write(const cn_sdp_candidate *c, size_t n, cn_buf *b)
{
    for (size_t i = 0; i < n; i++) {
        unsigned type = c[i].tcp ? 90 : 126;
        unsigned priority = type << 24 | (0xffffu - (unsigned)i) << 8 | 255;
        cn_buf_fmt(b, "a=candidate:%zu 1 %s %u %s %u typ host%s\r\n", i + 1, c[i].tcp ? "tcp" : "udp", priority,
                   c[i].address, c[i].port, c[i].tcp ? " tcptype passive" : "");
    }
    cn_buf_str(b, "a=end-of-candidates\r\n");
}

/* ---- codecs ---- */

static bool accepted(const cn_sdp_answer_section *s, unsigned pt)
{
    for (size_t i = 0; i < s->codec_count; i++)
        if (s->codecs[i].pt == pt) return true;
    return false;
}

static void opus_parameters(const cn_sdp_codec *c, cn_buf *b)
{
    cn_buf_fmt(b, "a=fmtp:%u minptime=10;useinbandfec=1;usedtx=1\r\n", c->pt);
}

static void h264_parameters(const cn_sdp_codec *c, cn_buf *b)
{
    const cn_sdp_h264 *h = &c->h264;
    unsigned level = h->asymmetry && h->level < 0x34 ? 0x34 : h->level;
    cn_buf_fmt(b, "a=fmtp:%u %spacketization-mode=%u;profile-level-id=%02x%02x%02x\r\n", c->pt,
               h->asymmetry ? "level-asymmetry-allowed=1;" : "", h->packetization_mode, h->profile, h->constraints,
               level);
}

static void red_parameters(const cn_sdp_answer_section *s, const cn_sdp_codec *c, cn_buf *b)
{
    char first[4] = "";
    int64_t pt;
    size_t n = strcspn(c->fmtp, "/");
    if (n == 0 || n >= sizeof first) return;
    memcpy(first, c->fmtp, n);
    if (cn_sdp_number(first, 127, &pt) && accepted(s, (unsigned)pt)) cn_buf_fmt(b, "a=fmtp:%u %s\r\n", c->pt, c->fmtp);
}

static void parameters_write(const cn_sdp_answer_section *s, const cn_sdp_codec *c, cn_buf *b)
{
    switch (c->codec) {
    case CN_CODEC_OPUS: opus_parameters(c, b); break;
    case CN_CODEC_H264: h264_parameters(c, b); break;
    case CN_CODEC_AUDIO_RED: red_parameters(s, c, b); break;
    case CN_CODEC_VP9: cn_buf_fmt(b, "a=fmtp:%u profile-id=%u\r\n", c->pt, c->vp9_profile); break;
    /* level 5.1: 4096 × 2304 at 30 (AV1, annex A) */
    case CN_CODEC_AV1: cn_buf_fmt(b, "a=fmtp:%u level-idx=13;profile=%u;tier=0\r\n", c->pt, c->vp9_profile); break;
    default: break;
    }
}

static void feedback_write(unsigned pt, unsigned fb, cn_buf *b)
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
        if (fb & kinds[i].bit) cn_buf_fmt(b, "a=rtcp-fb:%u %s\r\n", pt, kinds[i].text);
}

static void codecs_write(const cn_sdp_answer_section *s, cn_buf *b)
{
    for (size_t i = 0; i < s->codec_count; i++) {
        const cn_sdp_codec *c = cn_sdp_codec_find(s->offer, s->codecs[i].pt);
        cn_buf_fmt(b, "a=rtpmap:%u %s/%u", c->pt, c->name, c->clock);
        if (c->channels > 1) cn_buf_fmt(b, "/%u", c->channels);
        cn_buf_str(b, "\r\n");
        feedback_write(c->pt, c->fb & s->fb, b);
        parameters_write(s, c, b);
        if (s->codecs[i].rtx_pt == CN_SDP_NO_PT) continue;
        cn_buf_fmt(b, "a=rtpmap:%u rtx/%u\r\na=fmtp:%u apt=%u\r\n", s->codecs[i].rtx_pt, c->clock, s->codecs[i].rtx_pt,
                   c->pt);
    }
}

/* ---- sections ---- */

uint16_t cn_sdp_answer_exts(const cn_sdp_answer_section *s)
{
    unsigned usable = 0;
    if (s->dir & CN_SDP_RECVONLY) usable |= s->offer->ext_sends;
    if (s->dir & CN_SDP_SENDONLY) usable |= s->offer->ext_receives;
    return (uint16_t)(s->accept ? s->exts & usable : 0);
}

/* RFC 8285 §5: a direction that was offered is answered by its mirror; none by none. */
static void extensions_write(const cn_sdp_answer_section *s, cn_buf *b)
{
    uint16_t exts = cn_sdp_answer_exts(s);
    for (int e = 0; e < CN_RTP_EXT_COUNT; e++) {
        uint16_t bit = CN_RTP_EXT_BIT(e);
        if (!(exts & bit)) continue;
        const char *dir = !(s->offer->ext_sends & bit)      ? "/sendonly"
                          : !(s->offer->ext_receives & bit) ? "/recvonly"
                                                            : "";
        cn_buf_fmt(b, "a=extmap:%u%s %s\r\n", s->offer->exts.id[e], dir, cn_rtp_ext_uri((cn_rtp_ext)e));
    }
}

static void rids_write(const cn_sdp_answer_section *s, cn_buf *b)
{
    const char *separator = "a=simulcast:recv ";
    for (size_t i = 0; i < s->offer->rid_count; i++)
        if (s->rid_mask >> i & 1) cn_buf_fmt(b, "a=rid:%s recv\r\n", s->offer->rids[i]);
    for (size_t i = 0; s->offer->simulcast && i < s->offer->rid_count; i++) {
        if (!(s->rid_mask >> i & 1)) continue;
        cn_buf_fmt(b, "%s%s", separator, s->offer->rids[i]);
        separator = ";";
    }
    if (*separator == ';') cn_buf_str(b, "\r\n");
}

static void ssrcs_write(const cn_sdp_answer_section *s, cn_buf *b)
{
    if (s->stream && s->track) cn_buf_fmt(b, "a=msid:%s %s\r\n", s->stream, s->track);
    if (s->ssrc == 0) return;
    if (s->rtx_ssrc) cn_buf_fmt(b, "a=ssrc-group:FID %u %u\r\n", s->ssrc, s->rtx_ssrc);
    cn_buf_fmt(b, "a=ssrc:%u cname:%s\r\n", s->ssrc, s->cname);
    if (s->rtx_ssrc) cn_buf_fmt(b, "a=ssrc:%u cname:%s\r\n", s->rtx_ssrc, s->cname);
}

static void media_line(const cn_sdp_answer_section *s, const cn_sdp_candidate *c, cn_buf *b)
{
    const cn_sdp_section *o = s->offer;
    cn_buf_fmt(b, "m=%s %u %s", o->media, s->accept ? c ? c->port : 9 : 0, o->protocol);
    for (size_t i = 0; s->accept && i < s->codec_count; i++) {
        cn_buf_fmt(b, " %u", s->codecs[i].pt);
        if (s->codecs[i].rtx_pt != CN_SDP_NO_PT) cn_buf_fmt(b, " %u", s->codecs[i].rtx_pt);
    }
    if (!s->accept) cn_buf_fmt(b, " %s", o->formats);
    const char *address = c ? c->address : "0.0.0.0";
    cn_buf_fmt(b, "\r\nc=IN IP%c %s\r\n", strchr(address, ':') ? '6' : '4', address);
    if (*o->mid) cn_buf_fmt(b, "a=mid:%s\r\n", o->mid);
}

static void section_write(const cn_sdp_answer *a, const cn_sdp_answer_section *s, bool first, cn_buf *b)
{
    static const char *const dirs[] = {"inactive", "sendonly", "recvonly", "sendrecv"};
    bool default_here = first && a->candidate_count && !a->candidates[0].tcp;
    media_line(s, default_here ? &a->candidates[0] : NULL, b);
    if (!s->accept) {
        cn_buf_str(b, "a=inactive\r\n");
        return;
    }
    cn_buf_fmt(b, "a=ice-ufrag:%s\r\na=ice-pwd:%s\r\n", a->ufrag, a->pwd);
    fingerprint_write(a->fingerprint, b);
    cn_buf_str(b, "a=setup:passive\r\n");
    if (first) cn_sdp_candidates_write(a->candidates, a->candidate_count, b);
    cn_buf_fmt(b, "a=%s\r\na=rtcp-mux\r\n", dirs[s->dir & 3]);
    if (s->offer->rtcp_rsize) cn_buf_str(b, "a=rtcp-rsize\r\n");
    if (s->offer->mixed && !a->offer->mixed) cn_buf_str(b, "a=extmap-allow-mixed\r\n");
    extensions_write(s, b);
    codecs_write(s, b);
    if (s->dir & CN_SDP_RECVONLY) rids_write(s, b);
    if (s->dir & CN_SDP_SENDONLY) ssrcs_write(s, b);
}

cn_err cn_sdp_answer_write(const cn_sdp_answer *a, cn_buf *b)
{
    if (!answer_fits(a)) return CN_ERR_INVALID;
    session_write(a, b);
    bool first = true;
    for (size_t i = 0; i < a->section_count; i++) {
        section_write(a, &a->sections[i], first && a->sections[i].accept, b);
        first = first && !a->sections[i].accept;
    }
    return b->err;
}
