#include "media/sdp/plan.h"

#include <string.h>

static const cn_codec video_codecs[] = {CN_CODEC_VP8, CN_CODEC_H264, CN_CODEC_VP9, CN_CODEC_AV1};

#define BIT(e) CN_RTP_EXT_BIT(CN_RTP_EXT_##e)
#define SOURCE_AUDIO_EXTS (BIT(MID) | BIT(AUDIO_LEVEL) | BIT(TWCC))
#define SOURCE_VIDEO_EXTS (BIT(MID) | BIT(RID) | BIT(REPAIRED_RID) | BIT(TWCC) | BIT(ORIENTATION) | BIT(ALLOCATION))
#define SLOT_AUDIO_EXTS (BIT(AUDIO_LEVEL) | BIT(TWCC))
#define SLOT_VIDEO_EXTS (BIT(TWCC) | BIT(ORIENTATION) | BIT(DEPENDENCY))
#define VIDEO_FB (CN_SDP_FB_NACK | CN_SDP_FB_PLI | CN_SDP_FB_FIR | CN_SDP_FB_TWCC)

static bool is_video(const cn_sdp_section *section)
{
    return section->kind == CN_SDP_VIDEO;
}

/* VP8 tells all of it in its payload. */
bool cn_plan_described(cn_codec codec)
{
    return codec == CN_CODEC_VP9 || codec == CN_CODEC_AV1 || codec == CN_CODEC_H264;
}

static bool forwarded(cn_codec codec)
{
    for (size_t i = 0; i < sizeof video_codecs / sizeof *video_codecs; i++)
        if (video_codecs[i] == codec) return true;
    return false;
}

cn_codec cn_plan_codec(const char *name)
{
    cn_codec codec = cn_codec_parse(name, strlen(name), true);
    return forwarded(codec) ? codec : CN_CODEC_OTHER;
}

const cn_sdp_codec *cn_plan_source_codec(const cn_sdp_section *section, cn_codec preferred)
{
    if (section->kind == CN_SDP_AUDIO) return cn_sdp_codec_pick(section, CN_CODEC_OPUS);
    if (section->kind != CN_SDP_VIDEO) return NULL;
    const cn_sdp_codec *codec = preferred != CN_CODEC_OTHER ? cn_sdp_codec_pick(section, preferred) : NULL;
    for (size_t i = 0; !codec && i < section->codec_count; i++)
        if (forwarded(section->codecs[i].codec)) codec = cn_sdp_codec_pick(section, section->codecs[i].codec);
    return codec;
}

const cn_sdp_codec *cn_plan_red(const cn_sdp_section *section, const cn_sdp_codec *codec)
{
    if (!codec || codec->codec != CN_CODEC_OPUS) return NULL;
    for (size_t i = 0; i < section->codec_count; i++) {
        const cn_sdp_codec *sdp_codec = &section->codecs[i];
        if (sdp_codec->codec == CN_CODEC_AUDIO_RED && sdp_codec->clock == codec->clock &&
            cn_sdp_red_of(sdp_codec, codec->pt))
            return sdp_codec;
    }
    return NULL;
}

static bool h264_listed(const cn_sdp_codec *const *list, size_t count, const cn_sdp_codec *codec)
{
    for (size_t i = 0; i < count; i++)
        if (list[i]->codec == CN_CODEC_H264 && cn_sdp_h264_same(&list[i]->h264, &codec->h264)) return true;
    return false;
}

/* Every H.264 profile that the receiver decodes: publishers differ in theirs. */
static size_t add_h264(const cn_sdp_section *section, const cn_sdp_codec **out, size_t count, size_t max)
{
    for (size_t i = 0; i < section->codec_count && count < max; i++) {
        const cn_sdp_codec *codec = &section->codecs[i];
        if (codec->codec != CN_CODEC_H264 || codec->h264.packetization_mode != 1 || h264_listed(out, count, codec))
            continue;
        out[count++] = codec;
    }
    return count;
}

/* Adds redundant audio to a list of Opus alone, in the offer's order: the first is what the other side would rather
 * send or be sent. */
static size_t with_red(const cn_sdp_section *section, const cn_sdp_codec **list, size_t count, size_t max)
{
    const cn_sdp_codec *red = count == 1 && count < max ? cn_plan_red(section, list[0]) : NULL;
    if (!red) return count;
    list[1] = red < list[0] ? list[0] : red;
    if (red < list[0]) list[0] = red;
    return 2;
}

