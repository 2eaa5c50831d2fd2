// What the server and its decoders say to each other, read by the other end: the first byte chooses the message. What is taken for good keeps
// its promises, so that nobody who uses it can come to harm.
// covers: viewer/decode_proto.c viewer/slide/deepzoom.c
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "viewer/decode_proto.h"
#include "viewer/slide/deepzoom.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int good)
{
    if (!good) __builtin_trap();
}

/* ---- the server reads a helper's answers ---- */

static void zygote_answer(const uint8_t *data, size_t size)
{
    cn_zygote_answer answer;
    for (size_t fds = 0; fds < 5; fds++)
        if (cn_zygote_answer_read(data, size, fds, &answer))
            must(answer.err == CN_OK ? fds == CN_ZYGOTE_FDS && answer.pid > 0
                                     : fds == 0 && *cn_err_name((cn_err)answer.err) != '?');
}

static void decode_answer(const uint8_t *data, size_t size)
{
    cn_decode_answer answer;
    if (!cn_decode_answer_read(data, size, &answer)) return;
    must(answer.n <= CN_DECODE_SHARED && *cn_err_name((cn_err)answer.err) != '?');
    must(answer.err == CN_OK || answer.n == 0);
}

/* As the server and its pages use it. */
static void decode_info(const uint8_t *data, size_t size)
{
    cn_decode_info info;
    if (!cn_decode_info_read(data, size, &info)) return;
    must(info.levels >= 1 && info.levels <= CN_DECODE_LEVELS && strlen(info.vendor) < sizeof(info.vendor));
    must(isfinite(info.mpp_x) && isfinite(info.mpp_y) && isfinite(info.objective));
    for (uint32_t i = 0; i < info.levels; i++)
        must(info.level_width[i] > 0 && info.level_height[i] > 0 && isfinite(info.level_downsample[i]));
    unsigned levels = cn_dz_levels(info.width, info.height);
    for (unsigned level = 0; level <= levels; level++) {
        cn_dz_rect rect = {0};
        cn_err err = cn_dz_tile_rect(info.width, info.height, level, 0, 0, &rect);
        must(level < levels ? err == CN_OK && rect.width > 0 && rect.height > 0 : err == CN_ERR_NOTFOUND);
    }
}

static void jpeg(const uint8_t *data, size_t size)
{
    if (cn_decode_is_jpeg(data, size)) must(size >= 5 && data[0] == 0xff);
}

/* ---- a helper reads the server's questions ---- */

static void zygote_ask(const uint8_t *data, size_t size)
{
    cn_zygote_ask ask;
    if (!cn_zygote_ask_read(data, size, &ask)) return;
    if (ask.op == CN_ZYGOTE_OPEN)
        must(memchr(ask.path, 0, sizeof(ask.path)) && ask.path[0] == '/');
    else
        must(ask.op == CN_ZYGOTE_KILL && ask.pid > 0);
}

static void decode_ask(const uint8_t *data, size_t size)
{
    cn_decode_ask ask;
    cn_dz_rect rect;
    if (!cn_decode_ask_read(data, size, &ask)) return;
    if (ask.op != CN_DECODE_TILE) return;
    static const int64_t sides[] = {1, 3000, CN_DECODE_SIDE};
    for (size_t i = 0; i < sizeof(sides) / sizeof(sides[0]); i++)
        if (cn_dz_tile_rect(sides[i], sides[i], ask.level, ask.column, ask.row, &rect) == CN_OK)
            must(rect.x >= 0 && rect.width > 0 && rect.x + rect.width <= sides[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const messages[])(const uint8_t *, size_t) = {zygote_answer, decode_answer, decode_info,
                                                                jpeg,          zygote_ask,    decode_ask};
    const size_t n = sizeof(messages) / sizeof(messages[0]);
    if (size < 1) return 0;
    messages[data[0] % n](data + 1, size - 1);
    return 0;
}
