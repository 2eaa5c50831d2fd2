#include "base/str.h"
#include "support_bed.h"

#include <string.h>

#include "base/clock.h"
#include "cn_test.h"

static void on_connected(void *arg)
{
    ((bed_peer *)arg)->connected++;
}

static void on_rtp(void *arg, uint8_t *packet, size_t len, uint64_t now_ns)
{
    bed_peer *peer = arg;
    assert_true(now_ns > 0);
    assert_true(len <= BED_PACKET);
    memcpy(peer->last_rtp, packet, len);
    peer->last_rtp_n = len;
    peer->rtp_in++;
}

static void on_rtcp(void *arg, uint8_t *packet, size_t len, uint64_t now_ns)
{
    (void)packet, (void)now_ns;
    bed_peer *peer = arg;
    assert_true(len >= 8);
    peer->rtcp_in++;
}

static void on_closed(void *arg, cn_transport_cause cause)
{
    bed_peer *peer = arg;
    peer->closed++;
    peer->cause = cause;
    if (peer->free_on_close) {
        cn_transport_free(peer->t);
        peer->t = NULL;
    }
}

static const cn_transport_events events = {on_connected, on_rtp, on_rtcp, on_closed};

static void on_client_rtp(void *arg, rtc_client *client, const uint8_t *packet, size_t len)
{
    (void)client;
    bed_peer *peer = arg;
    memcpy(peer->client_rtp, packet, len);
    peer->client_rtp_n = len;
    peer->client_rtp_in++;
}

static void on_client_rtcp(void *arg, rtc_client *client, const uint8_t *packet, size_t len)
{
    (void)client, (void)packet, (void)len;
    ((bed_peer *)arg)->client_rtcp_in++;
}

static const rtc_client_events client_events = {on_client_rtp, on_client_rtcp, NULL};

static void after_turn(void *arg)
{
    bed *testbed = arg;
    cn_port_flush(testbed->port);
    if (testbed->until && testbed->until(testbed->until_arg)) cn_loop_stop(testbed->loop);
}

static void on_tick(void *arg)
{
    bed *testbed = arg;
    if (cn_mono_ms() >= testbed->deadline_ms) cn_loop_stop(testbed->loop);
    cn_timer_arm(testbed->tick, 5);
}

void bed_new(bed *testbed, const char *address, const cn_port_limits *limits)
{
    memset(testbed, 0, sizeof *testbed);
    assert_ok(cn_loop_new(&testbed->loop, "bed", 0));
    assert_ok(cn_identity_new(&testbed->identity));
    const char *announce = strcmp(address, "0.0.0.0") == 0 ? "127.0.0.1" : strcmp(address, "::") == 0 ? "::1" : NULL;
    assert_ok(cn_port_new(&testbed->port, testbed->loop, testbed->identity, &address, &announce, 1, 0, limits));
    assert_ok(cn_timer_new(&testbed->tick, testbed->loop, on_tick, testbed));
    cn_loop_after_turn(testbed->loop, after_turn, testbed);
    cn_timer_arm(testbed->tick, 5);
}

static void on_client_readable(void *arg, uint32_t what)
{
    (void)what;
    rtc_client_receive(((bed_peer *)arg)->c);
}

void bed_watch(bed_peer *peer)
{
    if (peer->watched >= 0) cn_loop_unwatch(peer->bed->loop, peer->watched);
    peer->watched = rtc_client_fd(peer->c);
    assert_ok(cn_loop_watch(peer->bed->loop, peer->watched, 1 /* EPOLLIN */, on_client_readable, peer));
}

