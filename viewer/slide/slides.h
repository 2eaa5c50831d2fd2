/*
 * Slides for the browser: what a slide is, its own tiles, Deep Zoom's, its thumbnail. Decoding happens in the decoder
 * processes, encoded tiles are cached. Thread-safe; calls block (tile jobs only). Whoever calls has checked the
 * permission already.
 */
#ifndef CN_VIEWER_SLIDES_H
#define CN_VIEWER_SLIDES_H

#include "viewer/slide/decoders.h"
#include "viewer/slide/iiif.h"
#include "viewer/slide/owners.h"
#include "viewer/slide/shelf.h"
#include "viewer/slide/tilecache.h"

typedef struct cn_slides cn_slides;

/** `decoder`: path of consilium-decoder. */
cn_err cn_slides_new(cn_slides **out, const char *decoder, unsigned decoders, size_t cache_bytes);
void cn_slides_free(cn_slides *slides);
/** Whose slides are, so that no hospital's keep another's waiting; before the first question. */
cn_err cn_slides_whose(cn_slides *slides, cn_owners_fn whose, void *ctx);

/** `id` names the slide in the cache; `path` is its file, absolute and alone in its folder. Errors as cn_decoders_ask.
 */
cn_err cn_slide_info(cn_slides *slides, const char *id, const char *path, cn_decode_info *out);
/** The slide, open: a new reference. `path` NULL: only when it is open already, CN_ERR_AGAIN otherwise, without waiting. */
cn_err cn_slide_open(cn_slides *slides, const char *id, const char *path, cn_shelved **out);
/** A tile of the level's own grid, new reference: as it stands in the file where the level has such tiles, else encoded.
 * `wait` false: CN_ERR_AGAIN when it has to be decoded or read from a disk. CN_ERR_NOTFOUND outside the grid,
 * CN_ERR_CORRUPT when its bytes cannot be right. */
cn_err cn_slide_grid_tile(cn_slides *slides, cn_shelved *slide, uint32_t level, int64_t column, int64_t row, bool wait,
                          cn_tile **out);
/** The same of one plane or channel, `z` and `channel` as in cn_decode_ask; always encoded. CN_ERR_NOTFOUND when the slide
 * has no such. */
cn_err cn_slide_plane_tile(cn_slides *slides, cn_shelved *slide, uint32_t level, int64_t column, int64_t row,
                           uint32_t z, uint32_t channel, cn_tile **out);
/** How many tiles the grid of a level has. */
void cn_slide_grid(const cn_decode_info *info, uint32_t level, int64_t *columns, int64_t *rows);
/** A JPEG, new reference. Deep Zoom level, column and row. */
cn_err cn_slide_tile(cn_slides *slides, const char *id, const char *path, unsigned level, int64_t column, int64_t row,
                     cn_tile **out);
/** The same of one plane or channel, as cn_slide_plane_tile. */
cn_err cn_slide_plane_zoom(cn_slides *slides, const cn_shelved *slide, unsigned level, int64_t column, int64_t row,
                           uint32_t z, uint32_t channel, cn_tile **out);
/** A JPEG or PNG: any part in any size. */
cn_err cn_slide_cut(cn_slides *slides, const char *id, const char *path, const cn_iiif_ask *ask, cn_tile **out);
/** A JPEG inside size × size pixels (at most 2,048). */
cn_err cn_slide_thumbnail(cn_slides *slides, const char *id, const char *path, unsigned size, cn_tile **out);
/** A JPEG of the slide's label or macro image (CN_DECODE_LABEL, CN_DECODE_MACRO), at most CN_DECODE_ASSOCIATED_SIDE pixels
 * a side. CN_ERR_NOTFOUND: it has none. */
cn_err cn_slide_associated(cn_slides *slides, const char *id, const char *path, uint32_t which, cn_tile **out);
/** The table from its colours to sRGB, CN_DECODE_COLOUR_BYTES, new reference. CN_ERR_NOTFOUND without a usable profile,
 * CN_ERR_UNSUPPORTED when no table can be made of it. */
cn_err cn_slide_colour(cn_slides *slides, const char *id, const char *path, cn_tile **out);
/** Makes the levels that a slide lacks (`lacks_levels` of its information), beside it: cn_levels_make. What is asked for
 * from then on is made of them. When the slide does not allow it or an hour is not enough, that is noted, and it lacks none any more. */
cn_err cn_slide_make_levels(cn_slides *slides, const char *id, const char *path, const char *scratch, int stop_fd);
/** Forgets a deleted slide. */
void cn_slide_forget(cn_slides *slides, const char *id, const char *path);
void cn_slides_stats(cn_slides *slides, cn_tilecache_stats *out);

#endif
