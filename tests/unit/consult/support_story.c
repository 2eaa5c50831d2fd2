#include "support_story.h"

#include "consult/report/report.h"

static void changed(void *ctx, const char *request, const char *state)
{
    platform *p = ctx;
    (void)request;
    p->changes++;
    cn_strcpy(p->last_state, sizeof p->last_state, state);
}

void platform_sql(platform *p, const char *sql)
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    assert_ok(cn_conn_acquire(p->c->db, &conn));
    assert_ok(cn_db_exec_v(conn, NULL, sql, NULL, 0));
}

int64_t platform_int(platform *p, const char *sql)
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_AUTO_ROWS cn_rows *r = NULL;
    assert_ok(cn_conn_acquire(p->c->db, &conn));
    assert_ok(cn_db_query_v(conn, &r, sql, NULL, 0));
    return cn_rows_next(r) ? cn_rows_int(r, 0) : -1;
}

static cn_actor somebody(uint32_t rights)
{
    cn_actor a = {.rights = rights, .address = "192.0.2.1"};
    cn_id_new(a.user);
    return a;
}

void platform_open(platform *p, void **state)
{
    support_consult *s = support_consult_new(SUPPORT_DB_KIND(state));
    *p = (platform){.s = s,
                    .c = &s->c,
                    .referrer = s->referrer,
                    .colleague = s->other_referrer,
                    .lead = s->lead,
                    .second = s->expert,
                    .third = s->stranger,
                    .admin = s->admin,
                    .nobody = somebody(1u << CN_RIGHT_USER_MANAGE),
                    .reader = somebody(1u << CN_RIGHT_REQUEST_READ_ALL)};
    s->c.changed = changed;
    s->c.ctx = p;
}

void platform_close(platform *p)
{
    support_consult_free(p->s);
}

json_t *json_of(const char *text)
{
    char *copy = strdup(text);
    assert_non_null(copy);
    for (char *s = copy; *s; s++)
        if (*s == '\'') *s = '"';
    json_t *j = json_loads(copy, 0, NULL);
    if (!j) fail_msg("not JSON: %s", copy);
    free(copy);
    return j;
}

void request_new(platform *p, bool urgent, const char *patient, char id[CN_ID_TEXT])
{
    CN_AUTO_JSON json_t *body = json_pack("{s:s, s:s, s:{s:s, s:s, s:s, s:s, s:s}, s:s, s:s}", "kind", "C", "urgency",
                                          urgent ? "urgent" : "ordinary", "patient", "name", patient, "sex", "female",
                                          "birth_date", "1961-05-02", "identity_number", "110101196105020021", "phone",
                                          "13800000000", "diagnosis", "右肺上叶占位", "question", "性质？");
    cn_problem problem = {0};
    assert_ok(cn_request_create(p->c, &p->referrer, body, id, &problem));
}

void request_consent(platform *p, const char *id)
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_AUTO_FREE void *name = NULL;
    char file[CN_ID_TEXT], place[64];
    size_t n = 0;
    cn_id_new(file);
    snprintf(place, sizeof place, "files.name:%s", file);
    assert_ok(cn_vault_seal(p->s->vault, place, "知情同意书.pdf", &name, &n));
    assert_ok(cn_conn_acquire(p->c->db, &conn));
    assert_ok(cn_db_exec(conn, NULL,
                         "INSERT INTO files (id, request_id, category, name_sealed, type, kind, size, sha256, state, "
                         "pdf_sha256, pages, uploaded_by, created_ms, deleted_ms) VALUES ($1, $2, 'consent', $3, "
                         "'application/pdf', 'document', 5, 'ab', 'ready', '', 1, $4, 1, 0)",
                         cn_text(file), cn_text(id), cn_blob(name, n), cn_text(p->referrer.user)));
}

cn_err request_do(platform *p, const cn_actor *a, const char *id, const char *action, const char *body)
{
    CN_AUTO_JSON json_t *j = json_of(*body ? body : "{}");
    cn_problem problem = {0};
    return cn_request_act(p->c, a, id, action, j, &problem);
}

static void schedule(platform *p, const char *id)
{
    char body[256];
    snprintf(body, sizeof body, "{'lead': '%s', 'experts': ['%s'], 'at': %lld, 'minutes': 30}", p->lead.user,
             p->second.user, (long long)cn_wall_ms() + 3600000);
    assert_ok(request_do(p, &p->admin, id, "schedule", body));
}

static void write_and_sign(platform *p, const char *id)
{
    CN_AUTO_JSON json_t *body = json_of("{'findings': '所见', 'conclusion': '结论', 'advice': '', 'revision': 0}");
    cn_problem problem = {0};
    int64_t revision = 0;
    assert_ok(cn_report_draft(p->c, &p->lead, id, body, &revision, &problem));
    assert_ok(cn_report_sign(p->c, &p->lead, id, NULL, &problem));
}

void request_until(platform *p, const char *id, cn_state state)
{
    char room[CN_ID_TEXT];
    cn_problem problem = {0};
    if (state == CN_STATE_UPLOADING) return;
    request_consent(p, id);
    assert_ok(request_do(p, &p->referrer, id, "submit", ""));
    if (state == CN_STATE_PENDING_REVIEW) return;
    schedule(p, id);
    if (state == CN_STATE_SCHEDULED) return;
    assert_ok(cn_request_room(p->c, &p->lead, id, room, &problem));
    if (state == CN_STATE_IN_SESSION) return;
    assert_ok(request_do(p, &p->lead, id, "finish", ""));
    if (state == CN_STATE_AWAITING_REPORT) return;
    write_and_sign(p, id);
    if (state == CN_STATE_REPORTED) return;
    CN_AUTO_JSON json_t *record = json_of("{'text': '会诊记录'}");
    assert_ok(cn_record_set(p->c, &p->referrer, id, record, &problem));
    assert_ok(request_do(p, &p->referrer, id, "close", ""));
}

cn_state request_state(platform *p, const char *id)
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_AUTO_ROWS cn_rows *r = NULL;
    cn_state s = CN_STATE_COUNT;
    assert_ok(cn_conn_acquire(p->c->db, &conn));
    assert_ok(cn_db_query(conn, &r, "SELECT state FROM requests WHERE id = $1", cn_text(id)));
    if (cn_rows_next(r)) assert_true(cn_state_parse(cn_rows_text(r, 0), &s));
    return s;
}
