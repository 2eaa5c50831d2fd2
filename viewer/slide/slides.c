#include "viewer/slide/slides.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "viewer/slide/levels.h"
#include "viewer/slide/native.h"
#include "viewer/slide/owners.h"

#define OPEN_SLIDES 256
#define OPEN_BYTES ((size_t)64 << 20) /* where their tiles lie */

struct cn_slides {
    cn_decoders *decoders;
    cn_tilecache *cache;
    cn_shelf *shelf;
    cn_owners *owners;
    char decoder[CN_DECODE_PATH];
};

typedef struct tile_question {
    cn_slides *slides;
    const char *id, *path;
    cn_decode_ask ask;
} tile_question;

static cn_err decode(void *arg, void **bytes, size_t *len)
{
    tile_question *asked = arg;
    cn_decoders *decoders = asked->slides->decoders;
    char share[CN_DECODERS_SHARE];
    cn_owners_of(asked->slides->owners, asked->id, share);
    cn_err err = cn_decoders_ask(decoders, asked->path, share, &asked->ask, bytes, len);
    /* a worker that was lost in the middle costs a moment, not a hole in the picture; what kills it twice is the
     * slide's fault */
    if (err == CN_ERR_CRASHED) err = cn_decoders_ask(decoders, asked->path, share, &asked->ask, bytes, len);
    return err;
}

static cn_err ask(cn_slides *slides, const char *id, const char *path, const cn_decode_ask *ask, cn_tile **out)
{
    char key[128];
    tile_question asked = {.slides = slides, .id = id, .path = path, .ask = *ask};
    if (!cn_fmt(key, sizeof(key), "%s/%u/%u/%lld/%lld/%u/%u/%u", id, ask->op, ask->level, (long long)ask->column,
                (long long)ask->row, ask->size, ask->z, ask->channel))
        return CN_ERR_INVALID;
    return cn_tilecache_get(slides->cache, key, decode, &asked, out);
}

cn_err cn_slide_info(cn_slides *slides, const char *id, const char *path, cn_decode_info *out)
{
    cn_tile *tile = NULL;
    CN_TRY(ask(slides, id, path, &(cn_decode_ask){.op = CN_DECODE_INFO}, &tile));
    cn_err err = cn_decode_info_read(tile->bytes, tile->n, out) ? CN_OK : CN_ERR_CRASHED;
    cn_unref(tile);
    return err;
}

/* ---- the slide's own tiles ---- */

cn_err cn_slide_open(cn_slides *slides, const char *id, const char *path, cn_shelved **out)
{
    cn_decode_info info;
    if ((*out = cn_shelf_find(slides->shelf, id))) return CN_OK;
    if (!path) return CN_ERR_AGAIN;
    CN_TRY(cn_slide_info(slides, id, path, &info));
    return cn_shelf_add(slides->shelf, id, path, &info, out);
}

void cn_slide_grid(const cn_decode_info *info, uint32_t level, int64_t *columns, int64_t *rows)
{
    *columns = (info->level_width[level] - 1) / info->tile_width[level] + 1;
    *rows = (info->level_height[level] - 1) / info->tile_height[level] + 1;
}

static cn_err add_page(cn_slides *slides, cn_shelved *slide, uint32_t level, cn_tiletable *table)
{
    CN_AUTO_FREE void *page = NULL;
    size_t n = 0;
    tile_question asked = {
        .slides = slides, .id = slide->id, .path = slide->path, .ask = {.op = CN_DECODE_TABLE, .level = level}};
    asked.ask.column = (int64_t)table->known;
    asked.ask.size = slide->info.levels;
    CN_TRY(decode(&asked, &page, &n));
    cn_err err = cn_tiletable_add(table, page, n, slide->file_bytes[slide->info.native[level]]);
    return err == CN_ERR_PARSE ? CN_ERR_CORRUPT : err;
}

static cn_err load_table(cn_slides *slides, cn_shelved *slide, uint32_t level, cn_tiletable **out)
{
    int64_t columns, rows;
    cn_slide_grid(&slide->info, level, &columns, &rows);
    if (columns > CN_TILES_MAX || rows > CN_TILES_MAX) return CN_ERR_TOOBIG;
    cn_tiletable *table = CN_NEW(cn_tiletable);
    if (!table) return CN_ERR_NOMEM;
    cn_err err = cn_tiletable_init(table, (uint64_t)(columns * rows));
    while (err == CN_OK && table->known < table->tiles) err = add_page(slides, slide, level, table);
    if (err != CN_OK) {
        cn_tiletable_end(table);
        free(table);
        return err;
    }
    *out = table;
    return CN_OK;
}

