#include "consult/request/request.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "consult/file/file.h"
#include "consult/request/draft.h"
#include "consult/request/form.h"
#include "consult/request/lineup.h"

/* ---- sealed columns ---- */

static cn_err seal(cn_consult *consult, const char *column, const char *id, const char *text, void **out, size_t *len)
{
    char place[96];
    if (!text[0]) return CN_OK; /* stays NULL */
    if (!cn_fmt(place, sizeof(place), "requests.%s:%s", column, id)) return CN_ERR_INVALID;
    return cn_vault_seal(consult->vault, place, text, out, len);
}

typedef struct token_writer {
    cn_conn *conn;
    const char *request;
    cn_err err;
} token_writer;

static void write_token(void *arg, const char *token)
{
    token_writer *writer = arg;
    if (writer->err == CN_OK)
        writer->err =
            cn_db_exec(writer->conn, NULL,
                       "INSERT INTO request_name_tokens (token, request_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                       cn_text(token), cn_text(writer->request));
}

static cn_err write_patient(cn_consult *consult, cn_conn *conn, const char *id, const cn_form *fields)
{
    CN_AUTO_FREE void *name = NULL, *identity = NULL, *phone = NULL;
    size_t name_n = 0, identity_n = 0, phone_n = 0;
    char token[33] = "";
    CN_TRY(seal(consult, "patient_name", id, fields->patient.name, &name, &name_n));
    CN_TRY(seal(consult, "patient_identity", id, fields->patient.identity, &identity, &identity_n));
    CN_TRY(seal(consult, "patient_phone", id, fields->patient.phone, &phone, &phone_n));
    if (fields->patient.identity[0])
        cn_vault_token(consult->vault, "patient.identity", fields->patient.identity, token);
    CN_TRY(cn_db_exec(conn, NULL,
                      "UPDATE requests SET patient_name_sealed = $1, patient_identity_sealed = $2, "
                      "patient_phone_sealed = $3, patient_sex = $4, "
                      "patient_birth_date = $5, patient_identity_token = $6, diagnosis = $7, question = $8, urgent = "
                      "$9 WHERE id = $10",
                      cn_blob(name, name_n), cn_blob(identity, identity_n), cn_blob(phone, phone_n),
                      cn_text(fields->patient.sex), cn_text(fields->patient.birth), cn_text(token),
                      cn_text(fields->diagnosis), cn_text(fields->question),
                      cn_int(strcmp(fields->urgency, "urgent") == 0), cn_text(id)));
    CN_TRY(cn_db_exec(conn, NULL, "DELETE FROM request_name_tokens WHERE request_id = $1", cn_text(id)));
    token_writer writer = {.conn = conn, .request = id};
    cn_vault_name_tokens(consult->vault, "patient.name", fields->patient.name, write_token, &writer);
    return writer.err;
}

/* ---- create, update ---- */

/* "C20261120-0007": kind, day in the platform's zone, running number of the day. */
static cn_err next_number(cn_consult *consult, cn_conn *conn, char out[24])
{
    char day[CN_TIME_TEXT], compact[9];
    cn_time_format(cn_wall_ms() + (int64_t)consult->zone_minutes * 60000, day);
    cn_fmt(compact, sizeof(compact), "%.4s%.2s%.2s", day, day + 5, day + 8);
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_db_query(conn, &rows,
                       "INSERT INTO request_numbers (day, used) VALUES ($1, 1) ON CONFLICT (day) DO UPDATE SET used = "
                       "request_numbers.used + 1 RETURNING used",
                       cn_text(compact)));
    if (!cn_rows_next(rows)) return CN_ERR_DB;
    return cn_fmt(out, 24, "C%s-%04lld", compact, (long long)cn_rows_int(rows, 0)) ? CN_OK : CN_ERR_FULL;
}

static cn_err insert(cn_consult *consult, const cn_actor *actor, cn_conn *conn, const char *id, const cn_form *fields,
                     const json_t *body, cn_problem *problem)
{
    char number[24];
    CN_TRY(cn_form_draft_sent(conn, actor, CN_FORM_DRAFT_NEW, body, problem));
    CN_TRY(next_number(consult, conn, number));
    int64_t now = cn_wall_ms();
    CN_TRY(
        cn_db_exec(conn, NULL,
                   "INSERT INTO requests (id, number, kind, urgent, state, revision, referrer_id, hospital_id, "
                   "department_id, patient_name_sealed, "
                   "patient_sex, patient_birth_date, patient_identity_token, diagnosis, question, reason, "
                   "scheduled_ms, scheduled_minutes, record, "
                   "created_ms, updated_ms, requested_ms) VALUES ($1, $2, 'C', 0, 'UPLOADING', 1, $3, $4, $5, $6, '', "
                   "'', '', '', '', '', 0, 0, '', $7, $7, $7)",
                   cn_text(id), cn_text(number), cn_text(actor->user), cn_text(actor->hospital),
                   cn_text(actor->department), cn_blob("", 0), cn_int(now)));
    CN_TRY(write_patient(consult, conn, id, fields));
    cn_request_scope scope = {.state = CN_STATE_UPLOADING, .revision = 1};
    cn_strcpy(scope.id, sizeof(scope.id), id);
    return cn_request_history(conn, actor, &scope, "create", CN_STATE_COUNT, "");
}

