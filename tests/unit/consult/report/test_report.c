/* Reports: drafts that do not overwrite each other, signatures, amendments, opinions, the record. */
#include "support_story.h"

#include "consult/report/report.h"

typedef struct fixture {
    platform p;
    char id[CN_ID_TEXT];
} fixture;

static void set_up(fixture *setup, void **state, cn_state until)
{
    platform_open(&setup->p, state);
    request_new(&setup->p, false, "李明", setup->id);
    request_until(&setup->p, setup->id, until);
}

static cn_err amend(fixture *setup, const cn_actor *actor, const char *conclusion, const char *reason, int64_t revision,
                    int64_t *out)
{
    CN_AUTO_JSON json_t *body = json_pack("{s:s, s:s, s:s, s:s, s:I}", "findings", "镜下所见", "conclusion", conclusion,
                                          "advice", "随访", "reason", reason, "revision", (json_int_t)revision);
    cn_problem problem = {0};
    cn_err err = cn_report_draft(setup->p.c, actor, setup->id, body, out, &problem);
    if (err != CN_OK && err != CN_ERR_NOTFOUND) assert_true(problem.detail[0] != 0);
    return err;
}

static cn_err draft(fixture *setup, const cn_actor *actor, const char *conclusion, int64_t revision, int64_t *out)
{
    return amend(setup, actor, conclusion, "", revision, out);
}

static cn_err sign(fixture *setup, const cn_actor *actor)
{
    cn_problem problem = {0};
    return cn_report_sign(setup->p.c, actor, setup->id, NULL, NULL, &problem);
}

/* `revision` 0: whatever stands there. */
static cn_err discard(fixture *setup, const cn_actor *actor, int64_t revision)
{
    CN_AUTO_JSON json_t *seen = revision ? json_pack("{s:I}", "revision", (json_int_t)revision) : NULL;
    cn_problem problem = {0};
    return cn_report_discard(setup->p.c, actor, setup->id, seen, NULL, &problem);
}

static json_t *get(fixture *setup, const cn_actor *actor)
{
    json_t *report = NULL;
    assert_ok(cn_report_get(setup->p.c, actor, setup->id, &report));
    return report;
}

static void assert_text(const json_t *object, const char *key, const char *expected)
{
    assert_string_equal(json_string_value(json_object_get(object, key)), expected);
}

static void assert_int(const json_t *object, const char *key, int64_t expected)
{
    assert_int_equal(json_integer_value(json_object_get(object, key)), expected);
}

static void test_draft(void **state)
{
    fixture setup;
    int64_t revision = 0;
    set_up(&setup, state, CN_STATE_AWAITING_REPORT);
    CN_AUTO_JSON json_t *none = get(&setup, &setup.p.lead);
    assert_true(json_is_null(none));
    assert_ok(draft(&setup, &setup.p.lead, "一", 0, &revision));
    assert_int_equal(revision, 1);
    /* two pages open: the second is told, and nothing of it is kept */
    assert_ok(draft(&setup, &setup.p.lead, "二", 1, &revision));
    assert_int_equal(revision, 2);
    assert_err(draft(&setup, &setup.p.lead, "三", 1, &revision), CN_ERR_CONFLICT);
    assert_err(draft(&setup, &setup.p.lead, "三", 0, &revision), CN_ERR_CONFLICT);
    CN_AUTO_JSON json_t *mine = get(&setup, &setup.p.lead);
    assert_text(mine, "conclusion", "二");
    assert_int(mine, "revision", 2);
    assert_int(mine, "version", 1);
    assert_true(json_is_null(json_object_get(mine, "signed_at")));
    assert_true(json_is_null(json_object_get(mine, "signed")));
    assert_text(json_object_get(mine, "author"), "name", "Dr expert1");
    /* a draft is its author's alone */
    CN_AUTO_JSON json_t *theirs = get(&setup, &setup.p.referrer);
    assert_true(json_is_null(theirs));
    CN_AUTO_JSON json_t *others = get(&setup, &setup.p.second);
    assert_true(json_is_null(others));
    platform_close(&setup.p);
}

