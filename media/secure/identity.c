#include "media/secure/identity.h"

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/srtp.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include "base/crypto.h"
#include "base/log.h"
#include "base/mem.h"
#include "media/secure/dtls.h"
#include "media/secure/identity_state.h"

#define VALID_BEFORE_S (24 * 3600)       /* clients' clocks differ */
#define VALID_AFTER_S (365L * 24 * 3600) /* a process may run long; peers check the fingerprint, not the date */
#define CERT_LIST_MAX 8192               /* bytes of a peer's certificate message */

/* RFC 8827 §6.5 demands the first; the others are what browsers and GStreamer offer besides. */
static const char ciphers[] =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:"
    "ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA:"
    /* of use only where this side is the client, for a peer whose certificate is an RSA one */
    "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-SHA";

static bool serial_random(X509 *cert)
{
    BIGNUM *bn = BN_new();
    bool ok = bn && BN_rand(bn, 64, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) &&
              BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(cert));
    BN_free(bn);
    return ok;
}

/** Self-signed; its name says nothing about whose server it is. */
static X509 *certificate_new(EVP_PKEY *key)
{
    X509 *cert = X509_new();
    if (!cert) return NULL;
    X509_NAME *name = X509_get_subject_name(cert);
    static const unsigned char common_name[] = "consilium";
    bool ok = X509_set_version(cert, X509_VERSION_3) && serial_random(cert) &&
              X509_gmtime_adj(X509_getm_notBefore(cert), -VALID_BEFORE_S) &&
              X509_gmtime_adj(X509_getm_notAfter(cert), VALID_AFTER_S) &&
              X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, common_name, -1, -1, 0) &&
              X509_set_issuer_name(cert, name) && X509_set_pubkey(cert, key) && X509_sign(cert, key, EVP_sha256()) > 0;
    if (!ok) {
        X509_free(cert);
        return NULL;
    }
    return cert;
}

static bool fingerprint_text(const X509 *cert, char out[CN_FINGERPRINT_TEXT])
{
    unsigned char digest[CN_SHA256_LEN];
    unsigned n = sizeof digest;
    if (!X509_digest(cert, EVP_sha256(), digest, &n) || n != sizeof digest) return false;
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < sizeof digest; i++) {
        out[3 * i] = hex[digest[i] >> 4];
        out[3 * i + 1] = hex[digest[i] & 15];
        out[3 * i + 2] = i + 1 < sizeof digest ? ':' : '\0';
    }
    return true;
}

static bool context_configure(SSL_CTX *ctx, X509 *cert, EVP_PKEY *key)
{
    SSL_CTX_set_options(ctx, SSL_OP_NO_QUERY_MTU | SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_max_cert_list(ctx, CERT_LIST_MAX);
    SSL_CTX_set_quiet_shutdown(ctx, 0);
    cn_dtls_context_prepare(ctx);
    /* SSL_CTX_set_tlsext_use_srtp answers 0 for success */
    return SSL_CTX_set_min_proto_version(ctx, DTLS1_2_VERSION) && SSL_CTX_set_max_proto_version(ctx, DTLS1_2_VERSION) &&
           SSL_CTX_set_cipher_list(ctx, ciphers) && SSL_CTX_set1_groups_list(ctx, "X25519:P-256:P-384") &&
           SSL_CTX_set_tlsext_use_srtp(ctx, "SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80") == 0 &&
           SSL_CTX_use_certificate(ctx, cert) == 1 && SSL_CTX_use_PrivateKey(ctx, key) == 1;
}

cn_err cn_identity_new(cn_identity **out)
{
    cn_identity *id = CN_NEW(cn_identity);
    if (!id) return CN_ERR_NOMEM;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = key ? certificate_new(key) : NULL;
    id->ctx = SSL_CTX_new(DTLS_method());
    bool ok = cert && id->ctx && fingerprint_text(cert, id->fingerprint) && context_configure(id->ctx, cert, key);
    X509_free(cert);
    EVP_PKEY_free(key);
    if (!ok) {
        char text[256];
        ERR_error_string_n(ERR_get_error(), text, sizeof text);
        cn_error("media.identity", "no DTLS identity: %s", text);
        ERR_clear_error();
        cn_identity_free(id);
        return CN_ERR_CRYPTO;
    }
    *out = id;
    return CN_OK;
}

const char *cn_identity_fingerprint(const cn_identity *id)
{
    return id->fingerprint;
}

void cn_identity_free(cn_identity *id)
{
    if (!id) return;
    SSL_CTX_free(id->ctx);
    free(id);
}
