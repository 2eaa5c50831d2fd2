/* JPEG for the printer: pixels of Cairo as one, and one as it is onto a page. */
#ifndef CN_PRINTER_JPEGS_H
#define CN_PRINTER_JPEGS_H

#include <cairo.h>

#include "base/str.h"

/** Appends an image surface of format RGB24, quality 90 with colours in full resolution. */
cn_err cn_jpegs_write(cairo_surface_t *surface, cn_buf *out);

/** A surface that carries the JPEG's own bytes into a PDF, untouched; `bytes` must live as long as it. NULL when they are no JPEG of at most 4,096 pixels
 * a side. */
cairo_surface_t *cn_jpegs_carry(const unsigned char *bytes, size_t len);

#endif