static bool is_urgent(const cn_form *fields)
{
    return strcmp(fields->urgency, "urgent") == 0;
}

static void announce_new(cn_consult *consult, const char *id, const cn_form *fields)
{
    cn_request_scope scope = {.state = CN_STATE_UPLOADING, .urgent = is_urgent(fields)};
    cn_strcpy(scope.id, sizeof(scope.id), id);
    cn_request_announce(consult, &scope);
}

cn_err cn_request_create(cn_consult *consult, const cn_actor *actor, const json_t *body, char id[CN_ID_TEXT],
                         cn_answer *answer, cn_problem *problem)
{
    cn_form fields;
    cn_act act;
    char object[48], fresh[CN_ID_TEXT];
    if (!cn_actor_may(actor, CN_RIGHT_REQUEST_CREATE))
        return cn_problem_set(problem, CN_ERR_FORBIDDEN, "", "you may not start consultations");
    CN_TRY(cn_form_read(body, cn_wall_ms(), &fields, problem));
    cn_id_new(fresh);
    cn_fmt(object, sizeof(object), "request:%s", fresh);
    CN_TRY(cn_act_begin(&act, consult, actor));
    cn_err err = insert(consult, actor, act.conn, fresh, &fields, body, problem);
    err = cn_act_answer(&act, err, fresh, answer);
    CN_TRY(cn_act_end(&act, err, "request.create", object, NULL));
    memcpy(id, fresh, CN_ID_TEXT);
    announce_new(consult, fresh, &fields);
    return CN_OK;
}

static cn_err update(cn_consult *consult, const cn_actor *actor, cn_conn *conn, const json_t *body, cn_form *fields,
                     cn_request_scope *scope, cn_problem *problem)
{
    char id[CN_ID_TEXT];
    memcpy(id, scope->id, sizeof(id));
    CN_TRY(cn_request_scope_get(conn, actor, id, scope));
    CN_TRY(cn_request_step(conn, actor, scope, "edit", "", problem));
    CN_TRY(cn_form_draft_sent(conn, actor, id, body, problem));
    if (scope->state == CN_STATE_IN_SESSION) fields->urgency = "urgent"; /* it was accepted as one */
    if (is_urgent(fields)) scope->urgent = true; /* those on duty hear of it, whether it became one or was one */
    return write_patient(consult, conn, id, fields);
}

cn_err cn_request_update(cn_consult *consult, const cn_actor *actor, const char *id, const json_t *body,
                         cn_answer *answer, cn_problem *problem)
{
    cn_form fields;
    cn_act act;
    cn_request_scope scope = {.revision = 0};
    char object[48];
    CN_TRY(cn_form_read(body, cn_wall_ms(), &fields, problem));
    if (!cn_strcpy(scope.id, sizeof(scope.id), id)) return CN_ERR_NOTFOUND;
    cn_fmt(object, sizeof(object), "request:%.26s", id);
    CN_TRY(cn_act_begin(&act, consult, actor));
    cn_err err = update(consult, actor, act.conn, body, &fields, &scope, problem);
    err = cn_act_answer(&act, err, id, answer);
    err = cn_act_end(&act, err, "request.edit", object, NULL);
    if (err == CN_OK) cn_request_announce(consult, &scope);
    return err;
}

/* ---- acts ---- */

typedef struct request_act {
    const cn_actor *a;
    cn_conn *conn;
    cn_request_scope scope;
    const json_t *body;
    cn_problem *p;
    cn_buf detail;  /* of the audit row */
    cn_lineup gone; /* experts who take no part any more */
} request_act;

static cn_err step(request_act *work, const char *action, const char *reason)
{
    return cn_request_step(work->conn, work->a, &work->scope, action, reason, work->p);
}

static cn_err do_plain(request_act *work, const char *action)
{
    return step(work, action, "");
}

