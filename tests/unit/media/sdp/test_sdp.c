#include "cn_test.h"

#include <stdlib.h>
#include <string.h>

#include "support_sdp.h"

/* ---- real offers: 1 microphone, 1 camera (simulcast where the client can), 5 audio slots, 4 or 30 video slots ---- */

static const struct capture {
    const char *file;
    size_t sections, rids;
    bool mixed_session, mixed_section, h264, chromium;
    unsigned mid_id; /* id of sdes:mid, 0 without */
} captures[] = {
    {"chromium-full.sdp", 37, 3, true, true, true, true, 4},
    {"chromium-phone.sdp", 11, 2, true, true, true, true, 4},
    {"chromium-whip.sdp", 2, 0, true, true, true, true, 4},
    {"firefox-full.sdp", 37, 3, false, true, false, false, 3},
    {"firefox-phone.sdp", 11, 2, false, true, false, false, 3},
    {"firefox-whip.sdp", 2, 0, false, true, false, false, 3},
    {"gst-full.sdp", 37, 0, false, false, false, false, 0},
    {"gst-phone.sdp", 11, 0, false, false, false, false, 0},
    {"gst-whip.sdp", 2, 0, false, false, true, false, 0},
};

static cn_sdp *parse_file(const char *name)
{
    size_t n;
    char *text = support_sdp_read(name, &n);
    cn_sdp *sdp = NULL;
    cn_problem problem = {0};
    cn_err err = cn_sdp_parse(&sdp, text, n, &problem);
    if (err != CN_OK) fail_msg("%s: %s", name, problem.detail);
    free(text);
    return sdp;
}

static void capture_check(const struct capture *caught, const cn_sdp *sdp)
{
    assert_int_equal(sdp->section_count, caught->sections);
    assert_true(sdp->bundle);
    assert_int_equal(sdp->mixed, caught->mixed_session);
    assert_int_equal(sdp->setup, CN_SDP_ACTPASS);
    assert_int_equal(sdp->hash, CN_SDP_SHA256);
    assert_int_equal(sdp->fingerprint_len, 32);
    assert_true(sdp->trickle);
    assert_int_equal(sdp->exts.id[CN_RTP_EXT_MID], caught->mid_id);
    for (size_t i = 0; i < sdp->section_count; i++) {
        const cn_sdp_section *section = &sdp->sections[i];
        assert_true(section->bundled && !section->disabled && section->rtcp_mux);
        assert_int_equal(section->mixed, caught->mixed_section);
        assert_int_equal(section->dir, i < 2 ? CN_SDP_SENDONLY : CN_SDP_RECVONLY);
        assert_int_equal(section->kind, i == 1 || i > 6 ? CN_SDP_VIDEO : CN_SDP_AUDIO);
        assert_ptr_equal(cn_sdp_section_find(sdp, section->mid), section);
        const cn_sdp_codec *picked = cn_sdp_codec_pick(section, section->kind == CN_SDP_AUDIO ? CN_CODEC_OPUS
                                                                : caught->h264                ? CN_CODEC_H264
                                                                                              : CN_CODEC_VP8);
        assert_non_null(picked);
        if (section->kind == CN_SDP_VIDEO && picked->rtx_pt != CN_SDP_NO_PT)
            assert_int_equal(cn_sdp_codec_find(section, picked->rtx_pt)->apt, picked->pt);
        if (section->kind == CN_SDP_VIDEO) assert_true(picked->fb & CN_SDP_FB_NACK && picked->fb & CN_SDP_FB_PLI);
    }
    const cn_sdp_section *camera = &sdp->sections[1];
    assert_int_equal(camera->rid_count, caught->rids);
    assert_int_equal(camera->simulcast, caught->rids > 0);
    if (caught->rids) assert_string_equal(camera->rids[0], "l");
    if (caught->rids) assert_string_equal(camera->rids[caught->rids - 1], "h");
    assert_true(*sdp->sections[1].track);
    if (caught->chromium) {
        const cn_sdp_codec *h264 = cn_sdp_codec_pick(camera, CN_CODEC_H264);
        assert_int_equal(h264->h264.constraints, 0xe0);
        assert_int_equal(h264->h264.packetization_mode, 1);
    }
    assert_null(cn_sdp_section_find(sdp, "nobody"));
    assert_null(cn_sdp_codec_find(camera, 1));
}

static void real_offers_are_understood(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(captures); i++) {
        cn_sdp *sdp = parse_file(captures[i].file);
        capture_check(&captures[i], sdp);
        cn_sdp_free(sdp);
    }
    cn_sdp_free(NULL);
}

static void firefox_traps(void **state)
{
    (void)state;
    cn_sdp *sdp = parse_file("firefox-phone.sdp");
    const cn_sdp_section *camera = &sdp->sections[1];
    assert_int_equal(camera->port, 0);
    assert_true(camera->bundle_only);
    assert_null(cn_sdp_codec_pick(camera, CN_CODEC_H264));
    assert_string_equal(cn_sdp_codec_pick(camera, CN_CODEC_VP8)->fmtp, "max-fs=12288;max-fr=60");
    /* two of its four SSRCs are RTX partners, told after the ssrc lines */
    assert_int_equal(camera->ssrc_count, 2);
    assert_int_equal(camera->ssrcs[0].ssrc, 3111713863u);
    assert_int_equal(camera->ssrcs[0].rtx, 4050456500u);
    assert_string_equal(camera->ssrcs[0].cname, "{c745ae20-d531-464c-b103-7d3bcea51a1a}");
    /* directions of extensions */
    assert_true(camera->ext_sends & CN_RTP_EXT_BIT(CN_RTP_EXT_RID));
    assert_false(camera->ext_receives & CN_RTP_EXT_BIT(CN_RTP_EXT_RID));
    assert_false(camera->ext_sends & CN_RTP_EXT_BIT(CN_RTP_EXT_PLAYOUT_DELAY));
    assert_true(camera->ext_receives & CN_RTP_EXT_BIT(CN_RTP_EXT_PLAYOUT_DELAY));
    cn_sdp_free(sdp);
}

