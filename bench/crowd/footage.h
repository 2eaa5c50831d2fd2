/* Encoded video from a file: IVF with VP8, or H.264 as a byte stream (ITU-T H.264 Annex B). Any bytes are taken or
 * refused; nothing is decoded. */
#ifndef CN_CROWD_FOOTAGE_H
#define CN_CROWD_FOOTAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "packing.h"

#define FOOTAGE_FILE_MAX (512u << 20)
#define FOOTAGE_FRAME_MAX (8u << 20)
#define FOOTAGE_FRAMES_MAX 65535
#define FOOTAGE_CLOCK 90000 /* ticks per second */

typedef struct footage_frame {
    const uint8_t *bytes;
    uint32_t n;
    uint32_t ticks; /* how long it is shown */
    bool key;
    size_t cut, cuts; /* its part of footage.cuts */
} footage_frame;

typedef struct footage {
    cn_codec codec;
    uint16_t width, height;
    size_t frames;
    footage_frame *frame; /* the first one is a key frame */
    packing_cut *cuts;
    size_t cut_n;
    uint8_t *bytes;
} footage;

/** Reads a file's bytes, which are not kept. `fps`: of H.264, whose byte stream need not tell. CN_ERR_PARSE: cut off,
 * times that do not ascend, a first frame that is no key frame; CN_ERR_UNSUPPORTED: another codec; CN_ERR_TOOBIG: more
 * than the bounds above. footage_free afterwards. */
cn_err footage_parse(footage *out, const uint8_t *bytes, size_t len, unsigned fps);
/** The same from a file. */
cn_err footage_open(footage *out, const char *path, unsigned fps);
/** NULL and an empty one allowed. */
void footage_free(footage *clip);

/** Head of an IVF file with VP8 whose times are in ticks, and head of one frame in it. */
#define FOOTAGE_IVF_HEAD 32
#define FOOTAGE_IVF_FRAME 12
void footage_ivf_head(uint8_t out[FOOTAGE_IVF_HEAD], uint16_t width, uint16_t height);
void footage_ivf_frame(uint8_t out[FOOTAGE_IVF_FRAME], uint32_t bytes, uint64_t ticks);

#endif
