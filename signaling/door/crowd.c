#include "signaling/door/crowd.h"

#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/hash.h"
#include "base/mem.h"

typedef struct cn_visitor {
    struct cn_visitor *in_bucket, *before, *after;
    void *connection;
    uint64_t here; /* hash of the address; 0: stands for many */
    bool unknown, busy, leaving;
} cn_visitor;

#define BUCKETS (sizeof((cn_crowd *)0)->buckets / sizeof((cn_crowd *)0)->buckets[0])

static cn_visitor **bucket_of(cn_crowd *crowd, const void *connection)
{
    return &crowd->buckets[((uintptr_t)connection >> 5) % BUCKETS];
}

static cn_visitor *find(cn_crowd *crowd, const void *connection)
{
    cn_visitor *one = *bucket_of(crowd, connection);
    while (one && one->connection != connection) one = one->in_bucket;
    return one;
}

static void unlink_unknown(cn_crowd *crowd, cn_visitor *one)
{
    *(one->before ? &one->before->after : &crowd->first) = one->after;
    *(one->after ? &one->after->before : &crowd->last) = one->before;
    one->before = one->after = NULL;
}

static void append_unknown(cn_crowd *crowd, cn_visitor *one)
{
    one->before = crowd->last;
    *(crowd->last ? &crowd->last->after : &crowd->first) = one;
    crowd->last = one;
}

void cn_crowd_init(cn_crowd *crowd, size_t most)
{
    *crowd = (cn_crowd){.most = most};
}

/* The one of that address (0: of any) that has been idle longest; the newest when all are being worked on. */
static cn_visitor *whom_to_close(const cn_crowd *crowd, uint64_t here)
{
    for (cn_visitor *one = crowd->first; one; one = one->after)
        if (!one->busy && !one->leaving && (!here || one->here == here)) return one;
    return crowd->last;
}

static size_t count_here(const cn_crowd *crowd, uint64_t here)
{
    size_t n = 0;
    for (const cn_visitor *one = crowd->first; one; one = one->after) n += one->here == here && !one->leaving;
    return n;
}

void *cn_crowd_come(cn_crowd *crowd, void *connection, const char *here)
{
    cn_visitor *one = CN_NEW(cn_visitor);
    if (!one) return connection;
    char group[CN_ADDRESS_TEXT];
    cn_visitor **bucket = bucket_of(crowd, connection);
    *one = (cn_visitor){.in_bucket = *bucket, .connection = connection, .unknown = true};
    if (here) {
        cn_address_neighbour(here, group);
        one->here = cn_hash(group) | 1;
    }
    *bucket = one;
    append_unknown(crowd, one);
    crowd->unknown++;
    cn_visitor *goes = NULL;
    if (one->here && count_here(crowd, one->here) > CN_CROWD_HERE)
        goes = whom_to_close(crowd, one->here);
    else if (crowd->unknown > crowd->most)
        goes = whom_to_close(crowd, 0);
    if (!goes || goes->leaving) return NULL;
    goes->leaving = true;
    return goes->connection;
}

void cn_crowd_busy(cn_crowd *crowd, const void *connection, bool busy)
{
    cn_visitor *one = find(crowd, connection);
    if (!one) return;
    one->busy = busy;
    if (!one->unknown) return;
    unlink_unknown(crowd, one);
    append_unknown(crowd, one);
}

void cn_crowd_know(cn_crowd *crowd, const void *connection)
{
    cn_visitor *one = find(crowd, connection);
    if (!one || !one->unknown) return;
    one->unknown = false;
    unlink_unknown(crowd, one);
    crowd->unknown--;
}

void cn_crowd_go(cn_crowd *crowd, const void *connection)
{
    for (cn_visitor **at = bucket_of(crowd, connection); *at; at = &(*at)->in_bucket) {
        cn_visitor *one = *at;
        if (one->connection != connection) continue;
        if (one->unknown) {
            unlink_unknown(crowd, one);
            crowd->unknown--;
        }
        *at = one->in_bucket;
        free(one);
        return;
    }
}

void cn_crowd_end(cn_crowd *crowd)
{
    for (size_t i = 0; i < BUCKETS; i++)
        while (crowd->buckets[i]) cn_crowd_go(crowd, crowd->buckets[i]->connection);
}
