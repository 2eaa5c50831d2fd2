// covers: media/sdp/sdp.c media/sdp/sdp_parse.c media/sdp/sdp_codec.c media/sdp/sdp_stream.c media/sdp/sdp_answer.c
// media/sdp/sdp_frag.c
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "media/sdp/sdp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fragment(const char *text, size_t size)
{
    cn_sdp_frag frag;
    cn_problem problem;
    if (cn_sdp_frag_parse(text, size, &frag, &problem) != CN_OK || !*frag.ufrag) return;
    cn_buf buf = {0};
    const cn_sdp_candidate candidate = {"127.0.0.1", 9, false};
    if (cn_sdp_frag_write(frag.ufrag, frag.pwd, "audio", "0", &candidate, 1, &buf) != CN_OK) abort();
    cn_sdp_frag again;
    if (cn_sdp_frag_parse(buf.p, buf.n, &again, &problem) != CN_OK || strcmp(again.pwd, frag.pwd) != 0) abort();
    cn_buf_free(&buf);
}

static void section_answer(cn_sdp_answer_section *section, const cn_sdp_section *sdp_section)
{
    *section = (cn_sdp_answer_section){.offer = sdp_section,
                                       .exts = 0xffff,
                                       .fb = 0xff,
                                       .rid_mask = 0x7f,
                                       .stream = "s",
                                       .track = "t",
                                       .cname = "c",
                                       .ssrc = 1};
    for (int codec = CN_CODEC_OPUS; codec < CN_CODEC_COUNT; codec++) {
        const cn_sdp_codec *sdp_codec = cn_sdp_codec_pick(sdp_section, (cn_codec)codec);
        if (!sdp_codec || codec == CN_CODEC_RTX || section->codec_count == CN_SDP_ANSWER_CODECS) continue;
        if (sdp_codec->codec == CN_CODEC_H264 && !cn_sdp_h264_same(&sdp_codec->h264, &sdp_codec->h264)) abort();
        section->codecs[section->codec_count].pt = sdp_codec->pt;
        section->codecs[section->codec_count++].rtx_pt = sdp_codec->rtx_pt;
    }
    section->accept = section->codec_count > 0 && !sdp_section->disabled && sdp_section->kind <= CN_SDP_VIDEO;
    section->dir = (cn_sdp_dir)((sdp_section->dir & 1) << 1 | (sdp_section->dir & 2) >> 1);
    section->rtx_ssrc = sdp_section->kind == CN_SDP_VIDEO ? 2 : 0;
}

/* Whatever offer is accepted can be answered, and the answer is SDP that our own parser reads. */
static void answer(const cn_sdp *offer)
{
    static cn_sdp_answer_section sections[CN_SDP_SECTIONS];
    static const uint8_t fingerprint[32];
    static const cn_sdp_candidate candidate[] = {{"127.0.0.1", 40000, false}, {"::1", 40000, true}};
    for (size_t i = 0; i < offer->section_count; i++) section_answer(&sections[i], &offer->sections[i]);
    const cn_sdp_answer sdp_answer = {.offer = offer,
                                      .ufrag = "srvU",
                                      .pwd = "serverpasswordserverpass",
                                      .fingerprint = fingerprint,
                                      .candidates = candidate,
                                      .candidate_count = 2,
                                      .sections = sections,
                                      .section_count = offer->section_count};
    cn_buf buf = {0};
    if (cn_sdp_answer_write(&sdp_answer, &buf) != CN_OK) abort();
    cn_sdp *again = NULL;
    cn_problem problem;
    if (cn_sdp_parse(&again, buf.p, buf.n, &problem) == CN_OK) abort(); /* ice-lite and passive: not an offer */
    if (problem.err == CN_ERR_PARSE) abort();
    cn_buf_free(&buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    fragment(text, size);
    cn_sdp *sdp = NULL;
    cn_problem problem;
    if (cn_sdp_parse(&sdp, text, size, &problem) != CN_OK) {
        if (sdp || !*problem.detail) abort();
        return 0;
    }
    for (size_t i = 0; i < sdp->section_count; i++)
        if (*sdp->sections[i].mid && cn_sdp_section_find(sdp, sdp->sections[i].mid) != &sdp->sections[i]) abort();
    answer(sdp);
    cn_sdp_free(sdp);
    return 0;
}