static void fid_before_or_after(void **state)
{
    (void)state;
    cn_sdp *sdp = parse_file("chromium-whip.sdp");
    assert_int_equal(sdp->sections[1].ssrc_count, 1);
    assert_int_equal(sdp->sections[1].ssrcs[0].ssrc, 1220268971u);
    assert_int_equal(sdp->sections[1].ssrcs[0].rtx, 3090110408u);
    assert_string_equal(sdp->sections[1].stream, "-");
    assert_string_equal(sdp->sections[1].track, "1d85b11a-e096-4349-80c1-38d734820c10");
    assert_string_equal(sdp->ufrag, "jIAu");
    assert_string_equal(sdp->pwd, "+rivcTQx5nFkdS3BnIc4iRl5");
    assert_int_equal(sdp->fingerprint[0], 0xcb);
    assert_int_equal(sdp->fingerprint[31], 0x2b);
    cn_sdp_free(sdp);
}

/* ---- changed offers: base, what is replaced by what, expected error ---- */

#define FINGERPRINT "00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F"

static const char base[] = "v=0\r\n"
                           "o=- 1 2 IN IP4 127.0.0.1\r\n"
                           "s=-\r\n"
                           "t=0 0\r\n"
                           "a=group:BUNDLE mic cam\r\n"
                           "a=ice-options:trickle\r\n"
                           "m=audio 9 UDP/TLS/RTP/SAVPF 111 0\r\n"
                           "c=IN IP4 0.0.0.0\r\n"
                           "a=ice-ufrag:abcd\r\n"
                           "a=ice-pwd:0123456789012345678901\r\n"
                           "a=fingerprint:sha-256 " FINGERPRINT "\r\n"
                           "a=setup:actpass\r\n"
                           "a=mid:mic\r\n"
                           "a=sendonly\r\n"
                           "a=rtcp-mux\r\n"
                           "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
                           "a=rtpmap:111 opus/48000/2\r\n"
                           "m=video 0 UDP/TLS/RTP/SAVPF 96 97 102\r\n"
                           "c=IN IP4 0.0.0.0\r\n"
                           "a=bundle-only\r\n"
                           "a=mid:cam\r\n"
                           "a=sendonly\r\n"
                           "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
                           "a=extmap:5 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\r\n"
                           "a=rtpmap:96 VP8/90000\r\n"
                           "a=rtcp-fb:* nack\r\n"
                           "a=rtpmap:97 rtx/90000\r\n"
                           "a=fmtp:97 apt=96\r\n"
                           "a=rtpmap:102 H264/90000\r\n"
                           "a=fmtp:102 packetization-mode=1;profile-level-id=42e01f\r\n"
                           "a=rid:q send\r\n"
                           "a=rid:f send pt=96;max-width=1280\r\n"
                           "a=simulcast:send ~f,x;q recv z\r\n"
                           "a=ssrc:5 cname:me\r\n"
                           "a=msid:s t\r\n";

/* base with one replacement; caller frees. */
static char *changed(const char *from, const char *to, size_t *len)
{
    const char *at = strstr(base, from);
    if (!at) fail_msg("the base has no \"%s\"", from);
    cn_buf buf = {0};
    cn_buf_add(&buf, base, (size_t)(at - base));
    cn_buf_str(&buf, to);
    cn_buf_str(&buf, at + strlen(from));
    *len = buf.n;
    return cn_buf_take(&buf);
}

