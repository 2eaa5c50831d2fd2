/* Streams of an m-section: RIDs, simulcast, SSRCs, msid, header extensions. */
#include <ctype.h>
#include <string.h>

#include "media/sdp/sdp_parts.h"

/* RFC 8852 §4.1: letters, digits, and what browsers' validators also take. */
static bool rid_valid(const char *text)
{
    size_t n = strlen(text);
    if (n == 0 || n > 16) return false;
    for (; *text; text++)
        if (!isalnum((unsigned char)*text) && *text != '-' && *text != '_') return false;
    return true;
}

cn_err cn_sdp_rid(cn_sdp_draft *draft, char *value)
{
    const char *id = cn_sdp_word(&value), *dir = id && value ? cn_sdp_word(&value) : NULL;
    if (!dir || !rid_valid(id)) return CN_ERR_PARSE;
    if (strcmp(dir, "recv") == 0) return CN_OK;
    if (strcmp(dir, "send") != 0) return CN_ERR_PARSE;
    for (size_t i = 0; i < draft->rid_count; i++)
        if (strcmp(draft->rids[i], id) == 0) return CN_ERR_PARSE;
    if (draft->rid_count == CN_SDP_RIDS) return CN_ERR_TOOBIG;
    draft->rids[draft->rid_count++] = id;
    return CN_OK;
}

/* "l;~m;h,x": streams parted by ';', alternatives by ',' of which the first counts, '~' for one that begins paused. */
static cn_err simulcast_list(cn_sdp_section *section, char *list)
{
    while (list) {
        char *next = strchr(list, ';');
        if (next) *next++ = 0;
        bool paused = *list == '~';
        char *id = list + paused;
        id[strcspn(id, ",")] = 0;
        if (!rid_valid(id)) return CN_ERR_PARSE;
        if (section->rid_count == CN_SDP_RIDS) return CN_ERR_TOOBIG;
        if (paused) section->rids_paused |= (uint8_t)(1u << section->rid_count);
        section->rids[section->rid_count++] = id;
        list = next;
    }
    return CN_OK;
}

cn_err cn_sdp_simulcast(cn_sdp_draft *draft, char *value)
{
    cn_sdp_section *section = draft->section;
    if (section->simulcast) return CN_ERR_PARSE;
    while (value) {
        const char *dir = cn_sdp_word(&value);
        char *list = value ? cn_sdp_word(&value) : NULL;
        if (!list || (strcmp(dir, "send") != 0 && strcmp(dir, "recv") != 0)) return CN_ERR_PARSE;
        if (strcmp(dir, "recv") == 0) continue;
        if (section->simulcast) return CN_ERR_PARSE;
        section->simulcast = true;
        CN_TRY(simulcast_list(section, list));
    }
    return CN_OK;
}

static cn_sdp_ssrc *ssrc_get(cn_sdp_section *section, uint32_t ssrc)
{
    for (size_t i = 0; i < section->ssrc_count; i++)
        if (section->ssrcs[i].ssrc == ssrc) return &section->ssrcs[i];
    if (section->ssrc_count == CN_SDP_SSRCS) return NULL;
    section->ssrcs[section->ssrc_count] = (cn_sdp_ssrc){.ssrc = ssrc, .cname = ""};
    return &section->ssrcs[section->ssrc_count++];
}

cn_err cn_sdp_msid(cn_sdp_draft *draft, char *value)
{
    const char *stream = cn_sdp_word(&value), *track = value ? cn_sdp_word(&value) : "";
    if (!stream || !*stream || value) return CN_ERR_PARSE;
    if (*draft->section->stream) return CN_OK; /* several streams of one track: the first one counts */
    draft->section->stream = stream;
    draft->section->track = track;
    return CN_OK;
}

cn_err cn_sdp_ssrc_line(cn_sdp_draft *draft, char *value)
{
    const char *number = cn_sdp_word(&value);
    int64_t id;
    if (!number || !value || !cn_sdp_number(number, UINT32_MAX, &id)) return CN_ERR_PARSE;
    cn_sdp_ssrc *ssrc = ssrc_get(draft->section, (uint32_t)id);
    if (ssrc && strncmp(value, "cname:", 6) == 0) ssrc->cname = value + 6;
    if (strncmp(value, "msid:", 5) == 0) return cn_sdp_msid(draft, value + 5);
    return CN_OK;
}

