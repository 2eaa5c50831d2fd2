#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "consult/request/query.h"

#define TOKENS 16
#define NUMBER_PATTERN 28

/* Tokens of the name that is searched for; those past the bound only make the search wider. */
typedef struct name_tokens {
    size_t n;
    char token[TOKENS][33];
} name_tokens;

static void take_token(void *arg, const char *token)
{
    name_tokens *tokens = arg;
    if (tokens->n < TOKENS) memcpy(tokens->token[tokens->n++], token, sizeof(tokens->token[0]));
}

/* What parameters point to while the query runs. */
typedef struct words {
    name_tokens name;
    char number[NUMBER_PATTERN];
} words;

static void where_name(cn_query *query, cn_consult *consult, const char *name, name_tokens *tokens)
{
    tokens->n = 0;
    cn_vault_search_tokens(consult->vault, "patient.name", name, take_token, tokens);
    for (size_t i = 0; i < tokens->n; i++)
        cn_buf_fmt(&query->text, " AND q.id IN (SELECT request_id FROM request_name_tokens WHERE token = $%zu)",
                   cn_query_bind(query, cn_text(tokens->token[i])));
}

/* Words of the interface. What is over is urgent no more. */
static const struct {
    const char *word, *order;
} sorts[] = {
    {"-created", "q.requested_ms DESC, q.id DESC"},
    {"created", "q.requested_ms, q.id"},
    {"scheduled", "CASE WHEN q.scheduled_ms = 0 THEN 1 ELSE 0 END, q.scheduled_ms, q.id"},
    {"-scheduled", "q.scheduled_ms DESC, q.id DESC"},
    {"urgent", "CASE WHEN q.state IN ('REPORTED', 'CLOSED', 'REJECTED', 'CANCELLED') THEN 0 ELSE q.urgent END DESC, "
               "q.requested_ms DESC, q.id DESC"},
    {"number", "q.number"},
    {"-number", "q.number DESC"},
};

static const char *order_of(const char *word)
{
    for (size_t i = 0; i < sizeof(sorts) / sizeof(sorts[0]); i++)
        if (strcmp(sorts[i].word, word && word[0] ? word : "-created") == 0) return sorts[i].order;
    return NULL;
}

/* Names of states between commas, as bits; false for another word. */
static bool states_of(const char *text, uint32_t *out)
{
    *out = 0;
    for (const char *at = text; *at;) {
        char word[24];
        cn_state state;
        size_t n = strcspn(at, ",");
        if (!cn_fmt(word, sizeof(word), "%.*s", (int)n, at) || !cn_state_parse(word, &state)) return false;
        *out |= 1u << state;
        at += n + (at[n] == ',');
    }
    return true;
}

static void where_states(cn_query *query, uint32_t states)
{
    const char *comma = "";
    cn_buf_str(&query->text, " AND q.state IN (");
    for (unsigned i = 0; i < CN_STATE_COUNT; i++)
        if (states >> i & 1u) {
            cn_buf_fmt(&query->text, "%s'%s'", comma, cn_state_name((cn_state)i));
            comma = ", ";
        }
    cn_buf_str(&query->text, ")");
}

static bool given(const char *text)
{
    return text && text[0];
}

/* Letters of a number are written large; a part of one will do. */
static void where_number(cn_query *query, const char *number, char pattern[NUMBER_PATTERN])
{
    cn_fmt(pattern, NUMBER_PATTERN, "%%%.24s%%", number);
    for (char *at = pattern; *at; at++)
        if (*at >= 'a' && *at <= 'z') *at = (char)(*at - 'a' + 'A');
    cn_buf_fmt(&query->text, " AND q.number LIKE $%zu", cn_query_bind(query, cn_text(pattern)));
}

