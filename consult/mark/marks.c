#include "consult/mark/marks.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "consult/scope.h"

/* ---- rows to JSON ---- */

#define COLUMNS                                                                                                   \
    "m.id, m.client_id, m.kind, m.points, m.colour, m.text_sealed, m.z, m.revision, m.created_ms, m.changed_ms, " \
    "u.id, u.display_name FROM marks m JOIN users u ON u.id = m.author_id WHERE m.file_id = $1 AND m.deleted_ms = 0"

static bool place_of(const char *mark, char out[64])
{
    return cn_fmt(out, 64, "marks.text:%s", mark);
}

static cn_err open_words(cn_consult *consult, const cn_rows *rows, char **out)
{
    char place[64];
    size_t n = 0;
    const void *sealed = cn_rows_blob(rows, 5, &n);
    if (!place_of(cn_rows_text(rows, 0), place)) return CN_ERR_INVALID;
    return cn_vault_open_text(consult->vault, place, sealed, n, out);
}

static cn_err row_json(cn_consult *consult, const cn_actor *actor, const cn_rows *rows, json_t **out)
{
    char *words = NULL;
    const char *points = cn_rows_text(rows, 3);
    json_t *list = json_loads(points, 0, NULL);
    if (!list) return CN_ERR_CORRUPT;
    cn_err err = open_words(consult, rows, &words);
    if (err != CN_OK) {
        json_decref(list);
        return err;
    }
    *out =
        json_pack("{s:s, s:s, s:s, s:o, s:s, s:s, s:I, s:I, s:I, s:I, s:b, s:{s:s, s:s}}", "id", cn_rows_text(rows, 0),
                  "client", cn_rows_text(rows, 1), "kind", cn_rows_text(rows, 2), "points", list, "colour",
                  cn_rows_text(rows, 4), "text", words ? words : "", "z", (json_int_t)cn_rows_int(rows, 6), "revision",
                  (json_int_t)cn_rows_int(rows, 7), "created_at", (json_int_t)cn_rows_int(rows, 8), "changed_at",
                  (json_int_t)cn_rows_int(rows, 9), "own", strcmp(cn_rows_text(rows, 10), actor->user) == 0, "author",
                  "id", cn_rows_text(rows, 10), "name", cn_rows_text(rows, 11));
    if (words) cn_free_secret(words, strlen(words));
    return *out ? CN_OK : CN_ERR_NOMEM;
}

static cn_err list_json(cn_consult *consult, cn_conn *conn, const cn_actor *actor, const char *file, json_t **out)
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_AUTO_JSON json_t *list = json_array();
    CN_TRY(cn_db_query(conn, &rows, "SELECT " COLUMNS " ORDER BY m.created_ms, m.id", cn_text(file)));
    while (cn_rows_next(rows)) {
        json_t *one = NULL;
        CN_TRY(row_json(consult, actor, rows, &one));
        if (json_array_append_new(list, one) < 0) return CN_ERR_NOMEM;
    }
    *out = json_incref(list);
    return CN_OK;
}

static cn_err one_json(cn_act *act, const char *file, const char *mark, json_t **out)
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_db_query(act->conn, &rows, "SELECT " COLUMNS " AND m.id = $2", cn_text(file), cn_text(mark)));
    return cn_rows_next(rows) ? row_json(act->c, act->actor, rows, out) : CN_ERR_NOTFOUND;
}

/* ---- whose it is to see and to draw ---- */

static cn_err scope_of(cn_conn *conn, const cn_actor *actor, const char *file, cn_request_scope *scope)
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    if (!cn_id_valid(file)) return CN_ERR_NOTFOUND;
    CN_TRY(cn_db_query(
        conn, &rows,
        "SELECT request_id FROM files WHERE id = $1 AND deleted_ms = 0 AND (kind = 'slide' OR kind = 'image')",
        cn_text(file)));
    if (!cn_rows_next(rows)) return CN_ERR_NOTFOUND;
    return cn_request_scope_get(conn, actor, cn_rows_text(rows, 0), scope);
}

