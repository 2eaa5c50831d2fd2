#include "support_story.h"

#include "consult/report/report.h"
#include "consult/request/begin.h"

static void changed(void *ctx, const char *request, const char *state, bool urgent)
{
    platform *rig = ctx;
    (void)request;
    rig->changes++;
    rig->last_urgent = urgent;
    cn_strcpy(rig->last_state, sizeof rig->last_state, state);
}

static void part_ends(void *ctx, const char *request, const char *user)
{
    platform *rig = ctx;
    assert_true(cn_id_valid(request) && cn_id_valid(user));
    rig->parted++;
}

static void ended(void *ctx, const char *request, const char *reason)
{
    platform *rig = ctx;
    (void)request;
    rig->ends++;
    cn_strcpy(rig->last_end, sizeof rig->last_end, reason);
}

void platform_sql(platform *rig, const char *sql)
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    assert_ok(cn_conn_acquire(rig->c->db, &conn));
    assert_ok(cn_db_exec_v(conn, NULL, sql, NULL, 0));
}

int64_t platform_int(platform *rig, const char *sql)
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_AUTO_ROWS cn_rows *rows = NULL;
    assert_ok(cn_conn_acquire(rig->c->db, &conn));
    assert_ok(cn_db_query_v(conn, &rows, sql, NULL, 0));
    return cn_rows_next(rows) ? cn_rows_int(rows, 0) : -1;
}

static cn_actor somebody(uint32_t rights)
{
    cn_actor actor = {.rights = rights, .address = "192.0.2.1"};
    cn_id_new(actor.user);
    return actor;
}

void platform_open(platform *rig, void **state)
{
    support_consult *support = support_consult_new(SUPPORT_DB_KIND(state));
    *rig = (platform){.s = support,
                      .c = &support->c,
                      .referrer = support->referrer,
                      .colleague = support->other_referrer,
                      .lead = support->lead,
                      .second = support->expert,
                      .third = support->stranger,
                      .admin = support->admin,
                      .nobody = somebody(1u << CN_RIGHT_USER_MANAGE),
                      .reader = somebody(1u << CN_RIGHT_REQUEST_READ_ALL)};
    support->c.changed = changed;
    support->c.part_ends = part_ends;
    support->c.room_ends = ended;
    support->c.ctx = rig;
}

void platform_close(platform *rig)
{
    support_consult_free(rig->s);
}

json_t *json_of(const char *text)
{
    char *copy = strdup(text);
    assert_non_null(copy);
    for (char *s = copy; *s; s++)
        if (*s == '\'') *s = '"';
    json_t *object = json_loads(copy, 0, NULL);
    if (!object) fail_msg("not JSON: %s", copy);
    free(copy);
    return object;
}

void request_new(platform *rig, bool urgent, const char *patient, char id[CN_ID_TEXT])
{
    CN_AUTO_JSON json_t *body = json_pack("{s:s, s:s, s:{s:s, s:s, s:s, s:s, s:s}, s:s, s:s}", "kind", "C", "urgency",
                                          urgent ? "urgent" : "ordinary", "patient", "name", patient, "sex", "female",
                                          "birth_date", "1961-05-02", "identity_number", "11010119610502002X", "phone",
                                          "13800000000", "diagnosis", "右肺上叶占位", "question", "性质？");
    cn_problem problem = {0};
    assert_ok(cn_request_create(rig->c, &rig->referrer, body, id, NULL, &problem));
}

