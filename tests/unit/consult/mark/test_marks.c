/* Drawings on a picture: whose they are to see and to change, there once however often they are sent, kept as they are when the request is
 * over, their words sealed; and as GeoJSON. */
#include "support_story.h"

#include <math.h>

#include "consult/mark/geojson.h"
#include "consult/mark/marks.h"

typedef struct glass {
    platform rig;
    char request[CN_ID_TEXT], file[CN_ID_TEXT];
} glass;

static void file_row(glass *own, const char *kind, char file[CN_ID_TEXT])
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_AUTO_FREE void *name = NULL;
    char place[64];
    size_t n = 0;
    cn_id_new(file);
    snprintf(place, sizeof place, "files.name:%s", file);
    assert_ok(cn_vault_seal(own->rig.s->vault, place, "A1.svs", &name, &n));
    assert_ok(cn_conn_acquire(own->rig.c->db, &conn));
    assert_ok(cn_db_exec(conn, NULL,
                         "INSERT INTO files (id, request_id, category, name_sealed, type, kind, size, sha256, state, "
                         "pdf_sha256, pages, uploaded_by, created_ms, deleted_ms) VALUES ($1, $2, 'pathology', $3, "
                         "'image/tiff', $4, 5, 'ab', 'ready', '', 1, $5, 1, 0)",
                         cn_text(file), cn_text(own->request), cn_blob(name, n), cn_text(kind),
                         cn_text(own->rig.referrer.user)));
}

static void glass_open(glass *own, void **state)
{
    platform_open(&own->rig, state);
    request_new(&own->rig, false, "张三", own->request);
    request_until(&own->rig, own->request, CN_STATE_SCHEDULED);
    file_row(own, "slide", own->file);
}

#define AREA "{'id': 'a1', 'kind': 'area', 'points': [[0, 0], [30, 0], [30, 40.5]], 'colour': '#00aaff', 'text': '%s'}"

static cn_err draw_on(glass *own, const cn_actor *actor, const char *file, const char *body, char mark[CN_ID_TEXT],
                      bool *fresh)
{
    CN_AUTO_JSON json_t *object = json_of(body), *out = NULL;
    cn_problem problem = {.err = CN_OK};
    bool made = false;
    cn_err err = cn_mark_add(own->rig.c, actor, file, object, &out, &made, &problem);
    if (err == CN_OK && mark) cn_strcpy(mark, CN_ID_TEXT, json_string_value(json_object_get(out, "id")));
    if (fresh) *fresh = made;
    return err;
}

static cn_err draw(glass *own, const cn_actor *actor, const char *text, char mark[CN_ID_TEXT], bool *fresh)
{
    char body[512];
    snprintf(body, sizeof body, AREA, text);
    return draw_on(own, actor, own->file, body, mark, fresh);
}

static cn_err redraw(glass *own, const cn_actor *actor, const char *mark, int revision, const char *points)
{
    char body[512];
    CN_AUTO_JSON json_t *out = NULL;
    cn_problem problem = {.err = CN_OK};
    snprintf(body, sizeof body, "{'revision': %d, 'kind': 'area', 'points': %s, 'colour': '#112233', 'text': 'other'}",
             revision, points);
    CN_AUTO_JSON json_t *object = json_of(body);
    cn_err err = cn_mark_set(own->rig.c, actor, own->file, mark, object, &out, &problem);
    if (err == CN_ERR_CONFLICT) assert_string_equal(problem.field, "revision");
    return err;
}

static cn_err wipe(glass *own, const cn_actor *actor, const char *mark, int64_t revision, int64_t *now)
{
    cn_problem problem = {.err = CN_OK};
    *now = revision;
    return cn_mark_delete(own->rig.c, actor, own->file, mark, now, &problem);
}

static json_t *seen_by(glass *own, const cn_actor *actor)
{
    json_t *out = NULL;
    assert_ok(cn_marks_get(own->rig.c, actor, own->file, true, &out));
    return out;
}

static json_t *first_of(json_t *found)
{
    return json_array_get(json_object_get(found, "marks"), 0);
}

static size_t count_for(glass *own, const cn_actor *actor)
{
    CN_AUTO_JSON json_t *found = seen_by(own, actor);
    return json_array_size(json_object_get(found, "marks"));
}

static bool may_write(glass *own, const cn_actor *actor)
{
    CN_AUTO_JSON json_t *found = seen_by(own, actor);
    return json_is_true(json_object_get(found, "may_write"));
}

