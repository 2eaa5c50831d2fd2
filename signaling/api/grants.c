#include "signaling/api/grants.h"

#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/str.h"

#define GRANT_MS 2000 /* a withdrawn right stops tiles within 5 s (DESIGN §7) */
#define GRANTS 1024

static cn_grant grants[GRANTS];
static pthread_mutex_t grants_lock = PTHREAD_MUTEX_INITIALIZER;

static size_t grant_place(const char *user, const char *file)
{
    return cn_hash_more(cn_hash(user), file) % GRANTS;
}

bool cn_grant_find(const cn_actor *actor, const char *file, cn_grant *out)
{
    cn_grant *ticket = &grants[grant_place(actor->user, file)];
    pthread_mutex_lock(&grants_lock);
    bool found =
        ticket->until_ms > cn_mono_ms() && strcmp(ticket->user, actor->user) == 0 && strcmp(ticket->file, file) == 0;
    if (found) *out = *ticket;
    pthread_mutex_unlock(&grants_lock);
    return found;
}

void cn_grant_keep(const cn_actor *actor, cn_grant *ticket)
{
    cn_strcpy(ticket->user, sizeof(ticket->user), actor->user);
    ticket->until_ms = cn_mono_ms() + GRANT_MS;
    pthread_mutex_lock(&grants_lock);
    grants[grant_place(ticket->user, ticket->file)] = *ticket;
    pthread_mutex_unlock(&grants_lock);
}
