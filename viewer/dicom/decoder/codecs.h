/* One frame out of its codestream, as native pixels: little endian, samples of a pixel beside each other. */
#ifndef CN_VIEWER_DICOM_DECODER_CODECS_H
#define CN_VIEWER_DICOM_DECODER_CODECS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/** What the data set says the frame is; a codestream that is something else is refused. */
typedef struct cn_target {
    uint8_t *out; /* rows × columns × samples × bytes */
    uint32_t rows, columns, samples;
    unsigned bytes; /* of a sample: 1, 2 or 4 */
    bool ybr;       /* the codestream holds Y, Cb and Cr, which become RGB */
    bool is_signed;
    const char *why; /* what was wrong, in words */
} cn_target;

typedef cn_err cn_frame_codec(const uint8_t *bytes, size_t len, cn_target *to);

/** JPEG (ITU-T T.81) of 8 bits by libjpeg; lossless and more than 8 bits by DCMTK. */
cn_frame_codec cn_codec_jpeg;
/** JPEG-LS (ITU-T T.87) by CharLS. */
cn_frame_codec cn_codec_jpegls;
/** JPEG 2000 (ITU-T T.800) by OpenJPEG. */
cn_frame_codec cn_codec_j2k;
/** HTJ2K (ITU-T T.814) by OpenJPH. */
cn_frame_codec cn_codec_htj2k;
/** RLE (PS3.5 Annex G). */
cn_frame_codec cn_codec_rle;
/** A deflated frame (PS3.5 §A.4.13). */
cn_frame_codec cn_codec_deflated;

/** Stores sample `value` at place `at`, in as many bytes as one has. */
static inline void cn_target_put(const cn_target *to, size_t at, int64_t value)
{
    uint8_t *byte = to->out + at * to->bytes;
    for (unsigned i = 0; i < to->bytes; i++) byte[i] = (uint8_t)((uint64_t)value >> (8 * i));
}

/** Y, Cb, Cr of full range to red, green, blue (PS3.3 C.7.6.3.1.2), in place. */
void cn_ybr_to_rgb(uint8_t part[3]);

/** Sets the reason; returns `err`. */
static inline cn_err cn_target_refuse(cn_target *to, cn_err err, const char *why)
{
    to->why = why;
    return err;
}

#define CN_WHY_SIZE "the picture inside has another size than the file says"
#define CN_WHY_DEPTH "the picture inside has more bits than the file says"
#define CN_WHY_DAMAGED "the compressed picture is damaged"

/* dcmtk.cc: `bits` 8, 12 or 16 is the library's build; samples are host's, of one or two bytes. */
bool cn_dcmtk_jpeg(const uint8_t *bytes, size_t len, unsigned bits, bool is_signed, uint8_t *out, size_t size);

#endif
