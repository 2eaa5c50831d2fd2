#include "client_impl.h"

#include <stdio.h>
#include <string.h>
#include <stun/usages/ice.h>
#include <sys/socket.h>

void rtc_ice_init(rtc_client *client)
{
    client->tie = (uint64_t)(uintptr_t)client;
    stun_agent_init(&client->stun, STUN_ALL_KNOWN_ATTRIBUTES, STUN_COMPATIBILITY_RFC5389,
                    STUN_AGENT_USAGE_SHORT_TERM_CREDENTIALS | STUN_AGENT_USAGE_USE_FINGERPRINT);
}

bool rtc_client_check(rtc_client *client, bool use_candidate, bool controlled)
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
        rtc_ice_init(client);
        return false;
    }
    stun_message_id(&m, id);
    return rtc_client_raw(client, client->check, client->check_n);
}

size_t rtc_client_last_check(const rtc_client *client, const uint8_t **bytes)
{
    *bytes = client->check;
    return client->check_n;
}

int rtc_client_stun_error(const rtc_client *client)
{
    return client->stun_error;
}

/* A full agent at the other side checks as well: RFC 8445 §7.3. */
static void on_check(rtc_client *client, const uint8_t *bytes, size_t len)
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
    if (out_n) (void)rtc_client_raw(client, out, out_n);
}

bool rtc_ice_take(rtc_client *client, const uint8_t *bytes, size_t len)
{
    if (bytes[0] == 0 && bytes[1] == 1) {
        on_check(client, bytes, len);
        return false;
    }
    StunMessage m;
    StunValidationStatus status = stun_agent_validate(&client->stun, &m, bytes, len, NULL, NULL);
    if (status != STUN_VALIDATION_SUCCESS) return false;
    struct sockaddr_storage mapped;
    socklen_t mapped_n = sizeof mapped;
    StunUsageIceReturn r =
        stun_usage_ice_conncheck_process(&m, &mapped, &mapped_n, STUN_USAGE_ICE_COMPATIBILITY_RFC5245);
    struct sockaddr_storage own;
    socklen_t own_n = sizeof own;
    if (r == STUN_USAGE_ICE_RETURN_SUCCESS && getsockname(client->fd, (struct sockaddr *)&own, &own_n) == 0 &&
        ((struct sockaddr_in *)&mapped)->sin_port == ((struct sockaddr_in *)&own)->sin_port) {
        client->counts.stun_ok++;
        return true;
    }
    if (r != STUN_USAGE_ICE_RETURN_SUCCESS) {
        client->counts.stun_error++;
        (void)stun_message_find_error(&m, &client->stun_error);
    }
    return false;
}
