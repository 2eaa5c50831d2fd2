/*
 * OME-TIFF through libtiff: z-planes and channels, pyramids in SubIFDs, grey of 8, 16 or 32 bits and RGB, tiles or strips.
 * OpenSlide knows none of this. Grey is shown through a window of each channel, from what its overview holds; channels
 * are added up in their colours.
 */
#ifndef CN_VIEWER_DECODER_OME_H
#define CN_VIEWER_DECODER_OME_H

#include "base/err.h"
#include "viewer/decode_proto.h"
#include "viewer/slide/scale.h"

typedef struct cn_ome cn_ome;

/** Fills `info` but for its scale (`mpp_x`, `mpp_y` as the file says). CN_ERR_UNSUPPORTED: no OME-TIFF, or not one that
 * is read; CN_ERR_CORRUPT. */
cn_err cn_ome_open(cn_ome **out, const char *path, cn_decode_info *info);
void cn_ome_close(cn_ome *ome);

/** Pixels of a level from (x, y) there, ARGB; nothing (0) outside. `z`: a plane; `channel`: of the ask, 0 for all. */
cn_err cn_ome_read(cn_ome *ome, uint32_t level, int64_t x, int64_t y, int64_t width, int64_t height, uint32_t z,
                   uint32_t channel, uint32_t *argb);

#endif
