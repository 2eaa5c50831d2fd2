/*
 * Reading DICOM files in processes of their own (the program consilium-dicom): a zygote, and one locked worker for each sender, so that
 * what one sender's file does to a parser or codec reaches nobody else's. Files are handed over as open descriptors; a worker
 * opens nothing itself. All calls but _new block, 10 s at most each (what
 * writes a whole file: 10 s for each frame, 10 minutes in all); a worker that crashed or took too long is started again by the next call.
 */
#ifndef CN_VIEWER_DICOM_READER_H
#define CN_VIEWER_DICOM_READER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "viewer/dicom/dicomproto.h"

typedef struct cn_dicom_readers cn_dicom_readers; /* the zygote; thread-safe */
typedef struct cn_dicom_reader cn_dicom_reader;   /* one worker: one sender's files; one thread at a time */

/** `program`: path of consilium-dicom; `limit`: workers at most. Starts the zygote. */
cn_err cn_dicom_readers_new(cn_dicom_readers **out, const char *program, unsigned limit);
/** All readers have been closed. */
void cn_dicom_readers_free(cn_dicom_readers *readers);

/** CN_ERR_AGAIN: `limit` are open. The worker itself is forked by the first question. */
cn_err cn_dicom_reader_open(cn_dicom_readers *readers, cn_dicom_reader **out);
void cn_dicom_reader_close(cn_dicom_reader *reader);

typedef struct cn_dicom_index {
    char study[65], series[65], instance[65], sop_class[65], syntax[65];  /* "": the file does not say */
    uint32_t rows, columns, frames, samples, bits_allocated, bits_stored; /* 0 where there is no picture */
    char photometric[20];
    char plain_photometric
        [20]; /* of what cn_dicom_reader_frame and _plain give: "RGB" for most of what is compressed as YBR */
    /** DICOM JSON model (PS3.18 Annex F), UTF-8, every element but group 2 and group lengths; (0008,0005) says ISO_IR 192. Binary values over 1 KiB,
     * pixel data and what no longer fits have BulkDataURI "offset/length" in bytes of the file (of the inflated data set in a deflated file). */
    json_t *tags;
    /** Where each frame's bytes lie in the file, `frames` of them, NULL unless `as_stored`. */
    cn_dicom_span *frame;
    bool as_stored; /* frames can leave as stored: not big-endian, deflated, bit-packed, several fragments a frame */
    uint64_t pixel_offset,
        pixel_length; /* of the value of the pixel data: of a native one its bytes, else from the first item on; 0 without */
    char note[64]; /* what was doubtful, words with blanks between: "charset" "uid" "order" "offsets" "meta"; or "" */
} cn_dicom_index;

/**
 * What a file holds. `why` (≥ 200 bytes) gets a plain sentence with the tag where it is refused, without any value of a patient's.
 * CN_ERR_UNSUPPORTED: no DICOM; CN_ERR_CORRUPT: contradicts itself or its length; CN_ERR_TOOBIG; CN_ERR_TIMEOUT, CN_ERR_CRASHED.
 */
cn_err cn_dicom_reader_index(cn_dicom_reader *reader, int fd, cn_dicom_index *out, char *why, size_t why_size);
void cn_dicom_index_clear(cn_dicom_index *index);

/*
 * The others read the file anew. `why` as above, may be NULL with size 0. CN_ERR_NOTFOUND: no such frame; CN_ERR_UNSUPPORTED: a film, a codec that nobody
 * here knows, no picture; CN_ERR_CORRUPT.
 */

/**
 * One frame (0-based) as native pixels, little endian (PS3.5 §8.1): what was compressed has its samples beside each other and is called
 * `plain_photometric`; native pixels stay as they are but for their byte order; frames of single bits begin with a byte of their own. Caller frees.
 */
cn_err cn_dicom_reader_frame(cn_dicom_reader *reader, int fd, uint32_t frame, void **bytes, size_t *len, char *why,
                             size_t why_size);

/** One frame as it is compressed, in the file's transfer syntax, where its fragments have to be joined first (not `as_stored`, yet compressed). Caller frees. */
cn_err cn_dicom_reader_stored(cn_dicom_reader *reader, int fd, uint32_t frame, void **bytes, size_t *len, char *why,
                              size_t why_size);

/** The whole instance as Part 10, Explicit VR Little Endian, with native pixels, into `out_fd` from where it stands; not made durable. */
cn_err cn_dicom_reader_plain(cn_dicom_reader *reader, int fd, int out_fd, char *why, size_t why_size);

typedef struct cn_dicom_view {
    uint32_t frame;   /* 0-based */
    uint32_t size;    /* pixels a side at most, ≤ CN_DICOM_SIDE; never larger than stored */
    uint32_t quality; /* of the JPEG, 1 … 100 */
    bool windowed;    /* by these; otherwise the file's own window or VOI LUT, else the range of what is stored */
    double center, width;
} cn_dicom_view;

/** A frame as JPEG: modality LUT or rescale, VOI LUT or window, MONOCHROME1 and presentation LUT shape, palette, colours. Caller frees. */
cn_err cn_dicom_reader_render(cn_dicom_reader *reader, int fd, const cn_dicom_view *view, void **jpeg, size_t *len,
                              char *why, size_t why_size);

typedef struct cn_dicom_deid {
    uint8_t key[32];         /* the same UIDs become the same new ones under it, so that a study stays one */
    const cn_dicom_box *box; /* blackened in every frame, CN_DICOM_BOXES at most */
    size_t boxes;
} cn_dicom_deid;

/**
 * The whole instance without identity into `out_fd` (PS3.15 basic profile; what nobody's table knows and people fill in goes too). With boxes the pixels are
 * decoded; without they stay as stored. What is burned into a picture outside the boxes stays: somebody has to look. After an error `out_fd` holds
 * nothing that may leave. CN_ERR_UNSUPPORTED also for encapsulated documents.
 */
cn_err cn_dicom_reader_deidentify(cn_dicom_reader *reader, int fd, const cn_dicom_deid *how, int out_fd, char *why,
                                  size_t why_size);

#endif
