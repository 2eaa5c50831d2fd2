/* What the parts of a client share. */
#ifndef CN_CLIENT_IMPL_H
#define CN_CLIENT_IMPL_H

#include <netinet/in.h>
#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <srtp2/srtp.h>
#include <stun/stunagent.h>

#include "client.h"
#include "media/rate/twcc.h"
#include "media/wire/rtp.h"

#define RTC_DATAGRAM 2048

struct rtc_client {
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
    bool passive; /* the server begins the handshake */
    srtp_t srtp_in, srtp_out;
    char profile[32];

    bool tcp;
    uint32_t line_bps;
    uint64_t line_ns;      /* up to when what the line carries was taken */
    uint8_t stream[65536]; /* what came and is not a whole frame yet */
    size_t stream_n;

    uint8_t sent[RTC_DATAGRAM];
    size_t sent_n;
    cn_rtp_exts exts;  /* of what it sends */
    uint16_t twcc_seq; /* transport-wide number of the next packet */
    cn_twcc_in came;

    rtc_client_events events;
    void *arg;
    rtc_client_counts counts;
};

/* path.c: hands every datagram that waits, or frame of the stream, to `fn`. */
void rtc_path_receive(rtc_client *client, void (*fn)(rtc_client *client, uint8_t *bytes, size_t len));

/* ice.c */
void rtc_ice_init(rtc_client *client);
/** A STUN message came: true when it answers a check of its own. */
bool rtc_ice_take(rtc_client *client, const uint8_t *bytes, size_t len);

/* dtls.c: its certificate; records that came. */
bool rtc_dtls_init(rtc_client *client, const char *profiles, bool long_hello);
void rtc_dtls_take(rtc_client *client, const uint8_t *bytes, size_t len);

#endif
