#include "consult/report/figures.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

/* ---- who may ---- */

static cn_err may_illustrate(const cn_request_scope *scope, cn_problem *problem)
{
    cn_state next;
    cn_err err = cn_state_next("draft", scope->state, scope->urgent, scope->parts, &next);
    if (err == CN_ERR_STATE)
        return cn_problem_set(problem, err, "state", "no report can be written while the request is %s",
                              cn_state_name(scope->state));
    return err == CN_OK ? CN_OK : cn_problem_set(problem, err, "", "only the lead expert writes the report");
}

/* A slide of this very request. */
static cn_err check_slide(cn_conn *conn, const char *request, const char *file, cn_problem *problem)
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    if (!cn_id_valid(file))
        return cn_problem_set(problem, CN_ERR_NOTFOUND, "file", "this file is no slide of the request");
    CN_TRY(cn_db_query(conn, &rows,
                       "SELECT id FROM files WHERE id = $1 AND request_id = $2 AND kind = 'slide' AND deleted_ms = 0",
                       cn_text(file), cn_text(request)));
    if (cn_rows_next(rows)) return CN_OK;
    return cn_problem_set(problem, CN_ERR_NOTFOUND, "file", "this file is no slide of the request");
}

static cn_err may(cn_conn *conn, const cn_actor *actor, const char *request, const char *file, cn_problem *problem)
{
    cn_request_scope scope;
    CN_TRY(cn_request_scope_get(conn, actor, request, &scope));
    CN_TRY(may_illustrate(&scope, problem));
    return check_slide(conn, request, file, problem);
}

cn_err cn_figure_may(cn_consult *consult, const cn_actor *actor, const char *request, const char *file,
                     cn_problem *problem)
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_TRY(cn_conn_acquire(consult->db, &conn));
    return may(conn, actor, request, file, problem);
}

/* ---- adding ---- */

static cn_err insert(cn_conn *conn, const cn_actor *actor, const char *request, const cn_figure_new *figure,
                     const char *id)
{
    CN_AUTO_FREE char *place = json_dumps(figure->place, JSON_COMPACT);
    if (!place) return CN_ERR_NOMEM;
    return cn_db_exec(conn, NULL,
                      "INSERT INTO report_figures (id, request_id, file_id, author_id, sha256, place, created_ms) "
                      "VALUES ($1, $2, $3, $4, $5, $6, $7)",
                      cn_text(id), cn_text(request), cn_text(figure->file), cn_text(actor->user),
                      cn_text(figure->sha256), cn_text(place), cn_int(cn_wall_ms()));
}

static cn_err one_json(const char *id, const char *file, const char *sha256, const char *place, json_t **out)
{
    CN_AUTO_JSON json_t *where = json_loads(place, JSON_REJECT_DUPLICATES, NULL);
    *out = NULL;
    if (!json_is_object(where)) return CN_ERR_CORRUPT;
    *out = json_pack("{s:s, s:s, s:s}", "id", id, "file", file, "sha256", sha256);
    return *out && json_object_update(*out, where) == 0 ? CN_OK : CN_ERR_NOMEM;
}

static cn_err add(cn_act *act, const char *request, const cn_figure_new *figure, json_t **out, cn_problem *problem)
{
    char id[CN_ID_TEXT];
    cn_id_new(id);
    CN_TRY(may(act->conn, act->actor, request, figure->file, problem));
    CN_TRY(insert(act->conn, act->actor, request, figure, id));
    *out = json_pack("{s:s, s:s, s:s}", "id", id, "file", figure->file, "sha256", figure->sha256);
    return *out && json_object_update(*out, (json_t *)figure->place) == 0 ? CN_OK : CN_ERR_NOMEM;
}

cn_err cn_figure_add(cn_consult *consult, const cn_actor *actor, const char *request, const cn_figure_new *figure,
                     json_t **out, cn_problem *problem)
{
    cn_act act;
    char object[48];
    json_t *made = NULL;
    cn_fmt(object, sizeof(object), "request:%.26s", request);
    CN_TRY(cn_act_begin(&act, consult, actor));
    cn_err err = cn_act_end(&act, add(&act, request, figure, &made, problem), "report.figure", object, NULL);
    if (err == CN_OK)
        *out = made;
    else
        json_decref(made);
    return err;
}

/* ---- the picture ---- */

/* Whether a version that everybody sees shows it; its id stands nowhere else in that text. */
static cn_err is_released(cn_conn *conn, const char *request, const char *figure, bool *out)
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_db_query(conn, &rows, "SELECT figures FROM reports WHERE request_id = $1 AND signed_ms > 0",
                       cn_text(request)));
    *out = false;
    while (cn_rows_next(rows)) *out = *out || strstr(cn_rows_text(rows, 0), figure) != NULL;
    return CN_OK;
}

static cn_err find_object(cn_conn *conn, const cn_actor *actor, const char *request, const char *figure,
                          char sha256[65])
{
    cn_request_scope scope;
    bool released = false;
    CN_AUTO_ROWS cn_rows *rows = NULL;
    if (!cn_id_valid(figure)) return CN_ERR_NOTFOUND;
    CN_TRY(cn_request_scope_get(conn, actor, request, &scope));
    CN_TRY(is_released(conn, request, figure, &released));
    if (!released && !(scope.parts & CN_PART_LEAD)) return CN_ERR_NOTFOUND;
    CN_TRY(cn_db_query(conn, &rows, "SELECT sha256 FROM report_figures WHERE id = $1 AND request_id = $2",
                       cn_text(figure), cn_text(request)));
    if (!cn_rows_next(rows)) return CN_ERR_NOTFOUND;
    cn_strcpy(sha256, 65, cn_rows_text(rows, 0));
    return CN_OK;
}

