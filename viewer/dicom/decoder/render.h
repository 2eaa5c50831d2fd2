/* A frame as a small picture for those who have no DICOM viewer: thumbnails, reports, clients that ask. */
#ifndef CN_VIEWER_DICOM_DECODER_RENDER_H
#define CN_VIEWER_DICOM_DECODER_RENDER_H

#include "viewer/dicom/decoder/pixels.h"
#include "viewer/dicom/dicomproto.h"

/** Writes a JPEG to `out`. Errors as cn_pixels_frame; CN_ERR_UNSUPPORTED also for pixels that are no picture. */
cn_err cn_render_jpeg(cn_opened *file, const cn_dicom_ask *ask, void *out, size_t size, size_t *n);

#endif
