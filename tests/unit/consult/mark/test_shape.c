/* What may be drawn, and what it measures. */
#include "cn_test.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "consult/mark/shape.h"

static json_t *json_of(const char *text)
{
    char bytes[1024];
    size_t n = 0;
    for (; *text && n + 1 < sizeof bytes; text++) bytes[n++] = *text == '\'' ? '"' : *text;
    bytes[n] = '\0';
    json_t *object = json_loads(bytes, 0, NULL);
    assert_non_null(object);
    return object;
}

static const struct {
    const char *body, *field; /* NULL: taken */
} cases[] = {
    {"{'id': 'a', 'kind': 'distance', 'points': [[0, 0], [3, 4.5]], 'colour': '#00aaff'}", NULL},
    {"{'id': 'a-_9', 'kind': 'text', 'points': [[1, 2]], 'colour': '#00aaff', 'text': '病灶'}", NULL},
    {"{'id': 'a', 'kind': 'area', 'points': [[-5, 0], [9, 0], [9, 9]], 'colour': '#000000', 'z': 3}", NULL},
    {"{'id': 'a', 'kind': 'text', 'points': [[1, 2]], 'colour': '#00aaff', 'text': ' \\n'}", "text"},
    {"{'id': 'a', 'kind': 'text', 'points': [[1, 2]], 'colour': '#00aaff'}", "text"},
    {"{'kind': 'distance', 'points': [[0, 0], [3, 4]], 'colour': '#00aaff'}", "id"},
    {"{'id': 'a b', 'kind': 'distance', 'points': [[0, 0], [3, 4]], 'colour': '#00aaff'}", "id"},
    {"{'id': 'a', 'kind': 'scribble', 'points': [[0, 0], [3, 4]], 'colour': '#00aaff'}", "kind"},
    {"{'id': 'a', 'kind': 'distance', 'points': [[0, 0]], 'colour': '#00aaff'}", "points"},
    {"{'id': 'a', 'kind': 'distance', 'points': [[0, 0], [1, 1], [2, 2]], 'colour': '#00aaff'}", "points"},
    {"{'id': 'a', 'kind': 'distance', 'points': [[0, 0], [1]], 'colour': '#00aaff'}", "points"},
    {"{'id': 'a', 'kind': 'distance', 'points': [[0, 0], ['1', 2]], 'colour': '#00aaff'}", "points"},
    {"{'id': 'a', 'kind': 'distance', 'points': [[0, 0], [1e300, 2]], 'colour': '#00aaff'}", "points"},
    {"{'id': 'a', 'kind': 'distance', 'points': [[0, 0], [10000001, 2]], 'colour': '#00aaff'}", "points"},
    {"{'id': 'a', 'kind': 'distance', 'points': {'x': 1}, 'colour': '#00aaff'}", "points"},
    {"{'id': 'a', 'kind': 'distance', 'points': [[0, 0], [3, 4]]}", "colour"},
    {"{'id': 'a', 'kind': 'distance', 'points': [[0, 0], [3, 4]], 'colour': 'url(#x)'}", "colour"},
    {"{'id': 'a', 'kind': 'distance', 'points': [[0, 0], [3, 4]], 'colour': '#00AAFF'}", "colour"},
    {"{'id': 'a', 'kind': 'distance', 'points': [[0, 0], [3, 4]], 'colour': '#00aaff', 'z': -1}", "z"},
};

static void test_what_may_be_drawn(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        CN_AUTO_JSON json_t *body = json_of(cases[i].body);
        cn_problem problem = {.err = CN_OK};
        cn_mark_new mark;
        cn_err err = cn_mark_read(body, false, &mark, &problem);
        if (err == CN_OK) cn_mark_shape_free(&mark.shape);
        if ((err == CN_OK) != !cases[i].field || (cases[i].field && strcmp(problem.field, cases[i].field) != 0))
            fail_msg("%s: %s %s", cases[i].body, cn_err_name(err), problem.field);
    }
}

static void shape_of(const char *kind, const char *points, cn_mark_shape *out)
{
    CN_AUTO_JSON json_t *list = json_of(points);
    cn_mark_kind known;
    assert_true(cn_mark_kind_parse(kind, &known));
    assert_ok(cn_mark_points_read(list, known, out, NULL));
}

static void test_a_bound_of_points(void **state)
{
    (void)state;
    CN_AUTO_JSON json_t *list = json_array();
    cn_mark_shape shape = {.len = 0};
    for (int i = 0; i < CN_MARK_POINTS; i++) json_array_append_new(list, json_pack("[i, i]", i, i % 7));
    assert_ok(cn_mark_points_read(list, CN_MARK_AREA, &shape, NULL));
    cn_mark_shape_free(&shape);
    json_array_append_new(list, json_pack("[i, i]", 1, 1));
    assert_err(cn_mark_points_read(list, CN_MARK_AREA, &shape, NULL), CN_ERR_INVALID);
}

