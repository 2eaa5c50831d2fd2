/*
 * A slide's colour profile (ICC, TIFF tag 34675) as a table from the scanner's colours to sRGB, which a viewer's shader can look up.
 * The profile is a stranger's: it is small, says that it is of red, green and blue, and is read in the locked worker only.
 */
#ifndef CN_VIEWER_DECODER_COLOUR_H
#define CN_VIEWER_DECODER_COLOUR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

typedef struct cn_colour cn_colour;

/** The profile of the TIFF at `path`, of its first tiled directory that has one; *out is NULL when it has none, or is no TIFF.
 * CN_ERR_NOMEM only. */
cn_err cn_colour_open(cn_colour **out, const char *path);
void cn_colour_close(cn_colour *colour);

/** Bytes of the profile, 0 without one. */
uint32_t cn_colour_bytes(const cn_colour *colour);
/** Whether it looks like a profile of red, green and blue that a table can be made of. False without one. */
bool cn_colour_is_usable(const cn_colour *colour);
/** Writes CN_DECODE_COLOUR_BYTES: cn_colour_table of it. CN_ERR_NOTFOUND without a profile. */
cn_err cn_colour_answer(const cn_colour *colour, void *out, size_t size, size_t *len);

/** Its header says so: an ICC profile of its own length, of a scanner, a screen or a space of red, green and blue. Pure. */
bool cn_colour_is_rgb_profile(const void *profile, size_t len);

/**
 * Writes CN_DECODE_COLOUR_BYTES: for blue, green, red (which varies fastest) at CN_DECODE_COLOUR_SIDE even steps each, the sRGB colour: red, green
 * and blue from 0 to 1, and a little beyond where a screen cannot show it. Cut off here, what is looked up between two steps would be wrong by as
 * much as dE 2.4; so who looks it up cuts off. Relative colorimetric with black point compensation: what the scanner took for white, bare glass, stays white and
 * black stays black, and between them nothing is made prettier than it was measured. CN_ERR_UNSUPPORTED for what is no such profile.
 */
cn_err cn_colour_table(const void *profile, size_t len, uint8_t *out);

#endif
