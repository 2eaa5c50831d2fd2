#include "media/worker/directory.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
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

/* Names are ours (random identifiers): nobody can choose them to collide. */
static size_t bucket(const char *name)
{
    return cn_hash(name) % BUCKETS;
}

cn_err cn_directory_new(cn_directory **out, unsigned workers)
{
    if (!workers) return CN_ERR_INVALID;
    cn_directory *directory = CN_NEW(cn_directory);
    if (!directory) return CN_ERR_NOMEM;
    pthread_mutex_init(&directory->lock, NULL);
    directory->workers = workers;
    directory->load = cn_calloc(workers, sizeof *directory->load);
    if (!directory->load) {
        cn_directory_free(directory);
        return CN_ERR_NOMEM;
    }
    *out = directory;
    return CN_OK;
}

static room_entry **room_at_locked(cn_directory *directory, const char *name)
{
    room_entry **at = &directory->by_room[bucket(name)];
    while (*at && strcmp((*at)->name, name) != 0) at = &(*at)->next;
    return at;
}

static member_entry **member_at_locked(cn_directory *directory, const char *name)
{
    member_entry **at = &directory->by_member[bucket(name)];
    while (*at && strcmp((*at)->name, name) != 0) at = &(*at)->next;
    return at;
}

static unsigned least_loaded_locked(const cn_directory *directory)
{
    unsigned best = 0;
    for (unsigned i = 1; i < directory->workers; i++)
        if (directory->load[i] < directory->load[best]) best = i;
    return best;
}

static cn_place place_of(const member_entry *row)
{
    return (cn_place){.worker = row->worker, .peer = row->number, .room = row->room->number, .home = row->room->home};
}

static cn_err join_locked(cn_directory *directory, const char *room, const char *participant, cn_place *out)
{
    member_entry **member_at = member_at_locked(directory, participant);
    if (*member_at) return CN_ERR_CONFLICT;
    member_entry *row = CN_NEW(member_entry);
    if (!row) return CN_ERR_NOMEM;
    unsigned worker = least_loaded_locked(directory);
    room_entry **room_at = room_at_locked(directory, room);
    if (!*room_at) {
        room_entry *record = CN_NEW(room_entry);
        if (!record) {
            free(row);
            return CN_ERR_NOMEM;
        }
        cn_strcpy(record->name, sizeof record->name, room);
        record->number = ++directory->rooms;
        record->home = worker;
        *room_at = record;
    }
    cn_strcpy(row->name, sizeof row->name, participant);
    row->worker = worker;
    row->number = ++directory->members;
    row->room = *room_at;
    row->room->members++;
    directory->load[worker]++;
    *member_at = row;
    *out = place_of(row);
    return CN_OK;
}

cn_err cn_directory_join(cn_directory *directory, const char *room, const char *participant, cn_place *out)
{
    if (!room || !*room || strlen(room) >= CN_MEDIA_ID || !participant || !*participant ||
        strlen(participant) >= CN_MEDIA_ID)
        return CN_ERR_INVALID;
    pthread_mutex_lock(&directory->lock);
    cn_err err = join_locked(directory, room, participant, out);
    pthread_mutex_unlock(&directory->lock);
    return err;
}

cn_err cn_directory_find(cn_directory *directory, const char *participant, cn_place *out)
{
    pthread_mutex_lock(&directory->lock);
    const member_entry *row = *member_at_locked(directory, participant);
    if (row) *out = place_of(row);
    pthread_mutex_unlock(&directory->lock);
    return row ? CN_OK : CN_ERR_NOTFOUND;
}

static void room_release_locked(cn_directory *directory, room_entry *row)
{
    if (--row->members) return;
    *room_at_locked(directory, row->name) = row->next;
    free(row);
}

void cn_directory_leave(cn_directory *directory, const char *participant)
{
    pthread_mutex_lock(&directory->lock);
    member_entry **at = member_at_locked(directory, participant), *row = *at;
    if (row) {
        *at = row->next;
        directory->load[row->worker]--;
        room_release_locked(directory, row->room);
        free(row);
    }
    pthread_mutex_unlock(&directory->lock);
}

cn_err cn_directory_room(cn_directory *directory, const char *room, uint32_t *number)
{
    pthread_mutex_lock(&directory->lock);
    const room_entry *row = *room_at_locked(directory, room);
    if (row) *number = row->number;
    pthread_mutex_unlock(&directory->lock);
    return row ? CN_OK : CN_ERR_NOTFOUND;
}

static void bucket_free(cn_directory *directory, size_t index)
{
    for (member_entry *row = directory->by_member[index], *next; row; row = next) {
        next = row->next;
        free(row);
    }
    for (room_entry *record = directory->by_room[index], *next; record; record = next) {
        next = record->next;
        free(record);
    }
}

void cn_directory_free(cn_directory *directory)
{
    if (!directory) return;
    for (size_t i = 0; i < BUCKETS; i++) bucket_free(directory, i);
    pthread_mutex_destroy(&directory->lock);
    free(directory->load);
    free(directory);
}
