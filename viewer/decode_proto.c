#include "viewer/decode_proto.h"

#include <string.h>

#include "base/err.h"
#include "base/str.h"

static bool take(const void *bytes, size_t len, void *out, size_t size)
{
    if (len != size) return false;
    memcpy(out, bytes, size);
    return true;
}

static bool between(double value, double min, double max)
{
    return value >= min && value <= max; /* neither for what is no number */
}

static bool is_side(int64_t value)
{
    return value >= 1 && value <= CN_DECODE_SIDE;
}

/* ---- what a helper reads ---- */

static bool is_path(const char path[CN_DECODE_PATH])
{
    return memchr(path, 0, CN_DECODE_PATH) && path[0] == '/' && !strstr(path, "/../");
}

bool cn_zygote_ask_read(const void *bytes, size_t len, cn_zygote_ask *out)
{
    if (!take(bytes, len, out, sizeof(*out))) return false;
    return (out->op == CN_ZYGOTE_OPEN && is_path(out->path)) || (out->op == CN_ZYGOTE_KILL && out->pid > 0);
}

static bool is_place(int64_t value, int64_t min)
{
    return value >= min && value <= CN_DECODE_SIDE;
}

static bool is_extent(uint32_t value)
{
    return value >= 1 && value <= CN_DECODE_PICTURE;
}

bool cn_decode_ask_read(const void *bytes, size_t len, cn_decode_ask *out)
{
    if (!take(bytes, len, out, sizeof(*out)) || out->z > CN_DECODE_PLANES || out->channel > CN_DECODE_CHANNELS)
        return false;
    switch (out->op) {
    case CN_DECODE_INFO:
    case CN_DECODE_COLOUR: return true;
    case CN_DECODE_TILE: return out->level < 64 && is_place(out->column, 0) && is_place(out->row, 0);
    case CN_DECODE_THUMB: return is_extent(out->size);
    case CN_DECODE_REGION:
        return out->level < CN_DECODE_LEVELS && is_place(out->column, -CN_DECODE_SIDE) &&
               is_place(out->row, -CN_DECODE_SIDE) && is_extent(out->width) && is_extent(out->height);
    case CN_DECODE_TABLE:
    case CN_DECODE_CELL: return out->level < CN_DECODE_LEVELS && is_place(out->column, 0) && is_place(out->row, 0);
    case CN_DECODE_CUT:
        return is_place(out->column, 0) && is_place(out->row, 0) && is_side(out->cut_width) &&
               is_side(out->cut_height) && is_extent(out->width) && is_extent(out->height) &&
               out->width * out->height <= CN_DECODE_CUT_PIXELS && out->quarters < 4 && out->mirror < 2 &&
               out->quality < 4 && out->format < 2;
    case CN_DECODE_ASSOCIATED: return out->level == CN_DECODE_LABEL || out->level == CN_DECODE_MACRO;
    default: return false;
    }
}

/* ---- what the server reads ---- */

bool cn_zygote_answer_read(const void *bytes, size_t len, size_t fds, cn_zygote_answer *out)
{
    if (!take(bytes, len, out, sizeof(*out))) return false;
    if (out->err == CN_OK) return out->pid > 0 && fds == CN_ZYGOTE_FDS;
    return out->err > 0 && out->err < (int32_t)CN_ERR_COUNT && fds == 0;
}

int32_t cn_decode_err(int32_t err)
{
    static const cn_err of_a_slide[] = {CN_OK,     CN_ERR_INVALID, CN_ERR_NOTFOUND, CN_ERR_TOOBIG, CN_ERR_UNSUPPORTED,
                                        CN_ERR_IO, CN_ERR_CORRUPT};
    if (err == (int32_t)CN_ERR_NOMEM) return (int32_t)CN_ERR_TOOBIG;
    for (size_t i = 0; i < sizeof(of_a_slide) / sizeof(of_a_slide[0]); i++)
        if (err == (int32_t)of_a_slide[i]) return err;
    return (int32_t)CN_ERR_IO;
}

