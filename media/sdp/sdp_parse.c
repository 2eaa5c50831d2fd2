/* An offer's lines, read strictly: what they say goes into drafts, which are then judged as a whole. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "media/sdp/sdp_parts.h"

enum { LEVEL_SESSION = 1, LEVEL_MEDIA = 2, LEVEL_BOTH = 3 };

/* cn_sdp and all that belongs to it. */
typedef struct owned {
    cn_sdp sdp; /* first: what callers hold */
    char *text; /* twice as long as the offer: the second half is spare */
    cn_sdp_spare spare;
    cn_sdp_section *sections;
    cn_sdp_codec *codecs;
    cn_sdp_draft *drafts; /* only while parsing */
} owned;

typedef struct parser {
    owned *o;
    cn_sdp_transport session;
    cn_sdp_draft *draft; /* of the current m-section; NULL at session level */
    size_t sections, codecs_used;
    cn_sdp_dir dir;
    char *group; /* mids of the BUNDLE group */
    size_t line;
    cn_problem *problem;
} parser;

/* ---- attributes ---- */

static cn_sdp_transport *transport(parser *ps)
{
    return ps->draft ? &ps->draft->transport : &ps->session;
}

static cn_err at_ufrag(parser *ps, char *value)
{
    transport(ps)->ufrag = value;
    return cn_sdp_ufrag_valid(value) ? CN_OK : CN_ERR_PARSE;
}

static cn_err at_pwd(parser *ps, char *value)
{
    transport(ps)->pwd = value;
    return cn_sdp_pwd_valid(value) ? CN_OK : CN_ERR_PARSE;
}

static cn_err at_fingerprint(parser *ps, char *value)
{
    static const struct {
        const char *name;
        size_t bytes;
    } hashes[] = {
        [CN_SDP_SHA256] = {"sha-256", 32}, [CN_SDP_SHA384] = {"sha-384", 48}, [CN_SDP_SHA512] = {"sha-512", 64}};
    const char *name = cn_sdp_word(&value);
    cn_sdp_transport *sdp_transport = transport(ps);
    if (!value) return CN_ERR_PARSE;
    for (int h = CN_SDP_SHA256; h <= CN_SDP_SHA512; h++) {
        if (strcasecmp(hashes[h].name, name) != 0) continue;
        if (sdp_transport->fingerprint_len && sdp_transport->hash <= (cn_sdp_hash)h) return CN_OK;
        size_t n = hashes[h].bytes;
        if (strlen(value) != 3 * n - 1) return CN_ERR_PARSE;
        for (size_t i = 0; i < n; i++) {
            const char pair[3] = {value[3 * i], value[3 * i + 1], 0};
            char end = value[3 * i + 2];
            if (!cn_unhex(pair, sdp_transport->fingerprint + i, 1) || end != (i + 1 < n ? ':' : 0)) return CN_ERR_PARSE;
        }
        sdp_transport->hash = (cn_sdp_hash)h;
        sdp_transport->fingerprint_len = n;
    }
    return CN_OK;
}

static cn_err at_setup(parser *ps, char *value)
{
    static const struct {
        const char *name;
        cn_sdp_setup setup;
    } setups[] = {{"actpass", CN_SDP_ACTPASS}, {"active", CN_SDP_ACTIVE}, {"passive", CN_SDP_PASSIVE}};
    for (size_t i = 0; i < sizeof setups / sizeof *setups; i++) {
        if (strcmp(setups[i].name, value) != 0) continue;
        transport(ps)->setup = setups[i].setup;
        return CN_OK;
    }
    return CN_ERR_PARSE;
}

static cn_err at_ice_options(parser *ps, char *value)
{
    for (const char *w; (w = cn_sdp_word(&value));) {
        if (strcmp(w, "trickle") == 0) ps->o->sdp.trickle = true;
        if (strcmp(w, "renomination") == 0) ps->o->sdp.renomination = true;
    }
    return CN_OK;
}

static cn_err at_ice_lite(parser *ps, char *value)
{
    (void)value;
    ps->o->sdp.ice_lite = true;
    return CN_OK;
}