size_t cn_plan_slot_codecs(const cn_sdp_section *section, const cn_sdp_codec **out, size_t max)
{
    size_t n = 0;
    const cn_sdp_codec *codec = is_video(section) ? NULL : cn_sdp_codec_pick(section, CN_CODEC_OPUS);
    if (codec && n < max) out[n++] = codec;
    for (size_t i = 0; is_video(section) && i < sizeof video_codecs / sizeof *video_codecs; i++) {
        codec = video_codecs[i] == CN_CODEC_H264 ? NULL : cn_sdp_codec_pick(section, video_codecs[i]);
        if (codec && n < max) out[n++] = codec;
    }
    return is_video(section) ? add_h264(section, out, n, max) : with_red(section, out, n, max);
}

static const cn_section *name_of(const cn_offerer *who, const char *mid)
{
    for (size_t i = 0; i < who->section_count; i++)
        if (strcmp(who->sections[i].mid, mid) == 0) return &who->sections[i];
    return NULL;
}

/* What a section is to be, by who offers it. */
static cn_err kind_of(const cn_sdp_section *section, size_t index, const cn_offerer *who, cn_source_kind *out,
                      cn_problem *problem)
{
    *out = CN_SOURCE_NONE;
    if (who->kind == CN_PEER_WHEP) return CN_OK;
    if (who->kind == CN_PEER_WHIP) {
        *out = section->kind == CN_SDP_AUDIO ? CN_SOURCE_MIC : who->whip_source;
        return CN_OK;
    }
    const cn_section *name = name_of(who, section->mid);
    if (!name)
        return cn_problem_set(problem, CN_ERR_INVALID, "sections",
                              "section %zu of the offer ('%.40s') is not named in sections", index, section->mid);
    *out = name->source;
    return CN_OK;
}

static cn_err check_source(const cn_sdp_section *section, cn_source_kind source, cn_problem *problem)
{
    if ((source == CN_SOURCE_MIC) != (section->kind == CN_SDP_AUDIO))
        return cn_problem_set(problem, CN_ERR_INVALID, "sections", "section '%.40s' is %s and cannot be the %s",
                              section->mid, section->media, cn_source_name(source));
    if (section->dir == CN_SDP_RECVONLY)
        return cn_problem_set(problem, CN_ERR_INVALID, "offer", "section '%.40s' is named %s but only receives",
                              section->mid, cn_source_name(source));
    return CN_OK;
}

static bool acceptable(const cn_plan_section *plan, const cn_offerer *who)
{
    const cn_sdp_section *section = plan->offer;
    const cn_sdp_codec *any[1];
    if (plan->source == CN_SOURCE_NONE) return cn_plan_slot_codecs(section, any, 1) > 0;
    return (is_video(section) ? who->may_video : who->may_audio) && plan->codec != NULL;
}

/* An encoder is not told "connected" where half of what it came for is refused (RFC 9725 §4.4.3). */
static cn_err check_guest(const cn_plan_section *plan, const cn_offerer *who, cn_problem *problem)
{
    const cn_sdp_section *section = plan->offer;
    if (who->kind == CN_PEER_APP || plan->accept) return CN_OK;
    const char *name = section->codec_count ? section->codecs[0].name : "";
    return cn_problem_set(problem, CN_ERR_INVALID, "offer",
                          "section '%.40s': its codecs ('%.20s' first) cannot be taken; %s", section->mid, name,
                          is_video(section) ? "video is VP8, H.264, VP9 of profile 0 or AV1" : "audio is Opus");
}

static cn_err plan_section(cn_plan *plan, const cn_sdp *offer, size_t index, const cn_offerer *who, cn_problem *problem)
{
    const cn_sdp_section *section = &offer->sections[index];
    cn_plan_section *out = &plan->sections[index];
    *out = (cn_plan_section){.offer = section};
    CN_TRY(kind_of(section, index, who, &out->source, problem));
    if (section->disabled || (section->kind != CN_SDP_AUDIO && section->kind != CN_SDP_VIDEO)) return CN_OK;
    if (out->source != CN_SOURCE_NONE)
        CN_TRY(check_source(section, out->source, problem));
    else if (section->dir == CN_SDP_SENDONLY)
        return cn_problem_set(problem, CN_ERR_INVALID, "offer", "section '%.40s' is a slot but only sends",
                              section->mid);
    if (out->source != CN_SOURCE_NONE) out->codec = cn_plan_source_codec(section, who->codec);
    out->accept = acceptable(out, who);
    return check_guest(out, who, problem);
}