static const struct change {
    const char *from, *to;
    cn_err err;
} changes[] = {
    {"s=-", "s=-", CN_OK},
    {"t=0 0\r\n", "t=0 0\n", CN_OK},
    {"t=0 0\r\n", "t=0 0\r\na=sendrecv\r\na=unheard-of:1\r\n", CN_OK},
    {"v=0", "v=1", CN_ERR_PARSE},
    {"v=0\r\n", "", CN_ERR_PARSE},
    {"s=-", "v=0", CN_ERR_PARSE},
    {"s=-", "hello", CN_ERR_PARSE},
    {"s=-", "", CN_ERR_PARSE},
    {"s=-", "=", CN_ERR_PARSE},
    {"s=-", "s=\xff\xfe", CN_ERR_PARSE},
    {"a=mid:mic\r\n", "a=mid:mic\r\nv=0\r\n", CN_ERR_PARSE},
    {"a=group:BUNDLE mic cam", "a=group:LS mic cam", CN_ERR_INVALID},
    {"a=group:BUNDLE mic cam", "a=group:BUNDLE mic", CN_ERR_INVALID},
    {"a=group:BUNDLE mic cam", "a=group:BUNDLE ghost mic cam", CN_OK},
    {"a=group:BUNDLE mic cam", "a=group:BUNDLE mic\r\na=group:BUNDLE cam", CN_ERR_INVALID},
    {"a=group:BUNDLE mic cam", "a=group", CN_ERR_PARSE},
    {"a=group:BUNDLE mic cam", "a=group:BUNDLE", CN_ERR_INVALID},
    {"m=audio 9 UDP/TLS/RTP/SAVPF 111 0", "m=audio", CN_ERR_PARSE},
    {"m=audio 9 UDP/TLS/RTP/SAVPF 111 0", "m=audio 9 UDP/TLS/RTP/SAVPF", CN_ERR_PARSE},
    {"m=audio 9 UDP/TLS/RTP/SAVPF 111 0", "m=audio 9 UDP/TLS/RTP/SAVPF ", CN_ERR_PARSE},
    {"m=audio 9 UDP/TLS/RTP/SAVPF 111 0", "m=audio 9/2 UDP/TLS/RTP/SAVPF 111 0", CN_ERR_PARSE},
    {"m=audio 9 UDP/TLS/RTP/SAVPF 111 0", "m=audio 65536 UDP/TLS/RTP/SAVPF 111 0", CN_ERR_PARSE},
    {"m=audio 9 UDP/TLS/RTP/SAVPF 111 0", "m=audio 9 RTP/AVP 111 0", CN_OK},
    {"m=audio 9 UDP/TLS/RTP/SAVPF 111 0", "m=audio 9 RTP/SAVPF 111 0", CN_OK},
    {"m=audio 9 UDP/TLS/RTP/SAVPF 111 0", "m=audio 9 UDP/TLS/RTP/SAVP 111 0", CN_OK},
    {"m=audio 9 UDP/TLS/RTP/SAVPF 111 0", "m=audio 9 UDP 111 0", CN_ERR_INVALID},
    {"m=audio 9 UDP/TLS/RTP/SAVPF 111 0", "m=audio 9 UDP/TLS/RTP/SAVPF 111 128", CN_ERR_PARSE},
    {"m=audio 9 UDP/TLS/RTP/SAVPF 111 0", "m=audio 9 UDP/TLS/RTP/SAVPF 111 111", CN_ERR_PARSE},
    {"m=audio 9 UDP/TLS/RTP/SAVPF 111 0", "m=audio 9 UDP/TLS/RTP/SAVPF 111  0", CN_ERR_PARSE},
    {"m=audio 9 UDP/TLS/RTP/SAVPF 111 0", "m=audio 9 UDP/TLS/RTP/SAVPF 111 0000000000000", CN_ERR_PARSE},
    {"a=ice-ufrag:abcd", "a=ice-ufrag:abc", CN_ERR_PARSE},
    {"a=ice-ufrag:abcd", "a=ice-ufrag:ab d", CN_ERR_PARSE},
    {"a=ice-ufrag:abcd", "a=ice-ufrag", CN_ERR_PARSE},
    {"a=ice-ufrag:abcd\r\n", "", CN_ERR_INVALID},
    {"a=ice-pwd:0123456789012345678901", "a=ice-pwd:012345678901234567890", CN_ERR_PARSE},
    {"a=ice-pwd:0123456789012345678901\r\n", "", CN_ERR_INVALID},
    {"a=fingerprint:sha-256 00:", "a=fingerprint:sha-1 00:", CN_ERR_INVALID},
    {"a=fingerprint:sha-256 00:", "a=fingerprint:SHA-256 00:", CN_OK},
    {"a=fingerprint:sha-256 00:", "a=fingerprint:sha-256 0:", CN_ERR_PARSE},
    {"a=fingerprint:sha-256 00:", "a=fingerprint:sha-256 0g:", CN_ERR_PARSE},
    {"a=fingerprint:sha-256 00:", "a=fingerprint:sha-256 00-", CN_ERR_PARSE},
    {"a=fingerprint:sha-256 00:", "a=fingerprint:sha-512 00:", CN_ERR_PARSE},
    {"a=fingerprint:sha-256 ", "a=fingerprint:sha-256", CN_ERR_PARSE},
    {"a=ssrc:5 cname:me", "a=ssrc-group:SIM 5 6 7", CN_OK},
    {"a=ssrc:5 cname:me", "a=ssrc-group:SIM", CN_ERR_PARSE},
    {"a=ssrc:5 cname:me", "a=ssrc-group:SIM 5 x", CN_ERR_PARSE},
    {"a=ssrc:5 cname:me", "a=ssrc-group:SIM 5 5", CN_ERR_PARSE},
    {"a=ssrc:5 cname:me", "a=ssrc-group:SIM 5 4294967296", CN_ERR_PARSE},
    {"a=setup:actpass", "a=setup:active", CN_OK},
    {"a=setup:actpass\r\n", "", CN_OK},
    {"a=setup:actpass", "a=setup:passive", CN_OK},
    {"a=setup:actpass", "a=setup:holdconn", CN_ERR_PARSE},
    {"a=ice-options:trickle", "a=ice-lite", CN_ERR_INVALID},
    {"a=mid:cam", "a=mid:mic", CN_ERR_INVALID},
    {"a=mid:cam", "a=mid:", CN_ERR_PARSE},
    {"a=mid:cam", "a=mid:c m", CN_ERR_PARSE},
    {"a=mid:cam", "a=mid:cam\r\na=mid:cam2", CN_ERR_PARSE},
    {"a=mid:cam", "a=mid:0123456789012345678901234567890123456789012345678901234567890123", CN_ERR_PARSE},
    {"a=mid:cam\r\n", "", CN_ERR_INVALID},
    {"a=rtcp-mux\r\n", "", CN_ERR_INVALID},
    {"a=rtcp-mux", "a=rtcp-mux:yes", CN_ERR_PARSE},
    {"a=bundle-only\r\n", "", CN_OK}, /* port 0: to be rejected */
    {"a=extmap:5 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
     "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id", CN_ERR_INVALID},
    {"a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid", "a=extmap:5 urn:other", CN_OK},
    {"a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid", "a=extmap:6 urn:ietf:params:rtp-hdrext:sdes:mid", CN_OK},
    {"a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid", "a=extmap:4100 urn:ietf:params:rtp-hdrext:sdes:mid", CN_OK},
    {"a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid", "a=extmap:0 urn:ietf:params:rtp-hdrext:sdes:mid", CN_ERR_PARSE},
    {"a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid", "a=extmap:4", CN_ERR_PARSE},
    {"a=rtpmap:96 VP8/90000", "a=rtpmap:96 VP8", CN_ERR_PARSE},
    {"a=rtpmap:96 VP8/90000", "a=rtpmap:96 /90000", CN_ERR_PARSE},
    {"a=rtpmap:96 VP8/90000", "a=rtpmap:96 VP8/0", CN_ERR_PARSE},
    {"a=rtpmap:96 VP8/90000", "a=rtpmap:96 VP8/90000/0", CN_ERR_PARSE},
    {"a=rtpmap:96 VP8/90000", "a=rtpmap:96", CN_ERR_PARSE},
    {"a=rtpmap:96 VP8/90000", "a=rtpmap:99 VP8/90000", CN_OK},
    {"a=fmtp:97 apt=96", "a=fmtp:97", CN_ERR_PARSE},
    {"a=fmtp:97 apt=96", "a=fmtp:97 apt=x", CN_ERR_PARSE},
    {"a=fmtp:97 apt=96", "a=fmtp:97 rtx-time=3;apt=960000000000000000", CN_ERR_PARSE},
    {"a=rtcp-fb:* nack", "a=rtcp-fb:*", CN_ERR_PARSE},
    {"a=rtcp-fb:* nack", "a=rtcp-fb:99 nack", CN_OK},
    {"profile-level-id=42e01f", "profile-level-id=42e0", CN_ERR_PARSE},
    {"profile-level-id=42e01f", "profile-level-id=42e0zz", CN_ERR_PARSE},
    {"a=rid:q send", "a=rid:q", CN_ERR_PARSE},
    {"a=rid:q send", "a=rid:q both", CN_ERR_PARSE},
    {"a=rid:q send", "a=rid:f send", CN_ERR_PARSE},
    {"a=rid:q send", "a=rid:q! send", CN_ERR_PARSE},
    {"a=rid:q send", "a=rid:q recv", CN_ERR_INVALID},
    {"a=simulcast:send ~f,x;q recv z", "a=simulcast:send g", CN_ERR_INVALID},
    {"a=simulcast:send ~f,x;q recv z", "a=simulcast:send", CN_ERR_PARSE},
    {"a=simulcast:send ~f,x;q recv z", "a=simulcast:send ;", CN_ERR_PARSE},
    {"a=simulcast:send ~f,x;q recv z", "a=simulcast:send f send q", CN_ERR_PARSE},
    {"a=simulcast:send ~f,x;q recv z", "a=simulcast:f;q", CN_ERR_PARSE},
    {"a=simulcast:send ~f,x;q recv z", "a=simulcast:send f\r\na=simulcast:send q", CN_ERR_PARSE},
    {"a=simulcast:send ~f,x;q recv z", "a=simulcast:send f;q;f;q;f;q;f;q;f", CN_ERR_TOOBIG},
    {"a=ssrc:5 cname:me", "a=ssrc:5", CN_ERR_PARSE},
    {"a=ssrc:5 cname:me", "a=ssrc:4294967296 cname:me", CN_ERR_PARSE},
    {"a=ssrc:5 cname:me", "a=ssrc-group:FID 5", CN_ERR_PARSE},
    {"a=ssrc:5 cname:me", "a=ssrc-group:FID 5 5", CN_ERR_PARSE},
    {"a=ssrc:5 cname:me", "a=ssrc-group:FID 5 6 7", CN_ERR_PARSE},
    {"a=ssrc:5 cname:me", "a=ssrc-group:SIM 5 6 7", CN_OK},
    {"a=msid:s t", "a=msid:s t u", CN_ERR_PARSE},
    {"a=msid:s t", "a=msid: t", CN_ERR_PARSE},
};

