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
        slab *block = list->slab;
        list->next = block->free;
        block->free = list;
        block->free_n++;
        pool->spare++;
        if (!pool->low || block->age < pool->low->age) pool->low = block;
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
    slab *block = CN_NEW(slab);
    if (!block) return NULL;
    block->packets = mmap(NULL, SLAB_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (block->packets != MAP_FAILED) return block;
    free(block);
    return NULL;
}

static void slab_free(slab *block)
{
    (void)munmap(block->packets, SLAB_BYTES);
    free(block);
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
    slab *block = n ? slab_new() : NULL;
    if (!block) return;
    block->age = pool->grown++;
    block->size = (unsigned)n;
    for (size_t i = n; i-- > 0;) {
        block->packets[i].pool = pool;
        block->packets[i].slab = block;
        block->packets[i].next = NULL;
        put_back(pool, &block->packets[i]);
    }
    *last(pool) = block;
    pool->allocated += n;
}

/* Free packets of the oldest slabs, some dozens at once. */
static void refill(cn_packet_pool *pool)
{
    reclaim(pool);
    if (pool->spare < FEW) grow(pool);
    unsigned n = 0;
    slab *block = pool->low;
    for (; block && pool->spare && n < CN_PACKET_SLAB; block = block->next) {
        if (!block->free) continue;
        for (cn_packet *packet; (packet = block->free);) {
            block->free = packet->next;
            packet->next = pool->free;
            pool->free = packet;
        }
        n += block->free_n;
        pool->spare -= block->free_n;
        block->free_n = block->idle = 0;
    }
    pool->low = block;
}

void cn_packet_pool_trim(cn_packet_pool *pool)
{
    unsigned given = 0;
    reclaim(pool);
    put_back(pool, pool->free);
    pool->free = NULL;
    for (slab **at = &pool->slabs, *block; (block = *at);) {
        block->idle = block->free_n < block->size ? 0 : block->idle + 1;
        if (block->idle <= CN_PACKET_IDLE || given == TRIM_SLABS) {
            at = &block->next;
            continue;
        }
        *at = block->next;
        pool->allocated -= block->size;
        pool->spare -= block->size;
        slab_free(block);
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
    cn_packet *packet = pool->free;
    if (!packet) {
        pool->denied++;
        return NULL;
    }
    pool->free = packet->next;
    pool->in_use++;
    pool->taken++;
    memset((uint8_t *)packet + offsetof(cn_packet, refs), 0, offsetof(cn_packet, buffer) - offsetof(cn_packet, refs));
    packet->tid = CN_PACKET_NO_TID;
    atomic_store_explicit(&packet->refs, 1, memory_order_relaxed);
    return packet;
}

void cn_packet_unref(cn_packet *packet)
{
    if (!packet) return;
    unsigned before = atomic_fetch_sub_explicit(&packet->refs, 1, memory_order_acq_rel);
    assert(before > 0);
    if (before != 1) return;
    cn_packet_pool *pool = packet->pool;
    cn_packet *top = atomic_load_explicit(&pool->returned, memory_order_relaxed);
    do {
        packet->next = top;
    } while (!atomic_compare_exchange_weak_explicit(&pool->returned, &top, packet, memory_order_release,
                                                    memory_order_relaxed));
}
