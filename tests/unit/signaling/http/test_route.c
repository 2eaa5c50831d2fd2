/* Which route a path belongs to. */
#include "cn_test.h"

#include <string.h>

#include "signaling/http/route.h"

static cn_err nothing(cn_http *http)
{
    (void)http;
    return CN_OK;
}

static const cn_route table_a[] = {
    {CN_GET, "/api/v1/requests", CN_WHO_ANY, nothing, .body = CN_BODY_NONE},
    {CN_POST, "/api/v1/requests", CN_WHO_ANY, nothing, .body = CN_BODY_JSON},
    {CN_GET, "/api/v1/requests/{id}", CN_WHO_ANY, nothing, .body = CN_BODY_NONE},
    {CN_POST, "/api/v1/requests/{id}/room", CN_WHO_ANY, nothing, .body = CN_BODY_JSON},
    {CN_POST, "/api/v1/requests/{id}/{action}", CN_WHO_ANY, nothing, .body = CN_BODY_JSON},
    {.path = NULL},
};
static const cn_route table_b[] = {
    {CN_GET, "/slides/{id}.dzi", CN_WHO_ANY, nothing, .body = CN_BODY_NONE},
    {CN_GET, "/slides/{id}_files/{level}/{column}_{row}.jpeg", CN_WHO_ANY, nothing, .body = CN_BODY_NONE},
    {CN_GET, "/u/{id}", CN_WHO_ANY, nothing, .body = CN_BODY_NONE},
    {CN_HEAD, "/u/{id}", CN_WHO_ANY, nothing, .body = CN_BODY_NONE},
    {CN_GET, "/f/{rest*}", CN_WHO_ANY, nothing, .body = CN_BODY_NONE},
    {.path = NULL},
};
static const cn_route *const tables[] = {table_a, table_b, NULL};

static void finds_the_route_and_its_values(void **state)
{
    static const struct {
        cn_method method;
        const char *path;
        const cn_route *expected;
        const char *name, *value;
    } cases[] = {
        {CN_GET, "/api/v1/requests", &table_a[0], NULL, NULL},
        {CN_HEAD, "/api/v1/requests", &table_a[0], NULL, NULL},
        {CN_GET, "/api/v1/requests/", NULL, NULL, NULL},
        {CN_GET, "/api/v1/requests/A1", &table_a[2], "id", "A1"},
        {CN_GET, "/api/v1/requests/A1/", NULL, NULL, NULL},
        {CN_GET, "/api/v1/requests//room", NULL, NULL, NULL},
        {CN_POST, "/api/v1/requests/A1/room", &table_a[3], "id", "A1"},
        {CN_POST, "/api/v1/requests/A1/submit", &table_a[4], "action", "submit"},
        {CN_POST, "/api/v1/requests/A1/report/sign", NULL, NULL, NULL},
        {CN_GET, "/slides/X.dzi", &table_b[0], "id", "X"},
        {CN_GET, "/slides/.dzi", NULL, NULL, NULL},
        {CN_GET, "/slides/X.dzi.dzi", NULL, NULL, NULL},
        {CN_GET, "/slides/X_files/12/3_45.jpeg", &table_b[1], "row", "45"},
        {CN_GET, "/slides/X_files/12/3_45.png", NULL, NULL, NULL},
        {CN_GET, "/slides/X_files/12/345.jpeg", NULL, NULL, NULL},
        {CN_HEAD, "/u/1", &table_b[3], "id", "1"},
        {CN_GET, "/f/a/b/c", &table_b[4], "rest", "a/b/c"},
        {CN_GET, "/f/", NULL, NULL, NULL},
        {CN_GET, "", NULL, NULL, NULL},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        cn_route_match match;
        const char *value = NULL;
        cn_route_find(tables, cases[i].method, cases[i].path, &match);
        if (match.route != cases[i].expected) fail_msg("%s %s", cn_method_name(cases[i].method), cases[i].path);
        for (size_t k = 0; cases[i].name && k < match.params; k++)
            if (strcmp(match.param[k].name, cases[i].name) == 0) value = match.param[k].value;
        if (cases[i].name) assert_string_equal(value, cases[i].value);
    }
}

static void a_value_that_is_too_long_fits_nothing(void **state)
{
    char path[600] = "/u/";
    cn_route_match match;
    (void)state;
    memset(path + 3, 'a', CN_ROUTE_VALUE - 1);
    cn_route_find(tables, CN_GET, path, &match);
    assert_ptr_equal(match.route, &table_b[2]);
    path[3 + CN_ROUTE_VALUE - 1] = 'a';
    cn_route_find(tables, CN_GET, path, &match);
    assert_null(match.route);
}

static void says_which_methods_exist(void **state)
{
    cn_route_match match;
    char allow[64];
    (void)state;
    cn_route_find(tables, CN_DELETE, "/api/v1/requests", &match);
    assert_null(match.route);
    cn_route_allow(match.allowed, allow, sizeof allow);
    assert_string_equal(allow, "GET, HEAD, POST");
    cn_route_find(tables, CN_DELETE, "/nothing", &match);
    assert_int_equal(match.allowed, 0);
}

/* Every table of the program: paths are absolute, parameters are closed and few enough, streams have their operations.
 */
static void the_programs_tables_are_sound(void **state)
{
    (void)state;
    for (const cn_route *const *table = cn_route_tables; *table; table++)
        for (const cn_route *route = *table; route->path; route++) {
            unsigned open = 0, close = 0;
            for (const char *c = route->path; *c; c++) open += *c == '{', close += *c == '}';
            if (*route->path != '/' || open != close || open > CN_ROUTE_PARAMS || !route->handler)
                fail_msg("%s", route->path);
            if ((route->body == CN_BODY_STREAM) != (route->stream != NULL)) fail_msg("%s: stream", route->path);
            if (route->right >= CN_RIGHT_COUNT || route->right < CN_WHO_PUBLIC) fail_msg("%s: right", route->path);
            if (route->job == CN_RUN_DOOR && route->right != CN_WHO_PUBLIC)
                fail_msg("%s asks the database on the door", route->path);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_route_and_its_values),
        cmocka_unit_test(a_value_that_is_too_long_fits_nothing),
        cmocka_unit_test(says_which_methods_exist),
        cmocka_unit_test(the_programs_tables_are_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
