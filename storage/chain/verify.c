#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "storage/chain/chain_private.h"

#define FAULTS_PRINTED 100

typedef struct check {
    const cn_chain_def *def;
    const uint8_t *key;
    cn_conn *conn;
    FILE *report;
    cn_head *heads;
    size_t n_heads;
    size_t chains;
    int64_t rows;
    int64_t uncovered; /* rows after the last head of their chain */
    size_t faults;
} check;

/* State of the walk along one chain. */
typedef struct walk {
    const char *node;
    const char *boot;
    int64_t last;
    uint8_t link[CN_CHAIN_LINK];
    size_t head;     /* next head to be met */
    size_t head_end; /* one after the chain's last head */
} walk;

static void __attribute__((format(printf, 3, 4))) fault(check *probe, const walk *state, const char *fmt, ...)
{
    va_list args;
    if (probe->faults++ >= FAULTS_PRINTED) return;
    fprintf(probe->report, "%s %s %s: ", probe->def->name, state->node, state->boot);
    va_start(args, fmt);
    vfprintf(probe->report, fmt, args);
    va_end(args);
    fputc('\n', probe->report);
}

static void values_from(const check *probe, const cn_rows *rows, cn_val out[CN_CHAIN_VALUES_MAX])
{
    for (size_t i = 0; probe->def->kinds[i]; i++) {
        if (probe->def->kinds[i] == 't')
            out[i] = cn_text(cn_rows_text(rows, i + 1));
        else
            out[i] = cn_int(cn_rows_int(rows, i + 1));
    }
}

static void meet_heads(check *probe, walk *state)
{
    for (; state->head < state->head_end && probe->heads[state->head].counter <= state->last; state->head++) {
        const cn_head *head = &probe->heads[state->head];
        if (head->counter == state->last && !cn_equal_ct(head->link, state->link, CN_CHAIN_LINK))
            fault(probe, state, "row %" PRId64 " is not the one whose head was written", head->counter);
    }
}

/* After a fault the walk goes on from the stored link, so that each further line is a fault of its own. */
static cn_err check_row(check *probe, walk *state, const cn_rows *rows)
{
    cn_val values[CN_CHAIN_VALUES_MAX];
    uint8_t link[CN_CHAIN_LINK];
    size_t n = 0;
    cn_chain_place at = {.node = state->node, .boot = state->boot, .counter = cn_rows_int(rows, 0)};
    const void *stored = cn_rows_blob(rows, strlen(probe->def->kinds) + 1, &n);
    values_from(probe, rows, values);
    CN_TRY(cn_chain_link(probe->def, probe->key, state->link, &at, values, link));
    bool gap = at.counter != state->last + 1;
    if (gap) fault(probe, state, "rows %" PRId64 " to %" PRId64 " are missing", state->last + 1, at.counter - 1);
    if (n != CN_CHAIN_LINK) {
        fault(probe, state, "row %" PRId64 " has no link", at.counter);
        memcpy(state->link, link, sizeof link);
    } else {
        if (!gap && !cn_equal_ct(stored, link, n))
            fault(probe, state, "row %" PRId64 " was changed, or stands in another's place", at.counter);
        memcpy(state->link, stored, n);
    }
    state->last = at.counter;
    probe->rows++;
    meet_heads(probe, state);
    return CN_OK;
}

static void find_heads(const check *probe, walk *state)
{
    size_t i = 0;
    while (i < probe->n_heads &&
           (strcmp(probe->heads[i].log, probe->def->name) != 0 || strcmp(probe->heads[i].node, state->node) != 0 ||
            strcmp(probe->heads[i].boot, state->boot) != 0))
        i++;
    state->head = state->head_end = i;
    while (state->head_end < probe->n_heads && strcmp(probe->heads[state->head_end].log, probe->def->name) == 0 &&
           strcmp(probe->heads[state->head_end].node, state->node) == 0 &&
           strcmp(probe->heads[state->head_end].boot, state->boot) == 0)
        state->head_end++;
}

static cn_err check_chain(check *probe, const char *node, const char *boot)
{
    walk state = {.node = node, .boot = boot};
    find_heads(probe, &state);
    size_t first_head = state.head;
    for (;;) {
        CN_AUTO_ROWS cn_rows *rows = NULL;
        CN_TRY(cn_db_query(probe->conn, &rows, probe->def->page, cn_text(node), cn_text(boot), cn_int(state.last)));
        while (cn_rows_next(rows)) CN_TRY(check_row(probe, &state, rows));
        if (cn_rows_count(rows) < CN_CHAIN_PAGE) break;
    }
    int64_t covered = state.head_end > first_head ? probe->heads[state.head_end - 1].counter : 0;
    if (covered > state.last)
        fault(probe, &state, "rows %" PRId64 " to %" PRId64 " are missing at the end", state.last + 1, covered);
    else
        probe->uncovered += state.last - covered;
    for (size_t i = first_head; i < state.head_end; i++) probe->heads[i].log[0] = '-'; /* seen */
    probe->chains++;
    return CN_OK;
}

/* Chains of which the file of heads knows but the database does not. */
static void check_lost_chains(check *probe)
{
    for (size_t i = 0; i < probe->n_heads; i++) {
        const cn_head *head = &probe->heads[i];
        if (strcmp(head->log, probe->def->name) != 0) continue;
        bool last = i + 1 == probe->n_heads || strcmp(head->log, head[1].log) != 0 ||
                    strcmp(head->node, head[1].node) != 0 || strcmp(head->boot, head[1].boot) != 0;
        walk state = {.node = head->node, .boot = head->boot};
        if (last) fault(probe, &state, "all %" PRId64 " rows are missing", head->counter);
    }
}

static cn_err check_all(check *probe)
{
    CN_AUTO_ROWS cn_rows *chains = NULL;
    CN_TRY(cn_db_query(probe->conn, &chains, probe->def->chains));
    while (cn_rows_next(chains)) CN_TRY(check_chain(probe, cn_rows_text(chains, 0), cn_rows_text(chains, 1)));
    check_lost_chains(probe);
    fprintf(probe->report,
            "%s: %zu chains, %" PRId64 " rows, %zu faults, %" PRId64 " rows not covered by a head in this file\n",
            probe->def->name, probe->chains, probe->rows, probe->faults, probe->uncovered);
    return probe->faults ? CN_ERR_CORRUPT : CN_OK;
}

/* The heads are read before the rows: whatever is written meanwhile only makes the chains longer. */
cn_err cn_chain_verify(cn_chain_log log, cn_db *db, const cn_vault *vault, const char *heads_path, FILE *report)
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    size_t bad = 0;
    check probe = {.def = cn_chain_def_of(log), .key = cn_vault_chain_key(vault), .report = report};
    cn_err err = cn_heads_read(heads_path, &probe.heads, &probe.n_heads, &bad);
    if (err != CN_OK) {
        fprintf(report, "the file of heads cannot be read (%s): nothing proves that no rows are missing at the end\n",
                cn_err_text(err));
        return err == CN_ERR_NOTFOUND ? CN_ERR_CORRUPT : err;
    }
    if (bad) fprintf(report, "%zu lines of the file of heads are none (a power cut may leave one)\n", bad);
    err = cn_conn_acquire(db, &conn);
    probe.conn = conn;
    if (err == CN_OK) err = check_all(&probe);
    free(probe.heads);
    return err;
}
