/* Pages of places as a decoder says them: what is good is taken, and no lie is. */
#include "cn_test.h"

#include <string.h>

#include "viewer/slide/jpeghead.h"
#include "viewer/slide/tiletable.h"

#define FILE_BYTES 1000

typedef struct page {
    cn_tilepage_head head;
    uint64_t places[4];
    uint8_t tables[12];
} page;

#define PAGE (offsetof(page, tables) + 12)

static page honest(void)
{
    page out = {.head = {.tiles = 4, .n = 4, .tables_n = 12},
                .places = {UINT64_C(100) << 24 | 50, CN_TILE_EMPTY, CN_TILE_BROKEN, UINT64_C(900) << 24 | 100}};
    static const uint8_t tables[12] = {0xff, 0xd8, 0xff, 0xdb, 0, 6, 1, 2, 3, 4, 0xff, 0xd9};
    memcpy(out.tables, tables, sizeof(tables));
    return out;
}

static cn_err take(const page *from, size_t len)
{
    cn_tiletable table;
    assert_ok(cn_tiletable_init(&table, 4));
    cn_err err = cn_tiletable_add(&table, from, len, FILE_BYTES);
    cn_tiletable_end(&table);
    return err;
}

static void good_pages_are_taken(void **state)
{
    (void)state;
    cn_tiletable table;
    page whole = honest();
    assert_ok(cn_tiletable_init(&table, 4));
    assert_int_equal(cn_tiletable_place(&table, 0), CN_TILE_BROKEN); /* nothing is known yet */
    assert_ok(cn_tiletable_add(&table, &whole, PAGE, FILE_BYTES));
    assert_int_equal(cn_tile_offset(cn_tiletable_place(&table, 3)), 900);
    assert_int_equal(cn_tile_length(cn_tiletable_place(&table, 3)), 100);
    assert_int_equal(cn_tiletable_place(&table, 1), CN_TILE_EMPTY);
    assert_int_equal(cn_tiletable_place(&table, 4), CN_TILE_BROKEN);
    assert_int_equal(table.front_n, 10);
    assert_memory_equal(table.front, "\xff\xd8\xff\xdb\0\6\1\2\3\4", 10);
    assert_int_equal(cn_tiletable_add(&table, &whole, PAGE, FILE_BYTES), CN_ERR_PARSE); /* it is whole */
    cn_tiletable_end(&table);
}

static void adobe_stands_in_front(void **state)
{
    (void)state;
    cn_tiletable table;
    page whole = honest();
    whole.head.adobe = 1;
    assert_ok(cn_tiletable_init(&table, 4));
    assert_ok(cn_tiletable_add(&table, &whole, PAGE, FILE_BYTES));
    cn_jpeghead head = {0};
    uint8_t jpeg[64];
    memcpy(jpeg, table.front, table.front_n);
    memcpy(jpeg + table.front_n, "\xff\xd9\0\0", 4);
    assert_true(cn_jpeghead_read(jpeg, table.front_n + 4, &head));
    assert_true(head.adobe && head.says && head.transform == 0);
    cn_tiletable_end(&table);
}

static void lies_are_not(void **state)
{
    (void)state;
    for (int lie = 0; lie < 14; lie++) {
        page from = honest();
        size_t len = PAGE;
        switch (lie) {
        case 0: from.head.tiles = 5; break;
        case 1: from.head.first = 1; break;
        case 2: from.head.n = 0; break;
        case 3: from.head.n = 0xffffffff; break;
        case 4: from.head.tables_n = 0xfffffff0; break;
        case 5: from.head.adobe = 2; break;
        case 6: len--; break;
        case 7: len = sizeof(from.head) - 1; break;
        case 8: from.places[3]++; break;                           /* one byte past the file's end */
        case 9: from.places[0] = CN_TILE_OFFSET << 24 | 50; break; /* far past it */
        case 10: from.places[0] = UINT64_C(100) << 24 | 3; break;  /* no JPEG is so short */
        case 11: from.places[0] = 50; break;                       /* where the file's own head stands */
        case 12: from.tables[3] = 0xda; break;                     /* a scan among the tables */
        default: from.tables[5] = 60; break;                       /* a segment that is longer than the rest */
        }
        print_message("lie %d\n", lie);
        assert_int_equal(take(&from, len), CN_ERR_PARSE);
    }
}

