#include "media/secure/dtls.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/srtp.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/time.h>

#include "base/log.h"
#include "base/mem.h"
#include "media/secure/identity_state.h"

#define RECORD_HEADER 13
#define TYPE_HANDSHAKE 22
#define HANDSHAKE_CLIENT_HELLO 1
#define HANDSHAKE_SERVER_HELLO 2
#define RETRANSMIT_FIRST_US 200000 /* RFC 6347's 1 s costs a joiner too much on a lossy line */
#define RETRANSMIT_MAX_US 2000000

struct cn_dtls {
    SSL *ssl;
    cn_fingerprint expected;
    cn_dtls_send_fn send;
    void *arg;
    const uint8_t *in; /* the datagram being received, NULL once read */
    size_t in_n;
    bool answered, client;
    bool wrong_certificate;
};

static const struct {
    const char *sdp, *openssl;
    size_t n;
} digests[] = {{"sha-256", "SHA256", 32}, {"sha-384", "SHA384", 48}, {"sha-512", "SHA512", 64}};

static int hex_value(char ch)
{
    if (ch >= '0' && ch <= '9') return ch - '0';
    if (ch >= 'A' && ch <= 'F') return ch - 'A' + 10;
    if (ch >= 'a' && ch <= 'f') return ch - 'a' + 10;
    return -1;
}

cn_err cn_fingerprint_parse(cn_fingerprint *out, const char *alg, const char *text)
{
    if (!alg || !text) return CN_ERR_INVALID;
    size_t row = 0;
    while (row < sizeof digests / sizeof *digests && strcasecmp(digests[row].sdp, alg) != 0) row++;
    if (row == sizeof digests / sizeof *digests) return CN_ERR_UNSUPPORTED;
    cn_fingerprint fingerprint = {.digest = digests[row].openssl, .n = digests[row].n};
    if (strlen(text) != 3 * fingerprint.n - 1) return CN_ERR_INVALID;
    for (size_t i = 0; i < fingerprint.n; i++) {
        int high = hex_value(text[3 * i]), low = hex_value(text[3 * i + 1]);
        if (high < 0 || low < 0 || (i + 1 < fingerprint.n && text[3 * i + 2] != ':')) return CN_ERR_INVALID;
        fingerprint.bytes[i] = (uint8_t)(high << 4 | low);
    }
    *out = fingerprint;
    return CN_OK;
}

bool cn_fingerprint_equal(const cn_fingerprint *left, const cn_fingerprint *right)
{
    return left->digest == right->digest && left->n == right->n &&
           CRYPTO_memcmp(left->bytes, right->bytes, left->n) == 0;
}

/* OpenSSL's view of the datagrams: one read gives one received datagram, one write is one datagram to send. */

