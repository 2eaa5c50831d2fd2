/* A decoder worker: one slide, locked, until its socket closes. */
#ifndef CN_VIEWER_DECODER_WORKER_H
#define CN_VIEWER_DECODER_WORKER_H

#include <stddef.h>

#include "viewer/decoder/slide.h"

/** Locks this process into the slide's folder, able to write `file_bytes` at most, and opens the slide. */
cn_err cn_decoder_open(cn_dslide **slide, const char *path, size_t file_bytes);

/** Serves questions on `sock` with answers in `shared` (CN_DECODE_SHARED bytes); returns the exit status. The first
 * message sent says whether the slide could be opened. */
int cn_decoder_worker(int sock, void *shared, const char *path);

#endif
