/* Pictures of places on slides in a report: who may add and see them, and that a signature fixes which ones there are. */
#include "support_story.h"

#include "consult/report/figures.h"
#include "consult/report/report.h"

#define SLIDE "01ARZ3NDEKTSV4RRFFQ69G5FA1"
#define OTHER "01ARZ3NDEKTSV4RRFFQ69G5FA2"
#define SHA "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

typedef struct fixture {
    platform p;
    char id[CN_ID_TEXT], elsewhere[CN_ID_TEXT];
} fixture;

/* The row only, as request_consent does. */
static void add_slide(fixture *setup, const char *request, const char *file)
{
    char sql[512];
    cn_fmt(sql, sizeof(sql),
           "INSERT INTO files (id, request_id, category, name_sealed, type, kind, size, sha256, state, pdf_sha256, "
           "pages, uploaded_by, created_ms, deleted_ms) SELECT '%s', '%s', 'pathology', name_sealed, 'image/tiff', "
           "'slide', size, sha256, 'ready', '', 0, uploaded_by, created_ms, 0 FROM files LIMIT 1",
           file, request);
    platform_sql(&setup->p, sql);
}

static void set_up(fixture *setup, void **state, cn_state until)
{
    platform_open(&setup->p, state);
    request_new(&setup->p, false, "李明", setup->id);
    request_until(&setup->p, setup->id, until);
    request_new(&setup->p, false, "王芳", setup->elsewhere);
    add_slide(setup, setup->id, SLIDE);
    add_slide(setup, setup->elsewhere, OTHER);
}

static cn_err add(fixture *setup, const cn_actor *actor, const char *file, char id[CN_ID_TEXT])
{
    CN_AUTO_JSON json_t *place = json_pack("{s:f, s:f, s:f, s:f}", "cx", 10.0, "cy", 20.0, "w", 30.0, "h", 40.0);
    const cn_figure_new figure = {.file = file, .sha256 = SHA, .place = place};
    cn_problem problem = {0};
    json_t *made = NULL;
    cn_err err = cn_figure_add(setup->p.c, actor, setup->id, &figure, &made, &problem);
    if (err == CN_OK) cn_strcpy(id, CN_ID_TEXT, json_string_value(json_object_get(made, "id")));
    json_decref(made);
    return err;
}

static cn_err see(fixture *setup, const cn_actor *actor, const char *figure)
{
    char sha256[65] = "";
    cn_err err = cn_figure_object(setup->p.c, actor, setup->id, figure, sha256);
    if (err == CN_OK) assert_string_equal(sha256, SHA);
    return err;
}

/* `figures` with ' for ", NULL: the body does not speak of pictures. */
static cn_err draft(fixture *setup, const char *figures, int64_t revision)
{
    CN_AUTO_JSON json_t *body = json_pack("{s:s, s:s, s:s, s:I}", "findings", "所见", "conclusion", "结论", "reason",
                                          "补充", "revision", (json_int_t)revision);
    int64_t now = 0;
    cn_problem problem = {0};
    if (figures) json_object_set_new(body, "figures", json_of(figures));
    return cn_report_draft(setup->p.c, &setup->p.lead, setup->id, body, &now, &problem);
}

static void sign(fixture *setup)
{
    cn_problem problem = {0};
    assert_ok(cn_report_sign(setup->p.c, &setup->p.lead, setup->id, NULL, NULL, &problem));
}

static void test_who_may_add(void **state)
{
    fixture setup;
    char id[CN_ID_TEXT];
    set_up(&setup, state, CN_STATE_AWAITING_REPORT);
    assert_err(add(&setup, &setup.p.second, SLIDE, id), CN_ERR_FORBIDDEN);
    assert_err(add(&setup, &setup.p.referrer, SLIDE, id), CN_ERR_FORBIDDEN);
    assert_err(add(&setup, &setup.p.admin, SLIDE, id), CN_ERR_FORBIDDEN);
    assert_err(add(&setup, &setup.p.third, SLIDE, id), CN_ERR_NOTFOUND);
    assert_err(add(&setup, &setup.p.colleague, SLIDE, id), CN_ERR_NOTFOUND);
    assert_err(add(&setup, &setup.p.nobody, SLIDE, id), CN_ERR_NOTFOUND);
    /* another request's slide, and what is none: as if it were not there */
    assert_err(add(&setup, &setup.p.lead, OTHER, id), CN_ERR_NOTFOUND);
    assert_err(add(&setup, &setup.p.lead, "x' OR '1'='1", id), CN_ERR_NOTFOUND);
    assert_int_equal(platform_int(&setup.p, "SELECT COUNT(*) FROM report_figures"), 0);
    assert_ok(add(&setup, &setup.p.lead, SLIDE, id));
    assert_int_equal(platform_int(&setup.p, "SELECT COUNT(*) FROM report_figures"), 1);
    platform_close(&setup.p);
}

