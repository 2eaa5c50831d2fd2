/* What a JPEG says of itself before its first scan: its size, and which colours a browser takes its components for. Pure. */
#ifndef CN_VIEWER_JPEGHEAD_H
#define CN_VIEWER_JPEGHEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CN_JPEG_UNKNOWN, CN_JPEG_GREY, CN_JPEG_YCBCR, CN_JPEG_RGB };

typedef struct cn_jpeghead {
    uint32_t width, height;
    unsigned components;
    int colours; /* CN_JPEG_…; as libjpeg guesses where nothing is said */
    bool says;   /* by a JFIF or an Adobe segment */
    bool jfif, adobe;
    uint8_t transform; /* of the Adobe segment */
    uint8_t ids[3];    /* of the components */
} cn_jpeghead;

/** Reads segments from SOI up to the first scan or EOI, and adds what they say to *out (zeroed before the first call: tables come in
 * front of a picture). False when they are no segments, of more than 8 bits, or of a process that browsers do not know (ITU-T T.81 B.1.1.3:
 * all but SOF0, SOF1, SOF2). */
bool cn_jpeghead_read(const uint8_t *bytes, size_t len, cn_jpeghead *out);

#endif
