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

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define CN_DECODE_PATH 1024
#define CN_DECODE_SHARED (16u << 20) /* bytes of shared memory; no answer is larger */
#define CN_DECODE_LEVELS 32
#define CN_DECODE_CHANNELS 32
#define CN_DECODE_PLANES 4096
#define CN_DECODE_SIDE ((int64_t)1 << 36) /* pixels; a TIFF's 2³² with the widest pixels that are pictured square */
#define CN_DECODE_PICTURE 4096            /* pixels a side of a thumbnail, region or tile at most */
#define CN_DECODE_CUT_PIXELS (1u << 22)   /* of a cut, as many as fit into the shared memory as a PNG */
#define CN_DECODE_ASSOCIATED_SIDE 1600    /* pixels a side of a label or macro image at most */
#define CN_DECODE_COLOUR_SIDE 33          /* steps of each colour in a colour table … */
#define CN_DECODE_COLOUR_NUMBERS (3 * CN_DECODE_COLOUR_SIDE * CN_DECODE_COLOUR_SIDE * CN_DECODE_COLOUR_SIDE)
#define CN_DECODE_COLOUR_BYTES (2 * CN_DECODE_COLOUR_NUMBERS) /* half precision floats (IEEE 754), the low byte first */
#define CN_DECODE_ICC_BYTES (4u << 20)                        /* of a colour profile; scanners' have 500 B to 1 MiB */
#define CN_ZYGOTE_FDS 3
/* consilium-decoder levels SLIDE OUT HOW: exit status is this + cn_err; and how large OUT may become */
#define CN_LEVELS_STATUS 64
#define CN_LEVELS_BYTES ((size_t)1 << 30)
#define CN_DECODE_UNCONFINED "unconfined" /* last argument: also on a kernel without Landlock */
#define CN_LEVELS_NAME "levels.tif"       /* beside the slide; empty: they cannot be made */

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
    CN_DECODE_INFO = 1,   /* answer: cn_decode_info */
    CN_DECODE_TILE = 2,   /* answer: JPEG of Deep Zoom tile (level, column, row) */
    CN_DECODE_THUMB = 3,  /* answer: JPEG of the whole slide inside size × size */
    CN_DECODE_REGION = 4, /* answer: JPEG of width × height pixels of slide level `level` whose corner is (column, row)
                             in level-0 pixels */
    /* `size` of these: how many levels the slide has, as whoever asks knows it; NOTFOUND when some were made meanwhile */
    CN_DECODE_TABLE = 5, /* answer: where the JPEG tiles of a level lie in its file, from tile `column` on: a page as in
                            slide/tiletable.h */
    CN_DECODE_CELL = 6,  /* answer: JPEG of tile (column, row) of the level's grid as cn_decode_info says it */
    CN_DECODE_COLOUR = 7,     /* answer: the colour table, CN_DECODE_COLOUR_BYTES (decoder/colour.h) */
    CN_DECODE_ASSOCIATED = 8, /* answer: JPEG of the label or the macro image, `level` says which */
    CN_DECODE_CUT =
        9 /* answer: JPEG or PNG of the cut_width × cut_height pictured pixels whose corner is (column, row),
                         made width × height pixels, then mirrored and turned (viewer/slide/iiif.h) */
};
enum { CN_DECODE_LABEL = 0, CN_DECODE_MACRO = 1 };

typedef struct cn_decode_ask {
    uint32_t op;
    uint32_t level;
    int64_t column, row;
    uint32_t width, height;
    uint32_t size;
    /* of pictures. z: 0 the plane that is shown first, else one more than its number; channel: 0 all in their colours,
     * else one more than its number. CN_ERR_NOTFOUND when there is none */
    uint32_t z, channel;
    int64_t cut_width, cut_height;
    uint32_t quarters, mirror, quality, format;
} cn_decode_ask;

typedef struct cn_decode_answer {
    int32_t err; /* cn_err */
    uint32_t n;  /* bytes in shared memory */
} cn_decode_answer;

