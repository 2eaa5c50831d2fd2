/* Bodies of several parts as they arrive (RFC 2046 §5.1, RFC 2387). Pure: what a part's bytes are for is the caller's. */
#ifndef CN_SIGNALING_MULTIPART_H
#define CN_SIGNALING_MULTIPART_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define CN_MULTIPART_BOUNDARY 70 /* characters at most, RFC 2046 §5.1.1 */
#define CN_MULTIPART_HEAD 4096   /* bytes of a part's headers at most */

/** Called in order for each part; an error of theirs ends the reading. */
typedef struct cn_multipart_ops {
    cn_err (*begin)(void *ctx, const char *type); /* its Content-Type, "" where it has none */
    cn_err (*bytes)(void *ctx, const void *bytes, size_t len);
    cn_err (*end)(void *ctx);
} cn_multipart_ops;

typedef enum cn_multipart_state {
    CN_MULTIPART_BEFORE, /* what stands before the first boundary is nobody's */
    CN_MULTIPART_HEADERS,
    CN_MULTIPART_BODY,
    CN_MULTIPART_AFTER
} cn_multipart_state;

typedef struct cn_multipart {
    const cn_multipart_ops *ops;
    void *ctx;
    cn_multipart_state state;
    char mark[4 + CN_MULTIPART_BOUNDARY + 1]; /* line end, two hyphens, boundary */
    size_t mark_n, matched;                   /* how much of the mark the last bytes were */
    char head[CN_MULTIPART_HEAD + 1];
    size_t head_n;
} cn_multipart;

/** A parameter of a header like `multipart/related; boundary="x"`, quoted or not, its name in any case. False: not there or too long. */
bool cn_multipart_param(const char *header, const char *name, char *out, size_t size);

/** `boundary` as the Content-Type says it; CN_ERR_INVALID for none or one that RFC 2046 does not permit. */
cn_err cn_multipart_start(cn_multipart *multipart, const char *boundary, const cn_multipart_ops *ops, void *ctx);
/** CN_ERR_PARSE: not such a body; CN_ERR_TOOBIG: headers of a part longer than CN_MULTIPART_HEAD. */
cn_err cn_multipart_feed(cn_multipart *multipart, const void *bytes, size_t len);
/** Everything arrived. CN_ERR_PARSE: the last boundary did not. */
cn_err cn_multipart_finish(const cn_multipart *multipart);

#endif
