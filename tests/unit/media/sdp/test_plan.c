#include "cn_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "media/sdp/plan.h"

#define FINGERPRINT "00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F"

static cn_sdp *offer_in(const char *media, const char *formats, const char *codecs, const char *direction)
{
    char text[2000];
    int n = snprintf(text, sizeof text,
                     "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n"
                     "m=%s 9 UDP/TLS/RTP/SAVPF %s\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=%s\r\na=rtcp-mux\r\n"
                     "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\na=fingerprint:sha-256 " FINGERPRINT
                     "\r\na=setup:actpass\r\n%s",
                     media, formats, direction, codecs);
    cn_sdp *sdp = NULL;
    cn_problem problem = {0};
    if (cn_sdp_parse(&sdp, text, (size_t)n, &problem) != CN_OK) fail_msg("%s", problem.detail);
    return sdp;
}

static cn_sdp *offer_of(const char *formats, const char *codecs, const char *direction)
{
    return offer_in("audio", formats, codecs, direction);
}

static cn_sdp *video_of(const char *formats, const char *codecs)
{
    return offer_in("video", formats, codecs, "sendonly");
}

#define OPUS "a=rtpmap:111 opus/48000/2\r\n"
#define RED "a=rtpmap:63 red/48000/2\r\n"

/* Redundancy is agreed only around the Opus that is agreed, in the offer's order. */
static void redundancy_is_agreed(void **state)
{
    (void)state;
    static const struct {
        const char *formats, *codecs;
        size_t count;
        uint8_t pts[2];
    } cases[] = {
        {"111", OPUS, 1, {111}},
        {"111 63", OPUS RED "a=fmtp:63 111/111\r\n", 2, {111, 63}},
        {"63 111", OPUS RED "a=fmtp:63 111/111\r\n", 2, {63, 111}},
        {"63 111", OPUS RED "a=fmtp:63 111/111/111\r\n", 2, {63, 111}},
        {"63 111", OPUS RED "a=fmtp:63 111\r\n", 2, {63, 111}},
        {"63 111", OPUS RED, 1, {111}},                                         /* around nothing */
        {"63 111", OPUS RED "a=fmtp:63 111/0\r\n", 1, {111}},                   /* G.711 in between */
        {"63 111", OPUS RED "a=fmtp:63 112/112\r\n", 1, {111}},                 /* around another */
        {"63 111", OPUS RED "a=fmtp:63 1111/111\r\n", 1, {111}},                /* no payload type */
        {"63 111", OPUS RED "a=fmtp:63 111/\r\n", 1, {111}},                    /* unfinished */
        {"63 111", OPUS "a=rtpmap:63 red/8000\r\na=fmtp:63 111\r\n", 1, {111}}, /* another clock */
    };
    static const struct {
        const char *offered;
        cn_peer_kind kind;
    } ways[] = {{"sendonly", CN_PEER_WHIP}, {"recvonly", CN_PEER_WHEP}};
    for (size_t i = 0; i < 2 * COUNT_OF(cases); i++) {
        size_t k = i / 2, way = i % 2;
        cn_sdp *sdp = offer_of(cases[k].formats, cases[k].codecs, ways[way].offered);
        static cn_plan plan;
        cn_offerer who = {.kind = ways[way].kind, .may_audio = true, .may_video = true};
        assert_ok(cn_plan_make(&plan, sdp, &who, NULL));
        cn_sdp_answer_section out;
        cn_plan_answer(&plan.sections[0], &out);
        if (out.codec_count != cases[k].count) fail_msg("case %zu, %s", k, ways[way].offered);
        for (size_t c = 0; c < out.codec_count; c++) assert_int_equal(out.codecs[c].pt, cases[k].pts[c]);
        cn_sdp_free(sdp);
    }
}

/* For an encoder or a player half of what it offers is not enough; an app's section is just answered with port 0. */
static void guests_get_all_or_a_reason(void **state)
{
    (void)state;
    static const cn_peer_kind kinds[] = {CN_PEER_WHIP, CN_PEER_WHEP};
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        cn_sdp *sdp = offer_of("96", "a=rtpmap:96 AMR/8000\r\n", kinds[i] == CN_PEER_WHIP ? "sendonly" : "recvonly");
        static cn_plan plan;
        cn_problem problem = {0};
        cn_offerer who = {.kind = kinds[i], .may_audio = true, .may_video = true};
        assert_int_equal(cn_plan_make(&plan, sdp, &who, &problem), CN_ERR_INVALID);
        assert_non_null(strstr(problem.detail, "AMR"));
        assert_non_null(strstr(problem.detail, "Opus"));
        cn_sdp_free(sdp);
    }
}

/* The room's codec where it can be taken; else what the encoder names first (RFC 3264 §6.1). */
static void the_offers_order_counts(void **state)
{
    (void)state;
    static const struct {
        const char *formats, *lines;
        cn_codec preferred, picked;
    } cases[] = {
        {"96 98", "a=rtpmap:96 VP9/90000\r\na=rtpmap:98 VP8/90000\r\n", CN_CODEC_VP8, CN_CODEC_VP8},
        {"96 98", "a=rtpmap:96 VP9/90000\r\na=rtpmap:98 VP8/90000\r\n", CN_CODEC_AV1, CN_CODEC_VP9},
        {"96 98", "a=rtpmap:96 AV1/90000\r\na=rtpmap:98 H264/90000\r\n", CN_CODEC_VP8, CN_CODEC_AV1},
        {"98 96", "a=rtpmap:96 AV1/90000\r\na=rtpmap:98 H264/90000\r\n", CN_CODEC_OTHER, CN_CODEC_H264},
        {"96 98", "a=rtpmap:96 VP9/90000\r\na=fmtp:96 profile-id=2\r\na=rtpmap:98 VP8/90000\r\n", CN_CODEC_VP9,
         CN_CODEC_VP8},
        {"96 98", "a=rtpmap:96 H265/90000\r\na=rtpmap:98 VP8/90000\r\n", CN_CODEC_AV1, CN_CODEC_VP8},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        cn_sdp *sdp = video_of(cases[i].formats, cases[i].lines);
        const cn_sdp_codec *codec = cn_plan_source_codec(&sdp->sections[0], cases[i].preferred);
        if (!codec || codec->codec != cases[i].picked) fail_msg("case %zu: %s", i, codec ? codec->name : "none");
        cn_sdp_free(sdp);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(redundancy_is_agreed),
        cmocka_unit_test(guests_get_all_or_a_reason),
        cmocka_unit_test(the_offers_order_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
