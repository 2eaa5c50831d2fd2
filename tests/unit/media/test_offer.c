#include "cn_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "media/media.h"
#include "support_sdp.h"

#define SESSION                                                                                                     \
    "v=0\r\na=group:BUNDLE 0 1 2 4\r\na=ice-ufrag:sess\r\na=ice-pwd:sessionsessionsession12\r\na=setup:actpass\r\n" \
    "a=fingerprint:sha-256 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:"                                        \
    "10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F\r\n"
#define VIDEO " UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 VP8/90000\r\na=rtcp-mux\r\n"

static void reads_what_an_offer_sends(void **state)
{
    (void)state;
    static const char sdp[] =
        SESSION "m=audio 9 UDP/TLS/RTP/SAVPF 0 8\r\na=rtcp-mux\r\na=mid:0\r\na=sendonly\r\n"
                "m=video 9" VIDEO "a=mid:1\r\na=sendonly\r\na=rid:h send\r\na=rid:l send\r\na=rid:x recv\r\n"
                "m=video 9" VIDEO "a=mid:2\r\na=recvonly\r\n"
                "m=video 0" VIDEO "a=mid:3\r\na=sendonly\r\n"
                "m=video 0" VIDEO "a=bundle-only\r\na=mid:4\r\na=sendonly\r\n"; /* Firefox */
    static cn_offer_look look;
    const cn_offer_section *section = look.sections;
    cn_media_offer_look(sdp, &look);
    assert_int_equal(look.count, 5);
    assert_true(section[0].sends && !section[0].video);
    assert_true(section[1].sends && section[1].video);
    assert_int_equal(section[1].rids, 2);
    assert_string_equal(section[2].mid, "2");
    assert_false(section[2].sends);
    assert_false(section[3].sends);
    assert_true(section[4].sends);
}

/* A direction may stand at session level, and a single section needs no mid. */
static void reads_a_single_section(void **state)
{
    (void)state;
    static const struct {
        const char *direction;
        bool sends;
    } rows[] = {{"", true}, {"a=sendonly\r\n", true}, {"a=recvonly\r\n", false}, {"a=inactive\r\n", false}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int session = 0; session < 2; session++) {
            char sdp[1024];
            (void)snprintf(sdp, sizeof sdp, "%s%sm=video 9" VIDEO "%s",
                           "v=0\r\na=ice-ufrag:sess\r\na=ice-pwd:sessionsessionsession12\r\n"
                           "a=fingerprint:sha-256 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F:"
                           "10:11:12:13:14:15:16:17:18:19:1A:1B:1C:1D:1E:1F\r\n",
                           session ? rows[i].direction : "", session ? "" : rows[i].direction);
            static cn_offer_look look;
            cn_media_offer_look(sdp, &look);
            assert_int_equal(look.count, 1);
            assert_true(look.sections[0].video);
            assert_int_equal(look.sections[0].sends, rows[i].sends);
            assert_string_equal(look.sections[0].mid, "");
        }
}

/* What cannot be answered publishes nothing. */
static void reads_nothing_else(void **state)
{
    (void)state;
    static const char *const rows[] = {"", SESSION, "v=0\r\nm=video 9" VIDEO "a=sendonly\r\n"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        static cn_offer_look look;
        look.count = 1;
        cn_media_offer_look(rows[i], &look);
        assert_int_equal(look.count, 0);
    }
}

/* Captured offers: 1 microphone and 1 camera, the rest are slots. */
static void reads_what_clients_offer(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        size_t sections;
        unsigned rids;
    } rows[] = {
        {"chromium-full.sdp", 37, 3}, {"chromium-phone.sdp", 11, 2}, {"chromium-whip.sdp", 2, 0},
        {"firefox-full.sdp", 37, 3},  {"firefox-phone.sdp", 11, 2},  {"firefox-whip.sdp", 2, 0},
        {"gst-full.sdp", 37, 0},      {"gst-phone.sdp", 11, 0},      {"gst-whip.sdp", 2, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t len, sends[2] = {0, 0};
        char *sdp = support_sdp_read(rows[i].file, &len);
        static cn_offer_look look;
        cn_media_offer_look(sdp, &look);
        free(sdp);
        assert_int_equal(look.count, rows[i].sections);
        for (size_t k = 0; k < look.count; k++) {
            const cn_offer_section *section = &look.sections[k];
            if (section->sends) sends[section->video]++;
            assert_int_equal(section->rids, section->sends && section->video ? rows[i].rids : 0);
        }
        assert_int_equal(sends[0], 1);
        assert_int_equal(sends[1], 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_an_offer_sends),
        cmocka_unit_test(reads_a_single_section),
        cmocka_unit_test(reads_nothing_else),
        cmocka_unit_test(reads_what_clients_offer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