/* The same picture in several sizes, as Plan B wrote it and old SDKs still do. */
static cn_err sim_group(cn_sdp_draft *draft, char *value)
{
    if (draft->sim_count) return CN_OK; /* one is enough */
    while (value) {
        int64_t id;
        if (!cn_sdp_number(cn_sdp_word(&value), UINT32_MAX, &id)) return CN_ERR_PARSE;
        for (size_t i = 0; i < draft->sim_count; i++)
            if (draft->sim[i] == (uint32_t)id) return CN_ERR_PARSE;
        if (draft->sim_count < CN_SDP_SIM && ssrc_get(draft->section, (uint32_t)id))
            draft->sim[draft->sim_count++] = (uint32_t)id;
    }
    return CN_OK;
}

cn_err cn_sdp_ssrc_group(cn_sdp_draft *draft, char *value)
{
    const char *kind = cn_sdp_word(&value);
    if (!kind || !value) return CN_ERR_PARSE;
    if (strcmp(kind, "SIM") == 0) return sim_group(draft, value);
    if (strcmp(kind, "FID") != 0) return CN_OK;
    const char *first = cn_sdp_word(&value), *second = value ? cn_sdp_word(&value) : NULL;
    int64_t media, rtx;
    if (!second || value || !cn_sdp_number(first, UINT32_MAX, &media) || !cn_sdp_number(second, UINT32_MAX, &rtx))
        return CN_ERR_PARSE;
    if (media == rtx) return CN_ERR_PARSE;
    cn_sdp_ssrc *ssrc = ssrc_get(draft->section, (uint32_t)media);
    if (ssrc) ssrc->rtx = (uint32_t)rtx;
    return CN_OK;
}

cn_err cn_sdp_extmap(cn_sdp_draft *draft, char *value)
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
    if (draft->uris[n] && strcmp(draft->uris[n], uri) != 0) return CN_ERR_INVALID;
    draft->uris[n] = uri;
    cn_rtp_ext ext = cn_rtp_ext_by_uri(uri, strlen(uri));
    cn_sdp_section *section = draft->section;
    if (ext == CN_RTP_EXT_COUNT || section->exts.id[ext] != 0 || !cn_rtp_exts_set(&section->exts, ext, (unsigned)n))
        return CN_OK;
    section->ext_sends |= (uint16_t)(sends << ext);
    section->ext_receives |= (uint16_t)(receives << ext);
    return CN_OK;
}

static void rtx_partners_drop(cn_sdp_section *section)
{
    size_t kept = 0;
    for (size_t i = 0; i < section->ssrc_count; i++) {
        bool partner = false;
        for (size_t k = 0; k < section->ssrc_count; k++)
            partner = partner || section->ssrcs[k].rtx == section->ssrcs[i].ssrc;
        if (!partner || section->ssrcs[i].rtx != 0) section->ssrcs[kept++] = section->ssrcs[i];
    }
    section->ssrc_count = kept;
}

/* Streams that were left over are dropped; one alone is no simulcast. */
static void sim_finish(cn_sdp_draft *draft)
{
    cn_sdp_section *section = draft->section;
    size_t n = 0;
    for (size_t i = 0; !section->rid_count && i < draft->sim_count; i++)
        for (size_t k = 0; k < section->ssrc_count; k++)
            if (section->ssrcs[k].ssrc == draft->sim[i]) section->sim[n++] = (uint8_t)k;
    section->sim_count = n > 1 ? n : 0;
}

cn_err cn_sdp_streams_finish(cn_sdp_draft *draft)
{
    cn_sdp_section *section = draft->section;
    for (size_t i = 0; section->simulcast && i < section->rid_count; i++) {
        size_t at = 0;
        while (at < draft->rid_count && strcmp(draft->rids[at], section->rids[i]) != 0) at++;
        if (at == draft->rid_count) return CN_ERR_INVALID; /* simulcast of a RID that a=rid does not describe */
    }
    if (!section->simulcast) {
        memcpy(section->rids, draft->rids, sizeof section->rids);
        section->rid_count = draft->rid_count;
    }
    /* A zero SSRC in a FID group would read as "no partner"; nobody sends with it. */
    rtx_partners_drop(section);
    sim_finish(draft);
    return CN_OK;
}