static cn_err at_mixed(parser *ps, char *value)
{
    (void)value;
    if (ps->draft)
        ps->draft->section->mixed = true;
    else
        ps->o->sdp.mixed = true;
    return CN_OK;
}

static cn_err at_group(parser *ps, char *value)
{
    const char *kind = cn_sdp_word(&value);
    if (strcmp(kind, "BUNDLE") != 0) return CN_OK;
    if (ps->o->sdp.bundle) return CN_ERR_INVALID; /* one transport, one group */
    ps->o->sdp.bundle = true;
    ps->group = value;
    return CN_OK;
}

static cn_err direction(parser *ps, cn_sdp_dir dir)
{
    if (ps->draft)
        ps->draft->section->dir = dir;
    else
        ps->dir = dir;
    return CN_OK;
}

static cn_err at_sendrecv(parser *ps, char *value)
{
    (void)value;
    return direction(ps, CN_SDP_SENDRECV);
}

static cn_err at_sendonly(parser *ps, char *value)
{
    (void)value;
    return direction(ps, CN_SDP_SENDONLY);
}

static cn_err at_recvonly(parser *ps, char *value)
{
    (void)value;
    return direction(ps, CN_SDP_RECVONLY);
}

static cn_err at_inactive(parser *ps, char *value)
{
    (void)value;
    return direction(ps, CN_SDP_INACTIVE);
}

static cn_err at_mid(parser *ps, char *value)
{
    cn_sdp_section *section = ps->draft->section;
    if (*section->mid || !*value || strlen(value) >= CN_SDP_MID) return CN_ERR_PARSE;
    for (const char *p = value; *p; p++)
        if (!isgraph((unsigned char)*p)) return CN_ERR_PARSE;
    section->mid = value;
    return CN_OK;
}

static cn_err at_bundle_only(parser *ps, char *value)
{
    (void)value;
    ps->draft->section->bundle_only = true;
    return CN_OK;
}

static cn_err at_rtcp_mux(parser *ps, char *value)
{
    (void)value;
    ps->draft->section->rtcp_mux = true;
    return CN_OK;
}

static cn_err at_rtcp_rsize(parser *ps, char *value)
{
    (void)value;
    ps->draft->section->rtcp_rsize = true;
    return CN_OK;
}

static const struct attribute {
    const char *name;
    int levels;
    bool has_value;
    cn_err (*general)(parser *ps, char *value);
    cn_err (*media)(cn_sdp_draft *draft, char *value);
} attributes[] = {
    {"rtcp-fb", LEVEL_MEDIA, true, NULL, cn_sdp_rtcp_fb},
    {"rtpmap", LEVEL_MEDIA, true, NULL, cn_sdp_rtpmap},
    {"fmtp", LEVEL_MEDIA, true, NULL, cn_sdp_fmtp},
    {"extmap", LEVEL_MEDIA, true, NULL, cn_sdp_extmap},
    {"ssrc", LEVEL_MEDIA, true, NULL, cn_sdp_ssrc_line},
    {"ssrc-group", LEVEL_MEDIA, true, NULL, cn_sdp_ssrc_group},
    {"msid", LEVEL_MEDIA, true, NULL, cn_sdp_msid},
    {"rid", LEVEL_MEDIA, true, NULL, cn_sdp_rid},
    {"simulcast", LEVEL_MEDIA, true, NULL, cn_sdp_simulcast},
    {"mid", LEVEL_MEDIA, true, at_mid, NULL},
    {"bundle-only", LEVEL_MEDIA, false, at_bundle_only, NULL},
    {"rtcp-mux", LEVEL_MEDIA, false, at_rtcp_mux, NULL},
    {"rtcp-mux-only", LEVEL_MEDIA, false, at_rtcp_mux, NULL},
    {"rtcp-rsize", LEVEL_MEDIA, false, at_rtcp_rsize, NULL},
    {"ice-ufrag", LEVEL_BOTH, true, at_ufrag, NULL},
    {"ice-pwd", LEVEL_BOTH, true, at_pwd, NULL},
    {"fingerprint", LEVEL_BOTH, true, at_fingerprint, NULL},
    {"setup", LEVEL_BOTH, true, at_setup, NULL},
    {"ice-options", LEVEL_BOTH, true, at_ice_options, NULL},
    {"extmap-allow-mixed", LEVEL_BOTH, false, at_mixed, NULL},
    {"sendrecv", LEVEL_BOTH, false, at_sendrecv, NULL},
    {"sendonly", LEVEL_BOTH, false, at_sendonly, NULL},
    {"recvonly", LEVEL_BOTH, false, at_recvonly, NULL},
    {"inactive", LEVEL_BOTH, false, at_inactive, NULL},
    {"ice-lite", LEVEL_SESSION, false, at_ice_lite, NULL},
    {"group", LEVEL_SESSION, true, at_group, NULL},
};

