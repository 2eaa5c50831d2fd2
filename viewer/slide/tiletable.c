#include "viewer/slide/tiletable.h"

#include <string.h>

#include "base/mem.h"

#define LEAST 4 /* bytes: SOI and EOI */

/* Adobe's segment as libjpeg reads it (version, two flags, transform): the three components are R, G and B. */
static const uint8_t adobe[] = {0xff, 0xee, 0, 14, 'A', 'd', 'o', 'b', 'e', 0, 100, 0, 0, 0, 0, 0};

/* ---- places ---- */

static bool fits(uint64_t offset, uint64_t length, uint64_t file_bytes)
{
    return offset > 0 && offset <= CN_TILE_OFFSET && length >= LEAST && length <= CN_TILE_BYTES &&
           offset <= file_bytes && length <= file_bytes - offset;
}

uint64_t cn_tile_place(uint64_t offset, uint64_t length, uint64_t file_bytes)
{
    if (length == 0) return CN_TILE_EMPTY;
    return fits(offset, length, file_bytes) ? offset << 24 | length : CN_TILE_BROKEN;
}

uint64_t cn_tile_offset(uint64_t place)
{
    return place >> 24;
}

uint32_t cn_tile_length(uint64_t place)
{
    return (uint32_t)(place & CN_TILE_BYTES);
}

uint64_t cn_tiletable_place(const cn_tiletable *table, uint64_t tile)
{
    return tile < table->known ? table->places[tile] : CN_TILE_BROKEN;
}

/* ---- pages ---- */

/* Tables hold what decodes a picture, and no picture: ITU-T T.81 B.5, and what libjpeg may write among them. */
static bool is_table(uint8_t marker)
{
    return marker == 0xdb || marker == 0xc4 || marker == 0xcc || marker == 0xdd || marker == 0xfe ||
           (marker >= 0xe0 && marker <= 0xef);
}

static bool are_tables(const uint8_t *bytes, size_t len)
{
    if (len < LEAST || bytes[0] != 0xff || bytes[1] != 0xd8) return false;
    size_t at = 2;
    while (at + 4 <= len && bytes[at] == 0xff && is_table(bytes[at + 1])) {
        size_t n = (size_t)bytes[at + 2] << 8 | bytes[at + 3];
        if (n < 2 || n > len - at - 2) return false;
        at += 2 + n;
    }
    return at + 2 == len && bytes[at] == 0xff && bytes[at + 1] == 0xd9;
}

static cn_err make_front(cn_tiletable *table, const cn_tilepage_head *head, const uint8_t *tables)
{
    size_t inner = head->tables_n ? head->tables_n - 4 : 0;
    uint8_t *front = cn_calloc(1, 2 + sizeof(adobe) + inner);
    if (!front) return CN_ERR_NOMEM;
    size_t n = 0;
    front[n++] = 0xff;
    front[n++] = 0xd8;
    if (head->adobe) memcpy(front + n, adobe, sizeof(adobe));
    n += head->adobe ? sizeof(adobe) : 0;
    if (inner) memcpy(front + n, tables + 2, inner);
    table->front = front;
    table->front_n = n + inner;
    return CN_OK;
}

/* The tables come with each page; they stay what they were. */
static cn_err take_front(cn_tiletable *table, const cn_tilepage_head *head, const uint8_t *tables)
{
    if (!table->front) return make_front(table, head, tables);
    cn_tiletable again = {0};
    CN_TRY(make_front(&again, head, tables));
    bool same = again.front_n == table->front_n && memcmp(again.front, table->front, again.front_n) == 0;
    free(again.front);
    return same ? CN_OK : CN_ERR_PARSE;
}

static bool may_be(uint64_t place, uint64_t file_bytes)
{
    return place == CN_TILE_EMPTY || place == CN_TILE_BROKEN ||
           fits(cn_tile_offset(place), cn_tile_length(place), file_bytes);
}

static bool head_fits(const cn_tiletable *table, const cn_tilepage_head *head, size_t len)
{
    if (head->tiles != table->tiles || head->first != table->known || head->adobe > 1 || head->zero) return false;
    if (head->n < 1 || head->n > table->tiles - table->known || head->tables_n > CN_TILE_TABLES) return false;
    return len == sizeof(*head) + (uint64_t)head->n * sizeof(uint64_t) + head->tables_n;
}

cn_err cn_tiletable_add(cn_tiletable *table, const void *page, size_t len, uint64_t file_bytes)
{
    cn_tilepage_head head;
    if (len < sizeof(head)) return CN_ERR_PARSE;
    memcpy(&head, page, sizeof(head));
    if (!head_fits(table, &head, len)) return CN_ERR_PARSE;
    const uint8_t *places = (const uint8_t *)page + sizeof(head), *tables = places + (size_t)head.n * sizeof(uint64_t);
    if (head.tables_n && !are_tables(tables, head.tables_n)) return CN_ERR_PARSE;
    memcpy(table->places + table->known, places, (size_t)head.n * sizeof(uint64_t));
    for (uint32_t i = 0; i < head.n; i++)
        if (!may_be(table->places[table->known + i], file_bytes)) return CN_ERR_PARSE;
    CN_TRY(take_front(table, &head, tables));
    table->known += head.n;
    return CN_OK;
}

cn_err cn_tiletable_init(cn_tiletable *table, uint64_t tiles)
{
    *table = (cn_tiletable){.tiles = tiles};
    if (tiles < 1) return CN_ERR_PARSE;
    if (tiles > CN_TILES_MAX) return CN_ERR_TOOBIG;
    table->places = cn_calloc(tiles, sizeof(*table->places));
    return table->places ? CN_OK : CN_ERR_NOMEM;
}

void cn_tiletable_end(cn_tiletable *table)
{
    free(table->places);
    free(table->front);
    *table = (cn_tiletable){0};
}