static bool is_over(const cn_request_scope *scope)
{
    return scope->state == CN_STATE_CLOSED || scope->state == CN_STATE_REJECTED || scope->state == CN_STATE_CANCELLED;
}

static bool takes_part(const cn_request_scope *scope)
{
    return (scope->parts & (CN_PART_REFERRER | CN_PART_EXPERT)) != 0;
}

static cn_err may_write(cn_act *act, const char *file, cn_problem *problem)
{
    cn_request_scope scope;
    CN_TRY(scope_of(act->conn, act->actor, file, &scope));
    if (!takes_part(&scope))
        return cn_problem_set(problem, CN_ERR_FORBIDDEN, "",
                              "only the referrer and the experts of the request may draw");
    if (is_over(&scope))
        return cn_problem_set(problem, CN_ERR_STATE, "state", "the request is %s: its drawings are kept as they are",
                              cn_state_name(scope.state));
    return CN_OK;
}

/* ---- reading ---- */

static cn_err version(cn_conn *conn, const cn_actor *actor, const char *file, char out[CN_MARKS_VERSION])
{
    cn_request_scope scope;
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(scope_of(conn, actor, file, &scope));
    CN_TRY(cn_db_query(conn, &rows, "SELECT CAST(COALESCE(SUM(revision), 0) AS BIGINT) FROM marks WHERE file_id = $1",
                       cn_text(file)));
    if (!cn_rows_next(rows)) return CN_ERR_CORRUPT;
    bool writes = takes_part(&scope) && !is_over(&scope);
    return cn_fmt(out, CN_MARKS_VERSION, "%s%" PRId64, writes ? "w" : "r", cn_rows_int(rows, 0)) ? CN_OK
                                                                                                 : CN_ERR_CORRUPT;
}

cn_err cn_marks_version(cn_consult *consult, const cn_actor *actor, const char *file, char out[CN_MARKS_VERSION])
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_TRY(cn_conn_acquire(consult->db, &conn));
    return version(conn, actor, file, out);
}

static cn_err get(cn_consult *consult, cn_conn *conn, const cn_actor *actor, const char *file, json_t **out)
{
    cn_request_scope scope;
    json_t *list = NULL;
    CN_TRY(scope_of(conn, actor, file, &scope));
    CN_TRY(list_json(consult, conn, actor, file, &list));
    *out = json_pack("{s:b, s:o}", "may_write", takes_part(&scope) && !is_over(&scope), "marks", list);
    return *out ? CN_OK : CN_ERR_NOMEM;
}

cn_err cn_marks_get(cn_consult *consult, const cn_actor *actor, const char *file, bool look, json_t **out)
{
    char object[48];
    json_t *found = NULL;
    cn_fmt(object, sizeof(object), "file:%.26s", file);
    cn_err err;
    {
        CN_AUTO_CONN cn_conn *conn = NULL;
        CN_TRY(cn_conn_acquire(consult->db, &conn));
        err = get(consult, conn, actor, file, &found);
    }
    if (err == CN_OK && look) {
        const cn_audit_row row = {
            .actor = actor->user, .action = "mark.read", .object = object, .outcome = "ok", .address = actor->address};
        err = cn_chain_audit(consult->audit, &row);
    } else if (err == CN_ERR_NOTFOUND) {
        cn_audit_note(consult, actor, "mark.read", object, "denied", NULL);
    }
    if (err == CN_OK)
        *out = found;
    else
        json_decref(found);
    return err;
}

/* ---- writing ---- */

typedef struct marking {
    cn_act act;
    const char *file;
    char mark[CN_ID_TEXT];
    cn_mark_new given;
    cn_buf points;
    void *sealed;
    size_t sealed_n;
    cn_problem *p;
} marking;

static void release(marking *work)
{
    cn_mark_shape_free(&work->given.shape);
    cn_buf_free(&work->points);
    free(work->sealed);
}

