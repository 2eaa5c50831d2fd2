/* Slides out of a ZIP, by consilium-unpacker, a confined process. Blocking: seconds to minutes. */
#ifndef CN_VIEWER_UNPACK_H
#define CN_VIEWER_UNPACK_H

#include <stdint.h>

#include "viewer/parts/plan.h"

#define CN_ZIP_STATUS 32 /* its exit status: this and the refusal */
#define CN_ZIP_NO_SPACE 31

/** How many bytes a slide may have when it is unpacked; before the first call below. */
void cn_unpack_bound(int64_t max_bytes);

/** Whether there is a slide in the ZIP at `path`: CN_ERR_INVALID and the refusal when there is none. All other errors say
 * that it could not be looked at (in 20 s, with 1 GiB). */
cn_err cn_unpack_look(const char *path, cn_zip_refusal *refusal);

/**
 * Unpacks it into a new folder of `scratch`, whose path is `dir`; the caller takes the folder from there or removes it
 * (cn_scratch_remove). The main file is "slide.mrxs", "slide.svs"… CN_ERR_CLOSED at once when `stop_fd` can be read,
 * CN_ERR_CORRUPT when it was refused after all, CN_ERR_NOSPACE, CN_ERR_CRASHED, CN_ERR_TIMEOUT.
 */
cn_err cn_unpack(const char *path, const char *scratch, int stop_fd, char *dir, size_t size);

#endif
