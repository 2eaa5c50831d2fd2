#include "footage.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "media/wire/payload_h264.h"

#define IVF_TIMES 1000000u /* bound of both parts of its time base */

static uint16_t le16(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t le32(const uint8_t *p)
{
    return (uint32_t)le16(p) | (uint32_t)le16(p + 2) << 16;
}

static uint64_t le64(const uint8_t *p)
{
    return (uint64_t)le32(p) | (uint64_t)le32(p + 4) << 32;
}

static void le_put(uint8_t *p, unsigned n, uint64_t value)
{
    for (unsigned i = 0; i < n; i++) p[i] = (uint8_t)(value >> 8 * i);
}

static cn_err frame_add(footage *f, const uint8_t *p, size_t n, uint32_t ticks, bool key)
{
    if (n > FOOTAGE_FRAME_MAX || f->frames == FOOTAGE_FRAMES_MAX) return CN_ERR_TOOBIG;
    if (f->frames % 64 == 0) {
        footage_frame *more = reallocarray(f->frame, f->frames + 64, sizeof *more);
        if (!more) return CN_ERR_NOMEM;
        f->frame = more;
    }
    f->frame[f->frames++] = (footage_frame){.bytes = p, .n = (uint32_t)n, .ticks = ticks, .key = key};
    return CN_OK;
}

/* ---- IVF ---- */

/* How long each frame is shown, from its time to the next one's; the last one as long as the one before. */
static cn_err ivf_times(footage *f, const uint64_t *times, uint64_t rate, uint64_t scale)
{
    for (size_t i = 0; i + 1 < f->frames; i++) {
        if (times[i + 1] <= times[i] || times[i + 1] - times[i] > UINT32_MAX) return CN_ERR_PARSE;
        uint64_t ticks = (times[i + 1] - times[i]) * FOOTAGE_CLOCK * scale / rate;
        if (!ticks || ticks > FOOTAGE_CLOCK * 60u) return CN_ERR_PARSE;
        f->frame[i].ticks = (uint32_t)ticks;
    }
    f->frame[f->frames - 1].ticks = f->frames > 1 ? f->frame[f->frames - 2].ticks : FOOTAGE_CLOCK / 30;
    return CN_OK;
}

static cn_err ivf_frames(footage *f, size_t at, size_t n, uint64_t *times)
{
    for (; at < n && f->frames < FOOTAGE_FRAMES_MAX; at += f->frame[f->frames - 1].n) {
        if (n - at < FOOTAGE_IVF_FRAME) return CN_ERR_PARSE;
        uint32_t bytes = le32(f->bytes + at);
        times[f->frames] = le64(f->bytes + at + 4);
        at += FOOTAGE_IVF_FRAME;
        if (!bytes || bytes > n - at) return CN_ERR_PARSE;
        cn_err err = frame_add(f, f->bytes + at, bytes, 0, !(f->bytes[at] & 1));
        if (err) return err;
    }
    return at < n ? CN_ERR_TOOBIG : f->frames ? CN_OK : CN_ERR_PARSE;
}

static cn_err ivf_parse(footage *f, const uint8_t *p, size_t n)
{
    if (n < FOOTAGE_IVF_HEAD || le16(p + 4) || le16(p + 6) < FOOTAGE_IVF_HEAD || le16(p + 6) > n) return CN_ERR_PARSE;
    if (memcmp(p + 8, "VP80", 4) != 0) return CN_ERR_UNSUPPORTED;
    uint32_t rate = le32(p + 16), scale = le32(p + 20);
    if (!rate || !scale || rate > IVF_TIMES || scale > IVF_TIMES) return CN_ERR_PARSE;
    f->codec = PAYLOAD_VP8;
    f->width = le16(p + 12);
    f->height = le16(p + 14);
    f->bytes = cn_memdup(p, n);
    CN_AUTO_FREE uint64_t *times = cn_calloc(FOOTAGE_FRAMES_MAX, sizeof *times);
    if (!f->bytes || !times) return CN_ERR_NOMEM;
    cn_err err = ivf_frames(f, le16(p + 6), n, times);
    return err ? err : ivf_times(f, times, rate, scale);
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

static cn_err unit_end(footage *f, unit *u, uint32_t ticks)
{
    cn_err err = u->slices ? frame_add(f, f->bytes + u->from, u->to - u->from, ticks, u->key) : CN_OK;
    *u = (unit){.from = u->to, .to = u->to};
    return err;
}

static cn_err h264_parse(footage *f, const uint8_t *p, size_t n, unsigned fps)
{
    static const uint8_t start[] = {0, 0, 0, 1};
    size_t nal, len;
    unit u = {0};
    cn_err err = CN_OK;
    f->codec = PAYLOAD_H264;
    f->bytes = cn_calloc(1, n + n / 2 + 1); /* 00 00 01 and a byte become five bytes, at most */
    if (!f->bytes) return CN_ERR_NOMEM;
    for (size_t at = 0; !err && packing_nal(p, n, &at, &nal, &len);) {
        uint8_t type = p[nal] & 0x1f;
        if (u.slices && begins(p + nal, len)) err = unit_end(f, &u, FOOTAGE_CLOCK / fps);
        if (type == 7 && !f->width) (void)cn_h264_sps_size(p + nal, len, &f->width, &f->height);
        if (type == 1 || type == 5) u.slices = true;
        if (type == 5) u.key = true;
        memcpy(f->bytes + u.to, start, sizeof start);
        memcpy(f->bytes + u.to + sizeof start, p + nal, len);
        u.to += sizeof start + len;
    }
    if (!err) err = unit_end(f, &u, FOOTAGE_CLOCK / fps);
    return err || f->frames ? err : CN_ERR_PARSE;
}

/* ---- both ---- */

static cn_err cuts_make(footage *f)
{
    for (size_t i = 0; i < f->frames; i++) {
        footage_frame *e = &f->frame[i];
        size_t n = packing_cuts(NULL, 0, f->codec, e->bytes, e->n);
        e->cut = f->cut_n;
        e->cuts = n;
        if (!n) return CN_ERR_PARSE;
        packing_cut *more = reallocarray(f->cuts, f->cut_n + n, sizeof *more);
        if (!more) return CN_ERR_NOMEM;
        f->cuts = more;
        (void)packing_cuts(f->cuts + f->cut_n, n, f->codec, e->bytes, e->n);
        f->cut_n += n;
    }
    return CN_OK;
}

cn_err footage_parse(footage *out, const uint8_t *p, size_t n, unsigned fps)
{
    footage f = {0};
    *out = f;
    if (n > FOOTAGE_FILE_MAX) return CN_ERR_TOOBIG;
    if (!fps || fps > 1000) return CN_ERR_INVALID;
    bool ivf = n >= 4 && memcmp(p, "DKIF", 4) == 0;
    cn_err err = ivf ? ivf_parse(&f, p, n) : h264_parse(&f, p, n, fps);
    if (!err && (!f.width || !f.height || !f.frame[0].key)) err = CN_ERR_PARSE;
    if (!err) err = cuts_make(&f);
    if (err) footage_free(&f);
    *out = f;
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

void footage_free(footage *f)
{
    if (!f) return;
    free(f->frame);
    free(f->cuts);
    free(f->bytes);
    *f = (footage){0};
}
