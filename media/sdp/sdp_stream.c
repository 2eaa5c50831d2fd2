/* Streams of an m-section: RIDs, simulcast, SSRCs, msid, header extensions. */
#include <ctype.h>
#include <string.h>

#include "media/sdp/sdp_parts.h"

/* RFC 8852 §4.1: letters, digits, and what browsers' validators also take. */
static bool rid_valid(const char *s)
{
    size_t n = strlen(s);
    if (n == 0 || n > 16) return false;
    for (; *s; s++)
        if (!isalnum((unsigned char)*s) && *s != '-' && *s != '_') return false;
    return true;
}

cn_err cn_sdp_rid(cn_sdp_draft *d, char *value)
{
    const char *id = cn_sdp_word(&value), *dir = id && value ? cn_sdp_word(&value) : NULL;
    if (!dir || !rid_valid(id)) return CN_ERR_PARSE;
    if (strcmp(dir, "recv") == 0) return CN_OK;
    if (strcmp(dir, "send") != 0) return CN_ERR_PARSE;
    for (size_t i = 0; i < d->rid_count; i++)
        if (strcmp(d->rids[i], id) == 0) return CN_ERR_PARSE;
    if (d->rid_count == CN_SDP_RIDS) return CN_ERR_TOOBIG;
    d->rids[d->rid_count++] = id;
    return CN_OK;
}

/* "l;~m;h,x": streams parted by ';', alternatives by ',' of which the first counts, '~' for one that begins paused. */
static cn_err simulcast_list(cn_sdp_section *s, char *list)
{
    while (list) {
        char *next = strchr(list, ';');
        if (next) *next++ = 0;
        char *id = list + (*list == '~');
        id[strcspn(id, ",")] = 0;
        if (!rid_valid(id)) return CN_ERR_PARSE;
        if (s->rid_count == CN_SDP_RIDS) return CN_ERR_TOOBIG;
        s->rids[s->rid_count++] = id;
        list = next;
    }
    return CN_OK;
}

cn_err cn_sdp_simulcast(cn_sdp_draft *d, char *value)
{
    cn_sdp_section *s = d->section;
    if (s->simulcast) return CN_ERR_PARSE;
    while (value) {
        const char *dir = cn_sdp_word(&value);
        char *list = value ? cn_sdp_word(&value) : NULL;
        if (!list || (strcmp(dir, "send") != 0 && strcmp(dir, "recv") != 0)) return CN_ERR_PARSE;
        if (strcmp(dir, "recv") == 0) continue;
        if (s->simulcast) return CN_ERR_PARSE;
        s->simulcast = true;
        CN_TRY(simulcast_list(s, list));
    }
    return CN_OK;
}

static cn_sdp_ssrc *ssrc_get(cn_sdp_section *s, uint32_t ssrc)
{
    for (size_t i = 0; i < s->ssrc_count; i++)
        if (s->ssrcs[i].ssrc == ssrc) return &s->ssrcs[i];
    if (s->ssrc_count == CN_SDP_SSRCS) return NULL;
    s->ssrcs[s->ssrc_count] = (cn_sdp_ssrc){.ssrc = ssrc, .cname = ""};
    return &s->ssrcs[s->ssrc_count++];
}

cn_err cn_sdp_msid(cn_sdp_draft *d, char *value)
{
    const char *stream = cn_sdp_word(&value), *track = value ? cn_sdp_word(&value) : "";
    if (!stream || !*stream || value) return CN_ERR_PARSE;
    if (*d->section->stream) return CN_OK; /* several streams of one track: the first one counts */
    d->section->stream = stream;
    d->section->track = track;
    return CN_OK;
}

