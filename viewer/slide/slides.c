#include "viewer/slide/slides.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "viewer/slide/levels.h"

struct cn_slides {
    cn_decoders *decoders;
    cn_tilecache *cache;
    char decoder[CN_DECODE_PATH];
};

typedef struct tile_question {
    cn_slides *slides;
    const char *path;
    cn_decode_ask ask;
} tile_question;

static cn_err decode(void *arg, void **bytes, size_t *len)
{
    tile_question *asked = arg;
    cn_err err = cn_decoders_ask(asked->slides->decoders, asked->path, &asked->ask, bytes, len);
    /* a worker that was lost in the middle costs a moment, not a hole in the picture; what kills it twice is the
     * slide's fault */
    if (err == CN_ERR_CRASHED) err = cn_decoders_ask(asked->slides->decoders, asked->path, &asked->ask, bytes, len);
    return err;
}

static cn_err ask(cn_slides *slides, const char *id, const char *path, const cn_decode_ask *ask, cn_tile **out)
{
    char key[128];
    tile_question asked = {.slides = slides, .path = path, .ask = *ask};
    if (!cn_fmt(key, sizeof(key), "%s/%u/%u/%lld/%lld/%u", id, ask->op, ask->level, (long long)ask->column,
                (long long)ask->row, ask->size))
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

cn_err cn_slide_tile(cn_slides *slides, const char *id, const char *path, unsigned level, int64_t column, int64_t row,
                     cn_tile **out)
{
    return ask(slides, id, path, &(cn_decode_ask){.op = CN_DECODE_TILE, .level = level, .column = column, .row = row},
               out);
}

cn_err cn_slide_thumbnail(cn_slides *slides, const char *id, const char *path, unsigned size, cn_tile **out)
{
    if (size < 1 || size > 2048) return CN_ERR_INVALID;
    return ask(slides, id, path, &(cn_decode_ask){.op = CN_DECODE_THUMB, .size = size}, out);
}

cn_err cn_slide_make_levels(cn_slides *slides, const char *id, const char *path, const char *scratch, int stop_fd)
{
    cn_err err = cn_levels_make(slides->decoder, path, scratch, stop_fd);
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
    cn_decoders_forget(slides->decoders, path);
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
    if (err == CN_OK) err = cn_tilecache_new(&slides->cache, cache_bytes);
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
    free(slides);
}