cn_err cn_figure_object(cn_consult *consult, const cn_actor *actor, const char *request, const char *figure,
                        char sha256[65])
{
    char object[48];
    cn_err err;
    cn_fmt(object, sizeof(object), "request:%.26s", request);
    {
        CN_AUTO_CONN cn_conn *conn = NULL;
        CN_TRY(cn_conn_acquire(consult->db, &conn));
        err = find_object(conn, actor, request, figure, sha256);
    }
    if (err == CN_ERR_NOTFOUND) cn_audit_note(consult, actor, "report.figure.read", object, "denied", NULL);
    return err;
}

/* ---- what a version shows ---- */

static cn_err load_all(cn_conn *conn, const char *request, json_t **out)
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_AUTO_JSON json_t *all = json_object();
    CN_TRY(cn_db_query(conn, &rows, "SELECT id, file_id, sha256, place FROM report_figures WHERE request_id = $1",
                       cn_text(request)));
    while (cn_rows_next(rows)) {
        json_t *one = NULL;
        cn_err err =
            one_json(cn_rows_text(rows, 0), cn_rows_text(rows, 1), cn_rows_text(rows, 2), cn_rows_text(rows, 3), &one);
        if (err == CN_OK && json_object_set(all, cn_rows_text(rows, 0), one) < 0) err = CN_ERR_NOMEM;
        json_decref(one);
        CN_TRY(err);
    }
    *out = json_incref(all);
    return CN_OK;
}

/* One of `figures`, checked, onto the list that is stored; each picture once. */
static cn_err take_one(const json_t *given, const json_t *all, json_t *kept, cn_problem *problem)
{
    const char *id = NULL, *caption = "";
    size_t i;
    const json_t *other;
    if (!json_is_object(given)) return cn_problem_set(problem, CN_ERR_INVALID, "figures", "each figure is an object");
    CN_TRY(cn_json_str(given, "id", true, 1, CN_ID_TEXT, &id, problem));
    CN_TRY(cn_json_str(given, "caption", false, 0, CN_FIGURE_CAPTION, &caption, problem));
    json_t *known = json_object_get(all, id);
    if (!known) return cn_problem_set(problem, CN_ERR_INVALID, "figures", "there is no such picture of this request");
    json_array_foreach(kept, i, other)
    {
        if (strcmp(json_string_value(json_object_get(other, "id")), id) == 0)
            return cn_problem_set(problem, CN_ERR_INVALID, "figures", "the same picture stands there twice");
    }
    /* with its hash: a signature fixes the pixels, too */
    json_t *row =
        json_pack("{s:s, s:s, s:O}", "id", id, "caption", caption, "sha256", json_object_get(known, "sha256"));
    return json_array_append_new(kept, row) < 0 ? CN_ERR_NOMEM : CN_OK;
}

cn_err cn_figures_take(cn_conn *conn, const char *request, const json_t *body, const char *before, char **out,
                       cn_problem *problem)
{
    json_t *list = NULL;
    const json_t *given;
    size_t i;
    CN_AUTO_JSON json_t *all = NULL, *kept = json_array();
    CN_TRY(cn_json_arr(body, "figures", false, CN_FIGURES_MAX, &list, problem));
    if (!list) {
        *out = strdup(before);
        return *out ? CN_OK : CN_ERR_NOMEM;
    }
    CN_TRY(load_all(conn, request, &all));
    json_array_foreach(list, i, given) CN_TRY(take_one(given, all, kept, problem));
    *out = json_dumps(kept, JSON_COMPACT);
    return *out ? CN_OK : CN_ERR_NOMEM;
}

/* As stored, and where it is. */
static cn_err whole(const json_t *kept, const json_t *all, json_t **out)
{
    const char *id = json_string_value(json_object_get(kept, "id"));
    const json_t *known = id ? json_object_get(all, id) : NULL;
    if (!known) return CN_ERR_CORRUPT;
    *out = json_copy((json_t *)known);
    if (*out && json_object_update(*out, (json_t *)kept) == 0) return CN_OK;
    json_decref(*out);
    return CN_ERR_NOMEM;
}

cn_err cn_figures_json(cn_conn *conn, const char *request, const char *text, json_t **out)
{
    CN_AUTO_JSON json_t *list = json_loads(text, JSON_REJECT_DUPLICATES, NULL), *all = NULL, *found = json_array();
    const json_t *kept;
    size_t i;
    if (!json_is_array(list)) return CN_ERR_CORRUPT;
    if (json_array_size(list)) CN_TRY(load_all(conn, request, &all));
    json_array_foreach(list, i, kept)
    {
        json_t *one = NULL;
        CN_TRY(whole(kept, all, &one));
        if (json_array_append_new(found, one) < 0) return CN_ERR_NOMEM;
    }
    *out = json_incref(found);
    return CN_OK;
}
