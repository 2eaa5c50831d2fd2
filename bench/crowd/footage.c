#include "footage.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "media/wire/payload_h264.h"

#define IVF_TIMES 1000000u /* bound of both parts of its time base */

static uint16_t le16(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] | bytes[1] << 8);
}

static uint32_t le32(const uint8_t *bytes)
{
    return (uint32_t)le16(bytes) | (uint32_t)le16(bytes + 2) << 16;
}

static uint64_t le64(const uint8_t *bytes)
{
    return (uint64_t)le32(bytes) | (uint64_t)le32(bytes + 4) << 32;
}

static void le_put(uint8_t *bytes, unsigned width, uint64_t value)
{
    for (unsigned i = 0; i < width; i++) bytes[i] = (uint8_t)(value >> 8 * i);
}

static cn_err frame_add(footage *clip, const uint8_t *bytes, size_t len, uint32_t ticks, bool key)
{
    if (len > FOOTAGE_FRAME_MAX || clip->frames == FOOTAGE_FRAMES_MAX) return CN_ERR_TOOBIG;
    if (clip->frames % 64 == 0) {
        footage_frame *more = reallocarray(clip->frame, clip->frames + 64, sizeof *more);
        if (!more) return CN_ERR_NOMEM;
        clip->frame = more;
    }
    clip->frame[clip->frames++] = (footage_frame){.bytes = bytes, .n = (uint32_t)len, .ticks = ticks, .key = key};
    return CN_OK;
}

/* ---- IVF ---- */

/* How long each frame is shown, from its time to the next one's; the last one as long as the one before. */
static cn_err ivf_times(footage *clip, const uint64_t *times, uint64_t rate, uint64_t scale)
{
    for (size_t i = 0; i + 1 < clip->frames; i++) {
        if (times[i + 1] <= times[i] || times[i + 1] - times[i] > UINT32_MAX) return CN_ERR_PARSE;
        uint64_t ticks = (times[i + 1] - times[i]) * FOOTAGE_CLOCK * scale / rate;
        if (!ticks || ticks > FOOTAGE_CLOCK * 60u) return CN_ERR_PARSE;
        clip->frame[i].ticks = (uint32_t)ticks;
    }
    clip->frame[clip->frames - 1].ticks = clip->frames > 1 ? clip->frame[clip->frames - 2].ticks : FOOTAGE_CLOCK / 30;
    return CN_OK;
}

static cn_err ivf_frames(footage *clip, size_t at, size_t len, uint64_t *times)
{
    for (; at < len && clip->frames < FOOTAGE_FRAMES_MAX; at += clip->frame[clip->frames - 1].n) {
        if (len - at < FOOTAGE_IVF_FRAME) return CN_ERR_PARSE;
        uint32_t bytes = le32(clip->bytes + at);
        times[clip->frames] = le64(clip->bytes + at + 4);
        at += FOOTAGE_IVF_FRAME;
        if (!bytes || bytes > len - at) return CN_ERR_PARSE;
        cn_err err = frame_add(clip, clip->bytes + at, bytes, 0, !(clip->bytes[at] & 1));
        if (err) return err;
    }
    return at < len ? CN_ERR_TOOBIG : clip->frames ? CN_OK : CN_ERR_PARSE;
}

static cn_err ivf_parse(footage *clip, const uint8_t *bytes, size_t len)
{
    if (len < FOOTAGE_IVF_HEAD || le16(bytes + 4) || le16(bytes + 6) < FOOTAGE_IVF_HEAD || le16(bytes + 6) > len)
        return CN_ERR_PARSE;
    if (memcmp(bytes + 8, "VP80", 4) != 0) return CN_ERR_UNSUPPORTED;
    uint32_t rate = le32(bytes + 16), scale = le32(bytes + 20);
    if (!rate || !scale || rate > IVF_TIMES || scale > IVF_TIMES) return CN_ERR_PARSE;
    clip->codec = CN_CODEC_VP8;
    clip->width = le16(bytes + 12);
    clip->height = le16(bytes + 14);
    clip->bytes = cn_memdup(bytes, len);
    CN_AUTO_FREE uint64_t *times = cn_calloc(FOOTAGE_FRAMES_MAX, sizeof *times);
    if (!clip->bytes || !times) return CN_ERR_NOMEM;
    cn_err err = ivf_frames(clip, le16(bytes + 6), len, times);
    return err ? err : ivf_times(clip, times, rate, scale);
}

void footage_ivf_head(uint8_t out[FOOTAGE_IVF_HEAD], uint16_t width, uint16_t height)
{
    memset(out, 0, FOOTAGE_IVF_HEAD);
    memcpy(out, "DKIF", 4);
    le_put(out + 6, 2, FOOTAGE_IVF_HEAD);
    memcpy(out + 8, "VP80", 4);
    le_put(out + 12, 2, width);
    le_put(out + 14, 2, height);
    le_put(out + 16, 4, FOOTAGE_CLOCK);
    le_put(out + 20, 4, 1);
}

