/* The form while somebody types: kept for him alone, whatever is half-written, and never over what another window kept. */
#include "support_story.h"

#include "consult/request/draft.h"

static const char half[] =
    "{'urgency': 'urgent', 'patient': {'name': '王', 'identity_number': '1101'}, 'diagnosis': '', "
    "'question': '第一行\\n第二行', 'colour': 'red'}";

/* `form` NULL throws it away. */
static cn_err keep(platform *rig, const cn_actor *actor, const char *id, const char *form, int64_t revision)
{
    CN_AUTO_JSON json_t *body = json_object(), *out = NULL;
    json_object_set_new(body, "revision", json_integer(revision));
    json_object_set_new(body, "form", form ? json_of(form) : json_null());
    cn_problem problem = {.err = CN_OK};
    cn_err err = cn_form_draft_set(rig->c, actor, id, body, &out, &problem);
    if (err == CN_OK) assert_int_equal(json_integer_value(json_object_get(out, "revision")), revision + 1);
    if (err == CN_ERR_CONFLICT) assert_string_equal(problem.field, "revision");
    return err;
}

/* The kept form's question; NULL: there is none. `revision` must be the stored one. */
static const char *question(platform *rig, const cn_actor *actor, const char *id, int64_t revision, char out[64])
{
    CN_AUTO_JSON json_t *draft = NULL;
    assert_ok(cn_form_draft_get(rig->c, actor, id, &draft));
    assert_int_equal(json_integer_value(json_object_get(draft, "revision")), revision);
    const json_t *form = json_object_get(draft, "form");
    if (json_is_null(form)) return NULL;
    assert_null(json_object_get(form, "colour"));
    cn_strcpy(out, 64, json_string_value(json_object_get(form, "question")));
    return out;
}

static void half_written_is_kept(void **state)
{
    platform rig;
    char text[64];
    platform_open(&rig, state);
    assert_null(question(&rig, &rig.referrer, "new", 0, text));
    assert_ok(keep(&rig, &rig.referrer, "new", half, 0));
    assert_string_equal(question(&rig, &rig.referrer, "new", 1, text), "第一行\n第二行");
    /* nobody else's, nobody told, no number, no request, and nothing of it readable in the database */
    assert_null(question(&rig, &rig.colleague, "new", 0, text));
    assert_int_equal(rig.changes, 0);
    assert_int_equal(platform_int(&rig, "SELECT COUNT(*) FROM requests"), 0);
    assert_int_equal(platform_int(&rig, "SELECT COUNT(*) FROM request_numbers"), 0);
    assert_int_equal(platform_int(&rig, "SELECT COUNT(*) FROM form_drafts WHERE request_id = ''"), 1);
    /* thrown away */
    assert_ok(keep(&rig, &rig.referrer, "new", NULL, 1));
    assert_null(question(&rig, &rig.referrer, "new", 2, text));
    platform_close(&rig);
}

static void two_windows(void **state)
{
    platform rig;
    char text[64];
    platform_open(&rig, state);
    assert_ok(keep(&rig, &rig.referrer, "new", half, 0));
    assert_err(keep(&rig, &rig.referrer, "new", "{'question': 'x'}", 0), CN_ERR_CONFLICT);
    assert_err(keep(&rig, &rig.referrer, "new", "{'question': 'x'}", 2), CN_ERR_CONFLICT);
    assert_string_equal(question(&rig, &rig.referrer, "new", 1, text), "第一行\n第二行");
    assert_ok(keep(&rig, &rig.referrer, "new", "{'question': 'x'}", 1));
    assert_string_equal(question(&rig, &rig.referrer, "new", 2, text), "x");
    platform_close(&rig);
}

static cn_err send_new(platform *rig, int64_t draft, char id[CN_ID_TEXT])
{
    CN_AUTO_JSON json_t *body = json_of("{'patient': {'name': '王五', 'sex': 'male'}, 'diagnosis': 'd', 'draft': 0}");
    cn_problem problem = {.err = CN_OK};
    json_object_set_new(body, "draft", json_integer(draft));
    return cn_request_create(rig->c, &rig->referrer, body, id, NULL, &problem);
}

static cn_err send_change(platform *rig, const char *id, const char *diagnosis, int64_t draft)
{
    CN_AUTO_JSON json_t *body = json_of("{'patient': {'name': '王五', 'sex': 'male'}}");
    cn_problem problem = {.err = CN_OK};
    json_object_set_new(body, "draft", json_integer(draft));
    json_object_set_new(body, "diagnosis", json_string(diagnosis));
    return cn_request_update(rig->c, &rig->referrer, id, body, NULL, &problem);
}

