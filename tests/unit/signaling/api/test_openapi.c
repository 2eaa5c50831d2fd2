/* The description of the interface and the table of routes say the same. */
#include "cn_test.h"

#include <jansson.h>
#include <stdbool.h>
#include <string.h>

#include "signaling/http/http.h"
#include "signaling/api/openapi.h"
#include "signaling/http/route.h"

static json_t *load(void)
{
    json_error_t error;
    json_t *doc = json_loadb((const char *)cn_openapi, cn_openapi_n, JSON_REJECT_DUPLICATES, &error);
    if (!doc) fail_msg("openapi.json:%d: %s", error.line, error.text);
    return doc;
}

static void lower(const char *text, char *out)
{
    for (; *text; text++) *out++ = (char)(*text >= 'A' && *text <= 'Z' ? *text + 32 : *text);
    *out = 0;
}

static void every_route_is_described(void **state)
{
    (void)state;
    json_t *doc = load(), *paths = json_object_get(doc, "paths");
    for (const cn_route *const *table = cn_route_tables; *table; table++)
        for (const cn_route *route = *table; route->path; route++) {
            char method[16];
            lower(cn_method_name(route->method), method);
            json_t *path = json_object_get(paths, route->path);
            if (!json_object_get(path, method))
                fail_msg("docs/openapi.json lacks %s %s", cn_method_name(route->method), route->path);
        }
    json_decref(doc);
}

static bool is_route(const char *path, const char *method)
{
    for (const cn_route *const *table = cn_route_tables; *table; table++)
        for (const cn_route *route = *table; route->path; route++) {
            char name[16];
            lower(cn_method_name(route->method), name);
            if (strcmp(route->path, path) == 0 && strcmp(name, method) == 0) return true;
        }
    return false;
}

static void everything_described_is_a_route(void **state)
{
    (void)state;
    json_t *doc = load(), *methods, *what;
    const char *path, *method;
    json_object_foreach(json_object_get(doc, "paths"), path, methods)
    {
        json_object_foreach(methods, method, what)
        {
            if (strcmp(method, "parameters") != 0 && !is_route(path, method))
                fail_msg("docs/openapi.json describes %s %s, which is no route", method, path);
        }
    }
    json_decref(doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_route_is_described),
                                       cmocka_unit_test(everything_described_is_a_route)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