static void changed_offers(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(changes); i++) {
        size_t n;
        char *text = changed(changes[i].from, changes[i].to, &n);
        cn_sdp *sdp = NULL;
        cn_problem problem = {0};
        cn_err err = cn_sdp_parse(&sdp, text, n, &problem);
        if (err != changes[i].err)
            fail_msg("%s → %s: %s (%s)", changes[i].from, changes[i].to, cn_err_name(err), problem.detail);
        if (err != CN_OK) {
            assert_null(sdp);
            assert_string_equal(problem.field, "offer");
            assert_true(*problem.detail);
        }
        cn_sdp_free(sdp);
        free(text);
    }
}

static void base_is_read(void **state)
{
    (void)state;
    cn_sdp *sdp;
    assert_ok(cn_sdp_parse(&sdp, base, sizeof base - 1, NULL));
    assert_int_equal(sdp->section_count, 2);
    const cn_sdp_section *mic = &sdp->sections[0], *cam = &sdp->sections[1];
    assert_int_equal(cn_sdp_codec_find(mic, 0)->codec, CN_CODEC_PCMU); /* a static type */
    assert_int_equal(cn_sdp_codec_find(mic, 0)->clock, 8000);
    assert_int_equal(cn_sdp_codec_find(cam, 96)->rtx_pt, 97);
    assert_int_equal(cn_sdp_codec_find(cam, 102)->fb, CN_SDP_FB_NACK);
    assert_int_equal(cam->rid_count, 2); /* simulcast's order, not a=rid's */
    assert_string_equal(cam->rids[0], "f");
    assert_string_equal(cam->rids[1], "q");
    assert_string_equal(cam->stream, "s");
    assert_string_equal(cam->track, "t");
    assert_int_equal(sdp->exts.ext_of[4], CN_RTP_EXT_MID + 1);
    assert_int_equal(sdp->exts.ext_of[5], CN_RTP_EXT_RID + 1);
    assert_false(sdp->exts.two_byte);
    cn_sdp_free(sdp);
}

static void bounds(void **state)
{
    (void)state;
    cn_sdp *sdp = NULL;
    cn_problem problem;
    char *big = calloc(CN_SDP_BYTES + 2, 1);
    assert_non_null(big);
    memset(big, 'a', CN_SDP_BYTES + 1);
    assert_err(cn_sdp_parse(&sdp, big, CN_SDP_BYTES + 1, &problem), CN_ERR_TOOBIG);
    free(big);
    assert_err(cn_sdp_parse(&sdp, "v=0\r\n", 5, &problem), CN_ERR_PARSE);
    assert_err(cn_sdp_parse(&sdp, "", 0, &problem), CN_ERR_PARSE);
    assert_err(cn_sdp_parse(&sdp, base, sizeof base, &problem), CN_ERR_PARSE); /* with its zero byte */
    cn_buf buf = {0};
    cn_buf_str(&buf, "v=0\r\n");
    for (int i = 0; i < CN_SDP_SECTIONS + 1; i++)
        cn_buf_str(&buf, "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n");
    assert_err(cn_sdp_parse(&sdp, buf.p, buf.n, &problem), CN_ERR_TOOBIG);
    cn_buf_free(&buf);
    cn_buf_str(&buf, "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF");
    for (int i = 0; i < CN_SDP_CODECS + 1; i++) cn_buf_fmt(&buf, " %d", i);
    cn_buf_str(&buf, "\r\n");
    assert_err(cn_sdp_parse(&sdp, buf.p, buf.n, &problem), CN_ERR_TOOBIG);
    cn_buf_free(&buf);
    size_t n;
    char *text =
        changed("a=rid:q send",
                "a=rid:a send\r\na=rid:b send\r\na=rid:c send\r\na=rid:d send\r\na=rid:e send\r\na=rid:g send\r\n"
                "a=rid:h send\r\na=rid:i send",
                &n);
    assert_err(cn_sdp_parse(&sdp, text, n, &problem), CN_ERR_TOOBIG);
    free(text);
    assert_null(sdp);
}

