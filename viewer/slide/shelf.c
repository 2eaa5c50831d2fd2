#include "viewer/slide/shelf.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/str.h"

#define BUCKETS 512

typedef struct place {
    struct place *chain;
    struct place *newer, *older; /* order of use */
    cn_shelved *slide;
    size_t bytes; /* of its tables */
} place;

struct cn_shelf {
    pthread_mutex_t lock;
    place *buckets[BUCKETS];
    place *newest, *oldest;
    struct {
        unsigned slides;
        size_t bytes;
    } held;
    unsigned most_slides;
    size_t most_bytes;
};

/* ---- one slide ---- */

static size_t table_bytes(const cn_tiletable *table)
{
    return (size_t)table->tiles * sizeof(*table->places) + table->front_n + sizeof(*table);
}

static void shelved_destroy(void *object)
{
    cn_shelved *slide = object;
    for (size_t i = 0; i < CN_NATIVE_FILES; i++)
        if (slide->fds[i] >= 0) close(slide->fds[i]);
    for (size_t i = 0; i < CN_DECODE_LEVELS; i++) {
        cn_tiletable *table = atomic_load(&slide->tables[i]);
        if (table) cn_tiletable_end(table);
        free(table);
    }
    pthread_mutex_destroy(&slide->loading);
}

static cn_err open_file(cn_shelved *slide, uint32_t which)
{
    char beside[CN_DECODE_PATH];
    const char *slash = strrchr(slide->path, '/');
    struct stat st;
    if (slide->fds[which] >= 0) return CN_OK;
    if (!slash || !cn_fmt(beside, sizeof(beside), "%.*s/" CN_LEVELS_NAME, (int)(slash - slide->path), slide->path))
        return CN_ERR_TOOBIG;
    slide->fds[which] = open(which == CN_NATIVE_MADE ? beside : slide->path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (slide->fds[which] < 0 || fstat(slide->fds[which], &st) < 0) return cn_err_from_errno(errno);
    if (!S_ISREG(st.st_mode)) return CN_ERR_NOTFOUND;
    slide->file_bytes[which] = (uint64_t)st.st_size;
    return CN_OK;
}

static cn_err shelved_new(cn_shelved **out, const char *id, const char *path, const cn_decode_info *info)
{
    cn_shelved *slide = cn_ref_new(sizeof(*slide), shelved_destroy);
    if (!slide) return CN_ERR_NOMEM;
    pthread_mutex_init(&slide->loading, NULL);
    for (size_t i = 0; i < CN_NATIVE_FILES; i++) slide->fds[i] = -1;
    slide->info = *info;
    cn_err err = cn_strcpy(slide->id, sizeof(slide->id), id) && cn_strcpy(slide->path, sizeof(slide->path), path)
                     ? CN_OK
                     : CN_ERR_INVALID;
    for (uint32_t i = 0; err == CN_OK && i < info->levels; i++)
        if (info->native[i]) err = open_file(slide, info->native[i]);
    if (err != CN_OK) {
        cn_unref(slide);
        return err;
    }
    *out = slide;
    return CN_OK;
}

/* ---- the shelf ---- */

static place **slot_locked(cn_shelf *shelf, const char *id)
{
    place **at = &shelf->buckets[cn_hash(id) % BUCKETS];
    while (*at && strcmp((*at)->slide->id, id) != 0) at = &(*at)->chain;
    return at;
}

static void order_remove_locked(cn_shelf *shelf, place *held)
{
    *(held->newer ? &held->newer->older : &shelf->newest) = held->older;
    *(held->older ? &held->older->newer : &shelf->oldest) = held->newer;
    held->newer = held->older = NULL;
}

static void order_front_locked(cn_shelf *shelf, place *held)
{
    held->older = shelf->newest;
    if (shelf->newest) shelf->newest->newer = held;
    shelf->newest = held;
    if (!shelf->oldest) shelf->oldest = held;
}

static void remove_locked(cn_shelf *shelf, place **at)
{
    place *held = *at;
    *at = held->chain;
    order_remove_locked(shelf, held);
    shelf->held.slides--;
    shelf->held.bytes -= held->bytes;
    cn_unref(held->slide);
    free(held);
}

/* The newest stays, however much it needs. */
static void shrink_locked(cn_shelf *shelf)
{
    while (shelf->oldest != shelf->newest &&
           (shelf->held.slides > shelf->most_slides || shelf->held.bytes > shelf->most_bytes))
        remove_locked(shelf, slot_locked(shelf, shelf->oldest->slide->id));
}

cn_shelved *cn_shelf_find(cn_shelf *shelf, const char *id)
{
    pthread_mutex_lock(&shelf->lock);
    place *held = *slot_locked(shelf, id);
    if (held && held != shelf->newest) {
        order_remove_locked(shelf, held);
        order_front_locked(shelf, held);
    }
    cn_shelved *slide = held ? cn_ref(held->slide) : NULL;
    pthread_mutex_unlock(&shelf->lock);
    return slide;
}

cn_err cn_shelf_add(cn_shelf *shelf, const char *id, const char *path, const cn_decode_info *info, cn_shelved **out)
{
    CN_TRY(shelved_new(out, id, path, info));
    place *held = CN_NEW(place);
    if (!held) {
        cn_unref(*out);
        *out = NULL;
        return CN_ERR_NOMEM;
    }
    held->slide = cn_ref(*out);
    pthread_mutex_lock(&shelf->lock);
    place **at = slot_locked(shelf, id);
    if (*at) remove_locked(shelf, at);
    at = slot_locked(shelf, id);
    held->chain = *at;
    *at = held;
    order_front_locked(shelf, held);
    shelf->held.slides++;
    shrink_locked(shelf);
    pthread_mutex_unlock(&shelf->lock);
    return CN_OK;
}

void cn_shelf_give(cn_shelf *shelf, cn_shelved *slide, uint32_t level, cn_tiletable *table)
{
    atomic_store(&slide->tables[level], table);
    pthread_mutex_lock(&shelf->lock);
    place *held = *slot_locked(shelf, slide->id);
    if (held && held->slide == slide) {
        held->bytes += table_bytes(table);
        shelf->held.bytes += table_bytes(table);
        shrink_locked(shelf);
    }
    pthread_mutex_unlock(&shelf->lock);
}

void cn_shelf_drop(cn_shelf *shelf, const char *id)
{
    pthread_mutex_lock(&shelf->lock);
    place **at = slot_locked(shelf, id);
    if (*at) remove_locked(shelf, at);
    pthread_mutex_unlock(&shelf->lock);
}

cn_err cn_shelf_new(cn_shelf **out, unsigned slides, size_t bytes)
{
    cn_shelf *shelf = CN_NEW(cn_shelf);
    if (!shelf) return CN_ERR_NOMEM;
    pthread_mutex_init(&shelf->lock, NULL);
    shelf->most_slides = slides;
    shelf->most_bytes = bytes;
    *out = shelf;
    return CN_OK;
}

void cn_shelf_free(cn_shelf *shelf)
{
    if (!shelf) return;
    while (shelf->oldest) remove_locked(shelf, slot_locked(shelf, shelf->oldest->slide->id));
    pthread_mutex_destroy(&shelf->lock);
    free(shelf);
}
