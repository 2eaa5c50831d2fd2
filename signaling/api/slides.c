/* Slides: info, Deep Zoom descriptor and tiles. The permission is checked for every tile; its answer is remembered for
 * two seconds. */
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "consult/file/calibration.h"
#include "consult/file/file.h"
#include "signaling/api/api.h"
#include "signaling/api/grants.h"
#include "signaling/api/slides.h"
#include "signaling/app.h"
#include "signaling/http/range.h"
#include "signaling/slide_file.h"
#include "signaling/slide_parts.h"
#include "viewer/slide/deepzoom.h"
#include "viewer/slide/slides.h"

#define VERSION 48 /* bytes of text */
#define ENCODING 1 /* how tiles are encoded and put together here; another number when that changes */

cn_err cn_slide_place(cn_http *http, const cn_file_info *info, char *out, size_t size)
{
    cn_app *app = cn_http_app(http);
    cn_err err = cn_slide_file_path(cn_app_consult(app), info, out, size);
    if (err != CN_ERR_NOTFOUND || !cn_slide_is_packed(info)) return err;
    if (strcmp(info->state, "failed") == 0) return CN_ERR_CORRUPT;
    /* not unpacked yet, or not any more, as after a backup was read back */
    CN_TRY(cn_file_unpack(cn_app_consult(app), info->id));
    cn_app_convert_soon(app);
    return cn_problem_set(cn_http_problem(http), CN_ERR_AGAIN, "state", "this slide is being unpacked");
}

static cn_err permit_of(cn_http *http, const char *id, const char *action, cn_grant *out)
{
    cn_consult *consult = cn_app_consult(cn_http_app(http));
    const cn_actor *actor = cn_http_actor(http);
    cn_file_info info;
    if (!action && cn_grant_find(actor, id, out)) return CN_OK;
    CN_TRY(cn_file_get(consult, actor, id, action, &info));
    if (strcmp(info.kind, "slide") != 0)
        return cn_problem_set(cn_http_problem(http), CN_ERR_NOTFOUND, "id", "this file is not a slide");
    *out = (cn_grant){.until_ms = 0};
    cn_strcpy(out->file, sizeof(out->file), info.id);
    cn_strcpy(out->etag, sizeof(out->etag), info.sha256);
    CN_TRY(cn_slide_place(http, &info, out->path, sizeof(out->path)));
    cn_grant_keep(actor, out);
    return CN_OK;
}

cn_err cn_slide_permit(cn_http *http, const char *action, cn_grant *out)
{
    return permit_of(http, cn_http_param(http, "id"), action, out);
}

/* ---- calls ---- */

/* A slide from before levels were made, or whose levels were not in the backup. */
static void want_levels(cn_http *http, const char *id)
{
    cn_app *app = cn_http_app(http);
    bool changed = false;
    if (cn_file_prepare(cn_app_consult(app), id, &changed) == CN_OK && changed) cn_app_convert_soon(app);
}

/* A picture whose pyramid is being made, or was not in the backup. */
static cn_err want_pyramid(cn_http *http, const char *id, cn_err err)
{
    cn_file_info info;
    cn_app *app = cn_http_app(http);
    bool changed = false;
    CN_TRY(cn_file_get(cn_app_consult(app), cn_http_actor(http), id, NULL, &info));
    bool lost = strcmp(info.state, "ready") == 0 && cn_file_tile(cn_app_consult(app), id, &changed) == CN_OK && changed;
    if (lost) cn_app_convert_soon(app);
    if (!lost && strcmp(info.state, "tiling") != 0 && strcmp(info.state, "converting") != 0) return err;
    return cn_problem_set(cn_http_problem(http), CN_ERR_AGAIN, "state", "this picture is being prepared");
}

cn_err cn_slide_load(cn_http *http, const char *action, cn_grant *ticket, cn_decode_info *info)
{
    return cn_slide_load_file(http, cn_http_param(http, "id"), action, ticket, info);
}

