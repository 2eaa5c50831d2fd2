/* The administrator's minutes: what the ledger holds, summed exactly. */
#include "support_story.h"

#include "consult/minutes/meter.h"
#include "consult/minutes/minutes.h"
#include "consult/room/room.h"

#define MINUTE 60000
#define QUOTA 360000
#define SD (640 * 360)

static int64_t november(void)
{
    int64_t from = 0, to = 0;
    assert_true(cn_month_bounds("2026-11", 480, &from, &to));
    return from;
}

static void add(platform *rig, const char *room, const cn_actor *who, int64_t start, int64_t ms, int64_t sum,
                int64_t largest)
{
    const cn_ledger_row row = {.room = room,
                               .request = "",
                               .participant = "p1",
                               .user = who ? who->user : "",
                               .hospital = who ? who->hospital : "",
                               .kind = who ? "person" : "bot",
                               .start_ms = start,
                               .duration_ms = ms,
                               .area_sum = sum,
                               .area_max = largest,
                               .tier_aggregate = cn_meter_tier(sum),
                               .tier_max = cn_meter_tier(largest),
                               .rule_version = CN_METER_RULE_VERSION,
                               .end_cause = "leave"};
    assert_ok(cn_chain_ledger(rig->c->ledger, &row, 1));
}

static json_t *month(platform *rig, const char *by, const char *rule)
{
    json_t *out = NULL;
    cn_problem problem = {0};
    assert_ok(cn_minutes_month(rig->c, &rig->admin, "2026-11", by, QUOTA, rule, &out, &problem));
    return out;
}

static int64_t number(const json_t *object, const char *key)
{
    assert_true(json_is_integer(json_object_get(object, key)));
    return json_integer_value(json_object_get(object, key));
}