static void drawn_changed_deleted_brought_back(void **state)
{
    glass own;
    char mark[CN_ID_TEXT], again[CN_ID_TEXT];
    bool fresh = false;
    int64_t now = 0;
    glass_open(&own, state);
    assert_ok(draw(&own, &own.rig.lead, "病灶", mark, &fresh));
    assert_true(fresh);
    assert_ok(draw(&own, &own.rig.lead, "病灶", again, &fresh));
    assert_false(fresh);
    assert_string_equal(mark, again);
    {
        CN_AUTO_JSON json_t *found = seen_by(&own, &own.rig.referrer);
        const json_t *one = first_of(found);
        assert_int_equal(json_array_size(json_object_get(found, "marks")), 1);
        assert_string_equal(json_string_value(json_object_get(one, "text")), "病灶");
        assert_string_equal(json_string_value(json_object_get(one, "client")), "a1");
        assert_false(json_is_true(json_object_get(one, "own")));
        assert_string_equal(json_string_value(json_object_get(json_object_get(one, "author"), "id")),
                            own.rig.lead.user);
        assert_true(json_real_value(json_array_get(json_array_get(json_object_get(one, "points"), 2), 1)) == 40.5);
    }
    assert_err(redraw(&own, &own.rig.lead, mark, 2, "[[0, 0], [1, 0], [1, 1]]"), CN_ERR_CONFLICT);
    assert_err(redraw(&own, &own.rig.lead, mark, 1, "[[0, 0], [1, 0]]"), CN_ERR_INVALID);
    assert_ok(redraw(&own, &own.rig.lead, mark, 1, "[[0, 0], [1, 0], [1, 1]]"));
    assert_err(wipe(&own, &own.rig.lead, mark, 1, &now), CN_ERR_CONFLICT);
    assert_ok(wipe(&own, &own.rig.lead, mark, 2, &now));
    assert_int_equal(now, 3);
    assert_int_equal(count_for(&own, &own.rig.lead), 0);
    assert_ok(wipe(&own, &own.rig.lead, mark, 2, &now));
    assert_int_equal(now, 3);
    assert_ok(redraw(&own, &own.rig.lead, mark, 3, "[[0, 0], [1, 0], [1, 1]]"));
    assert_int_equal(count_for(&own, &own.rig.lead), 1);
    platform_close(&own.rig);
}

static void whose_it_is(void **state)
{
    glass own;
    char mark[CN_ID_TEXT];
    int64_t now = 0;
    json_t *out = NULL;
    glass_open(&own, state);
    assert_ok(draw(&own, &own.rig.lead, "a", mark, NULL));
    assert_ok(draw(&own, &own.rig.referrer, "b", NULL, NULL));
    assert_ok(draw(&own, &own.rig.second, "c", NULL, NULL));
    assert_int_equal(count_for(&own, &own.rig.admin), 3);
    assert_false(may_write(&own, &own.rig.admin));
    assert_true(may_write(&own, &own.rig.second));
    assert_err(draw(&own, &own.rig.admin, "d", NULL, NULL), CN_ERR_FORBIDDEN);
    assert_err(draw(&own, &own.rig.third, "d", NULL, NULL), CN_ERR_NOTFOUND);
    assert_err(cn_marks_get(own.rig.c, &own.rig.third, own.file, true, &out), CN_ERR_NOTFOUND);
    assert_err(redraw(&own, &own.rig.referrer, mark, 1, "[[0, 0], [1, 0], [1, 1]]"), CN_ERR_FORBIDDEN);
    assert_err(wipe(&own, &own.rig.second, mark, 1, &now), CN_ERR_FORBIDDEN);
    assert_err(redraw(&own, &own.rig.lead, own.file, 1, "[[0, 0], [1, 0], [1, 1]]"), CN_ERR_NOTFOUND);
    assert_int_equal(
        platform_int(&own.rig, "SELECT COUNT(*) FROM audit_log WHERE action = 'mark.add' AND outcome = 'ok'"), 3);
    assert_int_equal(
        platform_int(&own.rig, "SELECT COUNT(*) FROM audit_log WHERE action = 'mark.change' AND outcome = 'denied'"),
        2);
    platform_close(&own.rig);
}