/* Session-level ICE and fingerprint serve where the section has none; SHA-256 is kept where several are offered. */
static void levels_and_hashes(void **state)
{
    (void)state;
    static const char text[] = "v=0\n"
                               "a=ice-ufrag:sess\na=ice-pwd:sessionsessionsession12\na=setup:active\n"
                               "a=fingerprint:sha-384 " FINGERPRINT ":00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F\n"
                               "a=fingerprint:sha-256 " FINGERPRINT "\n"
                               "a=fingerprint:sha-512 " FINGERPRINT ":" FINGERPRINT "\n"
                               "m=audio 9 UDP/TLS/RTP/SAVPF 0\na=rtcp-mux\na=extmap-allow-mixed";
    cn_sdp *sdp;
    cn_problem problem = {0};
    assert_ok(cn_sdp_parse(&sdp, text, sizeof text - 1, &problem));
    assert_string_equal(sdp->ufrag, "sess");
    assert_int_equal(sdp->setup, CN_SDP_ACTIVE);
    assert_int_equal(sdp->hash, CN_SDP_SHA256);
    assert_int_equal(sdp->fingerprint_len, 32);
    assert_int_equal(sdp->fingerprint[31], 0x1f);
    assert_string_equal(sdp->sections[0].mid, "");
    assert_int_equal(sdp->sections[0].dir, CN_SDP_SENDRECV);
    assert_true(sdp->exts.two_byte);
    assert_false(sdp->bundle);
    cn_sdp_free(sdp);
}

/* ---- choice of codecs ---- */

static void h264_profiles(void **state)
{
    (void)state;
    static const struct {
        uint8_t a[3], b[3];
        bool same;
    } cases[] = {
        {{0x42, 0xe0, 0x1f}, {0x42, 0xe0, 0x34}, true},  {{0x42, 0xe0, 0x1f}, {0x42, 0xc0, 0x15}, true},
        {{0x42, 0xe0, 0x1f}, {0x42, 0x00, 0x1f}, false}, {{0x42, 0xe0, 0x1f}, {0x4d, 0x80, 0x1f}, true},
        {{0x42, 0xe0, 0x1f}, {0x58, 0xf0, 0x1f}, true},  {{0x42, 0x00, 0x1f}, {0x58, 0x80, 0x1f}, true},
        {{0x4d, 0x00, 0x1f}, {0x4d, 0x40, 0x1f}, true},  {{0x4d, 0x00, 0x1f}, {0x42, 0x00, 0x1f}, false},
        {{0x64, 0x00, 0x1f}, {0x64, 0x0c, 0x1f}, false}, {{0x64, 0x0c, 0x28}, {0x64, 0x0c, 0x1f}, true},
        {{0xf4, 0x00, 0x1f}, {0xf4, 0x00, 0x28}, true},  {{0xf4, 0x00, 0x1f}, {0xf4, 0x10, 0x1f}, false},
        {{0x58, 0x00, 0x1f}, {0x58, 0x10, 0x1f}, true},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const uint8_t *x = cases[i].a, *y = cases[i].b;
        cn_sdp_h264 a = {x[0], x[1], x[2], 1, false}, b = {y[0], y[1], y[2], 1, true};
        if (cn_sdp_h264_same(&a, &b) != cases[i].same) fail_msg("case %zu", i);
        b.packetization_mode = 0;
        assert_int_equal(cn_sdp_h264_same(&a, &b), cases[i].same);
    }
}

static void best_codec_is_picked(void **state)
{
    (void)state;
    cn_sdp *sdp = parse_file("chromium-phone.sdp");
    const cn_sdp_section *slot = &sdp->sections[8], *mic = &sdp->sections[0];
    assert_int_equal(cn_sdp_codec_pick(slot, CN_CODEC_VP8)->pt, 96);
    assert_int_equal(cn_sdp_codec_pick(slot, CN_CODEC_VP9)->vp9_profile, 0);
    assert_int_equal(cn_sdp_codec_pick(slot, CN_CODEC_H264)->pt, 108);
    assert_int_equal(cn_sdp_codec_pick(slot, CN_CODEC_AV1)->pt, 45);
    assert_null(cn_sdp_codec_pick(slot, CN_CODEC_H265));
    assert_int_equal(cn_sdp_codec_pick(mic, CN_CODEC_OPUS)->pt, 111);
    assert_int_equal(cn_sdp_codec_pick(mic, CN_CODEC_AUDIO_RED)->pt, 63);
    cn_sdp_free(sdp);
    /* an encoder of packetization mode 0 is better than none; what mode 2 sends nobody here reads */
    static const char *const modes[] = {"", "packetization-mode=0;", "packetization-mode=2;"};
    for (size_t i = 0; i < COUNT_OF(modes); i++) {
        size_t n;
        char *text = changed("packetization-mode=1;", modes[i], &n);
        assert_ok(cn_sdp_parse(&sdp, text, n, NULL));
        assert_int_equal(cn_sdp_codec_pick(&sdp->sections[1], CN_CODEC_H264) != NULL, i < 2);
        free(text);
        cn_sdp_free(sdp);
    }
}

static cn_sdp *parse_changed(const char *from, const char *to)
{
    size_t n;
    char *text = changed(from, to, &n);
    cn_sdp *sdp = NULL;
    cn_problem problem = {0};
    if (cn_sdp_parse(&sdp, text, n, &problem) != CN_OK) fail_msg("%s: %s", to, problem.detail);
    free(text);
    return sdp;
}

/* Blanks at line ends, parameters in two lines or around '=', empty lines at the end: others write so. */
static void lines_as_others_write_them(void **state)
{
    (void)state;
    cn_sdp *sdp = parse_changed("a=rtcp-fb:* nack\r\n", "a=rtcp-fb:96 nack \r\na=rtcp-fb:96 goog-remb\t\r\n");
    assert_int_equal(cn_sdp_codec_find(&sdp->sections[1], 96)->fb, CN_SDP_FB_NACK | CN_SDP_FB_REMB);
    cn_sdp_free(sdp);
    static const char *const h264[] = {
        "a=fmtp:102 profile-level-id=4d001f\r\na=fmtp:102 x-google-max-bitrate=6000;packetization-mode=1",
        "a=fmtp:102 packetization-mode=1 ; profile-level-id=4d001f\r\na=fmtp:102 x-google-max-bitrate=6000",
        "a=fmtp:102 packetization-mode = 1;profile-level-id =4d001f"};
    for (size_t i = 0; i < COUNT_OF(h264); i++) {
        sdp = parse_changed("a=fmtp:102 packetization-mode=1;profile-level-id=42e01f", h264[i]);
        const cn_sdp_codec *codec = cn_sdp_codec_find(&sdp->sections[1], 102);
        if (codec->h264.packetization_mode != 1 || codec->h264.profile != 0x4d) fail_msg("%s", h264[i]);
        cn_sdp_free(sdp);
    }
    static const char *const ends[] = {"a=msid:s t\r\n\r\n", "a=msid:s t\r\n \r\n\r\n", "a=msid:s t\n\n\n",
                                       "a=msid:s t "};
    for (size_t i = 0; i < COUNT_OF(ends); i++) cn_sdp_free(parse_changed("a=msid:s t\r\n", ends[i]));
}