/* Points as text, words sealed for their row. */
static cn_err prepare(marking *work)
{
    char place[64];
    cn_mark_points_write(&work->given.shape, &work->points);
    if (work->points.err != CN_OK) return work->points.err;
    if (!*work->given.text) return CN_OK; /* stays NULL */
    if (!place_of(work->mark, place)) return CN_ERR_INVALID;
    return cn_vault_seal(work->act.c->vault, place, work->given.text, &work->sealed, &work->sealed_n);
}

static cn_err room_for(marking *work)
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_db_query(work->act.conn, &rows,
                       "SELECT COUNT(*), CAST(COALESCE(SUM(LENGTH(points)), 0) AS BIGINT) FROM marks WHERE "
                       "file_id = $1 AND id <> $2 AND deleted_ms = 0",
                       cn_text(work->file), cn_text(work->mark)));
    if (cn_rows_next(rows) && cn_rows_int(rows, 0) < CN_MARKS_MAX &&
        cn_rows_int(rows, 1) + (int64_t)work->points.n <= CN_MARKS_BYTES)
        return CN_OK;
    return cn_problem_set(work->p, CN_ERR_STATE, "marks", "this file holds as many drawings as it can");
}

/* Sent before by the same page: `mark` is its id then. */
static cn_err sent_before(marking *work, bool *found)
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_db_query(work->act.conn, &rows,
                       "SELECT id FROM marks WHERE file_id = $1 AND author_id = $2 AND client_id = $3",
                       cn_text(work->file), cn_text(work->act.actor->user), cn_text(work->given.client)));
    *found = cn_rows_next(rows);
    if (*found) cn_strcpy(work->mark, sizeof(work->mark), cn_rows_text(rows, 0));
    return CN_OK;
}

static cn_err insert(marking *work)
{
    int64_t now = cn_wall_ms();
    cn_id_new(work->mark);
    CN_TRY(prepare(work));
    CN_TRY(room_for(work));
    return cn_db_exec(work->act.conn, NULL,
                      "INSERT INTO marks (id, file_id, author_id, client_id, kind, points, colour, text_sealed, z, "
                      "revision, created_ms, changed_ms, deleted_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, "
                      "$10, $10, 0)",
                      cn_text(work->mark), cn_text(work->file), cn_text(work->act.actor->user),
                      cn_text(work->given.client), cn_text(cn_mark_kind_name(work->given.shape.kind)),
                      cn_text(work->points.p), cn_text(work->given.colour), cn_blob(work->sealed, work->sealed_n),
                      cn_int(work->given.z), cn_int(now));
}

static cn_err add(marking *work, const json_t *body, json_t **out, bool *fresh)
{
    bool before = false;
    CN_TRY(may_write(&work->act, work->file, work->p));
    CN_TRY(cn_mark_read(body, false, &work->given, work->p));
    CN_TRY(sent_before(work, &before));
    if (!before) CN_TRY(insert(work));
    *fresh = !before;
    return one_json(&work->act, work->file, work->mark, out);
}

/* Ends the act under its name; the answer goes out only when it was committed. */
static cn_err finish(marking *work, cn_err err, const char *action, json_t *found, json_t **out)
{
    char object[48], detail[64];
    cn_fmt(object, sizeof(object), "file:%.26s", work->file);
    cn_fmt(detail, sizeof(detail), "{\"mark\":\"%.26s\"}", work->mark);
    err = cn_act_end(&work->act, err, action, object, detail);
    release(work);
    if (err == CN_OK && out)
        *out = found;
    else
        json_decref(found);
    return err;
}

cn_err cn_mark_add(cn_consult *consult, const cn_actor *actor, const char *file, const json_t *body, json_t **out,
                   bool *fresh, cn_problem *problem)
{
    marking work = {.file = file, .p = problem};
    json_t *found = NULL;
    CN_TRY(cn_act_begin(&work.act, consult, actor));
    cn_err err = add(&work, body, &found, fresh);
    return finish(&work, err, "mark.add", found, out);
}

