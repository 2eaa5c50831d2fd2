// covers: media/sdp/sdp.c media/sdp/sdp_codec.c media/sdp/sdp_stream.c media/sdp/sdp_answer.c media/sdp/sdp_frag.c
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "media/sdp/sdp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fragment(const char *text, size_t size)
{
    cn_sdp_frag f;
    cn_problem p;
    if (cn_sdp_frag_parse(text, size, &f, &p) != CN_OK || !*f.ufrag) return;
    cn_buf b = {0};
    const cn_sdp_candidate c = {"127.0.0.1", 9, false};
    if (cn_sdp_frag_write(f.ufrag, f.pwd, "audio", "0", &c, 1, &b) != CN_OK) abort();
    cn_sdp_frag again;
    if (cn_sdp_frag_parse(b.p, b.n, &again, &p) != CN_OK || strcmp(again.pwd, f.pwd) != 0) abort();
    cn_buf_free(&b);
}

static void section_answer(cn_sdp_answer_section *s, const cn_sdp_section *o)
{
    *s = (cn_sdp_answer_section){
        .offer = o, .exts = 0xffff, .fb = 0xff, .rid_mask = 0x7f, .stream = "s", .track = "t", .cname = "c", .ssrc = 1};
    for (int codec = CN_CODEC_OPUS; codec < CN_CODEC_COUNT; codec++) {
        const cn_sdp_codec *c = cn_sdp_codec_pick(o, (cn_codec)codec);
        if (!c || codec == CN_CODEC_RTX || s->codec_count == CN_SDP_ANSWER_CODECS) continue;
        if (c->codec == CN_CODEC_H264 && !cn_sdp_h264_same(&c->h264, &c->h264)) abort();
        s->codecs[s->codec_count].pt = c->pt;
        s->codecs[s->codec_count++].rtx_pt = c->rtx_pt;
    }
    s->accept = s->codec_count > 0 && !o->disabled && o->kind <= CN_SDP_VIDEO;
    s->dir = (cn_sdp_dir)((o->dir & 1) << 1 | (o->dir & 2) >> 1);
    s->rtx_ssrc = o->kind == CN_SDP_VIDEO ? 2 : 0;
}

/* Whatever offer is accepted can be answered, and the answer is SDP that our own parser reads. */
static void answer(const cn_sdp *offer)
{
    static cn_sdp_answer_section sections[CN_SDP_SECTIONS];
    static const uint8_t fingerprint[32];
    static const cn_sdp_candidate c[] = {{"127.0.0.1", 40000, false}, {"::1", 40000, true}};
    for (size_t i = 0; i < offer->section_count; i++) section_answer(&sections[i], &offer->sections[i]);
    const cn_sdp_answer a = {.offer = offer,
                             .ufrag = "srvU",
                             .pwd = "serverpasswordserverpass",
                             .fingerprint = fingerprint,
                             .candidates = c,
                             .candidate_count = 2,
                             .sections = sections,
                             .section_count = offer->section_count};
    cn_buf b = {0};
    if (cn_sdp_answer_write(&a, &b) != CN_OK) abort();
    cn_sdp *again = NULL;
    cn_problem p;
    if (cn_sdp_parse(&again, b.p, b.n, &p) == CN_OK) abort(); /* ice-lite and passive: not an offer */
    if (p.err == CN_ERR_PARSE) abort();
    cn_buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    fragment(text, size);
    cn_sdp *s = NULL;
    cn_problem p;
    if (cn_sdp_parse(&s, text, size, &p) != CN_OK) {
        if (s || !*p.detail) abort();
        return 0;
    }
    for (size_t i = 0; i < s->section_count; i++)
        if (*s->sections[i].mid && cn_sdp_section_find(s, s->sections[i].mid) != &s->sections[i]) abort();
    answer(s);
    cn_sdp_free(s);
    return 0;
}
