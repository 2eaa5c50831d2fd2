/* JPEG 2000, so many lines at a time as its tiles are high. */
#include <stdlib.h>

#include "base/mem.h"
#include "viewer/painter/j2k.h"
#include "viewer/painter/source.h"

static cn_err read_parts(const cn_j2k *file, const cn_j2k_size *size, const cn_picture_sink *sink)
{
    for (int64_t from = 0, to = size->first; from < size->height; from = to, to += size->step) {
        CN_AUTO_FREE uint8_t *rgb = NULL;
        if (to > size->height) to = size->height;
        CN_TRY(cn_j2k_lines(file, size->width, from, to, &rgb));
        CN_TRY(sink->lines(sink->ctx, rgb, to - from));
    }
    return CN_OK;
}

cn_err cn_read_jp2(const char *path, const cn_picture_sink *sink)
{
    const cn_j2k file = {.path = path};
    cn_j2k_size size = {0};
    CN_AUTO_FREE void *icc = NULL;
    size_t icc_bytes = 0;
    CN_TRY(cn_j2k_look(&file, &size, &icc, &icc_bytes));
    cn_picture_head head = {.width = size.width, .height = size.height, .icc = icc, .icc_bytes = icc_bytes};
    CN_TRY(sink->begin(sink->ctx, &head));
    return read_parts(&file, &size, sink);
}