static void test_who_may_draft(void **state)
{
    fixture setup;
    int64_t revision = 0;
    set_up(&setup, state, CN_STATE_AWAITING_REPORT);
    assert_err(draft(&setup, &setup.p.second, "x", 0, &revision), CN_ERR_FORBIDDEN);
    assert_err(draft(&setup, &setup.p.referrer, "x", 0, &revision), CN_ERR_FORBIDDEN);
    assert_err(draft(&setup, &setup.p.admin, "x", 0, &revision), CN_ERR_FORBIDDEN);
    assert_err(draft(&setup, &setup.p.third, "x", 0, &revision), CN_ERR_NOTFOUND);
    assert_err(draft(&setup, &setup.p.colleague, "x", 0, &revision), CN_ERR_NOTFOUND);
    assert_err(draft(&setup, &setup.p.nobody, "x", 0, &revision), CN_ERR_NOTFOUND);
    assert_err(sign(&setup, &setup.p.second), CN_ERR_FORBIDDEN);
    assert_err(sign(&setup, &setup.p.third), CN_ERR_NOTFOUND);
    json_t *report = NULL;
    assert_err(cn_report_get(setup.p.c, &setup.p.third, setup.id, &report), CN_ERR_NOTFOUND);
    assert_null(report);
    assert_int_equal(platform_int(&setup.p, "SELECT COUNT(*) FROM reports"), 0);
    assert_true(platform_int(&setup.p, "SELECT COUNT(*) FROM audit_log WHERE action = 'report.draft' AND outcome = "
                                       "'denied'") >= 6);
    platform_close(&setup.p);
}

static void test_bad_drafts(void **state)
{
    static const char *const bodies[] = {"{}", "{'revision': -1}", "{'revision': '1'}",
                                         "{'revision': 0, 'findings': 7}"};
    fixture setup;
    int64_t revision = 0;
    set_up(&setup, state, CN_STATE_AWAITING_REPORT);
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        char text[128];
        cn_strcpy(text, sizeof text, bodies[i]);
        for (char *s = text; *s; s++)
            if (*s == '\'') *s = '"';
        CN_AUTO_JSON json_t *body = json_loads(text, JSON_ALLOW_NUL, NULL);
        cn_problem problem = {0};
        assert_non_null(body);
        assert_err(cn_report_draft(setup.p.c, &setup.p.lead, setup.id, body, &revision, &problem), CN_ERR_INVALID);
        assert_true(problem.field[0] != 0);
    }
    assert_int_equal(platform_int(&setup.p, "SELECT COUNT(*) FROM reports"), 0);
    platform_close(&setup.p);
}

/* As it comes with pasting from a letter or a hospital system. */
static void test_invisible_characters(void **state)
{
    fixture setup;
    int64_t revision = 0;
    cn_problem problem = {0};
    set_up(&setup, state, CN_STATE_AWAITING_REPORT);
    CN_AUTO_JSON json_t *body = json_loads(
        "{\"revision\": 0, \"findings\": \"a\\u0007b\\u000bc\", \"conclusion\": \"a\\u0000b\"}", JSON_ALLOW_NUL, NULL);
    assert_ok(cn_report_draft(setup.p.c, &setup.p.lead, setup.id, body, &revision, &problem));
    CN_AUTO_JSON json_t *report = get(&setup, &setup.p.lead);
    assert_text(report, "findings", "ab\nc");
    assert_text(report, "conclusion", "ab");
    platform_close(&setup.p);
}

