/* Reports: drafts that do not overwrite each other, signatures, amendments, opinions, the record. */
#include "support_story.h"

#include "consult/report/report.h"

typedef struct fixture {
    platform p;
    char id[CN_ID_TEXT];
} fixture;

static void set_up(fixture *f, void **state, cn_state until)
{
    platform_open(&f->p, state);
    request_new(&f->p, false, "李明", f->id);
    request_until(&f->p, f->id, until);
}

static cn_err draft(fixture *f, const cn_actor *a, const char *conclusion, int64_t revision, int64_t *out)
{
    CN_AUTO_JSON json_t *body = json_pack("{s:s, s:s, s:s, s:I}", "findings", "镜下所见", "conclusion", conclusion,
                                          "advice", "随访", "revision", (json_int_t)revision);
    cn_problem problem = {0};
    cn_err err = cn_report_draft(f->p.c, a, f->id, body, out, &problem);
    if (err != CN_OK && err != CN_ERR_NOTFOUND) assert_true(problem.detail[0] != 0);
    return err;
}

static cn_err sign(fixture *f, const cn_actor *a)
{
    cn_problem problem = {0};
    return cn_report_sign(f->p.c, a, f->id, NULL, &problem);
}

static json_t *get(fixture *f, const cn_actor *a)
{
    json_t *report = NULL;
    assert_ok(cn_report_get(f->p.c, a, f->id, &report));
    return report;
}

static void assert_text(const json_t *o, const char *key, const char *expected)
{
    assert_string_equal(json_string_value(json_object_get(o, key)), expected);
}

static void assert_int(const json_t *o, const char *key, int64_t expected)
{
    assert_int_equal(json_integer_value(json_object_get(o, key)), expected);
}

static void test_draft(void **state)
{
    fixture f;
    int64_t revision = 0;
    set_up(&f, state, CN_STATE_AWAITING_REPORT);
    CN_AUTO_JSON json_t *none = get(&f, &f.p.lead);
    assert_true(json_is_null(none));
    assert_ok(draft(&f, &f.p.lead, "一", 0, &revision));
    assert_int_equal(revision, 1);
    /* two pages open: the second is told, and nothing of it is kept */
    assert_ok(draft(&f, &f.p.lead, "二", 1, &revision));
    assert_int_equal(revision, 2);
    assert_err(draft(&f, &f.p.lead, "三", 1, &revision), CN_ERR_CONFLICT);
    assert_err(draft(&f, &f.p.lead, "三", 0, &revision), CN_ERR_CONFLICT);
    CN_AUTO_JSON json_t *mine = get(&f, &f.p.lead);
    assert_text(mine, "conclusion", "二");
    assert_int(mine, "revision", 2);
    assert_int(mine, "version", 1);
    assert_true(json_is_null(json_object_get(mine, "signed_at")));
    assert_true(json_is_null(json_object_get(mine, "signed")));
    assert_text(json_object_get(mine, "author"), "name", "Dr expert1");
    /* a draft is its author's alone */
    CN_AUTO_JSON json_t *theirs = get(&f, &f.p.referrer);
    assert_true(json_is_null(theirs));
    CN_AUTO_JSON json_t *others = get(&f, &f.p.second);
    assert_true(json_is_null(others));
    platform_close(&f.p);
}

static void test_who_may_draft(void **state)
{
    fixture f;
    int64_t revision = 0;
    set_up(&f, state, CN_STATE_AWAITING_REPORT);
    assert_err(draft(&f, &f.p.second, "x", 0, &revision), CN_ERR_FORBIDDEN);
    assert_err(draft(&f, &f.p.referrer, "x", 0, &revision), CN_ERR_FORBIDDEN);
    assert_err(draft(&f, &f.p.admin, "x", 0, &revision), CN_ERR_FORBIDDEN);
    assert_err(draft(&f, &f.p.third, "x", 0, &revision), CN_ERR_NOTFOUND);
    assert_err(draft(&f, &f.p.colleague, "x", 0, &revision), CN_ERR_NOTFOUND);
    assert_err(draft(&f, &f.p.nobody, "x", 0, &revision), CN_ERR_NOTFOUND);
    assert_err(sign(&f, &f.p.second), CN_ERR_FORBIDDEN);
    assert_err(sign(&f, &f.p.third), CN_ERR_NOTFOUND);
    json_t *report = NULL;
    assert_err(cn_report_get(f.p.c, &f.p.third, f.id, &report), CN_ERR_NOTFOUND);
    assert_null(report);
    assert_int_equal(platform_int(&f.p, "SELECT COUNT(*) FROM reports"), 0);
    assert_true(platform_int(&f.p, "SELECT COUNT(*) FROM audit_log WHERE action = 'report.draft' AND outcome = "
                                   "'denied'") >= 6);
    platform_close(&f.p);
}

