/* Codecs of an m-section: a=rtpmap, a=fmtp, a=rtcp-fb, and the choice among them. */
#include <string.h>
#include <strings.h>

#include "media/sdp/sdp_parts.h"

static cn_sdp_codec *codec_of(cn_sdp_draft *draft, const char *pt)
{
    int64_t n;
    if (!cn_sdp_number(pt, 127, &n)) return NULL;
    for (size_t i = 0; i < draft->section->codec_count; i++)
        if (draft->codecs[i].pt == n) return &draft->codecs[i];
    return NULL;
}

cn_err cn_sdp_rtpmap(cn_sdp_draft *draft, char *value)
{
    const char *pt = cn_sdp_word(&value);
    cn_sdp_codec *codec = pt ? codec_of(draft, pt) : NULL;
    if (!pt || !value) return CN_ERR_PARSE;
    char *clock = strchr(value, '/');
    if (!clock || clock == value) return CN_ERR_PARSE;
    *clock++ = 0;
    char *channels = strchr(clock, '/');
    if (channels) *channels++ = 0;
    int64_t rate, n = 1;
    if (!cn_sdp_number(clock, INT32_MAX, &rate) || rate == 0) return CN_ERR_PARSE;
    if (channels && (!cn_sdp_number(channels, 255, &n) || n == 0)) return CN_ERR_PARSE;
    if (!codec) return CN_OK; /* not among the m-line's formats: nobody may use it */
    codec->name = value;
    codec->clock = (uint32_t)rate;
    codec->channels = (uint8_t)n;
    codec->codec = cn_codec_parse(value, strlen(value), draft->section->kind == CN_SDP_VIDEO);
    return CN_OK;
}

/* Parameters may stand in several lines of one type. Without room for them all the last line counts. */
static const char *joined(cn_sdp_spare *spare, const char *first, const char *second)
{
    char *text = spare->at;
    size_t n = strlen(first) + 1 + strlen(second) + 1;
    if (n > spare->left || !cn_fmt(text, spare->left, "%s;%s", first, second)) return second;
    spare->at += n;
    spare->left -= n;
    return text;
}

cn_err cn_sdp_fmtp(cn_sdp_draft *draft, char *value)
{
    const char *pt = cn_sdp_word(&value);
    if (!pt || !value) return CN_ERR_PARSE;
    cn_sdp_codec *codec = codec_of(draft, pt);
    if (codec) codec->fmtp = *codec->fmtp ? joined(draft->spare, codec->fmtp, value) : value;
    return CN_OK;
}

cn_err cn_sdp_rtcp_fb(cn_sdp_draft *draft, char *value)
{
    static const struct {
        const char *text;
        uint8_t bit;
    } kinds[] = {{"nack", CN_SDP_FB_NACK},
                 {"nack pli", CN_SDP_FB_PLI},
                 {"ccm fir", CN_SDP_FB_FIR},
                 {"transport-cc", CN_SDP_FB_TWCC},
                 {"goog-remb", CN_SDP_FB_REMB}};
    const char *pt = cn_sdp_word(&value);
    if (!pt || !value) return CN_ERR_PARSE;
    cn_sdp_codec *codec = codec_of(draft, pt);
    uint8_t *bits = strcmp(pt, "*") == 0 ? &draft->fb_all : codec ? &codec->fb : NULL;
    for (size_t i = 0; bits && i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].text, value) == 0) *bits |= kinds[i].bit;
    return CN_OK;
}

/* The value of a parameter in "a=1;b=2" (blanks after ';' and around '=' allowed), or NULL. */
static const char *parameter(const char *fmtp, const char *name, size_t *length)
{
    size_t len = strlen(name);
    for (const char *p = fmtp; *p; p += strcspn(p, ";"), p += *p == ';') {
        p += strspn(p, " ");
        if (strncasecmp(p, name, len) != 0) continue;
        const char *value = p + len + strspn(p + len, " ");
        if (*value++ != '=') continue;
        value += strspn(value, " ");
        *length = strcspn(value, "; ");
        return value;
    }
    return NULL;
}

static bool parameter_number(const char *fmtp, const char *name, int64_t most, int64_t *out)
{
    char text[16] = "";
    size_t n;
    const char *p = parameter(fmtp, name, &n);
    if (!p || n >= sizeof text) return false;
    memcpy(text, p, n);
    return cn_sdp_number(text, most, out);
}

static cn_err h264_read(cn_sdp_codec *codec)
{
    codec->h264 = (cn_sdp_h264){.profile = 0x42, .level = 10};
    int64_t v;
    if (parameter_number(codec->fmtp, "packetization-mode", 2, &v)) codec->h264.packetization_mode = (uint8_t)v;
    if (parameter_number(codec->fmtp, "level-asymmetry-allowed", 1, &v)) codec->h264.asymmetry = v == 1;
    size_t n;
    const char *p = parameter(codec->fmtp, "profile-level-id", &n);
    if (!p) return CN_OK;
    char hex[7] = "";
    uint8_t id[3];
    if (n != 6) return CN_ERR_PARSE;
    memcpy(hex, p, 6);
    if (!cn_unhex(hex, id, 3)) return CN_ERR_PARSE;
    codec->h264.profile = id[0];
    codec->h264.constraints = id[1];
    codec->h264.level = id[2];
    return CN_OK;
}