static const char *text(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static const json_t *item(const json_t *object, const char *list, size_t index)
{
    return json_array_get(json_object_get(object, list), index);
}

static void test_sums_are_rounded_once(void **state)
{
    platform rig;
    platform_open(&rig, state);
    platform_sql(&rig, "INSERT INTO rooms (id, request_id, title, opened_ms, closed_ms) VALUES ('r1', '', 'C1', 1, 0)");
    int64_t t = november() + 3 * INT64_C(86400000);
    /* 59 s voice and 61 s HD in pieces, by two people in two rooms: 1 + 8 */
    for (int i = 0; i < 59; i++) add(&rig, "r1", &rig.lead, t + i * 1000, 1000, 0, 0);
    add(&rig, "r1", &rig.lead, t + 60000, 31000, 1280 * 720, 1280 * 720);
    add(&rig, "r2", &rig.referrer, t, 30000, 921600, 921600);
    CN_AUTO_JSON json_t *object = month(&rig, "room", "aggregate");
    assert_string_equal(text(object, "month"), "2026-11");
    assert_int_equal(number(object, "total"), 9);
    assert_int_equal(number(object, "quota"), QUOTA);
    assert_int_equal(number(item(object, "tiers", 0), "minutes"), 1);
    assert_int_equal(number(item(object, "tiers", 0), "ms"), 59000);
    assert_int_equal(number(item(object, "tiers", 2), "weighted"), 8);
    assert_string_equal(text(item(object, "tiers", 2), "tier"), "hd");
    assert_int_equal(json_array_size(json_object_get(object, "tiers")), 6);
    /* 59 + 124 and 120 weighted seconds of 303: 5.44 and 3.56 */
    assert_int_equal(json_array_size(json_object_get(object, "items")), 2);
    assert_string_equal(text(item(object, "items", 0), "name"), "C1");
    assert_int_equal(number(item(object, "items", 0), "weighted"), 5);
    assert_string_equal(text(item(object, "items", 1), "id"), "r2");
    assert_string_equal(text(item(object, "items", 1), "name"), "");
    assert_int_equal(number(item(object, "items", 1), "weighted"), 4);
    /* what every item's segments add up to, whatever the month's rounding gives or takes */
    assert_int_equal(number(item(object, "items", 0), "weighted_ms"), 183000);
    assert_int_equal(number(item(object, "items", 1), "weighted_ms"), 120000);
    const json_t *ms = json_object_get(item(object, "items", 0), "ms");
    assert_int_equal(json_integer_value(json_array_get(ms, 0)), 59000);
    assert_int_equal(json_integer_value(json_array_get(ms, 2)), 31000);
    platform_close(&rig);
}

static void test_by_user_and_hospital(void **state)
{
    platform rig;
    platform_open(&rig, state);
    int64_t t = november();
    add(&rig, "r1", &rig.lead, t, 30 * MINUTE, SD, SD);
    add(&rig, "r1", &rig.referrer, t, 30 * MINUTE, 1280 * 720, 1280 * 720);
    add(&rig, "r1", NULL, t, 10 * MINUTE, 0, 0); /* a recorder counts */
    CN_AUTO_JSON json_t *json = month(&rig, "user", "aggregate");
    assert_int_equal(number(json, "total"), 190);
    assert_int_equal(json_array_size(json_object_get(json, "items")), 3);
    assert_string_equal(text(item(json, "items", 0), "name"), "Dr referrer1");
    assert_int_equal(number(item(json, "items", 0), "weighted"), 120);
    assert_string_equal(text(item(json, "items", 1), "id"), rig.lead.user);
    assert_int_equal(number(item(json, "items", 1), "weighted"), 60);
    assert_string_equal(text(item(json, "items", 2), "id"), "");
    CN_AUTO_JSON json_t *object = month(&rig, "hospital", "aggregate");
    assert_string_equal(text(item(object, "items", 0), "name"), "County hospital");
    assert_int_equal(number(item(object, "items", 0), "weighted"), 180);
    platform_close(&rig);
}

static void test_rules_and_bounds(void **state)
{
    platform rig;
    platform_open(&rig, state);
    int64_t t = november(), december = cn_month_end(t, 480);
    add(&rig, "r1", &rig.lead, t - 1, 1, SD, SD); /* October's last millisecond */
    add(&rig, "r1", &rig.lead, t, 60 * MINUTE, 29 * SD, SD);
    add(&rig, "r1", &rig.lead, december - 1, 1, 0, 0);
    add(&rig, "r1", &rig.lead, december, 60 * MINUTE, SD, SD);
    CN_AUTO_JSON json_t *sum = month(&rig, "user", "aggregate");
    assert_int_equal(number(sum, "total"), 60 * 36 + 1);
    CN_AUTO_JSON json_t *largest = month(&rig, "user", "max_tier");
    assert_int_equal(number(largest, "total"), 60 * 2 + 1);
    assert_string_equal(text(largest, "rule"), "max_tier");
    json_t *none = NULL;
    cn_problem problem = {0};
    assert_ok(cn_minutes_month(rig.c, &rig.admin, "2027-02", "room", QUOTA, "aggregate", &none, &problem));
    assert_int_equal(number(none, "total"), 0);
    assert_int_equal(json_array_size(json_object_get(none, "items")), 0);
    assert_int_equal(json_array_size(json_object_get(none, "days")), 28);
    json_decref(none);
    platform_close(&rig);
}

static void test_days(void **state)
{
    platform rig;
    platform_open(&rig, state);
    int64_t t = november();
    add(&rig, "r1", &rig.lead, t, 1000, 0, 0);
    add(&rig, "r1", &rig.lead, t + 86400000 - 3000, 10000, SD, SD);                         /* over one midnight */
    add(&rig, "r1", &rig.lead, t + 5 * INT64_C(86400000) + 1, 2 * INT64_C(86400000), 0, 0); /* over two */
    add(&rig, "r1", &rig.lead, t + 10 * INT64_C(86400000), 86400000, 0, 0);                 /* a whole day, none over */
    CN_AUTO_JSON json_t *object = month(&rig, "room", "aggregate");
    static const int64_t expected[12] = {1000 + 6000, 14000, 0, 0, 0, 86399999, 86400000, 1, 0, 0, 86400000, 0};
    assert_int_equal(json_array_size(json_object_get(object, "days")), 30);
    for (size_t i = 0; i < COUNT_OF(expected); i++)
        assert_int_equal(number(item(object, "days", i), "weighted_ms"), expected[i]);
    /* as the rooms' and everybody's: the days sum to the total */
    int64_t sum = 0;
    for (size_t i = 0; i < 30; i++) sum += number(item(object, "days", i), "weighted");
    assert_int_equal(sum, number(object, "total"));
    assert_string_equal(text(item(object, "days", 0), "day"), "2026-11-01");
    assert_string_equal(text(item(object, "days", 29), "day"), "2026-11-30");
    platform_close(&rig);
}

static void test_segments(void **state)
{
    platform rig;
    platform_open(&rig, state);
    platform_sql(&rig, "INSERT INTO rooms (id, request_id, title, opened_ms, closed_ms) VALUES ('r1', '', 'C1', 1, 0)");
    int64_t t = november();
    for (int i = 0; i < 5; i++) add(&rig, i % 2 ? "r2" : "r1", i < 3 ? &rig.lead : &rig.referrer, t + i, 1000, SD, SD);
    json_t *out = NULL;
    cn_problem problem = {0};
    cn_segment_filter filter = {.month = "2026-11", .page = 1, .size = 2};
    assert_ok(cn_minutes_segments(rig.c, &rig.admin, &filter, &out, &problem));
    assert_int_equal(number(out, "total"), 5);
    assert_int_equal(json_array_size(json_object_get(out, "items")), 2);
    const json_t *object = item(out, "items", 0);
    assert_string_equal(text(object, "room"), "r1");
    assert_string_equal(text(object, "title"), "C1");
    assert_string_equal(text(object, "name"), "Dr expert1");
    assert_string_equal(text(object, "kind"), "person");
    assert_string_equal(text(object, "end_cause"), "leave");
    assert_int_equal(number(object, "start"), t);
    assert_int_equal(number(object, "ms"), 1000);
    assert_int_equal(number(object, "weighted_ms"), 2000);
    assert_int_equal(number(object, "tier_aggregate"), 1);
    json_decref(out);
    filter = (cn_segment_filter){.month = "2026-11", .room = "r1", .user = rig.referrer.user, .page = 1, .size = 200};
    assert_ok(cn_minutes_segments(rig.c, &rig.admin, &filter, &out, &problem));
    assert_int_equal(number(out, "total"), 1);
    assert_int_equal(number(item(out, "items", 0), "start"), t + 4);
    json_decref(out);
    filter = (cn_segment_filter){.month = "2026-11", .page = 3, .size = 2};
    assert_ok(cn_minutes_segments(rig.c, &rig.admin, &filter, &out, &problem));
    assert_int_equal(json_array_size(json_object_get(out, "items")), 1);
    json_decref(out);
    platform_close(&rig);
}

/* What is in the audit log of a room marks the segments that it concerns, and the ledger's rows stay as they are. */
static void test_doubted_sizes(void **state)
{
    platform rig;
    platform_open(&rig, state);
    const int64_t t = november(), claim = t + 2 * 3600000;
    static const struct {
        const char *room;
        int64_t after_ms;
        bool doubted;
    } cases[] = {{"r1", -120000, false}, {"r1", -30000, true}, {"r1", 0, true},
                 {"r1", 600000, true},   {"r2", 0, false},     {"r1", 3600001, false}};
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        add(&rig, cases[i].room, &rig.lead, claim + cases[i].after_ms, MINUTE, SD, SD);
    char sql[240];
    cn_fmt(sql, sizeof sql,
           "INSERT INTO audit_log (node, boot, counter, at_ms, actor, action, object, outcome, address, detail, link) "
           "VALUES ('n', 'b', 1, %lld, '', 'room.size', 'room:r1', 'failed', '', '{}', 'x')",
           (long long)claim);
    platform_sql(&rig, sql);
    json_t *out = NULL;
    cn_problem problem = {0};
    cn_segment_filter filter = {.month = "2026-11", .page = 1, .size = 200};
    assert_ok(cn_minutes_segments(rig.c, &rig.admin, &filter, &out, &problem));
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        bool found = false;
        for (size_t k = 0; k < COUNT_OF(cases); k++) {
            const json_t *row = item(out, "items", k);
            if (number(row, "start") != claim + cases[i].after_ms || strcmp(text(row, "room"), cases[i].room) != 0)
                continue;
            found = true;
            assert_int_equal(json_is_true(json_object_get(row, "doubted")), cases[i].doubted);
        }
        assert_true(found);
    }
    json_decref(out);
    platform_close(&rig);
}