static cn_err line_attribute(parser *ps, char *name)
{
    char *value = strchr(name, ':');
    if (value) *value++ = 0;
    int level = ps->draft ? LEVEL_MEDIA : LEVEL_SESSION;
    for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++) {
        const struct attribute *attr = &attributes[i];
        if (!(attr->levels & level) || strcmp(attr->name, name) != 0) continue;
        cn_err err = CN_ERR_PARSE;
        if (attr->has_value == (value != NULL))
            err = attr->media ? attr->media(ps->draft, value) : attr->general(ps, value);
        if (err == CN_OK) return CN_OK;
        return cn_problem_set(ps->problem, err, "offer", "line %zu: a=%s is %s", ps->line, attr->name,
                              err == CN_ERR_TOOBIG ? "said too often" : "malformed or contradicts another line");
    }
    return CN_OK;
}

/* ---- m-lines ---- */

static cn_err formats_read(parser *ps, cn_sdp_section *section)
{
    uint64_t seen[2] = {0};
    for (const char *p = section->formats; *p; p += strcspn(p, " "), p += *p == ' ') {
        char text[8] = "";
        size_t n = strcspn(p, " ");
        int64_t pt;
        if (n >= sizeof text) return CN_ERR_PARSE;
        memcpy(text, p, n);
        if (!cn_sdp_number(text, 127, &pt) || seen[pt >> 6] >> (pt & 63) & 1) return CN_ERR_PARSE;
        if (section->codec_count == CN_SDP_CODECS) return CN_ERR_TOOBIG;
        seen[pt >> 6] |= (uint64_t)1 << (pt & 63);
        cn_sdp_codec *codec = &ps->o->codecs[ps->codecs_used++];
        *codec = (cn_sdp_codec){.pt = (uint8_t)pt, .rtx_pt = CN_SDP_NO_PT, .channels = 1, .name = "", .fmtp = ""};
        section->codec_count++;
    }
    return section->codec_count ? CN_OK : CN_ERR_PARSE;
}

static cn_sdp_kind kind_of(const char *media)
{
    static const char *const kinds[] = {"audio", "video", "application"};
    int k = 0;
    while (k < CN_SDP_OTHER && strcmp(kinds[k], media) != 0) k++;
    return (cn_sdp_kind)k;
}

/* All mean the same where there is a fingerprint (RFC 9429 §5.1.2): libraries and gateways write what they always did. */
static bool protocol_rtp(const char *protocol)
{
    static const char *const profiles[] = {"UDP/TLS/RTP/SAVPF", "UDP/TLS/RTP/SAVP", "TCP/DTLS/RTP/SAVPF",
                                           "TCP/DTLS/RTP/SAVP", "RTP/SAVPF",        "RTP/SAVP",
                                           "RTP/AVPF",          "RTP/AVP"};
    for (size_t i = 0; i < sizeof profiles / sizeof *profiles; i++)
        if (strcmp(profiles[i], protocol) == 0) return true;
    return false;
}

