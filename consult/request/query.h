/* What list.c and desk.c share: a statement put together from constant pieces, and a request as a row of a list. */
#ifndef CN_CONSULT_REQUEST_QUERY_H
#define CN_CONSULT_REQUEST_QUERY_H

#include "base/mem.h"
#include "consult/request/request_private.h"

#define CN_QUERY_PARAMS 40

/** Text from constants, values only as parameters. Errors of all calls wait until cn_query_run. */
typedef struct cn_query {
    cn_buf text;
    cn_val values[CN_QUERY_PARAMS];
    size_t n;
    cn_err err;
} cn_query;

/** Adds a value; gives its number: "$%zu". */
size_t cn_query_bind(cn_query *query, cn_val value);

/** Begins a page of rows, as cn_query_items reads them; " AND …" of q, the request, follow, then cn_query_page. Which
 * requests they are is found by the index requests_list alone: sealed names, diagnoses and other tables are read for those
 * of the page only. `actor` outlives the query. */
void cn_query_rows(cn_query *query, const cn_actor *actor);

/** Ends it. `order`: constant, of q's columns. */
void cn_query_page(cn_query *query, const char *order, unsigned size, unsigned offset);

/** " AND …": what the actor may see at all, as scope.c's parts_of says of one request. */
void cn_query_scope(cn_query *query, const cn_actor *actor);

/** Runs it and frees the text. */
cn_err cn_query_run(cn_query *query, cn_conn *conn, cn_rows **out);

/** Runs what cn_query_rows began; adds a JSON object for each row to `items`. */
cn_err cn_query_items(cn_query *query, cn_consult *consult, cn_conn *conn, const cn_actor *actor, json_t *items);

/** 1 where an expert of q's cannot come any more, since his account is disabled: anybody before and during the talk, after
 * it the lead, who writes. */
#define CN_EXPERT_GONE                                                                                               \
    "CASE WHEN q.state IN ('SCHEDULED', 'IN_SESSION', 'AWAITING_REPORT') AND EXISTS (SELECT 1 FROM request_experts " \
    "x JOIN users y ON y.id = x.user_id WHERE x.request_id = q.id AND y.active = 0 AND (x.lead = 1 OR q.state <> "   \
    "'AWAITING_REPORT')) THEN 1 ELSE 0 END"

/** What somebody can do next for a request, in one word, "" for nothing; the rows' `todo`. Pure. */
typedef struct cn_todo_case {
    cn_state state;
    bool urgent, recorded, mine; /* has a consultation record; the actor is its referrer */
    bool unread;                 /* its report was amended, and the referrer has not read that version */
    bool expert, lead;           /* the actor's part */
    bool past;                   /* its time is over */
    bool gone;                   /* CN_EXPERT_GONE */
} cn_todo_case;
const char *cn_request_todo(const cn_actor *actor, const cn_todo_case *of);

#endif
