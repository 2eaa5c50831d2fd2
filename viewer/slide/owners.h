/* Whose a slide is, asked once and remembered: tiles come by the hundred. Thread-safe. */
#ifndef CN_VIEWER_OWNERS_H
#define CN_VIEWER_OWNERS_H

#include "viewer/slide/decoders.h"

typedef struct cn_owners cn_owners;

/** Writes the share (cn_decoders_ask) of the slide `id`; "" when it is nobody's. Any thread; may block. */
typedef void (*cn_owners_fn)(void *ctx, const char *id, char share[CN_DECODERS_SHARE]);

/** `fn` NULL: everything is nobody's. */
cn_err cn_owners_new(cn_owners **out, cn_owners_fn fn, void *ctx);
void cn_owners_of(cn_owners *owners, const char *id, char share[CN_DECODERS_SHARE]);
void cn_owners_free(cn_owners *owners);

#endif
