/*
 * The server's side of the decoder processes: a zygote and at most N workers, one per open slide, least recently used
 * first out. A slide that several people look at gets more while places are free: as many as there are cores, ended
 * again when they are idle. Thread-safe; all calls block (tile jobs only). A worker that crashes or takes too long costs
 * one request.
 */
#ifndef CN_VIEWER_DECODERS_H
#define CN_VIEWER_DECODERS_H

#include <stddef.h>

#include "base/err.h"
#include "viewer/decode_proto.h"

typedef struct cn_decoders cn_decoders;

/** `program`: path of consilium-decoder; `limit`: workers at most. Starts the zygote. */
cn_err cn_decoders_new(cn_decoders **out, const char *program, unsigned limit);

#define CN_DECODERS_SHARE 40

/**
 * Asks the worker of the slide at `path` (absolute, alone in its folder with what belongs to it; opened when it is not).
 * `share`: whose slide it is, the hospital's id; "" is one as well. When places are short, whoever has the most gives one
 * up, and at most a quarter of them are slides of one share that have shown nothing yet: a hospital's broken slides wait
 * for each other, not everybody for them. `*bytes` is the caller's to free, zero-terminated.
 * CN_ERR_UNSUPPORTED, CN_ERR_CORRUPT: the slide; CN_ERR_NOTFOUND: no such tile; CN_ERR_TIMEOUT after 10 s;
 * CN_ERR_CRASHED; all four are remembered for half a minute, a crash from the second on. CN_ERR_AGAIN: all workers, or
 * all that the share may have, are busy.
 */
cn_err cn_decoders_ask(cn_decoders *decoders, const char *path, const char *share, const cn_decode_ask *ask,
                       void **bytes, size_t *len);

/** Ends the worker of a slide, e.g. when its file is deleted. */
void cn_decoders_forget(cn_decoders *decoders, const char *path);

void cn_decoders_free(cn_decoders *decoders);

#endif
