#include "media/packet.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define SLAB 64

typedef struct slab {
    struct slab *next;
    cn_packet packets[SLAB];
} slab;

struct cn_packet_pool {
    cn_packet *free; /* the owner's */
    slab *slabs;
    size_t max, allocated, in_use;
    uint64_t taken, denied;
    /* What other threads (and the owner) gave back. Only whole lists are taken from it, so a reused address can do no
     * harm (no ABA). */
    _Alignas(64) _Atomic(cn_packet *) returned;
};

cn_err cn_packet_pool_new(cn_packet_pool **out, size_t max)
{
    if (!max) return CN_ERR_INVALID;
    cn_packet_pool *pool = NULL;
    if (posix_memalign((void **)&pool, 64, sizeof *pool)) return CN_ERR_NOMEM;
    *pool = (cn_packet_pool){.max = max};
    *out = pool;
    return CN_OK;
}

/* Moves what came back to the free list. */
static void reclaim(cn_packet_pool *pool)
{
    cn_packet *list = atomic_exchange_explicit(&pool->returned, NULL, memory_order_acquire);
    while (list) {
        cn_packet *next = list->next;
        list->next = pool->free;
        pool->free = list;
        pool->in_use--;
        list = next;
    }
}

static void grow(cn_packet_pool *pool)
{
    size_t n = pool->max - pool->allocated;
    if (n > SLAB) n = SLAB;
    if (!n) return;
    slab *s = malloc(sizeof *s);
    if (!s) return;
    s->next = pool->slabs;
    pool->slabs = s;
    for (size_t i = 0; i < n; i++) {
        s->packets[i].pool = pool;
        s->packets[i].next = pool->free;
        pool->free = &s->packets[i];
    }
    pool->allocated += n;
}

void cn_packet_pool_free(cn_packet_pool *pool)
{
    if (!pool) return;
    reclaim(pool);
    assert(pool->in_use == 0);
    if (pool->in_use) return;
    while (pool->slabs) {
        slab *next = pool->slabs->next;
        free(pool->slabs);
        pool->slabs = next;
    }
    free(pool);
}

void cn_packet_pool_stats_get(const cn_packet_pool *pool, cn_packet_pool_stats *out)
{
    *out = (cn_packet_pool_stats){.taken = pool->taken,
                                  .denied = pool->denied,
                                  .in_use = pool->in_use,
                                  .allocated = pool->allocated,
                                  .max = pool->max};
}

cn_packet *cn_packet_new(cn_packet_pool *pool)
{
    if (!pool->free) reclaim(pool);
    if (!pool->free) grow(pool);
    cn_packet *p = pool->free;
    if (!p) {
        pool->denied++;
        return NULL;
    }
    pool->free = p->next;
    pool->in_use++;
    pool->taken++;
    memset(p, 0, offsetof(cn_packet, buffer));
    p->pool = pool;
    p->tid = CN_PACKET_NO_TID;
    atomic_store_explicit(&p->refs, 1, memory_order_relaxed);
    return p;
}

void cn_packet_unref(cn_packet *p)
{
    if (!p) return;
    unsigned before = atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel);
    assert(before > 0);
    if (before != 1) return;
    cn_packet_pool *pool = p->pool;
    cn_packet *top = atomic_load_explicit(&pool->returned, memory_order_relaxed);
    do {
        p->next = top;
    } while (
        !atomic_compare_exchange_weak_explicit(&pool->returned, &top, p, memory_order_release, memory_order_relaxed));
}
