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

static void __attribute__((format(printf, 3, 4))) fault(check *k, const walk *w, const char *fmt, ...)
{
    va_list args;
    if (k->faults++ >= FAULTS_PRINTED) return;
    fprintf(k->report, "%s %s %s: ", k->def->name, w->node, w->boot);
    va_start(args, fmt);
    vfprintf(k->report, fmt, args);
    va_end(args);
    fputc('\n', k->report);
}

static void values_from(const check *k, const cn_rows *rows, cn_val out[CN_CHAIN_VALUES_MAX])
{
    for (size_t i = 0; k->def->kinds[i]; i++) {
        if (k->def->kinds[i] == 't')
            out[i] = cn_text(cn_rows_text(rows, i + 1));
        else
            out[i] = cn_int(cn_rows_int(rows, i + 1));
    }
}

static void meet_heads(check *k, walk *w)
{
    for (; w->head < w->head_end && k->heads[w->head].counter <= w->last; w->head++) {
        const cn_head *h = &k->heads[w->head];
        if (h->counter == w->last && !cn_equal_ct(h->link, w->link, CN_CHAIN_LINK))
            fault(k, w, "row %" PRId64 " is not the one whose head was written", h->counter);
    }
}

/* After a fault the walk goes on from the stored link, so that each further line is a fault of its own. */
static cn_err check_row(check *k, walk *w, const cn_rows *rows)
{
    cn_val values[CN_CHAIN_VALUES_MAX];
    uint8_t link[CN_CHAIN_LINK];
    size_t n = 0;
    cn_chain_place at = {.node = w->node, .boot = w->boot, .counter = cn_rows_int(rows, 0)};
    const void *stored = cn_rows_blob(rows, strlen(k->def->kinds) + 1, &n);
    values_from(k, rows, values);
    CN_TRY(cn_chain_link(k->def, k->key, w->link, &at, values, link));
    bool gap = at.counter != w->last + 1;
    if (gap) fault(k, w, "rows %" PRId64 " to %" PRId64 " are missing", w->last + 1, at.counter - 1);
    if (n != CN_CHAIN_LINK) {
        fault(k, w, "row %" PRId64 " has no link", at.counter);
        memcpy(w->link, link, sizeof link);
    } else {
        if (!gap && !cn_equal_ct(stored, link, n))
            fault(k, w, "row %" PRId64 " was changed, or stands in another's place", at.counter);
        memcpy(w->link, stored, n);
    }
    w->last = at.counter;
    k->rows++;
    meet_heads(k, w);
    return CN_OK;
}

static void find_heads(const check *k, walk *w)
{
    size_t i = 0;
    while (i < k->n_heads && (strcmp(k->heads[i].log, k->def->name) != 0 || strcmp(k->heads[i].node, w->node) != 0 ||
                              strcmp(k->heads[i].boot, w->boot) != 0))
        i++;
    w->head = w->head_end = i;
    while (w->head_end < k->n_heads && strcmp(k->heads[w->head_end].log, k->def->name) == 0 &&
           strcmp(k->heads[w->head_end].node, w->node) == 0 && strcmp(k->heads[w->head_end].boot, w->boot) == 0)
        w->head_end++;
}

static cn_err check_chain(check *k, const char *node, const char *boot)
{
    walk w = {.node = node, .boot = boot};
    find_heads(k, &w);
    size_t first_head = w.head;
    for (;;) {
        CN_AUTO_ROWS cn_rows *rows = NULL;
        CN_TRY(cn_db_query(k->conn, &rows, k->def->page, cn_text(node), cn_text(boot), cn_int(w.last)));
        while (cn_rows_next(rows)) CN_TRY(check_row(k, &w, rows));
        if (cn_rows_count(rows) < CN_CHAIN_PAGE) break;
    }
    int64_t covered = w.head_end > first_head ? k->heads[w.head_end - 1].counter : 0;
    if (covered > w.last)
        fault(k, &w, "rows %" PRId64 " to %" PRId64 " are missing at the end", w.last + 1, covered);
    else
        k->uncovered += w.last - covered;
    for (size_t i = first_head; i < w.head_end; i++) k->heads[i].log[0] = '-'; /* seen */
    k->chains++;
    return CN_OK;
}

/* Chains of which the file of heads knows but the database does not. */
static void check_lost_chains(check *k)
{
    for (size_t i = 0; i < k->n_heads; i++) {
        const cn_head *h = &k->heads[i];
        if (strcmp(h->log, k->def->name) != 0) continue;
        bool last = i + 1 == k->n_heads || strcmp(h->log, h[1].log) != 0 || strcmp(h->node, h[1].node) != 0 ||
                    strcmp(h->boot, h[1].boot) != 0;
        walk w = {.node = h->node, .boot = h->boot};
        if (last) fault(k, &w, "all %" PRId64 " rows are missing", h->counter);
    }
}

static cn_err check_all(check *k)
{
    CN_AUTO_ROWS cn_rows *chains = NULL;
    CN_TRY(cn_db_query(k->conn, &chains, k->def->chains));
    while (cn_rows_next(chains)) CN_TRY(check_chain(k, cn_rows_text(chains, 0), cn_rows_text(chains, 1)));
    check_lost_chains(k);
    fprintf(k->report,
            "%s: %zu chains, %" PRId64 " rows, %zu faults, %" PRId64 " rows not covered by a head in this file\n",
            k->def->name, k->chains, k->rows, k->faults, k->uncovered);
    return k->faults ? CN_ERR_CORRUPT : CN_OK;
}

/* The heads are read before the rows: whatever is written meanwhile only makes the chains longer. */
cn_err cn_chain_verify(cn_chain_log log, cn_db *db, const cn_vault *v, const char *heads_path, FILE *report)
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    size_t bad = 0;
    check k = {.def = cn_chain_def_of(log), .key = cn_vault_chain_key(v), .report = report};
    cn_err e = cn_heads_read(heads_path, &k.heads, &k.n_heads, &bad);
    if (e != CN_OK) {
        fprintf(report, "the file of heads cannot be read (%s): nothing proves that no rows are missing at the end\n",
                cn_err_text(e));
        return e == CN_ERR_NOTFOUND ? CN_ERR_CORRUPT : e;
    }
    if (bad) fprintf(report, "%zu lines of the file of heads are none (a power cut may leave one)\n", bad);
    e = cn_conn_acquire(db, &conn);
    k.conn = conn;
    if (e == CN_OK) e = check_all(&k);
    free(k.heads);
    return e;
}
