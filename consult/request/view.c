#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "consult/file/file.h"
#include "consult/imaging/imaging.h"
#include "consult/report/circumstances.h"
#include "consult/report/report.h"
#include "consult/request/request_private.h"

int cn_request_age(const char *birth, int64_t now_ms, int zone_minutes)
{
    char today[CN_TIME_TEXT];
    int64_t y0 = 0, y1 = 0;
    char year[5] = {0};
    if (strlen(birth) != 10) return -1;
    cn_time_format(now_ms + (int64_t)zone_minutes * 60000, today);
    memcpy(year, birth, 4);
    if (!cn_parse_i64(year, 1, 9999, &y0)) return -1;
    memcpy(year, today, 4);
    if (!cn_parse_i64(year, 1, 9999, &y1)) return -1;
    int age = (int)(y1 - y0) - (strncmp(today + 5, birth + 5, 5) < 0 ? 1 : 0);
    return age < 0 ? -1 : age;
}

/* One of the numbers of "YYYY-MM-DD". */
static bool part_of(const char *date, size_t from, size_t digits, int *out)
{
    char text[5] = {0};
    int64_t value = 0;
    memcpy(text, date + from, digits);
    if (!cn_parse_i64(text, 1, 9999, &value)) return false;
    *out = (int)value;
    return true;
}

int cn_request_age_days(const char *birth, int64_t now_ms, int zone_minutes)
{
    struct tm born = {0};
    if (strlen(birth) != 10 || !part_of(birth, 0, 4, &born.tm_year) || !part_of(birth, 5, 2, &born.tm_mon) ||
        !part_of(birth, 8, 2, &born.tm_mday))
        return -1;
    born.tm_year -= 1900;
    born.tm_mon--;
    int64_t days = (now_ms + (int64_t)zone_minutes * 60000) / 86400000 - timegm(&born) / 86400;
    return days >= 0 && days < CN_AGE_IN_DAYS ? (int)days : -1;
}

static cn_err unseal(cn_consult *consult, const char *column, const char *id, const cn_rows *rows, size_t col,
                     char **out)
{
    char place[96];
    size_t n = 0;
    const void *sealed = cn_rows_blob(rows, col, &n);
    *out = NULL;
    if (!sealed || n == 0) return CN_OK;
    if (!cn_fmt(place, sizeof(place), "requests.%s:%s", column, id)) return CN_ERR_INVALID;
    return cn_vault_open_text(consult->vault, place, sealed, n, out);
}

cn_err cn_request_patient_brief(cn_consult *consult, const cn_rows *rows, const char *id, size_t name_col,
                                size_t sex_col, size_t birth_col, json_t **out)
{
    CN_AUTO_FREE char *name = NULL;
    CN_TRY(unseal(consult, "patient_name", id, rows, name_col, &name));
    int age = cn_request_age(cn_rows_text(rows, birth_col), cn_wall_ms(), consult->zone_minutes);
    int days = cn_request_age_days(cn_rows_text(rows, birth_col), cn_wall_ms(), consult->zone_minutes);
    *out =
        json_pack("{s:s, s:s, s:o, s:o}", "name", name ? name : "", "sex", cn_rows_text(rows, sex_col), "age",
                  age < 0 ? json_null() : json_integer(age), "age_days", days < 0 ? json_null() : json_integer(days));
    return *out ? CN_OK : CN_ERR_NOMEM;
}

static cn_err add_patient(cn_consult *consult, const cn_rows *rows, const char *id, json_t *out)
{
    json_t *patient = NULL;
    CN_AUTO_FREE char *identity = NULL, *phone = NULL;
    CN_TRY(cn_request_patient_brief(consult, rows, id, 4, 7, 8, &patient));
    json_object_set_new(out, "patient", patient);
    CN_TRY(unseal(consult, "patient_identity", id, rows, 5, &identity));
    CN_TRY(unseal(consult, "patient_phone", id, rows, 6, &phone));
    json_object_set_new(patient, "birth_date", json_string(cn_rows_text(rows, 8)));
    json_object_set_new(patient, "identity_number", json_string(identity ? identity : ""));
    json_object_set_new(patient, "phone", json_string(phone ? phone : ""));
    return CN_OK;
}

