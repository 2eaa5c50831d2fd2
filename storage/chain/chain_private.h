/* Private to storage/: what the writer and the verifier of the append-only logs share. */
#ifndef CN_STORAGE_CHAIN_PRIVATE_H
#define CN_STORAGE_CHAIN_PRIVATE_H

#include "base/crypto.h"
#include "storage/chain/chain.h"

#define CN_CHAIN_LINK CN_SHA256_LEN
#define CN_CHAIN_NODE 64
#define CN_CHAIN_VALUES_MAX 16
#define CN_CHAIN_PAGE 1000

/* A log's table. */
typedef struct cn_chain_def {
    const char *name;
    const char *kinds;  /* one letter for each value between counter and link: t text, i integer */
    const char *insert; /* node, boot, counter, values, link */
    const char *tail;   /* counter and link of the last row of (node, boot) */
    const char *chains; /* every (node, boot) */
    const char *page;   /* counter, values, link of (node, boot) after counter $3, CN_CHAIN_PAGE at most */
} cn_chain_def;

const cn_chain_def *cn_chain_def_of(cn_chain_log log);

/* Where a row stands. */
typedef struct cn_chain_place {
    const char *node;
    const char *boot;
    int64_t counter;
} cn_chain_place;

/** The values of a row in the order of its table; they borrow the row's texts. */
void cn_chain_audit_values(const cn_audit_row *row, cn_val out[CN_CHAIN_VALUES_MAX]);
void cn_chain_ledger_values(const cn_ledger_row *row, cn_val out[CN_CHAIN_VALUES_MAX]);
/** CN_ERR_INVALID unless every text is UTF-8 and at most 4,096 bytes. */
cn_err cn_chain_values_check(const cn_chain_def *chain_def, const cn_val *values);

/** HMAC(key, previous link ‖ log ‖ place ‖ values), every text preceded by its length. */
cn_err cn_chain_link(const cn_chain_def *chain_def, const uint8_t key[32], const uint8_t prev[CN_CHAIN_LINK],
                     const cn_chain_place *at, const cn_val *values, uint8_t out[CN_CHAIN_LINK]);

/* One line of the file of heads: LOG NODE BOOT COUNTER LINK TIME */
typedef struct cn_head {
    char log[8];
    char node[CN_CHAIN_NODE];
    char boot[CN_ID_TEXT];
    int64_t counter;
    uint8_t link[CN_CHAIN_LINK];
} cn_head;

#define CN_HEAD_TEXT 256

/** The line without its end; false when it does not fit. */
bool cn_head_format(const cn_head *head, char out[CN_HEAD_TEXT]);
/** Parses `len` bytes without the line's end. */
bool cn_head_parse(const char *line, size_t len, cn_head *out);

/** All heads of a file's text in the order of log, node, boot, counter; caller frees. `bad` counts the lines that are none; what
 * follows the last line's end is left out. */
cn_err cn_heads_parse(const char *text, size_t size, cn_head **out, size_t *count, size_t *bad);
/** Order of their chains: log, node, boot; 0: of one chain. */
int cn_head_by_chain(const cn_head *left, const cn_head *right);

/* The file of heads, open for appending. Several processes may share it. */
typedef struct cn_heads cn_heads;
/** Creates the file (0600); rewrites one over 8 MiB with the last head of each chain only. */
cn_err cn_heads_open(cn_heads **out, const char *path);
/** Appends and fsyncs; writes a whole line or nothing. One thread at a time. */
cn_err cn_heads_append(cn_heads *heads, const cn_head *head);
void cn_heads_close(cn_heads *heads);
/** All heads in the order of log, node, boot, counter; caller frees. `bad` counts the lines that are none. */
cn_err cn_heads_read(const char *path, cn_head **out, size_t *count, size_t *bad);
/** A file with the heads of another one, where there is none. */
cn_err cn_heads_clone(const char *from, const char *to);
/** Into that order. */
void cn_heads_sort(cn_head *heads, size_t count);

#endif
