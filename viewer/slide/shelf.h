/*
 * Slides that are looked at: what they are, their files kept open, and where their own tiles lie. Bounded in number and in
 * memory, least recently used first out; whoever has one keeps it as long as he needs it. Thread-safe.
 */
#ifndef CN_VIEWER_SHELF_H
#define CN_VIEWER_SHELF_H

#include <pthread.h>
#include <stdatomic.h>

#include "viewer/decode_proto.h"
#include "viewer/slide/tiletable.h"

typedef struct cn_shelf cn_shelf;

/** An open slide, reference-counted (cn_ref, cn_unref). All but the tables is fixed. */
typedef struct cn_shelved {
    char id[64];
    char path[CN_DECODE_PATH];
    cn_decode_info info;
    int fds[CN_NATIVE_FILES]; /* by CN_NATIVE_…; -1: not needed */
    uint64_t file_bytes[CN_NATIVE_FILES];
    pthread_mutex_t loading;                          /* one at a time asks for a table */
    _Atomic(cn_tiletable *) tables[CN_DECODE_LEVELS]; /* NULL: not asked for yet; never changed afterwards */
} cn_shelved;

/** `slides` at most, and `bytes` of tables. */
cn_err cn_shelf_new(cn_shelf **out, unsigned slides, size_t bytes);
void cn_shelf_free(cn_shelf *shelf);

/** A new reference, NULL when it is not there. */
cn_shelved *cn_shelf_find(cn_shelf *shelf, const char *id);
/** Opens the files that `info` needs and keeps it all under `id`: a new reference. */
cn_err cn_shelf_add(cn_shelf *shelf, const char *id, const char *path, const cn_decode_info *info, cn_shelved **out);
/** Takes a whole table over as that of a level that has none yet; the caller holds `loading`. */
void cn_shelf_give(cn_shelf *shelf, cn_shelved *slide, uint32_t level, cn_tiletable *table);
void cn_shelf_drop(cn_shelf *shelf, const char *id);

#endif
