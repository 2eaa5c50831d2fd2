#include "viewer/slide/owners.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

#define REMEMBERED 256 /* slides; a share never changes */
#define ID 64

typedef struct owner_row {
    char id[ID], share[CN_DECODERS_SHARE];
} owner_row;

struct cn_owners {
    pthread_mutex_t lock;
    cn_owners_fn fn;
    void *ctx;
    unsigned next;
    owner_row rows[REMEMBERED];
};

static bool recall(cn_owners *owners, const char *id, char share[CN_DECODERS_SHARE])
{
    bool found = false;
    pthread_mutex_lock(&owners->lock);
    for (size_t i = 0; i < REMEMBERED && !found; i++)
        if ((found = strcmp(owners->rows[i].id, id) == 0)) cn_strcpy(share, CN_DECODERS_SHARE, owners->rows[i].share);
    pthread_mutex_unlock(&owners->lock);
    return found;
}

void cn_owners_of(cn_owners *owners, const char *id, char share[CN_DECODERS_SHARE])
{
    share[0] = 0;
    if (!owners->fn || !id[0] || strlen(id) >= ID || recall(owners, id, share)) return;
    owners->fn(owners->ctx, id, share);
    if (!share[0]) return;
    pthread_mutex_lock(&owners->lock);
    owner_row *row = &owners->rows[owners->next++ % REMEMBERED];
    cn_strcpy(row->id, sizeof(row->id), id);
    cn_strcpy(row->share, sizeof(row->share), share);
    pthread_mutex_unlock(&owners->lock);
}

cn_err cn_owners_new(cn_owners **out, cn_owners_fn fn, void *ctx)
{
    cn_owners *owners = CN_NEW(cn_owners);
    if (!owners) return CN_ERR_NOMEM;
    pthread_mutex_init(&owners->lock, NULL);
    owners->fn = fn;
    owners->ctx = ctx;
    *out = owners;
    return CN_OK;
}

void cn_owners_free(cn_owners *owners)
{
    if (!owners) return;
    pthread_mutex_destroy(&owners->lock);
    free(owners);
}