static cn_err line_media(parser *ps, char *value)
{
    cn_sdp_section *section = &ps->o->sections[ps->sections];
    ps->draft = &ps->o->drafts[ps->sections++];
    ps->draft->section = section;
    ps->draft->codecs = ps->o->codecs + ps->codecs_used;
    ps->draft->spare = &ps->o->spare;
    section->codecs = ps->draft->codecs;
    section->mid = section->stream = section->track = "";
    section->dir = ps->dir;
    section->media = cn_sdp_word(&value);
    const char *port = cn_sdp_word(&value);
    section->protocol = cn_sdp_word(&value);
    section->formats = value;
    int64_t n;
    cn_err err = CN_ERR_PARSE;
    if (value && *value && cn_sdp_number(port, UINT16_MAX, &n)) {
        section->port = (uint16_t)n;
        section->kind = kind_of(section->media);
        err = section->kind > CN_SDP_VIDEO      ? CN_OK
              : protocol_rtp(section->protocol) ? formats_read(ps, section)
                                                : CN_ERR_INVALID;
    }
    if (err == CN_OK) return CN_OK;
    return cn_problem_set(ps->problem, err, "offer", "line %zu: m=%s is %s", ps->line, section->media,
                          err == CN_ERR_INVALID  ? "not offered as UDP/TLS/RTP/SAVPF"
                          : err == CN_ERR_TOOBIG ? "offered with too many formats"
                                                 : "malformed");
}

/* ---- lines ---- */

static cn_err line_read(parser *ps, char *line)
{
    if (line[0] == 0 || line[1] != '=' || !strchr(ps->draft ? "amicbk" : "amvosiuepcbtrzk", line[0]))
        return cn_problem_set(ps->problem, CN_ERR_PARSE, "offer", "line %zu is not SDP", ps->line);
    if ((ps->line == 1) != (line[0] == 'v') || (line[0] == 'v' && strcmp(line, "v=0") != 0))
        return cn_problem_set(ps->problem, CN_ERR_PARSE, "offer", "line %zu: v=0 is the first line", ps->line);
    if (line[0] == 'm') return line_media(ps, line + 2);
    return line[0] == 'a' ? line_attribute(ps, line + 2) : CN_OK;
}

static cn_err lines_read(parser *ps, char *text)
{
    while (*text) {
        char *end = text + strcspn(text, "\n"), *next = *end ? end + 1 : end;
        while (end > text && strchr(" \t\r", end[-1])) end--; /* blanks at line ends: all of Pion's descendants */
        *end = 0;
        ps->line++;
        if (!*text && !next[strspn(next, " \t\r\n")]) break; /* empty lines at the end */
        CN_TRY(line_read(ps, text));
        text = next;
    }
    return CN_OK;
}

/* ---- the whole ---- */

static cn_err refuse(parser *ps, cn_err err, const char *what, const char *mid)
{
    return cn_problem_set(ps->problem, err, "offer", "%s%s%s", what, *mid ? ": mid " : "", mid);
}

static bool group_names(const parser *ps, const char *mid)
{
    size_t n = strlen(mid);
    for (const char *p = ps->group; p && *p && n; p += strcspn(p, " "), p += *p == ' ')
        if (strcspn(p, " ") == n && memcmp(p, mid, n) == 0) return true;
    return false;
}

static cn_err section_finish(parser *ps, cn_sdp_draft *draft)
{
    cn_sdp_section *section = draft->section;
    section->disabled = section->port == 0 && !section->bundle_only;
    section->mixed = section->mixed || ps->o->sdp.mixed;
    section->bundled = group_names(ps, section->mid);
    if (section->kind > CN_SDP_VIDEO || section->disabled) return CN_OK;
    if (cn_sdp_codecs_finish(draft) != CN_OK)
        return refuse(ps, CN_ERR_PARSE, "a=fmtp of H264 or rtx is malformed", section->mid);
    if (cn_sdp_streams_finish(draft) != CN_OK)
        return refuse(ps, CN_ERR_INVALID, "a=simulcast names an unknown rid", section->mid);
    if (!section->rtcp_mux && !section->bundle_only)
        return refuse(ps, CN_ERR_INVALID, "a section lacks a=rtcp-mux", section->mid);
    if (ps->sections > 1 && !section->bundled)
        return refuse(ps, CN_ERR_INVALID, "a section is outside the BUNDLE group", section->mid);
    return CN_OK;
}

