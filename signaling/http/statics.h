/*
 * The built web app, read into memory at the start: exact paths only, so nothing outside can be asked for.
 * Precompressed siblings (.br, .gz) are chosen by Accept-Encoding. Read-only after loading, any thread.
 */
#ifndef CN_SIGNALING_STATICS_H
#define CN_SIGNALING_STATICS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

typedef struct cn_statics cn_statics;

typedef struct cn_static {
    const char *type;
    const char *encoding; /* "br", "gzip" or NULL */
    const char *etag;     /* without quotes */
    bool immutable;       /* its name holds a hash */
    bool varies;          /* other encodings exist */
    const void *bytes;
    size_t n;
} cn_static;

/** Reads the folder (at most 4,096 files, 256 MiB). CN_ERR_NOTFOUND when there is none. */
cn_err cn_statics_load(cn_statics **out, const char *root);
void cn_statics_free(cn_statics *statics);

/**
 * What to send for a path: the file, or index.html for a path of the app (no extension in its last part, not under
 * /api/ and the like) when `accept` allows text/html. `accept` and `accept_encoding` may be NULL. False: 404.
 */
bool cn_statics_find(const cn_statics *statics, const char *path, const char *accept, const char *accept_encoding,
                     cn_static *out);

/** True when an Accept-Encoding header allows `coding` (RFC 9110 §12.5.3: q=0 forbids, "*" counts). */
bool cn_encoding_accepted(const char *header, const char *coding);

#endif