/* Without an age nothing can be judged; the form itself may be saved without one. */
static cn_err check_age(request_act *work)
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_db_query(work->conn, &rows, "SELECT patient_birth_date FROM requests WHERE id = $1",
                       cn_text(work->scope.id)));
    if (cn_rows_next(rows) && cn_rows_text(rows, 0)[0]) return CN_OK;
    return cn_problem_field(work->p, CN_WRONG_MISSING, "patient.birth_date", "is missing");
}

/* It was asked for when it was first handed in, also after it was returned and mended. */
static cn_err note_requested(request_act *work)
{
    return cn_db_exec(work->conn, NULL,
                      "UPDATE requests SET requested_ms = (SELECT MIN(at_ms) FROM request_history WHERE request_id = "
                      "$1 AND action = 'submit') WHERE id = $1",
                      cn_text(work->scope.id));
}

static cn_err do_submit(request_act *work, const char *action)
{
    char missing[128];
    CN_TRY(check_age(work));
    CN_TRY(cn_file_missing(work->conn, work->scope.id, missing, sizeof(missing)));
    if (missing[0])
        return cn_problem_set(work->p, CN_ERR_CONFLICT, "files", "these required files are missing: %s", missing);
    CN_TRY(step(work, action, ""));
    return note_requested(work);
}

static cn_err do_with_reason(request_act *work, const char *action)
{
    const char *reason = NULL;
    CN_TRY(cn_json_str(work->body, "reason", true, 1, 500, &reason, work->p));
    CN_TRY(step(work, action, reason));
    return cn_db_exec(work->conn, NULL, "UPDATE requests SET reason = $1 WHERE id = $2", cn_text(reason),
                      cn_text(work->scope.id));
}

static cn_err close_room(request_act *work, const char *reason)
{
    work->scope.ends = reason;
    return cn_db_exec(work->conn, NULL, "UPDATE rooms SET closed_ms = $1 WHERE request_id = $2 AND closed_ms = 0",
                      cn_int(cn_wall_ms()), cn_text(work->scope.id));
}

static cn_err do_cancel(request_act *work, const char *action)
{
    CN_TRY(do_with_reason(work, action));
    return close_room(work, "cancelled");
}

static cn_err add_expert(request_act *work, const char *user, bool lead, const char *field)
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_db_query(work->conn, &rows,
                       "SELECT 1 FROM users u JOIN user_roles o ON o.user_id = u.id WHERE u.id = $1 AND u.active = 1 "
                       "AND o.role = 'expert'",
                       cn_text(user)));
    if (!cn_rows_next(rows))
        return cn_problem_field(work->p, CN_WRONG_UNKNOWN, field, "there is no such active expert");
    return cn_db_exec(work->conn, NULL,
                      "INSERT INTO request_experts (request_id, user_id, lead) VALUES ($1, $2, $3) ON CONFLICT "
                      "(request_id, user_id) DO NOTHING",
                      cn_text(work->scope.id), cn_text(user), cn_int(lead));
}

static cn_err set_experts(request_act *work)
{
    const char *lead = NULL;
    json_t *experts = NULL;
    CN_TRY(cn_json_line(work->body, "lead", true, 1, 26, &lead, work->p));
    CN_TRY(cn_json_arr(work->body, "experts", false, 29, &experts, work->p));
    CN_TRY(cn_db_exec_v(work->conn, NULL, "DELETE FROM request_experts WHERE request_id = $1",
                        (const cn_val[]){cn_text(work->scope.id)}, 1));
    CN_TRY(add_expert(work, lead, true, "lead"));
    size_t i;
    json_t *item;
    json_array_foreach(experts, i, item)
    {
        if (!json_is_string(item))
            return cn_problem_field(work->p, CN_WRONG_TYPE, "experts", "must be a list of user ids");
        CN_TRY(add_expert(work, json_string_value(item), false, "experts"));
    }
    return CN_OK;
}

static cn_err set_time(request_act *work)
{
    int64_t at = 0, minutes = 60;
    CN_TRY(cn_json_i64(work->body, "at", true, cn_wall_ms() - 86400000, cn_wall_ms() + (int64_t)366 * 86400000, &at,
                       work->p));
    CN_TRY(cn_json_i64(work->body, "minutes", false, 5, 720, &minutes, work->p));
    return cn_db_exec(work->conn, NULL, "UPDATE requests SET scheduled_ms = $1, scheduled_minutes = $2 WHERE id = $3",
                      cn_int(at), cn_int(minutes), cn_text(work->scope.id));
}

