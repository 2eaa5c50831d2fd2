/*
 * The server's side of a zygote and of the workers that it forks: programs that read strangers' files, each worker locked in. Used by
 * slide/decoders (slides) and dicom/reader. A zygote is thread-safe; a worker belongs to one thread at a time.
 */
#ifndef CN_VIEWER_ZYGOTE_H
#define CN_VIEWER_ZYGOTE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "viewer/decode_proto.h"

#define CN_FORKED_ANSWER_MS 10000 /* a worker has for an answer */
#define CN_ZYGOTE_CANARY 16

typedef struct cn_zygote {
    char program[CN_DECODE_PATH];
    size_t shared; /* bytes that a worker shares with us */
    int sock;
    pid_t pid;
    pthread_mutex_t lock; /* one question at a time */
    uint8_t canary[CN_ZYGOTE_CANARY];
} cn_zygote;

typedef struct cn_forked {
    int sock; /* -1: there is none */
    int32_t pid;
    uint8_t *shared;
    size_t canaries; /* bytes of it that are full of them */
    int said;        /* what its libraries print */
    unsigned lines;
} cn_forked;

#define CN_FORKED_NONE ((cn_forked){.sock = -1, .said = -1})

/** Starts `program`. Ended by cn_zygote_stop also where it fails. */
cn_err cn_zygote_start(cn_zygote *zygote, const char *program, size_t shared);
void cn_zygote_stop(cn_zygote *zygote);

/** Has a worker forked, which is told `path`. Its zygote is started anew when it ended. */
cn_err cn_forked_open(cn_zygote *zygote, const char *path, cn_forked *out);
/** Ends it; one that is CN_FORKED_NONE is left alone. */
void cn_forked_end(cn_zygote *zygote, cn_forked *worker);

/** A message of `size` bytes at most, when it came within CN_FORKED_ANSWER_MS. CN_ERR_TIMEOUT, CN_ERR_CRASHED. */
cn_err cn_forked_receive(const cn_forked *worker, void *bytes, size_t size, size_t *got);

/**
 * The first `n` bytes of what it shares, as a copy with a zero behind, caller frees. CN_ERR_CRASHED when it did not write all of them. What
 * lies there afterwards is no answer any more.
 */
cn_err cn_forked_take(const cn_zygote *zygote, cn_forked *worker, size_t n, void **out);

/** Hands each line that its libraries printed since to `line`: at most 20 of a worker, some files are worth a warning for every tag. */
void cn_forked_said(cn_forked *worker, void (*line)(const void *user, const char *text), const void *user);

#endif
