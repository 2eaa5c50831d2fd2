/* A consultation begins by who is in its room, not by who looks at his camera. */
#include "support_story.h"

#include "consult/report/report.h"
#include "consult/request/begin.h"
#include "consult/room/room.h"

#define MIN INT64_C(60000)
#define PLAN INT64_C(1795312800000)

static const cn_present nobody = {.referrer = false}, referrer = {.referrer = true}, expert = {.expert = true},
                        both = {.referrer = true, .expert = true};

static void who_is_there_and_when(void **state)
{
    static const struct {
        const cn_present *here;
        int64_t at;     /* minutes from the planned time */
        int64_t absent; /* "did not come" was said; 0: never */
        bool begins;
    } rows[] = {
        {&nobody, 0, 0, false},       {&both, -1440, 0, true},    {&both, 0, 0, true},        {&both, 1440, 0, true},
        {&referrer, -1440, 0, false}, {&expert, -1440, 0, false}, {&referrer, -16, 0, false}, {&referrer, -15, 0, true},
        {&expert, -15, 0, true},      {&expert, 0, 0, true},      {&referrer, 29, 0, true},   {&referrer, 30, 0, false},
        {&expert, 600, 0, false},     {&expert, 10, 5, false},    {&both, 10, 5, true},       {&expert, 10, -600, true},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const cn_appointment plan = {
            .at_ms = PLAN, .minutes = 30, .absent_ms = rows[i].absent ? PLAN + rows[i].absent * MIN : 0};
        if (cn_begins(rows[i].here, &plan, PLAN + rows[i].at * MIN) != rows[i].begins)
            fail_msg("row %zu: referrer %d, expert %d, %lld minutes from the plan", i, rows[i].here->referrer,
                     rows[i].here->expert, (long long)rows[i].at);
    }
    const cn_appointment no_time = {.at_ms = 0};
    assert_false(cn_begins(&expert, &no_time, PLAN));
    assert_true(cn_begins(&both, &no_time, PLAN));
}

static int64_t planned(platform *rig)
{
    return platform_int(rig, "SELECT scheduled_ms FROM requests");
}

static bool begin(platform *rig, const cn_actor *actor, const char *id, const cn_present *here, int64_t now)
{
    bool scheduled = true;
    assert_ok(cn_request_begin(rig->c, actor, id, here, now, &scheduled));
    assert_int_equal(scheduled, request_state(rig, id) == CN_STATE_SCHEDULED);
    return request_state(rig, id) == CN_STATE_IN_SESSION;
}

static void test_trying_the_devices_begins_nothing(void **state)
{
    platform rig;
    char id[CN_ID_TEXT], room[CN_ID_TEXT];
    cn_problem problem = {.err = CN_OK};
    platform_open(&rig, state);
    request_new(&rig, false, "李明", id);
    request_until(&rig, id, CN_STATE_SCHEDULED);
    assert_ok(cn_request_room(rig.c, &rig.referrer, id, room, &problem));
    assert_ok(cn_request_room(rig.c, &rig.lead, id, room, &problem));
    assert_int_equal(request_state(&rig, id), CN_STATE_SCHEDULED);
    assert_false(begin(&rig, &rig.referrer, id, &referrer, planned(&rig) - 24 * 60 * MIN));
    assert_true(request_offers(&rig, &rig.admin, id, "reschedule"));
    assert_false(request_offers(&rig, &rig.referrer, id, "begin"));
    assert_err(request_do(&rig, &rig.referrer, id, "begin", ""), CN_ERR_NOTFOUND);
    unsigned told = rig.changes;
    assert_true(begin(&rig, &rig.referrer, id, &referrer, planned(&rig) - 10 * MIN));
    assert_int_equal(rig.changes, told + 1);
    assert_true(begin(&rig, &rig.lead, id, &both, planned(&rig))); /* it has begun: nothing happens any more */
    assert_int_equal(rig.changes, told + 1);
    assert_int_equal(platform_int(&rig, "SELECT COUNT(*) FROM request_history WHERE action = 'begin'"), 1);
    /* who is still there alone does not begin it again */
    assert_ok(request_do(&rig, &rig.lead, id, "no_show", ""));
    int64_t now = cn_wall_ms();
    char sql[120];
    snprintf(sql, sizeof sql, "UPDATE requests SET scheduled_ms = %lld", (long long)now);
    platform_sql(&rig, sql);
    assert_false(begin(&rig, &rig.lead, id, &expert, now + MIN));
    assert_true(begin(&rig, &rig.lead, id, &both, now + MIN));
    /* whoever has no side in it begins nothing, though he is in the room */
    request_new(&rig, true, "王芳", id);
    request_until(&rig, id, CN_STATE_SCHEDULED);
    bool scheduled = true;
    assert_err(cn_request_begin(rig.c, &rig.admin, id, &both, now, &scheduled), CN_ERR_FORBIDDEN);
    assert_int_equal(request_state(&rig, id), CN_STATE_SCHEDULED);
    assert_true(begin(&rig, &rig.second, id, &both, now)); /* an urgent one that was scheduled, too */
    platform_close(&rig);
}

static void sign(platform *rig, const char *id)
{
    CN_AUTO_JSON json_t *body = json_of("{'findings': '所见', 'conclusion': '结论', 'advice': '', 'revision': 0}");
    cn_problem problem = {.err = CN_OK};
    int64_t revision = 0;
    assert_ok(cn_report_draft(rig->c, &rig->lead, id, body, &revision, &problem));
    assert_ok(cn_report_sign(rig->c, &rig->lead, id, NULL, NULL, &problem));
}

static void test_signing_closes_no_door_and_finishing_does(void **state)
{
    platform rig;
    char id[CN_ID_TEXT], room[CN_ID_TEXT], again[CN_ID_TEXT];
    cn_problem problem = {.err = CN_OK};
    platform_open(&rig, state);
    request_new(&rig, false, "李明", id);
    request_until(&rig, id, CN_STATE_IN_SESSION);
    assert_ok(cn_request_room(rig.c, &rig.lead, id, room, &problem));
    sign(&rig, id);
    assert_int_equal(request_state(&rig, id), CN_STATE_REPORTED);
    const cn_actor *all[] = {&rig.referrer, &rig.lead, &rig.second, &rig.admin};
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        assert_true(request_offers(&rig, all[i], id, "room"));
        assert_ok(cn_request_room(rig.c, all[i], id, again, &problem));
        assert_string_equal(room, again);
    }
    assert_true(request_offers(&rig, &rig.lead, id, "finish"));
    assert_false(request_offers(&rig, &rig.second, id, "finish"));
    unsigned ended = rig.ends;
    assert_ok(request_do(&rig, &rig.lead, id, "finish", ""));
    assert_int_equal(rig.ends, ended + 1);
    assert_string_equal(rig.last_end, "finished");
    assert_int_equal(request_state(&rig, id), CN_STATE_REPORTED);
    assert_false(request_offers(&rig, &rig.lead, id, "finish"));
    assert_err(request_do(&rig, &rig.lead, id, "finish", ""), CN_ERR_STATE);
    assert_int_equal(rig.ends, ended + 1);
    for (size_t i = 0; i < COUNT_OF(all); i++) {
        assert_false(request_offers(&rig, all[i], id, "room"));
        assert_err(cn_request_room(rig.c, all[i], id, again, &problem), CN_ERR_STATE);
    }
    platform_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_is_there_and_when),
        CN_DB_TESTS(test_trying_the_devices_begins_nothing),
        CN_DB_TESTS(test_signing_closes_no_door_and_finishing_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