static cn_err mids_check(parser *ps)
{
    const cn_sdp *sdp = &ps->o->sdp;
    for (size_t i = 0; i < sdp->section_count; i++)
        for (size_t k = i + 1; *sdp->sections[i].mid && k < sdp->section_count; k++)
            if (strcmp(sdp->sections[i].mid, sdp->sections[k].mid) == 0)
                return refuse(ps, CN_ERR_INVALID, "two sections have one mid", sdp->sections[i].mid);
    return CN_OK; /* a mid of BUNDLE without its section (FFmpeg 8) harms nobody */
}

/* The section whose transport counts: the first live one that BUNDLE names (RFC 9143 §7.2.1), or the only one. */
static const cn_sdp_draft *tagged(const parser *ps, const char *first_mid)
{
    const cn_sdp_draft *live = NULL;
    for (size_t i = 0; i < ps->sections; i++) {
        const cn_sdp_draft *draft = &ps->o->drafts[i];
        if (draft->section->disabled) continue;
        if (first_mid && strcmp(draft->section->mid, first_mid) == 0) return draft;
        if (!live) live = draft;
    }
    return live;
}

static cn_err transport_finish(parser *ps, const cn_sdp_draft *draft)
{
    cn_sdp *sdp = &ps->o->sdp;
    const cn_sdp_transport *own = draft ? &draft->transport : &ps->session, *session = &ps->session;
    const cn_sdp_transport *ice = own->ufrag ? own : session, *dtls = own->fingerprint_len ? own : session;
    if (!ice->ufrag || !ice->pwd) return refuse(ps, CN_ERR_INVALID, "no a=ice-ufrag and a=ice-pwd", "");
    if (!dtls->fingerprint_len) return refuse(ps, CN_ERR_INVALID, "no a=fingerprint of sha-256 or better", "");
    sdp->setup = own->setup ? own->setup : session->setup ? session->setup : CN_SDP_ACTIVE;
    if (sdp->ice_lite) return refuse(ps, CN_ERR_INVALID, "both sides cannot be ice-lite", "");
    sdp->ufrag = ice->ufrag;
    sdp->pwd = ice->pwd;
    sdp->hash = dtls->hash;
    sdp->fingerprint_len = dtls->fingerprint_len;
    memcpy(sdp->fingerprint, dtls->fingerprint, sizeof sdp->fingerprint);
    return CN_OK;
}

static bool id_has_two_meanings(const parser *ps, unsigned id)
{
    const char *uri = NULL;
    for (size_t i = 0; i < ps->sections; i++) {
        const cn_sdp_draft *draft = &ps->o->drafts[i];
        if (draft->section->disabled || !draft->uris[id]) continue;
        if (uri && strcmp(uri, draft->uris[id]) != 0) return true;
        uri = draft->uris[id];
    }
    return false;
}

/* Of this id nobody could tell what it means on the one transport (RFC 9143 §9.2; aiortc up to 1.5 in every offer). */
static void id_drop(cn_sdp_section *section, unsigned id)
{
    uint8_t e = section->exts.ext_of[id];
    if (e == 0) return;
    section->exts.ext_of[id] = 0;
    if (section->exts.id[e - 1] != id) return;
    section->exts.id[e - 1] = 0;
    section->ext_sends &= (uint16_t) ~(1u << (e - 1));
    section->ext_receives &= (uint16_t) ~(1u << (e - 1));
}

static void extensions_join(parser *ps)
{
    cn_rtp_exts *all = &ps->o->sdp.exts;
    for (unsigned id = 1; id < 256; id++)
        for (size_t i = 0; id_has_two_meanings(ps, id) && i < ps->sections; i++) id_drop(ps->o->drafts[i].section, id);
    for (size_t i = 0; i < ps->sections; i++) {
        const cn_sdp_draft *draft = &ps->o->drafts[i];
        if (draft->section->disabled) continue;
        all->two_byte = all->two_byte || draft->section->mixed;
        draft->section->exts.two_byte = draft->section->mixed;
        for (unsigned id = 1; id < 256; id++) {
            uint8_t e = draft->section->exts.ext_of[id];
            if (e == 0) continue;
            all->ext_of[id] = e; /* an extension may have another id in another section: both are read */
            if (all->id[e - 1] == 0) all->id[e - 1] = (uint8_t)id;
        }
    }
}

