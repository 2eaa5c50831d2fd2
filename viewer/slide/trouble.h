/*
 * What slides did to their decoders a moment ago, so that a broken one which is asked for again and again costs a look
 * here and not a process each time. Bounded: the oldest is forgotten first. Pure, the caller has the clock and the lock.
 */
#ifndef CN_VIEWER_TROUBLE_H
#define CN_VIEWER_TROUBLE_H

#include <stdbool.h>

#include "base/err.h"
#include "viewer/decode_proto.h"

#define CN_TROUBLE_SLIDES 64
#define CN_TROUBLE_MS 30000 /* for so long a failure is remembered */

typedef struct cn_trouble_row {
    char path[CN_DECODE_PATH]; /* "": free */
    bool opening;              /* it cannot be opened at all */
    cn_decode_ask ask;         /* otherwise what it could not answer */
    cn_err err;
    unsigned times;
    uint64_t since_ms;
} cn_trouble_row;

typedef struct cn_trouble {
    cn_trouble_row rows[CN_TROUBLE_SLIDES];
} cn_trouble;

/** The error with which this question would end again; CN_OK: nothing is known, ask. */
cn_err cn_trouble_recall(const cn_trouble *trouble, const char *path, const cn_decode_ask *ask, uint64_t now_ms);

/**
 * How it ended. `opening`: before the slide was open. Remembered at once is what a file says of itself (damaged, no
 * slide) and what took too long; a crash only the second time, since the first may have been somebody else's fault.
 */
void cn_trouble_note(cn_trouble *trouble, const char *path, bool opening, const cn_decode_ask *ask, cn_err err,
                     uint64_t now_ms);

/** The file is another one now, or gone. */
void cn_trouble_forget(cn_trouble *trouble, const char *path);

#endif