static void only_on_pictures(void **state)
{
    glass own;
    char other[CN_ID_TEXT];
    char body[512];
    snprintf(body, sizeof body, AREA, "");
    glass_open(&own, state);
    file_row(&own, "document", other);
    assert_err(draw_on(&own, &own.rig.lead, other, body, NULL, NULL), CN_ERR_NOTFOUND);
    file_row(&own, "image", other);
    assert_ok(draw_on(&own, &own.rig.lead, other, body, NULL, NULL));
    assert_err(draw_on(&own, &own.rig.lead, "01ARZ3NDEKTSV4RRFFQ69G5FAV", body, NULL, NULL), CN_ERR_NOTFOUND);
    platform_close(&own.rig);
}

/* Beside a signed report, which may be amended, one may still draw; once all is over nobody may, its author neither. */
static void kept_as_it_is_at_the_end(void **state)
{
    glass own;
    char mark[CN_ID_TEXT];
    int64_t now = 0;
    glass_open(&own, state);
    assert_ok(draw(&own, &own.rig.lead, "a", mark, NULL));
    platform_sql(&own.rig, "UPDATE requests SET state = 'REPORTED'");
    assert_ok(redraw(&own, &own.rig.lead, mark, 1, "[[0, 0], [1, 0], [1, 1]]"));
    platform_sql(&own.rig, "UPDATE requests SET state = 'CLOSED'");
    assert_false(may_write(&own, &own.rig.lead));
    assert_int_equal(count_for(&own, &own.rig.lead), 1);
    assert_err(redraw(&own, &own.rig.lead, mark, 2, "[[0, 0], [1, 0], [1, 1]]"), CN_ERR_STATE);
    assert_err(wipe(&own, &own.rig.lead, mark, 2, &now), CN_ERR_STATE);
    assert_err(draw(&own, &own.rig.referrer, "b", NULL, NULL), CN_ERR_STATE);
    platform_close(&own.rig);
}

static void every_change_is_another_version(void **state)
{
    glass own;
    char mark[CN_ID_TEXT], seen[5][CN_MARKS_VERSION];
    int64_t now = 0;
    glass_open(&own, state);
    assert_ok(cn_marks_version(own.rig.c, &own.rig.lead, own.file, seen[0]));
    assert_ok(draw(&own, &own.rig.lead, "a", mark, NULL));
    assert_ok(cn_marks_version(own.rig.c, &own.rig.lead, own.file, seen[1]));
    assert_ok(redraw(&own, &own.rig.lead, mark, 1, "[[0, 0], [1, 0], [1, 1]]"));
    assert_ok(cn_marks_version(own.rig.c, &own.rig.lead, own.file, seen[2]));
    assert_ok(wipe(&own, &own.rig.lead, mark, 2, &now));
    assert_ok(cn_marks_version(own.rig.c, &own.rig.lead, own.file, seen[3]));
    platform_sql(&own.rig, "UPDATE requests SET state = 'CLOSED'");
    assert_ok(cn_marks_version(own.rig.c, &own.rig.lead, own.file, seen[4]));
    for (size_t i = 0; i < 5; i++)
        for (size_t other = 0; other < i; other++) assert_string_not_equal(seen[i], seen[other]);
    assert_err(cn_marks_version(own.rig.c, &own.rig.third, own.file, seen[0]), CN_ERR_NOTFOUND);
    platform_close(&own.rig);
}

static void a_bound_of_bytes(void **state)
{
    glass own;
    glass_open(&own, state);
    assert_ok(draw(&own, &own.rig.lead, "a", NULL, NULL));
    for (int doubled = 0; doubled < 11; doubled++) {
        char sql[400];
        snprintf(sql, sizeof sql,
                 "INSERT INTO marks SELECT id || '%d', file_id, author_id, client_id || '-%d', kind, points, colour, "
                 "NULL, z, 1, 1, 1, 0 FROM marks",
                 doubled, doubled);
        platform_sql(&own.rig, sql);
    }
    assert_err(draw(&own, &own.rig.referrer, "b", NULL, NULL), CN_ERR_STATE);
    platform_close(&own.rig);
}