static cn_err finish(parser *ps)
{
    cn_sdp *sdp = &ps->o->sdp;
    sdp->sections = ps->o->sections;
    sdp->section_count = ps->sections;
    char first[CN_SDP_MID] = "";
    if (ps->group) cn_fmt(first, sizeof first, "%.*s", (int)strcspn(ps->group, " "), ps->group);
    for (size_t i = 0; i < ps->sections; i++) CN_TRY(section_finish(ps, &ps->o->drafts[i]));
    CN_TRY(mids_check(ps));
    CN_TRY(transport_finish(ps, tagged(ps, *first ? first : NULL)));
    extensions_join(ps);
    return CN_OK;
}

/* Numbers of m-lines and of their formats: what the arrays need. */
static void count(const char *text, size_t *sections, size_t *formats)
{
    *sections = *formats = 0;
    for (const char *p = text; p; p = strchr(p, '\n'), p = p ? p + 1 : NULL) {
        if (p[0] != 'm' || p[1] != '=') continue;
        ++*sections;
        for (const char *q = p; *q && *q != '\n'; q++) *formats += *q == ' ';
    }
}

static cn_err parse_text(parser *ps)
{
    owned *holder = ps->o;
    size_t sections, formats;
    count(holder->text, &sections, &formats);
    if (sections == 0) return refuse(ps, CN_ERR_PARSE, "no m-line", "");
    if (sections > CN_SDP_SECTIONS) return refuse(ps, CN_ERR_TOOBIG, "too many m-lines", "");
    if (formats > sections * CN_SDP_CODECS) formats = sections * CN_SDP_CODECS;
    holder->sections = cn_calloc(sections, sizeof *holder->sections);
    holder->drafts = cn_calloc(sections, sizeof *holder->drafts);
    holder->codecs = cn_calloc(formats + 1, sizeof *holder->codecs);
    if (!holder->sections || !holder->drafts || !holder->codecs) return refuse(ps, CN_ERR_NOMEM, "out of memory", "");
    CN_TRY(lines_read(ps, holder->text));
    return finish(ps);
}

cn_err cn_sdp_parse(cn_sdp **out, const char *text, size_t len, cn_problem *problem)
{
    if (len > CN_SDP_BYTES)
        return cn_problem_set(problem, CN_ERR_TOOBIG, "offer", "longer than %d bytes", CN_SDP_BYTES);
    if ((len && memchr(text, 0, len)) || !cn_utf8_valid(text, len))
        return cn_problem_set(problem, CN_ERR_PARSE, "offer", "not text in UTF-8");
    owned *holder = CN_NEW(owned);
    if (!holder) return cn_problem_set(problem, CN_ERR_NOMEM, "", "out of memory");
    parser ps = {.o = holder, .dir = CN_SDP_SENDRECV, .problem = problem};
    holder->text = cn_calloc(2 * (len + 1), 1);
    cn_err err = CN_ERR_NOMEM;
    if (holder->text) {
        memcpy(holder->text, text, len);
        holder->spare = (cn_sdp_spare){.at = holder->text + len + 1, .left = len + 1};
        err = parse_text(&ps);
    }
    free(holder->drafts);
    holder->drafts = NULL;
    if (err == CN_OK) {
        *out = &holder->sdp;
    } else {
        cn_sdp_free(&holder->sdp);
    }
    return err;
}

void cn_sdp_free(cn_sdp *sdp)
{
    if (!sdp) return;
    owned *holder = (owned *)sdp;
    free(holder->text);
    free(holder->sections);
    free(holder->codecs);
    free(holder->drafts);
    free(holder);
}