static void what_was_sent_is_no_draft(void **state)
{
    platform rig;
    char id[CN_ID_TEXT], other[CN_ID_TEXT] = "", text[64];
    platform_open(&rig, state);
    assert_ok(keep(&rig, &rig.referrer, "new", half, 0));
    assert_err(send_new(&rig, 0, other), CN_ERR_CONFLICT); /* a window that had not seen what was typed */
    assert_string_equal(question(&rig, &rig.referrer, "new", 1, text), "第一行\n第二行");
    assert_ok(send_new(&rig, 1, id));
    assert_null(question(&rig, &rig.referrer, "new", 2, text));
    assert_err(send_new(&rig, 1, other), CN_ERR_CONFLICT); /* the same one sent once more from another window */
    assert_string_equal(other, "");

    /* a change that was saved by hand, without a draft before it, is seen by the other window too */
    assert_ok(send_change(&rig, id, "first", 0));
    assert_err(send_change(&rig, id, "second", 0), CN_ERR_CONFLICT);
    assert_err(keep(&rig, &rig.referrer, id, half, 0), CN_ERR_CONFLICT);
    assert_int_equal(platform_int(&rig, "SELECT COUNT(*) FROM requests WHERE diagnosis = 'first'"), 1);
    assert_ok(keep(&rig, &rig.referrer, id, half, 1));
    assert_ok(send_change(&rig, id, "second", 2));
    assert_null(question(&rig, &rig.referrer, id, 3, text));
    platform_close(&rig);
}

static void whose_it_is(void **state)
{
    platform rig;
    char id[CN_ID_TEXT], text[64];
    platform_open(&rig, state);
    request_new(&rig, true, "张三", id);
    const struct {
        const cn_actor *who;
        cn_err kept, read;
    } cases[] = {
        {&rig.referrer, CN_OK, CN_OK},
        {&rig.colleague, CN_ERR_NOTFOUND, CN_ERR_NOTFOUND},
        {&rig.third, CN_ERR_FORBIDDEN, CN_ERR_FORBIDDEN}, /* an expert who might accept it */
        {&rig.admin, CN_ERR_FORBIDDEN, CN_ERR_FORBIDDEN},
        {&rig.nobody, CN_ERR_FORBIDDEN, CN_ERR_FORBIDDEN},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        CN_AUTO_JSON json_t *draft = NULL;
        assert_err(keep(&rig, cases[i].who, id, half, 0), cases[i].kept);
        assert_err(cn_form_draft_get(rig.c, cases[i].who, id, &draft), cases[i].read);
        if (cases[i].who != &rig.referrer)
            assert_err(keep(&rig, cases[i].who, "new", half, 0),
                       cases[i].who == &rig.colleague ? CN_OK : CN_ERR_FORBIDDEN);
    }
    assert_err(keep(&rig, &rig.referrer, "no-such-id", half, 0), CN_ERR_NOTFOUND);
    /* once it cannot be changed any more, what was typed can still be read */
    request_consent(&rig, id);
    assert_ok(request_do(&rig, &rig.referrer, id, "submit", ""));
    assert_err(keep(&rig, &rig.referrer, id, half, 1), CN_ERR_STATE);
    assert_string_equal(question(&rig, &rig.referrer, id, 1, text), "第一行\n第二行");
    platform_close(&rig);
}

/* An expert accepts an urgent request while its referrer is still writing. */
static void accepted_meanwhile(void **state)
{
    platform rig;
    char id[CN_ID_TEXT];
    platform_open(&rig, state);
    request_new(&rig, true, "张三", id);
    assert_ok(keep(&rig, &rig.referrer, id, half, 0));
    assert_ok(request_do(&rig, &rig.third, id, "accept", ""));
    assert_ok(keep(&rig, &rig.referrer, id, half, 1));
    assert_ok(send_change(&rig, id, "typed during the accept", 2));
    assert_int_equal(request_state(&rig, id), CN_STATE_IN_SESSION);
    assert_int_equal(platform_int(&rig, "SELECT urgent FROM requests"), 1); /* the form said nothing: ordinary */
    assert_int_equal(platform_int(&rig, "SELECT COUNT(*) FROM requests WHERE diagnosis LIKE 'typed during%'"), 1);
    assert_ok(request_do(&rig, &rig.third, id, "finish", ""));
    assert_err(send_change(&rig, id, "later", 3), CN_ERR_STATE);
    platform_close(&rig);
}

static void ordinary_is_closed_in_session(void **state)
{
    platform rig;
    char id[CN_ID_TEXT];
    platform_open(&rig, state);
    request_new(&rig, false, "张三", id);
    request_until(&rig, id, CN_STATE_IN_SESSION);
    assert_err(keep(&rig, &rig.referrer, id, half, 0), CN_ERR_STATE);
    assert_err(send_change(&rig, id, "later", 0), CN_ERR_STATE);
    platform_close(&rig);
}