/* The id means nothing to anybody then; what has another id stays. */
static void an_extmap_id_of_two_meanings_is_left_out(void **state)
{
    (void)state;
    cn_sdp *sdp = parse_changed("a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid", "a=extmap:5 urn:other");
    const cn_sdp_section *cam = &sdp->sections[1];
    assert_int_equal(cam->exts.id[CN_RTP_EXT_RID], 0);
    assert_int_equal(cam->ext_sends, CN_RTP_EXT_BIT(CN_RTP_EXT_MID));
    assert_int_equal(sdp->exts.id[CN_RTP_EXT_RID], 0);
    assert_int_equal(sdp->exts.ext_of[5], 0);
    assert_int_equal(sdp->exts.id[CN_RTP_EXT_MID], 4);
    cn_sdp_free(sdp);
}

/* ---- answers ---- */

static char *answer_text(const cn_sdp *sdp, cn_codec video)
{
    cn_sdp_answer answer;
    cn_sdp_answer_section sections[CN_SDP_SECTIONS];
    cn_buf buf = {0};
    support_sdp_answer(sdp, video, &answer, sections);
    assert_ok(cn_sdp_answer_write(&answer, &buf));
    return cn_buf_take(&buf);
}

static void has(const char *text, const char *part)
{
    if (!strstr(text, part)) fail_msg("not in the answer: %s\n%s", part, text);
}

static void lacks(const char *text, const char *part)
{
    if (strstr(text, part)) fail_msg("in the answer: %s\n%s", part, text);
}

/* The answer to each real offer is well-formed SDP with the same m-lines and mids in the same order. */
static void answers_mirror_offers(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(captures); i++) {
        cn_sdp *offer = parse_file(captures[i].file), *answer;
        char *text = answer_text(offer, captures[i].h264 ? CN_CODEC_H264 : CN_CODEC_VP8);
        /* ours is ice-lite and passive, which our parser rightly refuses in an offer */
        char *lite = strstr(text, "a=ice-lite\r\n");
        memcpy(lite, "a=ice-none", 10);
        for (char *p = text; (p = strstr(p, "setup:passive")); p++) memcpy(p, "setup:actpass", 13);
        cn_problem problem = {0};
        if (cn_sdp_parse(&answer, text, strlen(text), &problem) != CN_OK)
            fail_msg("%s: %s", captures[i].file, problem.detail);
        assert_int_equal(answer->section_count, offer->section_count);
        for (size_t k = 0; k < offer->section_count; k++) {
            const cn_sdp_section *sdp_section = &offer->sections[k], *section = &answer->sections[k];
            assert_string_equal(sdp_section->mid, section->mid);
            assert_string_equal(sdp_section->media, section->media);
            assert_string_equal(sdp_section->protocol, section->protocol);
            assert_int_equal(section->dir, sdp_section->dir == CN_SDP_SENDONLY ? CN_SDP_RECVONLY : CN_SDP_SENDONLY);
            assert_true(section->bundled && !section->disabled && section->port != 0);
            assert_int_equal(section->mixed, sdp_section->mixed);
            for (size_t c = 0; c < section->codec_count; c++)
                assert_non_null(cn_sdp_codec_find(sdp_section, section->codecs[c].pt));
            for (int e = 0; e < CN_RTP_EXT_COUNT; e++)
                if (section->exts.id[e]) assert_int_equal(section->exts.id[e], sdp_section->exts.id[e]);
            if (section->dir == CN_SDP_SENDONLY) assert_int_equal(section->ssrc_count, 1);
        }
        lacks(text, "b=");
        cn_sdp_free(answer);
        cn_sdp_free(offer);
        free(text);
    }
}

/* a=ssrc-group:SIM is read with or without RTX, in its own order, whichever lines come first; RIDs go before. */
static void ssrc_groups_are_simulcast(void **state)
{
    (void)state;
    static const struct {
        const char *lines;
        size_t count;
        uint32_t media[CN_SDP_SIM], rtx[CN_SDP_SIM];
    } cases[] = {
        {"a=ssrc-group:SIM 103 101 102\r\na=ssrc-group:FID 101 201\r\na=ssrc-group:FID 102 202\r\n"
         "a=ssrc-group:FID 103 203\r\n",
         3,
         {103, 101, 102},
         {203, 201, 202}},
        {"a=ssrc:201 cname:x\r\na=ssrc-group:FID 102 202\r\na=ssrc-group:SIM 101 102\r\na=ssrc-group:FID 101 201\r\n",
         2,
         {101, 102},
         {201, 202}},
        {"a=ssrc-group:SIM 1 2 3 4 5\r\n", 3, {1, 2, 3}, {0, 0, 0}},
        {"a=ssrc-group:SIM 1\r\n", 0, {0}, {0}},
        {"a=ssrc-group:SIM 1 2\r\na=rid:a send\r\na=rid:b send\r\na=simulcast:send a;b\r\n", 0, {0}, {0}},
        {"a=ssrc-group:FID 1 2\r\na=ssrc-group:SIM 1 2\r\n", 0, {0}, {0}}, /* nothing is left of the second */
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        cn_buf text = {0};
        cn_sdp *sdp = NULL;
        cn_problem problem = {0};
        cn_buf_fmt(&text,
                   "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=ice-ufrag:abcd\r\n"
                   "a=ice-pwd:0123456789012345678901\r\na=setup:passive\r\na=fingerprint:sha-256 %s\r\n"
                   "m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=sendonly\r\na=rtcp-mux\r\n"
                   "a=rtpmap:96 VP8/90000\r\n%s",
                   "00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00",
                   cases[i].lines);
        if (cn_sdp_parse(&sdp, text.p, text.n, &problem) != CN_OK) fail_msg("case %zu: %s", i, problem.detail);
        const cn_sdp_section *section = &sdp->sections[0];
        assert_int_equal(section->sim_count, cases[i].count);
        for (size_t k = 0; k < section->sim_count; k++) {
            assert_int_equal(section->ssrcs[section->sim[k]].ssrc, cases[i].media[k]);
            assert_int_equal(section->ssrcs[section->sim[k]].rtx, cases[i].rtx[k]);
        }
        cn_sdp_free(sdp);
        cn_buf_free(&text);
    }
}