cn_err cn_sdp_ssrc_line(cn_sdp_draft *d, char *value)
{
    const char *number = cn_sdp_word(&value);
    int64_t id;
    if (!number || !value || !cn_sdp_number(number, UINT32_MAX, &id)) return CN_ERR_PARSE;
    cn_sdp_ssrc *ssrc = ssrc_get(d->section, (uint32_t)id);
    if (ssrc && strncmp(value, "cname:", 6) == 0) ssrc->cname = value + 6;
    if (strncmp(value, "msid:", 5) == 0) return cn_sdp_msid(d, value + 5);
    return CN_OK;
}

cn_err cn_sdp_ssrc_group(cn_sdp_draft *d, char *value)
{
    const char *kind = cn_sdp_word(&value);
    if (!kind || !value) return CN_ERR_PARSE;
    if (strcmp(kind, "FID") != 0) return CN_OK;
    const char *first = cn_sdp_word(&value), *second = value ? cn_sdp_word(&value) : NULL;
    int64_t media, rtx;
    if (!second || value || !cn_sdp_number(first, UINT32_MAX, &media) || !cn_sdp_number(second, UINT32_MAX, &rtx))
        return CN_ERR_PARSE;
    if (media == rtx) return CN_ERR_PARSE;
    cn_sdp_ssrc *ssrc = ssrc_get(d->section, (uint32_t)media);
    if (ssrc) ssrc->rtx = (uint32_t)rtx;
    return CN_OK;
}

cn_err cn_sdp_extmap(cn_sdp_draft *d, char *value)
{
    char *id = cn_sdp_word(&value), *uri = value ? cn_sdp_word(&value) : NULL;
    if (!uri || !*uri) return CN_ERR_PARSE;
    char *dir = strchr(id, '/');
    if (dir) *dir++ = 0;
    uint16_t sends = !dir || strcmp(dir, "sendonly") == 0 || strcmp(dir, "sendrecv") == 0;
    uint16_t receives = !dir || strcmp(dir, "recvonly") == 0 || strcmp(dir, "sendrecv") == 0;
    int64_t n;
    if (!cn_sdp_number(id, 4351, &n) || n == 0) return CN_ERR_PARSE; /* 4096–4351: to be renumbered (RFC 8285 §5) */
    if (n > 255 || n == 15) return CN_OK;
    if (d->uris[n] && strcmp(d->uris[n], uri) != 0) return CN_ERR_INVALID;
    d->uris[n] = uri;
    cn_rtp_ext e = cn_rtp_ext_by_uri(uri, strlen(uri));
    cn_sdp_section *s = d->section;
    if (e == CN_RTP_EXT_COUNT || s->exts.id[e] != 0 || !cn_rtp_exts_set(&s->exts, e, (unsigned)n)) return CN_OK;
    s->ext_sends |= (uint16_t)(sends << e);
    s->ext_receives |= (uint16_t)(receives << e);
    return CN_OK;
}

static void rtx_partners_drop(cn_sdp_section *s)
{
    size_t kept = 0;
    for (size_t i = 0; i < s->ssrc_count; i++) {
        bool partner = false;
        for (size_t k = 0; k < s->ssrc_count; k++) partner = partner || s->ssrcs[k].rtx == s->ssrcs[i].ssrc;
        if (!partner || s->ssrcs[i].rtx != 0) s->ssrcs[kept++] = s->ssrcs[i];
    }
    s->ssrc_count = kept;
}

cn_err cn_sdp_streams_finish(cn_sdp_draft *d)
{
    cn_sdp_section *s = d->section;
    for (size_t i = 0; s->simulcast && i < s->rid_count; i++) {
        size_t at = 0;
        while (at < d->rid_count && strcmp(d->rids[at], s->rids[i]) != 0) at++;
        if (at == d->rid_count) return CN_ERR_INVALID; /* simulcast of a RID that a=rid does not describe */
    }
    if (!s->simulcast) {
        memcpy(s->rids, d->rids, sizeof s->rids);
        s->rid_count = d->rid_count;
    }
    /* A zero SSRC in a FID group would read as "no partner"; nobody sends with it. */
    rtx_partners_drop(s);
    return CN_OK;
}
