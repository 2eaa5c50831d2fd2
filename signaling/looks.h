/*
 * Who looks at what that renews itself: a page that asks every few seconds is one look in the audit log, and another
 * one after ten minutes. Any thread.
 */
#ifndef CN_SIGNALING_LOOKS_H
#define CN_SIGNALING_LOOKS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/crypto.h"

#define CN_LOOKS 256 /* at once; at the bound the oldest is forgotten, which means one more row */
#define CN_LOOK_MS 600000

typedef struct cn_looks {
    pthread_mutex_t lock;
    struct {
        char user[CN_ID_TEXT], object[80];
        uint64_t noted_ms; /* 0: free */
    } look[CN_LOOKS];
} cn_looks;

void cn_looks_init(cn_looks *looks);
/** True when this look is to be written down: the first of this user at this object within ten minutes. `now_ms`:
 * monotonic. */
bool cn_looks_due(cn_looks *looks, const char *user, const char *object, uint64_t now_ms);
void cn_looks_end(cn_looks *looks);

#endif
