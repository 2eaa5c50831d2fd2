#include "viewer/slide/tilecache.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

#define KEY 128
#define OVERHEAD 256 /* what an entry costs besides its picture */

typedef struct entry {
    struct entry *chain;         /* same bucket */
    struct entry *newer, *older; /* order of use; only when ready */
    char key[KEY];
    bool ready;
    cn_err err;
    cn_tile *tile;
    unsigned waiting;
} entry;

struct cn_tilecache {
    pthread_mutex_t lock;
    pthread_cond_t made;
    size_t max_bytes;
    size_t buckets;
    entry **table;
    entry *newest, *oldest;
    cn_tilecache_stats stats;
};

static void tile_destroy(void *object)
{
    cn_tile *t = object;
    free(t->bytes);
}

static uint64_t hash(const char *key)
{
    uint64_t h = 14695981039346656037u; /* FNV-1a */
    for (; *key; key++) h = (h ^ (unsigned char)*key) * 1099511628211u;
    return h;
}

static entry **slot_locked(cn_tilecache *c, const char *key)
{
    entry **p = &c->table[hash(key) & (c->buckets - 1)];
    while (*p && strcmp((*p)->key, key) != 0) p = &(*p)->chain;
    return p;
}

static void order_remove_locked(cn_tilecache *c, entry *e)
{
    *(e->newer ? &e->newer->older : &c->newest) = e->older;
    *(e->older ? &e->older->newer : &c->oldest) = e->newer;
    e->newer = e->older = NULL;
}

static void order_front_locked(cn_tilecache *c, entry *e)
{
    e->older = c->newest;
    e->newer = NULL;
    if (c->newest) c->newest->newer = e;
    c->newest = e;
    if (!c->oldest) c->oldest = e;
}

static void remove_locked(cn_tilecache *c, entry *e)
{
    entry **p = slot_locked(c, e->key);
    *p = e->chain;
    order_remove_locked(c, e);
    c->stats.bytes -= e->tile->n + OVERHEAD;
    c->stats.tiles--;
    cn_unref(e->tile);
    free(e);
}

/* The maker's entry leaves the table on failure; the last one who waited frees it. */
static void fail_locked(cn_tilecache *c, entry *e, cn_err err)
{
    *slot_locked(c, e->key) = e->chain;
    e->ready = true;
    e->err = err;
    if (!e->waiting) free(e);
}

static void publish_locked(cn_tilecache *c, entry *e, cn_tile *tile)
{
    e->ready = true;
    e->tile = cn_ref(tile);
    order_front_locked(c, e);
    c->stats.bytes += tile->n + OVERHEAD;
    c->stats.tiles++;
    while (c->stats.bytes > c->max_bytes && c->oldest && c->oldest != e) {
        remove_locked(c, c->oldest);
        c->stats.evicted++;
    }
    if (c->stats.bytes > c->max_bytes && !e->waiting) remove_locked(c, e);
}

static cn_err wait_locked(cn_tilecache *c, entry *e, cn_tile **out)
{
    e->waiting++;
    c->stats.joined++;
    while (!e->ready) pthread_cond_wait(&c->made, &c->lock);
    e->waiting--;
    cn_err err = e->err;
    if (err == CN_OK)
        *out = cn_ref(e->tile);
    else if (!e->waiting)
        free(e);
    return err;
}

static cn_err make_tile(cn_tile_make make, void *arg, cn_tile **out)
{
    cn_tile *t = cn_ref_new(sizeof(*t), tile_destroy);
    if (!t) return CN_ERR_NOMEM;
    cn_err err = make(arg, &t->bytes, &t->n);
    if (err != CN_OK) {
        cn_unref(t);
        return err;
    }
    *out = t;
    return CN_OK;
}

cn_err cn_tilecache_get(cn_tilecache *c, const char *key, cn_tile_make make, void *arg, cn_tile **out)
{
    if (strlen(key) >= KEY) return CN_ERR_INVALID;
    pthread_mutex_lock(&c->lock);
    entry **p = slot_locked(c, key);
    entry *e = *p;
    cn_err err = CN_OK;
    if (e && e->ready) {
        c->stats.hits++;
        order_remove_locked(c, e);
        order_front_locked(c, e);
        *out = cn_ref(e->tile);
    } else if (e) {
        err = wait_locked(c, e, out);
    } else {
        c->stats.misses++;
        e = CN_NEW(entry);
        if (!e) {
            pthread_mutex_unlock(&c->lock);
            return CN_ERR_NOMEM;
        }
        cn_strcpy(e->key, sizeof(e->key), key);
        *p = e;
        pthread_mutex_unlock(&c->lock);
        cn_tile *tile = NULL;
        err = make_tile(make, arg, &tile);
        pthread_mutex_lock(&c->lock);
        if (err == CN_OK) {
            *out = tile;
            publish_locked(c, e, tile);
        } else {
            fail_locked(c, e, err);
        }
        pthread_cond_broadcast(&c->made);
    }
    pthread_mutex_unlock(&c->lock);
    return err;
}

void cn_tilecache_drop(cn_tilecache *c, const char *prefix)
{
    size_t n = strlen(prefix);
    pthread_mutex_lock(&c->lock);
    for (entry *e = c->newest, *next; e; e = next) {
        next = e->older;
        if (strncmp(e->key, prefix, n) == 0 && !e->waiting) remove_locked(c, e);
    }
    pthread_mutex_unlock(&c->lock);
}

void cn_tilecache_stats_get(cn_tilecache *c, cn_tilecache_stats *out)
{
    pthread_mutex_lock(&c->lock);
    *out = c->stats;
    pthread_mutex_unlock(&c->lock);
}

cn_err cn_tilecache_new(cn_tilecache **out, size_t max_bytes)
{
    cn_tilecache *c = CN_NEW(cn_tilecache);
    if (!c) return CN_ERR_NOMEM;
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->made, NULL);
    c->max_bytes = max_bytes;
    c->buckets = 1024;
    while (c->buckets < max_bytes >> 14) c->buckets <<= 1;
    c->table = cn_calloc(c->buckets, sizeof(*c->table));
    if (!c->table) {
        cn_tilecache_free(c);
        return CN_ERR_NOMEM;
    }
    *out = c;
    return CN_OK;
}

void cn_tilecache_free(cn_tilecache *c)
{
    if (!c) return;
    while (c->oldest) remove_locked(c, c->oldest);
    free(c->table);
    pthread_cond_destroy(&c->made);
    pthread_mutex_destroy(&c->lock);
    free(c);
}