static void test_points_come_back_as_they_were(void **state)
{
    (void)state;
    cn_mark_shape shape;
    cn_buf text = {0};
    shape_of("polyline", "[[-0.5, 12.25], [99999.994, -3], [0.1, 0.004]]", &shape);
    cn_mark_points_write(&shape, &text);
    assert_string_equal(text.p, "[[-0.5,12.25],[99999.99,-3],[0.1,0]]");
    cn_buf_free(&text);
    cn_mark_shape_free(&shape);
}

static const struct {
    const char *kind, *points;
    double length, area, degrees;
} measures[] = {
    {"distance", "[[100, 100], [103, 104]]", 5, -1, -1},
    {"polyline", "[[0, 0], [3, 4], [3, 10]]", 11, -1, -1},
    {"area", "[[100000, 100000], [100010, 100000], [100010, 100020], [100000, 100020]]", 60, 200, -1},
    {"area", "[[0, 20], [10, 20], [10, 0], [0, 0]]", 60, 200, -1},
    {"rectangle", "[[0, 0], [30, 40], [22, 46], [-8, 6]]", 120, 500, -1},
    {"ellipse", "[[0, 0], [20, 0], [20, 20], [0, 20]]", 62.8319, 314.159, -1},
    {"ellipse", "[[0, 0], [40, 0], [40, 20], [0, 20]]", 96.8845, 628.319, -1},
    {"frame_circle", "[[0, 0], [20, 0], [20, 20], [0, 20]]", 62.8319, 314.159, -1},
    {"angle", "[[10, 0], [0, 0], [0, 5]]", -1, -1, 90},
    {"angle", "[[10, 0], [0, 0], [-5, 5]]", -1, -1, 135},
    {"angle", "[[0, 0], [0, 0], [0, 0]]", -1, -1, 0},
    {"arrow", "[[0, 0], [3, 4]]", -1, -1, -1},
    {"count", "[[0, 0], [3, 4]]", -1, -1, -1},
};

static void close_to(double found, double wanted, const char *what)
{
    if (fabs(found - wanted) > fabs(wanted) * 1e-4 + 1e-9) fail_msg("%s: %f instead of %f", what, found, wanted);
}

static void test_what_it_measures(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof measures / sizeof measures[0]; i++) {
        cn_mark_shape shape;
        cn_mark_measure measure;
        shape_of(measures[i].kind, measures[i].points, &shape);
        cn_mark_measure_of(&shape, &measure);
        close_to(measure.length, measures[i].length, measures[i].points);
        close_to(measure.area, measures[i].area, measures[i].points);
        close_to(measure.degrees, measures[i].degrees, measures[i].points);
        cn_mark_shape_free(&shape);
    }
}

static void test_what_lies_inside(void **state)
{
    (void)state;
    cn_mark_shape points, shape;
    shape_of("count", "[[10, 10], [1, 1], [19.9, 10], [20.1, 10], [-1, 5]]", &points);
    shape_of("frame_square", "[[0, 0], [20, 0], [20, 20], [0, 20]]", &shape);
    assert_int_equal(cn_mark_inside(&shape, &points), 3);
    cn_mark_shape_free(&shape);
    shape_of("frame_circle", "[[0, 0], [20, 0], [20, 20], [0, 20]]", &shape);
    assert_int_equal(cn_mark_inside(&shape, &points), 2);
    cn_mark_shape_free(&shape);
    shape_of("area", "[[0, 0], [20, 0], [0, 20]]", &shape);
    assert_int_equal(cn_mark_inside(&shape, &points), 1);
    cn_mark_shape_free(&shape);
    shape_of("distance", "[[0, 0], [20, 0]]", &shape);
    assert_int_equal(cn_mark_inside(&shape, &points), 0);
    cn_mark_shape_free(&shape);
    cn_mark_shape_free(&points);
}

static double ring_area(double (*ring)[2], size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += ring[i][0] * ring[(i + 1) % n][1] - ring[(i + 1) % n][0] * ring[i][1];
    return sum / 2;
}

/* Whichever way it was drawn, the outline goes round the same way; a round one is within 0.05 % of its area. */
static void test_outlines(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof measures / sizeof measures[0]; i++) {
        double ring[CN_MARK_ROUND][2];
        cn_mark_shape shape;
        shape_of(measures[i].kind, measures[i].points, &shape);
        size_t n = cn_mark_outline(&shape, ring, CN_MARK_ROUND);
        assert_int_equal(n > 0, measures[i].area > 0);
        if (n && fabs(ring_area(ring, n) / measures[i].area - 1) > 5e-4)
            fail_msg("%s: %f", measures[i].points, ring_area(ring, n));
        cn_mark_shape_free(&shape);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_may_be_drawn),
        cmocka_unit_test(test_a_bound_of_points),
        cmocka_unit_test(test_points_come_back_as_they_were),
        cmocka_unit_test(test_what_it_measures),
        cmocka_unit_test(test_what_lies_inside),
        cmocka_unit_test(test_outlines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
