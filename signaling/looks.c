#include "signaling/looks.h"

#include <string.h>

#include "base/str.h"

void cn_looks_init(cn_looks *looks)
{
    memset(looks, 0, sizeof *looks);
    pthread_mutex_init(&looks->lock, NULL);
}

static bool due_locked(cn_looks *looks, const char *user, const char *object, uint64_t now_ms)
{
    size_t at = 0;
    for (size_t i = 0; i < CN_LOOKS; i++) {
        bool same = looks->look[i].noted_ms && strcmp(looks->look[i].user, user) == 0 &&
                    strcmp(looks->look[i].object, object) == 0;
        if (same && now_ms - looks->look[i].noted_ms < CN_LOOK_MS) return false;
        if (same || looks->look[i].noted_ms < looks->look[at].noted_ms) at = i;
        if (same) break;
    }
    (void)cn_strcpy(looks->look[at].user, sizeof looks->look[at].user, user);
    (void)cn_strcpy(looks->look[at].object, sizeof looks->look[at].object, object);
    looks->look[at].noted_ms = now_ms ? now_ms : 1;
    return true;
}

bool cn_looks_due(cn_looks *looks, const char *user, const char *object, uint64_t now_ms)
{
    pthread_mutex_lock(&looks->lock);
    bool due = due_locked(looks, user, object, now_ms);
    pthread_mutex_unlock(&looks->lock);
    return due;
}

void cn_looks_end(cn_looks *looks)
{
    pthread_mutex_destroy(&looks->lock);
}