bool cn_decode_answer_read(const void *bytes, size_t len, cn_decode_answer *out)
{
    if (!take(bytes, len, out, sizeof(*out)) || cn_decode_err(out->err) != out->err) return false;
    return out->n <= (out->err == CN_OK ? CN_DECODE_SHARED : 0);
}

static bool is_vendor(const char vendor[32])
{
    const char *end = memchr(vendor, 0, sizeof((cn_decode_info *)NULL)->vendor);
    for (const char *at = vendor; end && at < end; at++)
        if (*at < ' ' || *at > '~') return false;
    return end != NULL;
}

static bool is_level(const cn_decode_info *info, uint32_t i)
{
    return is_side(info->level_width[i]) && is_side(info->level_height[i]) &&
           between(info->level_downsample[i], 1e-3, (double)CN_DECODE_SIDE) && is_extent(info->tile_width[i]) &&
           is_extent(info->tile_height[i]) && info->native[i] < CN_NATIVE_FILES;
}

bool cn_decode_is_name(const char name[sizeof(((cn_decode_channel *)0)->name)])
{
    const char *end = memchr(name, 0, sizeof(((cn_decode_channel *)0)->name));
    if (!end || !cn_utf8_valid(name, (size_t)(end - name))) return false;
    for (const char *at = name; at < end; at++)
        if ((unsigned char)*at < ' ' || *at == 0x7f) return false;
    return true;
}

static bool has_planes(const cn_decode_info *info)
{
    if (info->z_planes > CN_DECODE_PLANES || (info->z_planes ? info->z_first >= info->z_planes : info->z_first > 0) ||
        !between(info->z_spacing, 0, 1000) || info->channels > CN_DECODE_CHANNELS)
        return false;
    for (uint32_t i = 0; i < info->channels; i++)
        if (!cn_decode_is_name(info->channel[i].name) || info->channel[i].colour > 0xffffff) return false;
    return true;
}

bool cn_decode_info_read(const void *bytes, size_t len, cn_decode_info *out)
{
    if (!take(bytes, len, out, sizeof(*out))) return false;
    if (!is_side(out->width) || !is_side(out->height) || out->levels < 1 || out->levels > CN_DECODE_LEVELS)
        return false;
    for (uint32_t i = 0; i < out->levels; i++)
        if (!is_level(out, i)) return false;
    return between(out->mpp_x, 0, 100) && between(out->mpp_y, 0, 100) && between(out->objective, 0, 1000) &&
           out->background <= 0xffffff && out->lacks_levels <= 1 && out->label <= 1 && out->macro <= 1 &&
           out->icc_usable <= (out->icc_bytes > 0 && out->icc_bytes <= CN_DECODE_ICC_BYTES) && is_vendor(out->vendor) &&
           has_planes(out);
}

bool cn_decode_is_jpeg(const void *bytes, size_t len)
{
    const uint8_t *byte = bytes;
    return len >= 5 && byte[0] == 0xff && byte[1] == 0xd8 && byte[2] == 0xff && byte[len - 2] == 0xff &&
           byte[len - 1] == 0xd9;
}

bool cn_decode_is_png(const void *bytes, size_t len)
{
    static const uint8_t start[] = {0x89, 'P', 'N', 'G', 13, 10, 26, 10},
                         end[] = {'I', 'E', 'N', 'D', 0xae, 0x42, 0x60, 0x82};
    return len >= sizeof(start) + sizeof(end) && memcmp(bytes, start, sizeof(start)) == 0 &&
           memcmp((const uint8_t *)bytes + len - sizeof(end), end, sizeof(end)) == 0;
}

cn_err cn_decode_exit(int status)
{
    if (status == 0) return CN_OK;
    bool told = status > CN_LEVELS_STATUS && status < CN_LEVELS_STATUS + (int)CN_ERR_COUNT;
    if (!told) return CN_ERR_CRASHED;
    cn_err err = (cn_err)(status - CN_LEVELS_STATUS);
    return err == CN_ERR_NOSPACE ? err : (cn_err)cn_decode_err((int32_t)err);
}