static void test_sign(void **state)
{
    fixture setup;
    int64_t revision = 0;
    set_up(&setup, state, CN_STATE_AWAITING_REPORT);
    assert_err(sign(&setup, &setup.p.lead), CN_ERR_CONFLICT); /* nothing to sign */
    assert_ok(draft(&setup, &setup.p.lead, "  \n", 0, &revision));
    assert_err(sign(&setup, &setup.p.lead), CN_ERR_CONFLICT); /* says nothing */
    assert_int_equal(request_state(&setup.p, setup.id), CN_STATE_AWAITING_REPORT);
    assert_ok(draft(&setup, &setup.p.lead, "浸润性腺癌", 1, &revision));
    CN_AUTO_JSON json_t *stale = json_of("{'revision': 1}");
    cn_problem problem = {0};
    assert_err(cn_report_sign(setup.p.c, &setup.p.lead, setup.id, stale, NULL, &problem), CN_ERR_CONFLICT);
    unsigned changes = setup.p.changes;
    CN_AUTO_JSON json_t *seen = json_of("{'revision': 2}");
    assert_ok(cn_report_sign(setup.p.c, &setup.p.lead, setup.id, seen, NULL, &problem));
    assert_int_equal(request_state(&setup.p, setup.id), CN_STATE_REPORTED);
    assert_int_equal(setup.p.changes, changes + 1);
    assert_string_equal(setup.p.last_state, "REPORTED");
    CN_AUTO_JSON json_t *report = get(&setup, &setup.p.referrer);
    assert_text(report, "conclusion", "浸润性腺癌");
    assert_true(json_integer_value(json_object_get(report, "signed_at")) > 0);
    assert_err(sign(&setup, &setup.p.lead), CN_ERR_CONFLICT);
    /* both steps are in the history, drafts are not */
    assert_int_equal(platform_int(&setup.p,
                                  "SELECT COUNT(*) FROM request_history WHERE action = 'sign' AND from_state = "
                                  "'AWAITING_REPORT' AND to_state = 'WRITTEN'"),
                     1);
    assert_int_equal(platform_int(&setup.p,
                                  "SELECT COUNT(*) FROM request_history WHERE action = 'release' AND from_state "
                                  "= 'WRITTEN' AND to_state = 'REPORTED'"),
                     1);
    assert_int_equal(platform_int(&setup.p, "SELECT COUNT(*) FROM request_history WHERE action = 'draft'"), 0);
    assert_int_equal(platform_int(&setup.p, "SELECT COUNT(*) FROM audit_log WHERE action = 'report.sign' AND outcome = "
                                            "'ok'"),
                     1);
    platform_close(&setup.p);
}

static void test_policy_audit(void **state)
{
    fixture setup;
    int64_t revision = 0;
    set_up(&setup, state, CN_STATE_AWAITING_REPORT);
    platform_sql(&setup.p, "INSERT INTO settings (key, value) VALUES ('" CN_REPORT_POLICY_KEY "', 'audit')");
    assert_ok(draft(&setup, &setup.p.lead, "一", 0, &revision));
    assert_ok(sign(&setup, &setup.p.lead));
    assert_int_equal(request_state(&setup.p, setup.id), CN_STATE_WRITTEN);
    assert_err(draft(&setup, &setup.p.lead, "二", revision, &revision), CN_ERR_STATE);
    platform_close(&setup.p);
}

static void test_amendment(void **state)
{
    fixture setup;
    int64_t revision = 0;
    set_up(&setup, state, CN_STATE_REPORTED);
    /* goes on from the signed revision, as a new version that nobody else sees yet */
    assert_err(draft(&setup, &setup.p.lead, "更正", 0, &revision), CN_ERR_CONFLICT);
    assert_ok(amend(&setup, &setup.p.lead, "更正", "复阅切片", 1, &revision));
    CN_AUTO_JSON json_t *mine = get(&setup, &setup.p.lead);
    assert_int(mine, "version", 2);
    assert_text(mine, "conclusion", "更正");
    assert_text(mine, "reason", "复阅切片");
    assert_text(json_object_get(mine, "signed"), "conclusion", "结论");
    CN_AUTO_JSON json_t *before = get(&setup, &setup.p.referrer);
    assert_int(before, "version", 1);
    assert_text(before, "conclusion", "结论");
    assert_ok(sign(&setup, &setup.p.lead));
    assert_int_equal(request_state(&setup.p, setup.id), CN_STATE_REPORTED);
    CN_AUTO_JSON json_t *after = get(&setup, &setup.p.referrer);
    assert_int(after, "version", 2);
    assert_text(after, "conclusion", "更正");
    assert_text(after, "reason", "复阅切片");
    /* the first version is as it was signed */
    assert_int_equal(platform_int(&setup.p,
                                  "SELECT COUNT(*) FROM reports WHERE version = 1 AND conclusion = '结论' AND "
                                  "signed_ms > 0"),
                     1);
    assert_int_equal(platform_int(&setup.p, "SELECT COUNT(*) FROM request_history WHERE action = 'sign' AND from_state "
                                            "= 'REPORTED' AND reason = '复阅切片'"),
                     1);
    assert_int_equal(platform_int(&setup.p, "SELECT COUNT(*) FROM audit_log WHERE action = 'report.sign' AND outcome = "
                                            "'ok' AND detail = 'version 2'"),
                     1);
    platform_close(&setup.p);
}

