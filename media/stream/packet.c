#include "media/stream/packet.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/mem.h"

#define TRIM_SLABS 8 /* given back in one call: what a caller that forwards media can spare */
#define FEW 16       /* free packets: a walk over the slabs for less than that does not pay */

/* Whole packets, header included: a voice, a small picture's, and what browsers cut large pictures into. An odd
 * number of cache lines each, so that the headers of a slab fall into all cache sets. */
static const uint16_t sizes[] = {448, 832, 1088, 1216, 1344, 1728};
#define SIZES (sizeof sizes / sizeof *sizes)
static_assert(sizeof(cn_packet) + CN_PACKET_MAX <= 1728, "the largest packet fits");

typedef struct cn_packet_slab {
    struct cn_packet_slab *next; /* a younger one */
    uint64_t age;                /* the oldest has the smallest */
    cn_packet *free;
    struct shelf *shelf;
    unsigned free_n, size;
    unsigned idle; /* calls of trim since it was used */
    uint8_t
        *packets; /* CN_PACKET_SLAB of them: apart, since whole pages would put all slabs into the same cache sets */
} slab;

/* Packets of one size. */
typedef struct shelf {
    size_t bytes;
    cn_packet *free; /* handed out next; counted as free by no slab */
    slab *slabs;     /* oldest first */
    slab *low;       /* no older one has free packets */
    size_t spare;    /* free packets of all slabs */
} shelf;

struct cn_packet_pool {
    shelf shelves[SIZES];
    size_t max, allocated, in_use;
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
    for (size_t i = 0; i < SIZES; i++) pool->shelves[i].bytes = sizes[i];
    *out = pool;
    return CN_OK;
}

/* How many packets of the list were put back. */
static size_t put_back(cn_packet *list)
{
    size_t n = 0;
    for (; list; n++) {
        cn_packet *next = list->next;
        slab *block = list->slab;
        shelf *kind = block->shelf;
        list->next = block->free;
        block->free = list;
        block->free_n++;
        kind->spare++;
        if (!kind->low || block->age < kind->low->age) kind->low = block;
        list = next;
    }
    return n;
}

/* Moves what came back to its slabs. */
static void reclaim(cn_packet_pool *pool)
{
    pool->in_use -= put_back(atomic_exchange_explicit(&pool->returned, NULL, memory_order_acquire));
}

/* The packets straight from the system, so that it gets back what an arena would keep. */
static slab *slab_new(shelf *kind)
{
    slab *block = CN_NEW(slab);
    if (!block) return NULL;
    block->shelf = kind;
    block->packets =
        mmap(NULL, CN_PACKET_SLAB * kind->bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (block->packets != MAP_FAILED) return block;
    free(block);
    return NULL;
}

static void slab_free(slab *block)
{
    (void)munmap(block->packets, CN_PACKET_SLAB * block->shelf->bytes);
    free(block);
}

static slab **last(shelf *kind)
{
    slab **at = &kind->slabs;
    while (*at) at = &(*at)->next;
    return at;
}

static void grow(cn_packet_pool *pool, shelf *kind)
{
    size_t n = pool->max - pool->allocated;
    if (n > CN_PACKET_SLAB) n = CN_PACKET_SLAB;
    slab *block = n ? slab_new(kind) : NULL;
    if (!block) return;
    block->age = pool->grown++;
    block->size = (unsigned)n;
    for (size_t i = n; i-- > 0;) {
        cn_packet *packet = (cn_packet *)(void *)(block->packets + i * kind->bytes);
        packet->pool = pool;
        packet->slab = block;
        packet->next = NULL;
        (void)put_back(packet);
    }
    *last(kind) = block;
    pool->allocated += n;
}

/* Free packets of the oldest slabs, some dozens at once. */
static void refill(cn_packet_pool *pool, shelf *kind)
{
    reclaim(pool);
    if (kind->spare < FEW) grow(pool, kind);
    unsigned n = 0;
    slab *block = kind->low;
    for (; block && kind->spare && n < CN_PACKET_SLAB; block = block->next) {
        if (!block->free) continue;
        for (cn_packet *packet; (packet = block->free);) {
            block->free = packet->next;
            packet->next = kind->free;
            kind->free = packet;
        }
        n += block->free_n;
        kind->spare -= block->free_n;
        block->free_n = block->idle = 0;
    }
    kind->low = block;
}

/* `given`: slabs that were given back in this call so far. */
static void shelf_trim(cn_packet_pool *pool, shelf *kind, unsigned *given)
{
    (void)put_back(kind->free);
    kind->free = NULL;
    for (slab **at = &kind->slabs, *block; (block = *at);) {
        block->idle = block->free_n < block->size ? 0 : block->idle + 1;
        if (block->idle <= CN_PACKET_IDLE || *given == TRIM_SLABS) {
            at = &block->next;
            continue;
        }
        *at = block->next;
        pool->allocated -= block->size;
        kind->spare -= block->size;
        slab_free(block);
        ++*given;
    }
    kind->low = kind->slabs;
}

void cn_packet_pool_trim(cn_packet_pool *pool)
{
    unsigned given = 0;
    reclaim(pool);
    for (size_t i = 0; i < SIZES; i++) shelf_trim(pool, &pool->shelves[i], &given);
}

void cn_packet_pool_free(cn_packet_pool *pool)
{
    if (!pool) return;
    reclaim(pool);
    assert(pool->in_use == 0);
    if (pool->in_use) return;
    for (size_t i = 0; i < SIZES; i++) {
        for (slab *block; (block = pool->shelves[i].slabs);) {
            pool->shelves[i].slabs = block->next;
            slab_free(block);
        }
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

static shelf *shelf_for(cn_packet_pool *pool, size_t len)
{
    shelf *kind = pool->shelves;
    while (kind->bytes < sizeof(cn_packet) + len) kind++;
    return kind;
}

cn_packet *cn_packet_new(cn_packet_pool *pool, size_t len)
{
    shelf *kind = shelf_for(pool, len);
    if (!kind->free) refill(pool, kind);
    cn_packet *packet = kind->free;
    if (!packet) {
        pool->denied++;
        return NULL;
    }
    kind->free = packet->next;
    pool->in_use++;
    pool->taken++;
    memset((uint8_t *)packet + offsetof(cn_packet, refs), 0, offsetof(cn_packet, bytes) - offsetof(cn_packet, refs));
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