static void test_bad_drafts(void **state)
{
    static const char *const bodies[] = {"{}",
                                         "{'revision': -1}",
                                         "{'revision': '1'}",
                                         "{'revision': 0, 'findings': 7}",
                                         "{'revision': 0, 'conclusion': 'a\\u0000b'}",
                                         "{'revision': 0, 'advice': 'a\\u0007b'}"};
    fixture f;
    int64_t revision = 0;
    set_up(&f, state, CN_STATE_AWAITING_REPORT);
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        char text[128];
        cn_strcpy(text, sizeof text, bodies[i]);
        for (char *s = text; *s; s++)
            if (*s == '\'') *s = '"';
        CN_AUTO_JSON json_t *body = json_loads(text, JSON_ALLOW_NUL, NULL);
        cn_problem problem = {0};
        assert_non_null(body);
        assert_err(cn_report_draft(f.p.c, &f.p.lead, f.id, body, &revision, &problem), CN_ERR_INVALID);
        assert_true(problem.field[0] != 0);
    }
    assert_int_equal(platform_int(&f.p, "SELECT COUNT(*) FROM reports"), 0);
    platform_close(&f.p);
}

static void test_sign(void **state)
{
    fixture f;
    int64_t revision = 0;
    set_up(&f, state, CN_STATE_AWAITING_REPORT);
    assert_err(sign(&f, &f.p.lead), CN_ERR_CONFLICT); /* nothing to sign */
    assert_ok(draft(&f, &f.p.lead, "  \n", 0, &revision));
    assert_err(sign(&f, &f.p.lead), CN_ERR_CONFLICT); /* says nothing */
    assert_int_equal(request_state(&f.p, f.id), CN_STATE_AWAITING_REPORT);
    assert_ok(draft(&f, &f.p.lead, "浸润性腺癌", 1, &revision));
    CN_AUTO_JSON json_t *stale = json_of("{'revision': 1}");
    cn_problem problem = {0};
    assert_err(cn_report_sign(f.p.c, &f.p.lead, f.id, stale, &problem), CN_ERR_CONFLICT);
    unsigned changes = f.p.changes;
    CN_AUTO_JSON json_t *seen = json_of("{'revision': 2}");
    assert_ok(cn_report_sign(f.p.c, &f.p.lead, f.id, seen, &problem));
    assert_int_equal(request_state(&f.p, f.id), CN_STATE_REPORTED);
    assert_int_equal(f.p.changes, changes + 1);
    assert_string_equal(f.p.last_state, "REPORTED");
    CN_AUTO_JSON json_t *report = get(&f, &f.p.referrer);
    assert_text(report, "conclusion", "浸润性腺癌");
    assert_true(json_integer_value(json_object_get(report, "signed_at")) > 0);
    assert_err(sign(&f, &f.p.lead), CN_ERR_CONFLICT);
    /* both steps are in the history, drafts are not */
    assert_int_equal(platform_int(&f.p, "SELECT COUNT(*) FROM request_history WHERE action = 'sign' AND from_state = "
                                        "'AWAITING_REPORT' AND to_state = 'WRITTEN'"),
                     1);
    assert_int_equal(platform_int(&f.p, "SELECT COUNT(*) FROM request_history WHERE action = 'release' AND from_state "
                                        "= 'WRITTEN' AND to_state = 'REPORTED'"),
                     1);
    assert_int_equal(platform_int(&f.p, "SELECT COUNT(*) FROM request_history WHERE action = 'draft'"), 0);
    assert_int_equal(platform_int(&f.p, "SELECT COUNT(*) FROM audit_log WHERE action = 'report.sign' AND outcome = "
                                        "'ok'"),
                     1);
    platform_close(&f.p);
}

static void test_policy_audit(void **state)
{
    fixture f;
    int64_t revision = 0;
    set_up(&f, state, CN_STATE_AWAITING_REPORT);
    platform_sql(&f.p, "INSERT INTO settings (key, value) VALUES ('" CN_REPORT_POLICY_KEY "', 'audit')");
    assert_ok(draft(&f, &f.p.lead, "一", 0, &revision));
    assert_ok(sign(&f, &f.p.lead));
    assert_int_equal(request_state(&f.p, f.id), CN_STATE_WRITTEN);
    assert_err(draft(&f, &f.p.lead, "二", revision, &revision), CN_ERR_STATE);
    platform_close(&f.p);
}

static void test_amendment(void **state)
{
    fixture f;
    int64_t revision = 0;
    set_up(&f, state, CN_STATE_REPORTED);
    /* goes on from the signed revision, as a new version that nobody else sees yet */
    assert_err(draft(&f, &f.p.lead, "更正", 0, &revision), CN_ERR_CONFLICT);
    assert_ok(draft(&f, &f.p.lead, "更正", 1, &revision));
    CN_AUTO_JSON json_t *mine = get(&f, &f.p.lead);
    assert_int(mine, "version", 2);
    assert_text(mine, "conclusion", "更正");
    assert_text(json_object_get(mine, "signed"), "conclusion", "结论");
    CN_AUTO_JSON json_t *before = get(&f, &f.p.referrer);
    assert_int(before, "version", 1);
    assert_text(before, "conclusion", "结论");
    assert_ok(sign(&f, &f.p.lead));
    assert_int_equal(request_state(&f.p, f.id), CN_STATE_REPORTED);
    CN_AUTO_JSON json_t *after = get(&f, &f.p.referrer);
    assert_int(after, "version", 2);
    assert_text(after, "conclusion", "更正");
    /* the first version is as it was signed */
    assert_int_equal(platform_int(&f.p, "SELECT COUNT(*) FROM reports WHERE version = 1 AND conclusion = '结论' AND "
                                        "signed_ms > 0"),
                     1);
    platform_close(&f.p);
}

