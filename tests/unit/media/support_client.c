#include "support_client.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/srtp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <srtp2/srtp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <stun/stunagent.h>
#include <stun/usages/ice.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "media/wire/rtcp.h"

#define BATCH 32
#define DATAGRAM 2048

struct cn_client {
    int fd;
    struct sockaddr_storage server;
    socklen_t server_n;
    char ufrag[9], pwd[25], fingerprint[96];
    char server_ufrag[257], server_pwd[257], server_fingerprint[97];

    StunAgent stun;
    uint64_t tie;
    uint8_t check[512];
    size_t check_n;
    int stun_error;

    SSL_CTX *ctx;
    SSL *ssl;
    BIO *in;
    bool started, connected, closed;
    srtp_t srtp_in, srtp_out;
    char profile[32];

    bool tcp;
    uint32_t line_bps;
    uint64_t line_ns;      /* up to when what the line carries was taken */
    uint8_t stream[65536]; /* what came and is not a whole frame yet */
    size_t stream_n;

    uint8_t sent[DATAGRAM];
    size_t sent_n;
    cn_client_events events;
    void *arg;
    cn_client_counts counts;
};

static void random_text(char *out, size_t n)
{
    FILE *f = fopen("/dev/urandom", "rb");
    size_t got = f ? fread(out, 1, n, f) : 0;
    if (f) fclose(f);
    for (size_t i = 0; i < n; i++) out[i] = (char)('a' + (i < got ? (unsigned char)out[i] % 26 : 0));
    out[n] = '\0';
}

static bool digest_text(X509 *cert, char out[96])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    if (!X509_digest(cert, EVP_sha256(), digest, &n)) return false;
    for (unsigned i = 0; i < n; i++) snprintf(out + 3 * i, 4, i + 1 < n ? "%02X:" : "%02X", digest[i]);
    return true;
}

static int accept_any(int preverified, X509_STORE_CTX *store)
{
    (void)preverified, (void)store;
    return 1;
}

/** OpenSSL pads nothing by itself: a list of long protocol names makes the hello as long as Chromium's with its
 * post-quantum share. */
static bool hello_lengthen(SSL_CTX *ctx)
{
    unsigned char list[1206];
    for (size_t i = 0; i < sizeof list; i += 201) {
        list[i] = 200;
        memset(list + i + 1, 'a' + (int)(i / 201), 200);
    }
    return SSL_CTX_set_alpn_protos(ctx, list, sizeof list) == 0;
}

static bool context_new(cn_client *c, const char *profiles, bool long_hello)
{
    c->ctx = SSL_CTX_new(DTLS_client_method());
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    bool ok = c->ctx && key && cert && X509_gmtime_adj(X509_getm_notBefore(cert), -3600) &&
              X509_gmtime_adj(X509_getm_notAfter(cert), 86400) && X509_set_pubkey(cert, key) &&
              ASN1_INTEGER_set(X509_get_serialNumber(cert), 1) && X509_sign(cert, key, EVP_sha256()) &&
              digest_text(cert, c->fingerprint) && SSL_CTX_use_certificate(c->ctx, cert) == 1 &&
              SSL_CTX_use_PrivateKey(c->ctx, key) == 1;
    if (ok && profiles) ok = SSL_CTX_set_tlsext_use_srtp(c->ctx, profiles) == 0;
    if (ok && long_hello) ok = hello_lengthen(c->ctx);
    if (ok) SSL_CTX_set_verify(c->ctx, SSL_VERIFY_PEER, accept_any);
    X509_free(cert);
    EVP_PKEY_free(key);
    return ok;
}

cn_client *cn_client_new(const char *profiles, bool long_hello, const cn_client_events *events, void *arg)
{
    cn_client *c = calloc(1, sizeof *c);
    if (!c) return NULL;
    c->fd = -1;
    if (events) c->events = *events;
    c->arg = arg;
    random_text(c->ufrag, 8);
    random_text(c->pwd, 24);
    c->tie = (uint64_t)(uintptr_t)c;
    stun_agent_init(&c->stun, STUN_ALL_KNOWN_ATTRIBUTES, STUN_COMPATIBILITY_RFC5389,
                    STUN_AGENT_USAGE_SHORT_TERM_CREDENTIALS | STUN_AGENT_USAGE_USE_FINGERPRINT);
    static bool srtp_started;
    if (!srtp_started) srtp_started = srtp_init() == srtp_err_status_ok;
    if (!context_new(c, profiles, long_hello)) {
        cn_client_free(c);
        return NULL;
    }
    return c;
}

