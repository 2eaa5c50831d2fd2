/*
 * The server's side of the decoder processes: a zygote and at most N workers, one per open slide, least recently used
 * first out. Thread-safe; all calls block (tile jobs only). A worker that crashes or takes too long costs one request.
 */
#ifndef CN_VIEWER_DECODERS_H
#define CN_VIEWER_DECODERS_H

#include <stddef.h>

#include "base/err.h"
#include "viewer/decode_proto.h"

typedef struct cn_decoders cn_decoders;

/** `program`: path of consilium-decoder; `limit`: workers at most. Starts the zygote. */
cn_err cn_decoders_new(cn_decoders **out, const char *program, unsigned limit);

/**
 * Asks the worker of the slide at `path` (absolute, alone in its folder; opened when it is not). `*bytes` is the
 * caller's to free, zero-terminated. CN_ERR_UNSUPPORTED, CN_ERR_CORRUPT: the slide; CN_ERR_NOTFOUND: no such tile;
 * CN_ERR_TIMEOUT after 20 s; CN_ERR_CRASHED; CN_ERR_AGAIN: all workers are busy.
 */
cn_err cn_decoders_ask(cn_decoders *decoders, const char *path, const cn_decode_ask *ask, void **bytes, size_t *len);

/** Ends the worker of a slide, e.g. when its file is deleted. */
void cn_decoders_forget(cn_decoders *decoders, const char *path);

void cn_decoders_free(cn_decoders *decoders);

#endif
