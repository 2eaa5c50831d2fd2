/* Small changes to a classic little-endian TIFF in memory, as the demo's generator writes it: what scanners and other
 * programs do otherwise. Each takes over `*bytes` (malloc) and fails the test when the file is not of that kind. */
#ifndef CN_SUPPORT_TIFF_H
#define CN_SUPPORT_TIFF_H

#include <stddef.h>
#include <stdint.h>

/** Reads `from`, hands it to `change` (may be NULL) and writes it to DIR/NAME, DIR made when it is not there. */
typedef void (*tiff_change)(uint8_t **bytes, size_t *len);
void tiff_changed_copy(const char *from, const char *dir, const char *name, tiff_change change);

/** A private tag (65000) in the first directory. */
void tiff_private_tag(uint8_t **bytes, size_t *len);
/** Only the first directory stays: a slide without a pyramid. */
void tiff_one_level(uint8_t **bytes, size_t *len);
/** Every third tile of the first directory has neither place nor length. */
void tiff_empty_tiles(uint8_t **bytes, size_t *len);
/** 10 pixels per centimetre, what libvips writes when it was told nothing. */
void tiff_screen_resolution(uint8_t **bytes, size_t *len);
/** Pixels twice as high as wide. */
void tiff_tall_pixels(uint8_t **bytes, size_t *len);

#endif