/* When it really took place (null: not yet, as far as is known), who takes part and who leads. */
static cn_err add_circumstances(cn_conn *conn, const char *id, json_t *out)
{
    CN_AUTO_JSON json_t *all = NULL;
    size_t i;
    const json_t *expert;
    CN_TRY(cn_circumstances_now(conn, id, cn_wall_ms(), &all));
    json_object_set_new(out, "lead", json_null());
    json_array_foreach(json_object_get(all, "experts"), i, expert)
    {
        if (json_is_true(json_object_get(expert, "lead")))
            json_object_set_new(
                out, "lead",
                json_pack("{s:O, s:O}", "id", json_object_get(expert, "id"), "name", json_object_get(expert, "name")));
    }
    return json_object_update(out, all) == 0 ? CN_OK : CN_ERR_NOMEM;
}

/* Whose account was disabled cannot come; what is over is as it was. */
static cn_err mark_disabled(cn_conn *conn, const char *id, cn_state state, json_t *out)
{
    if (state != CN_STATE_SCHEDULED && state != CN_STATE_IN_SESSION && state != CN_STATE_AWAITING_REPORT) return CN_OK;
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_db_query(conn, &rows,
                       "SELECT u.id FROM request_experts e JOIN users u ON u.id = e.user_id WHERE e.request_id = $1 "
                       "AND u.active = 0",
                       cn_text(id)));
    while (cn_rows_next(rows)) {
        size_t i;
        json_t *expert;
        json_array_foreach(json_object_get(out, "experts"), i, expert)
        {
            if (strcmp(json_string_value(json_object_get(expert, "id")), cn_rows_text(rows, 0)) != 0) continue;
            json_object_set_new(expert, "disabled", json_true());
            if (json_is_true(json_object_get(expert, "lead")))
                json_object_set_new(json_object_get(out, "lead"), "disabled", json_true());
        }
    }
    return CN_OK;
}

static cn_err add_history(cn_conn *conn, const char *id, json_t *out)
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_db_query(conn, &rows,
                       "SELECT h.at_ms, h.actor_id, COALESCE(u.display_name, ''), h.action, h.from_state, h.to_state, "
                       "h.reason FROM request_history h "
                       "LEFT JOIN users u ON u.id = h.actor_id WHERE h.request_id = $1 ORDER BY h.step",
                       cn_text(id)));
    json_t *history = json_array();
    json_object_set_new(out, "history", history);
    while (cn_rows_next(rows))
        json_array_append_new(history, json_pack("{s:I, s:{s:s, s:s}, s:s, s:s, s:s, s:s}", "at",
                                                 (json_int_t)cn_rows_int(rows, 0), "actor", "id", cn_rows_text(rows, 1),
                                                 "name", cn_rows_text(rows, 2), "action", cn_rows_text(rows, 3), "from",
                                                 cn_rows_text(rows, 4), "to", cn_rows_text(rows, 5), "reason",
                                                 cn_rows_text(rows, 6)));
    return CN_OK;
}

static void append_action(void *arg, const char *action)
{
    json_array_append_new(arg, json_string(action));
}

/* Once the talk is over there is a way back, and something to end, only where the room is still open. */
static void drop_room_acts(cn_state state, json_t *actions)
{
    if (state == CN_STATE_SCHEDULED || state == CN_STATE_IN_SESSION) return;
    for (size_t i = json_array_size(actions); i-- > 0;) {
        const char *action = json_string_value(json_array_get(actions, i));
        if (strcmp(action, "room") == 0 || strcmp(action, "finish") == 0) json_array_remove(actions, i);
    }
}

static cn_err add_rest(cn_consult *consult, cn_conn *conn, const cn_request_scope *scope, json_t *out)
{
    json_t *report = NULL, *opinions = NULL, *files = NULL, *studies = NULL, *actions = json_array();
    cn_state_actions(scope->state, scope->urgent, scope->parts, append_action, actions);
    if (json_is_null(json_object_get(out, "room"))) drop_room_acts(scope->state, actions);
    json_object_set_new(out, "actions", actions);
    CN_TRY(add_circumstances(conn, scope->id, out));
    CN_TRY(mark_disabled(conn, scope->id, scope->state, out));
    CN_TRY(add_history(conn, scope->id, out));
    CN_TRY(cn_file_list(consult, conn, scope->id, &files));
    json_object_set_new(out, "files", files);
    CN_TRY(cn_imaging_list(consult, conn, scope->id, &studies));
    json_object_set_new(out, "studies", studies);
    CN_TRY(cn_report_json(conn, scope->id, (scope->parts & CN_PART_LEAD) != 0, &report, &opinions));
    json_object_set_new(out, "report", report);
    json_object_set_new(out, "opinions", opinions);
    return CN_OK;
}

