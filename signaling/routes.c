#include "signaling/routes.h"

const cn_route *const cn_route_tables[] = {cn_routes_session, cn_routes_health, NULL};

const cn_route *const cn_management_tables[] = {cn_routes_metrics, cn_routes_health, NULL};