/* Who comes while it is asked for waits for it, and not for a decoder. */
static cn_err table_of(cn_slides *slides, cn_shelved *slide, uint32_t level, bool wait, cn_tiletable **out)
{
    if ((*out = atomic_load(&slide->tables[level]))) return CN_OK;
    if (!wait) return CN_ERR_AGAIN;
    cn_err err = CN_OK;
    pthread_mutex_lock(&slide->loading);
    if (!(*out = atomic_load(&slide->tables[level]))) {
        err = load_table(slides, slide, level, out);
        if (err == CN_OK) cn_shelf_give(slides->shelf, slide, level, *out);
    }
    pthread_mutex_unlock(&slide->loading);
    return err;
}

static void tile_destroy(void *object)
{
    cn_tile *tile = object;
    free(tile->bytes);
}

static cn_err native_tile(cn_shelved *slide, uint32_t level, const cn_tiletable *table, uint64_t place, bool wait,
                          cn_tile **out)
{
    cn_tile *tile = cn_ref_new(sizeof(*tile), tile_destroy);
    if (!tile) return CN_ERR_NOMEM;
    cn_err err = cn_native_read(table, place, slide->fds[slide->info.native[level]], wait, &tile->bytes, &tile->n);
    if (err != CN_OK) {
        cn_unref(tile);
        return err;
    }
    *out = tile;
    return CN_OK;
}

cn_err cn_slide_grid_tile(cn_slides *slides, cn_shelved *slide, uint32_t level, int64_t column, int64_t row, bool wait,
                          cn_tile **out)
{
    int64_t columns, rows;
    if (level >= slide->info.levels) return CN_ERR_NOTFOUND;
    cn_slide_grid(&slide->info, level, &columns, &rows);
    if (column < 0 || row < 0 || column >= columns || row >= rows) return CN_ERR_NOTFOUND;
    if (slide->info.native[level]) {
        cn_tiletable *table = NULL;
        CN_TRY(table_of(slides, slide, level, wait, &table));
        uint64_t place = cn_tiletable_place(table, (uint64_t)(row * columns + column));
        if (place == CN_TILE_BROKEN) return CN_ERR_CORRUPT;
        if (place != CN_TILE_EMPTY) return native_tile(slide, level, table, place, wait, out);
    }
    if (!wait) return CN_ERR_AGAIN;
    const cn_decode_ask cell = {
        .op = CN_DECODE_CELL, .level = level, .column = column, .row = row, .size = slide->info.levels};
    return ask(slides, slide->id, slide->path, &cell, out);
}

cn_err cn_slide_plane_tile(cn_slides *slides, cn_shelved *slide, uint32_t level, int64_t column, int64_t row,
                           uint32_t z, uint32_t channel, cn_tile **out)
{
    const cn_decode_ask cell = {.op = CN_DECODE_CELL,
                                .level = level,
                                .column = column,
                                .row = row,
                                .size = slide->info.levels,
                                .z = z,
                                .channel = channel};
    if (level >= slide->info.levels) return CN_ERR_NOTFOUND;
    return ask(slides, slide->id, slide->path, &cell, out);
}

/* ---- pictures that are made ---- */

cn_err cn_slide_tile(cn_slides *slides, const char *id, const char *path, unsigned level, int64_t column, int64_t row,
                     cn_tile **out)
{
    return ask(slides, id, path, &(cn_decode_ask){.op = CN_DECODE_TILE, .level = level, .column = column, .row = row},
               out);
}

cn_err cn_slide_plane_zoom(cn_slides *slides, const cn_shelved *slide, unsigned level, int64_t column, int64_t row,
                           uint32_t z, uint32_t channel, cn_tile **out)
{
    const cn_decode_ask tile = {
        .op = CN_DECODE_TILE, .level = level, .column = column, .row = row, .z = z, .channel = channel};
    return ask(slides, slide->id, slide->path, &tile, out);
}

cn_err cn_slide_thumbnail(cn_slides *slides, const char *id, const char *path, unsigned size, cn_tile **out)
{
    if (size < 1 || size > 2048) return CN_ERR_INVALID;
    return ask(slides, id, path, &(cn_decode_ask){.op = CN_DECODE_THUMB, .size = size}, out);
}