static cn_err parameters_read(cn_sdp_codec *codec)
{
    int64_t v;
    switch (codec->codec) {
    case CN_CODEC_H264: return h264_read(codec);
    case CN_CODEC_VP9:
        if (parameter_number(codec->fmtp, "profile-id", 3, &v)) codec->vp9_profile = (uint8_t)v;
        return CN_OK;
    case CN_CODEC_AV1:
        if (parameter_number(codec->fmtp, "profile", 2, &v)) codec->vp9_profile = (uint8_t)v;
        return CN_OK;
    case CN_CODEC_RTX:
        if (!parameter_number(codec->fmtp, "apt", 127, &v)) return CN_ERR_PARSE;
        codec->apt = (uint8_t)v;
        return CN_OK;
    default: return CN_OK;
    }
}

/* Types that need no a=rtpmap (RFC 3551 §6). */
static void static_type(cn_sdp_codec *sdp_codec)
{
    static const struct {
        uint8_t pt;
        cn_codec codec;
    } types[] = {{0, CN_CODEC_PCMU}, {8, CN_CODEC_PCMA}, {9, CN_CODEC_G722}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (sdp_codec->pt != types[i].pt || sdp_codec->clock != 0) continue;
        sdp_codec->codec = types[i].codec;
        sdp_codec->name = cn_codec_name(sdp_codec->codec);
        sdp_codec->clock = 8000;
    }
}

cn_err cn_sdp_codecs_finish(cn_sdp_draft *draft)
{
    size_t n = draft->section->codec_count;
    for (size_t i = 0; i < n; i++) {
        static_type(&draft->codecs[i]);
        draft->codecs[i].fb |= draft->fb_all;
        CN_TRY(parameters_read(&draft->codecs[i]));
    }
    for (size_t i = 0; i < n; i++) {
        if (draft->codecs[i].codec != CN_CODEC_RTX) continue;
        for (size_t k = 0; k < n; k++) {
            cn_sdp_codec *codec = &draft->codecs[k];
            if (k != i && codec->pt == draft->codecs[i].apt && codec->rtx_pt == CN_SDP_NO_PT)
                codec->rtx_pt = draft->codecs[i].pt;
        }
    }
    return CN_OK;
}

bool cn_sdp_red_of(const cn_sdp_codec *red, unsigned pt)
{
    const char *p = red->fmtp;
    do {
        char text[4] = "";
        int64_t n;
        size_t len = strcspn(p, "/ ");
        if (len == 0 || len >= sizeof text) return false;
        memcpy(text, p, len);
        if (!cn_sdp_number(text, 127, &n) || n != pt) return false;
        p += len;
    } while (*p++ == '/');
    return true;
}

const cn_sdp_codec *cn_sdp_codec_find(const cn_sdp_section *section, unsigned pt)
{
    for (size_t i = 0; i < section->codec_count; i++)
        if (section->codecs[i].pt == pt) return &section->codecs[i];
    return NULL;
}

/* RFC 6184 §8.1 table 5, the rows that differ for a forwarder: profile_idc, and which constraint bits make it the
 * profile. */
static const struct h264_row {
    uint8_t profile, mask, bits, kind;
} h264_rows[] = {
    {0x42, 0x4f, 0x40, 1}, {0x4d, 0x8f, 0x80, 1}, {0x58, 0xcf, 0xc0, 1}, /* constrained baseline */
    {0x42, 0x4f, 0x00, 2}, {0x58, 0xcf, 0x80, 2},                        /* baseline */
    {0x4d, 0xaf, 0x00, 3},                                               /* main */
    {0x58, 0xcf, 0x00, 4},                                               /* extended */
    {0x64, 0xff, 0x00, 5},                                               /* high */
    {0x64, 0xff, 0x0c, 6},                                               /* constrained high */
};

static int h264_kind(const cn_sdp_h264 *h264)
{
    for (size_t i = 0; i < sizeof h264_rows / sizeof *h264_rows; i++)
        if (h264_rows[i].profile == h264->profile && (h264->constraints & h264_rows[i].mask) == h264_rows[i].bits)
            return h264_rows[i].kind;
    return h264->profile << 8 | h264->constraints; /* another: the same only as itself */
}

bool cn_sdp_h264_same(const cn_sdp_h264 *left, const cn_sdp_h264 *right)
{
    return h264_kind(left) == h264_kind(right);
}

/* Lower is better; 0 means that nothing better can come, negative that it cannot be used. */
static int pick_rank(const cn_sdp_codec *codec)
{
    switch (codec->codec) {
    case CN_CODEC_H264: {
        int kind = h264_kind(&codec->h264);
        /* whoever reads mode 1 reads the packets of mode 0 (RFC 6184 §6.2): an encoder may send them */
        int mode = codec->h264.packetization_mode;
        return mode > 1 ? -1 : (kind <= 2 ? kind - 1 : 2) + (mode ? 0 : 3);
    }
    case CN_CODEC_VP9: return codec->vp9_profile == 0 ? 0 : -1;
    case CN_CODEC_OPUS: return codec->clock == 48000 && codec->channels <= 2 ? 0 : -1; /* GStreamer may omit "/2" */
    default: return 0;
    }
}

const cn_sdp_codec *cn_sdp_codec_pick(const cn_sdp_section *section, cn_codec codec)
{
    const cn_sdp_codec *best = NULL;
    int best_rank = 6;
    for (size_t i = 0; i < section->codec_count; i++) {
        if (section->codecs[i].codec != codec) continue;
        int rank = pick_rank(&section->codecs[i]);
        if (rank < 0 || rank >= best_rank) continue;
        best = &section->codecs[i];
        best_rank = rank;
    }
    return best;
}