static cn_err check_whole(const cn_plan *plan, cn_problem *problem)
{
    unsigned seen[CN_SOURCE_DEVICE + 1] = {0}, slots = 0, accepted = 0;
    for (size_t i = 0; i < plan->count; i++) {
        const cn_plan_section *section = &plan->sections[i];
        if (!section->accept) continue;
        accepted++;
        if (section->source == CN_SOURCE_NONE)
            slots++;
        else if (seen[section->source]++)
            return cn_problem_set(problem, CN_ERR_INVALID, "sections", "more than one section is the %s",
                                  cn_source_name(section->source));
    }
    if (slots > CN_MEDIA_SLOTS)
        return cn_problem_set(problem, CN_ERR_INVALID, "offer", "%u slots, more than %d", slots, CN_MEDIA_SLOTS);
    if (!accepted)
        return cn_problem_set(problem, CN_ERR_INVALID, "offer",
                              "no section has a codec in common (Opus; VP8, H.264, VP9, AV1) that may be used here");
    return CN_OK;
}

static cn_err check_names(const cn_sdp *offer, const cn_offerer *who, cn_problem *problem)
{
    for (size_t i = 0; who->kind == CN_PEER_APP && i < who->section_count; i++)
        if (!cn_sdp_section_find(offer, who->sections[i].mid))
            return cn_problem_set(problem, CN_ERR_INVALID, "sections", "the offer has no section '%.40s'",
                                  who->sections[i].mid);
    return CN_OK;
}

cn_err cn_plan_make(cn_plan *plan, const cn_sdp *offer, const cn_offerer *who, cn_problem *problem)
{
    if (offer->section_count > CN_PLAN_SECTIONS)
        return cn_problem_set(problem, CN_ERR_INVALID, "offer", "%zu sections, more than %d", offer->section_count,
                              CN_PLAN_SECTIONS);
    if (offer->section_count > 1 && !offer->bundle)
        return cn_problem_set(problem, CN_ERR_INVALID, "offer", "BUNDLE is required");
    CN_TRY(check_names(offer, who, problem));
    plan->count = offer->section_count;
    for (size_t i = 0; i < plan->count; i++) CN_TRY(plan_section(plan, offer, i, who, problem));
    return check_whole(plan, problem);
}

static void answer_codecs(cn_sdp_answer_section *out, const cn_sdp_codec *const *codecs, size_t count)
{
    out->codec_count = count;
    for (size_t i = 0; i < count; i++) {
        out->codecs[i].pt = codecs[i]->pt;
        out->codecs[i].rtx_pt = codecs[i]->rtx_pt;
    }
}

static void answer_source(const cn_plan_section *section, cn_sdp_answer_section *out)
{
    bool video = is_video(section->offer);
    out->dir = section->offer->dir & CN_SDP_SENDONLY ? CN_SDP_RECVONLY : CN_SDP_INACTIVE;
    out->exts = video ? SOURCE_VIDEO_EXTS : SOURCE_AUDIO_EXTS;
    out->fb = video ? VIDEO_FB : CN_SDP_FB_TWCC;
    size_t rids = section->offer->rid_count < 3 ? section->offer->rid_count : 3;
    out->rid_mask = (uint8_t)((1u << rids) - 1);
    if (video && cn_plan_described(section->codec->codec)) out->exts |= BIT(DEPENDENCY);
    const cn_sdp_codec *codecs[2] = {section->codec};
    answer_codecs(out, codecs, with_red(section->offer, codecs, 1, 2));
}

static void answer_slot(const cn_plan_section *section, cn_sdp_answer_section *out)
{
    const cn_sdp_codec *codecs[CN_SDP_ANSWER_CODECS];
    bool video = is_video(section->offer);
    out->dir = section->offer->dir & CN_SDP_RECVONLY ? CN_SDP_SENDONLY : CN_SDP_INACTIVE;
    out->exts = video ? SLOT_VIDEO_EXTS : SLOT_AUDIO_EXTS;
    out->fb = video ? VIDEO_FB : CN_SDP_FB_TWCC;
    size_t n = cn_plan_slot_codecs(section->offer, codecs, CN_SDP_ANSWER_CODECS);
    answer_codecs(out, codecs, n);
}

void cn_plan_answer(const cn_plan_section *section, cn_sdp_answer_section *out)
{
    *out = (cn_sdp_answer_section){.offer = section->offer, .accept = section->accept};
    if (!section->accept) return;
    if (section->source == CN_SOURCE_NONE)
        answer_slot(section, out);
    else
        answer_source(section, out);
}
