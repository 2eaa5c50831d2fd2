/* Receivers on TCP under the whole SFU: what a line that is too slow does to picture and voice. */
#include "cn_test.h"

#include <string.h>

#include "support_sfu.h"

#define VOICE_MS 20

/** How old the newest voice of `from` is at `to`, in ms; it is sent every 20 ms. */
static unsigned voice_lag(const sfu_client *to, const sfu_client *from)
{
    for (size_t i = to->log_n; i-- > 0;) {
        const sfu_packet *packet = &to->log[i];
        if (!packet->video && !packet->probe && packet->stamp.sender == from->index)
            return (from->audio_packets - 1 - packet->stamp.frame) * VOICE_MS;
    }
    return UINT32_MAX;
}

/** Every picture that came is whole, and where pictures are missing a key frame follows. How many gaps there were. */
static unsigned pictures_are_whole(const sfu_client *client, uint32_t ssrc)
{
    const sfu_packet *last = NULL;
    unsigned count = 0, gaps = 0;
    for (size_t i = 0; i < client->log_n; i++) {
        const sfu_packet *packet = &client->log[i];
        if (packet->ssrc != ssrc || packet->probe) continue;
        if (packet->first) {
            if (last && !last->marker)
                fail_msg("frame %u of layer %u breaks off", last->stamp.frame, last->stamp.layer);
            bool next =
                last && packet->stamp.layer == last->stamp.layer && packet->stamp.frame == last->stamp.frame + 1;
            if (!next && !packet->key)
                fail_msg("frame %u of layer %u after a gap", packet->stamp.frame, packet->stamp.layer);
            if (!next && last) gaps++;
            count = 0;
        } else if (!last || packet->stamp.frame != last->stamp.frame || packet->stamp.index != count) {
            fail_msg("packet %u of frame %u is out of place", packet->stamp.index, packet->stamp.frame);
        }
        count++;
        last = packet;
    }
    return gaps;
}

static void a_fast_line_gets_everything(void **state)
{
    (void)state;
    sfu server;
    sfu_new(&server, 1, 0);
    sfu_client *ann = sfu_join(&server, "ann", &(sfu_shape){.audio = true, .layers = 3, .tcp = true});
    sfu_client *bob = sfu_join(&server, "bob", &(sfu_shape){.audio_slots = 1, .video_slots = 1, .tcp = true});
    ann->level = 20;
    sfu_show_one(bob, "ann", 1280);
    sfu_hears(&server, bob, ann, true, 200);
    sfu_hears(&server, bob, ann, false, 50);
    assert_true(pictures_are_whole(bob, sfu_slot_ssrc(bob, "v0", NULL)) <= 2); /* layers on the way up */
    assert_true(sfu_whole(bob, sfu_slot_ssrc(bob, "v0", NULL), 0) >= 200);
    assert_true(sfu_whole(bob, sfu_slot_ssrc(bob, "a0", NULL), 0) >= 50);
    sfu_clean(&server);
    sfu_free(&server);
}

/* The processor may be elsewhere for a moment; under ThreadSanitizer it is for long. */
#ifdef __SANITIZE_THREAD__
#define LATE_LOOKS 22
#else
#define LATE_LOOKS 4
#endif

/** One call over the slow line; NULL, or what was wrong with it. */
static const char *slow_line(void)
{
    sfu server;
    sfu_new(&server, 1, 0);
    sfu_client *ann = sfu_join(&server, "ann", &(sfu_shape){.audio = true, .layers = 3});
    sfu_client *bob =
        sfu_join(&server, "bob", &(sfu_shape){.audio_slots = 1, .video_slots = 1, .tcp = true, .line_bps = 600000});
    ann->level = 20;
    sfu_play(&server, 300);
    sfu_show_one(bob, "ann", 1280); /* wants 1.2 Mbit/s */
    server.stood_ms = 0;
    unsigned worst = 0, late = 0;
    for (unsigned i = 0; i < 50; i++) {
        sfu_play(&server, 100);
        unsigned lag = voice_lag(bob, ann);
        if (i > 5 && lag > 300) late++;
        if (i > 5 && lag > worst) worst = lag;
    }
    size_t heard = sfu_heard(bob, ann, false, 0), whole = sfu_whole(bob, sfu_slot_ssrc(bob, "a0", NULL), 0);
    uint32_t video = sfu_slot_ssrc(bob, "v0", NULL);
    unsigned gaps = pictures_are_whole(bob, video);
    size_t pictures = sfu_whole(bob, video, 0);
    print_message("voice at most %u ms late, over 300 ms in %u of 44 looks; %zu packets of pictures, %u gaps; the "
                  "machine stood still for %u ms\n",
                  worst, late, pictures, gaps, server.stood_ms);
    assert_int_equal(whole, heard); /* none is missing in between */
    bool lasting = heard + 80 > ann->audio_packets;
    sfu_clean(&server);
    sfu_free(&server);
    if (late > LATE_LOOKS) return "the voice is late";
    if (!lasting) return "the voice ends";
    return pictures > 60 ? NULL : "there is no picture";
}

/* Loopback has no slow line: a reader with a small buffer stands for one. Now and then its window closes to nothing, and the
 * kernel asks again only when its persist timer has run, 200 ms and more later (RFC 9293 §3.8.6.1). No line does that thrice. */
#define ATTEMPTS 3

static void a_slow_line_keeps_the_voice(void **state)
{
    (void)state;
    const char *wrong = NULL;
    for (unsigned i = 0; i < ATTEMPTS; i++)
        if (!(wrong = slow_line())) return;
    fail_msg("%s", wrong);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fast_line_gets_everything),
        cmocka_unit_test(a_slow_line_keeps_the_voice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
