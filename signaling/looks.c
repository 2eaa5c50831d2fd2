#include "signaling/looks.h"

#include <string.h>

#include "base/str.h"

void cn_looks_init(cn_looks *l)
{
    memset(l, 0, sizeof *l);
    pthread_mutex_init(&l->lock, NULL);
}

static bool due_locked(cn_looks *l, const char *user, const char *object, uint64_t now_ms)
{
    size_t at = 0;
    for (size_t i = 0; i < CN_LOOKS; i++) {
        bool same = l->look[i].noted_ms && strcmp(l->look[i].user, user) == 0 && strcmp(l->look[i].object, object) == 0;
        if (same && now_ms - l->look[i].noted_ms < CN_LOOK_MS) return false;
        if (same || l->look[i].noted_ms < l->look[at].noted_ms) at = i;
        if (same) break;
    }
    (void)cn_strcpy(l->look[at].user, sizeof l->look[at].user, user);
    (void)cn_strcpy(l->look[at].object, sizeof l->look[at].object, object);
    l->look[at].noted_ms = now_ms ? now_ms : 1;
    return true;
}

bool cn_looks_due(cn_looks *l, const char *user, const char *object, uint64_t now_ms)
{
    pthread_mutex_lock(&l->lock);
    bool due = due_locked(l, user, object, now_ms);
    pthread_mutex_unlock(&l->lock);
    return due;
}

void cn_looks_end(cn_looks *l)
{
    pthread_mutex_destroy(&l->lock);
}