static void nothing_of_it_is_readable(void **state)
{
    glass own;
    size_t n = 0;
    glass_open(&own, state);
    assert_ok(draw(&own, &own.rig.lead, "PLAINTEXT", NULL, NULL));
    assert_int_equal(platform_int(&own.rig, "SELECT COUNT(*) FROM audit_log WHERE detail LIKE '%PLAINTEXT%'"), 0);
    {
        CN_AUTO_CONN cn_conn *conn = NULL;
        CN_AUTO_ROWS cn_rows *rows = NULL;
        assert_ok(cn_conn_acquire(own.rig.c->db, &conn));
        assert_ok(cn_db_query_v(conn, &rows, "SELECT text_sealed FROM marks", NULL, 0));
        assert_true(cn_rows_next(rows));
        const char *sealed = cn_rows_blob(rows, 0, &n);
        assert_true(n > 9);
        for (size_t i = 0; i + 9 <= n; i++) assert_memory_not_equal(sealed + i, "PLAINTEXT", 9);
    }
    platform_close(&own.rig);
}

static double measured(const json_t *collection, size_t at, const char *name)
{
    const json_t *properties =
        json_object_get(json_array_get(json_object_get(collection, "features"), at), "properties");
    const json_t *value = json_object_get(json_object_get(properties, "measurements"), name);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static void as_geojson(void **state)
{
    static const char *const drawn[] = {
        "{'id': 'a', 'kind': 'area', 'points': [[0, 0], [0, 20], [30, 20], [30, 0]], 'colour': '#ff8000'}",
        "{'id': 'b', 'kind': 'distance', 'points': [[0, 0], [3, 4]], 'colour': '#00aaff'}",
        "{'id': 'c', 'kind': 'count', 'points': [[1, 1], [50, 50]], 'colour': '#00aaff', 'text': 'mitosis'}",
        "{'id': 'd', 'kind': 'frame_circle', 'points': [[0, 0], [9, 0], [9, 9], [0, 9]], 'colour': '#00aaff'}",
        "{'id': 'e', 'kind': 'frame_square', 'points': [[0, 0], [9, 0], [9, 9], [0, 9]], 'colour': '#00aaff'}",
        "{'id': 'f', 'kind': 'text', 'points': [[4, 5]], 'colour': '#00aaff', 'text': 'here'}",
        "{'id': 'g', 'kind': 'angle', 'points': [[4, 0], [0, 0], [0, 5]], 'colour': '#00aaff'}",
    };
    glass own;
    glass_open(&own, state);
    for (size_t i = 0; i < COUNT_OF(drawn); i++)
        assert_ok(draw_on(&own, &own.rig.lead, own.file, drawn[i], NULL, NULL));
    CN_AUTO_JSON json_t *found = seen_by(&own, &own.rig.lead), *scaled = NULL, *plain = NULL;
    assert_ok(cn_marks_geojson(json_object_get(found, "marks"), 0.5, &scaled));
    assert_ok(cn_marks_geojson(json_object_get(found, "marks"), 0, &plain));
    assert_int_equal(json_array_size(json_object_get(scaled, "features")), COUNT_OF(drawn));
    const json_t *first = json_array_get(json_object_get(scaled, "features"), 0);
    const json_t *ring = json_array_get(json_object_get(json_object_get(first, "geometry"), "coordinates"), 0);
    assert_int_equal(json_array_size(ring), 5);
    assert_true(json_equal(json_array_get(ring, 0), json_array_get(ring, 4)));
    const json_t *class = json_object_get(json_object_get(first, "properties"), "classification");
    assert_string_equal(json_string_value(json_object_get(class, "name")), "Area");
    assert_int_equal(json_integer_value(json_array_get(json_object_get(class, "color"), 1)), 128);
    assert_true(measured(scaled, 0, "Area µm^2") == 150);
    assert_true(measured(scaled, 0, "Perimeter µm") == 50);
    assert_true(measured(plain, 0, "Area px^2") == 600);
    assert_true(measured(scaled, 1, "Length µm") == 2.5);
    assert_true(measured(scaled, 2, "Count") == 2);
    assert_true(measured(scaled, 3, "Count") == 0);
    assert_true(measured(scaled, 4, "Count") == 1);
    assert_true(measured(scaled, 6, "Angle °") == 90);
    platform_close(&own.rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CN_DB_TESTS(drawn_changed_deleted_brought_back),
        CN_DB_TESTS(whose_it_is),
        CN_DB_TESTS(only_on_pictures),
        CN_DB_TESTS(kept_as_it_is_at_the_end),
        CN_DB_TESTS(every_change_is_another_version),
        CN_DB_TESTS(a_bound_of_bytes),
        CN_DB_TESTS(nothing_of_it_is_readable),
        CN_DB_TESTS(as_geojson),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
