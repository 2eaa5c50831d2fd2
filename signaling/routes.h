/* The tables of routes: one per subject, listed in routes.c. */
#ifndef CN_SIGNALING_ROUTES_H
#define CN_SIGNALING_ROUTES_H

#include "signaling/http.h"

/** Ends a table. */
#define CN_ROUTES_END {.path = NULL}

extern const cn_route cn_routes_session[]; /* api_session.c: login, password, directory */
extern const cn_route cn_routes_health[];  /* api_health.c: healthz, readyz */
extern const cn_route cn_routes_metrics[]; /* api_health.c: the management listener's */

extern const cn_route *const cn_management_tables[];

#endif
