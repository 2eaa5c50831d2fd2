/*
 * Append-only logs: the audit log and the minute ledger (DESIGN §6).
 *
 * One chain per log and writing process (node, boot, counter); each row's link is HMAC-SHA-256(chain key, previous link
 * ‖ canonical row). After each batch is committed, its head is appended to a separate file and fsynced; the head also
 * goes to syslog within 10 s. Rows hold identifiers, never names. Triggers in the database refuse UPDATE and DELETE.
 * Thread-safe: a chain serialises its writers.
 */
#ifndef CN_STORAGE_CHAIN_H
#define CN_STORAGE_CHAIN_H

#include <stdio.h>

#include "storage/db/db.h"
#include "storage/vault/vault.h"

typedef struct cn_chain cn_chain;

typedef enum cn_chain_log { CN_CHAIN_AUDIT, CN_CHAIN_LEDGER } cn_chain_log;

/** A new chain for this process. `node` is the node's name (1 to 63 visible ASCII characters); `heads_path` the file of
 * heads. */
cn_err cn_chain_open(cn_chain **out, cn_chain_log log, cn_db *db, const cn_vault *vault, const char *node,
                     const char *heads_path);
void cn_chain_close(cn_chain *chain);
/** A second place for the heads, best on another disk: each head is written to both before a row is answered for. Before
 * the first row. One that is not there is made from the first file when a head is written, so that a look creates none. */
cn_err cn_chain_heads_copy(cn_chain *chain, const char *path);

/** One row of the audit log. NULL texts are stored as ''. All are identifiers or words of ours, never patients' data.
 */
typedef struct cn_audit_row {
    int64_t at_ms;       /* wall clock; 0: now */
    const char *actor;   /* user id, "" before login, "system" */
    const char *action;  /* "login", "request.submit", "file.read" … */
    const char *object;  /* kind:id, e.g. "request:01H…" */
    const char *outcome; /* "ok", "denied", "failed" */
    const char *address; /* client address */
    const char *detail;  /* short JSON object without patients' data */
} cn_audit_row;

/** One row of the minute ledger: a stretch of one participant in one tier pair (REQUIREMENTS §14). */
typedef struct cn_ledger_row {
    const char *room;        /* room id */
    const char *request;     /* request id or "" */
    const char *participant; /* participant id: one per join */
    const char *user;        /* user id, "" for a token guest */
    const char *hospital;    /* hospital id or "" */
    const char *kind;        /* "person", "bot" (recorder, WHEP viewer), "device" (WHIP) */
    int64_t start_ms;        /* server's wall clock */
    int64_t duration_ms;     /* monotonic duration */
    int64_t area_sum;        /* A(t): sum of width × height sent */
    int64_t area_max;        /* largest single stream */
    int tier_aggregate;      /* 0 voice, 1 SD, 2 HD, 3 super-HD, 4 2K, 5 4K */
    int tier_max;
    int rule_version;      /* of the tier bounds and weights */
    const char *end_cause; /* "tier", "month", "leave", "timeout", "shutdown", "checkpoint" */
} cn_ledger_row;

/** Appends in a transaction of its own and returns when it is on disk. */
cn_err cn_chain_audit(cn_chain *chain, const cn_audit_row *row);
cn_err cn_chain_ledger(cn_chain *chain, const cn_ledger_row *rows, size_t count);
/**
 * The same inside the caller's transaction: the change and its audit row are one. It is the last statement before the
 * commit, since the chain stays locked for other writers until cn_chain_commit, or until cn_chain_rolled_back after a
 * rollback. Several rows may be appended in one transaction. CN_ERR_AGAIN when another transaction held the chain for 5
 * s; after any error the chain is free again and the transaction must be rolled back. CN_ERR_INVALID for text that is
 * not UTF-8 or longer than 4,096 bytes.
 */
cn_err cn_chain_audit_tx(cn_chain *chain, cn_conn *conn, const cn_audit_row *row);
/** Commits the transaction and writes the head; after an error it has been rolled back. The usual end after
 * cn_chain_audit_tx. */
cn_err cn_chain_commit(cn_chain *chain, cn_conn *conn);
/** The two halves for who commits himself: after his commit (writes the head), after his rollback (nothing when this
 * thread does not hold the chain). */
cn_err cn_chain_committed(cn_chain *chain);
void cn_chain_rolled_back(cn_chain *chain);

/** What vouches for a log's rows. */
typedef struct cn_chain_proof {
    const char *heads, *copy; /* the files of heads; copy NULL: none is kept */
    const char *node;         /* whose heads they are; NULL: of some node */
    int64_t uncovered;        /* so many rows of it may lie behind the last heads */
} cn_chain_proof;

/**
 * Checks every chain of a log against its links and the files of heads; prints what is wrong and a summary. CN_ERR_CORRUPT when
 * something is. Of a `node` every row must be covered by a head in each of both files, unless `uncovered` allows for some (a
 * copy that was made while the server wrote); rows that are written meanwhile are waited for. Chains of other nodes, whose
 * heads are in those nodes' files, are checked by their links alone. May run while the server writes.
 */
cn_err cn_chain_verify(cn_chain_log log, cn_db *db, const cn_vault *vault, const cn_chain_proof *proof, FILE *report);

/**
 * Heads for what the end of a process left without: of chains of `node` with a head and at most `most` rows behind it, whose
 * links prove them, the last row's is written to both files. A copy that is not there is made from the first file. Before the
 * server serves; `adopted` counts the rows.
 */
cn_err cn_chain_adopt(cn_chain_log log, cn_db *db, const cn_vault *vault, const cn_chain_proof *proof, int64_t most,
                      int64_t *adopted);

#endif