const char *cn_client_ufrag(const cn_client *c)
{
    return c->ufrag;
}

const char *cn_client_pwd(const cn_client *c)
{
    return c->pwd;
}

const char *cn_client_fingerprint(const cn_client *c)
{
    return c->fingerprint;
}

/** On loopback the kernel completes a connection before anybody accepts it. */
static bool stream_open(cn_client *c)
{
    c->stream_n = 0;
    c->fd = socket(c->server.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int one = 1, few = 4096;
    (void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (c->line_bps) (void)setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &few, sizeof few);
    return c->fd >= 0 && connect(c->fd, (struct sockaddr *)&c->server, c->server_n) == 0 &&
           fcntl(c->fd, F_SETFL, O_NONBLOCK) == 0;
}

void cn_client_tcp(cn_client *c, bool on)
{
    c->tcp = on;
}

void cn_client_line(cn_client *c, uint32_t bps)
{
    c->line_bps = bps;
}

/** Bytes that the line has carried since it was asked last, at most `max`. */
static size_t line_carries(cn_client *c, size_t max)
{
    if (!c->line_bps) return max;
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    uint64_t now = (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
    if (now - c->line_ns > 100000000) c->line_ns = now - 100000000; /* what was not sent in time is no credit */
    uint64_t bytes = (now - c->line_ns) * c->line_bps / 8000000000;
    if (bytes > max) bytes = max;
    c->line_ns += bytes * 8000000000 / c->line_bps;
    return bytes;
}

static bool socket_open(cn_client *c)
{
    if (c->tcp) return stream_open(c);
    c->fd = socket(c->server.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int bytes = 1 << 20;
    (void)setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    int stamps = c->events.arrived != NULL;
    (void)setsockopt(c->fd, SOL_SOCKET, SO_TIMESTAMPNS, &stamps, sizeof stamps);
    return c->fd >= 0 && connect(c->fd, (struct sockaddr *)&c->server, c->server_n) == 0;
}

bool cn_client_target(cn_client *c, const char *address, uint16_t port, const char *ufrag, const char *pwd,
                      const char *fingerprint)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)&c->server;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&c->server;
    memset(&c->server, 0, sizeof c->server);
    if (inet_pton(AF_INET, address, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        c->server_n = sizeof *v4;
    } else if (inet_pton(AF_INET6, address, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(port);
        c->server_n = sizeof *v6;
    } else {
        return false;
    }
    snprintf(c->server_ufrag, sizeof c->server_ufrag, "%s", ufrag);
    snprintf(c->server_pwd, sizeof c->server_pwd, "%s", pwd);
    snprintf(c->server_fingerprint, sizeof c->server_fingerprint, "%s", fingerprint ? fingerprint : "");
    return c->fd >= 0 || socket_open(c);
}

bool cn_client_move(cn_client *c)
{
    int old = c->fd; /* closed last, or the new socket might get the same port */
    bool ok = socket_open(c);
    if (old >= 0) close(old);
    return ok;
}

int cn_client_fd(const cn_client *c)
{
    return c->fd;
}

/* STUN */

bool cn_client_check(cn_client *c, bool use_candidate, bool controlled)
{
    char user[520];
    int user_n = snprintf(user, sizeof user, "%s:%s", c->server_ufrag, c->ufrag);
    if (user_n <= 0) return false;
    StunMessage m;
    StunTransactionId id;
    c->check_n =
        stun_usage_ice_conncheck_create(&c->stun, &m, c->check, sizeof c->check, (const uint8_t *)user, (size_t)user_n,
                                        (const uint8_t *)c->server_pwd, strlen(c->server_pwd), use_candidate,
                                        !controlled, 0x6e0001ff, c->tie, NULL, STUN_USAGE_ICE_COMPATIBILITY_RFC5245);
    if (!c->check_n) {
        /* all slots for outstanding requests are taken by checks that nobody answered */
        stun_agent_init(&c->stun, STUN_ALL_KNOWN_ATTRIBUTES, STUN_COMPATIBILITY_RFC5389,
                        STUN_AGENT_USAGE_SHORT_TERM_CREDENTIALS | STUN_AGENT_USAGE_USE_FINGERPRINT);
        return false;
    }
    stun_message_id(&m, id);
    return cn_client_raw(c, c->check, c->check_n);
}

size_t cn_client_last_check(const cn_client *c, const uint8_t **p)
{
    *p = c->check;
    return c->check_n;
}

int cn_client_stun_error(const cn_client *c)
{
    return c->stun_error;
}

/* A full agent at the other side checks as well: RFC 8445 §7.3. */
static void on_check(cn_client *c, const uint8_t *p, size_t n)
{
    char user[300];
    (void)snprintf(user, sizeof user, "%s:%s", c->ufrag, c->server_ufrag);
    StunDefaultValidaterData known[] = {{(uint8_t *)user, strlen(user), (uint8_t *)c->pwd, strlen(c->pwd)},
                                        {NULL, 0, NULL, 0}};
    StunMessage request, reply;
    uint8_t out[512];
    size_t out_n = sizeof out;
    bool control = true;
    if (stun_agent_validate(&c->stun, &request, p, n, stun_agent_default_validater, known) != STUN_VALIDATION_SUCCESS)
        return;
    (void)stun_usage_ice_conncheck_create_reply(&c->stun, &request, &reply, out, &out_n, &c->server, c->server_n,
                                                &control, c->tie, STUN_USAGE_ICE_COMPATIBILITY_RFC5245);
    if (out_n) (void)cn_client_raw(c, out, out_n);
}

static void on_stun(cn_client *c, const uint8_t *p, size_t n)
{
    if (p[0] == 0 && p[1] == 1) {
        on_check(c, p, n);
        return;
    }
    StunMessage m;
    StunValidationStatus status = stun_agent_validate(&c->stun, &m, p, n, NULL, NULL);
    if (status != STUN_VALIDATION_SUCCESS) return;
    struct sockaddr_storage mapped;
    socklen_t mapped_n = sizeof mapped;
    StunUsageIceReturn r =
        stun_usage_ice_conncheck_process(&m, &mapped, &mapped_n, STUN_USAGE_ICE_COMPATIBILITY_RFC5245);
    struct sockaddr_storage own;
    socklen_t own_n = sizeof own;
    if (r == STUN_USAGE_ICE_RETURN_SUCCESS && getsockname(c->fd, (struct sockaddr *)&own, &own_n) == 0 &&
        ((struct sockaddr_in *)&mapped)->sin_port == ((struct sockaddr_in *)&own)->sin_port) {
        c->counts.stun_ok++;
        if (c->started && !c->ssl) cn_client_handshake(c);
    } else if (r != STUN_USAGE_ICE_RETURN_SUCCESS) {
        c->counts.stun_error++;
        (void)stun_message_find_error(&m, &c->stun_error);
    }
}

/* DTLS */

static srtp_t session_new(srtp_profile_t profile, const uint8_t *key, const uint8_t *salt, size_t salt_n,
                          srtp_ssrc_type_t type)
{
    uint8_t master[30];
    memcpy(master, key, 16);
    memcpy(master + 16, salt, salt_n);
    srtp_policy_t policy;
    memset(&policy, 0, sizeof policy);
    srtp_crypto_policy_set_from_profile_for_rtp(&policy.rtp, profile);
    srtp_crypto_policy_set_from_profile_for_rtcp(&policy.rtcp, profile);
    policy.ssrc.type = type;
    policy.key = master;
    policy.window_size = 1024;
    srtp_t session = NULL;
    return srtp_create(&session, &policy) ? NULL : session;
}

static bool keys_take(cn_client *c)
{
    SRTP_PROTECTION_PROFILE *negotiated = SSL_get_selected_srtp_profile(c->ssl);
    if (!negotiated) return false;
    bool gcm = negotiated->id == SRTP_AEAD_AES_128_GCM;
    srtp_profile_t profile = gcm ? srtp_profile_aead_aes_128_gcm : srtp_profile_aes128_cm_sha1_80;
    size_t salt = gcm ? 12 : 14;
    uint8_t k[60];
    if (SSL_export_keying_material(c->ssl, k, 2 * (16 + salt), "EXTRACTOR-dtls_srtp", 19, NULL, 0, 0) != 1)
        return false;
    snprintf(c->profile, sizeof c->profile, "%s", negotiated->name);
    c->srtp_out = session_new(profile, k, k + 32, salt, ssrc_any_outbound);
    c->srtp_in = session_new(profile, k + 16, k + 32 + salt, salt, ssrc_any_inbound);
    return c->srtp_in && c->srtp_out;
}

static bool server_is_expected(cn_client *c)
{
    X509 *cert = SSL_get0_peer_certificate(c->ssl);
    char text[96];
    return !c->server_fingerprint[0] || (cert && digest_text(cert, text) && strcmp(text, c->server_fingerprint) == 0);
}

static void dtls_advance(cn_client *c)
{
    char junk[256];
    int r = c->connected ? SSL_read(c->ssl, junk, sizeof junk) : SSL_do_handshake(c->ssl);
    if (r == 1 && !c->connected) {
        c->connected = server_is_expected(c) && keys_take(c);
        c->closed = !c->connected;
    } else if (r <= 0) {
        int e = SSL_get_error(c->ssl, r);
        if (e != SSL_ERROR_WANT_READ && e != SSL_ERROR_WANT_WRITE) c->closed = true;
    }
    ERR_clear_error();
}

/* one write of OpenSSL is one datagram, whatever carries it */

static int bio_write(BIO *bio, const char *p, int n)
{
    return cn_client_raw(BIO_get_data(bio), (const uint8_t *)p, (size_t)n) ? n : -1;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
    (void)bio, (void)number, (void)pointer;
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

static BIO *bio_out(cn_client *c)
{
    static BIO_METHOD *method;
    if (!method) {
        method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "client");
        BIO_meth_set_write(method, bio_write);
        BIO_meth_set_ctrl(method, bio_ctrl);
    }
    BIO *bio = BIO_new(method);
    BIO_set_data(bio, c);
    BIO_set_init(bio, 1);
    return bio;
}

void cn_client_handshake(cn_client *c)
{
    c->ssl = SSL_new(c->ctx);
    c->in = BIO_new(BIO_s_mem());
    BIO *out = bio_out(c);
    if (!c->ssl || !c->in || !out) abort();
    BIO_set_mem_eof_return(c->in, -1);
    SSL_set_bio(c->ssl, c->in, out);
    SSL_set_options(c->ssl, SSL_OP_NO_QUERY_MTU);
    SSL_set_mtu(c->ssl, 1200);
    SSL_set_connect_state(c->ssl);
    dtls_advance(c);
}

void cn_client_start(cn_client *c)
{
    c->started = true;
    (void)cn_client_check(c, true, false);
}

void cn_client_tick(cn_client *c)
{
    if (!c->ssl || c->connected) {
        if (c->started) (void)cn_client_check(c, true, false);
    } else {
        (void)DTLSv1_handle_timeout(c->ssl);
    }
}

void cn_client_bye(cn_client *c)
{
    if (c->ssl) (void)SSL_shutdown(c->ssl);
}

/* datagrams */

static void on_media(cn_client *c, uint8_t *p, size_t n)
{
    int len = (int)n;
    bool rtcp = p[1] >= 192 && p[1] <= 223;
    if (!c->srtp_in) {
        c->counts.rtp_bad++;
        return;
    }
    if (rtcp) {
        if (srtp_unprotect_rtcp(c->srtp_in, p, &len)) {
            c->counts.rtcp_bad++;
            return;
        }
        c->counts.rtcp_in++;
        if (c->events.rtcp) c->events.rtcp(c->arg, c, p, (size_t)len);
        return;
    }
    if (srtp_unprotect(c->srtp_in, p, &len)) {
        c->counts.rtp_bad++;
        return;
    }
    c->counts.rtp_in++;
    c->counts.rtp_bytes += (uint64_t)len;
    if (c->events.rtp) c->events.rtp(c->arg, c, p, (size_t)len);
}

static void on_datagram(cn_client *c, uint8_t *p, size_t n)
{
    c->counts.datagrams_in++;
    if (n < 8) return;
    if (p[0] < 4) {
        on_stun(c, p, n);
    } else if (p[0] >= 20 && p[0] < 64 && c->ssl) {
        BIO_write(c->in, p, (int)n);
        dtls_advance(c);
    } else if (p[0] >= 128 && p[0] < 192) {
        on_media(c, p, n);
    }
}

static void tell_arrival(cn_client *c, struct msghdr *h, const uint8_t *p, size_t n)
{
    if (!c->events.arrived || n < 8 || p[0] < 128 || p[0] >= 192) return;
    for (struct cmsghdr *m = CMSG_FIRSTHDR(h); m; m = CMSG_NXTHDR(h, m)) {
        if (m->cmsg_level != SOL_SOCKET || m->cmsg_type != SCM_TIMESTAMPNS) continue;
        struct timespec t;
        memcpy(&t, CMSG_DATA(m), sizeof t);
        c->events.arrived(c->arg, c, n, (int64_t)t.tv_sec * 1000000000 + t.tv_nsec);
    }
}

static void receive_stream(cn_client *c)
{
    ssize_t got = 0;
    size_t most;
    while ((most = line_carries(c, sizeof c->stream - c->stream_n)) > 0 &&
           (got = recv(c->fd, c->stream + c->stream_n, most, MSG_DONTWAIT)) > 0) {
        c->stream_n += (size_t)got;
        size_t at = 0, len = 0;
        for (; c->stream_n - at >= 2; at += 2 + len) {
            len = (size_t)c->stream[at] << 8 | c->stream[at + 1];
            if (c->stream_n - at < 2 + len) break;
            on_datagram(c, c->stream + at + 2, len);
        }
        memmove(c->stream, c->stream + at, c->stream_n - at);
        c->stream_n -= at;
    }
    if (most && got == 0) c->closed = true;
}

void cn_client_receive(cn_client *c)
{
    if (c->tcp) {
        receive_stream(c);
        return;
    }
    static _Thread_local uint8_t data[BATCH][DATAGRAM];
    struct mmsghdr m[BATCH];
    struct iovec v[BATCH];
    _Alignas(struct cmsghdr) uint8_t control[BATCH][CMSG_SPACE(sizeof(struct timespec))];
    int got;
    do {
        for (size_t i = 0; i < BATCH; i++) {
            v[i] = (struct iovec){data[i], DATAGRAM};
            m[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &v[i], .msg_iovlen = 1}};
            if (!c->events.arrived) continue;
            m[i].msg_hdr.msg_control = control[i];
            m[i].msg_hdr.msg_controllen = sizeof control[i];
        }
        got = recvmmsg(c->fd, m, BATCH, MSG_DONTWAIT, NULL);
        for (int i = 0; i < got; i++) {
            tell_arrival(c, &m[i].msg_hdr, data[i], m[i].msg_len);
            on_datagram(c, data[i], m[i].msg_len);
        }
    } while (got == BATCH);
}

bool cn_client_connected(const cn_client *c)
{
    return c->connected;
}

bool cn_client_closed(const cn_client *c)
{
    return c->closed;
}

const char *cn_client_profile(const cn_client *c)
{
    return c->profile;
}

static bool protect_and_send(cn_client *c, srtp_err_status_t (*fn)(srtp_t, void *, int *), const uint8_t *packet,
                             size_t n)
{
    if (!c->srtp_out || n + SRTP_MAX_TRAILER_LEN + 4 > sizeof c->sent) return false;
    memcpy(c->sent, packet, n);
    int len = (int)n;
    if (fn(c->srtp_out, c->sent, &len)) return false;
    c->sent_n = (size_t)len;
    return cn_client_raw(c, c->sent, c->sent_n);
}

bool cn_client_rtp(cn_client *c, const uint8_t *packet, size_t n)
{
    return protect_and_send(c, srtp_protect, packet, n);
}

bool cn_client_rtcp(cn_client *c, const uint8_t *packet, size_t n)
{
    return protect_and_send(c, srtp_protect_rtcp, packet, n);
}

void cn_client_feedback(cn_client *c, cn_twcc_in *came, uint64_t now_ns)
{
    cn_twcc_arrival arrivals[512];
    uint16_t base = 0;
    size_t n = cn_twcc_in_take(came, now_ns, arrivals, 512, &base), at = 0;
    while (at < n) {
        uint8_t packet[1200];
        size_t used = 0;
        size_t len = cn_rtcp_write_twcc(packet, sizeof packet, 1, 1, came->number, base, arrivals + at, n - at, &used);
        if (!len || !used) return;
        came->number++;
        at += used;
        if (at < n) base = arrivals[at].seq;
        (void)cn_client_rtcp(c, packet, len);
    }
}

size_t cn_client_last_sent(const cn_client *c, const uint8_t **p)
{
    *p = c->sent;
    return c->sent_n;
}

bool cn_client_raw(cn_client *c, const uint8_t *p, size_t n)
{
    if (!c->tcp) return send(c->fd, p, n, 0) == (ssize_t)n;
    uint8_t frame[2 + 65535] = {(uint8_t)(n >> 8), (uint8_t)n};
    memcpy(frame + 2, p, n);
    return send(c->fd, frame, n + 2, MSG_NOSIGNAL) == (ssize_t)(n + 2);
}

const cn_client_counts *cn_client_counts_get(const cn_client *c)
{
    return &c->counts;
}

void cn_client_free(cn_client *c)
{
    if (!c) return;
    SSL_free(c->ssl);
    SSL_CTX_free(c->ctx);
    if (c->srtp_in) srtp_dealloc(c->srtp_in);
    if (c->srtp_out) srtp_dealloc(c->srtp_out);
    if (c->fd >= 0) close(c->fd);
    free(c);
}
