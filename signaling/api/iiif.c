/* Slides for other viewers: IIIF Image API 3.0, level 2 (https://iiif.io/api/image/3.0/). The permission is the request's, as for tiles. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "signaling/api/api.h"
#include "signaling/api/slides.h"
#include "signaling/app.h"
#include "viewer/slide/iiif.h"
#include "viewer/slide/slides.h"

#define CONTEXT "http://iiif.io/api/image/3/context.json"
#define LEVEL "http://iiif.io/api/image/3/level2.json"
#define TILE 512
#define URI 512

static void base_uri(const cn_http *http, const char *id, char out[URI])
{
    const char *host = cn_http_header(http, "host");
    cn_fmt(out, URI, "%s://%s/iiif/3/%s", cn_http_secure(http) ? "https" : "http", host ? host : "localhost", id);
}

/* 9: the identifier alone leads to the information. */
static cn_err base(cn_http *http)
{
    char uri[URI];
    cn_grant ticket;
    CN_TRY(cn_slide_permit(http, NULL, &ticket));
    base_uri(http, ticket.file, uri);
    cn_http_setf(http, "Location", "%s/info.json", uri);
    return cn_http_empty(http, 303);
}

/* ---- 5 what there is ---- */

/* Whole pictures that are quick to make: the slide's own levels. */
static json_t *sizes_of(const cn_decode_info *info)
{
    json_t *sizes = json_array();
    for (uint32_t i = info->levels; i-- > 0;) {
        uint32_t width = 0, height = 0;
        cn_iiif_most(info->level_width[i], info->level_height[i], &width, &height);
        if (width == info->level_width[i] && height == info->level_height[i])
            json_array_append_new(sizes, json_pack("{s:i, s:i}", "width", (int)width, "height", (int)height));
    }
    return sizes;
}

static json_t *tiles_of(const cn_decode_info *info)
{
    json_t *factors = json_array();
    int64_t side = info->width > info->height ? info->width : info->height;
    for (int64_t factor = 1;; factor *= 2) {
        json_array_append_new(factors, json_integer(factor));
        if (factor * TILE >= side) break;
    }
    return json_pack("[{s:i, s:i, s:o}]", "width", TILE, "height", TILE, "scaleFactors", factors);
}

static bool wants_linked_data(const cn_http *http)
{
    const char *accept = cn_http_header(http, "accept");
    return accept && strstr(accept, "application/ld+json");
}

static cn_err describe(cn_http *http)
{
    char uri[URI];
    cn_grant ticket;
    cn_decode_info slide;
    CN_TRY(cn_slide_load(http, "slide.open", &ticket, &slide));
    base_uri(http, ticket.file, uri);
    json_t *json = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:i, s:I, s:o, s:o, s:[s,s], s:[s,s,s], s:[s,s,s,s,s,s]}", "@context",
        CONTEXT, "id", uri, "type", "ImageService3", "protocol", "http://iiif.io/api/image", "profile", "level2",
        "width", (json_int_t)slide.width, "height", (json_int_t)slide.height, "maxWidth", CN_IIIF_SIDE, "maxArea",
        (json_int_t)CN_IIIF_AREA, "sizes", sizes_of(&slide), "tiles", tiles_of(&slide), "preferredFormats", "jpg",
        "png", "extraQualities", "color", "gray", "bitonal", "extraFeatures", "baseUriRedirect", "canonicalLinkHeader",
        "cors", "jsonldMediaType", "mirroring", "profileLinkHeader");
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
    json_decref(json);
    if (!text) return CN_ERR_NOMEM;
    cn_http_set(http, "Link", "<" LEVEL ">;rel=\"profile\"");
    cn_http_set(http, "Vary", "Accept");
    cn_err err = cn_http_text(
        http, 200, wants_linked_data(http) ? "application/ld+json;profile=\"" CONTEXT "\"" : "application/json", text,
        strlen(text));
    free(text);
    return err;
}

/* ---- 4 pictures ---- */

static void release_picture(void *picture)
{
    cn_unref(picture);
}

static cn_err picture(cn_http *http)
{
    char uri[URI], canonical[CN_IIIF_CANONICAL];
    const char *wrong = "";
    cn_grant ticket;
    cn_decode_info slide;
    cn_iiif_ask ask;
    cn_tile *made = NULL;
    CN_TRY(cn_slide_load(http, NULL, &ticket, &slide));
    const cn_iiif_texts texts = {.region = cn_http_param(http, "region"),
                                 .size = cn_http_param(http, "size"),
                                 .rotation = cn_http_param(http, "rotation"),
                                 .quality = cn_http_param(http, "quality"),
                                 .format = cn_http_param(http, "format")};
    cn_err err = cn_iiif_parse(&texts, slide.width, slide.height, &ask, &wrong);
    if (err != CN_OK)
        return cn_problem_set(cn_http_problem(http), err, wrong, "this %s is not one that is answered", wrong);
    base_uri(http, ticket.file, uri);
    cn_iiif_canonical(&ask, slide.width, slide.height, canonical);
    cn_http_setf(http, "Link", "<%s/%s>;rel=\"canonical\", <" LEVEL ">;rel=\"profile\"", uri, canonical);
    cn_http_set(http, "Cache-Control", "private, no-cache");
    if (cn_http_not_modified(http, ticket.etag)) return CN_OK;
    err = cn_slide_cut(cn_app_slides(cn_http_app(http)), ticket.file, ticket.path, &ask, &made);
    if (err != CN_OK) return cn_slide_refusal(http, ticket.file, err);
    return cn_http_bytes(http, 200, ask.format == CN_IIIF_PNG ? "image/png" : "image/jpeg", made->bytes, made->n,
                         release_picture, made);
}

const cn_route cn_iiif_routes[] = {
    {CN_GET, "/iiif/3/{id}", CN_WHO_ANY, base, .body = CN_BODY_NONE, .flags = CN_ROUTE_CORS},
    {CN_GET, "/iiif/3/{id}/info.json", CN_WHO_ANY, describe, .body = CN_BODY_NONE, .job = CN_RUN_TILE,
     .flags = CN_ROUTE_CORS},
    {CN_GET, "/iiif/3/{id}/{region}/{size}/{rotation}/{quality}.{format}", CN_WHO_ANY, picture, .body = CN_BODY_NONE,
     .job = CN_RUN_TILE, .flags = CN_ROUTE_CACHE | CN_ROUTE_CORS},
    {.path = NULL},
};