/* The stored revision of a mark of the actor's own, deleted or not. */
static cn_err own(marking *work, const char *mark, int64_t *revision, bool *deleted)
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(may_write(&work->act, work->file, work->p));
    if (!cn_id_valid(mark)) return CN_ERR_NOTFOUND;
    cn_strcpy(work->mark, sizeof(work->mark), mark);
    CN_TRY(cn_db_query(work->act.conn, &rows,
                       "SELECT author_id, revision, deleted_ms FROM marks WHERE id = $1 AND file_id = $2",
                       cn_text(mark), cn_text(work->file)));
    if (!cn_rows_next(rows)) return CN_ERR_NOTFOUND;
    if (strcmp(cn_rows_text(rows, 0), work->act.actor->user) != 0)
        return cn_problem_set(work->p, CN_ERR_FORBIDDEN, "", "only whoever drew it may change it");
    *revision = cn_rows_int(rows, 1);
    *deleted = cn_rows_int(rows, 2) != 0;
    return CN_OK;
}

static cn_err stale(cn_problem *problem)
{
    return cn_problem_set(problem, CN_ERR_CONFLICT, "revision", "it was changed meanwhile; load it again");
}

static cn_err replace(marking *work, int64_t seen)
{
    int64_t changed = 0;
    CN_TRY(prepare(work));
    CN_TRY(room_for(work));
    CN_TRY(cn_db_exec(work->act.conn, &changed,
                      "UPDATE marks SET kind = $1, points = $2, colour = $3, text_sealed = $4, z = $5, revision = "
                      "revision + 1, changed_ms = $6, deleted_ms = 0 WHERE id = $7 AND revision = $8",
                      cn_text(cn_mark_kind_name(work->given.shape.kind)), cn_text(work->points.p),
                      cn_text(work->given.colour), cn_blob(work->sealed, work->sealed_n), cn_int(work->given.z),
                      cn_int(cn_wall_ms()), cn_text(work->mark), cn_int(seen)));
    return changed == 1 ? CN_OK : stale(work->p);
}

static cn_err set(marking *work, const char *mark, const json_t *body, json_t **out)
{
    int64_t seen = 0, stored = 0;
    bool deleted = false;
    CN_TRY(own(work, mark, &stored, &deleted));
    CN_TRY(cn_json_i64(body, "revision", true, 1, INT64_MAX - 1, &seen, work->p));
    CN_TRY(cn_mark_read(body, true, &work->given, work->p));
    if (seen != stored) return stale(work->p);
    CN_TRY(replace(work, seen));
    return one_json(&work->act, work->file, work->mark, out);
}

cn_err cn_mark_set(cn_consult *consult, const cn_actor *actor, const char *file, const char *mark, const json_t *body,
                   json_t **out, cn_problem *problem)
{
    marking work = {.file = file, .p = problem};
    json_t *found = NULL;
    CN_TRY(cn_act_begin(&work.act, consult, actor));
    cn_err err = set(&work, mark, body, &found);
    return finish(&work, err, "mark.change", found, out);
}

static cn_err erase(marking *work, const char *mark, int64_t *revision)
{
    int64_t stored = 0, changed = 0;
    bool deleted = false;
    CN_TRY(own(work, mark, &stored, &deleted));
    if (!deleted && stored != *revision) return stale(work->p);
    *revision = deleted ? stored : stored + 1;
    if (deleted) return CN_OK;
    CN_TRY(cn_db_exec(work->act.conn, &changed,
                      "UPDATE marks SET deleted_ms = $1, revision = revision + 1 WHERE id = $2 AND revision = $3",
                      cn_int(cn_wall_ms()), cn_text(mark), cn_int(stored)));
    return changed == 1 ? CN_OK : stale(work->p);
}

cn_err cn_mark_delete(cn_consult *consult, const cn_actor *actor, const char *file, const char *mark, int64_t *revision,
                      cn_problem *problem)
{
    marking work = {.file = file, .p = problem};
    int64_t now = *revision;
    CN_TRY(cn_act_begin(&work.act, consult, actor));
    cn_err err = erase(&work, mark, &now);
    err = finish(&work, err, "mark.delete", NULL, NULL);
    if (err == CN_OK) *revision = now;
    return err;
}
