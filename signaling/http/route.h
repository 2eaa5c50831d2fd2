/* Matching a path with the tables of routes. Pure. */
#ifndef CN_SIGNALING_ROUTE_H
#define CN_SIGNALING_ROUTE_H

#include "signaling/http/http.h"

#define CN_ROUTE_PARAMS 6
#define CN_ROUTE_VALUE 256

typedef struct cn_route_match {
    const cn_route *route; /* NULL: no route, or none for this method */
    unsigned allowed;      /* bits 1 << cn_method that exist for the path; 0: the path is unknown */
    size_t params;
    struct {
        char name[24];
        char value[CN_ROUTE_VALUE];
    } param[CN_ROUTE_PARAMS];
} cn_route_match;

/** True when `path` fits `pattern`; fills the parameters. A value is never empty and never holds '/', except that of
 * "{rest*}". */
bool cn_route_fits(const char *pattern, const char *path, cn_route_match *match);

/** First route that fits. HEAD falls back to GET. */
void cn_route_find(const cn_route *const *tables, cn_method method, const char *path, cn_route_match *out);

/** "GET, HEAD, POST" from the bits of `allowed`. */
void cn_route_allow(unsigned allowed, char *out, size_t size);

const char *cn_method_name(cn_method method);

#endif