cn_err cn_request_view(cn_consult *consult, cn_conn *conn, const cn_actor *actor, const char *id, json_t **out)
{
    cn_request_scope scope;
    CN_TRY(cn_request_scope_get(conn, actor, id, &scope));
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_db_query(conn, &rows,
                       "SELECT q.number, q.kind, q.urgent, q.state, q.patient_name_sealed, q.patient_identity_sealed, "
                       "q.patient_phone_sealed, q.patient_sex, "
                       "q.patient_birth_date, q.diagnosis, q.question, q.reason, q.scheduled_ms, q.scheduled_minutes, "
                       "q.record, q.created_ms, h.id, h.name, "
                       "u.id, u.display_name, u.title, COALESCE(d.name, ''), CASE WHEN m.closed_ms = 0 THEN m.id END, "
                       "q.updated_ms, COALESCE(m.messages, 0), q.requested_ms, "
                       "q.report_unread FROM "
                       "requests q JOIN "
                       "hospitals h ON h.id = q.hospital_id "
                       "JOIN users u ON u.id = q.referrer_id LEFT JOIN departments d ON d.id = q.department_id "
                       "LEFT JOIN rooms m ON m.request_id = q.id WHERE q.id = $1",
                       cn_text(id)));
    if (!cn_rows_next(rows)) return CN_ERR_NOTFOUND;
    json_t *object = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:I, s:s, s:s, s:s, s:I, s:I, s:s, s:I, s:I, s:I, s:I, s:I, s:{s:s, s:s}, s:{s:s, "
        "s:s, s:s, s:s}}",
        "id", id, "number", cn_rows_text(rows, 0), "kind", cn_rows_text(rows, 1), "urgency",
        cn_rows_int(rows, 2) ? "urgent" : "ordinary", "state", cn_rows_text(rows, 3), "revision",
        (json_int_t)scope.revision, "diagnosis", cn_rows_text(rows, 9), "question", cn_rows_text(rows, 10),
        "return_reason", cn_rows_text(rows, 11), "scheduled_at", (json_int_t)cn_rows_int(rows, 12), "scheduled_minutes",
        (json_int_t)cn_rows_int(rows, 13), "record", cn_rows_text(rows, 14), "created_at",
        (json_int_t)cn_rows_int(rows, 15), "requested_at", (json_int_t)cn_rows_int(rows, 25), "report_unread",
        (json_int_t)cn_rows_int(rows, 26), "updated_at", (json_int_t)cn_rows_int(rows, 23), "messages",
        (json_int_t)cn_rows_int(rows, 24), "hospital", "id", cn_rows_text(rows, 16), "name", cn_rows_text(rows, 17),
        "referrer", "id", cn_rows_text(rows, 18), "name", cn_rows_text(rows, 19), "title", cn_rows_text(rows, 20),
        "department", cn_rows_text(rows, 21));
    if (!object) return CN_ERR_NOMEM;
    json_object_set_new(object, "room", cn_rows_null(rows, 22) ? json_null() : json_string(cn_rows_text(rows, 22)));
    cn_err err = add_patient(consult, rows, id, object);
    if (err == CN_OK) err = add_rest(consult, conn, &scope, object);
    if (err != CN_OK) {
        json_decref(object);
        return err;
    }
    *out = object;
    return CN_OK;
}

cn_err cn_request_get(cn_consult *consult, const cn_actor *actor, const char *id, json_t **out)
{
    cn_act act;
    char object[48];
    json_t *json = NULL;
    cn_fmt(object, sizeof(object), "request:%.26s", id);
    CN_TRY(cn_act_begin(&act, consult, actor));
    cn_err err = cn_act_end(&act, cn_request_view(consult, act.conn, actor, id, &json), "request.read", object, NULL);
    if (err != CN_OK) {
        json_decref(json);
        return err;
    }
    *out = json;
    return CN_OK;
}