cn_err cn_slide_load_file(cn_http *http, const char *id, const char *action, cn_grant *ticket, cn_decode_info *info)
{
    CN_TRY(permit_of(http, id, action, ticket));
    cn_err err = cn_slide_info(cn_app_slides(cn_http_app(http)), ticket->file, ticket->path, info);
    if (err == CN_OK && info->lacks_levels) want_levels(http, ticket->file);
    if (err == CN_ERR_UNSUPPORTED) err = want_pyramid(http, ticket->file, err);
    if (err == CN_ERR_UNSUPPORTED || err == CN_ERR_CORRUPT)
        cn_problem_set(cn_http_problem(http), err, "", "this slide cannot be read: %s",
                       err == CN_ERR_CORRUPT ? "the file is damaged" : "its format is not known");
    return err;
}

/* Changes whenever a tile's bytes or its place may: with the file, with levels that were made, and with ENCODING. */
static void version_of(const cn_grant *ticket, const cn_decode_info *info, char out[VERSION])
{
    cn_fmt(out, VERSION, "%.16s-%d-%u", ticket->etag, ENCODING, info->levels);
}

static json_t *levels_json(const cn_decode_info *info)
{
    json_t *levels = json_array();
    for (uint32_t i = 0; i < info->levels; i++) {
        int64_t columns, rows;
        cn_slide_grid(info, i, &columns, &rows);
        json_array_append_new(
            levels,
            json_pack("{s:I, s:I, s:f, s:I, s:I, s:I, s:I, s:b}", "width", (json_int_t)info->level_width[i], "height",
                      (json_int_t)info->level_height[i], "downsample", info->level_downsample[i], "tile_width",
                      (json_int_t)info->tile_width[i], "tile_height", (json_int_t)info->tile_height[i], "columns",
                      (json_int_t)columns, "rows", (json_int_t)rows, "native", (int)(info->native[i] != CN_NATIVE_NO)));
    }
    return levels;
}

/* Only where there is something to choose from. */
static void add_planes(json_t *answer, const cn_decode_info *info)
{
    if (info->z_planes)
        json_object_set_new(answer, "z",
                            json_pack("{s:I, s:I, s:f}", "planes", (json_int_t)info->z_planes, "first",
                                      (json_int_t)info->z_first, "spacing_um", info->z_spacing));
    if (!info->channels) return;
    json_t *channels = json_array();
    for (uint32_t i = 0; i < info->channels; i++) {
        char color[8];
        cn_fmt(color, sizeof(color), "#%06x", info->channel[i].colour);
        json_array_append_new(channels, json_pack("{s:s, s:s}", "name", info->channel[i].name, "color", color));
    }
    json_object_set_new(answer, "channels", channels);
}

/* What the slide's colour profile is good for; NULL without one. */
static json_t *colour_json(const cn_grant *ticket, const cn_decode_info *info, const char *version)
{
    char url[200];
    if (!info->icc_bytes) return NULL;
    if (!info->icc_usable) return json_pack("{s:b}", "unreadable", 1);
    if (!cn_fmt(url, sizeof(url), "/slides/%s/colour?v=%s", ticket->file, version)) return NULL;
    return json_pack("{s:i, s:s}", "size", CN_DECODE_COLOUR_SIDE, "url", url);
}

static cn_err info(cn_http *http)
{
    cn_grant ticket;
    cn_decode_info info;
    char version[VERSION], background[8];
    CN_TRY(cn_slide_load(http, "slide.open", &ticket, &info));
    version_of(&ticket, &info, version);
    cn_fmt(background, sizeof(background), "#%06x", info.background);
    json_t *answer =
        json_pack("{s:s, s:I, s:I, s:f, s:f, s:f, s:s, s:s, s:o, s:i, s:i, s:i, s:s}", "id", ticket.file, "width",
                  (json_int_t)info.width, "height", (json_int_t)info.height, "mpp_x", info.mpp_x, "mpp_y", info.mpp_y,
                  "objective", info.objective, "vendor", info.vendor, "background", background, "levels",
                  levels_json(&info), "tile_size", CN_DZ_TILE, "overlap", CN_DZ_OVERLAP, "dz_levels",
                  (int)cn_dz_levels(info.width, info.height), "version", version);
    add_planes(answer, &info);
    bool sees = cn_actor_may(cn_http_actor(http), CN_RIGHT_SLIDE_LABEL);
    json_object_set_new(answer, "label", json_boolean(sees && info.label));
    json_object_set_new(answer, "macro", json_boolean(sees && info.macro));
    json_t *colour = colour_json(&ticket, &info, version);
    if (colour) json_object_set_new(answer, "colour", colour);
    return cn_http_json(http, 200, answer);
}

