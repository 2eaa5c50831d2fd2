/* Microphones and cameras that are switched off and on: by their owner, and by those who say who may publish. */
#include "cn_test.h"

#include "support_sfu.h"

static const sfu_shape sender = {.audio = true, .layers = 1, .audio_slots = 3, .video_slots = 2};
static const sfu_shape viewer = {.audio_slots = 3, .video_slots = 2};

static void who_is_muted_is_silent(void **state)
{
    (void)state;
    static sfu server;
    sfu_new(&server, 1, 0);
    sfu_client *anna = sfu_join(&server, "anna", &sender), *eye = sfu_join(&server, "eye", &viewer);
    anna->level = 20;
    sfu_show_one(eye, "anna", 320);
    sfu_hears(&server, eye, anna, true, 10);
    sfu_hears(&server, eye, anna, false, 10);
    cn_media_source_set(server.media, "anna", CN_SOURCE_MIC, false);
    cn_media_source_set(server.media, "anna", CN_SOURCE_CAMERA, false);
    sfu_play(&server, 100);
    size_t before = eye->log_n;
    sfu_play(&server, 300);
    assert_int_equal(sfu_heard(eye, anna, true, before) + sfu_heard(eye, anna, false, before), 0);
    sfu_event event = {0};
    (void)sfu_events(&server, 's', "eye", 0, &event);
    assert_int_equal(event.state, CN_SLOT_OFF);
    cn_media_source_set(server.media, "anna", CN_SOURCE_MIC, true);
    cn_media_source_set(server.media, "anna", CN_SOURCE_CAMERA, true);
    sfu_hears(&server, eye, anna, true, 10);
    sfu_hears(&server, eye, anna, false, 10);
    assert_true(sfu_whole(eye, sfu_slot_ssrc(eye, "v0", NULL), 0) > 20);
    sfu_clean(&server);
    sfu_free(&server);
}

/* However long it was off, and whether the browser's first frames or the word that it is on come first. */
static void a_camera_comes_back_for_everybody(void **state)
{
    (void)state;
    static sfu server;
    sfu_new(&server, 2, 0);
    sfu_client *anna = sfu_join(&server, "anna", &sender), *near = sfu_join(&server, "near", &viewer),
               *far = sfu_join(&server, "far", &viewer);
    sfu_show_one(near, "anna", 640);
    sfu_show_one(far, "anna", 640);
    sfu_hears(&server, near, anna, true, 20);
    sfu_hears(&server, far, anna, true, 20);
    for (unsigned turn = 0; turn < 14; turn++) {
        sfu_play(&server, turn % 3 ? 700 : 1900);
        cn_media_source_set(server.media, "anna", CN_SOURCE_CAMERA, false);
        sfu_play(&server, 20);
        anna->mute = true;
        sfu_play(&server, 250 + 90 * turn);
        if (turn % 2) {
            anna->mute = false;
            sfu_play(&server, 60);
        }
        cn_media_source_set(server.media, "anna", CN_SOURCE_CAMERA, true);
        if (!(turn % 2)) sfu_play(&server, 60);
        anna->mute = false;
        size_t near_from = near->log_n, far_from = far->log_n;
        sfu_play(&server, 1000);
        if (!sfu_heard(near, anna, true, near_from) || !sfu_heard(far, anna, true, far_from))
            fail_msg("turn %u: no picture within a second", turn);
    }
    sfu_clean(&server);
    sfu_free(&server);
}

static void who_may_not_publish_is_off_until_he_may(void **state)
{
    (void)state;
    static sfu server;
    sfu_new(&server, 1, 0);
    sfu_client *anna = sfu_join(&server, "anna", &sender), *eye = sfu_join(&server, "eye", &viewer);
    anna->level = 20;
    sfu_show_one(eye, "anna", 320);
    sfu_hears(&server, eye, anna, true, 15);
    cn_media_permit(server.media, "anna", true, false);
    cn_media_source_set(server.media, "anna", CN_SOURCE_CAMERA, true); /* not hers to switch on */
    sfu_play(&server, 100);
    size_t before = eye->log_n;
    sfu_play(&server, 300);
    assert_int_equal(sfu_heard(eye, anna, true, before), 0);
    assert_true(sfu_heard(eye, anna, false, before) > 5); /* her voice goes on */
    cn_media_permit(server.media, "anna", true, true);
    cn_media_source_set(server.media, "anna", CN_SOURCE_CAMERA, true);
    sfu_hears(&server, eye, anna, true, 15);
    assert_true(sfu_whole(eye, sfu_slot_ssrc(eye, "v0", NULL), 0) > 20);
    sfu_clean(&server);
    sfu_free(&server);
}

/* What is refused says nothing of the camera that another section is. */
static void a_stopped_section_leaves_the_camera_alone(void **state)
{
    (void)state;
    static sfu server;
    static const sfu_shape with_old = {.audio = true, .layers = 1, .stopped = true};
    sfu_new(&server, 1, 0);
    sfu_client *anna = sfu_join(&server, "anna", &with_old), *eye = sfu_join(&server, "eye", &viewer);
    sfu_show_one(eye, "anna", 320);
    sfu_hears(&server, eye, anna, true, 15);
    sfu_clean(&server);
    sfu_free(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_is_muted_is_silent),
        cmocka_unit_test(a_camera_comes_back_for_everybody),
        cmocka_unit_test(who_may_not_publish_is_off_until_he_may),
        cmocka_unit_test(a_stopped_section_leaves_the_camera_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