static int bio_read(BIO *bio, char *out, int size)
{
    cn_dtls *dtls = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (!dtls->in || size <= 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    size_t n = dtls->in_n < (size_t)size ? dtls->in_n : (size_t)size;
    memcpy(out, dtls->in, n);
    dtls->in = NULL;
    return (int)n;
}

static int bio_write(BIO *bio, const char *bytes, int len)
{
    cn_dtls *dtls = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (len <= 0) return 0;
    if (len > RECORD_HEADER && bytes[0] == TYPE_HANDSHAKE && bytes[RECORD_HEADER] == HANDSHAKE_SERVER_HELLO)
        dtls->answered = true;
    dtls->send(dtls->arg, (const uint8_t *)bytes, (size_t)len);
    return len;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
    (void)bio, (void)number, (void)pointer;
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

static int bio_create(BIO *bio)
{
    BIO_set_init(bio, 1);
    return 1;
}

static BIO_METHOD *bio_method;

static void bio_method_make(void)
{
    BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "datagrams");
    if (m && BIO_meth_set_read(m, bio_read) && BIO_meth_set_write(m, bio_write) && BIO_meth_set_ctrl(m, bio_ctrl) &&
        BIO_meth_set_create(m, bio_create)) {
        bio_method = m;
    } else {
        BIO_meth_free(m);
    }
}

/** Instead of a chain of authorities: the leaf's digest must be the one that signaling brought (RFC 8122 §6.2). */
static int verify_by_fingerprint(X509_STORE_CTX *store, void *arg)
{
    (void)arg;
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    cn_dtls *dtls = ssl ? SSL_get_app_data(ssl) : NULL;
    X509 *leaf = X509_STORE_CTX_get0_cert(store);
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    const EVP_MD *md = dtls && dtls->expected.digest ? EVP_get_digestbyname(dtls->expected.digest) : NULL;
    bool same = md && leaf && X509_digest(leaf, md, digest, &n) && n == dtls->expected.n &&
                CRYPTO_memcmp(digest, dtls->expected.bytes, n) == 0;
    if (dtls) dtls->wrong_certificate = !same;
    X509_STORE_CTX_set_error(store, same ? X509_V_OK : X509_V_ERR_CERT_REJECTED);
    return same;
}

void cn_dtls_context_prepare(SSL_CTX *ctx)
{
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    SSL_CTX_set_cert_verify_callback(ctx, verify_by_fingerprint, NULL);
}

static unsigned retransmit_after(SSL *ssl, unsigned last_us)
{
    (void)ssl;
    if (!last_us) return RETRANSMIT_FIRST_US;
    return last_us > RETRANSMIT_MAX_US / 2 ? RETRANSMIT_MAX_US : 2 * last_us;
}

cn_err cn_dtls_new(cn_dtls **out, const cn_identity *id, const cn_fingerprint *expected, bool client,
                   cn_dtls_send_fn send, void *arg)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, bio_method_make);
    cn_dtls *dtls = CN_NEW(cn_dtls);
    if (!dtls) return CN_ERR_NOMEM;
    dtls->expected = *expected;
    dtls->send = send;
    dtls->arg = arg;
    dtls->client = client;
    dtls->ssl = SSL_new(id->ctx);
    BIO *bio = bio_method ? BIO_new(bio_method) : NULL;
    if (!dtls->ssl || !bio) {
        BIO_free(bio);
        cn_dtls_free(dtls);
        return CN_ERR_NOMEM;
    }
    BIO_set_data(bio, dtls);
    SSL_set_bio(dtls->ssl, bio, bio);
    SSL_set_app_data(dtls->ssl, dtls);
    SSL_set_mtu(dtls->ssl, CN_DTLS_MTU);
    DTLS_set_timer_cb(dtls->ssl, retransmit_after);
    if (client)
        SSL_set_connect_state(dtls->ssl);
    else
        SSL_set_accept_state(dtls->ssl);
    *out = dtls;
    return CN_OK;
}

bool cn_dtls_well_formed(const uint8_t *bytes, size_t length)
{
    while (length) {
        /* the version bytes 0xfe 0xff (1.0) are what a first ClientHello may carry besides 0xfe 0xfd (1.2) */
        if (length < RECORD_HEADER || bytes[0] < 20 || bytes[0] > 25 || bytes[1] != 0xfe) return false;
        size_t len = (size_t)bytes[11] << 8 | bytes[12];
        if (len > length - RECORD_HEADER) return false;
        bytes += RECORD_HEADER + len;
        length -= RECORD_HEADER + len;
    }
    return true;
}

bool cn_dtls_is_client_hello(const uint8_t *bytes, size_t len)
{
    return len >= RECORD_HEADER + 12 && bytes[0] == TYPE_HANDSHAKE && bytes[3] == 0 && bytes[4] == 0 &&
           bytes[RECORD_HEADER] == HANDSHAKE_CLIENT_HELLO;
}

static void log_failure(const char *what)
{
    char text[200] = "no reason given";
    unsigned long code = ERR_get_error();
    if (code) ERR_error_string_n(code, text, sizeof text);
    cn_debug("media.dtls", "%s: %s", what, text);
    ERR_clear_error();
}

static cn_dtls_state state_after(cn_dtls *dtls, int result)
{
    int reason = SSL_get_error(dtls->ssl, result);
    if (reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE) {
        ERR_clear_error(); /* records that did not decrypt leave theirs behind */
        return SSL_is_init_finished(dtls->ssl) ? CN_DTLS_OPEN : CN_DTLS_HANDSHAKE;
    }
    bool peer_said = (SSL_get_shutdown(dtls->ssl) & SSL_RECEIVED_SHUTDOWN) != 0;
    log_failure(peer_said ? "closed by the peer" : "handshake failed");
    if (peer_said) return CN_DTLS_CLOSED;
    return dtls->wrong_certificate ? CN_DTLS_FINGERPRINT : CN_DTLS_FAILED;
}