static cn_err descriptor(cn_http *http)
{
    cn_grant ticket;
    cn_decode_info info;
    char xml[400];
    CN_TRY(cn_slide_load(http, "slide.open", &ticket, &info));
    cn_fmt(xml, sizeof(xml),
           "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Image xmlns=\"http://schemas.microsoft.com/deepzoom/2008\" "
           "Format=\"jpeg\" Overlap=\"%d\" "
           "TileSize=\"%d\"><Size Width=\"%lld\" Height=\"%lld\"/></Image>\n",
           CN_DZ_OVERLAP, CN_DZ_TILE, (long long)info.width, (long long)info.height);
    return cn_http_text(http, 200, "application/xml", xml, strlen(xml));
}

cn_err cn_slide_refusal(cn_http *http, const char *id, cn_err err)
{
    cn_file_info info;
    if (err == CN_ERR_UNSUPPORTED) return want_pyramid(http, id, err);
    if (err != CN_ERR_TOOBIG) return err;
    CN_TRY(cn_file_get(cn_app_consult(cn_http_app(http)), cn_http_actor(http), id, NULL, &info));
    if (strcmp(info.state, "preparing") != 0) return err;
    return cn_problem_set(cn_http_problem(http), CN_ERR_AGAIN, "state", "the overview of this slide is being made");
}

static void release_tile(void *tile)
{
    cn_unref(tile);
}

typedef struct grid_place {
    int64_t level, column, row;
    int64_t z, channel; /* as in cn_decode_ask */
} grid_place;

static cn_err plane_asked(cn_http *http, grid_place *out)
{
    CN_TRY(cn_http_query_i64(http, "z", 0, CN_DECODE_PLANES - 1, -1, &out->z));
    CN_TRY(cn_http_query_i64(http, "c", 0, CN_DECODE_CHANNELS - 1, -1, &out->channel));
    out->z++;
    out->channel++;
    return CN_OK;
}

/* Deep Zoom's. */
static cn_err zoom_tile(cn_slides *slides, const cn_grant *ticket, const grid_place *at, cn_tile **out)
{
    cn_shelved *slide = NULL;
    unsigned level = (unsigned)at->level;
    if (!at->z && !at->channel)
        return cn_slide_tile(slides, ticket->file, ticket->path, level, at->column, at->row, out);
    CN_TRY(cn_slide_open(slides, ticket->file, ticket->path, &slide));
    cn_err err =
        cn_slide_plane_zoom(slides, slide, level, at->column, at->row, (uint32_t)at->z, (uint32_t)at->channel, out);
    cn_unref(slide);
    return err;
}

static cn_err tile(cn_http *http)
{
    cn_grant ticket;
    cn_tile *part = NULL;
    grid_place at = {.z = 0};
    if (!cn_parse_i64(cn_http_param(http, "level"), 0, 40, &at.level) ||
        !cn_parse_i64(cn_http_param(http, "column"), 0, 1 << 24, &at.column) ||
        !cn_parse_i64(cn_http_param(http, "row"), 0, 1 << 24, &at.row))
        return CN_ERR_NOTFOUND;
    CN_TRY(plane_asked(http, &at));
    CN_TRY(cn_slide_permit(http, NULL, &ticket));
    /* kept by the browser, asked for again each time: the right may be gone */
    cn_http_set(http, "Cache-Control", "private, no-cache");
    if (cn_http_not_modified(http, ticket.etag)) return CN_OK;
    cn_err err = zoom_tile(cn_app_slides(cn_http_app(http)), &ticket, &at, &part);
    if (err != CN_OK) return cn_slide_refusal(http, ticket.file, err);
    return cn_http_bytes(http, 200, "image/jpeg", part->bytes, part->n, release_tile, part);
}

static bool place_asked(const cn_http *http, grid_place *out)
{
    return cn_parse_i64(cn_http_param(http, "level"), 0, CN_DECODE_LEVELS - 1, &out->level) &&
           cn_parse_i64(cn_http_param(http, "column"), 0, 1 << 24, &out->column) &&
           cn_parse_i64(cn_http_param(http, "row"), 0, 1 << 24, &out->row);
}