static void test_refusals(void **state)
{
    platform rig;
    platform_open(&rig, state);
    json_t *out = NULL;
    cn_problem problem = {0};
    assert_err(cn_minutes_month(rig.c, &rig.lead, "2026-11", "room", QUOTA, "aggregate", &out, &problem),
               CN_ERR_FORBIDDEN);
    assert_err(cn_minutes_month(rig.c, &rig.admin, "2026-13", "room", QUOTA, "aggregate", &out, &problem),
               CN_ERR_INVALID);
    assert_string_equal(problem.field, "month");
    assert_err(cn_minutes_month(rig.c, &rig.admin, "2026-11", "room_id; --", QUOTA, "aggregate", &out, &problem),
               CN_ERR_INVALID);
    assert_string_equal(problem.field, "by");
    assert_err(cn_minutes_month(rig.c, &rig.admin, "2026-11", "room", QUOTA, "x", &out, &problem), CN_ERR_INVALID);
    cn_segment_filter filter = {.month = "2026-11", .page = 1, .size = 201};
    assert_err(cn_minutes_segments(rig.c, &rig.admin, &filter, &out, &problem), CN_ERR_INVALID);
    filter = (cn_segment_filter){.month = "2026-11", .page = 0, .size = 10};
    assert_err(cn_minutes_segments(rig.c, &rig.admin, &filter, &out, &problem), CN_ERR_INVALID);
    filter.page = 1;
    assert_err(cn_minutes_segments(rig.c, &rig.referrer, &filter, &out, &problem), CN_ERR_FORBIDDEN);
    assert_null(out);
    assert_int_equal(platform_int(&rig, "SELECT COUNT(*) FROM audit_log WHERE action = 'minutes.read' AND outcome = "
                                        "'denied'"),
                     2);
    platform_close(&rig);
}

