#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"
#include "storage/chain/chain_private.h"

#define FAULTS_PRINTED 100

typedef struct check {
    const cn_chain_def *def;
    const uint8_t *key;
    cn_conn *conn;
    FILE *report;
    const char *node; /* whose chains must be covered; NULL: nobody's */
    cn_head *heads;
    size_t n_heads;
    size_t chains;
    int64_t rows;
    int64_t uncovered; /* rows after the last head of their chain */
    cn_head *ends;     /* last rows of that node's chains, as they were met */
    size_t n_ends;
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

static cn_err keep_end(check *probe, const walk *state)
{
    cn_head *more = reallocarray(probe->ends, probe->n_ends + 1, sizeof *more);
    if (!more) return CN_ERR_NOMEM;
    probe->ends = more;
    cn_head *end = &more[probe->n_ends++];
    *end = (cn_head){.counter = state->last};
    cn_strcpy(end->log, sizeof end->log, probe->def->name);
    cn_strcpy(end->node, sizeof end->node, state->node);
    cn_strcpy(end->boot, sizeof end->boot, state->boot);
    memcpy(end->link, state->link, CN_CHAIN_LINK);
    return CN_OK;
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
    return probe->node && strcmp(node, probe->node) == 0 ? keep_end(probe, &state) : CN_OK;
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
    return CN_OK;
}

static cn_err finish(const check *probe)
{
    fprintf(probe->report,
            "%s: %zu chains, %" PRId64 " rows, %zu faults, %" PRId64 " rows not covered by a head in this file\n",
            probe->def->name, probe->chains, probe->rows, probe->faults, probe->uncovered);
    return probe->faults ? CN_ERR_CORRUPT : CN_OK;
}

/* ---- a node's own: nothing lies behind its heads ---- */

/* The last counter of a chain for which a file has a head; 0: none. */
static int64_t covered_by(const cn_head *heads, size_t n, const cn_head *end)
{
    int64_t last = 0;
    for (size_t i = 0; i < n; i++)
        if (heads[i].counter > last && strcmp(heads[i].log, end->log) == 0 && strcmp(heads[i].node, end->node) == 0 &&
            strcmp(heads[i].boot, end->boot) == 0)
            last = heads[i].counter;
    return last;
}

/* Rows of the chains that this file has no head for. */
static int64_t behind(const check *probe, const char *path)
{
    cn_head *heads = NULL;
    size_t n = 0, bad = 0;
    int64_t rows = 0;
    if (cn_heads_read(path, &heads, &n, &bad) != CN_OK) n = 0;
    for (size_t i = 0; i < probe->n_ends; i++) {
        int64_t covered = covered_by(heads, n, &probe->ends[i]);
        if (covered < probe->ends[i].counter) rows += probe->ends[i].counter - covered;
    }
    free(heads);
    return rows;
}

/* A row is there a moment before its head: what was written while we looked is given time. */
static void check_place(check *probe, const char *path, int64_t allowed)
{
    const struct timespec moment = {.tv_nsec = 250 * 1000 * 1000};
    int64_t rows = 0;
    for (int tries = 0; tries < 8; tries++) {
        rows = behind(probe, path);
        if (rows <= allowed) break;
        nanosleep(&moment, NULL);
    }
    if (rows > probe->uncovered) probe->uncovered = rows;
    if (rows <= allowed) return;
    probe->faults++;
    fprintf(probe->report, "%s %s: %s has no head for %" PRId64 " rows: nothing vouches for them\n", probe->def->name,
            probe->node, path, rows);
}

static void join_heads(check *probe, const char *path)
{
    cn_head *heads = NULL;
    size_t n = 0, bad = 0;
    cn_err err = cn_heads_read(path, &heads, &n, &bad);
    if (err != CN_OK) {
        probe->faults++;
        fprintf(probe->report, "the file of heads %s cannot be read: %s\n", path, cn_err_text(err));
        return;
    }
    if (bad) fprintf(probe->report, "%zu lines of %s are no heads (a power cut may leave one)\n", bad, path);
    cn_head *both = n ? reallocarray(probe->heads, probe->n_heads + n, sizeof *both) : probe->heads;
    if (n && both) {
        memcpy(both + probe->n_heads, heads, n * sizeof *both);
        probe->heads = both;
        probe->n_heads += n;
        cn_heads_sort(both, probe->n_heads);
    }
    free(heads);
}

/* The heads are read before the rows: whatever is written meanwhile only makes the chains longer. */
static void begin(check *probe, cn_chain_log log, const cn_vault *vault, const cn_chain_proof *proof)
{
    probe->def = cn_chain_def_of(log);
    probe->key = cn_vault_chain_key(vault);
    probe->node = proof->node;
    join_heads(probe, proof->heads);
    if (proof->copy) join_heads(probe, proof->copy);
}

cn_err cn_chain_verify(cn_chain_log log, cn_db *db, const cn_vault *vault, const cn_chain_proof *proof, FILE *report)
{
    CN_AUTO_CONN cn_conn *conn = NULL;
    check probe = {.report = report};
    begin(&probe, log, vault, proof);
    cn_err err = cn_conn_acquire(db, &conn);
    probe.conn = conn;
    if (err == CN_OK) err = check_all(&probe);
    if (err == CN_OK) {
        check_place(&probe, proof->heads, proof->uncovered);
        if (proof->copy) check_place(&probe, proof->copy, proof->uncovered);
        err = finish(&probe);
    }
    free(probe.heads);
    free(probe.ends);
    return err;
}

/* ---- after the end of a process ---- */

/* Both files of heads as they are, and what of a chain lies behind them. */
typedef struct adoption {
    const char *path[2];
    cn_head *heads[2];
    size_t n[2], places;
    int64_t most, rows;
} adoption;

static cn_err read_places(adoption *work, const cn_chain_proof *proof)
{
    size_t bad = 0;
    bool clone = proof->copy && access(proof->copy, F_OK) < 0;
    if (clone) CN_TRY(cn_heads_clone(proof->heads, proof->copy));
    work->path[0] = proof->heads;
    work->path[1] = proof->copy;
    work->places = proof->copy ? 2 : 1;
    for (size_t i = 0; i < work->places; i++) CN_TRY(cn_heads_read(work->path[i], &work->heads[i], &work->n[i], &bad));
    return CN_OK;
}

/* Whether one of the files lacks heads that another one's, or the links after it, prove; a chain without any is left alone. */
static cn_err is_behind(check *probe, const adoption *work, const char *boot, bool *out)
{
    CN_AUTO_ROWS cn_rows *rows = NULL;
    cn_head end = {.counter = 0};
    int64_t best = 0, worst = INT64_MAX;
    *out = false;
    CN_TRY(cn_db_query(probe->conn, &rows, probe->def->tail, cn_text(probe->node), cn_text(boot)));
    if (!cn_rows_next(rows)) return CN_OK;
    cn_strcpy(end.log, sizeof end.log, probe->def->name);
    cn_strcpy(end.node, sizeof end.node, probe->node);
    cn_strcpy(end.boot, sizeof end.boot, boot);
    for (size_t i = 0; i < work->places; i++) {
        int64_t covered = covered_by(work->heads[i], work->n[i], &end);
        best = covered > best ? covered : best;
        worst = covered < worst ? covered : worst;
    }
    int64_t left = cn_rows_int(rows, 0) - worst;
    *out = best > 0 && left > 0 && left <= work->most;
    return CN_OK;
}

/* Walks only along chains of which something is to be adopted: the others may be long. */
static cn_err walk_behind(check *probe, const adoption *work)
{
    CN_AUTO_ROWS cn_rows *chains = NULL;
    CN_TRY(cn_db_query(probe->conn, &chains, probe->def->chains));
    while (cn_rows_next(chains)) {
        bool behind_one = false;
        if (strcmp(cn_rows_text(chains, 0), probe->node) != 0) continue;
        CN_TRY(is_behind(probe, work, cn_rows_text(chains, 1), &behind_one));
        if (behind_one) CN_TRY(check_chain(probe, probe->node, cn_rows_text(chains, 1)));
    }
    return CN_OK;
}

/* Writes the heads of the last rows where a file lacks them. */
static cn_err write_heads(const check *probe, adoption *work, size_t place)
{
    cn_heads *to = NULL;
    int64_t rows = 0;
    cn_err err = cn_heads_open(&to, work->path[place]);
    for (size_t i = 0; i < probe->n_ends && err == CN_OK; i++) {
        int64_t left = probe->ends[i].counter - covered_by(work->heads[place], work->n[place], &probe->ends[i]);
        if (left <= 0) continue;
        err = cn_heads_append(to, &probe->ends[i]);
        rows += left;
    }
    cn_heads_close(to);
    if (rows > work->rows) work->rows = rows;
    return err;
}

cn_err cn_chain_adopt(cn_chain_log log, cn_db *db, const cn_vault *vault, const cn_chain_proof *proof, int64_t most,
                      int64_t *adopted)
{
    CN_AUTO_FREE char *said = NULL;
    size_t n = 0;
    FILE *nowhere = open_memstream(&said, &n);
    if (!nowhere) return CN_ERR_NOMEM;
    check probe = {.report = nowhere};
    adoption work = {.most = most};
    cn_err err = read_places(&work, proof);
    begin(&probe, log, vault, proof);
    if (err == CN_OK) err = cn_conn_acquire(db, &probe.conn);
    if (err == CN_OK) err = walk_behind(&probe, &work);
    cn_conn_release(probe.conn);
    /* of a log with a fault nothing is vouched for */
    for (size_t i = 0; i < work.places && err == CN_OK && !probe.faults; i++) err = write_heads(&probe, &work, i);
    *adopted = work.rows;
    fclose(nowhere);
    for (size_t i = 0; i < work.places; i++) free(work.heads[i]);
    free(probe.heads);
    free(probe.ends);
    return err;
}
