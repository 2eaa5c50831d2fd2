/* What waits for whom, what is when, what the list filters and sorts by; who is booked twice, and other experts. */
#include "support_story.h"

#include "consult/people/manage.h"
#include "consult/request/query.h"

#define HOUR 3600000LL
#define DAY (24 * HOUR)

static void put(platform *rig, const char *id, const char *what)
{
    char sql[300];
    snprintf(sql, sizeof sql, "UPDATE requests SET %s WHERE id = '%s'", what, id);
    platform_sql(rig, sql);
}

static void put_time(platform *rig, const char *id, int64_t at)
{
    char what[80];
    snprintf(what, sizeof what, "scheduled_ms = %lld, scheduled_minutes = 30", (long long)at);
    put(rig, id, what);
}

static json_t *desk_of(platform *rig, const cn_actor *actor, int64_t from, int64_t to)
{
    cn_problem problem = {.err = CN_OK};
    json_t *out = NULL;
    assert_ok(cn_request_desk(rig->c, actor, from, to, &out, &problem));
    return out;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

/* The word that stands beside the request on the actor's desk; "" when it is not there. */
static const char *waits(const json_t *desk, const char *id)
{
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(desk, "mine"), i, row)
    {
        if (strcmp(text_of(row, "id"), id) == 0) return text_of(row, "todo");
    }
    return "";
}

static void assert_waits(platform *rig, const cn_actor *actor, const char *id, const char *word)
{
    int64_t now = cn_wall_ms();
    CN_AUTO_JSON json_t *desk = desk_of(rig, actor, now - DAY, now + DAY);
    if (strcmp(waits(desk, id), word) != 0) fail_msg("\"%s\" waits, not \"%s\"", waits(desk, id), word);
}

static void test_what_waits_for_whom(void **state)
{
    platform rig;
    char id[CN_ID_TEXT], urgent[CN_ID_TEXT];
    platform_open(&rig, state);
    request_new(&rig, true, "王芳", urgent);
    request_new(&rig, false, "李明", id);
    assert_waits(&rig, &rig.referrer, id, "fill");
    assert_waits(&rig, &rig.colleague, id, "");
    assert_waits(&rig, &rig.third, urgent, "accept");
    assert_waits(&rig, &rig.admin, urgent, "assign");
    assert_waits(&rig, &rig.admin, id, "");
    request_until(&rig, id, CN_STATE_PENDING_REVIEW);
    assert_waits(&rig, &rig.referrer, id, "");
    assert_waits(&rig, &rig.admin, id, "review");
    assert_waits(&rig, &rig.reader, id, "");
    assert_ok(request_do(&rig, &rig.admin, id, "return", "{'reason': '请补充切片'}"));
    assert_waits(&rig, &rig.referrer, id, "mend");
    request_until(&rig, id, CN_STATE_SCHEDULED);
    assert_waits(&rig, &rig.admin, id, "");
    put_time(&rig, id, cn_wall_ms() - HOUR);
    assert_waits(&rig, &rig.admin, id, "overdue");
    put(&rig, id, "state = 'IN_SESSION'");
    assert_waits(&rig, &rig.referrer, id, "enter");
    assert_waits(&rig, &rig.second, id, "enter");
    assert_waits(&rig, &rig.third, id, "");
    put(&rig, id, "state = 'AWAITING_REPORT'");
    assert_waits(&rig, &rig.lead, id, "write");
    assert_waits(&rig, &rig.second, id, "");
    put(&rig, id, "state = 'REPORTED'");
    assert_waits(&rig, &rig.referrer, id, "record");
    put(&rig, id, "record = '会诊记录'");
    assert_waits(&rig, &rig.referrer, id, "close");
    /* an amendment goes before all else, and comes back to who had closed it */
    put(&rig, id, "report_unread = 2");
    assert_waits(&rig, &rig.referrer, id, "read");
    assert_waits(&rig, &rig.lead, id, "");
    put(&rig, id, "state = 'CLOSED'");
    assert_waits(&rig, &rig.referrer, id, "read");
    assert_waits(&rig, &rig.admin, id, "");
    put(&rig, id, "report_unread = 0");
    assert_waits(&rig, &rig.referrer, id, "");
    platform_close(&rig);
}

static void set_active(platform *rig, const cn_actor *who, int on)
{
    char sql[120];
    snprintf(sql, sizeof sql, "UPDATE users SET active = %d WHERE id = '%s'", on, who->user);
    platform_sql(rig, sql);
}