static void a_second_page_tells_the_same_tables(void **state)
{
    (void)state;
    struct {
        cn_tilepage_head head;
        uint64_t places[2];
        uint8_t tables[12];
    } half = {.head = {.tiles = 4, .n = 2, .tables_n = 12}};
    memcpy(half.tables, honest().tables, 12);
    size_t n = sizeof(half.head) + sizeof(half.places) + sizeof(half.tables);
    cn_tiletable table;
    assert_ok(cn_tiletable_init(&table, 4));
    assert_ok(cn_tiletable_add(&table, &half, n, FILE_BYTES));
    half.head.first = 2;
    half.tables[7]++;
    assert_int_equal(cn_tiletable_add(&table, &half, n, FILE_BYTES), CN_ERR_PARSE);
    half.tables[7]--;
    assert_ok(cn_tiletable_add(&table, &half, n, FILE_BYTES));
    assert_int_equal(table.known, 4);
    cn_tiletable_end(&table);
}

static void a_place_is_in_the_file(void **state)
{
    (void)state;
    assert_int_equal(cn_tile_place(0, 0, FILE_BYTES), CN_TILE_EMPTY);
    assert_int_equal(cn_tile_place(900, 100, FILE_BYTES), UINT64_C(900) << 24 | 100);
    assert_int_equal(cn_tile_place(900, 101, FILE_BYTES), CN_TILE_BROKEN);
    assert_int_equal(cn_tile_place(UINT64_MAX, 2, FILE_BYTES), CN_TILE_BROKEN);
    assert_int_equal(cn_tile_place(8, 1 << 24, INT64_MAX), CN_TILE_BROKEN);
    assert_int_equal(cn_tile_place(0, 100, FILE_BYTES), CN_TILE_BROKEN);
    cn_tiletable table;
    assert_int_equal(cn_tiletable_init(&table, CN_TILES_MAX + 1), CN_ERR_TOOBIG);
    assert_int_equal(cn_tiletable_init(&table, 0), CN_ERR_PARSE);
}

/* ---- what a JPEG says of itself ---- */

#define FRAME(ids0, ids1, ids2) "\xff\xc0\0\x11\x08\0\x20\0\x10\x03" ids0 "\x11\0" ids1 "\x11\0" ids2 "\x11\0"
#define JFIF "\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0"
#define ADOBE(transform) \
    "\xff\xee\0\x0e"     \
    "Adobe\0\x64\0\0\0\0" transform
#define SCAN "\xff\xda\0\2"

static void colours_are_guessed_as_browsers_do(void **state)
{
    (void)state;
#define ROW(text, colours, says)              \
    {                                         \
        text, sizeof(text) - 1, colours, says \
    }
    static const struct {
        const char *bytes;
        size_t n;
        int colours;
        bool says;
    } rows[] = {
        ROW("\xff\xd8" FRAME("\1", "\2", "\3") SCAN, CN_JPEG_YCBCR, false),
        ROW("\xff\xd8" FRAME("R", "G", "B") SCAN, CN_JPEG_RGB, false),
        ROW("\xff\xd8" JFIF FRAME("R", "G", "B") SCAN, CN_JPEG_YCBCR, true),
        ROW("\xff\xd8" ADOBE("\0") FRAME("\1", "\2", "\3") SCAN, CN_JPEG_RGB, true),
        ROW("\xff\xd8" FRAME("\1", "\2", "\3") ADOBE("\0") SCAN, CN_JPEG_RGB, true),
        ROW("\xff\xd8" ADOBE("\1") FRAME("\1", "\2", "\3") SCAN, CN_JPEG_YCBCR, true),
        ROW("\xff\xd8\xff\xc0\0\x0b\x08\0\x20\0\x10\1\1\x11\0" SCAN, CN_JPEG_GREY, false),
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        cn_jpeghead head = {0};
        assert_true(cn_jpeghead_read((const uint8_t *)rows[i].bytes, rows[i].n, &head));
        assert_int_equal(head.colours, rows[i].colours);
        assert_int_equal(head.says, rows[i].says);
        assert_true(head.width == 16 && head.height == 32);
        for (size_t n = 0; n + 4 < rows[i].n; n++) { /* cut off anywhere it says nothing */
            cn_jpeghead cut = {0};
            assert_false(cn_jpeghead_read((const uint8_t *)rows[i].bytes, n, &cut));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_pages_are_taken),   cmocka_unit_test(adobe_stands_in_front),
        cmocka_unit_test(lies_are_not),           cmocka_unit_test(a_second_page_tells_the_same_tables),
        cmocka_unit_test(a_place_is_in_the_file), cmocka_unit_test(colours_are_guessed_as_browsers_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
