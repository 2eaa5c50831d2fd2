/* Levels that a slide lacks, made by a process of its own and put beside it whole or not at all. Blocking: minutes. */
#ifndef CN_VIEWER_LEVELS_H
#define CN_VIEWER_LEVELS_H

#include "base/err.h"

/**
 * Has `program` (consilium-decoder) make them for the slide at `path`; `id` is what cn_progress_of knows it by. `scratch`: an existing folder on the same file
 * system; what a kill leaves there goes with it (cn_scratch_sweep). CN_ERR_CLOSED at once when `stop_fd` can be read;
 * the slide's own errors as cn_decoders_ask, CN_ERR_TOOBIG above 1 GiB or 40,000 million pixels.
 */
cn_err cn_levels_make(const char *program, const char *id, const char *path, const char *scratch, int stop_fd);

/** Notes that they cannot be made, so that nobody tries again. */
cn_err cn_levels_give_up(const char *path);

#endif