static void test_closed_report_is_amended(void **state)
{
    fixture f;
    int64_t revision = 0;
    set_up(&f, state, CN_STATE_CLOSED);
    assert_int_equal(request_state(&f.p, f.id), CN_STATE_CLOSED);
    assert_ok(draft(&f, &f.p.lead, "更正", 1, &revision));
    assert_ok(sign(&f, &f.p.lead));
    assert_int_equal(request_state(&f.p, f.id), CN_STATE_CLOSED);
    assert_int_equal(platform_int(&f.p, "SELECT COUNT(*) FROM reports"), 2);
    platform_close(&f.p);
}

static void test_no_draft_too_early(void **state)
{
    fixture f;
    int64_t revision = 0;
    set_up(&f, state, CN_STATE_SCHEDULED);
    assert_ok(draft(&f, &f.p.lead, "一", 0, &revision)); /* prepares */
    assert_err(sign(&f, &f.p.lead), CN_ERR_STATE);       /* but nobody was seen yet */
    assert_int_equal(request_state(&f.p, f.id), CN_STATE_SCHEDULED);
    assert_int_equal(platform_int(&f.p, "SELECT COUNT(*) FROM reports WHERE signed_ms > 0"), 0);
    platform_close(&f.p);
}

static cn_err opinion(fixture *f, const cn_actor *a, const char *text)
{
    CN_AUTO_JSON json_t *body = json_pack("{s:s}", "text", text);
    cn_problem problem = {0};
    return cn_opinion_add(f->p.c, a, f->id, body, &problem);
}

static void test_opinions(void **state)
{
    fixture f;
    set_up(&f, state, CN_STATE_IN_SESSION);
    assert_ok(opinion(&f, &f.p.second, "同意"));
    assert_ok(opinion(&f, &f.p.second, "补充"));
    assert_err(opinion(&f, &f.p.second, ""), CN_ERR_INVALID);
    assert_err(opinion(&f, &f.p.referrer, "x"), CN_ERR_FORBIDDEN);
    assert_err(opinion(&f, &f.p.third, "x"), CN_ERR_NOTFOUND);
    CN_AUTO_JSON json_t *request = NULL;
    assert_ok(cn_request_get(f.p.c, &f.p.referrer, f.id, &request));
    const json_t *list = json_object_get(request, "opinions");
    assert_int_equal(json_array_size(list), 2);
    const json_t *first = json_array_get(list, 0);
    assert_text(first, "text", "同意");
    assert_text(json_object_get(first, "author"), "name", "Dr expert2");
    assert_true(json_integer_value(json_object_get(first, "at")) > 0);
    platform_close(&f.p);
}

static cn_err record(fixture *f, const cn_actor *a, const char *text)
{
    CN_AUTO_JSON json_t *body = json_pack("{s:s}", "text", text);
    cn_problem problem = {0};
    return cn_record_set(f->p.c, a, f->id, body, &problem);
}

static void test_record(void **state)
{
    fixture f;
    set_up(&f, state, CN_STATE_REPORTED);
    assert_err(request_do(&f.p, &f.p.referrer, f.id, "close", ""), CN_ERR_CONFLICT); /* no record yet */
    assert_err(record(&f, &f.p.lead, "x"), CN_ERR_FORBIDDEN);
    assert_err(record(&f, &f.p.colleague, "x"), CN_ERR_NOTFOUND);
    assert_ok(record(&f, &f.p.referrer, "一"));
    assert_ok(record(&f, &f.p.referrer, "二"));
    CN_AUTO_JSON json_t *request = NULL;
    assert_ok(cn_request_get(f.p.c, &f.p.referrer, f.id, &request));
    assert_text(request, "record", "二");
    assert_ok(request_do(&f.p, &f.p.referrer, f.id, "close", ""));
    assert_err(record(&f, &f.p.referrer, "三"), CN_ERR_STATE);
    platform_close(&f.p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CN_DB_TESTS(test_draft),        CN_DB_TESTS(test_who_may_draft),
        CN_DB_TESTS(test_bad_drafts),   CN_DB_TESTS(test_sign),
        CN_DB_TESTS(test_policy_audit), CN_DB_TESTS(test_amendment),
        CN_DB_TESTS(test_opinions),     CN_DB_TESTS(test_closed_report_is_amended),
        CN_DB_TESTS(test_record),       CN_DB_TESTS(test_no_draft_too_early),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