cn_dtls_state cn_dtls_receive(cn_dtls *dtls, const uint8_t *bytes, size_t len)
{
    ERR_clear_error();
    if (SSL_alloc_buffers(dtls->ssl) != 1) return CN_DTLS_FAILED;
    dtls->in = bytes;
    dtls->in_n = len;
    cn_dtls_state state = CN_DTLS_OPEN;
    if (!SSL_is_init_finished(dtls->ssl)) {
        int done = SSL_do_handshake(dtls->ssl);
        if (done != 1) state = state_after(dtls, done);
    }
    if (state == CN_DTLS_OPEN) {
        uint8_t application[2048]; /* data channels are not offered: whatever comes is read away, alerts take effect */
        int got;
        do {
            got = SSL_read(dtls->ssl, application, sizeof application);
        } while (got > 0);
        state = state_after(dtls, got);
    }
    dtls->in = NULL;
    /* nothing is expected any more but the end: 34 KiB of buffers come back when it does */
    if (state == CN_DTLS_OPEN) (void)SSL_free_buffers(dtls->ssl);
    return state;
}

cn_dtls_state cn_dtls_begin(cn_dtls *dtls)
{
    ERR_clear_error();
    int done = SSL_do_handshake(dtls->ssl);
    return done == 1 ? CN_DTLS_OPEN : state_after(dtls, done);
}

bool cn_dtls_answered(const cn_dtls *dtls)
{
    return dtls->answered;
}

bool cn_dtls_timeout(cn_dtls *dtls, uint64_t *ms)
{
    struct timeval left;
    if (!DTLSv1_get_timeout(dtls->ssl, &left)) return false;
    *ms = (uint64_t)left.tv_sec * 1000 + ((uint64_t)left.tv_usec + 999) / 1000;
    return true;
}

cn_dtls_state cn_dtls_tick(cn_dtls *dtls)
{
    ERR_clear_error();
    if (SSL_alloc_buffers(dtls->ssl) != 1 || DTLSv1_handle_timeout(dtls->ssl) < 0) {
        log_failure("no answer from the peer");
        return CN_DTLS_FAILED;
    }
    return SSL_is_init_finished(dtls->ssl) ? CN_DTLS_OPEN : CN_DTLS_HANDSHAKE;
}

cn_err cn_dtls_keys(cn_dtls *dtls, cn_srtp_keys *out)
{
    if (!SSL_is_init_finished(dtls->ssl)) return CN_ERR_STATE;
    const SRTP_PROTECTION_PROFILE *negotiated = SSL_get_selected_srtp_profile(dtls->ssl);
    cn_srtp_profile profile = negotiated ? (cn_srtp_profile)negotiated->id : CN_SRTP_NONE;
    size_t salt = cn_srtp_profile_salt(profile);
    if (!salt) return CN_ERR_UNSUPPORTED;
    uint8_t material[2 * (CN_SRTP_KEY + CN_SRTP_SALT_MAX)];
    static const char label[] = "EXTRACTOR-dtls_srtp";
    if (SSL_export_keying_material(dtls->ssl, material, 2 * (CN_SRTP_KEY + salt), label, sizeof label - 1, NULL, 0,
                                   0) != 1) {
        log_failure("no keys");
        return CN_ERR_CRYPTO;
    }
    memset(out, 0, sizeof *out);
    out->profile = profile;
    const uint8_t *p = material; /* client key, server key, client salt, server salt */
    bool client = dtls->client;
    memcpy((client ? &out->out : &out->in)->key, p, CN_SRTP_KEY);
    memcpy((client ? &out->in : &out->out)->key, p + CN_SRTP_KEY, CN_SRTP_KEY);
    memcpy((client ? &out->out : &out->in)->salt, p + 2 * CN_SRTP_KEY, salt);
    memcpy((client ? &out->in : &out->out)->salt, p + 2 * CN_SRTP_KEY + salt, salt);
    OPENSSL_cleanse(material, sizeof material);
    return CN_OK;
}

void cn_dtls_close(cn_dtls *dtls)
{
    if (!SSL_is_init_finished(dtls->ssl)) return;
    ERR_clear_error();
    if (SSL_alloc_buffers(dtls->ssl) == 1) (void)SSL_shutdown(dtls->ssl);
    ERR_clear_error();
}

void cn_dtls_free(cn_dtls *dtls)
{
    if (!dtls) return;
    SSL_free(dtls->ssl);
    free(dtls);
}
