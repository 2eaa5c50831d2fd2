#include <pthread.h>
#include <string.h>

#include "base/mem.h"
#include "consult/accounts_private.h"

#define SLOTS 4096 /* the oldest of a bucket goes when it is full */
#define BUCKET 8
#define KEEP 32 /* newest failures of a key */

typedef struct slot {
    char key[49];
    unsigned n; /* failures so far, the last KEEP of them below */
    int64_t at[KEEP];
} slot;

struct cn_failures {
    pthread_mutex_t lock;
    slot slots[SLOTS];
};

cn_err cn_failures_new(cn_failures **out)
{
    cn_failures *f = CN_NEW(cn_failures);
    if (!f) return CN_ERR_NOMEM;
    pthread_mutex_init(&f->lock, NULL);
    *out = f;
    return CN_OK;
}

void cn_failures_free(cn_failures *f)
{
    if (!f) return;
    pthread_mutex_destroy(&f->lock);
    free(f);
}

static int64_t newest(const slot *s)
{
    return s->n ? s->at[(s->n - 1) % KEEP] : INT64_MIN;
}

/* The key's slot; with `make` the oldest of its bucket where it has none. */
static slot *find_locked(cn_failures *f, const char *key, bool make)
{
    uint8_t sum[CN_SHA256_LEN];
    cn_sha256(key, strlen(key), sum);
    slot *bucket = &f->slots[((unsigned)sum[0] << 8 | sum[1]) % (SLOTS / BUCKET) * BUCKET], *oldest = bucket;
    for (slot *s = bucket; s < bucket + BUCKET; s++) {
        if (strcmp(s->key, key) == 0) return s;
        if (newest(s) < newest(oldest)) oldest = s;
    }
    if (!make) return NULL;
    *oldest = (slot){.n = 0};
    cn_strcpy(oldest->key, sizeof oldest->key, key);
    return oldest;
}

bool cn_failures_over(cn_failures *f, const char *key, int64_t now_ms, unsigned limit, int64_t window_ms)
{
    unsigned recent = 0;
    pthread_mutex_lock(&f->lock);
    const slot *s = find_locked(f, key, false);
    for (unsigned i = 0; s && i < s->n && i < KEEP; i++)
        if (s->at[i] > now_ms - window_ms) recent++;
    pthread_mutex_unlock(&f->lock);
    return recent >= limit;
}

void cn_failures_add(cn_failures *f, const char *key, int64_t now_ms)
{
    pthread_mutex_lock(&f->lock);
    slot *s = find_locked(f, key, true);
    s->at[s->n++ % KEEP] = now_ms;
    pthread_mutex_unlock(&f->lock);
}

void cn_failures_clear(cn_failures *f, const char *key)
{
    pthread_mutex_lock(&f->lock);
    slot *s = find_locked(f, key, false);
    if (s) *s = (slot){.n = 0};
    pthread_mutex_unlock(&f->lock);
}