/* ---- urgent ones that wait ---- */

static size_t waiting(platform *rig, const cn_actor *actor)
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_AUTO_JSON json_t *list = NULL;
    cn_problem problem = {.err = CN_OK};
    assert_ok(cn_conn_acquire(rig->c->db, &conn));
    assert_ok(cn_request_urgent(conn, actor, &list, &problem));
    CN_AUTO_FREE char *text = json_dumps(list, 0);
    assert_null(strstr(text, "张三"));
    return json_array_size(list);
}

static void urgent_ones_are_told(void **state)
{
    platform rig;
    char id[CN_ID_TEXT], ordinary[CN_ID_TEXT];
    platform_open(&rig, state);
    request_new(&rig, false, "张三", ordinary);
    assert_int_equal(rig.changes, 1);
    assert_false(rig.last_urgent);
    assert_int_equal(waiting(&rig, &rig.third), 0);
    request_new(&rig, true, "张三", id);
    assert_int_equal(rig.changes, 2);
    assert_true(rig.last_urgent);
    assert_int_equal(waiting(&rig, &rig.third), 1);
    assert_ok(send_change(&rig, id, "not urgent any more", 0));
    assert_true(rig.last_urgent); /* those who saw it are told */
    assert_int_equal(waiting(&rig, &rig.third), 0);
    request_new(&rig, true, "张三", id);
    assert_ok(request_do(&rig, &rig.second, id, "accept", ""));
    assert_true(rig.last_urgent);
    assert_int_equal(waiting(&rig, &rig.third), 0);
    {
        CN_AUTO_CONN cn_conn *conn = NULL;
        json_t *list = NULL;
        cn_problem problem = {.err = CN_OK};
        assert_ok(cn_conn_acquire(rig.c->db, &conn));
        assert_err(cn_request_urgent(conn, &rig.referrer, &list, &problem), CN_ERR_FORBIDDEN);
    }
    platform_close(&rig);
}

/* Nobody accepts: the centre sees it wait and names an expert, who is called until he has been in the room. */
static void the_centre_assigns_an_urgent_one(void **state)
{
    platform rig;
    char id[CN_ID_TEXT], ordinary[CN_ID_TEXT], body[128], sql[400];
    platform_open(&rig, state);
    request_new(&rig, true, "张三", id);
    request_new(&rig, false, "张三", ordinary);
    assert_int_equal(waiting(&rig, &rig.admin), 1);
    cn_fmt(body, sizeof body, "{'lead': '%s', 'experts': ['%s']}", rig.third.user, rig.second.user);
    assert_err(request_do(&rig, &rig.admin, ordinary, "assign", body), CN_ERR_STATE);
    assert_err(request_do(&rig, &rig.referrer, id, "assign", body), CN_ERR_FORBIDDEN);
    assert_err(request_do(&rig, &rig.third, id, "assign", body), CN_ERR_FORBIDDEN);
    assert_err(request_do(&rig, &rig.admin, id, "assign", "{'lead': 'nobody'}"), CN_ERR_INVALID);
    assert_int_equal(request_state(&rig, id), CN_STATE_UPLOADING);
    assert_ok(request_do(&rig, &rig.admin, id, "assign", body));
    assert_int_equal(request_state(&rig, id), CN_STATE_IN_SESSION);
    assert_true(rig.last_urgent);
    assert_int_equal(waiting(&rig, &rig.admin), 0);
    assert_int_equal(waiting(&rig, &rig.lead), 0);
    assert_int_equal(waiting(&rig, &rig.third), 1);
    assert_int_equal(waiting(&rig, &rig.second), 1);
    cn_fmt(sql, sizeof sql,
           "INSERT INTO rooms (id, request_id, title, opened_ms, closed_ms) VALUES ('room', '%s', '', 1, 0)", id);
    platform_sql(&rig, sql);
    cn_fmt(
        sql, sizeof sql,
        "INSERT INTO minute_ledger VALUES ('n', 'b', 1, 'room', '%s', 'p', '%s', '', 'person', 1, 1000, 0, 0, 0, 0, 1, "
        "'leave', '')",
        id, rig.third.user);
    platform_sql(&rig, sql);
    assert_int_equal(waiting(&rig, &rig.third), 0);
    assert_int_equal(waiting(&rig, &rig.second), 1);
    platform_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CN_DB_TESTS(half_written_is_kept),      CN_DB_TESTS(two_windows),
        CN_DB_TESTS(what_was_sent_is_no_draft), CN_DB_TESTS(whose_it_is),
        CN_DB_TESTS(accepted_meanwhile),        CN_DB_TESTS(ordinary_is_closed_in_session),
        CN_DB_TESTS(urgent_ones_are_told),      CN_DB_TESTS(the_centre_assigns_an_urgent_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