static bool is_disabled(const json_t *object)
{
    return json_is_true(json_object_get(object, "disabled"));
}

/* How the request's lead and its second expert are marked, and the lead in the list. */
static void assert_marked(platform *rig, const char *id, bool lead, bool second)
{
    cn_problem problem = {.err = CN_OK};
    const cn_request_filter all = {.page = 1, .size = 50};
    CN_AUTO_JSON json_t *request = NULL, *list = NULL;
    assert_ok(cn_request_get(rig->c, &rig->admin, id, &request));
    const json_t *experts = json_object_get(request, "experts");
    assert_int_equal(is_disabled(json_array_get(experts, 0)), lead);
    assert_int_equal(is_disabled(json_array_get(experts, 1)), second);
    assert_int_equal(is_disabled(json_object_get(request, "lead")), lead);
    assert_ok(cn_request_list(rig->c, &rig->admin, &all, &list, &problem));
    const json_t *row = json_array_get(json_object_get(list, "items"), 0);
    assert_int_equal(is_disabled(json_object_get(row, "lead")), lead);
}

/* A patient would wait for one who cannot log in: the centre is told as long as it is not over. */
static void test_a_disabled_expert_is_the_centres(void **state)
{
    platform rig;
    char id[CN_ID_TEXT];
    platform_open(&rig, state);
    request_new(&rig, false, "李明", id);
    request_until(&rig, id, CN_STATE_SCHEDULED);
    assert_marked(&rig, id, false, false);
    set_active(&rig, &rig.second, 0);
    assert_waits(&rig, &rig.admin, id, "replace");
    assert_waits(&rig, &rig.lead, id, "");
    assert_marked(&rig, id, false, true);
    put(&rig, id, "state = 'AWAITING_REPORT'");
    assert_waits(&rig, &rig.admin, id, "");
    set_active(&rig, &rig.lead, 0);
    set_active(&rig, &rig.second, 1);
    assert_waits(&rig, &rig.admin, id, "replace");
    put(&rig, id, "state = 'IN_SESSION'");
    assert_waits(&rig, &rig.admin, id, "replace");
    assert_waits(&rig, &rig.referrer, id, "enter");
    assert_marked(&rig, id, true, false);
    put(&rig, id, "state = 'REPORTED'");
    assert_waits(&rig, &rig.admin, id, "");
    assert_marked(&rig, id, false, false);
    platform_close(&rig);
}

/* Whether a row of the list has a word and whether it stands on the desk is the same, for everybody in every state. */
static void test_desk_and_list_agree(void **state)
{
    platform rig;
    char id[2][CN_ID_TEXT], what[64];
    platform_open(&rig, state);
    for (int i = 0; i < 2; i++) {
        request_new(&rig, false, "李明", id[i]);
        request_until(&rig, id[i], CN_STATE_SCHEDULED);
    }
    put(&rig, id[1], "urgent = 1, report_unread = 2");
    put_time(&rig, id[1], cn_wall_ms() - HOUR);
    set_active(&rig, &rig.second, 0);
    const cn_actor *people[] = {&rig.referrer, &rig.colleague, &rig.lead,   &rig.second,
                                &rig.third,    &rig.admin,     &rig.nobody, &rig.reader};
    const cn_request_filter all = {.page = 1, .size = 50};
    for (unsigned s = 0; s < CN_STATE_COUNT; s++)
        for (size_t who = 0; who < COUNT_OF(people); who++) {
            cn_problem problem = {.err = CN_OK};
            snprintf(what, sizeof what, "state = '%s'", cn_state_name((cn_state)s));
            for (int i = 0; i < 2; i++) put(&rig, id[i], what);
            CN_AUTO_JSON json_t *list = NULL, *desk = desk_of(&rig, people[who], 1, 2);
            assert_ok(cn_request_list(rig.c, people[who], &all, &list, &problem));
            size_t i, words = 0;
            json_t *row;
            json_array_foreach(json_object_get(list, "items"), i, row)
            {
                const char *todo = text_of(row, "todo");
                words += todo[0] != 0;
                if (strcmp(waits(desk, text_of(row, "id")), todo) != 0)
                    fail_msg("%s, actor %zu: \"%s\" in the list", what, who, todo);
            }
            assert_int_equal(json_array_size(json_object_get(desk, "mine")), words);
        }
    platform_close(&rig);
}

