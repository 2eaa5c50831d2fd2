#include "signaling/http/route.h"

#include <string.h>

#include "base/str.h"

static const char *const method_names[CN_METHOD_COUNT] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};

const char *cn_method_name(cn_method method)
{
    return (unsigned)method < CN_METHOD_COUNT ? method_names[method] : "?";
}

/* Takes the value of the parameter that starts at *pattern ('{'); moves both on. */
static bool take_param(const char **pattern, const char **path, cn_route_match *match)
{
    const char *name = *pattern + 1, *close = strchr(name, '}');
    if (!close || match->params == CN_ROUTE_PARAMS) return false;
    bool rest = close[-1] == '*';
    size_t name_n = (size_t)(close - name) - (rest ? 1 : 0);
    const char *stop = close + 1, *end;
    if (rest) {
        end = *path + strlen(*path);
    } else {
        /* up to the literal text that follows in this segment */
        size_t literal = strcspn(stop, "/{");
        end = *path + strcspn(*path, "/");
        if (literal > 0) {
            const char *found = memmem(*path, (size_t)(end - *path), stop, literal);
            if (!found) return false;
            end = found;
        }
    }
    size_t n = (size_t)(end - *path);
    if (n == 0 || n >= CN_ROUTE_VALUE || name_n >= sizeof match->param[0].name) return false;
    memcpy(match->param[match->params].name, name, name_n);
    match->param[match->params].name[name_n] = '\0';
    memcpy(match->param[match->params].value, *path, n);
    match->param[match->params].value[n] = '\0';
    match->params++;
    *pattern = stop;
    *path = end;
    return true;
}

bool cn_route_fits(const char *pattern, const char *path, cn_route_match *match)
{
    match->params = 0;
    while (*pattern) {
        if (*pattern == '{') {
            if (!take_param(&pattern, &path, match)) return false;
        } else if (*pattern++ != *path++) {
            return false;
        }
    }
    return *path == '\0';
}

void cn_route_find(const cn_route *const *tables, cn_method method, const char *path, cn_route_match *out)
{
    cn_route_match match = {0}, found = {0};
    for (; *tables; tables++) {
        for (const cn_route *route = *tables; route->path; route++) {
            if (!cn_route_fits(route->path, path, &match)) continue;
            found.allowed |= 1u << route->method;
            if (route->method == CN_GET) found.allowed |= 1u << CN_HEAD;
            bool same = route->method == method || (method == CN_HEAD && route->method == CN_GET);
            if (!same || (found.route && found.route->method == method)) continue;
            if (found.route && route->method != method) continue;
            found.route = route;
            found.params = match.params;
            memcpy(found.param, match.param, sizeof match.param);
        }
    }
    *out = found;
}

void cn_route_allow(unsigned allowed, char *out, size_t size)
{
    size_t at = 0;
    if (size) *out = '\0';
    for (unsigned i = 0; i < CN_METHOD_COUNT; i++) {
        if (!(allowed >> i & 1u)) continue;
        if (!cn_fmt(out + at, size - at, "%s%s", at ? ", " : "", method_names[i])) return;
        at += strlen(out + at);
    }
}
