#include "viewer/painter/picture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "viewer/painter/pyramid.h"

/* What has to be turned is turned in memory. Cameras and phones have a tenth of that. */
#define TURNED_PIXELS ((int64_t)400000000)

typedef struct plain_drawing {
    const char *to;
    int said;
    cn_pyramid_maker *maker;
    cn_picture_head head;
    uint8_t *turned; /* as stored, until all of it is there; NULL: it is upright */
    int64_t taken;
} plain_drawing;

static bool lies(unsigned orientation)
{
    return orientation >= 5;
}

static cn_err begin(void *ctx, const cn_picture_head *head)
{
    plain_drawing *drawn = ctx;
    cn_picture_head upright = *head;
    drawn->head = *head;
    if (lies(head->orientation)) {
        upright.width = head->height;
        upright.height = head->width;
        upright.x_per_cm = head->y_per_cm;
        upright.y_per_cm = head->x_per_cm;
    }
    CN_TRY(cn_pyramid_maker_new(&drawn->maker, drawn->to, &upright, drawn->said));
    if (head->orientation <= 1) return CN_OK;
    if (head->width > TURNED_PIXELS / head->height) return CN_ERR_TOOBIG;
    drawn->turned = cn_calloc((size_t)(head->width * head->height), 3);
    return drawn->turned ? CN_OK : CN_ERR_NOMEM;
}

static cn_err lines(void *ctx, const uint8_t *rgb, int64_t n)
{
    plain_drawing *drawn = ctx;
    if (!drawn->turned) return cn_pyramid_maker_lines(drawn->maker, rgb, n);
    if (n > drawn->head.height - drawn->taken) return CN_ERR_CORRUPT;
    memcpy(drawn->turned + 3 * drawn->taken * drawn->head.width, rgb, (size_t)(3 * n * drawn->head.width));
    drawn->taken += n;
    return CN_OK;
}

/* TIFF 6.0, Orientation: where the stored picture's first line and first column are seen. Where line `y` of the upright
 * picture begins in the stored one, and how far it is from one pixel of it to the next. */
static void way(const cn_picture_head *head, int64_t y, int64_t *at, int64_t *step)
{
    int64_t width = head->width, height = head->height;
    switch (head->orientation) {
    case 2: *at = y * width + width - 1, *step = -1; break;
    case 3: *at = (height - y) * width - 1, *step = -1; break;
    case 4: *at = (height - 1 - y) * width, *step = 1; break;
    case 5: *at = y, *step = width; break;
    case 6: *at = (height - 1) * width + y, *step = -width; break;
    case 7: *at = height * width - 1 - y, *step = -width; break;
    case 8: *at = width - 1 - y, *step = width; break;
    default: *at = y * width, *step = 1; break;
    }
}

static cn_err turn(plain_drawing *drawn)
{
    const cn_picture_head *head = &drawn->head;
    bool lying = lies(head->orientation);
    int64_t width = lying ? head->height : head->width, height = lying ? head->width : head->height;
    if (drawn->taken != head->height) return CN_ERR_CORRUPT;
    CN_AUTO_FREE uint8_t *line = cn_calloc((size_t)width, 3);
    if (!line) return CN_ERR_NOMEM;
    for (int64_t y = 0; y < height; y++) {
        int64_t at = 0, step = 0;
        way(head, y, &at, &step);
        for (int64_t x = 0; x < width; x++, at += step) memcpy(line + 3 * x, drawn->turned + 3 * at, 3);
        CN_TRY(cn_pyramid_maker_lines(drawn->maker, line, 1));
    }
    return CN_OK;
}

static const struct {
    size_t at, n;
    char magic[9];
    cn_err (*read)(const char *path, const cn_picture_sink *sink);
} readers[] = {
    {0, 3, "\xff\xd8\xff", cn_read_jpeg}, {0, 8, "\x89PNG\r\n\x1a\n", cn_read_png},
    {0, 4, "II*\0", cn_read_tiff},        {0, 4, "MM\0*", cn_read_tiff},
    {0, 4, "II+\0", cn_read_tiff},        {0, 4, "MM\0+", cn_read_tiff},
    {4, 4, "jP  ", cn_read_jp2},          {0, 4, "\xff\x4f\xff\x51", cn_read_jp2},
    {4, 4, "ftyp", cn_read_heif},         {0, 2, "BM", cn_read_bmp},
};

static cn_err read_any(const char *from, const cn_picture_sink *sink)
{
    char start[12] = {0};
    {
        CN_AUTO_CLOSE int fd = open(from, O_RDONLY | O_CLOEXEC);
        if (fd < 0) return cn_err_from_errno(errno);
        if (read(fd, start, sizeof(start)) != (ssize_t)sizeof(start)) return CN_ERR_CORRUPT;
    }
    for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++)
        if (memcmp(start + readers[i].at, readers[i].magic, readers[i].n) == 0) return readers[i].read(from, sink);
    return CN_ERR_UNSUPPORTED;
}

cn_err cn_painter_pyramid(const char *from, const char *to, const char *said)
{
    CN_AUTO_CLOSE int fd = open(said, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) return cn_err_from_errno(errno);
    plain_drawing drawn = {.to = to, .said = fd};
    cn_err err = read_any(from, &(cn_picture_sink){.ctx = &drawn, .begin = begin, .lines = lines});
    if (err == CN_OK && !drawn.maker) err = CN_ERR_CORRUPT;
    if (err == CN_OK && drawn.turned) err = turn(&drawn);
    if (err == CN_OK) err = cn_pyramid_maker_end(drawn.maker);
    cn_pyramid_maker_free(drawn.maker);
    free(drawn.turned);
    return err == CN_ERR_NOMEM ? CN_ERR_TOOBIG : err;
}