static void test_looks_at_rooms(void **state)
{
    platform rig;
    platform_open(&rig, state);
    cn_actor config = rig.admin;
    config.rights = cn_role_rights("config_admin");
    assert_err(cn_room_watch(rig.c, &rig.admin, "rooms", true, NULL), CN_OK);
    assert_err(cn_room_watch(rig.c, &rig.admin, "rooms", false, NULL), CN_OK);
    assert_err(cn_room_watch(rig.c, &config, "room:x", true, NULL), CN_OK);
    assert_err(cn_room_watch(rig.c, &rig.lead, "room:x", false, NULL), CN_ERR_FORBIDDEN);
    assert_err(cn_room_watch(rig.c, &rig.referrer, "room:x", true, NULL), CN_ERR_FORBIDDEN);
    assert_int_equal(
        platform_int(&rig, "SELECT COUNT(*) FROM audit_log WHERE action = 'quality.read' AND outcome = 'ok'"), 2);
    assert_int_equal(
        platform_int(&rig, "SELECT COUNT(*) FROM audit_log WHERE action = 'quality.read' AND outcome = 'denied'"), 2);
    platform_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CN_DB_TESTS(test_sums_are_rounded_once),
        CN_DB_TESTS(test_by_user_and_hospital),
        CN_DB_TESTS(test_rules_and_bounds),
        CN_DB_TESTS(test_days),
        CN_DB_TESTS(test_segments),
        CN_DB_TESTS(test_doubted_sizes),
        CN_DB_TESTS(test_refusals),
        CN_DB_TESTS(test_looks_at_rooms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