static void where_filter(cn_query *query, cn_consult *consult, const cn_request_filter *filter, words *kept)
{
    const char *time = filter->by_time ? "q.scheduled_ms" : "q.requested_ms";
    uint32_t states = 0;
    if (filter->by_time && (filter->from_ms || filter->to_ms)) cn_buf_str(&query->text, " AND q.scheduled_ms > 0");
    if (filter->from_ms)
        cn_buf_fmt(&query->text, " AND %s >= $%zu", time, cn_query_bind(query, cn_int(filter->from_ms)));
    if (filter->to_ms) cn_buf_fmt(&query->text, " AND %s < $%zu", time, cn_query_bind(query, cn_int(filter->to_ms)));
    if (given(filter->states) && states_of(filter->states, &states)) where_states(query, states);
    if (given(filter->hospital))
        cn_buf_fmt(&query->text, " AND q.hospital_id = $%zu", cn_query_bind(query, cn_text(filter->hospital)));
    if (given(filter->expert))
        cn_buf_fmt(&query->text, " AND q.id IN (SELECT request_id FROM request_experts WHERE user_id = $%zu)",
                   cn_query_bind(query, cn_text(filter->expert)));
    if (given(filter->number)) where_number(query, filter->number, kept->number);
    if (given(filter->name)) where_name(query, consult, filter->name, &kept->name);
}

/* How many requests of each tab the filter leaves; *total of the asked tab. */
static cn_err count(cn_consult *consult, cn_conn *conn, const cn_actor *actor, const cn_request_filter *filter,
                    json_t **counts, int64_t *total)
{
    static const char *const tabs[] = {"uploading", "pending", "completed"};
    cn_query query = {0};
    words kept;
    int64_t sums[3] = {0, 0, 0};
    cn_buf_str(&query.text, "SELECT q.state, COUNT(*) FROM requests q WHERE 1 = 1");
    cn_query_scope(&query, actor);
    where_filter(&query, consult, filter, &kept);
    cn_buf_str(&query.text, " GROUP BY q.state");
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_query_run(&query, conn, &rows));
    *total = 0;
    while (cn_rows_next(rows)) {
        cn_state state;
        if (!cn_state_parse(cn_rows_text(rows, 0), &state)) continue;
        for (size_t i = 0; i < 3; i++)
            if (cn_state_tab(tabs[i]) >> state & 1u) sums[i] += cn_rows_int(rows, 1);
    }
    for (size_t i = 0; i < 3; i++)
        if (!filter->tab || strcmp(filter->tab, tabs[i]) == 0) *total += sums[i];
    *counts = json_pack("{s:I, s:I, s:I}", tabs[0], (json_int_t)sums[0], tabs[1], (json_int_t)sums[1], tabs[2],
                        (json_int_t)sums[2]);
    return *counts ? CN_OK : CN_ERR_NOMEM;
}

static cn_err fetch(cn_consult *consult, cn_conn *conn, const cn_actor *actor, const cn_request_filter *filter,
                    json_t *items)
{
    cn_query query = {0};
    words kept;
    cn_query_rows(&query, actor);
    cn_query_scope(&query, actor);
    where_filter(&query, consult, filter, &kept);
    if (filter->tab) where_states(&query, cn_state_tab(filter->tab));
    cn_query_page(&query, order_of(filter->sort), filter->size, (filter->page - 1) * filter->size);
    return cn_query_items(&query, consult, conn, actor, items);
}

/* "C20261120-0007", "20261120", "0007". It stands in addresses, and so in the logs of everything on the way: what can be a
 * telephone or identity number is refused, before anybody gets used to looking for patients by it. */
static bool part_of_number(const char *text)
{
    static const char digits[] = "0123456789";
    const char *at = text + (*text >= 'A' && *text <= 'Z') + (*text >= 'a' && *text <= 'z');
    size_t day = strspn(at, digits), rest;
    if (at[day] == '\0') return day <= 6 || (day <= 8 && strncmp(at, "20", 2) == 0);
    if (at[day] != '-' || day > 8 || (day > 6 && strncmp(at, "20", 2) != 0)) return false;
    rest = strspn(at + day + 1, digits);
    return rest <= 6 && at[day + 1 + rest] == '\0';
}