static void test_seen_once_signed(void **state)
{
    fixture setup;
    char shown[CN_ID_TEXT], left[CN_ID_TEXT], figures[128];
    set_up(&setup, state, CN_STATE_AWAITING_REPORT);
    assert_ok(add(&setup, &setup.p.lead, SLIDE, shown));
    assert_ok(add(&setup, &setup.p.lead, SLIDE, left));
    cn_fmt(figures, sizeof(figures), "[{'id': '%s', 'caption': '腺体'}]", shown);
    assert_ok(draft(&setup, figures, 0));
    /* a draft's are its author's */
    assert_ok(see(&setup, &setup.p.lead, shown));
    assert_err(see(&setup, &setup.p.referrer, shown), CN_ERR_NOTFOUND);
    assert_err(see(&setup, &setup.p.second, shown), CN_ERR_NOTFOUND);
    sign(&setup);
    assert_ok(see(&setup, &setup.p.referrer, shown));
    assert_ok(see(&setup, &setup.p.second, shown));
    assert_err(see(&setup, &setup.p.referrer, left), CN_ERR_NOTFOUND); /* in no version */
    assert_err(see(&setup, &setup.p.third, shown), CN_ERR_NOTFOUND);
    assert_err(see(&setup, &setup.p.nobody, shown), CN_ERR_NOTFOUND);
    platform_close(&setup.p);
}

static void assert_caption(const json_t *version, size_t count, const char *caption)
{
    const json_t *figures = json_object_get(version, "figures");
    assert_int_equal(json_array_size(figures), count);
    if (count) assert_string_equal(json_string_value(json_object_get(json_array_get(figures, 0), "caption")), caption);
}

static void test_signed_stays(void **state)
{
    fixture setup;
    char id[CN_ID_TEXT], figures[128];
    json_t *list = NULL;
    set_up(&setup, state, CN_STATE_AWAITING_REPORT);
    assert_ok(add(&setup, &setup.p.lead, SLIDE, id));
    cn_fmt(figures, sizeof(figures), "[{'id': '%s', 'caption': '一'}]", id);
    assert_ok(draft(&setup, figures, 0));
    sign(&setup);
    /* an amendment begins with them, and may do without */
    assert_ok(draft(&setup, NULL, 1));
    CN_AUTO_JSON json_t *amended = NULL;
    assert_ok(cn_report_get(setup.p.c, &setup.p.lead, setup.id, &amended));
    assert_caption(amended, 1, "一");
    assert_ok(draft(&setup, "[]", 2));
    sign(&setup);
    assert_ok(cn_report_versions(setup.p.c, &setup.p.referrer, setup.id, &list));
    assert_int_equal(json_array_size(list), 2);
    assert_caption(json_array_get(list, 0), 1, "一");
    assert_caption(json_array_get(list, 1), 0, "");
    json_decref(list);
    assert_ok(see(&setup, &setup.p.referrer, id)); /* the first version still shows it */
    platform_close(&setup.p);
}

static void test_bad_lists(void **state)
{
    static const char *const lists[] = {"[7]",        "[{}]", "[{'id': 7}]", "[{'id': 'x'}]", "[{'id': '" SLIDE "'}]",
                                        "{'id': 'x'}"};
    fixture setup;
    char id[CN_ID_TEXT], twice[192];
    set_up(&setup, state, CN_STATE_AWAITING_REPORT);
    assert_ok(add(&setup, &setup.p.lead, SLIDE, id));
    for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) assert_err(draft(&setup, lists[i], 0), CN_ERR_INVALID);
    cn_fmt(twice, sizeof(twice), "[{'id': '%s'}, {'id': '%s'}]", id, id);
    assert_err(draft(&setup, twice, 0), CN_ERR_INVALID);
    assert_int_equal(platform_int(&setup.p, "SELECT COUNT(*) FROM reports"), 0);
    platform_close(&setup.p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CN_DB_TESTS(test_who_may_add),
        CN_DB_TESTS(test_seen_once_signed),
        CN_DB_TESTS(test_signed_stays),
        CN_DB_TESTS(test_bad_lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