#define CN_DECODE_CELL_SIDE 512 /* of a level without tiles of its own */

/* Where a level's JPEG tiles lie as they can be sent, if it has any. */
enum { CN_NATIVE_NO, CN_NATIVE_SLIDE, CN_NATIVE_MADE /* in CN_LEVELS_NAME */, CN_NATIVE_FILES };

/** `name`: UTF-8 without control characters; `colour`: 0xRRGGBB. */
typedef struct cn_decode_channel {
    char name[48];
    uint32_t colour;
} cn_decode_channel;

/** What a slide is. Level 0 is the full resolution; levels that were made are among the others. */
typedef struct cn_decode_info {
    int64_t width, height;
    double mpp_x, mpp_y; /* µm per pixel, 0 when the file does not say */
    double objective;    /* magnification, 0 when the file does not say */
    uint32_t levels;
    int64_t level_width[CN_DECODE_LEVELS], level_height[CN_DECODE_LEVELS];
    double level_downsample[CN_DECODE_LEVELS];
    uint32_t tile_width[CN_DECODE_LEVELS], tile_height[CN_DECODE_LEVELS]; /* the grid of CN_DECODE_CELL and _TABLE */
    uint32_t native[CN_DECODE_LEVELS];                                    /* CN_NATIVE_… */
    uint32_t background;                                                  /* 0xRRGGBB */
    uint32_t lacks_levels; /* 1: between or above the file's own levels some are missing, and nobody made them yet */
    uint32_t label, macro; /* 1: the file has such a picture */
    uint32_t icc_bytes;    /* of the colour profile, 0 without one */
    uint32_t icc_usable;   /* 1: a colour table can be asked for */
    char vendor[32];
    uint32_t z_planes, z_first; /* 0: there is one only; the one that is shown first */
    double z_spacing;           /* µm from one to the next, 0 when the file does not say */
    uint32_t channels;          /* 0: ordinary colours */
    cn_decode_channel channel[CN_DECODE_CHANNELS];
} cn_decode_info;

/*
 * Neither end believes the other: a slide may have taken its worker over, and what comes is looked at like a stranger's
 * packet. Each of these copies `len` bytes to *out and says whether they are such a message. Pure.
 */

/** Has an operation, and its path is absolute, ends within its field and does not lead upward. */
bool cn_zygote_ask_read(const void *bytes, size_t len, cn_zygote_ask *out);
/** `fds`: descriptors that came with it, exactly CN_ZYGOTE_FDS with a worker and none otherwise. */
bool cn_zygote_answer_read(const void *bytes, size_t len, size_t fds, cn_zygote_answer *out);
/** What is asked for has bounds, so that arithmetic with it stays within its types. */
bool cn_decode_ask_read(const void *bytes, size_t len, cn_decode_ask *out);
/** An error that is about the slide, never one of login or rights, nor one at which other slides would have to wait; with
 * an error there are no bytes. */
bool cn_decode_answer_read(const void *bytes, size_t len, cn_decode_answer *out);
/** Levels that are there, finite numbers, sides up to CN_DECODE_SIDE, a vendor in printable ASCII with an end. */
bool cn_decode_info_read(const void *bytes, size_t len, cn_decode_info *out);
/** Of a channel: ends within its field, UTF-8, without control characters. */
bool cn_decode_is_name(const char name[sizeof(((cn_decode_channel *)0)->name)]);
/** Begins and ends as a JPEG. */
bool cn_decode_is_jpeg(const void *bytes, size_t len);
/** Begins and ends as a PNG. */
bool cn_decode_is_png(const void *bytes, size_t len);

/** What a worker may say of `err`, so that the other end takes it: the same, or CN_ERR_IO; no memory is "too large". */
int32_t cn_decode_err(int32_t err);

/** What the exit status of a maker of levels or pyramids says: CN_LEVELS_STATUS + cn_err. CN_ERR_CRASHED: anything else. */
cn_err cn_decode_exit(int status);

#endif