/* Who says `overlap: false` wants to be told before an expert is booked twice; without it nobody asked. */
static cn_err check_booked(request_act *work)
{
    bool overlap = true, booked = false;
    CN_TRY(cn_json_bool(work->body, "overlap", false, &overlap, work->p));
    CN_TRY(cn_lineup_booked(work->conn, work->scope.id, &booked));
    if (!booked) return CN_OK;
    cn_buf_str(&work->detail, work->detail.n ? ", overlap" : "overlap");
    if (overlap) return CN_OK;
    cn_problem_set(work->p, CN_ERR_CONFLICT, "at", "one of the experts has another consultation then");
    return cn_problem_say(work->p, CN_ERR_CONFLICT, CN_WRONG_BOOKED, 0, 0);
}

static cn_err do_schedule(request_act *work, const char *action)
{
    CN_TRY(step(work, action, ""));
    CN_TRY(set_experts(work));
    CN_TRY(set_time(work));
    return check_booked(work);
}

/* "1795312800000/30": when, for how many minutes. */
static cn_err note_time(request_act *work, const char *sign, cn_buf *out)
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_db_query(work->conn, &rows, "SELECT scheduled_ms, scheduled_minutes FROM requests WHERE id = $1",
                       cn_text(work->scope.id)));
    if (!cn_rows_next(rows)) return CN_ERR_NOTFOUND;
    cn_buf_fmt(out, "%s%lld/%lld", sign, (long long)cn_rows_int(rows, 0), (long long)cn_rows_int(rows, 1));
    return out->err;
}

static cn_err move_time(request_act *work, const char *action, cn_buf *times)
{
    cn_state next;
    CN_TRY(cn_request_may(&work->scope, action, &next, work->p));
    CN_TRY(note_time(work, "", times));
    CN_TRY(set_time(work));
    CN_TRY(note_time(work, " → ", times));
    return step(work, action, times->p);
}

/* From when to when stands in the history. */
static cn_err do_reschedule(request_act *work, const char *action)
{
    cn_buf times = {0};
    cn_err err = move_time(work, action, &times);
    cn_buf_free(&times);
    return err != CN_OK ? err : check_booked(work);
}

/* Other experts for a consultation that has its time: who came and went stands in its history. */
static cn_err do_experts(request_act *work, const char *action)
{
    cn_state next;
    cn_lineup before, after;
    cn_buf names = {0};
    CN_TRY(cn_request_may(&work->scope, action, &next, work->p));
    CN_TRY(cn_lineup_load(work->conn, work->scope.id, &before));
    CN_TRY(set_experts(work));
    CN_TRY(cn_lineup_load(work->conn, work->scope.id, &after));
    cn_lineup_changes(&before, &after, &names, &work->detail);
    cn_lineup_gone(&before, &after, &work->gone);
    cn_err err = names.err != CN_OK ? names.err : step(work, action, names.n ? names.p : "");
    cn_buf_free(&names);
    return err != CN_OK ? err : check_booked(work);
}

static cn_err begin_now(request_act *work)
{
    return cn_db_exec(work->conn, NULL, "UPDATE requests SET scheduled_ms = $1, scheduled_minutes = 60 WHERE id = $2",
                      cn_int(cn_wall_ms()), cn_text(work->scope.id));
}

/* The expert on duty who accepts an urgent request leads it. */
static cn_err do_accept(request_act *work, const char *action)
{
    CN_TRY(step(work, action, ""));
    CN_TRY(cn_db_exec(work->conn, NULL,
                      "INSERT INTO request_experts (request_id, user_id, lead) VALUES ($1, $2, 1) ON CONFLICT "
                      "(request_id, user_id) DO UPDATE SET lead = 1",
                      cn_text(work->scope.id), cn_text(work->a->user)));
    return begin_now(work);
}

/* The centre names those whom an urgent request that nobody accepts cannot wait for. */
static cn_err do_assign(request_act *work, const char *action)
{
    CN_TRY(step(work, action, ""));
    CN_TRY(set_experts(work));
    return begin_now(work);
}

static cn_err do_close(request_act *work, const char *action)
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_db_query(work->conn, &rows, "SELECT record FROM requests WHERE id = $1", cn_text(work->scope.id)));
    if (!cn_rows_next(rows) || !cn_rows_text(rows, 0)[0])
        return cn_problem_set(work->p, CN_ERR_CONFLICT, "record", "write the consultation record first");
    CN_TRY(step(work, action, ""));
    return close_room(work, "closed");
}

static cn_err need_open_room(request_act *work)
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_db_query(work->conn, &rows, "SELECT 1 FROM rooms WHERE request_id = $1 AND closed_ms = 0",
                       cn_text(work->scope.id)));
    if (cn_rows_next(rows)) return CN_OK;
    return cn_problem_set(work->p, CN_ERR_STATE, "state", "the consultation is over already");
}