cn_err cn_slide_cut(cn_slides *slides, const char *id, const char *path, const cn_iiif_ask *ask, cn_tile **out)
{
    char key[192];
    tile_question asked = {.slides = slides,
                           .id = id,
                           .path = path,
                           .ask = {.op = CN_DECODE_CUT,
                                   .column = ask->x,
                                   .row = ask->y,
                                   .cut_width = ask->width,
                                   .cut_height = ask->height,
                                   .width = ask->out_width,
                                   .height = ask->out_height,
                                   .quarters = ask->quarters,
                                   .mirror = ask->mirror,
                                   .quality = ask->quality,
                                   .format = ask->format,
                                   .z = ask->z}};
    if (!cn_fmt(key, sizeof(key), "%s/cut/%lld,%lld,%lld,%lld/%u,%u/%u%u/%u.%u/%u", id, (long long)ask->x,
                (long long)ask->y, (long long)ask->width, (long long)ask->height, ask->out_width, ask->out_height,
                ask->mirror, ask->quarters, ask->quality, ask->format, ask->z))
        return CN_ERR_INVALID;
    return cn_tilecache_get(slides->cache, key, decode, &asked, out);
}

cn_err cn_slide_associated(cn_slides *slides, const char *id, const char *path, uint32_t which, cn_tile **out)
{
    return ask(slides, id, path, &(cn_decode_ask){.op = CN_DECODE_ASSOCIATED, .level = which}, out);
}

cn_err cn_slide_colour(cn_slides *slides, const char *id, const char *path, cn_tile **out)
{
    return ask(slides, id, path, &(cn_decode_ask){.op = CN_DECODE_COLOUR}, out);
}

cn_err cn_slide_make_levels(cn_slides *slides, const char *id, const char *path, const char *scratch, int stop_fd)
{
    cn_err err = cn_levels_make(slides->decoder, id, path, scratch, stop_fd);
    if (err == CN_ERR_CORRUPT || err == CN_ERR_UNSUPPORTED || err == CN_ERR_TOOBIG || err == CN_ERR_INVALID ||
        err == CN_ERR_TIMEOUT)
        CN_TRY(cn_levels_give_up(path));
    cn_slide_forget(slides, id, path); /* a worker that has the slide open does not know them */
    return err;
}

void cn_slide_forget(cn_slides *slides, const char *id, const char *path)
{
    char prefix[128];
    if (cn_fmt(prefix, sizeof(prefix), "%s/", id)) cn_tilecache_drop(slides->cache, prefix);
    cn_shelf_drop(slides->shelf, id);
    cn_decoders_forget(slides->decoders, path);
}

cn_err cn_slides_whose(cn_slides *slides, cn_owners_fn whose, void *ctx)
{
    cn_owners *owners = NULL;
    CN_TRY(cn_owners_new(&owners, whose, ctx));
    cn_owners_free(slides->owners);
    slides->owners = owners;
    return CN_OK;
}

void cn_slides_stats(cn_slides *slides, cn_tilecache_stats *out)
{
    cn_tilecache_stats_get(slides->cache, out);
}

cn_err cn_slides_new(cn_slides **out, const char *decoder, unsigned decoders, size_t cache_bytes)
{
    cn_slides *slides = CN_NEW(cn_slides);
    if (!slides) return CN_ERR_NOMEM;
    cn_err err = cn_strcpy(slides->decoder, sizeof(slides->decoder), decoder) ? CN_OK : CN_ERR_TOOBIG;
    if (err == CN_OK) err = cn_owners_new(&slides->owners, NULL, NULL);
    if (err == CN_OK) err = cn_tilecache_new(&slides->cache, cache_bytes);
    if (err == CN_OK) err = cn_shelf_new(&slides->shelf, OPEN_SLIDES, OPEN_BYTES);
    if (err == CN_OK) err = cn_decoders_new(&slides->decoders, decoder, decoders);
    if (err != CN_OK) {
        cn_slides_free(slides);
        return err;
    }
    *out = slides;
    return CN_OK;
}

void cn_slides_free(cn_slides *slides)
{
    if (!slides) return;
    cn_decoders_free(slides->decoders);
    cn_tilecache_free(slides->cache);
    cn_shelf_free(slides->shelf);
    cn_owners_free(slides->owners);
    free(slides);
}
