/* Any part of a slide in any size, turned, in colour or not, as JPEG or PNG: what IIIF asks for. */
#ifndef CN_VIEWER_DECODER_CUT_H
#define CN_VIEWER_DECODER_CUT_H

#include "viewer/decoder/slide.h"

/** Answers CN_DECODE_CUT. CN_ERR_TOOBIG when `size` bytes are too few. */
cn_err cn_cut_answer(cn_dslide *slide, const cn_decode_ask *ask, void *out, size_t size, size_t *len);

#endif