static cn_err tile_at(cn_slides *slides, cn_shelved *slide, const grid_place *at, bool wait, cn_tile **out)
{
    uint32_t level = (uint32_t)at->level;
    if (!at->z && !at->channel) return cn_slide_grid_tile(slides, slide, level, at->column, at->row, wait, out);
    if (!wait) return CN_ERR_AGAIN;
    return cn_slide_plane_tile(slides, slide, level, at->column, at->row, (uint32_t)at->z, (uint32_t)at->channel, out);
}

/* What an address with a version names never changes; without one it is asked for again each time. */
static const char *kept_as(const cn_http *http, const char *version)
{
    const char *named = cn_http_query(http, "v");
    return named && strcmp(named, version) == 0 ? "private, max-age=31536000, immutable" : "private, no-cache";
}

static cn_err answer_grid(cn_http *http, const cn_grant *ticket, cn_shelved *slide, const grid_place *at, bool wait)
{
    char version[VERSION];
    cn_tile *part = NULL;
    version_of(ticket, &slide->info, version);
    if (!cn_etag_listed(cn_http_header(http, "if-none-match"), version))
        CN_TRY(tile_at(cn_app_slides(cn_http_app(http)), slide, at, wait, &part));
    cn_http_set(http, "Cache-Control", kept_as(http, version));
    if (cn_http_not_modified(http, version)) return CN_OK;
    return cn_http_bytes(http, 200, "image/jpeg", part->bytes, part->n, release_tile, part);
}

static cn_err grid_tile(cn_http *http)
{
    cn_grant ticket;
    grid_place at;
    cn_shelved *slide = NULL;
    if (!place_asked(http, &at)) return CN_ERR_NOTFOUND;
    CN_TRY(plane_asked(http, &at));
    CN_TRY(cn_slide_permit(http, NULL, &ticket));
    CN_TRY(cn_slide_open(cn_app_slides(cn_http_app(http)), ticket.file, ticket.path, &slide));
    cn_err err = answer_grid(http, &ticket, slide, &at, true);
    cn_unref(slide);
    return err == CN_OK ? CN_OK : cn_slide_refusal(http, ticket.file, err);
}

/* On the door's thread: whoever was permitted a moment ago, a tile that is in the page cache. */
static bool grid_tile_quick(cn_http *http)
{
    cn_grant ticket;
    grid_place at = {.z = 0};
    cn_shelved *slide = NULL;
    if (cn_http_query(http, "z") || cn_http_query(http, "c")) return false; /* those are never at hand */
    if (!place_asked(http, &at) || !cn_grant_find(cn_http_actor(http), cn_http_param(http, "id"), &ticket))
        return false;
    if (cn_slide_open(cn_app_slides(cn_http_app(http)), ticket.file, NULL, &slide) != CN_OK) return false;
    cn_err err = answer_grid(http, &ticket, slide, &at, false);
    cn_unref(slide);
    return err == CN_OK;
}

/* A patient's name may stand on it: only for who may see such, each look is written down, and nothing of it stays in the
 * browser. */
static cn_err associated(cn_http *http, uint32_t which)
{
    cn_grant ticket;
    cn_tile *picture = NULL;
    if (!cn_actor_may(cn_http_actor(http), CN_RIGHT_SLIDE_LABEL))
        return cn_problem_set(cn_http_problem(http), CN_ERR_FORBIDDEN, "", "labels of slides are not yours to see");
    CN_TRY(cn_slide_permit(http, "slide.label", &ticket));
    CN_TRY(cn_slide_associated(cn_app_slides(cn_http_app(http)), ticket.file, ticket.path, which, &picture));
    cn_http_set(http, "Cache-Control", "no-store");
    return cn_http_bytes(http, 200, "image/jpeg", picture->bytes, picture->n, release_tile, picture);
}

static cn_err label(cn_http *http)
{
    return associated(http, CN_DECODE_LABEL);
}

static cn_err macro(cn_http *http)
{
    return associated(http, CN_DECODE_MACRO);
}

/* ---- how large its pixels are, as somebody measured it ---- */

static cn_err calibration(cn_http *http)
{
    json_t *out = NULL;
    CN_TRY(cn_calibration_get(cn_app_consult(cn_http_app(http)), cn_http_actor(http), cn_http_param(http, "id"), &out));
    return cn_http_json(http, 200, json_pack("{s:o}", "calibration", out));
}

