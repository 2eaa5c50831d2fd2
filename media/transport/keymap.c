#include "media/transport/keymap.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/crypto.h"
#include "base/mem.h"

#define FIRST 64 /* a power of two */

typedef struct entry {
    cn_key key;
    void *value; /* NULL: free */
} entry;

struct cn_keymap {
    entry *entries;
    size_t mask, count, max;
    uint64_t seed[3];
};

cn_err cn_keymap_new(cn_keymap **out, size_t max)
{
    if (!max || max > SIZE_MAX / 128) return CN_ERR_INVALID;
    cn_keymap *m = CN_NEW(cn_keymap);
    if (!m) return CN_ERR_NOMEM;
    m->entries = cn_calloc(FIRST, sizeof *m->entries);
    if (!m->entries) {
        cn_keymap_free(m);
        return CN_ERR_NOMEM;
    }
    m->mask = FIRST - 1;
    m->max = max;
    cn_random(m->seed, sizeof m->seed);
    *out = m;
    return CN_OK;
}

static uint64_t mix(uint64_t a, uint64_t b)
{
    __extension__ unsigned __int128 product = (unsigned __int128)a * (b | 1);
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static size_t home(const cn_keymap *m, const cn_key *k)
{
    uint64_t h = mix(k->w[0] ^ m->seed[0], m->seed[1]);
    h = mix(h ^ k->w[1], m->seed[2]);
    return (size_t)mix(h ^ k->w[2], m->seed[0]) & m->mask;
}

static bool same(const cn_key *a, const cn_key *b)
{
    return a->w[0] == b->w[0] && a->w[1] == b->w[1] && a->w[2] == b->w[2];
}

/** The key's entry, or the free one where it would go. */
static size_t find(const cn_keymap *m, const cn_key *k)
{
    size_t i = home(m, k);
    while (m->entries[i].value && !same(&m->entries[i].key, k)) i = (i + 1) & m->mask;
    return i;
}

void *cn_keymap_get(const cn_keymap *m, const cn_key *k)
{
    return m->entries[find(m, k)].value;
}

/* Twice the table: a table of full size would be touched page by page, at random, as addresses come and go. */
static cn_err grow(cn_keymap *m)
{
    cn_keymap bigger = *m;
    bigger.mask = m->mask * 2 + 1;
    bigger.entries = cn_calloc(bigger.mask + 1, sizeof *bigger.entries);
    if (!bigger.entries) return CN_ERR_NOMEM;
    for (size_t i = 0; i <= m->mask; i++)
        if (m->entries[i].value) bigger.entries[find(&bigger, &m->entries[i].key)] = m->entries[i];
    free(m->entries);
    *m = bigger;
    return CN_OK;
}

cn_err cn_keymap_set(cn_keymap *m, const cn_key *k, void *value)
{
    if (!value) return CN_ERR_INVALID;
    size_t i = find(m, k);
    if (!m->entries[i].value) {
        if (m->count == m->max) return CN_ERR_FULL;
        if (2 * m->count > m->mask) { /* at most half full: short probes */
            CN_TRY(grow(m));
            i = find(m, k);
        }
        m->count++;
        m->entries[i].key = *k;
    }
    m->entries[i].value = value;
    return CN_OK;
}

void cn_keymap_remove(cn_keymap *m, const cn_key *k)
{
    size_t hole = find(m, k);
    if (!m->entries[hole].value) return;
    m->count--;
    /* entries behind the hole whose home lies at or before it move up, so that probes never meet a gap */
    for (size_t i = (hole + 1) & m->mask; m->entries[i].value; i = (i + 1) & m->mask) {
        size_t from_home = (i - home(m, &m->entries[i].key)) & m->mask;
        if (from_home < ((i - hole) & m->mask)) continue;
        m->entries[hole] = m->entries[i];
        hole = i;
    }
    m->entries[hole].value = NULL;
}

size_t cn_keymap_count(const cn_keymap *m)
{
    return m->count;
}

size_t cn_keymap_bytes(const cn_keymap *m)
{
    return (m->mask + 1) * sizeof *m->entries;
}

void cn_keymap_free(cn_keymap *m)
{
    if (!m) return;
    free(m->entries);
    free(m);
}