static cn_err check_filter(const cn_request_filter *filter, cn_problem *problem)
{
    uint32_t states = 0;
    if (filter->tab && !cn_state_tab(filter->tab))
        return cn_problem_field(problem, CN_WRONG_FORMAT, "tab", "must be uploading, pending or completed");
    if (filter->page < 1 || filter->page > 100000 || filter->size > 200)
        return cn_problem_field(problem, CN_WRONG_FORMAT, "page", "page is from 1, size 0 to 200");
    if (filter->name && strlen(filter->name) > 180)
        return cn_problem_set(problem, CN_ERR_TOOBIG, "name", "at most 60 characters");
    if (filter->states && !states_of(filter->states, &states))
        return cn_problem_field(problem, CN_WRONG_UNKNOWN, "state", "names of states, between commas");
    if (!order_of(filter->sort)) return cn_problem_field(problem, CN_WRONG_UNKNOWN, "sort", "no such order");
    if (filter->number && !part_of_number(filter->number))
        return cn_problem_field(problem, CN_WRONG_FORMAT, "number", "a request's number, or a part of one");
    return CN_OK;
}

cn_err cn_request_list(cn_consult *consult, const cn_actor *actor, const cn_request_filter *filter, json_t **out,
                       cn_problem *problem)
{
    CN_TRY(check_filter(filter, problem));
    CN_AUTO_CONN cn_conn *conn = NULL;
    CN_TRY(cn_conn_acquire(consult->db, &conn));
    json_t *counts = NULL, *items = json_array();
    int64_t total = 0;
    cn_err err = count(consult, conn, actor, filter, &counts, &total);
    if (err == CN_OK && filter->size > 0) err = fetch(consult, conn, actor, filter, items);
    if (err != CN_OK) {
        json_decref(counts);
        json_decref(items);
        return err;
    }
    *out = json_pack("{s:o, s:I, s:o}", "items", items, "total", (json_int_t)total, "counts", counts);
    return *out ? CN_OK : CN_ERR_NOMEM;
}

/* ---- urgent ones that wait for an expert ---- */

#define URGENT_MAX 50

cn_err cn_request_urgent(cn_conn *conn, const cn_actor *actor, json_t **out, cn_problem *problem)
{
    if (!cn_actor_may(actor, CN_RIGHT_REPORT_WRITE) && !cn_actor_may(actor, CN_RIGHT_REQUEST_REVIEW))
        return cn_problem_set(problem, CN_ERR_FORBIDDEN, "",
                              "only experts and the centre wait for urgent consultations");
    CN_AUTO_ROWS cn_rows *rows = NULL;
    CN_TRY(cn_db_query(
        conn, &rows,
        "SELECT q.id, q.number, q.created_ms, h.name, COALESCE(d.name, ''), CASE WHEN q.state = 'IN_SESSION' THEN 1 "
        "ELSE 0 "
        "END FROM requests q JOIN hospitals h "
        "ON h.id = q.hospital_id LEFT JOIN departments d ON d.id = q.department_id WHERE q.urgent = 1 AND ((q.state IN "
        "('UPLOADING', 'PENDING_REVIEW') AND q.referrer_id <> $1) OR (q.state = 'IN_SESSION' AND q.id IN (SELECT "
        "request_id "
        "FROM request_experts WHERE user_id = $1) AND EXISTS (SELECT 1 FROM request_history y WHERE y.request_id = "
        "q.id AND "
        "y.action = 'assign') AND NOT EXISTS (SELECT 1 FROM minute_ledger g JOIN rooms m ON m.id = g.room_id WHERE "
        "m.request_id = q.id AND g.user_id = $1))) ORDER BY q.created_ms, q.id LIMIT $2",
        cn_text(actor->user), cn_int(URGENT_MAX)));
    json_t *list = json_array();
    while (cn_rows_next(rows))
        json_array_append_new(list, json_pack("{s:s, s:s, s:I, s:s, s:s, s:b}", "id", cn_rows_text(rows, 0), "number",
                                              cn_rows_text(rows, 1), "created_at", (json_int_t)cn_rows_int(rows, 2),
                                              "hospital", cn_rows_text(rows, 3), "department", cn_rows_text(rows, 4),
                                              "assigned", cn_rows_int(rows, 5) != 0));
    *out = list;
    return list ? CN_OK : CN_ERR_NOMEM;
}
