#include "viewer/document/pictures.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/str.h"
#include "viewer/decode_proto.h"
#include "viewer/document/painter.h"
#include "viewer/scratch.h"

#define PATH 4096
#define MEMORY ((size_t)2 << 30)
#define PICTURE_MAX ((size_t)16 << 20)

#define FAILED 128
#define FAILED_MS (10 * 60 * 1000)

typedef struct failure {
    uint64_t what; /* of path and type */
    uint64_t until_ms;
    cn_err err;
} failure;

struct cn_pictures {
    cn_tilecache *cache;
    char scratch[PATH];
    pthread_mutex_t lock;
    failure failed[FAILED]; /* the oldest is forgotten first */
    size_t next;
};

typedef struct making {
    cn_pictures *pictures;
    const char *path, *type;
    unsigned size;
} making;

static cn_err run(const char *const argv[], const char *path, const char *dir, size_t memory)
{
    const char *const write_paths[] = {dir, NULL}, *const read_paths[] = {path, NULL};
    const cn_child_limits limits = {.cpu_seconds = 15,
                                    .memory_bytes = memory,
                                    .file_bytes = (size_t)64 << 20,
                                    .wall_seconds = 20,
                                    .no_network = true,
                                    .write_paths = write_paths,
                                    .read_paths = read_paths,
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
    return run(argv, path, dir, MEMORY);
}

static cn_err draw_image(const char *path, const char *size, const char *dir, char *out)
{
    if (!cn_fmt(out, PATH, "%s/image.png", dir)) return CN_ERR_TOOBIG;
    const char *const argv[] = {"gdk-pixbuf-thumbnailer", "-s", size, path, out, NULL};
    return run(argv, path, dir, MEMORY);
}

/* gdk-pixbuf reads WebP only with a loader that Debian 12 does not install with it. */
static cn_err draw_webp(const char *path, const char *size, const char *dir, char *out)
{
    char program[PATH];
    if (!cn_fmt(out, PATH, "%s/image.png", dir)) return CN_ERR_TOOBIG;
    CN_TRY(cn_painter_path(program, sizeof(program)));
    const char *const argv[] = {program, "picture", path, out, size, NULL};
    return run(argv, path, dir, CN_PAINTER_MEMORY);
}

static const struct {
    const char *type;
    cn_err (*draw)(const char *path, const char *size, const char *dir, char *out);
} painters[] = {
    {"application/pdf", draw_pdf}, {"image/jpeg", draw_image}, {"image/png", draw_image},
    {"image/gif", draw_image},     {"image/bmp", draw_image},  {"image/webp", draw_webp},
};

/* What a browser is told it is. */
static bool is_picture(const char *bytes, size_t len)
{
    return (len > 8 && memcmp(bytes, "\x89PNG\r\n\x1a\n", 8) == 0) || cn_decode_is_jpeg(bytes, len);
}

static cn_err draw(const making *job, const char *dir, void **bytes, size_t *len)
{
    char out[PATH], real[PATH], size[16];
    if (!realpath(job->path, real)) return cn_err_from_errno(errno);
    cn_fmt(size, sizeof(size), "%u", job->size);
    for (size_t i = 0; i < sizeof(painters) / sizeof(painters[0]); i++) {
        if (strcmp(painters[i].type, job->type) != 0) continue;
        char *text = NULL;
        CN_TRY(painters[i].draw(real, size, dir, out));
        CN_TRY(cn_scratch_check(out, PICTURE_MAX));
        CN_TRY(cn_file_read(out, PICTURE_MAX, &text, len));
        if (is_picture(text, *len)) {
            *bytes = text;
            return CN_OK;
        }
        free(text);
        return CN_ERR_CORRUPT;
    }
    return CN_ERR_UNSUPPORTED;
}

static cn_err failed_before(cn_pictures *pictures, uint64_t what)
{
    cn_err err = CN_OK;
    pthread_mutex_lock(&pictures->lock);
    for (size_t i = 0; i < FAILED; i++)
        if (pictures->failed[i].what == what && cn_mono_ms() < pictures->failed[i].until_ms)
            err = pictures->failed[i].err;
    pthread_mutex_unlock(&pictures->lock);
    return err;
}

/* Of any size: whoever asks for all of them pays once. */
static void remember(cn_pictures *pictures, uint64_t what, cn_err err)
{
    if (err != CN_ERR_CORRUPT && err != CN_ERR_TIMEOUT && err != CN_ERR_CRASHED && err != CN_ERR_TOOBIG) return;
    pthread_mutex_lock(&pictures->lock);
    pictures->failed[pictures->next++ % FAILED] =
        (failure){.what = what, .until_ms = cn_mono_ms() + FAILED_MS, .err = err};
    pthread_mutex_unlock(&pictures->lock);
}

static cn_err make(void *arg, void **bytes, size_t *len)
{
    making *job = arg;
    char dir[PATH];
    uint64_t what = cn_hash_more(cn_hash(job->path), job->type);
    CN_TRY(failed_before(job->pictures, what));
    CN_TRY(cn_scratch_make(job->pictures->scratch, dir, sizeof(dir)));
    cn_err err = draw(job, dir, bytes, len);
    cn_scratch_remove(dir);
    remember(job->pictures, what, err);
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
    pthread_mutex_init(&pictures->lock, NULL);
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
    pthread_mutex_destroy(&pictures->lock);
    free(pictures);
}