/* What the referrer is to read, as his row of the list says it. */
static void assert_unread(fixture *setup, int64_t version)
{
    CN_AUTO_JSON json_t *request = NULL;
    assert_ok(cn_request_get(setup->p.c, &setup->p.referrer, setup->id, &request));
    assert_int(request, "report_unread", version);
}

static cn_err seen(fixture *setup, const cn_actor *actor, int64_t version)
{
    CN_AUTO_JSON json_t *body = json_pack("{s:I}", "version", (json_int_t)version);
    cn_problem problem = {0};
    return cn_report_seen(setup->p.c, actor, setup->id, body, NULL, &problem);
}

static void test_amendment_waits_for_the_referrer(void **state)
{
    fixture setup;
    int64_t revision = 0;
    set_up(&setup, state, CN_STATE_REPORTED);
    assert_unread(&setup, 0); /* the first version is told by its state */
    assert_ok(amend(&setup, &setup.p.lead, "更正", "复阅", 1, &revision));
    assert_unread(&setup, 0);
    assert_ok(sign(&setup, &setup.p.lead));
    assert_unread(&setup, 2);
    assert_ok(amend(&setup, &setup.p.lead, "再更正", "再阅", revision, &revision));
    assert_ok(sign(&setup, &setup.p.lead));
    /* what he says he has read is what stood before him */
    assert_err(seen(&setup, &setup.p.lead, 3), CN_ERR_FORBIDDEN);
    assert_err(seen(&setup, &setup.p.colleague, 3), CN_ERR_NOTFOUND);
    unsigned told = setup.p.changes;
    assert_ok(seen(&setup, &setup.p.referrer, 2));
    assert_unread(&setup, 3);
    assert_int_equal(setup.p.changes, told);
    assert_ok(seen(&setup, &setup.p.referrer, 3));
    assert_unread(&setup, 0);
    assert_int_equal(setup.p.changes, told + 1);
    assert_ok(seen(&setup, &setup.p.referrer, 3));
    assert_int_equal(setup.p.changes, told + 1);
    assert_int_equal(platform_int(&setup.p, "SELECT COUNT(*) FROM audit_log WHERE action = 'report.seen' AND outcome = "
                                            "'ok' AND detail = 'version 3'"),
                     2);
    platform_close(&setup.p);
}

static void test_amendment_says_why(void **state)
{
    fixture setup;
    int64_t revision = 0;
    cn_problem problem = {0};
    set_up(&setup, state, CN_STATE_REPORTED);
    assert_ok(amend(&setup, &setup.p.lead, "更正", " \n", 1, &revision));
    assert_err(cn_report_sign(setup.p.c, &setup.p.lead, setup.id, NULL, NULL, &problem), CN_ERR_CONFLICT);
    assert_string_equal(problem.field, "reason");
    CN_AUTO_JSON json_t *before = get(&setup, &setup.p.referrer);
    assert_int(before, "version", 1);
    char words[4 * 501 + 1] = "";
    memset(words, 'x', 501);
    assert_err(amend(&setup, &setup.p.lead, "更正", words, revision, &revision), CN_ERR_INVALID);
    platform_close(&setup.p);
}

