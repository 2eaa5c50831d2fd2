/*
 * What the server and its DICOM workers say to each other, over SOCK_SEQPACKET sockets (the zygote: viewer/decode_proto.h).
 *
 *   server ────> worker : cn_dicom_ask, with the file and, where something is written, where to, as descriptors
 *   server <──── worker : cn_dicom_answer; `n` bytes stand at the start of the shared memory
 *
 * While a worker writes a file frame by frame it sends answers with `more` in between, so that whoever waits knows that it goes on.
 * An answer to CN_DICOM_INDEX is a cn_dicom_head, then `spans` cn_dicom_span, then `json` bytes of text. With an error the bytes are the
 * sentence that says why. Numbers in host order: both ends are the same machine. Neither end believes the other.
 */
#ifndef CN_VIEWER_DICOM_DICOMPROTO_H
#define CN_VIEWER_DICOM_DICOMPROTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define CN_DICOM_SHARED \
    ((size_t)256 << 20) /* bytes of shared memory, touched as far as they are used; no answer is larger */
#define CN_DICOM_WHY 256
#define CN_DICOM_FRAMES (4u << 20)
#define CN_DICOM_JSON (48u << 20)

enum {
    CN_DICOM_INDEX = 1,  /* answer: what the file holds */
    CN_DICOM_FRAME = 2,  /* answer: one frame as native pixels */
    CN_DICOM_PLAIN = 3,  /* the file as Explicit VR Little Endian goes to the second descriptor */
    CN_DICOM_RENDER = 4, /* answer: a JPEG */
    CN_DICOM_STORED = 6, /* answer: one frame's codestream, its fragments joined */
    CN_DICOM_DEID = 5,   /* the file without identity goes to the second descriptor */
};

#define CN_DICOM_SIDE 8192 /* pixels a side of a picture that is rendered at most */

#define CN_DICOM_BOXES 64

/** An area of every frame, in pixels from the top left corner. */
typedef struct cn_dicom_box {
    uint32_t x, y, width, height;
} cn_dicom_box;

typedef struct cn_dicom_ask {
    uint32_t op;
    uint32_t frame;
    uint32_t size, quality; /* RENDER: pixels a side at most; 1 … 100 */
    uint32_t windowed;
    double center, width;
    uint8_t key[32]; /* DEID: of new UIDs */
    uint32_t boxes;
    cn_dicom_box box[CN_DICOM_BOXES];
} cn_dicom_ask;

typedef struct cn_dicom_answer {
    int32_t err;   /* cn_err */
    uint32_t n;    /* bytes in shared memory */
    uint32_t more; /* 1: this is no answer yet */
} cn_dicom_answer;

/** Bytes [offset, offset + length) of a file. */
typedef struct cn_dicom_span {
    uint64_t offset, length;
} cn_dicom_span;

typedef struct cn_dicom_head {
    char study[65], series[65], instance[65], sop_class[65], syntax[65];
    char photometric[20], plain_photometric[20], note[64];
    uint32_t rows, columns, frames, samples, bits_allocated, bits_stored;
    uint32_t as_stored;
    uint32_t spans, json;
    uint64_t pixel_offset, pixel_length;
} cn_dicom_head;

/* Each copies what it takes to *out and says whether it is such a message. Pure. */

/** `fds`: descriptors that came with it. */
bool cn_dicom_ask_read(const void *bytes, size_t len, size_t fds, cn_dicom_ask *out);
/** An error that is about the file; no more bytes than are shared. */
bool cn_dicom_answer_read(const void *bytes, size_t len, cn_dicom_answer *out);
/**
 * The head of an index of a file of `file_bytes`: UIDs of digits and dots, words of printable ASCII, spans that lie in the file, one after the
 * other, none of length 0, as many as frames or none. `*spans` (not aligned) and `*json` point into `bytes`.
 */
bool cn_dicom_head_read(const void *bytes, size_t len, uint64_t file_bytes, cn_dicom_head *out, const uint8_t **spans,
                        const char **json);
/** A sentence: printable ASCII only, cut to `size`; anything else becomes "?". */
void cn_dicom_why_read(const void *bytes, size_t len, char *why, size_t size);

#endif