static void test_days_are_those_of_the_consultation(void **state)
{
    platform rig;
    char id[5][CN_ID_TEXT];
    cn_problem problem = {.err = CN_OK};
    int64_t today = 1795968000000; /* some midnight */
    platform_open(&rig, state);
    for (int i = 0; i < 5; i++) request_new(&rig, false, "李明", id[i]);
    static const struct {
        const char *state;
        int64_t at;
    } rows[] = {{"SCHEDULED", 38 * HOUR},
                {"SCHEDULED", 9 * HOUR},
                {"CLOSED", 8 * HOUR},
                {"CANCELLED", 9 * HOUR},
                {"SCHEDULED", 48 * HOUR}};
    for (int i = 0; i < 5; i++) {
        char what[64];
        snprintf(what, sizeof what, "state = '%s'", rows[i].state);
        put(&rig, id[i], what);
        put_time(&rig, id[i], today + rows[i].at);
    }
    put(&rig, id[0], "urgent = 1");
    CN_AUTO_JSON json_t *desk = desk_of(&rig, &rig.admin, today, today + 2 * DAY);
    const json_t *days = json_object_get(desk, "days");
    assert_int_equal(json_array_size(days), 3); /* neither cancelled nor the day after tomorrow */
    assert_string_equal(text_of(json_array_get(days, 0), "id"), id[0]);
    assert_string_equal(text_of(json_array_get(days, 1), "id"), id[2]);
    CN_AUTO_JSON json_t *foreign = desk_of(&rig, &rig.colleague, today, today + 2 * DAY);
    assert_int_equal(json_array_size(json_object_get(foreign, "days")), 0);
    json_t *out = NULL;
    assert_err(cn_request_desk(rig.c, &rig.admin, today, today, &out, &problem), CN_ERR_INVALID);
    assert_err(cn_request_desk(rig.c, &rig.admin, today, today + 9 * DAY, &out, &problem), CN_ERR_INVALID);
    assert_null(out);
    platform_close(&rig);
}

/* Letters of the requests that the filter leaves, in order: "cab". */
static void assert_list(platform *rig, char id[][CN_ID_TEXT], size_t n, cn_request_filter filter, const char *expected)
{
    char found[16] = "";
    cn_problem problem = {.err = CN_OK};
    CN_AUTO_JSON json_t *out = NULL;
    filter.page = 1;
    filter.size = 10;
    assert_ok(cn_request_list(rig->c, &rig->admin, &filter, &out, &problem));
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(out, "items"), i, row)
    {
        for (size_t k = 0; k < n; k++)
            if (strcmp(text_of(row, "id"), id[k]) == 0) found[i] = (char)('a' + k);
    }
    assert_string_equal(found, expected);
    assert_int_equal(json_integer_value(json_object_get(out, "total")), strlen(expected));
}

/* What a page says of its tabs beside what the filter leaves of them. */
static void test_counts_alone(void **state)
{
    platform rig;
    char id[3][CN_ID_TEXT];
    cn_problem problem = {.err = CN_OK};
    platform_open(&rig, state);
    for (int i = 0; i < 3; i++) request_new(&rig, false, i ? "李明" : "王芳", id[i]);
    put(&rig, id[0], "state = 'SCHEDULED'");
    const cn_request_filter rows[] = {{.page = 1}, {.page = 1, .name = "王芳"}};
    static const int expected[][2] = {{2, 1}, {0, 1}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        CN_AUTO_JSON json_t *out = NULL;
        assert_ok(cn_request_list(rig.c, &rig.admin, &rows[i], &out, &problem));
        const json_t *counts = json_object_get(out, "counts");
        assert_int_equal(json_array_size(json_object_get(out, "items")), 0);
        assert_int_equal(json_integer_value(json_object_get(counts, "uploading")), expected[i][0]);
        assert_int_equal(json_integer_value(json_object_get(counts, "pending")), expected[i][1]);
    }
    platform_close(&rig);
}