static void test_amendment_given_up(void **state)
{
    fixture setup;
    int64_t first = 0, second = 0, third = 0;
    set_up(&setup, state, CN_STATE_REPORTED);
    assert_err(discard(&setup, &setup.p.lead, 0), CN_ERR_CONFLICT); /* nothing to give up */
    assert_ok(amend(&setup, &setup.p.lead, "误写", "误写", 1, &first));
    assert_err(discard(&setup, &setup.p.second, 0), CN_ERR_FORBIDDEN);
    assert_err(discard(&setup, &setup.p.referrer, 0), CN_ERR_FORBIDDEN);
    assert_err(discard(&setup, &setup.p.third, 0), CN_ERR_NOTFOUND);
    assert_err(discard(&setup, &setup.p.lead, first - 1), CN_ERR_CONFLICT); /* another window wrote on */
    unsigned changes = setup.p.changes;
    assert_ok(discard(&setup, &setup.p.lead, first));
    assert_int_equal(setup.p.changes, changes); /* for everybody else nothing happened */
    CN_AUTO_JSON json_t *valid = get(&setup, &setup.p.lead);
    assert_int(valid, "version", 1);
    assert_text(valid, "conclusion", "结论");
    assert_true(json_integer_value(json_object_get(valid, "signed_at")) > 0);
    /* a window that still shows what was given up saves over nothing, now and after the next amendment began */
    assert_err(amend(&setup, &setup.p.lead, "误写", "误写", first, &second), CN_ERR_CONFLICT);
    int64_t seen = json_integer_value(json_object_get(valid, "revision"));
    assert_true(seen > first);
    assert_ok(amend(&setup, &setup.p.lead, "更正", "复阅", seen, &second));
    assert_err(amend(&setup, &setup.p.lead, "误写", "误写", first, &third), CN_ERR_CONFLICT);
    assert_ok(amend(&setup, &setup.p.lead, "更正。", "复阅", second, &third));
    assert_ok(sign(&setup, &setup.p.lead));
    CN_AUTO_JSON json_t *after = get(&setup, &setup.p.referrer);
    assert_int(after, "version", 2);
    assert_text(after, "conclusion", "更正。");
    assert_int_equal(platform_int(&setup.p, "SELECT COUNT(*) FROM audit_log WHERE action = 'report.discard' AND "
                                            "outcome = 'ok' AND detail = 'version 2'"),
                     1);
    assert_int_equal(platform_int(&setup.p, "SELECT COUNT(*) FROM audit_log WHERE action = 'report.discard' AND "
                                            "outcome = 'denied'"),
                     3);
    platform_close(&setup.p);
}

static void test_first_draft_stays(void **state)
{
    fixture setup;
    int64_t revision = 0;
    set_up(&setup, state, CN_STATE_AWAITING_REPORT);
    assert_ok(amend(&setup, &setup.p.lead, "一", "无", 0, &revision));
    assert_err(discard(&setup, &setup.p.lead, revision), CN_ERR_STATE);
    CN_AUTO_JSON json_t *mine = get(&setup, &setup.p.lead);
    assert_text(mine, "conclusion", "一");
    assert_text(mine, "reason", ""); /* it takes the place of nothing */
    platform_close(&setup.p);
}

static void test_versions(void **state)
{
    fixture setup;
    int64_t revision = 0;
    json_t *none = NULL;
    CN_AUTO_JSON json_t *list = NULL;
    set_up(&setup, state, CN_STATE_REPORTED);
    assert_ok(amend(&setup, &setup.p.lead, "更正", "复阅", 1, &revision));
    assert_ok(sign(&setup, &setup.p.lead));
    assert_ok(amend(&setup, &setup.p.lead, "再更正", "再阅", revision, &revision)); /* not signed: nobody's yet */
    assert_ok(cn_report_versions(setup.p.c, &setup.p.referrer, setup.id, &list));
    assert_int_equal(json_array_size(list), 2);
    assert_text(json_array_get(list, 0), "conclusion", "结论");
    assert_text(json_array_get(list, 0), "reason", "");
    assert_text(json_array_get(list, 1), "conclusion", "更正");
    assert_text(json_array_get(list, 1), "reason", "复阅");
    assert_int(json_array_get(list, 1), "version", 2);
    assert_err(cn_report_versions(setup.p.c, &setup.p.third, setup.id, &none), CN_ERR_NOTFOUND);
    assert_err(cn_report_versions(setup.p.c, &setup.p.colleague, setup.id, &none), CN_ERR_NOTFOUND);
    assert_null(none);
    assert_int_equal(platform_int(&setup.p, "SELECT COUNT(*) FROM audit_log WHERE action = 'report.read' AND outcome = "
                                            "'ok' AND detail = 'all versions'"),
                     1);
    platform_close(&setup.p);
}

static void test_closed_report_is_amended(void **state)
{
    fixture setup;
    int64_t revision = 0;
    set_up(&setup, state, CN_STATE_CLOSED);
    assert_int_equal(request_state(&setup.p, setup.id), CN_STATE_CLOSED);
    assert_ok(amend(&setup, &setup.p.lead, "更正", "复阅", 1, &revision));
    assert_ok(sign(&setup, &setup.p.lead));
    assert_int_equal(request_state(&setup.p, setup.id), CN_STATE_CLOSED);
    assert_int_equal(platform_int(&setup.p, "SELECT COUNT(*) FROM reports"), 2);
    platform_close(&setup.p);
}

