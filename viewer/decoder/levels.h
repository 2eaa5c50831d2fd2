/* Makes the levels that a slide lacks: a tiled TIFF with JPEG tiles beside the slide, which OpenSlide reads. */
#ifndef CN_VIEWER_DECODER_LEVELS_H
#define CN_VIEWER_DECODER_LEVELS_H

/**
 * `consilium-decoder levels SLIDE OUT HOW`: a process of its own, locked like a worker but for the two files that it writes.
 * Gives the exit status (CN_LEVELS_STATUS + an error, 0 when OUT is complete).
 */
int cn_levels_main(const char *path, const char *out, const char *how);

#endif
