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

static void random_text(char *out, size_t len)
{
    FILE *file = fopen("/dev/urandom", "rb");
    size_t got = file ? fread(out, 1, len, file) : 0;
    if (file) fclose(file);
    for (size_t i = 0; i < len; i++) out[i] = (char)('a' + (i < got ? (unsigned char)out[i] % 26 : 0));
    out[len] = '\0';
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

static bool context_new(cn_client *client, const char *profiles, bool long_hello)
{
    client->ctx = SSL_CTX_new(DTLS_client_method());
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    bool ok = client->ctx && key && cert && X509_gmtime_adj(X509_getm_notBefore(cert), -3600) &&
              X509_gmtime_adj(X509_getm_notAfter(cert), 86400) && X509_set_pubkey(cert, key) &&
              ASN1_INTEGER_set(X509_get_serialNumber(cert), 1) && X509_sign(cert, key, EVP_sha256()) &&
              digest_text(cert, client->fingerprint) && SSL_CTX_use_certificate(client->ctx, cert) == 1 &&
              SSL_CTX_use_PrivateKey(client->ctx, key) == 1;
    if (ok && profiles) ok = SSL_CTX_set_tlsext_use_srtp(client->ctx, profiles) == 0;
    if (ok && long_hello) ok = hello_lengthen(client->ctx);
    if (ok) SSL_CTX_set_verify(client->ctx, SSL_VERIFY_PEER, accept_any);
    X509_free(cert);
    EVP_PKEY_free(key);
    return ok;
}

cn_client *cn_client_new(const char *profiles, bool long_hello, const cn_client_events *events, void *arg)
{
    cn_client *client = calloc(1, sizeof *client);
    if (!client) return NULL;
    client->fd = -1;
    if (events) client->events = *events;
    client->arg = arg;
    random_text(client->ufrag, 8);
    random_text(client->pwd, 24);
    client->tie = (uint64_t)(uintptr_t)client;
    stun_agent_init(&client->stun, STUN_ALL_KNOWN_ATTRIBUTES, STUN_COMPATIBILITY_RFC5389,
                    STUN_AGENT_USAGE_SHORT_TERM_CREDENTIALS | STUN_AGENT_USAGE_USE_FINGERPRINT);
    static bool srtp_started;
    if (!srtp_started) srtp_started = srtp_init() == srtp_err_status_ok;
    if (!context_new(client, profiles, long_hello)) {
        cn_client_free(client);
        return NULL;
    }
    return client;
}

const char *cn_client_ufrag(const cn_client *client)
{
    return client->ufrag;
}

const char *cn_client_pwd(const cn_client *client)
{
    return client->pwd;
}

const char *cn_client_fingerprint(const cn_client *client)
{
    return client->fingerprint;
}

/** On loopback the kernel completes a connection before anybody accepts it. */
static bool stream_open(cn_client *client)
{
    client->stream_n = 0;
    client->fd = socket(client->server.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int one = 1, few = 4096;
    (void)setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (client->line_bps) (void)setsockopt(client->fd, SOL_SOCKET, SO_RCVBUF, &few, sizeof few);
    return client->fd >= 0 && connect(client->fd, (struct sockaddr *)&client->server, client->server_n) == 0 &&
           fcntl(client->fd, F_SETFL, O_NONBLOCK) == 0;
}

void cn_client_tcp(cn_client *client, bool on)
{
    client->tcp = on;
}

void cn_client_line(cn_client *client, uint32_t bps)
{
    client->line_bps = bps;
}

/** Bytes that the line has carried since it was asked last, at most `max`. */
static size_t line_carries(cn_client *client, size_t max)
{
    if (!client->line_bps) return max;
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    uint64_t now = (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
    if (now - client->line_ns > 100000000)
        client->line_ns = now - 100000000; /* what was not sent in time is no credit */
    uint64_t bytes = (now - client->line_ns) * client->line_bps / 8000000000;
    if (bytes > max) bytes = max;
    client->line_ns += bytes * 8000000000 / client->line_bps;
    return bytes;
}

static bool socket_open(cn_client *client)
{
    if (client->tcp) return stream_open(client);
    client->fd = socket(client->server.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int bytes = 1 << 20;
    (void)setsockopt(client->fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    int stamps = client->events.arrived != NULL;
    (void)setsockopt(client->fd, SOL_SOCKET, SO_TIMESTAMPNS, &stamps, sizeof stamps);
    return client->fd >= 0 && connect(client->fd, (struct sockaddr *)&client->server, client->server_n) == 0;
}

bool cn_client_target(cn_client *client, const char *address, uint16_t port, const char *ufrag, const char *pwd,
                      const char *fingerprint)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)&client->server;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&client->server;
    memset(&client->server, 0, sizeof client->server);
    if (inet_pton(AF_INET, address, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
        client->server_n = sizeof *v4;
    } else if (inet_pton(AF_INET6, address, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(port);
        client->server_n = sizeof *v6;
    } else {
        return false;
    }
    snprintf(client->server_ufrag, sizeof client->server_ufrag, "%s", ufrag);
    snprintf(client->server_pwd, sizeof client->server_pwd, "%s", pwd);
    snprintf(client->server_fingerprint, sizeof client->server_fingerprint, "%s", fingerprint ? fingerprint : "");
    return client->fd >= 0 || socket_open(client);
}

bool cn_client_move(cn_client *client)
{
    int old = client->fd; /* closed last, or the new socket might get the same port */
    bool ok = socket_open(client);
    if (old >= 0) close(old);
    return ok;
}

int cn_client_fd(const cn_client *client)
{
    return client->fd;
}

/* STUN */

bool cn_client_check(cn_client *client, bool use_candidate, bool controlled)
{
    char user[520];
    int user_n = snprintf(user, sizeof user, "%s:%s", client->server_ufrag, client->ufrag);
    if (user_n <= 0) return false;
    StunMessage m;
    StunTransactionId id;
    client->check_n = stun_usage_ice_conncheck_create(
        &client->stun, &m, client->check, sizeof client->check, (const uint8_t *)user, (size_t)user_n,
        (const uint8_t *)client->server_pwd, strlen(client->server_pwd), use_candidate, !controlled, 0x6e0001ff,
        client->tie, NULL, STUN_USAGE_ICE_COMPATIBILITY_RFC5245);
    if (!client->check_n) {
        /* all slots for outstanding requests are taken by checks that nobody answered */
        stun_agent_init(&client->stun, STUN_ALL_KNOWN_ATTRIBUTES, STUN_COMPATIBILITY_RFC5389,
                        STUN_AGENT_USAGE_SHORT_TERM_CREDENTIALS | STUN_AGENT_USAGE_USE_FINGERPRINT);
        return false;
    }
    stun_message_id(&m, id);
    return cn_client_raw(client, client->check, client->check_n);
}

size_t cn_client_last_check(const cn_client *client, const uint8_t **bytes)
{
    *bytes = client->check;
    return client->check_n;
}

int cn_client_stun_error(const cn_client *client)
{
    return client->stun_error;
}

/* A full agent at the other side checks as well: RFC 8445 §7.3. */
static void on_check(cn_client *client, const uint8_t *bytes, size_t len)
{
    char user[300];
    (void)snprintf(user, sizeof user, "%s:%s", client->ufrag, client->server_ufrag);
    StunDefaultValidaterData known[] = {{(uint8_t *)user, strlen(user), (uint8_t *)client->pwd, strlen(client->pwd)},
                                        {NULL, 0, NULL, 0}};
    StunMessage request, reply;
    uint8_t out[512];
    size_t out_n = sizeof out;
    bool control = true;
    if (stun_agent_validate(&client->stun, &request, bytes, len, stun_agent_default_validater, known) !=
        STUN_VALIDATION_SUCCESS)
        return;
    (void)stun_usage_ice_conncheck_create_reply(&client->stun, &request, &reply, out, &out_n, &client->server,
                                                client->server_n, &control, client->tie,
                                                STUN_USAGE_ICE_COMPATIBILITY_RFC5245);
    if (out_n) (void)cn_client_raw(client, out, out_n);
}

static void on_stun(cn_client *client, const uint8_t *bytes, size_t len)
{
    if (bytes[0] == 0 && bytes[1] == 1) {
        on_check(client, bytes, len);
        return;
    }
    StunMessage m;
    StunValidationStatus status = stun_agent_validate(&client->stun, &m, bytes, len, NULL, NULL);
    if (status != STUN_VALIDATION_SUCCESS) return;
    struct sockaddr_storage mapped;
    socklen_t mapped_n = sizeof mapped;
    StunUsageIceReturn r =
        stun_usage_ice_conncheck_process(&m, &mapped, &mapped_n, STUN_USAGE_ICE_COMPATIBILITY_RFC5245);
    struct sockaddr_storage own;
    socklen_t own_n = sizeof own;
    if (r == STUN_USAGE_ICE_RETURN_SUCCESS && getsockname(client->fd, (struct sockaddr *)&own, &own_n) == 0 &&
        ((struct sockaddr_in *)&mapped)->sin_port == ((struct sockaddr_in *)&own)->sin_port) {
        client->counts.stun_ok++;
        if (client->started && !client->ssl) cn_client_handshake(client);
    } else if (r != STUN_USAGE_ICE_RETURN_SUCCESS) {
        client->counts.stun_error++;
        (void)stun_message_find_error(&m, &client->stun_error);
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

static bool keys_take(cn_client *client)
{
    SRTP_PROTECTION_PROFILE *negotiated = SSL_get_selected_srtp_profile(client->ssl);
    if (!negotiated) return false;
    bool gcm = negotiated->id == SRTP_AEAD_AES_128_GCM;
    srtp_profile_t profile = gcm ? srtp_profile_aead_aes_128_gcm : srtp_profile_aes128_cm_sha1_80;
    size_t salt = gcm ? 12 : 14;
    uint8_t k[60];
    if (SSL_export_keying_material(client->ssl, k, 2 * (16 + salt), "EXTRACTOR-dtls_srtp", 19, NULL, 0, 0) != 1)
        return false;
    snprintf(client->profile, sizeof client->profile, "%s", negotiated->name);
    client->srtp_out = session_new(profile, k, k + 32, salt, ssrc_any_outbound);
    client->srtp_in = session_new(profile, k + 16, k + 32 + salt, salt, ssrc_any_inbound);
    return client->srtp_in && client->srtp_out;
}

static bool server_is_expected(cn_client *client)
{
    X509 *cert = SSL_get0_peer_certificate(client->ssl);
    char text[96];
    return !client->server_fingerprint[0] ||
           (cert && digest_text(cert, text) && strcmp(text, client->server_fingerprint) == 0);
}

static void dtls_advance(cn_client *client)
{
    char junk[256];
    int r = client->connected ? SSL_read(client->ssl, junk, sizeof junk) : SSL_do_handshake(client->ssl);
    if (r == 1 && !client->connected) {
        client->connected = server_is_expected(client) && keys_take(client);
        client->closed = !client->connected;
    } else if (r <= 0) {
        int e = SSL_get_error(client->ssl, r);
        if (e != SSL_ERROR_WANT_READ && e != SSL_ERROR_WANT_WRITE) client->closed = true;
    }
    ERR_clear_error();
}

/* one write of OpenSSL is one datagram, whatever carries it */

static int bio_write(BIO *bio, const char *bytes, int len)
{
    return cn_client_raw(BIO_get_data(bio), (const uint8_t *)bytes, (size_t)len) ? len : -1;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
    (void)bio, (void)number, (void)pointer;
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

static BIO *bio_out(cn_client *client)
{
    static BIO_METHOD *method;
    if (!method) {
        method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "client");
        BIO_meth_set_write(method, bio_write);
        BIO_meth_set_ctrl(method, bio_ctrl);
    }
    BIO *bio = BIO_new(method);
    BIO_set_data(bio, client);
    BIO_set_init(bio, 1);
    return bio;
}

void cn_client_handshake(cn_client *client)
{
    client->ssl = SSL_new(client->ctx);
    client->in = BIO_new(BIO_s_mem());
    BIO *out = bio_out(client);
    if (!client->ssl || !client->in || !out) abort();
    BIO_set_mem_eof_return(client->in, -1);
    SSL_set_bio(client->ssl, client->in, out);
    SSL_set_options(client->ssl, SSL_OP_NO_QUERY_MTU);
    SSL_set_mtu(client->ssl, 1200);
    SSL_set_connect_state(client->ssl);
    dtls_advance(client);
}

void cn_client_start(cn_client *client)
{
    client->started = true;
    (void)cn_client_check(client, true, false);
}

void cn_client_tick(cn_client *client)
{
    if (!client->ssl || client->connected) {
        if (client->started) (void)cn_client_check(client, true, false);
    } else {
        (void)DTLSv1_handle_timeout(client->ssl);
    }
}

void cn_client_bye(cn_client *client)
{
    if (client->ssl) (void)SSL_shutdown(client->ssl);
}

/* datagrams */

static void on_media(cn_client *client, uint8_t *bytes, size_t length)
{
    int len = (int)length;
    bool rtcp = bytes[1] >= 192 && bytes[1] <= 223;
    if (!client->srtp_in) {
        client->counts.rtp_bad++;
        return;
    }
    if (rtcp) {
        if (srtp_unprotect_rtcp(client->srtp_in, bytes, &len)) {
            client->counts.rtcp_bad++;
            return;
        }
        client->counts.rtcp_in++;
        if (client->events.rtcp) client->events.rtcp(client->arg, client, bytes, (size_t)len);
        return;
    }
    if (srtp_unprotect(client->srtp_in, bytes, &len)) {
        client->counts.rtp_bad++;
        return;
    }
    client->counts.rtp_in++;
    client->counts.rtp_bytes += (uint64_t)len;
    if (client->events.rtp) client->events.rtp(client->arg, client, bytes, (size_t)len);
}

static void on_datagram(cn_client *client, uint8_t *bytes, size_t len)
{
    client->counts.datagrams_in++;
    if (len < 8) return;
    if (bytes[0] < 4) {
        on_stun(client, bytes, len);
    } else if (bytes[0] >= 20 && bytes[0] < 64 && client->ssl) {
        BIO_write(client->in, bytes, (int)len);
        dtls_advance(client);
    } else if (bytes[0] >= 128 && bytes[0] < 192) {
        on_media(client, bytes, len);
    }
}

static void tell_arrival(cn_client *client, struct msghdr *hdr, const uint8_t *bytes, size_t len)
{
    if (!client->events.arrived || len < 8 || bytes[0] < 128 || bytes[0] >= 192) return;
    for (struct cmsghdr *control = CMSG_FIRSTHDR(hdr); control; control = CMSG_NXTHDR(hdr, control)) {
        if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_TIMESTAMPNS) continue;
        struct timespec ts;
        memcpy(&ts, CMSG_DATA(control), sizeof ts);
        client->events.arrived(client->arg, client, len, (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec);
    }
}

static void receive_stream(cn_client *client)
{
    ssize_t got = 0;
    size_t most;
    while ((most = line_carries(client, sizeof client->stream - client->stream_n)) > 0 &&
           (got = recv(client->fd, client->stream + client->stream_n, most, MSG_DONTWAIT)) > 0) {
        client->stream_n += (size_t)got;
        size_t at = 0, len = 0;
        for (; client->stream_n - at >= 2; at += 2 + len) {
            len = (size_t)client->stream[at] << 8 | client->stream[at + 1];
            if (client->stream_n - at < 2 + len) break;
            on_datagram(client, client->stream + at + 2, len);
        }
        memmove(client->stream, client->stream + at, client->stream_n - at);
        client->stream_n -= at;
    }
    if (most && got == 0) client->closed = true;
}

void cn_client_receive(cn_client *client)
{
    if (client->tcp) {
        receive_stream(client);
        return;
    }
    static _Thread_local uint8_t data[BATCH][DATAGRAM];
    struct mmsghdr hdrs[BATCH];
    struct iovec iov[BATCH];
    _Alignas(struct cmsghdr) uint8_t control[BATCH][CMSG_SPACE(sizeof(struct timespec))];
    int got;
    do {
        for (size_t i = 0; i < BATCH; i++) {
            iov[i] = (struct iovec){data[i], DATAGRAM};
            hdrs[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &iov[i], .msg_iovlen = 1}};
            if (!client->events.arrived) continue;
            hdrs[i].msg_hdr.msg_control = control[i];
            hdrs[i].msg_hdr.msg_controllen = sizeof control[i];
        }
        got = recvmmsg(client->fd, hdrs, BATCH, MSG_DONTWAIT, NULL);
        for (int i = 0; i < got; i++) {
            tell_arrival(client, &hdrs[i].msg_hdr, data[i], hdrs[i].msg_len);
            on_datagram(client, data[i], hdrs[i].msg_len);
        }
    } while (got == BATCH);
}

bool cn_client_connected(const cn_client *client)
{
    return client->connected;
}

bool cn_client_closed(const cn_client *client)
{
    return client->closed;
}

const char *cn_client_profile(const cn_client *client)
{
    return client->profile;
}

static bool protect_and_send(cn_client *client, srtp_err_status_t (*fn)(srtp_t, void *, int *), const uint8_t *packet,
                             size_t length)
{
    if (!client->srtp_out || length + SRTP_MAX_TRAILER_LEN + 4 > sizeof client->sent) return false;
    memcpy(client->sent, packet, length);
    int len = (int)length;
    if (fn(client->srtp_out, client->sent, &len)) return false;
    client->sent_n = (size_t)len;
    return cn_client_raw(client, client->sent, client->sent_n);
}

bool cn_client_rtp(cn_client *client, const uint8_t *packet, size_t len)
{
    return protect_and_send(client, srtp_protect, packet, len);
}

bool cn_client_rtcp(cn_client *client, const uint8_t *packet, size_t len)
{
    return protect_and_send(client, srtp_protect_rtcp, packet, len);
}

void cn_client_feedback(cn_client *client, cn_twcc_in *came, uint64_t now_ns)
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
        (void)cn_client_rtcp(client, packet, len);
    }
}

size_t cn_client_last_sent(const cn_client *client, const uint8_t **bytes)
{
    *bytes = client->sent;
    return client->sent_n;
}

bool cn_client_raw(cn_client *client, const uint8_t *bytes, size_t len)
{
    if (!client->tcp) return send(client->fd, bytes, len, 0) == (ssize_t)len;
    uint8_t frame[2 + 65535] = {(uint8_t)(len >> 8), (uint8_t)len};
    memcpy(frame + 2, bytes, len);
    return send(client->fd, frame, len + 2, MSG_NOSIGNAL) == (ssize_t)(len + 2);
}

const cn_client_counts *cn_client_counts_get(const cn_client *client)
{
    return &client->counts;
}

void cn_client_free(cn_client *client)
{
    if (!client) return;
    SSL_free(client->ssl);
    SSL_CTX_free(client->ctx);
    if (client->srtp_in) srtp_dealloc(client->srtp_in);
    if (client->srtp_out) srtp_dealloc(client->srtp_out);
    if (client->fd >= 0) close(client->fd);
    free(client);
}
