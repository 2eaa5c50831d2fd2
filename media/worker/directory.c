#include "media/worker/directory.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"

#define BUCKETS 1024

typedef struct room_entry {
    char name[CN_MEDIA_ID];
    uint32_t number;
    unsigned home, members;
    struct room_entry *next;
} room_entry;

typedef struct member_entry {
    char name[CN_MEDIA_ID];
    unsigned worker;
    uint32_t number;
    room_entry *room;
    struct member_entry *next;
} member_entry;

struct cn_directory {
    pthread_mutex_t lock;
    unsigned workers;
    unsigned *load;          /* peers per worker */
    uint32_t rooms, members; /* numbers given so far */
    room_entry *by_room[BUCKETS];
    member_entry *by_member[BUCKETS];
};

/* FNV-1a: names are ours (random identifiers), nobody can choose them to collide. */
static size_t bucket(const char *name)
{
    uint32_t h = 2166136261u;
    for (; *name; name++) h = (h ^ (uint8_t)*name) * 16777619u;
    return h % BUCKETS;
}

cn_err cn_directory_new(cn_directory **out, unsigned workers)
{
    if (!workers) return CN_ERR_INVALID;
    cn_directory *d = CN_NEW(cn_directory);
    if (!d) return CN_ERR_NOMEM;
    pthread_mutex_init(&d->lock, NULL);
    d->workers = workers;
    d->load = cn_calloc(workers, sizeof *d->load);
    if (!d->load) {
        cn_directory_free(d);
        return CN_ERR_NOMEM;
    }
    *out = d;
    return CN_OK;
}

static room_entry **room_at_locked(cn_directory *d, const char *name)
{
    room_entry **at = &d->by_room[bucket(name)];
    while (*at && strcmp((*at)->name, name) != 0) at = &(*at)->next;
    return at;
}

static member_entry **member_at_locked(cn_directory *d, const char *name)
{
    member_entry **at = &d->by_member[bucket(name)];
    while (*at && strcmp((*at)->name, name) != 0) at = &(*at)->next;
    return at;
}

static unsigned least_loaded_locked(const cn_directory *d)
{
    unsigned best = 0;
    for (unsigned i = 1; i < d->workers; i++)
        if (d->load[i] < d->load[best]) best = i;
    return best;
}

static cn_place place_of(const member_entry *m)
{
    return (cn_place){.worker = m->worker, .peer = m->number, .room = m->room->number, .home = m->room->home};
}

static cn_err join_locked(cn_directory *d, const char *room, const char *participant, cn_place *out)
{
    member_entry **member_at = member_at_locked(d, participant);
    if (*member_at) return CN_ERR_CONFLICT;
    member_entry *m = CN_NEW(member_entry);
    if (!m) return CN_ERR_NOMEM;
    unsigned worker = least_loaded_locked(d);
    room_entry **room_at = room_at_locked(d, room);
    if (!*room_at) {
        room_entry *r = CN_NEW(room_entry);
        if (!r) {
            free(m);
            return CN_ERR_NOMEM;
        }
        cn_strcpy(r->name, sizeof r->name, room);
        r->number = ++d->rooms;
        r->home = worker;
        *room_at = r;
    }
    cn_strcpy(m->name, sizeof m->name, participant);
    m->worker = worker;
    m->number = ++d->members;
    m->room = *room_at;
    m->room->members++;
    d->load[worker]++;
    *member_at = m;
    *out = place_of(m);
    return CN_OK;
}

cn_err cn_directory_join(cn_directory *d, const char *room, const char *participant, cn_place *out)
{
    if (!room || !*room || strlen(room) >= CN_MEDIA_ID || !participant || !*participant ||
        strlen(participant) >= CN_MEDIA_ID)
        return CN_ERR_INVALID;
    pthread_mutex_lock(&d->lock);
    cn_err err = join_locked(d, room, participant, out);
    pthread_mutex_unlock(&d->lock);
    return err;
}

cn_err cn_directory_find(cn_directory *d, const char *participant, cn_place *out)
{
    pthread_mutex_lock(&d->lock);
    const member_entry *m = *member_at_locked(d, participant);
    if (m) *out = place_of(m);
    pthread_mutex_unlock(&d->lock);
    return m ? CN_OK : CN_ERR_NOTFOUND;
}

static void room_release_locked(cn_directory *d, room_entry *r)
{
    if (--r->members) return;
    *room_at_locked(d, r->name) = r->next;
    free(r);
}

void cn_directory_leave(cn_directory *d, const char *participant)
{
    pthread_mutex_lock(&d->lock);
    member_entry **at = member_at_locked(d, participant), *m = *at;
    if (m) {
        *at = m->next;
        d->load[m->worker]--;
        room_release_locked(d, m->room);
        free(m);
    }
    pthread_mutex_unlock(&d->lock);
}

cn_err cn_directory_room(cn_directory *d, const char *room, uint32_t *number)
{
    pthread_mutex_lock(&d->lock);
    const room_entry *r = *room_at_locked(d, room);
    if (r) *number = r->number;
    pthread_mutex_unlock(&d->lock);
    return r ? CN_OK : CN_ERR_NOTFOUND;
}

static void bucket_free(cn_directory *d, size_t i)
{
    for (member_entry *m = d->by_member[i], *next; m; m = next) {
        next = m->next;
        free(m);
    }
    for (room_entry *r = d->by_room[i], *next; r; r = next) {
        next = r->next;
        free(r);
    }
}

void cn_directory_free(cn_directory *d)
{
    if (!d) return;
    for (size_t i = 0; i < BUCKETS; i++) bucket_free(d, i);
    pthread_mutex_destroy(&d->lock);
    free(d->load);
    free(d);
}
