#include "client_impl.h"

#include <openssl/srtp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "names.h"

static void random_text(char *out, size_t len)
{
    FILE *file = fopen("/dev/urandom", "rb");
    size_t got = file ? fread(out, 1, len, file) : 0;
    if (file) fclose(file);
    for (size_t i = 0; i < len; i++) out[i] = (char)('a' + (i < got ? (unsigned char)out[i] % 26 : 0));
    out[len] = '\0';
}

rtc_client *rtc_client_new(const char *profiles, bool long_hello, const rtc_client_events *events, void *arg)
{
    rtc_client *client = calloc(1, sizeof *client);
    if (!client) return NULL;
    client->fd = -1;
    if (events) client->events = *events;
    client->arg = arg;
    random_text(client->ufrag, 8);
    random_text(client->pwd, 24);
    rtc_ice_init(client);
    rtc_exts_get(&client->exts);
    static bool srtp_started;
    if (!srtp_started) srtp_started = srtp_init() == srtp_err_status_ok;
    if (!rtc_dtls_init(client, profiles, long_hello)) {
        rtc_client_free(client);
        return NULL;
    }
    return client;
}

const char *rtc_client_ufrag(const rtc_client *client)
{
    return client->ufrag;
}

const char *rtc_client_pwd(const rtc_client *client)
{
    return client->pwd;
}

const char *rtc_client_fingerprint(const rtc_client *client)
{
    return client->fingerprint;
}

void rtc_client_start(rtc_client *client)
{
    client->started = true;
    (void)rtc_client_check(client, true, false);
}

void rtc_client_tick(rtc_client *client)
{
    if (!client->ssl || client->connected) {
        if (client->started) (void)rtc_client_check(client, true, false);
    } else {
        (void)DTLSv1_handle_timeout(client->ssl);
    }
}

static void on_media(rtc_client *client, uint8_t *bytes, size_t length)
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

static void on_datagram(rtc_client *client, uint8_t *bytes, size_t len)
{
    client->counts.datagrams_in++;
    if (len < 8) return;
    if (bytes[0] < 4) {
        if (rtc_ice_take(client, bytes, len) && client->started && !client->ssl) rtc_client_handshake(client);
    } else if (bytes[0] >= 20 && bytes[0] < 64 && client->ssl) {
        rtc_dtls_take(client, bytes, len);
    } else if (bytes[0] >= 128 && bytes[0] < 192) {
        on_media(client, bytes, len);
    }
}

void rtc_client_receive(rtc_client *client)
{
    rtc_path_receive(client, on_datagram);
}

bool rtc_client_connected(const rtc_client *client)
{
    return client->connected;
}

bool rtc_client_closed(const rtc_client *client)
{
    return client->closed;
}

const char *rtc_client_profile(const rtc_client *client)
{
    return client->profile;
}

static bool protect_and_send(rtc_client *client, srtp_err_status_t (*fn)(srtp_t, void *, int *), const uint8_t *packet,
                             size_t length)
{
    if (!client->srtp_out || length + SRTP_MAX_TRAILER_LEN + 4 > sizeof client->sent) return false;
    memcpy(client->sent, packet, length);
    int len = (int)length;
    if (fn(client->srtp_out, client->sent, &len)) return false;
    client->sent_n = (size_t)len;
    return rtc_client_raw(client, client->sent, client->sent_n);
}

bool rtc_client_rtp(rtc_client *client, const uint8_t *packet, size_t len)
{
    return protect_and_send(client, srtp_protect, packet, len);
}

bool rtc_client_rtcp(rtc_client *client, const uint8_t *packet, size_t len)
{
    return protect_and_send(client, srtp_protect_rtcp, packet, len);
}

size_t rtc_client_last_sent(const rtc_client *client, const uint8_t **bytes)
{
    *bytes = client->sent;
    return client->sent_n;
}

const rtc_client_counts *rtc_client_counts_get(const rtc_client *client)
{
    return &client->counts;
}

void rtc_client_free(rtc_client *client)
{
    if (!client) return;
    SSL_free(client->ssl);
    SSL_CTX_free(client->ctx);
    if (client->srtp_in) srtp_dealloc(client->srtp_in);
    if (client->srtp_out) srtp_dealloc(client->srtp_out);
    cn_twcc_in_free(&client->came);
    if (client->fd >= 0) close(client->fd);
    free(client);
}
