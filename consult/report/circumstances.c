#include "consult/report/circumstances.h"

#include "base/json.h"
#include "consult/minutes/held.h"

/* In the room between the session's beginning ($2) and $3, or signed something until $3. */
#define TOOK_PART                                                                                                \
    "CASE WHEN EXISTS (SELECT 1 FROM rooms m JOIN minute_ledger l ON l.room_id = m.id WHERE m.request_id = "     \
    "e.request_id AND l.user_id = e.user_id AND l.kind = 'person' AND l.start_ms + l.duration_ms > $2 AND "      \
    "l.start_ms < $3) OR EXISTS (SELECT 1 FROM opinions o WHERE o.request_id = e.request_id AND o.author_id = "  \
    "e.user_id AND o.signed_ms <= $3) OR EXISTS (SELECT 1 FROM reports r WHERE r.request_id = e.request_id AND " \
    "r.author_id = e.user_id AND r.signed_ms > 0 AND r.signed_ms <= $3) THEN 1 ELSE 0 END"

static cn_err load_experts(cn_conn *conn, const char *request, int64_t from_ms, int64_t until_ms, json_t *experts)
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_db_query(conn, &rows,
                       "SELECT u.id, u.display_name, u.title, h.name, e.lead, " TOOK_PART
                       " FROM request_experts e JOIN users u ON u.id = e.user_id JOIN hospitals h ON h.id = "
                       "u.hospital_id WHERE e.request_id = $1 ORDER BY e.lead DESC, u.id",
                       cn_text(request), cn_int(from_ms), cn_int(until_ms)));
    while (cn_rows_next(rows))
        json_array_append_new(experts, json_pack("{s:s, s:s, s:s, s:s, s:b, s:b}", "id", cn_rows_text(rows, 0), "name",
                                                 cn_rows_text(rows, 1), "title", cn_rows_text(rows, 2), "hospital",
                                                 cn_rows_text(rows, 3), "lead", (int)cn_rows_int(rows, 4), "took_part",
                                                 (int)cn_rows_int(rows, 5)));
    return CN_OK;
}

static json_t *held_json(const cn_held *held)
{
    if (!held->start_ms) return json_null();
    return json_pack("{s:I, s:o, s:b}", "started_at", (json_int_t)held->start_ms, "ended_at",
                     held->end_ms ? json_integer(held->end_ms) : json_null(), "ongoing", held->ongoing);
}

static cn_err load(cn_conn *conn, const char *request, const cn_held *held, int64_t until_ms, json_t **out)
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_AUTO_JSON json_t *experts = json_array();
    CN_TRY(cn_db_query(conn, &rows, "SELECT scheduled_ms FROM requests WHERE id = $1", cn_text(request)));
    int64_t planned = cn_rows_next(rows) ? cn_rows_int(rows, 0) : 0;
    CN_TRY(load_experts(conn, request, held->start_ms ? held->start_ms : INT64_MAX, until_ms, experts));
    *out =
        json_pack("{s:I, s:o, s:O}", "scheduled_at", (json_int_t)planned, "held", held_json(held), "experts", experts);
    return *out ? CN_OK : CN_ERR_NOMEM;
}

cn_err cn_circumstances_now(cn_conn *conn, const char *request, int64_t now_ms, json_t **out)
{
    cn_held held;
    CN_TRY(cn_held_load(conn, request, now_ms, &held));
    return load(conn, request, &held, INT64_MAX, out);
}

cn_err cn_circumstances_then(cn_conn *conn, const char *request, int64_t then_ms, json_t **out)
{
    cn_held held;
    CN_TRY(cn_held_then(conn, request, then_ms, &held));
    return load(conn, request, &held, then_ms, out);
}
