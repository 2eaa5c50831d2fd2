/*
 * Reading DICOM files in processes of their own (the program consilium-dicom): a zygote, and one locked worker for each sender, so that
 * what one sender's file does to a parser or codec reaches nobody else's. Files are handed over as open descriptors; a worker
 * opens nothing itself. All calls but _new block, 10 s at most each (what
 * writes a whole file: 10 s for each frame, 10 minutes in all); a worker that crashed or took too long is started again by the next call.
 */
#ifndef CN_VIEWER_DICOM_READER_H
#define CN_VIEWER_DICOM_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "viewer/dicom/record.h"

typedef struct cn_dicom_readers cn_dicom_readers; /* the zygote; thread-safe */
typedef struct cn_dicom_reader cn_dicom_reader;   /* one worker: one sender's files; one thread at a time */

/** `program`: path of consilium-dicom; `limit`: workers at most. Starts the zygote. */
cn_err cn_dicom_readers_new(cn_dicom_readers **out, const char *program, unsigned limit);
/** All readers have been closed. */
void cn_dicom_readers_free(cn_dicom_readers *readers);

/** Waits up to 5 s while `limit` are open, CN_ERR_AGAIN then. The worker itself is forked by the first question. */
cn_err cn_dicom_reader_open(cn_dicom_readers *readers, cn_dicom_reader **out);
void cn_dicom_reader_close(cn_dicom_reader *reader);

/**
 * What a file holds. `why` (≥ 200 bytes) gets a plain sentence with the tag where it is refused, without any value of a patient's.
 * CN_ERR_UNSUPPORTED: no DICOM; CN_ERR_CORRUPT: contradicts itself or its length; CN_ERR_TOOBIG; CN_ERR_TIMEOUT, CN_ERR_CRASHED.
 */
cn_err cn_dicom_reader_index(cn_dicom_reader *reader, int fd, cn_dicom_index *out, char *why, size_t why_size);

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
