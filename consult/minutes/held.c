#include "consult/minutes/held.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Somebody whose last stretch ends at a checkpoint is there still, unless no further one has come. */
static bool stays_on(const cn_held_stay *stay, int64_t at_ms)
{
    return !stay->left && stay->to_ms >= at_ms - CN_HELD_FRESH_MS;
}

static void take_stays(const cn_held_facts *facts, int64_t at_ms, int64_t *first, int64_t *last, bool *on)
{
    for (size_t i = 0; i < facts->count; i++) {
        const cn_held_stay *stay = &facts->stays[i];
        int64_t from = stay->from_ms > facts->session_ms ? stay->from_ms : facts->session_ms;
        if (stay->to_ms <= facts->session_ms) continue;
        if (!*first || from < *first) *first = from;
        if (stay->to_ms > *last) *last = stay->to_ms;
        *on = *on || stays_on(stay, at_ms);
    }
}

cn_held cn_held_of(const cn_held_facts *facts, int64_t now_ms)
{
    int64_t first = 0, last = 0, until = facts->room_open ? now_ms : facts->closed_ms;
    bool on = false;
    if (!facts->session_ms) return (cn_held){0};
    take_stays(facts, until, &first, &last, &on);
    if (facts->seen) {
        first = facts->session_ms;
        /* his first minute is not in the ledger yet */
        on = on || (!last && until - facts->session_ms < CN_HELD_FRESH_MS);
    }
    cn_held held = {.start_ms = first};
    if (!first) return held;
    if (facts->room_open) {
        held.ongoing = on;
        held.end_ms = on ? 0 : last;
    } else {
        held.end_ms = on || !last || last > until ? until : last;
    }
    if (held.end_ms && held.end_ms < held.start_ms) held.end_ms = held.start_ms;
    return held;
}

static cn_err load_session(cn_conn *conn, const char *request, int64_t until_ms, cn_held_facts *facts)
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_db_query(conn, &rows,
                       "SELECT action, at_ms FROM request_history WHERE request_id = $1 AND (action = 'no_show' OR "
                       "(to_state = 'IN_SESSION' AND from_state <> 'IN_SESSION')) AND at_ms <= $2 ORDER BY step DESC "
                       "LIMIT 1",
                       cn_text(request), cn_int(until_ms)));
    if (!cn_rows_next(rows) || strcmp(cn_rows_text(rows, 0), "no_show") == 0) return CN_OK;
    facts->session_ms = cn_rows_int(rows, 1);
    facts->seen = strcmp(cn_rows_text(rows, 0), "begin") == 0;
    return CN_OK;
}

static cn_err load_stays(cn_conn *conn, const char *room, cn_held_facts *facts, cn_held_stay **out)
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_db_query(conn, &rows,
                       "SELECT MIN(start_ms), MAX(start_ms + duration_ms), MAX(CASE WHEN end_cause IN ('leave', "
                       "'removed', 'ended', 'timeout', 'shutdown') THEN 1 ELSE 0 END) FROM minute_ledger WHERE room_id "
                       "= $1 AND kind = "
                       "'person' AND start_ms + duration_ms > $2 GROUP BY participant_id",
                       cn_text(room), cn_int(facts->session_ms)));
    cn_held_stay *stays = cn_calloc(cn_rows_count(rows) + 1, sizeof *stays);
    if (!stays) return CN_ERR_NOMEM;
    for (; cn_rows_next(rows); facts->count++)
        stays[facts->count] = (cn_held_stay){
            .from_ms = cn_rows_int(rows, 0), .to_ms = cn_rows_int(rows, 1), .left = cn_rows_int(rows, 2) != 0};
    facts->stays = *out = stays;
    return CN_OK;
}

/* `until_ms`: the history after it is left out. */
static cn_err load_facts(cn_conn *conn, const char *request, int64_t until_ms, cn_held_facts *facts,
                         cn_held_stay **stays)
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(load_session(conn, request, until_ms, facts));
    if (!facts->session_ms) return CN_OK;
    CN_TRY(cn_db_query(conn, &rows, "SELECT id, closed_ms FROM rooms WHERE request_id = $1", cn_text(request)));
    if (!cn_rows_next(rows)) {
        facts->session_ms = 0;
        return CN_OK;
    }
    facts->closed_ms = cn_rows_int(rows, 1);
    facts->room_open = facts->closed_ms == 0;
    return load_stays(conn, cn_rows_text(rows, 0), facts, stays);
}

cn_err cn_held_load(cn_conn *conn, const char *request, int64_t now_ms, cn_held *out)
{
    cn_held_facts facts = {0};
    CN_AUTO_FREE cn_held_stay *stays = NULL;
    CN_TRY(load_facts(conn, request, INT64_MAX, &facts, &stays));
    *out = cn_held_of(&facts, now_ms);
    return CN_OK;
}

cn_err cn_held_then(cn_conn *conn, const char *request, int64_t then_ms, cn_held *out)
{
    cn_held_facts facts = {0};
    CN_AUTO_FREE cn_held_stay *stays = NULL;
    size_t n = 0;
    CN_TRY(load_facts(conn, request, then_ms, &facts, &stays));
    for (size_t i = 0; i < facts.count; i++) {
        cn_held_stay stay = stays[i];
        if (stay.from_ms >= then_ms) continue;
        if (stay.to_ms > then_ms) stay = (cn_held_stay){.from_ms = stay.from_ms, .to_ms = then_ms};
        stays[n++] = stay;
    }
    facts.count = n;
    facts.room_open = facts.room_open || facts.closed_ms > then_ms;
    *out = cn_held_of(&facts, then_ms);
    return CN_OK;
}
