#include "support_sdp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

char *support_sdp_read(const char *name, size_t *n)
{
    char path[512];
    if (!cn_fmt(path, sizeof path, "%s/tests/data/sdp/%s", CN_SOURCE_DIR, name)) abort();
    FILE *f = fopen(path, "rb");
    if (!f) abort();
    char *text = malloc(1 << 20);
    if (!text) abort();
    *n = fread(text, 1, (1 << 20) - 1, f);
    text[*n] = 0;
    fclose(f);
    return text;
}

static void section_fill(cn_sdp_answer_section *s, const cn_sdp_section *offer, cn_codec codec, uint32_t ssrc)
{
    const cn_sdp_codec *c = cn_sdp_codec_pick(offer, codec);
    *s = (cn_sdp_answer_section){.offer = offer,
                                 .accept = c != NULL && offer->dir != CN_SDP_INACTIVE,
                                 .exts = 0xffff,
                                 .fb = 0x1f,
                                 .rid_mask = 0xff};
    if (!s->accept) return;
    s->codec_count = 1;
    s->codecs[0].pt = c->pt;
    s->codecs[0].rtx_pt = c->rtx_pt;
    s->dir = offer->dir == CN_SDP_RECVONLY ? CN_SDP_SENDONLY : CN_SDP_RECVONLY;
    if (s->dir != CN_SDP_SENDONLY) return;
    s->stream = "large";
    s->track = offer->mid;
    s->cname = "consilium";
    s->ssrc = ssrc;
    s->rtx_ssrc = c->rtx_pt != CN_SDP_NO_PT ? ssrc + 1 : 0;
}

void support_sdp_answer(const cn_sdp *offer, cn_codec video, cn_sdp_answer *a, cn_sdp_answer_section *sections)
{
    static const uint8_t fingerprint[32] = {0xab, [31] = 0xcd};
    static const cn_sdp_candidate candidates[] = {
        {"127.0.0.1", 40000, false}, {"::1", 40000, false}, {"127.0.0.1", 40001, true}};
    *a = (cn_sdp_answer){.offer = offer,
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
        const cn_sdp_section *s = &offer->sections[i];
        cn_codec codec = s->kind == CN_SDP_AUDIO ? CN_CODEC_OPUS : video;
        section_fill(&sections[i], s, codec, 1000 + 2 * (uint32_t)i);
    }
}