static void answer_to_firefox(void **state)
{
    (void)state;
    cn_sdp *sdp = parse_file("firefox-phone.sdp");
    char *text = answer_text(sdp, CN_CODEC_VP8);
    has(text,
        "v=0\r\no=- 77 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1 2 3 4 5 6 7 8 9 10\r\na=ice-lite\r\n");
    has(text, "m=audio 40000 UDP/TLS/RTP/SAVPF 109\r\nc=IN IP4 127.0.0.1\r\na=mid:0\r\na=ice-ufrag:srvU\r\n");
    has(text, "a=candidate:1 1 udp 2130706431 127.0.0.1 40000 typ host\r\n");
    has(text, "a=candidate:3 1 tcp 1526726143 127.0.0.1 40001 typ host tcptype passive\r\na=end-of-candidates\r\n");
    has(text, "m=video 9 UDP/TLS/RTP/SAVPF 120 124\r\n");
    has(text, "a=rid:l recv\r\na=rid:h recv\r\na=simulcast:recv l;h\r\n");
    has(text, "a=extmap:9/recvonly urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\r\n");
    has(text, "a=extmap:6/sendonly http://www.webrtc.org/experiments/rtp-hdrext/playout-delay\r\n");
    has(text, "a=msid:large 7\r\na=ssrc-group:FID 1014 1015\r\na=ssrc:1014 cname:consilium\r\na=ssrc:1015 "
              "cname:consilium\r\n");
    has(text, "a=fmtp:109 minptime=10;useinbandfec=1;usedtx=1\r\n");
    lacks(text, "max-fs"); /* echoed, it would hold the sender at 1080p */
    lacks(text, "bundle-only");
    const char *slot = strstr(text, "a=mid:7\r\n");
    assert_non_null(slot);
    lacks(slot, "rtp-stream-id"); /* Firefox only sends it */
    free(text);
    cn_sdp_free(sdp);
}

static void answer_to_chromium(void **state)
{
    (void)state;
    cn_sdp *sdp = parse_file("chromium-phone.sdp");
    char *text = answer_text(sdp, CN_CODEC_H264);
    has(text, "a=fmtp:108 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e034\r\n");
    has(text, "t=0 0\r\na=group:BUNDLE 0 1 2 3 4 5 6 7 8 9 10\r\na=ice-lite\r\na=extmap-allow-mixed\r\n");
    has(text, "a=rtcp-rsize\r\n");
    free(text);
    text = answer_text(sdp, CN_CODEC_AV1);
    has(text, "a=fmtp:45 level-idx=13;profile=0;tier=0\r\n");
    free(text);
    text = answer_text(sdp, CN_CODEC_VP9);
    has(text, "a=fmtp:98 profile-id=0\r\n");
    free(text);
    text = answer_text(sdp, CN_CODEC_H265); /* nobody offers it: video is rejected */
    has(text, "a=group:BUNDLE 0 2 3 4 5 6\r\n");
    has(text, "m=video 0 UDP/TLS/RTP/SAVPF 96 ");
    has(text, "a=mid:1\r\na=inactive\r\n");
    free(text);
    cn_sdp_free(sdp);
}

/* webrtcbin and aiortc take no answer in which a section lacks the transport, be it rejected. */
static void a_rejected_section_names_the_transport(void **state)
{
    (void)state;
    static const char channel[] = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:dc\r\n"
                                  "a=sctp-port:5000\r\n";
    static const char *const lines[] = {
        "a=mid:dc\r\na=inactive\r\n", "a=ice-ufrag:",        "a=ice-pwd:", "a=fingerprint:",
        "a=setup:passive\r\n",        "a=sctp-port:5000\r\n"};
    cn_buf offer = {0};
    cn_buf_str(&offer, base);
    cn_buf_str(&offer, channel);
    cn_sdp *sdp;
    assert_ok(cn_sdp_parse(&sdp, offer.p, offer.n, NULL));
    char *text = answer_text(sdp, CN_CODEC_H265); /* nobody offers it: the picture is rejected as well */
    char *data = strstr(text, "m=application 0 "), *video = strstr(text, "m=video 0 ");
    assert_non_null(data);
    assert_non_null(video);
    for (size_t i = 0; i < COUNT_OF(lines); i++) has(data, lines[i]);
    *data = 0;
    for (size_t i = 1; i < 5; i++) has(video, lines[i]);
    lacks(video, "a=candidate:");
    lacks(video, "a=sctp-port:");
    free(text);
    cn_sdp_free(sdp);
    cn_buf_free(&offer);
}

static void red_usedtx_and_level(void **state)
{
    (void)state;
    size_t n;
    char *offer =
        changed("111 0\r\n",
                "111 0 63\r\na=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\na=fmtp:111 usedtx=1;stereo=1\r\n", &n);
    cn_sdp *sdp;
    assert_ok(cn_sdp_parse(&sdp, offer, n, NULL));
    free(offer);
    cn_sdp_answer answer;
    cn_sdp_answer_section sections[CN_SDP_SECTIONS];
    support_sdp_answer(sdp, CN_CODEC_H264, &answer, sections);
    sections[0].codec_count = 2;
    sections[0].codecs[1].pt = 63;
    sections[0].codecs[1].rtx_pt = CN_SDP_NO_PT;
    sections[1].rid_mask = 2;
    cn_buf buf = {0};
    assert_ok(cn_sdp_answer_write(&answer, &buf));
    has(buf.p, "a=fmtp:63 111/111\r\n");
    has(buf.p, "a=fmtp:111 minptime=10;useinbandfec=1;usedtx=1\r\n");
    has(buf.p, "a=fmtp:102 packetization-mode=1;profile-level-id=42e01f\r\n"); /* no asymmetry: the offer's level */
    has(buf.p, "a=rid:q recv\r\na=simulcast:recv q\r\n");
    lacks(buf.p, "a=rid:f recv");
    cn_buf_free(&buf);
    sections[1].rid_mask = 3;
    assert_ok(cn_sdp_answer_write(&answer, &buf));
    has(buf.p, "a=simulcast:recv ~f;q\r\n"); /* without '~' Chromium would send f again */
    cn_buf_free(&buf);
    cn_sdp_free(sdp);
}

