#include "media/stream/packet.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/mem.h"

#define TRIM_SLABS 8 /* given back in one call: what a caller that forwards media can spare */
#define FEW 16       /* free packets: a walk over the slabs for less than that does not pay */

typedef struct cn_packet_slab {
    struct cn_packet_slab *next; /* a younger one */
    uint64_t age;                /* the oldest has the smallest */
    cn_packet *free;
    unsigned free_n, size;
    unsigned idle; /* calls of trim since it was used */
    cn_packet
        *packets; /* CN_PACKET_SLAB of them: apart, since whole pages would put all slabs into the same cache sets */
} slab;

#define SLAB_BYTES (CN_PACKET_SLAB * sizeof(cn_packet))

struct cn_packet_pool {
    cn_packet *free; /* handed out next; counted as free by no slab */
    slab *slabs;     /* oldest first */
    slab *low;       /* no older one has free packets */
    size_t max, allocated, in_use;
    size_t spare; /* free packets of all slabs */
    uint64_t taken, denied, grown;
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

static void put_back(cn_packet_pool *pool, cn_packet *list)
{
    while (list) {
        cn_packet *next = list->next;
        slab *s = list->slab;
        list->next = s->free;
        s->free = list;
        s->free_n++;
        pool->spare++;
        if (!pool->low || s->age < pool->low->age) pool->low = s;
        list = next;
    }
}

/* Moves what came back to its slabs. */
static void reclaim(cn_packet_pool *pool)
{
    size_t before = pool->spare;
    put_back(pool, atomic_exchange_explicit(&pool->returned, NULL, memory_order_acquire));
    pool->in_use -= pool->spare - before;
}

/* The packets straight from the system, so that it gets back what an arena would keep. */
static slab *slab_new(void)
{
    slab *s = CN_NEW(slab);
    if (!s) return NULL;
    s->packets = mmap(NULL, SLAB_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (s->packets != MAP_FAILED) return s;
    free(s);
    return NULL;
}

static void slab_free(slab *s)
{
    (void)munmap(s->packets, SLAB_BYTES);
    free(s);
}

static slab **last(cn_packet_pool *pool)
{
    slab **at = &pool->slabs;
    while (*at) at = &(*at)->next;
    return at;
}

static void grow(cn_packet_pool *pool)
{
    size_t n = pool->max - pool->allocated;
    if (n > CN_PACKET_SLAB) n = CN_PACKET_SLAB;
    slab *s = n ? slab_new() : NULL;
    if (!s) return;
    s->age = pool->grown++;
    s->size = (unsigned)n;
    for (size_t i = n; i-- > 0;) {
        s->packets[i].pool = pool;
        s->packets[i].slab = s;
        s->packets[i].next = NULL;
        put_back(pool, &s->packets[i]);
    }
    *last(pool) = s;
    pool->allocated += n;
}

/* Free packets of the oldest slabs, some dozens at once. */
static void refill(cn_packet_pool *pool)
{
    reclaim(pool);
    if (pool->spare < FEW) grow(pool);
    unsigned n = 0;
    slab *s = pool->low;
    for (; s && pool->spare && n < CN_PACKET_SLAB; s = s->next) {
        if (!s->free) continue;
        for (cn_packet *p; (p = s->free);) {
            s->free = p->next;
            p->next = pool->free;
            pool->free = p;
        }
        n += s->free_n;
        pool->spare -= s->free_n;
        s->free_n = s->idle = 0;
    }
    pool->low = s;
}

void cn_packet_pool_trim(cn_packet_pool *pool)
{
    unsigned given = 0;
    reclaim(pool);
    put_back(pool, pool->free);
    pool->free = NULL;
    for (slab **at = &pool->slabs, *s; (s = *at);) {
        s->idle = s->free_n < s->size ? 0 : s->idle + 1;
        if (s->idle <= CN_PACKET_IDLE || given == TRIM_SLABS) {
            at = &s->next;
            continue;
        }
        *at = s->next;
        pool->allocated -= s->size;
        pool->spare -= s->size;
        slab_free(s);
        given++;
    }
    pool->low = pool->slabs;
}

void cn_packet_pool_free(cn_packet_pool *pool)
{
    if (!pool) return;
    reclaim(pool);
    assert(pool->in_use == 0);
    if (pool->in_use) return;
    while (pool->slabs) {
        slab *next = pool->slabs->next;
        slab_free(pool->slabs);
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
    if (!pool->free) refill(pool);
    cn_packet *p = pool->free;
    if (!p) {
        pool->denied++;
        return NULL;
    }
    pool->free = p->next;
    pool->in_use++;
    pool->taken++;
    memset((uint8_t *)p + offsetof(cn_packet, refs), 0, offsetof(cn_packet, buffer) - offsetof(cn_packet, refs));
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
