/* Where the frames of a picture lie (PS3.5 §8.2, §A.4). Pure. */
#ifndef CN_VIEWER_DICOM_DECODER_FRAMES_H
#define CN_VIEWER_DICOM_DECODER_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "viewer/dicom/decoder/dataset.h"

/** What the data set says of its picture (PS3.3 C.7.6.3). */
typedef struct cn_picture {
    uint32_t rows, columns, frames, samples, bits_allocated, bits_stored, high_bit;
    bool is_signed, planar, has_pixels;
    char photometric[20];
    cn_element pixels;           /* (7FE0,0010), (7FE0,0008) or (7FE0,0009) */
    cn_element offsets, lengths; /* the extended offset table (7FE0,0001), (7FE0,0002); length 0 without */
} cn_picture;

typedef struct cn_frames {
    cn_dicom_span *fragment; /* of encapsulated pixel data, all of them in order … */
    uint32_t fragments;
    uint32_t *first;      /* … of frame i the fragments first[i] … first[i + 1] - 1; NULL where native */
    uint64_t frame_bytes; /* of a native frame; 0: not of whole bytes each */
    bool single;          /* one fragment each */
    bool odd_table;       /* an offset table that is wrong was left aside */
} cn_frames;

/** Bytes of one frame as native pixels, a started byte counts. */
uint64_t cn_frame_bytes(const cn_picture *picture);

/** CN_ERR_CORRUPT with `dataset->why`: sizes and offsets contradict each other or the file. Close it in any case. */
cn_err cn_frames_find(cn_dataset *dataset, const cn_picture *picture, cn_frames *out);
void cn_frames_clear(cn_frames *frames);

#endif
