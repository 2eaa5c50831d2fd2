/* What the methods of the shared view are called with, checked like a stranger's packet; and how often a room is told. */
#include "cn_test.h"

#include <string.h>

#include "base/json.h"
#include "signaling/live/viewnews.h"
#include "signaling/live/viewparams.h"

static json_t *params_of(const char *text)
{
    cn_problem problem = {.err = CN_OK};
    json_t *params = NULL;
    if (cn_json_object(&params, text, strlen(text), &problem) != CN_OK) fail_msg("%s", text);
    return params;
}

typedef cn_err (*reader)(const json_t *params, cn_problem *problem);

static cn_err look(const json_t *params, cn_problem *problem)
{
    cn_view_look out;
    return cn_view_look_read(params, &out, problem);
}

static cn_err pointer(const json_t *params, cn_problem *problem)
{
    cn_pointer out;
    bool on;
    return cn_view_pointer_read(params, &out, &on, problem);
}

static cn_err drawing(const json_t *params, cn_problem *problem)
{
    cn_drawing out;
    return cn_view_drawing_read(params, &out, problem);
}

static void wrong_values_are_named(void **state)
{
    static const struct {
        reader read;
        const char *text, *field; /* "": nothing is wrong */
    } cases[] = {
        {look, "{\"seq\":1,\"cx\":1,\"cy\":2,\"w\":3,\"h\":4}", ""},
        {look, "{\"seq\":1,\"cx\":1,\"cy\":2,\"w\":3,\"h\":4,\"rotation\":90.5,\"mirror\":true,\"z\":7,\"page\":2}",
         ""},
        {look, "{\"cx\":1,\"cy\":2,\"w\":3,\"h\":4}", "seq"},
        {look, "{\"seq\":-1,\"cx\":1,\"cy\":2,\"w\":3,\"h\":4}", "seq"},
        {look, "{\"seq\":1,\"cx\":1e10,\"cy\":2,\"w\":3,\"h\":4}", "cx"},
        {look, "{\"seq\":1,\"cx\":1,\"cy\":\"2\",\"w\":3,\"h\":4}", "cy"},
        {look, "{\"seq\":1,\"cx\":1,\"cy\":2,\"w\":-3,\"h\":4}", "w"},
        {look, "{\"seq\":1,\"cx\":1,\"cy\":2,\"w\":3}", "h"},
        {look, "{\"seq\":1,\"cx\":1,\"cy\":2,\"w\":3,\"h\":4,\"rotation\":40000}", "rotation"},
        {look, "{\"seq\":1,\"cx\":1,\"cy\":2,\"w\":3,\"h\":4,\"mirror\":1}", "mirror"},
        {look, "{\"seq\":1,\"cx\":1,\"cy\":2,\"w\":3,\"h\":4,\"z\":-1}", "z"},
        {look, "{\"seq\":1,\"cx\":1,\"cy\":2,\"w\":3,\"h\":4,\"page\":1000000}", "page"},
        {look,
         "{\"seq\":1,\"cx\":1,\"cy\":2,\"w\":3,\"h\":4,\"beside\":{\"over\":true,\"shown\":0.5,\"panes\":[{\"file\":"
         "\"A\",\"a\":1,\"b\":0.5,\"x\":10,\"y\":-20,\"over\":true}]}}",
         ""},
        {look, "{\"seq\":1,\"cx\":1,\"cy\":2,\"w\":3,\"h\":4,\"beside\":{\"panes\":[]}}", ""},
        {look, "{\"seq\":1,\"cx\":1,\"cy\":2,\"w\":3,\"h\":4,\"beside\":[]}", "beside"},
        {look, "{\"seq\":1,\"cx\":1,\"cy\":2,\"w\":3,\"h\":4,\"beside\":{}}", "panes"},
        {look, "{\"seq\":1,\"cx\":1,\"cy\":2,\"w\":3,\"h\":4,\"beside\":{\"shown\":2,\"panes\":[]}}", "shown"},
        {look,
         "{\"seq\":1,\"cx\":1,\"cy\":2,\"w\":3,\"h\":4,\"beside\":{\"panes\":[{\"file\":\"A\",\"a\":1,\"b\":0.5,\"x\":"
         "10,\"y\":-20,\"over\":true},{\"file\":\"A\",\"a\":1,\"b\":0.5,\"x\":10,\"y\":-20,\"over\":true},{\"file\":"
         "\"A\",\"a\":1,\"b\":0.5,\"x\":10,\"y\":-20,\"over\":true},{\"file\":\"A\",\"a\":1,\"b\":0.5,\"x\":10,\"y\":-"
         "20,\"over\":true}]}}",
         "panes"},
        {look,
         "{\"seq\":1,\"cx\":1,\"cy\":2,\"w\":3,\"h\":4,\"beside\":{\"panes\":[{\"file\":\"A\",\"a\":0,\"b\":0,\"x\":0,"
         "\"y\":0}]}}",
         "a"},
        {look,
         "{\"seq\":1,\"cx\":1,\"cy\":2,\"w\":3,\"h\":4,\"beside\":{\"panes\":[{\"file\":\"A\",\"a\":1,\"b\":0,\"x\":0,"
         "\"y\":0},{\"file\":\"A\",\"a\":1,\"b\":0,\"x\":0,\"y\":0}]}}",
         "panes"},
        {look, "{\"seq\":1,\"cx\":1,\"cy\":2,\"w\":3,\"h\":4,\"beside\":{\"panes\":[1]}}", "beside"},
        {look,
         "{\"seq\":1,\"cx\":1,\"cy\":2,\"w\":3,\"h\":4,\"beside\":{\"panes\":[{\"a\":1,\"b\":0,\"x\":0,\"y\":0}]}}",
         "file"},
        {look,
         "{\"seq\":1,\"cx\":1,\"cy\":2,\"w\":3,\"h\":4,\"beside\":{\"panes\":[{\"file\":\"A\",\"a\":1e9,\"b\":0,\"x\":"
         "0,\"y\":0}]}}",
         "a"},
        {pointer, "{\"x\":1,\"y\":2,\"on\":true}", ""},
        {pointer, "{\"x\":1,\"y\":2,\"on\":true,\"laser\":true,\"page\":3}", ""},
        {pointer, "{\"x\":1,\"on\":true}", "y"},
        {pointer, "{\"x\":1,\"y\":2}", "on"},
        {pointer, "{\"x\":1,\"y\":2,\"on\":true,\"laser\":0}", "laser"},
        {drawing, "{\"stroke\":1,\"points\":[1,2]}", ""},
        {drawing, "{\"stroke\":1,\"points\":[1,2,3.5,-4],\"fades\":true,\"z\":2,\"page\":0}", ""},
        {drawing, "{\"points\":[1,2]}", "stroke"},
        {drawing, "{\"stroke\":1.5,\"points\":[1,2]}", "stroke"},
        {drawing, "{\"stroke\":1}", "points"},
        {drawing, "{\"stroke\":1,\"points\":[]}", "points"},
        {drawing, "{\"stroke\":1,\"points\":[1,2,3]}", "points"},
        {drawing, "{\"stroke\":1,\"points\":[1,\"2\"]}", "points"},
        {drawing, "{\"stroke\":1,\"points\":[[1,2],[3,4]]}", "points"},
        {drawing, "{\"stroke\":1,\"points\":[1,1e300]}", "points"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        cn_problem problem = {.err = CN_OK};
        json_t *params = params_of(cases[i].text);
        cn_err err = cases[i].read(params, &problem);
        if (err != (*cases[i].field ? CN_ERR_INVALID : CN_OK)) fail_msg("%s: %s", cases[i].text, cn_err_text(err));
        if (err != CN_OK) assert_string_equal(problem.field, cases[i].field);
        json_decref(params);
    }
}

static void a_call_draws_so_many_points(void **state)
{
    (void)state;
    for (size_t n = CN_DRAW_POINTS; n <= CN_DRAW_POINTS + 1; n++) {
        json_t *params = params_of("{\"stroke\":1}"), *points = json_array();
        for (size_t i = 0; i < 2 * n; i++) json_array_append_new(points, json_integer((json_int_t)i));
        json_object_set_new(params, "points", points);
        cn_problem problem = {.err = CN_OK};
        cn_drawing out;
        cn_err err = cn_view_drawing_read(params, &out, &problem);
        assert_int_equal(err, n == CN_DRAW_POINTS ? CN_OK : CN_ERR_INVALID);
        if (err == CN_OK) assert_int_equal(out.n, n);
        json_decref(params);
    }
}

static void what_was_read_is_what_is_told(void **state)
{
    (void)state;
    json_t *params =
        params_of("{\"seq\":5,\"cx\":1.5,\"cy\":2,\"w\":3,\"h\":4,\"rotation\":45,\"mirror\":true,\"z\":3}");
    cn_problem problem = {.err = CN_OK};
    cn_view_look read;
    assert_int_equal(cn_view_look_read(params, &read, &problem), CN_OK);
    json_t *told = cn_view_look_json(&read, "li");
    assert_true(json_number_value(json_object_get(told, "cx")) == 1.5);
    assert_true(json_number_value(json_object_get(told, "rotation")) == 45);
    assert_true(json_is_true(json_object_get(told, "mirror")));
    assert_int_equal(json_integer_value(json_object_get(told, "z")), 3);
    assert_int_equal(json_integer_value(json_object_get(told, "page")), 1);
    assert_string_equal(json_string_value(json_object_get(told, "presenter")), "li");
    json_decref(told);
    json_decref(params);
}

static void large_rooms_are_told_more_seldom(void **state)
{
    (void)state;
    assert_int_equal(cn_view_pause_ms(0), 15);
    assert_int_equal(cn_view_pause_ms(5), 15);
    assert_in_range(cn_view_pause_ms(100), 25, 30);
    assert_in_range(cn_view_pause_ms(230), 60, 67); /* fifteen a second */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_values_are_named),
        cmocka_unit_test(a_call_draws_so_many_points),
        cmocka_unit_test(what_was_read_is_what_is_told),
        cmocka_unit_test(large_rooms_are_told_more_seldom),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
