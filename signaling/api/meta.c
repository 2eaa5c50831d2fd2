/* The description of this interface (OpenAPI 3.1), embedded at build time from docs/openapi.json. */
#include "signaling/api/api.h"
#include "signaling/api/openapi.h"

static cn_err openapi(cn_http *http)
{
    return cn_http_text(http, 200, "application/json", cn_openapi, cn_openapi_n);
}

const cn_route cn_meta_routes[] = {
    {CN_GET, "/api/v1/openapi.json", CN_WHO_PUBLIC, openapi, .body = CN_BODY_NONE, .job = CN_RUN_DOOR},
    {.path = NULL},
};
