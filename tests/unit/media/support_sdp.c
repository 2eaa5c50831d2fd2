#include "support_sdp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

char *support_sdp_read(const char *name, size_t *len)
{
    char path[512];
    if (!cn_fmt(path, sizeof path, "%s/tests/data/sdp/%s", CN_SOURCE_DIR, name)) abort();
    FILE *file = fopen(path, "rb");
    if (!file) abort();
    char *text = malloc(1 << 20);
    if (!text) abort();
    *len = fread(text, 1, (1 << 20) - 1, file);
    text[*len] = 0;
    fclose(file);
    return text;
}

static void section_fill(cn_sdp_answer_section *section, const cn_sdp_section *offer, cn_codec codec, uint32_t ssrc)
{
    const cn_sdp_codec *sdp_codec = cn_sdp_codec_pick(offer, codec);
    *section = (cn_sdp_answer_section){.offer = offer,
                                       .accept = sdp_codec != NULL && offer->dir != CN_SDP_INACTIVE,
                                       .exts = 0xffff,
                                       .fb = 0x1f,
                                       .rid_mask = 0xff};
    if (!section->accept) return;
    section->codec_count = 1;
    section->codecs[0].pt = sdp_codec->pt;
    section->codecs[0].rtx_pt = sdp_codec->rtx_pt;
    section->dir = offer->dir == CN_SDP_RECVONLY ? CN_SDP_SENDONLY : CN_SDP_RECVONLY;
    if (section->dir != CN_SDP_SENDONLY) return;
    section->stream = "large";
    section->track = offer->mid;
    section->cname = "consilium";
    section->ssrc = ssrc;
    section->rtx_ssrc = sdp_codec->rtx_pt != CN_SDP_NO_PT ? ssrc + 1 : 0;
}

void support_sdp_answer(const cn_sdp *offer, cn_codec video, cn_sdp_answer *answer, cn_sdp_answer_section *sections)
{
    static const uint8_t fingerprint[32] = {0xab, [31] = 0xcd};
    static const cn_sdp_candidate candidates[] = {
        {"127.0.0.1", 40000, false}, {"::1", 40000, false}, {"127.0.0.1", 40001, true}};
    *answer = (cn_sdp_answer){.offer = offer,
                              .session_id = 77,
                              .version = 1,
                              .ufrag = "srvU",
                              .pwd = "serverpasswordserverpass",
                              .fingerprint = fingerprint,
                              .candidates = candidates,
                              .candidate_count = 3,
                              .sections = sections,
                              .section_count = offer->section_count};
    for (size_t i = 0; i < offer->section_count; i++) {
        const cn_sdp_section *section = &offer->sections[i];
        cn_codec codec = section->kind == CN_SDP_AUDIO ? CN_CODEC_OPUS : video;
        section_fill(&sections[i], section, codec, 1000 + 2 * (uint32_t)i);
    }
}