static void test_filters_and_orders(void **state)
{
    platform rig;
    char id[3][CN_ID_TEXT];
    platform_open(&rig, state);
    for (int i = 0; i < 3; i++) {
        request_new(&rig, false, "李明", id[i]);
        char what[40];
        snprintf(what, sizeof what, "requested_ms = %d", 1000 + i);
        put(&rig, id[i], what);
    }
    put_time(&rig, id[0], 9000);
    put_time(&rig, id[1], 5000);
    put(&rig, id[0], "state = 'SCHEDULED'");
    put(&rig, id[1], "urgent = 1, number = 'C20261130-0042'");
    const cn_actor *actor = &rig.lead;
    char sql[200];
    snprintf(sql, sizeof sql, "INSERT INTO request_experts (request_id, user_id, lead) VALUES ('%s', '%s', 0)", id[2],
             actor->user);
    platform_sql(&rig, sql);
    assert_list(&rig, id, 3, (cn_request_filter){0}, "cba");
    assert_list(&rig, id, 3, (cn_request_filter){.sort = "created"}, "abc");
    assert_list(&rig, id, 3, (cn_request_filter){.sort = "scheduled"}, "bac"); /* without a time: last */
    assert_list(&rig, id, 3, (cn_request_filter){.sort = "-scheduled"}, "abc");
    assert_list(&rig, id, 3, (cn_request_filter){.sort = "urgent"}, "bca");
    assert_list(&rig, id, 3, (cn_request_filter){.states = "SCHEDULED,CLOSED"}, "a");
    assert_list(&rig, id, 3, (cn_request_filter){.expert = actor->user}, "c");
    assert_list(&rig, id, 3, (cn_request_filter){.hospital = rig.referrer.hospital}, "cba");
    assert_list(&rig, id, 3, (cn_request_filter){.hospital = "elsewhere"}, "");
    assert_list(&rig, id, 3, (cn_request_filter){.number = "30-0042"}, "b");
    assert_list(&rig, id, 3, (cn_request_filter){.number = "c2026"}, "cba");
    assert_list(&rig, id, 3, (cn_request_filter){.by_time = true, .to_ms = 9000}, "b");
    assert_list(&rig, id, 3, (cn_request_filter){.by_time = true, .from_ms = 5001}, "a");
    assert_list(&rig, id, 3, (cn_request_filter){.from_ms = 1001, .to_ms = 1002}, "b");
    const cn_request_filter bad[] = {{.sort = "name", .page = 1, .size = 9},
                                     {.states = "SCHEDULED,NO", .page = 1, .size = 9},
                                     {.number = "%", .page = 1, .size = 9},
                                     {.number = "1234567890123456789012345", .page = 1, .size = 9}};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        cn_problem problem = {.err = CN_OK};
        json_t *out = NULL;
        assert_err(cn_request_list(rig.c, &rig.admin, &bad[i], &out, &problem), CN_ERR_INVALID);
        assert_true(problem.field[0] != 0);
    }
    platform_close(&rig);
}

/* ---- who is booked ---- */

static cn_err arrange(platform *rig, const char *id, const char *act, int64_t at, const char *more, cn_problem *problem)
{
    char text[300];
    snprintf(text, sizeof text, "{'lead': '%s', 'experts': ['%s'], 'at': %lld, 'minutes': 30%s}", rig->lead.user,
             rig->second.user, (long long)at, more);
    CN_AUTO_JSON json_t *body = json_of(text);
    return cn_request_act(rig->c, &rig->admin, id, act, body, NULL, problem);
}

static size_t busy(platform *rig, int64_t from, int64_t to, const char *but)
{
    cn_problem problem = {.err = CN_OK};
    char experts[80];
    CN_AUTO_JSON json_t *out = NULL;
    snprintf(experts, sizeof experts, "%s,%s", rig->lead.user, rig->third.user);
    assert_ok(cn_request_busy(rig->c, &rig->admin, experts, from, to, but, &out, &problem));
    return json_array_size(json_object_get(out, "items"));
}

/* Demonstrations and urgent ones begin at any second; what is shown are minutes. */
static void test_hidden_seconds_touch_nothing(void **state)
{
    platform rig;
    char one[CN_ID_TEXT], two[CN_ID_TEXT];
    cn_problem problem = {.err = CN_OK};
    int64_t at = (cn_wall_ms() + 10 * HOUR) / 60000 * 60000;
    platform_open(&rig, state);
    request_new(&rig, false, "李明", one);
    request_until(&rig, one, CN_STATE_SCHEDULED);
    put_time(&rig, one, at + 45000);
    request_new(&rig, false, "王芳", two);
    request_until(&rig, two, CN_STATE_PENDING_REVIEW);
    assert_err(arrange(&rig, two, "schedule", at + HOUR / 2 - 60000, ", 'overlap': false", &problem), CN_ERR_CONFLICT);
    assert_ok(arrange(&rig, two, "schedule", at + HOUR / 2, ", 'overlap': false", &problem));
    platform_close(&rig);
}

