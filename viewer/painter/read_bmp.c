/* BMP, line by line. gdk-pixbuf fills up with black what a cut file lacks, and does not say so. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "viewer/painter/bmp.h"
#include "viewer/painter/source.h"

static cn_err read_lines(int fd, const cn_bmp *file, const cn_picture_sink *sink)
{
    CN_AUTO_FREE uint8_t *stored = cn_calloc(1, file->stride);
    CN_AUTO_FREE uint8_t *rgb = cn_calloc((size_t)file->width, 3);
    if (!stored || !rgb) return CN_ERR_NOMEM;
    for (int64_t y = 0; y < file->height; y++) {
        int64_t line = file->upward ? file->height - 1 - y : y;
        ssize_t n = pread(fd, stored, file->stride, (off_t)((int64_t)file->pixels + line * (int64_t)file->stride));
        if (n != (ssize_t)file->stride) return n < 0 ? CN_ERR_IO : CN_ERR_CORRUPT;
        cn_bmp_line(file, stored, rgb);
        CN_TRY(sink->lines(sink->ctx, rgb, 1));
    }
    return CN_OK;
}

cn_err cn_read_bmp(const char *path, const cn_picture_sink *sink)
{
    uint8_t start[CN_BMP_HEAD];
    cn_bmp file;
    CN_AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return cn_err_from_errno(errno);
    ssize_t n = read(fd, start, sizeof(start));
    if (n < 0) return CN_ERR_IO;
    CN_TRY(cn_bmp_head(start, (size_t)n, &file));
    CN_TRY(sink->begin(sink->ctx, &(cn_picture_head){.width = file.width, .height = file.height}));
    return read_lines(fd, &file, sink);
}