void request_consent(platform *rig, const char *id)
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_AUTO_FREE void *name = NULL;
    char file[CN_ID_TEXT], place[64];
    size_t n = 0;
    cn_id_new(file);
    snprintf(place, sizeof place, "files.name:%s", file);
    assert_ok(cn_vault_seal(rig->s->vault, place, "知情同意书.pdf", &name, &n));
    assert_ok(cn_conn_acquire(rig->c->db, &conn));
    assert_ok(cn_db_exec(conn, NULL,
                         "INSERT INTO files (id, request_id, category, name_sealed, type, kind, size, sha256, state, "
                         "pdf_sha256, pages, uploaded_by, created_ms, deleted_ms) VALUES ($1, $2, 'consent', $3, "
                         "'application/pdf', 'document', 5, 'ab', 'ready', '', 1, $4, 1, 0)",
                         cn_text(file), cn_text(id), cn_blob(name, n), cn_text(rig->referrer.user)));
}

cn_err request_do(platform *rig, const cn_actor *actor, const char *id, const char *action, const char *body)
{
    CN_AUTO_JSON json_t *object = json_of(*body ? body : "{}");
    cn_problem problem = {0};
    return cn_request_act(rig->c, actor, id, action, object, NULL, &problem);
}

static void schedule(platform *rig, const char *id)
{
    char body[256];
    snprintf(body, sizeof body, "{'lead': '%s', 'experts': ['%s'], 'at': %lld, 'minutes': 30}", rig->lead.user,
             rig->second.user, (long long)cn_wall_ms() + 3600000);
    assert_ok(request_do(rig, &rig->admin, id, "schedule", body));
}

static void write_and_sign(platform *rig, const char *id)
{
    CN_AUTO_JSON json_t *body = json_of("{'findings': '所见', 'conclusion': '结论', 'advice': '', 'revision': 0}");
    cn_problem problem = {0};
    int64_t revision = 0;
    assert_ok(cn_report_draft(rig->c, &rig->lead, id, body, &revision, &problem));
    assert_ok(cn_report_sign(rig->c, &rig->lead, id, NULL, NULL, &problem));
}

void request_until(platform *rig, const char *id, cn_state state)
{
    char room[CN_ID_TEXT];
    cn_problem problem = {0};
    const cn_present both = {.referrer = true, .expert = true};
    bool scheduled = true;
    if (state == CN_STATE_UPLOADING) return;
    request_consent(rig, id);
    assert_ok(request_do(rig, &rig->referrer, id, "submit", ""));
    if (state == CN_STATE_PENDING_REVIEW) return;
    schedule(rig, id);
    if (state == CN_STATE_SCHEDULED) return;
    assert_ok(cn_request_room(rig->c, &rig->lead, id, room, &problem));
    assert_ok(cn_request_begin(rig->c, &rig->lead, id, &both, cn_wall_ms(), &scheduled));
    if (state == CN_STATE_IN_SESSION) return;
    assert_ok(request_do(rig, &rig->lead, id, "finish", ""));
    if (state == CN_STATE_AWAITING_REPORT) return;
    write_and_sign(rig, id);
    if (state == CN_STATE_REPORTED) return;
    CN_AUTO_JSON json_t *record = json_of("{'text': '会诊记录'}");
    assert_ok(cn_record_set(rig->c, &rig->referrer, id, record, NULL, &problem));
    assert_ok(request_do(rig, &rig->referrer, id, "close", ""));
}

cn_state request_state(platform *rig, const char *id)
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_AUTO_ROWS cn_rows *rows = NULL;
    cn_state state = CN_STATE_COUNT;
    assert_ok(cn_conn_acquire(rig->c->db, &conn));
    assert_ok(cn_db_query(conn, &rows, "SELECT state FROM requests WHERE id = $1", cn_text(id)));
    if (cn_rows_next(rows)) assert_true(cn_state_parse(cn_rows_text(rows, 0), &state));
    return state;
}

bool request_offers(platform *rig, const cn_actor *actor, const char *id, const char *action)
{
    CN_AUTO_JSON json_t *object = NULL;
    size_t i;
    json_t *item;
    assert_ok(cn_request_get(rig->c, actor, id, &object));
    json_array_foreach(json_object_get(object, "actions"), i, item)
    {
        if (strcmp(json_string_value(item), action) == 0) return true;
    }
    return false;
}