static cn_err calibrate(cn_http *http)
{
    json_t *out = NULL;
    CN_TRY(cn_calibration_set(cn_app_consult(cn_http_app(http)), cn_http_actor(http), cn_http_param(http, "id"),
                              cn_http_body_json(http), &out, cn_http_problem(http)));
    return cn_http_json(http, 200, json_pack("{s:o}", "calibration", out));
}

static cn_err uncalibrate(cn_http *http)
{
    CN_TRY(cn_calibration_remove(cn_app_consult(cn_http_app(http)), cn_http_actor(http), cn_http_param(http, "id"),
                                 cn_http_problem(http)));
    return cn_http_empty(http, 204);
}

static cn_err answer_colour(cn_http *http, const cn_grant *ticket, const cn_decode_info *info)
{
    char version[VERSION];
    cn_tile *table = NULL;
    cn_err err = info->icc_usable ? CN_OK : CN_ERR_NOTFOUND;
    version_of(ticket, info, version);
    if (err == CN_OK && !cn_etag_listed(cn_http_header(http, "if-none-match"), version))
        err = cn_slide_colour(cn_app_slides(cn_http_app(http)), ticket->file, ticket->path, &table);
    if (err == CN_ERR_NOTFOUND)
        return cn_problem_set(cn_http_problem(http), err, "id", "this slide has no colour profile that can be used");
    if (err == CN_ERR_UNSUPPORTED || err == CN_ERR_CRASHED)
        return cn_problem_set(cn_http_problem(http), CN_ERR_UNSUPPORTED, "id",
                              "the colour profile of this slide cannot be read");
    if (err != CN_OK) return err;
    cn_http_set(http, "Cache-Control", kept_as(http, version));
    if (cn_http_not_modified(http, version)) return CN_OK;
    return cn_http_bytes(http, 200, "application/octet-stream", table->bytes, table->n, release_tile, table);
}

static cn_err colour(cn_http *http)
{
    cn_grant ticket;
    cn_shelved *slide = NULL;
    CN_TRY(cn_slide_permit(http, NULL, &ticket));
    CN_TRY(cn_slide_open(cn_app_slides(cn_http_app(http)), ticket.file, ticket.path, &slide));
    cn_err err = answer_colour(http, &ticket, &slide->info);
    cn_unref(slide);
    return err;
}

const cn_route cn_slide_routes[] = {
    {CN_GET, "/slides/{id}/info.json", CN_WHO_ANY, info, .body = CN_BODY_NONE, .job = CN_RUN_TILE},
    {CN_GET, "/slides/{id}.dzi", CN_WHO_ANY, descriptor, .body = CN_BODY_NONE, .job = CN_RUN_TILE},
    {CN_GET, "/slides/{id}_files/{level}/{column}_{row}.jpeg", CN_WHO_ANY, tile, .body = CN_BODY_NONE,
     .job = CN_RUN_TILE, .flags = CN_ROUTE_CACHE},
    {CN_GET, "/slides/{id}/colour", CN_WHO_ANY, colour, .body = CN_BODY_NONE, .job = CN_RUN_TILE,
     .flags = CN_ROUTE_CACHE},
    {CN_GET, "/slides/{id}/tiles/{level}/{column}_{row}.jpeg", CN_WHO_ANY, grid_tile, .body = CN_BODY_NONE,
     .job = CN_RUN_TILE, .flags = CN_ROUTE_CACHE, .quick = grid_tile_quick},
    {CN_GET, "/slides/{id}/label", CN_WHO_ANY, label, .body = CN_BODY_NONE, .job = CN_RUN_TILE},
    {CN_GET, "/slides/{id}/macro", CN_WHO_ANY, macro, .body = CN_BODY_NONE, .job = CN_RUN_TILE},
    {CN_GET, "/slides/{id}/calibration", CN_WHO_ANY, calibration, .body = CN_BODY_NONE},
    {CN_PUT, "/slides/{id}/calibration", CN_WHO_ANY, calibrate, .body = CN_BODY_JSON},
    {CN_DELETE, "/slides/{id}/calibration", CN_WHO_ANY, uncalibrate, .body = CN_BODY_NONE},
    {.path = NULL},
};
