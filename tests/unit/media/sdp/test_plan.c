#include "cn_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "media/sdp/plan.h"

#define FINGERPRINT "00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F"

static cn_sdp *offer_of(const char *formats, const char *codecs, const char *direction)
{
    char text[2000];
    int n = snprintf(text, sizeof text,
                     "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n"
                     "m=audio 9 UDP/TLS/RTP/SAVPF %s\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=%s\r\na=rtcp-mux\r\n"
                     "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\na=fingerprint:sha-256 " FINGERPRINT
                     "\r\na=setup:actpass\r\n%s",
                     formats, direction, codecs);
    cn_sdp *sdp = NULL;
    cn_problem problem = {0};
    if (cn_sdp_parse(&sdp, text, (size_t)n, &problem) != CN_OK) fail_msg("%s", problem.detail);
    return sdp;
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(redundancy_is_agreed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
