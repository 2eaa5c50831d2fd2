/* Slides: info, Deep Zoom descriptor and tiles. The permission is checked for every tile; its answer is remembered for
 * two seconds. */
#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "consult/file/file.h"
#include "signaling/api/api.h"
#include "signaling/app.h"
#include "signaling/slide_file.h"
#include "viewer/slide/deepzoom.h"
#include "viewer/slide/slides.h"

#define GRANT_MS 2000 /* a withdrawn right stops tiles within 5 s (DESIGN §7) */
#define GRANTS 1024

/* ---- who may see which slide, for a moment ---- */

typedef struct grant {
    char user[CN_ID_TEXT], file[CN_ID_TEXT];
    uint64_t until_ms;
    char path[512], etag[65];
} grant;

static grant grants[GRANTS];
static pthread_mutex_t grants_lock = PTHREAD_MUTEX_INITIALIZER;

static size_t grant_place(const char *user, const char *file)
{
    uint64_t h = 14695981039346656037u;
    for (const char *s = user; *s; s++) h = (h ^ (unsigned char)*s) * 1099511628211u;
    for (const char *s = file; *s; s++) h = (h ^ (unsigned char)*s) * 1099511628211u;
    return h % GRANTS;
}

static bool grant_find(const cn_actor *a, const char *file, grant *out)
{
    grant *g = &grants[grant_place(a->user, file)];
    pthread_mutex_lock(&grants_lock);
    bool found = g->until_ms > cn_mono_ms() && strcmp(g->user, a->user) == 0 && strcmp(g->file, file) == 0;
    if (found) *out = *g;
    pthread_mutex_unlock(&grants_lock);
    return found;
}

static void grant_keep(const cn_actor *a, grant *g)
{
    cn_strcpy(g->user, sizeof(g->user), a->user);
    g->until_ms = cn_mono_ms() + GRANT_MS;
    pthread_mutex_lock(&grants_lock);
    grants[grant_place(g->user, g->file)] = *g;
    pthread_mutex_unlock(&grants_lock);
}

cn_err cn_slide_file_path(cn_consult *c, const cn_file_info *f, char *out, size_t size)
{
    /* the folder's only file; the name keeps its ending, which some readers go by */
    const char *dot = strrchr(f->name, '.');
    char name[40];
    cn_fmt(name, sizeof(name), "slide%.16s", dot ? dot : "");
    return cn_files_link_named(c->files, f->id, name, f->sha256, out, size);
}

static cn_err permit(cn_http *h, const char *action, grant *out)
{
    cn_consult *c = cn_app_consult(cn_http_app(h));
    const cn_actor *a = cn_http_actor(h);
    const char *id = cn_http_param(h, "id");
    cn_file_info f;
    if (!action && grant_find(a, id, out)) return CN_OK;
    CN_TRY(cn_file_get(c, a, id, action, &f));
    if (strcmp(f.kind, "slide") != 0)
        return cn_problem_set(cn_http_problem(h), CN_ERR_NOTFOUND, "id", "this file is not a slide");
    *out = (grant){.until_ms = 0};
    cn_strcpy(out->file, sizeof(out->file), f.id);
    cn_strcpy(out->etag, sizeof(out->etag), f.sha256);
    CN_TRY(cn_slide_file_path(c, &f, out->path, sizeof(out->path)));
    grant_keep(a, out);
    return CN_OK;
}

/* ---- calls ---- */

static cn_err load_info(cn_http *h, grant *g, cn_decode_info *info)
{
    CN_TRY(permit(h, "slide.open", g));
    cn_err err = cn_slide_info(cn_app_slides(cn_http_app(h)), g->file, g->path, info);
    if (err == CN_ERR_UNSUPPORTED || err == CN_ERR_CORRUPT)
        cn_problem_set(cn_http_problem(h), err, "", "this slide cannot be read: %s",
                       err == CN_ERR_CORRUPT ? "the file is damaged" : "its format is not known");
    return err;
}

static cn_err info(cn_http *h)
{
    grant g;
    cn_decode_info d;
    CN_TRY(load_info(h, &g, &d));
    json_t *levels = json_array();
    for (uint32_t i = 0; i < d.levels; i++)
        json_array_append_new(levels, json_pack("{s:I, s:I, s:f}", "width", (json_int_t)d.level_width[i], "height",
                                                (json_int_t)d.level_height[i], "downsample", d.level_downsample[i]));
    return cn_http_json(h, 200,
                        json_pack("{s:s, s:I, s:I, s:f, s:f, s:f, s:s, s:o, s:i, s:i, s:i}", "id", g.file, "width",
                                  (json_int_t)d.width, "height", (json_int_t)d.height, "mpp_x", d.mpp_x, "mpp_y",
                                  d.mpp_y, "objective", d.objective, "vendor", d.vendor, "levels", levels, "tile_size",
                                  CN_DZ_TILE, "overlap", CN_DZ_OVERLAP, "dz_levels",
                                  (int)cn_dz_levels(d.width, d.height)));
}

static cn_err descriptor(cn_http *h)
{
    grant g;
    cn_decode_info d;
    char xml[400];
    CN_TRY(load_info(h, &g, &d));
    cn_fmt(xml, sizeof(xml),
           "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Image xmlns=\"http://schemas.microsoft.com/deepzoom/2008\" "
           "Format=\"jpeg\" Overlap=\"%d\" "
           "TileSize=\"%d\"><Size Width=\"%lld\" Height=\"%lld\"/></Image>\n",
           CN_DZ_OVERLAP, CN_DZ_TILE, (long long)d.width, (long long)d.height);
    return cn_http_text(h, 200, "application/xml", xml, strlen(xml));
}

static void release_tile(void *tile)
{
    cn_unref(tile);
}

static cn_err tile(cn_http *h)
{
    grant g;
    cn_tile *t = NULL;
    int64_t level = 0, column = 0, row = 0;
    if (!cn_parse_i64(cn_http_param(h, "level"), 0, 40, &level) ||
        !cn_parse_i64(cn_http_param(h, "column"), 0, 1 << 24, &column) ||
        !cn_parse_i64(cn_http_param(h, "row"), 0, 1 << 24, &row))
        return CN_ERR_NOTFOUND;
    CN_TRY(permit(h, NULL, &g));
    /* kept by the browser, asked for again each time: the right may be gone */
    cn_http_set(h, "Cache-Control", "private, no-cache");
    if (cn_http_not_modified(h, g.etag)) return CN_OK;
    CN_TRY(cn_slide_tile(cn_app_slides(cn_http_app(h)), g.file, g.path, (unsigned)level, column, row, &t));
    return cn_http_bytes(h, 200, "image/jpeg", t->bytes, t->n, release_tile, t);
}

const cn_route cn_slide_routes[] = {
    {CN_GET, "/slides/{id}/info.json", CN_WHO_ANY, info, .body = CN_BODY_NONE, .job = CN_RUN_TILE},
    {CN_GET, "/slides/{id}.dzi", CN_WHO_ANY, descriptor, .body = CN_BODY_NONE, .job = CN_RUN_TILE},
    {CN_GET, "/slides/{id}_files/{level}/{column}_{row}.jpeg", CN_WHO_ANY, tile, .body = CN_BODY_NONE,
     .job = CN_RUN_TILE, .flags = CN_ROUTE_CACHE},
    {.path = NULL},
};