static void answers_that_do_not_fit(void **state)
{
    (void)state;
    cn_sdp *sdp;
    assert_ok(cn_sdp_parse(&sdp, base, sizeof base - 1, NULL));
    for (int wrong = 0; wrong < 13; wrong++) {
        cn_sdp_answer answer;
        cn_sdp_answer_section section[CN_SDP_SECTIONS];
        support_sdp_answer(sdp, CN_CODEC_VP8, &answer, section);
        switch (wrong) {
        case 0: answer.section_count = 1; break;
        case 1: answer.ufrag = "abc"; break;
        case 2: answer.pwd = NULL; break;
        case 3: section[0].codecs[0].pt = 1; break;
        case 4: section[1].codecs[0].rtx_pt = 102; break;
        case 5: section[1].codecs[0].rtx_pt = 1; break;
        case 6: section[0].dir = CN_SDP_SENDONLY; break;
        case 7: section[0].codec_count = 0; break;
        case 8: section[0].codec_count = CN_SDP_ANSWER_CODECS + 1; break;
        case 9: section[0].offer = &sdp->sections[1]; break;
        case 10: section[0].ssrc = 1; break;
        case 11: section[1].codecs[1] = section[1].codecs[0], section[1].codec_count = 2; break;
        default: section[0].offer = NULL; break;
        }
        cn_buf buf = {0};
        assert_err(cn_sdp_answer_write(&answer, &buf), CN_ERR_INVALID);
        assert_int_equal(buf.n, 0);
        cn_buf_free(&buf);
    }
    cn_sdp_free(sdp);
    size_t n;
    char *offer = changed("a=bundle-only\r\n", "", &n);
    assert_ok(cn_sdp_parse(&sdp, offer, n, NULL));
    assert_true(sdp->sections[1].disabled);
    cn_sdp_answer answer;
    cn_sdp_answer_section section[CN_SDP_SECTIONS];
    support_sdp_answer(sdp, CN_CODEC_VP8, &answer, section);
    cn_buf buf = {0};
    assert_err(cn_sdp_answer_write(&answer, &buf), CN_ERR_INVALID);
    section[1].accept = false;
    assert_ok(cn_sdp_answer_write(&answer, &buf));
    has(buf.p, "a=group:BUNDLE mic\r\n");
    cn_buf_free(&buf);
    free(offer);
    cn_sdp_free(sdp);
}

/* ---- fragments ---- */

static void fragments(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        cn_err err;
        const char *ufrag;
    } cases[] = {
        {"", CN_OK, ""},
        {"a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\n"
         "a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0 ufrag EsAw network-id "
         "1\r\na=end-of-candidates\r\n",
         CN_OK, "EsAw"},
        {"m=audio 9 RTP/AVP 0\na=mid:0\na=ice-ufrag:EsAw\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\nm=video 9 RTP/AVP 0\n"
         "a=ice-ufrag:EsAw\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1",
         CN_OK, "EsAw"},
        {"a=ice-ufrag:EsAw\r\n", CN_ERR_PARSE, NULL},
        {"a=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n", CN_ERR_PARSE, NULL},
        {"a=ice-ufrag:EsAw\r\na=ice-ufrag:other\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n", CN_ERR_PARSE, NULL},
        {"a=ice-ufrag:E\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n", CN_ERR_PARSE, NULL},
        {"a=ice-ufrag:\r\na=ice-pwd:\r\n", CN_ERR_PARSE, NULL},
        {"hello\r\n", CN_ERR_PARSE, NULL},
        {"\r\n", CN_ERR_PARSE, NULL},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        cn_sdp_frag frag = {.ufrag = "untouched"};
        cn_problem problem = {0};
        cn_err err = cn_sdp_frag_parse(cases[i].text, strlen(cases[i].text), &frag, &problem);
        if (err != cases[i].err) fail_msg("case %zu: %s", i, problem.detail);
        assert_string_equal(frag.ufrag, err == CN_OK ? cases[i].ufrag : "untouched");
    }
    cn_sdp_frag frag;
    char *big = calloc(1, 20000);
    assert_non_null(big);
    assert_err(cn_sdp_frag_parse(big, 4, &frag, NULL), CN_ERR_PARSE);
    assert_err(cn_sdp_frag_parse(big, 20000, &frag, NULL), CN_ERR_TOOBIG);
    cn_buf buf = {0};
    cn_buf_str(&buf, "a=ice-ufrag:");
    for (int i = 0; i < 257; i++) cn_buf_str(&buf, "x");
    assert_err(cn_sdp_frag_parse(buf.p, buf.n, &frag, NULL), CN_ERR_PARSE);
    cn_buf_free(&buf);
    free(big);
    const cn_sdp_candidate candidate = {"192.0.2.7", 5000, false};
    assert_ok(cn_sdp_frag_write("srvU", "serverpasswordserverpass", "audio", "0", &candidate, 1, &buf));
    assert_string_equal(buf.p, "a=ice-lite\r\na=ice-ufrag:srvU\r\na=ice-pwd:serverpasswordserverpass\r\nm=audio 9 "
                               "UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n"
                               "a=candidate:1 1 udp 2130706431 192.0.2.7 5000 typ host\r\na=end-of-candidates\r\n");
    assert_ok(cn_sdp_frag_parse(buf.p, buf.n, &frag, NULL));
    assert_string_equal(frag.pwd, "serverpasswordserverpass");
    cn_buf_free(&buf);
    assert_err(cn_sdp_frag_write("srv", "serverpasswordserverpass", "audio", "0", &candidate, 1, &buf), CN_ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(real_offers_are_understood),
        cmocka_unit_test(firefox_traps),
        cmocka_unit_test(fid_before_or_after),
        cmocka_unit_test(base_is_read),
        cmocka_unit_test(changed_offers),
        cmocka_unit_test(bounds),
        cmocka_unit_test(levels_and_hashes),
        cmocka_unit_test(h264_profiles),
        cmocka_unit_test(best_codec_is_picked),
        cmocka_unit_test(lines_as_others_write_them),
        cmocka_unit_test(an_extmap_id_of_two_meanings_is_left_out),
        cmocka_unit_test(answers_mirror_offers),
        cmocka_unit_test(ssrc_groups_are_simulcast),
        cmocka_unit_test(answer_to_firefox),
        cmocka_unit_test(answer_to_chromium),
        cmocka_unit_test(a_rejected_section_names_the_transport),
        cmocka_unit_test(red_usedtx_and_level),
        cmocka_unit_test(answers_that_do_not_fit),
        cmocka_unit_test(fragments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