void footage_ivf_frame(uint8_t out[FOOTAGE_IVF_FRAME], uint32_t bytes, uint64_t ticks)
{
    le_put(out, 4, bytes);
    le_put(out + 4, 8, ticks);
}

/* ---- H.264 ---- */

/* An access unit that is being collected in footage.bytes. */
typedef struct unit {
    size_t from, to;
    bool slices, key;
} unit;

/* Whether this NAL unit is the first of another access unit, when slices of the last one came (§7.4.1.2.3; slices in
 * arbitrary order are not recognised). */
static bool begins(const uint8_t *nal, size_t len)
{
    uint8_t type = nal[0] & 0x1f;
    return (type >= 6 && type <= 9) || ((type == 1 || type == 5) && len > 1 && nal[1] & 0x80);
}

static cn_err unit_end(footage *clip, unit *nal, uint32_t ticks)
{
    cn_err err = nal->slices ? frame_add(clip, clip->bytes + nal->from, nal->to - nal->from, ticks, nal->key) : CN_OK;
    *nal = (unit){.from = nal->to, .to = nal->to};
    return err;
}

static cn_err h264_parse(footage *clip, const uint8_t *bytes, size_t length, unsigned fps)
{
    static const uint8_t start[] = {0, 0, 0, 1};
    size_t nal, len;
    unit u = {0};
    cn_err err = CN_OK;
    clip->codec = CN_CODEC_H264;
    clip->bytes = cn_calloc(1, length + length / 2 + 1); /* 00 00 01 and a byte become five bytes, at most */
    if (!clip->bytes) return CN_ERR_NOMEM;
    for (size_t at = 0; !err && packing_nal(bytes, length, &at, &nal, &len);) {
        uint8_t type = bytes[nal] & 0x1f;
        if (u.slices && begins(bytes + nal, len)) err = unit_end(clip, &u, FOOTAGE_CLOCK / fps);
        if (type == 7 && !clip->width) (void)cn_h264_sps_size(bytes + nal, len, &clip->width, &clip->height);
        if (type == 1 || type == 5) u.slices = true;
        if (type == 5) u.key = true;
        memcpy(clip->bytes + u.to, start, sizeof start);
        memcpy(clip->bytes + u.to + sizeof start, bytes + nal, len);
        u.to += sizeof start + len;
    }
    if (!err) err = unit_end(clip, &u, FOOTAGE_CLOCK / fps);
    return err || clip->frames ? err : CN_ERR_PARSE;
}

/* ---- both ---- */

static cn_err cuts_make(footage *clip)
{
    for (size_t i = 0; i < clip->frames; i++) {
        footage_frame *picture = &clip->frame[i];
        size_t n = packing_cuts(NULL, 0, clip->codec, picture->bytes, picture->n);
        picture->cut = clip->cut_n;
        picture->cuts = n;
        if (!n) return CN_ERR_PARSE;
        packing_cut *more = reallocarray(clip->cuts, clip->cut_n + n, sizeof *more);
        if (!more) return CN_ERR_NOMEM;
        clip->cuts = more;
        (void)packing_cuts(clip->cuts + clip->cut_n, n, clip->codec, picture->bytes, picture->n);
        clip->cut_n += n;
    }
    return CN_OK;
}

cn_err footage_parse(footage *out, const uint8_t *bytes, size_t len, unsigned fps)
{
    footage clip = {0};
    *out = clip;
    if (len > FOOTAGE_FILE_MAX) return CN_ERR_TOOBIG;
    if (!fps || fps > 1000) return CN_ERR_INVALID;
    bool ivf = len >= 4 && memcmp(bytes, "DKIF", 4) == 0;
    cn_err err = ivf ? ivf_parse(&clip, bytes, len) : h264_parse(&clip, bytes, len, fps);
    if (!err && (!clip.width || !clip.height || !clip.frame[0].key)) err = CN_ERR_PARSE;
    if (!err) err = cuts_make(&clip);
    if (err) footage_free(&clip);
    *out = clip;
    return err;
}

cn_err footage_open(footage *out, const char *path, unsigned fps)
{
    CN_AUTO_FREE char *bytes = NULL;
    size_t n = 0;
    *out = (footage){0};
    cn_err err = cn_file_read(path, FOOTAGE_FILE_MAX, &bytes, &n);
    return err ? err : footage_parse(out, (const uint8_t *)bytes, n, fps);
}

void footage_free(footage *clip)
{
    if (!clip) return;
    free(clip->frame);
    free(clip->cuts);
    free(clip->bytes);
    *clip = (footage){0};
}