/* Before an account is disabled one wants to know who waits for it; after it his consultations are still looked for. */
static void test_what_a_disabled_expert_still_had(void **state)
{
    platform rig;
    char id[CN_ID_TEXT];
    int64_t left = -1;
    platform_open(&rig, state);
    request_new(&rig, false, "李明", id);
    request_until(&rig, id, CN_STATE_SCHEDULED);
    assert_ok(cn_user_consultations(rig.c, rig.second.user, &left));
    assert_int_equal(left, 1);
    assert_ok(cn_user_consultations(rig.c, rig.third.user, &left));
    assert_int_equal(left, 0);
    const cn_actor system = cn_actor_system();
    CN_AUTO_JSON json_t *users = NULL, *directory = NULL;
    assert_ok(cn_user_list(rig.c, &system, &users));
    size_t i, sum = 0;
    json_t *user;
    json_array_foreach(json_object_get(users, "items"), i, user) sum +=
        (size_t)json_integer_value(json_object_get(user, "consultations"));
    assert_int_equal(sum, 2);
    put(&rig, id, "state = 'AWAITING_REPORT'");
    assert_ok(cn_user_consultations(rig.c, rig.second.user, &left));
    assert_int_equal(left, 0);
    set_active(&rig, &rig.lead, 0);
    assert_ok(cn_directory(rig.c, &directory));
    const json_t *former = json_object_get(directory, "former_experts");
    assert_int_equal(json_array_size(former), 1);
    assert_string_equal(text_of(json_array_get(former, 0), "id"), rig.lead.user);
    platform_close(&rig);
}

static void test_nobody_is_booked_twice_unsaid(void **state)
{
    platform rig;
    char one[CN_ID_TEXT], two[CN_ID_TEXT];
    cn_problem problem = {.err = CN_OK};
    int64_t at = cn_wall_ms() + 10 * HOUR, half = HOUR / 2;
    platform_open(&rig, state);
    request_new(&rig, false, "李明", one);
    request_until(&rig, one, CN_STATE_PENDING_REVIEW);
    request_new(&rig, false, "王芳", two);
    request_until(&rig, two, CN_STATE_PENDING_REVIEW);
    assert_ok(arrange(&rig, one, "schedule", at, ", 'overlap': false", &problem));
    assert_err(arrange(&rig, two, "schedule", at + half - 60000, ", 'overlap': false", &problem), CN_ERR_CONFLICT);
    assert_string_equal(problem.field, "at");
    assert_int_equal(problem.wrong, CN_WRONG_BOOKED);
    assert_int_equal(request_state(&rig, two), CN_STATE_PENDING_REVIEW);
    assert_ok(arrange(&rig, two, "schedule", at + half, ", 'overlap': false", &problem)); /* one after the other */
    assert_err(arrange(&rig, two, "reschedule", at + 1, ", 'overlap': false", &problem), CN_ERR_CONFLICT);
    assert_ok(arrange(&rig, two, "reschedule", at + 1, ", 'overlap': true", &problem));
    char expected[64];
    snprintf(expected, sizeof expected, "%lld/30 → %lld/30", (long long)(at + half), (long long)at + 1);
    CN_AUTO_JSON json_t *moved = NULL;
    assert_ok(cn_request_get(rig.c, &rig.admin, two, &moved));
    const json_t *history = json_object_get(moved, "history");
    assert_string_equal(text_of(json_array_get(history, json_array_size(history) - 1), "reason"), expected);
    assert_int_equal(
        platform_int(&rig, "SELECT COUNT(*) FROM audit_log WHERE outcome = 'ok' AND detail LIKE '%overlap%'"), 1);
    assert_int_equal(busy(&rig, at, at + 1, ""), 1);
    assert_int_equal(busy(&rig, at, at + 2, ""), 2);
    assert_int_equal(busy(&rig, at, at + 2, one), 1);
    assert_int_equal(busy(&rig, at + half + 1, at + DAY, ""), 0);
    json_t *out = NULL;
    assert_err(cn_request_busy(rig.c, &rig.lead, rig.lead.user, at, at + 1, "", &out, &problem), CN_ERR_FORBIDDEN);
    assert_err(cn_request_busy(rig.c, &rig.admin, "", at, at + 1, "", &out, &problem), CN_ERR_INVALID);
    assert_err(cn_request_busy(rig.c, &rig.admin, "nobody", at, at + 1, "", &out, &problem), CN_ERR_INVALID);
    assert_null(out);
    platform_close(&rig);
}