static bed_peer *peer_new(bed *testbed, const char *address, const char *profiles, bool long_hello, char wrong,
                          bool tcp)
{
    bed_peer *peer = testbed->peers;
    while (peer->bed) peer++;
    assert_true(peer < testbed->peers + BED_PEERS);
    *peer = (bed_peer){.bed = testbed, .watched = -1};
    peer->c = rtc_client_new(profiles, long_hello, &client_events, peer);
    assert_non_null(peer->c);
    rtc_client_tcp(peer->c, tcp);
    assert_ok(cn_transport_new(&peer->t, testbed->port, &events, peer));
    const char *ufrag, *pwd;
    cn_transport_credentials(peer->t, &ufrag, &pwd);
    char fingerprint[97];
    (void)cn_strcpy(fingerprint, sizeof fingerprint, rtc_client_fingerprint(peer->c));
    fingerprint[95] = '\0';
    if (wrong == 'f') fingerprint[0] = fingerprint[0] == 'A' ? 'B' : 'A';
    assert_ok(cn_transport_remote(peer->t, rtc_client_ufrag(peer->c), rtc_client_pwd(peer->c), "sha-256", fingerprint));
    if (wrong == 'p') pwd = "thisisnotthepasswordatall";
    assert_true(rtc_client_target(peer->c, address, cn_port_number(testbed->port), ufrag, pwd,
                                  cn_identity_fingerprint(testbed->identity)));
    bed_watch(peer);
    return peer;
}

bed_peer *bed_peer_new(bed *testbed, const char *address, const char *profiles, bool long_hello, char wrong)
{
    return peer_new(testbed, address, profiles, long_hello, wrong, false);
}

bed_peer *bed_peer_tcp(bed *testbed, const char *address, const char *profiles)
{
    return peer_new(testbed, address, profiles, false, 0, true);
}

static bool both_connected(void *arg)
{
    bed_peer *peer = arg;
    return rtc_client_connected(peer->c) && peer->connected;
}

void bed_connect(bed_peer *peer)
{
    rtc_client_start(peer->c);
    assert_true(bed_until(peer->bed, both_connected, peer, 5000));
    assert_int_equal(peer->connected, 1);
    assert_true(cn_transport_connected(peer->t));
}

bool bed_until(bed *testbed, bool (*fn)(void *arg), void *arg, unsigned ms)
{
    testbed->until = fn;
    testbed->until_arg = arg;
    testbed->deadline_ms = cn_mono_ms() + ms;
    if (!fn || !fn(arg)) cn_loop_run(testbed->loop);
    testbed->until = NULL;
    return fn && fn(arg);
}

void bed_turn(bed *testbed, unsigned ms)
{
    (void)bed_until(testbed, NULL, NULL, ms);
}

void bed_free(bed *testbed)
{
    for (size_t i = 0; i < BED_PEERS; i++) {
        bed_peer *peer = &testbed->peers[i];
        if (!peer->bed) continue;
        if (peer->watched >= 0) cn_loop_unwatch(testbed->loop, peer->watched);
        rtc_client_free(peer->c);
        cn_transport_free(peer->t);
    }
    cn_timer_free(testbed->tick);
    cn_port_free(testbed->port);
    cn_identity_free(testbed->identity);
    cn_loop_free(testbed->loop);
}

size_t bed_rtp(uint8_t out[BED_PACKET], uint32_t ssrc, uint16_t seq, size_t len, uint8_t fill)
{
    assert_true(len >= 12 && len <= BED_PACKET);
    memset(out, fill, len);
    const uint8_t header[12] = {0x80,
                                96,
                                (uint8_t)(seq >> 8),
                                (uint8_t)seq,
                                0,
                                0,
                                0,
                                0,
                                (uint8_t)(ssrc >> 24),
                                (uint8_t)(ssrc >> 16),
                                (uint8_t)(ssrc >> 8),
                                (uint8_t)ssrc};
    memcpy(out, header, sizeof header);
    return len;
}

bool bed_send(bed_peer *peer, uint32_t ssrc, uint16_t seq, size_t len, uint8_t fill)
{
    uint8_t packet[BED_PACKET];
    bed_rtp(packet, ssrc, seq, len, fill);
    uint8_t *slot = cn_transport_rtp_buffer(peer->t, len);
    if (!slot) return false;
    memcpy(slot, packet, len);
    cn_transport_rtp_send(peer->t, slot, len);
    return true;
}
