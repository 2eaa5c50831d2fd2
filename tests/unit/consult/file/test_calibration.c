/* A slide's scale as somebody measured it: kept for everybody who sees the slide, by whom and when, and by nobody else. */
#include "support_story.h"

#include "consult/file/calibration.h"

static const char slide[] = "01HQ3N5V7XKJ8Z2W4Y6A9B0SD1";

/* The request's only file becomes a slide. */
static void add_slide(platform *rig, const char *request)
{
    char sql[256];
    cn_fmt(sql, sizeof(sql), "UPDATE files SET id = '%s', kind = 'slide' WHERE request_id = '%s'", slide, request);
    platform_sql(rig, sql);
}

static cn_err set(platform *rig, const cn_actor *actor, const char *text, json_t **out)
{
    cn_problem problem = {.err = CN_OK};
    json_t *body = json_of(text);
    cn_err err = cn_calibration_set(rig->c, actor, slide, body, out, &problem);
    json_decref(body);
    return err;
}

static double mpp_of(json_t *json)
{
    double mpp = json_real_value(json_object_get(json, "mpp"));
    json_decref(json);
    return mpp;
}

static void test_a_known_length_says_the_scale(void **state)
{
    platform rig;
    char request[CN_ID_TEXT];
    json_t *json = NULL;
    cn_problem problem = {.err = CN_OK};
    platform_open(&rig, state);
    request_new(&rig, false, "李明", request);
    request_until(&rig, request, CN_STATE_SCHEDULED);
    add_slide(&rig, request);
    assert_ok(cn_calibration_get(rig.c, &rig.lead, slide, &json));
    assert_true(json_is_null(json));
    int64_t before = cn_wall_ms();
    assert_ok(set(&rig, &rig.lead, "{'pixels': 4000, 'microns': 1000}", &json));
    assert_true(json_integer_value(json_object_get(json, "at")) >= before);
    assert_true(json_string_length(json_object_get(json, "by")) > 0);
    assert_float_equal(mpp_of(json), 0.25, 1e-9);
    /* everybody who sees the slide sees it; a later measure takes its place */
    assert_ok(set(&rig, &rig.referrer, "{'pixels': 2000, 'microns': 1000}", &json));
    json_decref(json);
    assert_ok(cn_calibration_get(rig.c, &rig.second, slide, &json));
    assert_float_equal(mpp_of(json), 0.5, 1e-9);
    assert_ok(cn_calibration_remove(rig.c, &rig.lead, slide, &problem));
    assert_ok(cn_calibration_get(rig.c, &rig.lead, slide, &json));
    assert_true(json_is_null(json));
    assert_int_equal(platform_int(&rig, "SELECT COUNT(*) FROM audit_log WHERE action = 'slide.calibrate'"), 3);
    platform_close(&rig);
}

static void test_what_is_no_scale_is_refused(void **state)
{
    static const char *const texts[] = {
        "{'pixels': 4000}",
        "{'pixels': 0, 'microns': 1000}",
        "{'pixels': -5, 'microns': 1000}",
        "{'pixels': 4000, 'microns': 0}",
        "{'pixels': 4000, 'microns': 500000}",
        "{'pixels': 1e9, 'microns': 1000}",
        "{'pixels': '4000', 'microns': 1000}",
    };
    platform rig;
    char request[CN_ID_TEXT];
    json_t *json = NULL;
    platform_open(&rig, state);
    request_new(&rig, false, "李明", request);
    request_until(&rig, request, CN_STATE_SCHEDULED);
    add_slide(&rig, request);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_err(set(&rig, &rig.lead, texts[i], &json), CN_ERR_INVALID);
    assert_int_equal(platform_int(&rig, "SELECT COUNT(*) FROM slide_calibrations"), 0);
    platform_close(&rig);
}

static void test_who_may_calibrate(void **state)
{
    static const char text[] = "{'pixels': 4000, 'microns': 1000}";
    platform rig;
    char request[CN_ID_TEXT];
    json_t *json = NULL;
    cn_problem problem = {.err = CN_OK};
    platform_open(&rig, state);
    request_new(&rig, false, "李明", request);
    request_until(&rig, request, CN_STATE_SCHEDULED);
    add_slide(&rig, request);
    assert_err(set(&rig, &rig.third, text, &json), CN_ERR_NOTFOUND);
    assert_err(cn_calibration_get(rig.c, &rig.third, slide, &json), CN_ERR_NOTFOUND);
    assert_err(set(&rig, &rig.nobody, text, &json), CN_ERR_NOTFOUND);
    assert_err(set(&rig, &rig.reader, text, &json), CN_ERR_FORBIDDEN);
    assert_err(cn_calibration_remove(rig.c, &rig.reader, slide, &problem), CN_ERR_FORBIDDEN);
    assert_ok(set(&rig, &rig.lead, text, &json));
    json_decref(json);
    /* what the report says was measured stays as it was measured */
    platform_sql(&rig, "UPDATE requests SET state = 'REPORTED'");
    assert_err(set(&rig, &rig.lead, text, &json), CN_ERR_STATE);
    assert_ok(cn_calibration_get(rig.c, &rig.referrer, slide, &json));
    assert_float_equal(mpp_of(json), 0.25, 1e-9);
    platform_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CN_DB_TESTS(test_a_known_length_says_the_scale),
        CN_DB_TESTS(test_what_is_no_scale_is_refused),
        CN_DB_TESTS(test_who_may_calibrate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
