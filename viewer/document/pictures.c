#include "viewer/document/pictures.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/child.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "viewer/document/painter.h"
#include "viewer/scratch.h"

#define PATH 4096
#define MEMORY ((size_t)2 << 30)

struct cn_pictures {
    cn_tilecache *cache;
    char scratch[PATH];
};

typedef struct making {
    cn_pictures *pictures;
    const char *path, *type;
    unsigned size;
} making;

static cn_err run(const char *const argv[], const char *dir, size_t memory)
{
    const char *const write_paths[] = {dir, "/dev/null", NULL};
    const cn_child_limits limits = {.cpu_seconds = 15,
                                    .memory_bytes = memory,
                                    .file_bytes = (size_t)64 << 20,
                                    .wall_seconds = 20,
                                    .no_network = true,
                                    .write_paths = write_paths,
                                    .work_dir = dir};
    int status = -1;
    CN_TRY(cn_child_run(argv, &limits, &status));
    return status == 0 ? CN_OK : CN_ERR_CORRUPT;
}

static cn_err draw_pdf(const char *path, const char *size, const char *dir, char *out)
{
    char stem[PATH];
    if (!cn_fmt(stem, sizeof(stem), "%s/page", dir) || !cn_fmt(out, PATH, "%s.jpg", stem)) return CN_ERR_TOOBIG;
    const char *const argv[] = {"pdftoppm", "-jpeg",     "-singlefile", "-f", "1",  "-l",
                                "1",        "-scale-to", size,          path, stem, NULL};
    return run(argv, dir, MEMORY);
}

static cn_err draw_image(const char *path, const char *size, const char *dir, char *out)
{
    if (!cn_fmt(out, PATH, "%s/image.png", dir)) return CN_ERR_TOOBIG;
    const char *const argv[] = {"gdk-pixbuf-thumbnailer", "-s", size, path, out, NULL};
    return run(argv, dir, MEMORY);
}

/* gdk-pixbuf reads WebP only with a loader that Debian 12 does not install with it. */
static cn_err draw_webp(const char *path, const char *size, const char *dir, char *out)
{
    char program[PATH];
    if (!cn_fmt(out, PATH, "%s/image.png", dir)) return CN_ERR_TOOBIG;
    CN_TRY(cn_painter_path(program, sizeof(program)));
    const char *const argv[] = {program, "picture", path, out, size, NULL};
    return run(argv, dir, CN_PAINTER_MEMORY);
}

static const struct {
    const char *type;
    cn_err (*draw)(const char *path, const char *size, const char *dir, char *out);
} painters[] = {
    {"application/pdf", draw_pdf}, {"image/jpeg", draw_image}, {"image/png", draw_image},
    {"image/gif", draw_image},     {"image/bmp", draw_image},  {"image/webp", draw_webp},
};

static cn_err draw(const making *job, const char *dir, void **bytes, size_t *len)
{
    char out[PATH], real[PATH], size[16];
    if (!realpath(job->path, real)) return cn_err_from_errno(errno);
    cn_fmt(size, sizeof(size), "%u", job->size);
    for (size_t i = 0; i < sizeof(painters) / sizeof(painters[0]); i++) {
        if (strcmp(painters[i].type, job->type) != 0) continue;
        char *text = NULL;
        CN_TRY(painters[i].draw(real, size, dir, out));
        CN_TRY(cn_file_read(out, 16 << 20, &text, len));
        *bytes = text;
        return CN_OK;
    }
    return CN_ERR_UNSUPPORTED;
}

static cn_err make(void *arg, void **bytes, size_t *len)
{
    making *job = arg;
    char dir[PATH];
    CN_TRY(cn_scratch_make(job->pictures->scratch, dir, sizeof(dir)));
    cn_err err = draw(job, dir, bytes, len);
    cn_scratch_remove(dir);
    return err;
}

cn_err cn_picture_thumbnail(cn_pictures *pictures, const char *id, const char *path, const char *type, unsigned size,
                            cn_tile **out)
{
    char key[128];
    making job = {.pictures = pictures, .path = path, .type = type, .size = size};
    if (size < 16 || size > 2048 || !cn_fmt(key, sizeof(key), "%s/%u", id, size)) return CN_ERR_INVALID;
    return cn_tilecache_get(pictures->cache, key, make, &job, out);
}

cn_err cn_pictures_new(cn_pictures **out, const char *scratch, size_t cache_bytes)
{
    cn_pictures *pictures = CN_NEW(cn_pictures);
    if (!pictures) return CN_ERR_NOMEM;
    cn_err err = cn_strcpy(pictures->scratch, sizeof(pictures->scratch), scratch)
                     ? cn_tilecache_new(&pictures->cache, cache_bytes)
                     : CN_ERR_TOOBIG;
    if (err != CN_OK) {
        cn_pictures_free(pictures);
        return err;
    }
    *out = pictures;
    return CN_OK;
}

void cn_pictures_free(cn_pictures *pictures)
{
    if (!pictures) return;
    cn_tilecache_free(pictures->cache);
    free(pictures);
}
