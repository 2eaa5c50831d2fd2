#include "consult/file/calibration.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "consult/scope.h"

#define PM_PER_MICRON 1e6
#define LEAST_PM 1000LL     /* 0.001 µm per pixel */
#define MOST_PM 100000000LL /* 100 µm per pixel */
#define LEAST_PIXELS 10     /* a click is off by a pixel or two */
#define MOST_PIXELS 1e8
#define MOST_MICRONS 1e6

/* The request whose slide it is, as far as the actor sees it. */
static cn_err scope_of(cn_conn *conn, const cn_actor *actor, const char *file, cn_request_scope *scope)
{
    if (!cn_id_valid(file)) return CN_ERR_NOTFOUND;
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_db_query(conn, &rows, "SELECT request_id FROM files WHERE id = $1 AND kind = 'slide' AND deleted_ms = 0",
                       cn_text(file)));
    if (!cn_rows_next(rows)) return CN_ERR_NOTFOUND;
    return cn_request_scope_get(conn, actor, cn_rows_text(rows, 0), scope);
}

/* Whoever may add a file may say how large its pixels are. */
static cn_err may_set(const cn_request_scope *scope, cn_problem *problem)
{
    cn_state next;
    cn_err err = cn_state_next("upload", scope->state, scope->urgent, scope->parts, &next);
    if (err == CN_ERR_STATE)
        return cn_problem_set(problem, err, "state", "a slide is calibrated before the report is written");
    if (err == CN_ERR_FORBIDDEN)
        return cn_problem_set(problem, err, "", "the referrer and the experts of a request calibrate its slides");
    return err;
}

static cn_err read_row(cn_conn *conn, const char *file, json_t **out)
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_db_query(conn, &rows,
                       "SELECT c.mpp_pm, u.display_name, c.at_ms FROM slide_calibrations c JOIN users u ON u.id = "
                       "c.author_id WHERE c.file_id = $1",
                       cn_text(file)));
    *out = cn_rows_next(rows) ? json_pack("{s:f, s:s, s:I}", "mpp", (double)cn_rows_int(rows, 0) / PM_PER_MICRON, "by",
                                          cn_rows_text(rows, 1), "at", (json_int_t)cn_rows_int(rows, 2))
                              : json_null();
    return *out ? CN_OK : CN_ERR_NOMEM;
}

cn_err cn_calibration_get(cn_consult *consult, const cn_actor *actor, const char *file, json_t **out)
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    cn_request_scope scope;
    CN_TRY(cn_conn_acquire(consult->db, &conn));
    CN_TRY(scope_of(conn, actor, file, &scope));
    return read_row(conn, file, out);
}

static cn_err measured(const json_t *body, int64_t *mpp_pm, cn_problem *problem)
{
    double pixels = 0, microns = 0;
    CN_TRY(cn_json_real(body, "pixels", true, LEAST_PIXELS, MOST_PIXELS, &pixels, problem));
    CN_TRY(cn_json_real(body, "microns", true, 0, MOST_MICRONS, &microns, problem));
    *mpp_pm = llround(microns / pixels * PM_PER_MICRON);
    if (*mpp_pm < LEAST_PM || *mpp_pm > MOST_PM)
        return cn_problem_set(problem, CN_ERR_INVALID, "microns",
                              "that would be %.4f µm per pixel, which no microscope has", microns / pixels);
    return CN_OK;
}

static cn_err keep(cn_conn *conn, const cn_actor *actor, const char *file, const json_t *body, json_t **out,
                   cn_problem *problem)
{
    cn_request_scope scope;
    int64_t mpp_pm = 0;
    CN_TRY(scope_of(conn, actor, file, &scope));
    CN_TRY(may_set(&scope, problem));
    CN_TRY(measured(body, &mpp_pm, problem));
    CN_TRY(cn_db_exec(conn, NULL,
                      "INSERT INTO slide_calibrations (file_id, mpp_pm, author_id, at_ms) VALUES ($1, $2, $3, $4) "
                      "ON CONFLICT (file_id) DO UPDATE SET mpp_pm = $2, author_id = $3, at_ms = $4",
                      cn_text(file), cn_int(mpp_pm), cn_text(actor->user), cn_int(cn_wall_ms())));
    return read_row(conn, file, out);
}

cn_err cn_calibration_set(cn_consult *consult, const cn_actor *actor, const char *file, const json_t *body,
                          json_t **out, cn_problem *problem)
{
    cn_act act;
    char object[48];
    json_t *json = NULL;
    cn_fmt(object, sizeof(object), "file:%.26s", file);
    CN_TRY(cn_act_begin(&act, consult, actor));
    cn_err err = cn_act_end(&act, keep(act.conn, actor, file, body, &json, problem), "slide.calibrate", object, NULL);
    if (err == CN_OK)
        *out = json;
    else
        json_decref(json);
    return err;
}

static cn_err forget(cn_conn *conn, const cn_actor *actor, const char *file, cn_problem *problem)
{
    cn_request_scope scope;
    CN_TRY(scope_of(conn, actor, file, &scope));
    CN_TRY(may_set(&scope, problem));
    return cn_db_exec(conn, NULL, "DELETE FROM slide_calibrations WHERE file_id = $1", cn_text(file));
}

cn_err cn_calibration_remove(cn_consult *consult, const cn_actor *actor, const char *file, cn_problem *problem)
{
    cn_act act;
    char object[48];
    cn_fmt(object, sizeof(object), "file:%.26s", file);
    CN_TRY(cn_act_begin(&act, consult, actor));
    return cn_act_end(&act, forget(act.conn, actor, file, problem), "slide.calibrate", object, "removed");
}