static cn_wrong told_to(platform *rig, const cn_actor *actor, const char *id)
{
    cn_problem problem = {.err = CN_OK};
    assert_err(cn_request_parted(rig->c, actor, id, &problem), CN_ERR_NOTFOUND);
    return problem.wrong;
}

static void test_other_experts(void **state)
{
    platform rig;
    char id[CN_ID_TEXT], body[200];
    cn_problem problem = {.err = CN_OK};
    platform_open(&rig, state);
    request_new(&rig, false, "李明", id);
    request_until(&rig, id, CN_STATE_SCHEDULED);
    snprintf(body, sizeof body, "{'lead': '%s', 'experts': ['%s']}", rig.second.user, rig.third.user);
    assert_err(request_do(&rig, &rig.lead, id, "experts", body), CN_ERR_FORBIDDEN);
    unsigned told = rig.changes;
    assert_ok(request_do(&rig, &rig.admin, id, "experts", body));
    assert_int_equal(rig.changes, told + 1);
    assert_int_equal(rig.parted, 1); /* the former lead expert, not the one who leads now */
    assert_int_equal(request_state(&rig, id), CN_STATE_SCHEDULED);
    CN_AUTO_JSON json_t *gone = NULL, *seen = NULL;
    assert_err(cn_request_get(rig.c, &rig.lead, id, &gone), CN_ERR_NOTFOUND);
    /* he is told why; who never had a part learns no more than of a request that never was */
    assert_int_equal(told_to(&rig, &rig.lead, id), CN_WRONG_PARTED);
    const cn_actor *strangers[] = {&rig.colleague, &rig.nobody, &rig.third};
    for (size_t i = 0; i < COUNT_OF(strangers); i++) assert_int_equal(told_to(&rig, strangers[i], id), CN_WRONG_NONE);
    assert_int_equal(told_to(&rig, &rig.lead, rig.lead.user), CN_WRONG_NONE);
    assert_int_equal(told_to(&rig, &rig.lead, "%"), CN_WRONG_NONE);
    assert_ok(cn_request_get(rig.c, &rig.third, id, &seen));
    assert_string_equal(text_of(json_object_get(seen, "lead"), "id"), rig.second.user);
    const json_t *history = json_object_get(seen, "history");
    const json_t *last = json_array_get(history, json_array_size(history) - 1);
    assert_string_equal(text_of(last, "action"), "experts");
    assert_non_null(strstr(text_of(last, "reason"), "★ "));
    assert_non_null(strstr(text_of(last, "reason"), ", − "));
    char sql[200];
    snprintf(sql, sizeof sql,
             "SELECT COUNT(*) FROM audit_log WHERE action = 'request.experts' AND outcome = 'ok' AND detail LIKE "
             "'★ %s, + %s, − %s'",
             rig.second.user, rig.third.user, rig.lead.user);
    assert_int_equal(platform_int(&rig, sql), 1);
    snprintf(body, sizeof body, "{'lead': '%s'}", rig.admin.user);
    CN_AUTO_JSON json_t *nobody = json_of(body);
    assert_err(cn_request_act(rig.c, &rig.admin, id, "experts", nobody, NULL, &problem), CN_ERR_INVALID);
    assert_string_equal(problem.field, "lead");
    put(&rig, id, "state = 'REPORTED'");
    assert_err(request_do(&rig, &rig.admin, id, "experts", body), CN_ERR_STATE);
    platform_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CN_DB_TESTS(test_what_waits_for_whom),
        CN_DB_TESTS(test_desk_and_list_agree),
        CN_DB_TESTS(test_days_are_those_of_the_consultation),
        CN_DB_TESTS(test_counts_alone),
        CN_DB_TESTS(test_filters_and_orders),
        CN_DB_TESTS(test_a_disabled_expert_is_the_centres),
        CN_DB_TESTS(test_hidden_seconds_touch_nothing),
        CN_DB_TESTS(test_what_a_disabled_expert_still_had),
        CN_DB_TESTS(test_nobody_is_booked_twice_unsaid),
        CN_DB_TESTS(test_other_experts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
