/*
 * What an OME-TIFF says of itself (OME-XML, schema 2010 to 2016, in the first directory's description): its largest image,
 * and in which directory of the file each of its planes stands. Pure.
 */
#ifndef CN_VIEWER_DECODER_OMEXML_H
#define CN_VIEWER_DECODER_OMEXML_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "viewer/decode_proto.h"

#define CN_OME_PLANES CN_DECODE_PLANES /* z-planes times channels, at most */
#define CN_OME_MISSING UINT32_MAX

typedef struct cn_ome_plan {
    int64_t width, height;
    uint32_t z_planes, channels; /* channels that are planes of their own: one for RGB */
    uint32_t samples;            /* of a pixel, 1 or 3 */
    double mpp_x, mpp_y;         /* µm, 0: not said */
    double z_spacing;            /* µm, 0: not said */
    double objective;            /* 0: not said */
    cn_decode_channel channel[CN_DECODE_CHANNELS];
    uint32_t dirs[CN_OME_PLANES]; /* of plane (z, channel) at z × channels + channel; at the first moment in time */
} cn_ome_plan;

/** CN_ERR_UNSUPPORTED: this is no OME-XML, its pixels are in other files, or more than is read; CN_ERR_CORRUPT: it
 * contradicts itself. */
cn_err cn_ome_read_xml(const char *text, size_t len, cn_ome_plan *out);

#endif
