// Places of tiles and JPEG tables as a decoder that was taken over says them: the first byte chooses. What is taken lies in the file.
// covers: viewer/slide/tiletable.c viewer/slide/jpeghead.c
#include <stdint.h>
#include <string.h>

#include "viewer/slide/jpeghead.h"
#include "viewer/slide/tiletable.h"

#define FILE_BYTES 100000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int good)
{
    if (!good) __builtin_trap();
}

/* Two pages, the second from the middle on. */
static void table(const uint8_t *data, size_t size)
{
    cn_tiletable table;
    if (size < 2 || cn_tiletable_init(&table, data[0]) != CN_OK) return;
    size_t first = 2 + (size_t)data[1] * 8;
    if (first > size) first = size;
    if (cn_tiletable_add(&table, data + 2, first - 2, FILE_BYTES) == CN_OK && table.known < table.tiles)
        (void)cn_tiletable_add(&table, data + first, size - first, FILE_BYTES);
    must(table.known <= table.tiles);
    for (uint64_t i = 0; i < table.known; i++) {
        uint64_t place = cn_tiletable_place(&table, i);
        if (place == CN_TILE_EMPTY || place == CN_TILE_BROKEN) continue;
        must(cn_tile_offset(place) + cn_tile_length(place) <= FILE_BYTES && cn_tile_length(place) >= 4);
        must(cn_tile_place(cn_tile_offset(place), cn_tile_length(place), FILE_BYTES) == place);
    }
    if (table.known) must(table.front_n >= 2 && table.front[0] == 0xff && table.front[1] == 0xd8);
    cn_tiletable_end(&table);
}

static void head(const uint8_t *data, size_t size)
{
    cn_jpeghead head = {0};
    if (!cn_jpeghead_read(data, size, &head)) return;
    must(head.colours >= CN_JPEG_UNKNOWN && head.colours <= CN_JPEG_RGB && head.components <= 255);
    must(head.width <= 65535 && head.height <= 65535);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) return 0;
    if (data[0] & 1)
        head(data + 1, size - 1);
    else
        table(data + 1, size - 1);
    return 0;
}
