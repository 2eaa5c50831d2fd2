#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "viewer/slide/deepzoom.h"

static void levels_are_halvings(void **state)
{
    (void)state;
    static const struct {
        int64_t width, height;
        unsigned levels;
    } rows[] = {{1, 1, 1}, {2, 1, 2}, {3, 2, 3}, {256, 256, 9}, {257, 10, 10}, {24576, 18432, 16}, {59940, 41538, 17}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(cn_dz_levels(rows[i].width, rows[i].height), rows[i].levels);
    int64_t w = 0, h = 0;
    assert_int_equal(cn_dz_level_size(24576, 18432, 0, &w, &h), CN_OK);
    assert_int_equal(w, 1);
    assert_int_equal(cn_dz_level_size(24576, 18432, 15, &w, &h), CN_OK);
    assert_int_equal(w, 24576);
    assert_int_equal(h, 18432);
    assert_int_equal(cn_dz_level_size(24576, 18432, 16, &w, &h), CN_ERR_NOTFOUND);
    assert_int_equal(cn_dz_level_size(0, 5, 0, &w, &h), CN_ERR_NOTFOUND);
}

/* Without their overlaps the tiles of a level cover it exactly once. */
static void tiles_cover_the_level(void **state)
{
    (void)state;
    const int64_t width = 1999, height = 777;
    for (unsigned level = 0; level < cn_dz_levels(width, height); level++) {
        int64_t lw = 0, lh = 0, area = 0;
        assert_int_equal(cn_dz_level_size(width, height, level, &lw, &lh), CN_OK);
        for (int64_t row = 0;; row++) {
            cn_dz_rect rect;
            if (cn_dz_tile_rect(width, height, level, 0, row, &rect) != CN_OK) break;
            for (int64_t column = 0; cn_dz_tile_rect(width, height, level, column, row, &rect) == CN_OK; column++) {
                assert_true(rect.x >= 0 && rect.y >= 0 && rect.x + rect.width <= lw && rect.y + rect.height <= lh);
                int64_t right = column * CN_DZ_TILE + CN_DZ_TILE < lw ? column * CN_DZ_TILE + CN_DZ_TILE : lw;
                int64_t bottom = row * CN_DZ_TILE + CN_DZ_TILE < lh ? row * CN_DZ_TILE + CN_DZ_TILE : lh;
                area += (right - column * CN_DZ_TILE) * (bottom - row * CN_DZ_TILE);
            }
        }
        assert_int_equal(area, lw * lh);
    }
}

static void outside_the_grid_is_not_found(void **state)
{
    (void)state;
    cn_dz_rect rect;
    assert_int_equal(cn_dz_tile_rect(1000, 1000, 10, 4, 0, &rect), CN_ERR_NOTFOUND);
    assert_int_equal(cn_dz_tile_rect(1000, 1000, 10, -1, 0, &rect), CN_ERR_NOTFOUND);
    assert_int_equal(cn_dz_tile_rect(1000, 1000, 10, INT64_MAX, 0, &rect), CN_ERR_NOTFOUND);
    assert_int_equal(cn_dz_tile_rect(1000, 1000, 11, 0, 0, &rect), CN_ERR_NOTFOUND);
    assert_int_equal(cn_dz_tile_rect(1000, 1000, 4000000000u, 0, 0, &rect), CN_ERR_NOTFOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels_are_halvings),
        cmocka_unit_test(tiles_cover_the_level),
        cmocka_unit_test(outside_the_grid_is_not_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
