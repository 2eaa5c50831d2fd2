#include "base/str.h"
#include "support_bed.h"

#include <string.h>

#include "base/clock.h"
#include "cn_test.h"

static void on_connected(void *arg)
{
    ((bed_peer *)arg)->connected++;
}

static void on_rtp(void *arg, uint8_t *packet, size_t n, uint64_t now_ns)
{
    bed_peer *p = arg;
    assert_true(now_ns > 0);
    assert_true(n <= BED_PACKET);
    memcpy(p->last_rtp, packet, n);
    p->last_rtp_n = n;
    p->rtp_in++;
}

static void on_rtcp(void *arg, uint8_t *packet, size_t n, uint64_t now_ns)
{
    (void)packet, (void)now_ns;
    bed_peer *p = arg;
    assert_true(n >= 8);
    p->rtcp_in++;
}

static void on_closed(void *arg, cn_transport_cause cause)
{
    bed_peer *p = arg;
    p->closed++;
    p->cause = cause;
    if (p->free_on_close) {
        cn_transport_free(p->t);
        p->t = NULL;
    }
}

static const cn_transport_events events = {on_connected, on_rtp, on_rtcp, on_closed};

static void on_client_rtp(void *arg, cn_client *c, const uint8_t *packet, size_t n)
{
    (void)c;
    bed_peer *p = arg;
    memcpy(p->client_rtp, packet, n);
    p->client_rtp_n = n;
    p->client_rtp_in++;
}

static void on_client_rtcp(void *arg, cn_client *c, const uint8_t *packet, size_t n)
{
    (void)c, (void)packet, (void)n;
    ((bed_peer *)arg)->client_rtcp_in++;
}

static const cn_client_events client_events = {on_client_rtp, on_client_rtcp, NULL};

static void after_turn(void *arg)
{
    bed *b = arg;
    cn_port_flush(b->port);
    if (b->until && b->until(b->until_arg)) cn_loop_stop(b->loop);
}

static void on_tick(void *arg)
{
    bed *b = arg;
    if (cn_mono_ms() >= b->deadline_ms) cn_loop_stop(b->loop);
    cn_timer_arm(b->tick, 5);
}

void bed_new(bed *b, const char *address, const cn_port_limits *limits)
{
    memset(b, 0, sizeof *b);
    assert_ok(cn_loop_new(&b->loop, "bed", 0));
    assert_ok(cn_identity_new(&b->identity));
    const char *announce = strcmp(address, "0.0.0.0") == 0 ? "127.0.0.1" : strcmp(address, "::") == 0 ? "::1" : NULL;
    assert_ok(cn_port_new(&b->port, b->loop, b->identity, &address, &announce, 1, 0, limits));
    assert_ok(cn_timer_new(&b->tick, b->loop, on_tick, b));
    cn_loop_after_turn(b->loop, after_turn, b);
    cn_timer_arm(b->tick, 5);
}

static void on_client_readable(void *arg, uint32_t what)
{
    (void)what;
    cn_client_receive(((bed_peer *)arg)->c);
}

void bed_watch(bed_peer *p)
{
    if (p->watched >= 0) cn_loop_unwatch(p->bed->loop, p->watched);
    p->watched = cn_client_fd(p->c);
    assert_ok(cn_loop_watch(p->bed->loop, p->watched, 1 /* EPOLLIN */, on_client_readable, p));
}

static bed_peer *peer_new(bed *b, const char *address, const char *profiles, bool long_hello, char wrong, bool tcp)
{
    bed_peer *p = b->peers;
    while (p->bed) p++;
    assert_true(p < b->peers + BED_PEERS);
    *p = (bed_peer){.bed = b, .watched = -1};
    p->c = cn_client_new(profiles, long_hello, &client_events, p);
    assert_non_null(p->c);
    cn_client_tcp(p->c, tcp);
    assert_ok(cn_transport_new(&p->t, b->port, &events, p));
    const char *ufrag, *pwd;
    cn_transport_credentials(p->t, &ufrag, &pwd);
    char fingerprint[97];
    (void)cn_strcpy(fingerprint, sizeof fingerprint, cn_client_fingerprint(p->c));
    fingerprint[95] = '\0';
    if (wrong == 'f') fingerprint[0] = fingerprint[0] == 'A' ? 'B' : 'A';
    assert_ok(cn_transport_remote(p->t, cn_client_ufrag(p->c), cn_client_pwd(p->c), "sha-256", fingerprint));
    if (wrong == 'p') pwd = "thisisnotthepasswordatall";
    assert_true(
        cn_client_target(p->c, address, cn_port_number(b->port), ufrag, pwd, cn_identity_fingerprint(b->identity)));
    bed_watch(p);
    return p;
}

bed_peer *bed_peer_new(bed *b, const char *address, const char *profiles, bool long_hello, char wrong)
{
    return peer_new(b, address, profiles, long_hello, wrong, false);
}

bed_peer *bed_peer_tcp(bed *b, const char *address, const char *profiles)
{
    return peer_new(b, address, profiles, false, 0, true);
}

static bool both_connected(void *arg)
{
    bed_peer *p = arg;
    return cn_client_connected(p->c) && p->connected;
}

void bed_connect(bed_peer *p)
{
    cn_client_start(p->c);
    assert_true(bed_until(p->bed, both_connected, p, 5000));
    assert_int_equal(p->connected, 1);
    assert_true(cn_transport_connected(p->t));
}

bool bed_until(bed *b, bool (*fn)(void *arg), void *arg, unsigned ms)
{
    b->until = fn;
    b->until_arg = arg;
    b->deadline_ms = cn_mono_ms() + ms;
    if (!fn || !fn(arg)) cn_loop_run(b->loop);
    b->until = NULL;
    return fn && fn(arg);
}

void bed_turn(bed *b, unsigned ms)
{
    (void)bed_until(b, NULL, NULL, ms);
}

void bed_free(bed *b)
{
    for (size_t i = 0; i < BED_PEERS; i++) {
        bed_peer *p = &b->peers[i];
        if (!p->bed) continue;
        if (p->watched >= 0) cn_loop_unwatch(b->loop, p->watched);
        cn_client_free(p->c);
        cn_transport_free(p->t);
    }
    cn_timer_free(b->tick);
    cn_port_free(b->port);
    cn_identity_free(b->identity);
    cn_loop_free(b->loop);
}

size_t bed_rtp(uint8_t out[BED_PACKET], uint32_t ssrc, uint16_t seq, size_t n, uint8_t fill)
{
    assert_true(n >= 12 && n <= BED_PACKET);
    memset(out, fill, n);
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
    return n;
}

bool bed_send(bed_peer *p, uint32_t ssrc, uint16_t seq, size_t n, uint8_t fill)
{
    uint8_t packet[BED_PACKET];
    bed_rtp(packet, ssrc, seq, n, fill);
    uint8_t *slot = cn_transport_rtp_buffer(p->t, n);
    if (!slot) return false;
    memcpy(slot, packet, n);
    cn_transport_rtp_send(p->t, slot, n);
    return true;
}