/* The report may be signed while people still talk: then what is left to finish is the room. */
static cn_err do_finish(request_act *work, const char *action)
{
    cn_state next;
    CN_TRY(cn_request_may(&work->scope, action, &next, work->p));
    if (next == work->scope.state) CN_TRY(need_open_room(work));
    CN_TRY(step(work, action, ""));
    return close_room(work, "finished");
}

static const struct {
    const char *action;
    cn_err (*fn)(request_act *, const char *action);
} acts[] = {
    {"submit", do_submit},     {"return", do_with_reason},    {"reject", do_with_reason}, {"cancel", do_cancel},
    {"schedule", do_schedule}, {"reschedule", do_reschedule}, {"experts", do_experts},    {"accept", do_accept},
    {"assign", do_assign},     {"finish", do_finish},         {"no_show", do_plain},      {"close", do_close},
};

cn_err cn_request_act(cn_consult *consult, const cn_actor *actor, const char *id, const char *action,
                      const json_t *body, cn_answer *answer, cn_problem *problem)
{
    size_t i = 0, n = sizeof(acts) / sizeof(acts[0]);
    while (i < n && strcmp(acts[i].action, action) != 0) i++;
    if (i == n) return CN_ERR_NOTFOUND;
    cn_act act;
    char object[48], name[48];
    cn_fmt(object, sizeof(object), "request:%.26s", id);
    cn_fmt(name, sizeof(name), "request.%s", action);
    CN_TRY(cn_act_begin(&act, consult, actor));
    request_act work = {.a = actor, .conn = act.conn, .body = body, .p = problem};
    cn_err err = cn_request_scope_get(act.conn, actor, id, &work.scope);
    if (err == CN_OK) err = acts[i].fn(&work, action);
    err = cn_act_answer(&act, err, id, answer);
    err = cn_act_end(&act, err, name, object, work.detail.n ? work.detail.p : NULL);
    cn_buf_free(&work.detail);
    if (err == CN_OK) cn_request_announce(consult, &work.scope);
    for (size_t k = 0; err == CN_OK && consult->part_ends && k < work.gone.n; k++)
        if (strcmp(work.gone.who[k].id, work.scope.referrer) != 0)
            consult->part_ends(consult->ctx, id, work.gone.who[k].id);
    return err;
}

/* ---- room ---- */

/* Only what is still to be held gets a room: after that there is the one that it had, as long as it is open. */
static cn_err make_room(cn_conn *conn, const cn_request_scope *scope)
{
    char fresh[CN_ID_TEXT];
    if (scope->state != CN_STATE_SCHEDULED && scope->state != CN_STATE_IN_SESSION) return CN_OK;
    cn_id_new(fresh);
    return cn_db_exec(conn, NULL,
                      "INSERT INTO rooms (id, request_id, title, opened_ms, closed_ms) VALUES ($1, $2, $3, $4, 0) ON "
                      "CONFLICT DO NOTHING",
                      cn_text(fresh), cn_text(scope->id), cn_text(scope->number), cn_int(cn_wall_ms()));
}

static cn_err open_room(cn_conn *conn, const cn_request_scope *scope, char room[CN_ID_TEXT], cn_problem *problem)
{
    CN_TRY(make_room(conn, scope));
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(
        cn_db_query(conn, &rows, "SELECT id FROM rooms WHERE request_id = $1 AND closed_ms = 0", cn_text(scope->id)));
    if (!cn_rows_next(rows)) return cn_problem_set(problem, CN_ERR_STATE, "state", "this room is closed");
    cn_strcpy(room, CN_ID_TEXT, cn_rows_text(rows, 0));
    return CN_OK;
}

/* Whoever looks whether his camera works has not begun the consultation: that is cn_request_begin's. */
cn_err cn_request_room(cn_consult *consult, const cn_actor *actor, const char *id, char room[CN_ID_TEXT],
                       cn_problem *problem)
{
    cn_act act;
    cn_request_scope scope;
    cn_state next;
    char object[48];
    cn_fmt(object, sizeof(object), "request:%.26s", id);
    CN_TRY(cn_act_begin(&act, consult, actor));
    cn_err err = cn_request_scope_get(act.conn, actor, id, &scope);
    if (err == CN_OK) err = cn_request_may(&scope, "room", &next, problem);
    if (err == CN_OK) err = open_room(act.conn, &scope, room, problem);
    return cn_act_end(&act, err, "request.room", object, NULL);
}
