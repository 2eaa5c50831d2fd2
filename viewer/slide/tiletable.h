/*
 * Where a level's own JPEG tiles lie in its file, as a decoder says it page by page (CN_DECODE_TABLE), and what has to
 * stand in front of a tile so that it is a picture by itself. Pure.
 *
 *   page: cn_tilepage_head | n places of 8 bytes | the file's JPEG tables as they stand in it, SOI to EOI, or nothing
 *   place: offset << 24 | length; 0: never written; 1: it cannot be right (past the file's end, too long)
 *   tile as sent: SOI | Adobe segment if need be | tables without SOI and EOI | the file's bytes behind their SOI
 */
#ifndef CN_VIEWER_TILETABLE_H
#define CN_VIEWER_TILETABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define CN_TILES_MAX (1u << 22)        /* of a level; its places take 32 MiB then */
#define CN_TILE_BYTES ((1u << 24) - 1) /* of one tile */
#define CN_TILE_OFFSET ((UINT64_C(1) << 40) - 1)
#define CN_TILE_TABLES 65536 /* bytes of JPEG tables */
#define CN_TILE_EMPTY UINT64_C(0)
#define CN_TILE_BROKEN UINT64_C(1)

typedef struct cn_tilepage_head {
    uint64_t tiles;    /* of the level */
    uint64_t first;    /* of this page */
    uint32_t n;        /* in this page */
    uint32_t tables_n; /* bytes */
    uint32_t adobe;    /* 1: the tiles are RGB and do not say so */
    uint32_t zero;
} cn_tilepage_head;

typedef struct cn_tiletable {
    uint64_t tiles, known; /* places that came so far */
    uint64_t *places;
    uint8_t *front; /* what stands in front of a tile, its SOI included */
    size_t front_n;
} cn_tiletable;

/** The place of `length` bytes at `offset` in a file of `file_bytes`. */
uint64_t cn_tile_place(uint64_t offset, uint64_t length, uint64_t file_bytes);

/** An empty table for so many tiles; CN_ERR_TOOBIG above CN_TILES_MAX. */
cn_err cn_tiletable_init(cn_tiletable *table, uint64_t tiles);
/** Takes the next page over: CN_ERR_PARSE unless it goes on where the last one ended, every place lies in a file of
 * `file_bytes`, and the tables are JPEG segments without a picture, the same ones in each page. */
cn_err cn_tiletable_add(cn_tiletable *table, const void *page, size_t len, uint64_t file_bytes);
void cn_tiletable_end(cn_tiletable *table);

/** Of a tile below `tiles`: CN_TILE_EMPTY, CN_TILE_BROKEN (also of one that did not come), or where it is. */
uint64_t cn_tiletable_place(const cn_tiletable *table, uint64_t tile);
uint64_t cn_tile_offset(uint64_t place);
uint32_t cn_tile_length(uint64_t place);

#endif