static void test_no_draft_too_early(void **state)
{
    fixture setup;
    int64_t revision = 0;
    set_up(&setup, state, CN_STATE_SCHEDULED);
    assert_ok(draft(&setup, &setup.p.lead, "一", 0, &revision)); /* prepares */
    assert_err(sign(&setup, &setup.p.lead), CN_ERR_STATE);       /* but nobody was seen yet */
    assert_int_equal(request_state(&setup.p, setup.id), CN_STATE_SCHEDULED);
    assert_int_equal(platform_int(&setup.p, "SELECT COUNT(*) FROM reports WHERE signed_ms > 0"), 0);
    platform_close(&setup.p);
}

static cn_err opinion(fixture *setup, const cn_actor *actor, const char *text)
{
    CN_AUTO_JSON json_t *body = json_pack("{s:s}", "text", text);
    cn_problem problem = {0};
    return cn_opinion_add(setup->p.c, actor, setup->id, body, NULL, &problem);
}

static void test_opinions(void **state)
{
    fixture setup;
    set_up(&setup, state, CN_STATE_IN_SESSION);
    assert_ok(opinion(&setup, &setup.p.second, "同意"));
    assert_ok(opinion(&setup, &setup.p.second, "补充"));
    assert_err(opinion(&setup, &setup.p.second, ""), CN_ERR_INVALID);
    assert_err(opinion(&setup, &setup.p.referrer, "x"), CN_ERR_FORBIDDEN);
    assert_err(opinion(&setup, &setup.p.third, "x"), CN_ERR_NOTFOUND);
    CN_AUTO_JSON json_t *request = NULL;
    assert_ok(cn_request_get(setup.p.c, &setup.p.referrer, setup.id, &request));
    const json_t *list = json_object_get(request, "opinions");
    assert_int_equal(json_array_size(list), 2);
    const json_t *first = json_array_get(list, 0);
    assert_text(first, "text", "同意");
    assert_text(json_object_get(first, "author"), "name", "Dr expert2");
    assert_true(json_integer_value(json_object_get(first, "at")) > 0);
    platform_close(&setup.p);
}

static cn_err record(fixture *setup, const cn_actor *actor, const char *text)
{
    CN_AUTO_JSON json_t *body = json_pack("{s:s}", "text", text);
    cn_problem problem = {0};
    return cn_record_set(setup->p.c, actor, setup->id, body, NULL, &problem);
}

static void test_record(void **state)
{
    fixture setup;
    set_up(&setup, state, CN_STATE_REPORTED);
    assert_err(request_do(&setup.p, &setup.p.referrer, setup.id, "close", ""), CN_ERR_CONFLICT); /* no record yet */
    assert_err(record(&setup, &setup.p.lead, "x"), CN_ERR_FORBIDDEN);
    assert_err(record(&setup, &setup.p.colleague, "x"), CN_ERR_NOTFOUND);
    assert_ok(record(&setup, &setup.p.referrer, "一"));
    assert_ok(record(&setup, &setup.p.referrer, "二"));
    CN_AUTO_JSON json_t *request = NULL;
    assert_ok(cn_request_get(setup.p.c, &setup.p.referrer, setup.id, &request));
    assert_text(request, "record", "二");
    assert_ok(request_do(&setup.p, &setup.p.referrer, setup.id, "close", ""));
    assert_err(record(&setup, &setup.p.referrer, "三"), CN_ERR_STATE);
    platform_close(&setup.p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CN_DB_TESTS(test_draft),
        CN_DB_TESTS(test_who_may_draft),
        CN_DB_TESTS(test_bad_drafts),
        CN_DB_TESTS(test_invisible_characters),
        CN_DB_TESTS(test_sign),
        CN_DB_TESTS(test_policy_audit),
        CN_DB_TESTS(test_amendment),
        CN_DB_TESTS(test_amendment_waits_for_the_referrer),
        CN_DB_TESTS(test_amendment_says_why),
        CN_DB_TESTS(test_amendment_given_up),
        CN_DB_TESTS(test_first_draft_stays),
        CN_DB_TESTS(test_versions),
        CN_DB_TESTS(test_opinions),
        CN_DB_TESTS(test_closed_report_is_amended),
        CN_DB_TESTS(test_record),
        CN_DB_TESTS(test_no_draft_too_early),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
