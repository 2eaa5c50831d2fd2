/* Who the SFU is to its peers: one ECDSA P-256 certificate and one DTLS context for the process, made new at every
 * start. */
#ifndef CN_MEDIA_IDENTITY_H
#define CN_MEDIA_IDENTITY_H

#include "base/err.h"

typedef struct cn_identity cn_identity;

/** A new key, self-signed certificate (RFC 8827 §6.5) and DTLS server context. Any thread; read-only afterwards, shared
 * by all workers. */
cn_err cn_identity_new(cn_identity **out);

/** SHA-256 of the certificate for `a=fingerprint:sha-256 …` (RFC 8122): upper-case hex pairs with colons, 95
 * characters. */
const char *cn_identity_fingerprint(const cn_identity *id);

/** After every transport that uses it. Wipes the key. NULL allowed. */
void cn_identity_free(cn_identity *id);

#endif
