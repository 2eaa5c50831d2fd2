/* The inside of an identity: shared by identity.c and dtls.c only. */
#ifndef CN_MEDIA_IDENTITY_STATE_H
#define CN_MEDIA_IDENTITY_STATE_H

#include <openssl/ssl.h>

#include "media/secure/identity.h"

#define CN_FINGERPRINT_TEXT 96 /* 32 pairs, colons between, the end */

struct cn_identity {
    SSL_CTX *ctx;
    char fingerprint[CN_FINGERPRINT_TEXT];
};

#endif
