#include "consult/request/begin.h"

#include <string.h>

#include "base/str.h"

bool cn_begins(const cn_present *here, const cn_appointment *plan, int64_t now_ms)
{
    int64_t from = plan->at_ms - CN_BEGIN_EARLY_MS, to = plan->at_ms + plan->minutes * 60000;
    if (here->referrer && here->expert) return true;
    if (!here->referrer && !here->expert) return false;
    return plan->at_ms && now_ms >= from && now_ms < to && plan->absent_ms < from;
}

static cn_err load_plan(cn_conn *conn, const char *id, cn_appointment *out, bool *scheduled)
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_db_query(conn, &rows,
                       "SELECT state, scheduled_ms, scheduled_minutes, (SELECT COALESCE(MAX(at_ms), 0) FROM "
                       "request_history WHERE request_id = $1 AND action = 'no_show') FROM requests WHERE id = $1",
                       cn_text(id)));
    if (!cn_rows_next(rows)) return CN_ERR_NOTFOUND;
    *scheduled = strcmp(cn_rows_text(rows, 0), cn_state_name(CN_STATE_SCHEDULED)) == 0;
    *out = (cn_appointment){
        .at_ms = cn_rows_int(rows, 1), .minutes = cn_rows_int(rows, 2), .absent_ms = cn_rows_int(rows, 3)};
    return CN_OK;
}

static cn_err look(cn_consult *consult, const char *id, const cn_present *here, int64_t now_ms, bool *scheduled,
                   bool *begins)
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    cn_appointment plan;
    CN_TRY(cn_conn_acquire(consult->db, &conn));
    CN_TRY(load_plan(conn, id, &plan, scheduled));
    *begins = *scheduled && cn_begins(here, &plan, now_ms);
    return CN_OK;
}

cn_err cn_request_begin(cn_consult *consult, const cn_actor *actor, const char *id, const cn_present *here,
                        int64_t now_ms, bool *scheduled)
{
    bool begins = false;
    cn_act act;
    cn_request_scope scope;
    char object[48];
    CN_TRY(look(consult, id, here, now_ms, scheduled, &begins));
    if (!begins) return CN_OK;
    cn_fmt(object, sizeof(object), "request:%.26s", id);
    CN_TRY(cn_act_begin(&act, consult, actor));
    cn_err err = cn_request_scope_get(act.conn, actor, id, &scope);
    if (err == CN_OK) {
        if (scope.parts & (CN_PART_REFERRER | CN_PART_EXPERT)) scope.parts |= CN_PART_PRESENT;
        err = cn_request_step(act.conn, actor, &scope, "begin", "", NULL);
    }
    CN_TRY(cn_act_end(&act, err, "request.begin", object, NULL));
    *scheduled = false;
    cn_request_announce(consult, &scope);
    return CN_OK;
}
