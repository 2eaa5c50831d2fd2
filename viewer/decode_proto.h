/*
 * What the server and its decoder processes say to each other, over SOCK_SEQPACKET sockets.
 *
 *   server ──fd 3──> zygote : cn_zygote_ask (OPEN path, KILL pid)
 *   server <──────── zygote : cn_zygote_answer, for OPEN with CN_ZYGOTE_FDS descriptors: the worker's socket, its
 *                             shared memory, and the end of the pipe that is its standard error
 *   server ────────> worker : cn_decode_ask
 *   server <──────── worker : cn_decode_answer; the bytes stand at the start of the shared memory
 *
 * A worker serves one slide and ends when its socket closes. All numbers are in host order: both ends are the same
 * machine.
 */
#ifndef CN_VIEWER_DECODE_PROTO_H
#define CN_VIEWER_DECODE_PROTO_H

#include <stddef.h>
#include <stdint.h>

#define CN_DECODE_PATH 1024
#define CN_DECODE_SHARED (16u << 20) /* bytes of shared memory; no answer is larger */
#define CN_DECODE_LEVELS 32
#define CN_ZYGOTE_FDS 3
/* consilium-decoder levels SLIDE OUT: exit status is this + cn_err; and how large OUT may become */
#define CN_LEVELS_STATUS 64
#define CN_LEVELS_BYTES ((size_t)1 << 30)
#define CN_LEVELS_NAME "levels.tif" /* beside the slide; empty: they cannot be made */

enum { CN_ZYGOTE_OPEN = 1, CN_ZYGOTE_KILL = 2 };

typedef struct cn_zygote_ask {
    uint32_t op;
    int32_t pid;               /* KILL */
    char path[CN_DECODE_PATH]; /* OPEN: the slide, alone in its folder */
} cn_zygote_ask;

typedef struct cn_zygote_answer {
    int32_t err; /* cn_err */
    int32_t pid;
} cn_zygote_answer;

enum {
    CN_DECODE_INFO = 1,  /* answer: cn_decode_info */
    CN_DECODE_TILE = 2,  /* answer: JPEG of Deep Zoom tile (level, column, row) */
    CN_DECODE_THUMB = 3, /* answer: JPEG of the whole slide inside size × size */
    CN_DECODE_REGION = 4 /* answer: JPEG of width × height pixels of slide level `level` whose corner is (column, row)
                            in level-0 pixels */
};

typedef struct cn_decode_ask {
    uint32_t op;
    uint32_t level;
    int64_t column, row;
    uint32_t width, height;
    uint32_t size;
} cn_decode_ask;

typedef struct cn_decode_answer {
    int32_t err; /* cn_err */
    uint32_t n;  /* bytes in shared memory */
} cn_decode_answer;

/** What a slide is. Level 0 is the full resolution. */
typedef struct cn_decode_info {
    int64_t width, height;
    double mpp_x, mpp_y; /* µm per pixel, 0 when the file does not say */
    double objective;    /* magnification, 0 when the file does not say */
    uint32_t levels;
    int64_t level_width[CN_DECODE_LEVELS], level_height[CN_DECODE_LEVELS];
    double level_downsample[CN_DECODE_LEVELS];
    uint32_t background;   /* 0xRRGGBB */
    uint32_t lacks_levels; /* 1: between or above the file's own levels some are missing, and nobody made them yet */
    char vendor[32];
} cn_decode_info;

#endif
