/* Pointers and strokes on the shared picture: whose they are, how many there may be, what fades. */
#include "cn_test.h"

#include <string.h>

#include "base/str.h"
#include "signaling/live/board.h"

static const cn_hand li = {.participant = "li", .hue = 2}, wang = {.participant = "wang", .hue = 3};

static cn_pointer pointer(const char *participant, double x, uint64_t at_ms)
{
    cn_pointer one = {.x = x, .y = 1, .page = 1, .hue = 1, .at_ms = at_ms};
    cn_strcpy(one.participant, sizeof one.participant, participant);
    return one;
}

static bool point(cn_board *board, const char *participant, double x, uint64_t at_ms, bool presenter)
{
    const cn_pointer one = pointer(participant, x, at_ms);
    return cn_board_point(board, &one, presenter);
}

static size_t count_json(json_t *list)
{
    size_t n = json_array_size(list);
    json_decref(list);
    return n;
}

static void each_has_one_pointer(void **state)
{
    (void)state;
    cn_board board = {.pointers = 0};
    assert_true(point(&board, "li", 10.5, 1000, false));
    assert_true(point(&board, "wang", 20, 1000, false));
    assert_true(point(&board, "li", 11.5, 1010, false));
    json_t *list = cn_board_pointers_json(&board);
    assert_int_equal(json_array_size(list), 2);
    assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "participant")), "li");
    assert_true(json_real_value(json_object_get(json_array_get(list, 0), "x")) == 11.5);
    json_decref(list);
    assert_true(cn_board_unpoint(&board, "li"));
    assert_false(cn_board_unpoint(&board, "li"));
    assert_int_equal(board.pointers, 1);
    assert_string_equal(board.pointer[0].participant, "wang");
}

static void a_bounded_number_points(void **state)
{
    (void)state;
    cn_board board = {.pointers = 0};
    char name[8];
    for (unsigned i = 0; i < CN_POINTERS; i++) {
        cn_fmt(name, sizeof name, "p%u", i);
        assert_true(point(&board, name, i, 1000 + i, false));
    }
    assert_false(point(&board, "late", 1, 2000, false));
    assert_true(point(&board, "p3", 5, 2000, false));
    /* the presenter always does, in place of who stood still for the longest */
    assert_true(point(&board, "shows", 1, 2000, true));
    assert_false(cn_board_unpoint(&board, "p0"));
    /* and so does anybody, once somebody has not moved for a while */
    assert_true(point(&board, "late", 1, 1001 + CN_POINTER_STILL_MS, false));
    assert_int_equal(board.pointers, CN_POINTERS);
    cn_board_wipe(&board);
    assert_int_equal(board.pointers, 0);
}

static cn_err draw(cn_board *board, cn_hand hand, int64_t number, size_t n, bool fades, uint64_t now_ms, size_t *from)
{
    cn_drawing drawing = {.number = number, .page = 1, .fades = fades, .n = n};
    for (size_t i = 0; i < n; i++) drawing.dots[i] = (cn_dot){(float)i + 0.25f, 7};
    return cn_board_draw(board, hand, &drawing, now_ms, from);
}

static void strokes_grow_and_stay_until_cleared(void **state)
{
    (void)state;
    cn_board board = {.pointers = 0};
    size_t from = 99;
    assert_int_equal(draw(&board, li, 1, 40, false, 1000, &from), CN_OK);
    assert_int_equal(from, 0);
    assert_int_equal(draw(&board, li, 1, 3, false, 1010, &from), CN_OK);
    assert_int_equal(from, 40);
    assert_int_equal(draw(&board, wang, 1, 5, false, 1010, &from), CN_OK); /* another's of the same number */
    assert_int_equal(from, 0);
    json_t *list = cn_board_strokes_json(&board, 9000000), *first = json_array_get(list, 0);
    assert_int_equal(json_array_size(list), 2);
    assert_int_equal(json_array_size(json_object_get(first, "points")), 86);
    assert_int_equal(json_integer_value(json_object_get(first, "hue")), 2);
    assert_true(json_real_value(json_array_get(json_object_get(first, "points"), 80)) == 0.25);
    json_decref(list);
    cn_board_clear(&board, "li");
    assert_int_equal(board.strokes, 1);
    assert_int_equal(board.dots, 5);
    assert_int_equal(draw(&board, li, 2, 1, false, 1020, &from), CN_OK);
    cn_board_clear(&board, NULL);
    assert_int_equal(board.strokes + board.dots, 0);
    assert_null(board.first);
    assert_null(board.last);
}

static void what_fades_is_gone(void **state)
{
    (void)state;
    cn_board board = {.pointers = 0};
    size_t from;
    assert_int_equal(draw(&board, li, 1, 2, true, 1000, &from), CN_OK);
    assert_int_equal(draw(&board, li, 2, 2, false, 1000, &from), CN_OK);
    json_t *list = cn_board_strokes_json(&board, 1400);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(list, 0), "age_ms")), 400);
    json_decref(list);
    assert_int_equal(count_json(cn_board_strokes_json(&board, 999 + CN_FADES_MS)), 2);
    assert_int_equal(count_json(cn_board_strokes_json(&board, 1000 + CN_FADES_MS)), 1);
    assert_int_equal(draw(&board, wang, 1, 1, false, 1000 + CN_FADES_MS, &from), CN_OK);
    assert_int_equal(board.strokes, 2);
    cn_board_wipe(&board);
}

static void there_is_an_end_to_drawing(void **state)
{
    (void)state;
    cn_board board = {.pointers = 0};
    size_t from, calls = 0;
    while (draw(&board, li, 1, CN_DRAW_POINTS, false, 1000, &from) == CN_OK) calls++;
    assert_int_equal(calls, CN_STROKE_POINTS / CN_DRAW_POINTS);
    for (int64_t i = 2; draw(&board, li, i, 1, false, 1000, &from) == CN_OK; i++) calls++;
    assert_int_equal(board.strokes, CN_STROKES);
    cn_board_clear(&board, NULL);
    for (int64_t i = 0; draw(&board, wang, i, CN_DRAW_POINTS, true, 1000, &from) == CN_OK; i++) calls++;
    assert_int_equal(board.dots, CN_BOARD_POINTS);
    /* what has faded makes room */
    assert_int_equal(draw(&board, li, 9, 1, true, 1000 + CN_FADES_MS, &from), CN_OK);
    assert_int_equal(board.dots, 1);
    cn_board_wipe(&board);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_has_one_pointer),
        cmocka_unit_test(a_bounded_number_points),
        cmocka_unit_test(strokes_grow_and_stay_until_cleared),
        cmocka_unit_test(what_fades_is_gone),
        cmocka_unit_test(there_is_an_end_to_drawing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
