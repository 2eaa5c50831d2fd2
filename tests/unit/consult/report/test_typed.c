/* A record or an opinion while somebody types it: kept for him alone, never over what another window kept, and gone once it was sent. */
#include "support_story.h"

#include "consult/report/report.h"
#include "consult/report/typed.h"

typedef struct fixture {
    platform p;
    char id[CN_ID_TEXT];
} fixture;

static void set_up(fixture *setup, void **state)
{
    platform_open(&setup->p, state);
    request_new(&setup->p, false, "李明", setup->id);
    request_until(&setup->p, setup->id, CN_STATE_REPORTED);
}

/* `text` NULL throws it away. */
static cn_err keep(fixture *setup, const cn_actor *actor, const char *kind, const char *text, int64_t revision)
{
    CN_AUTO_JSON json_t *body = json_pack("{s:I, s:s?}", "revision", (json_int_t)revision, "text", text);
    CN_AUTO_JSON json_t *out = NULL;
    cn_problem problem = {.err = CN_OK};
    cn_err err = cn_typed_set(setup->p.c, actor, setup->id, kind, body, &out, &problem);
    if (err == CN_OK) assert_int_equal(json_integer_value(json_object_get(out, "revision")), revision + 1);
    if (err == CN_ERR_CONFLICT) assert_string_equal(problem.field, "revision");
    return err;
}

/* What is kept, "" for nothing; `revision` must be the stored one. */
static const char *kept(fixture *setup, const cn_actor *actor, const char *kind, int64_t revision, char out[64])
{
    CN_AUTO_JSON json_t *draft = NULL;
    assert_ok(cn_typed_get(setup->p.c, actor, setup->id, kind, &draft));
    assert_int_equal(json_integer_value(json_object_get(draft, "revision")), revision);
    const char *text = json_string_value(json_object_get(draft, "text"));
    assert_non_null(json_string_value(json_object_get(draft, "sent")));
    cn_strcpy(out, 64, text ? text : "");
    return out;
}

static cn_err send(fixture *setup, const cn_actor *actor, const char *kind, int64_t draft)
{
    CN_AUTO_JSON json_t *body = json_pack("{s:s, s:I}", "text", "寄出", "draft", (json_int_t)draft);
    cn_problem problem = {.err = CN_OK};
    return (strcmp(kind, CN_TYPED_RECORD) == 0 ? cn_record_set : cn_opinion_add)(setup->p.c, actor, setup->id, body,
                                                                                 NULL, &problem);
}

static void test_kept_until_it_is_sent(void **state)
{
    fixture setup;
    char text[64];
    set_up(&setup, state);
    const struct {
        const cn_actor *who;
        const char *kind;
    } rows[] = {{&setup.p.referrer, CN_TYPED_RECORD}, {&setup.p.second, CN_TYPED_OPINION}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        unsigned told = setup.p.changes;
        assert_string_equal(kept(&setup, rows[i].who, rows[i].kind, 0, text), "");
        assert_ok(keep(&setup, rows[i].who, rows[i].kind, "第一行\n第二行", 0));
        assert_string_equal(kept(&setup, rows[i].who, rows[i].kind, 1, text), "第一行\n第二行");
        /* another window */
        assert_err(keep(&setup, rows[i].who, rows[i].kind, "x", 0), CN_ERR_CONFLICT);
        assert_err(send(&setup, rows[i].who, rows[i].kind, 0), CN_ERR_CONFLICT);
        assert_int_equal(setup.p.changes, told);
        assert_ok(send(&setup, rows[i].who, rows[i].kind, 1));
        assert_string_equal(kept(&setup, rows[i].who, rows[i].kind, 2, text), "");
        assert_err(keep(&setup, rows[i].who, rows[i].kind, "x", 1), CN_ERR_CONFLICT);
        /* thrown away */
        assert_ok(keep(&setup, rows[i].who, rows[i].kind, "y", 2));
        assert_ok(keep(&setup, rows[i].who, rows[i].kind, NULL, 3));
        assert_string_equal(kept(&setup, rows[i].who, rows[i].kind, 4, text), "");
    }
    assert_int_equal(platform_int(&setup.p, "SELECT COUNT(*) FROM requests WHERE record = '寄出'"), 1);
    assert_int_equal(platform_int(&setup.p, "SELECT COUNT(*) FROM opinions WHERE opinion = '寄出'"), 1);
    platform_close(&setup.p);
}

static void test_whose_it_is(void **state)
{
    fixture setup;
    char text[64];
    set_up(&setup, state);
    const struct {
        const cn_actor *who;
        const char *kind;
        cn_err err;
    } rows[] = {
        {&setup.p.referrer, CN_TYPED_RECORD, CN_OK},
        {&setup.p.referrer, CN_TYPED_OPINION, CN_ERR_FORBIDDEN},
        {&setup.p.colleague, CN_TYPED_RECORD, CN_ERR_NOTFOUND},
        {&setup.p.lead, CN_TYPED_OPINION, CN_OK},
        {&setup.p.second, CN_TYPED_OPINION, CN_OK},
        {&setup.p.second, CN_TYPED_RECORD, CN_ERR_FORBIDDEN},
        {&setup.p.third, CN_TYPED_OPINION, CN_ERR_NOTFOUND},
        {&setup.p.admin, CN_TYPED_RECORD, CN_ERR_FORBIDDEN},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        CN_AUTO_JSON json_t *draft = NULL;
        assert_err(keep(&setup, rows[i].who, rows[i].kind, "半句", 0), rows[i].err);
        assert_err(cn_typed_get(setup.p.c, rows[i].who, setup.id, rows[i].kind, &draft), rows[i].err);
    }
    /* sealed, and once it can be sent no more, what was typed can still be read */
    assert_int_equal(platform_int(&setup.p, "SELECT COUNT(*) FROM text_drafts"), 3);
    assert_ok(send(&setup, &setup.p.referrer, CN_TYPED_RECORD, 1));
    assert_ok(request_do(&setup.p, &setup.p.referrer, setup.id, "close", ""));
    assert_err(keep(&setup, &setup.p.second, CN_TYPED_OPINION, "x", 1), CN_ERR_STATE);
    assert_string_equal(kept(&setup, &setup.p.second, CN_TYPED_OPINION, 1, text), "半句");
    platform_close(&setup.p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CN_DB_TESTS(test_kept_until_it_is_sent),
        CN_DB_TESTS(test_whose_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
