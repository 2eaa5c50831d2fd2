#include "base/str.h"
#include "cn_test.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "support_bed.h"

static const char both[] = "SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80";

static const cn_port_totals *totals(const bed_peer *peer)
{
    return cn_port_totals_get(peer->bed->port);
}

static bool got_rtp(void *arg)
{
    return ((bed_peer *)arg)->rtp_in > 0;
}

static bool client_got_rtp(void *arg)
{
    return ((bed_peer *)arg)->client_rtp_in > 0;
}

static bool got_rtcp(void *arg)
{
    return ((bed_peer *)arg)->rtcp_in > 0;
}

static bool client_got_rtcp(void *arg)
{
    return ((bed_peer *)arg)->client_rtcp_in > 0;
}

static bool was_closed(void *arg)
{
    return ((bed_peer *)arg)->closed > 0;
}

static const uint8_t receiver_report[8] = {0x80, 201, 0, 1, 0, 0, 0, 7};

static void rtp_flows_both_ways(bed_peer *peer, uint16_t seq)
{
    uint8_t packet[BED_PACKET];
    peer->rtp_in = peer->client_rtp_in = 0;
    size_t n = bed_rtp(packet, 0x11223344, seq, 300, 0x5a);
    assert_true(rtc_client_rtp(peer->c, packet, n));
    assert_true(bed_until(peer->bed, got_rtp, peer, 2000));
    assert_int_equal(peer->last_rtp_n, n);
    assert_memory_equal(peer->last_rtp, packet, n);

    assert_true(bed_send(peer, 0x55667788, seq, 900, 0xa5));
    assert_true(bed_until(peer->bed, client_got_rtp, peer, 2000));
    n = bed_rtp(packet, 0x55667788, seq, 900, 0xa5);
    assert_int_equal(peer->client_rtp_n, n);
    assert_memory_equal(peer->client_rtp, packet, n);
}

static void media_flows(const char *address, const char *profiles, const char *expected, bool long_hello)
{
    bed testbed;
    bed_new(&testbed, address, NULL);
    bed_peer *peer = bed_peer_new(&testbed, address, profiles, long_hello, 0);
    assert_false(bed_send(peer, 1, 1, 100, 0)); /* before the keys */
    bed_connect(peer);
    assert_string_equal(rtc_client_profile(peer->c), expected);
    rtp_flows_both_ways(peer, 1);
    assert_true(rtc_client_rtcp(peer->c, receiver_report, sizeof receiver_report));
    assert_true(bed_until(&testbed, got_rtcp, peer, 2000));
    cn_transport_rtcp_send(peer->t, receiver_report, sizeof receiver_report);
    assert_true(bed_until(&testbed, client_got_rtcp, peer, 2000));
    assert_int_equal(rtc_client_counts_get(peer->c)->rtp_bad, 0);
    assert_int_equal(totals(peer)->bad_stun + totals(peer)->bad_dtls + totals(peer)->bad_rtp + totals(peer)->bad_rtcp,
                     0);
    bed_free(&testbed);
}

static void media_flows_with_gcm(void **state)
{
    (void)state;
    media_flows("127.0.0.1", both, "SRTP_AEAD_AES_128_GCM", false);
    media_flows("127.0.0.1", "SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_128_GCM", "SRTP_AEAD_AES_128_GCM", false);
}

static void media_flows_with_cm(void **state)
{
    (void)state;
    media_flows("127.0.0.1", "SRTP_AES128_CM_SHA1_80", "SRTP_AES128_CM_SHA1_80", false);
}

static void media_flows_over_ipv6(void **state)
{
    (void)state;
    media_flows("::1", both, "SRTP_AEAD_AES_128_GCM", false);
}

static bool client_got_burst(void *arg)
{
    return ((bed_peer *)arg)->client_rtp_in >= 100;
}

/* The clients' sockets are connected and take nothing from another address than the one that they sent to. */
static void answers_leave_from_the_address_that_was_hit(void **state)
{
    (void)state;
    static const char *const cases[][2] = {{"0.0.0.0", "127.0.0.1"}, {"0.0.0.0", "127.0.0.2"}, {"::", "::1"}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        bed testbed;
        bed_new(&testbed, cases[i][0], NULL);
        bed_peer *peer = bed_peer_new(&testbed, cases[i][1], both, false, 0);
        bed_peer *tcp = bed_peer_tcp(&testbed, cases[i][1], both);
        bed_connect(peer);
        bed_connect(tcp);
        rtp_flows_both_ways(peer, 1);
        rtp_flows_both_ways(tcp, 1);
        peer->client_rtp_in = 0;
        uint64_t gso = totals(peer)->gso_sends;
        for (uint16_t k = 0; k < 100; k++) assert_true(bed_send(peer, 1, k, 1100, 1));
        assert_true(bed_until(&testbed, client_got_burst, peer, 2000));
        assert_true(totals(peer)->gso_sends > gso);
        assert_int_equal(totals(peer)->send_failed, 0);
        bed_free(&testbed);
    }
}

/* Chromium's hello is longer than a datagram may be */
static void fragmented_hello_is_taken(void **state)
{
    (void)state;
    media_flows("127.0.0.1", both, "SRTP_AEAD_AES_128_GCM", true);
}

static void wrong_fingerprint_is_refused(void **state)
{
    (void)state;
    bed testbed;
    bed_new(&testbed, "127.0.0.1", NULL);
    bed_peer *peer = bed_peer_new(&testbed, "127.0.0.1", both, false, 'f');
    rtc_client_start(peer->c);
    assert_true(bed_until(&testbed, was_closed, peer, 5000));
    assert_int_equal(peer->cause, CN_TRANSPORT_FINGERPRINT);
    assert_int_equal(peer->connected, 0);
    assert_false(bed_send(peer, 1, 1, 100, 0));
    bed_free(&testbed);
}

static void no_srtp_profile_is_refused(void **state)
{
    (void)state;
    bed testbed;
    bed_new(&testbed, "127.0.0.1", NULL);
    bed_peer *peer = bed_peer_new(&testbed, "127.0.0.1", NULL, false, 0);
    peer->free_on_close = true;
    rtc_client_start(peer->c);
    assert_true(bed_until(&testbed, was_closed, peer, 5000));
    assert_int_equal(peer->cause, CN_TRANSPORT_FAILED);
    assert_int_equal(peer->connected, 0);
    bed_free(&testbed);
}

static void wrong_password_is_dropped(void **state)
{
    (void)state;
    bed testbed;
    bed_new(&testbed, "127.0.0.1", NULL);
    bed_peer *peer = bed_peer_new(&testbed, "127.0.0.1", both, false, 'p');
    rtc_client_start(peer->c);
    bed_turn(&testbed, 50);
    assert_int_equal(totals(peer)->bad_stun, 1);
    assert_int_equal(totals(peer)->datagrams_out, 0);
    assert_int_equal(rtc_client_counts_get(peer->c)->datagrams_in, 0);
    /* DTLS without a valid check draws nothing either */
    rtc_client_handshake(peer->c);
    bed_turn(&testbed, 50);
    assert_true(totals(peer)->unknown_source >= 1);
    assert_int_equal(totals(peer)->datagrams_out, 0);
    bed_free(&testbed);
}

static bool stun_error_came(void *arg)
{
    return rtc_client_stun_error(((bed_peer *)arg)->c) != 0;
}

static void role_conflict_is_answered_487(void **state)
{
    (void)state;
    bed testbed;
    bed_new(&testbed, "127.0.0.1", NULL);
    bed_peer *peer = bed_peer_new(&testbed, "127.0.0.1", both, false, 0);
    assert_true(rtc_client_check(peer->c, false, true));
    assert_true(bed_until(&testbed, stun_error_came, peer, 2000));
    assert_int_equal(rtc_client_stun_error(peer->c), 487);
    assert_int_equal(totals(peer)->role_conflicts, 1);
    /* it made no address known */
    rtc_client_handshake(peer->c);
    bed_turn(&testbed, 30);
    assert_true(totals(peer)->unknown_source >= 1);
    bed_free(&testbed);
}

/** A socket that belongs to nobody. */
static int stranger(const bed *testbed)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(cn_port_number(testbed->port)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

static void replayed_check_draws_no_media(void **state)
{
    (void)state;
    bed testbed;
    bed_new(&testbed, "127.0.0.1", NULL);
    bed_peer *peer = bed_peer_new(&testbed, "127.0.0.1", both, false, 0);
    bed_connect(peer);
    const uint8_t *check, *sent;
    size_t n = rtc_client_last_check(peer->c, &check);
    int fd = stranger(&testbed);
    uint8_t answer[2048];

    assert_int_equal(send(fd, check, n, 0), (ssize_t)n);
    bed_turn(&testbed, 20);
    ssize_t got = recv(fd, answer, sizeof answer, 0);
    assert_true(got > 0 && answer[0] == 1); /* a STUN answer … */
    rtp_flows_both_ways(peer, 1);
    assert_true(recv(fd, answer, sizeof answer, 0) < 0); /* … and nothing else */

    /* nor does replayed media move the address */
    n = rtc_client_last_sent(peer->c, &sent);
    uint64_t before = totals(peer)->replayed;
    assert_int_equal(send(fd, sent, n, 0), (ssize_t)n);
    bed_turn(&testbed, 20);
    assert_int_equal(totals(peer)->replayed, before + 1);
    rtp_flows_both_ways(peer, 2);
    assert_true(recv(fd, answer, sizeof answer, 0) < 0);
    close(fd);
    bed_free(&testbed);
}

static void a_replayed_check_is_no_sign_of_life(void **state)
{
    (void)state;
    bed testbed;
    bed_new(&testbed, "127.0.0.1", &(cn_port_limits){.timeout_ms = 200});
    bed_peer *peer = bed_peer_new(&testbed, "127.0.0.1", both, false, 0);
    bed_connect(peer);
    const uint8_t *check;
    size_t n = rtc_client_last_check(peer->c, &check);
    int fd = stranger(&testbed);
    for (unsigned i = 0; i < 40 && !peer->closed; i++) {
        assert_int_equal(send(fd, check, n, 0), (ssize_t)n);
        bed_turn(&testbed, 20);
    }
    assert_int_equal(peer->closed, 1);
    assert_int_equal(peer->cause, CN_TRANSPORT_TIMEOUT);
    close(fd);
    bed_free(&testbed);
}

static bool more_checks(void *arg)
{
    return rtc_client_counts_get(((bed_peer *)arg)->c)->stun_ok >= 2;
}

/* the client's network changed: it checks from a new port, then its media comes from there */
static void media_moves_the_address(void **state)
{
    (void)state;
    bed testbed;
    bed_new(&testbed, "127.0.0.1", NULL);
    bed_peer *peer = bed_peer_new(&testbed, "127.0.0.1", both, false, 0);
    bed_connect(peer);
    rtp_flows_both_ways(peer, 1);
    cn_loop_unwatch(testbed.loop, peer->watched);
    peer->watched = -1;
    assert_true(rtc_client_move(peer->c));
    bed_watch(peer);
    /* media before a check: dropped */
    uint8_t packet[BED_PACKET];
    uint64_t unknown = totals(peer)->unknown_source;
    assert_true(rtc_client_rtp(peer->c, packet, bed_rtp(packet, 0x11223344, 2, 100, 0)));
    bed_turn(&testbed, 20);
    assert_int_equal(totals(peer)->unknown_source, unknown + 1);
    assert_true(rtc_client_check(peer->c, true, false));
    assert_true(bed_until(&testbed, more_checks, peer, 2000));
    rtp_flows_both_ways(peer, 3);
    bed_free(&testbed);
}

static void ice_restart_keeps_the_session(void **state)
{
    (void)state;
    bed testbed;
    bed_new(&testbed, "127.0.0.1", NULL);
    bed_peer *peer = bed_peer_new(&testbed, "127.0.0.1", both, false, 0);
    bed_connect(peer);
    rtp_flows_both_ways(peer, 1);
    const char *ufrag, *pwd;
    cn_transport_credentials(peer->t, &ufrag, &pwd);
    char old[64];
    (void)cn_strcpy(old, sizeof old, ufrag);
    assert_ok(cn_transport_restart(peer->t));
    assert_ok(cn_transport_restart(peer->t)); /* the answer got lost: once more */
    cn_transport_credentials(peer->t, &ufrag, &pwd);
    assert_string_not_equal(old, ufrag);
    /* until the new ones are used, the old ones are good */
    uint64_t ok = rtc_client_counts_get(peer->c)->stun_ok;
    assert_true(rtc_client_check(peer->c, false, false));
    bed_turn(&testbed, 20);
    assert_int_equal(rtc_client_counts_get(peer->c)->stun_ok, ok + 1);
    rtp_flows_both_ways(peer, 2);
    const uint8_t *check;
    uint8_t old_check[512];
    size_t old_n = rtc_client_last_check(peer->c, &check);
    memcpy(old_check, check, old_n);

    assert_ok(cn_transport_remote(peer->t, "newufrag", "newpasswordnewpassword22", "sha-256",
                                  rtc_client_fingerprint(peer->c)));
    assert_true(rtc_client_target(peer->c, "127.0.0.1", cn_port_number(testbed.port), ufrag, pwd, NULL));
    assert_true(rtc_client_check(peer->c, true, false));
    bed_turn(&testbed, 20);
    assert_int_equal(rtc_client_counts_get(peer->c)->stun_ok, ok + 2);
    uint64_t bad = totals(peer)->bad_stun;
    assert_true(rtc_client_raw(peer->c, old_check, old_n));
    bed_turn(&testbed, 20);
    assert_int_equal(totals(peer)->bad_stun, bad + 1);
    rtp_flows_both_ways(peer, 3);
    assert_int_equal(peer->connected, 1);

    char other[96];
    (void)cn_strcpy(other, sizeof other, rtc_client_fingerprint(peer->c));
    other[95] = '\0';
    other[0] = other[0] == '0' ? '1' : '0';
    assert_err(cn_transport_remote(peer->t, "newufrag", "newpasswordnewpassword22", "sha-256", other), CN_ERR_STATE);
    bed_free(&testbed);
}

static void silence_ends_a_peer(void **state)
{
    (void)state;
    bed testbed;
    bed_new(&testbed, "127.0.0.1", &(cn_port_limits){.timeout_ms = 300});
    bed_peer *never = bed_peer_new(&testbed, "127.0.0.1", both, false, 0),
             *peer = bed_peer_new(&testbed, "127.0.0.1", both, false, 0);
    never->free_on_close = true;
    bed_connect(peer);
    /* signs of life of each kind keep it */
    for (uint16_t i = 0; i < 8; i++) {
        uint8_t packet[BED_PACKET];
        if (i % 3 == 0) assert_true(rtc_client_check(peer->c, false, false));
        if (i % 3 == 1) assert_true(rtc_client_rtp(peer->c, packet, bed_rtp(packet, 9, i, 50, 0)));
        if (i % 3 == 2) assert_true(rtc_client_rtcp(peer->c, receiver_report, sizeof receiver_report));
        bed_turn(&testbed, 100);
        assert_int_equal(peer->closed, 0);
    }
    assert_int_equal(never->closed, 1);
    assert_int_equal(never->cause, CN_TRANSPORT_TIMEOUT);
    uint64_t last = cn_transport_last_sign_ns(peer->t);
    assert_true(bed_until(&testbed, was_closed, peer, 2000));
    uint64_t late_ms = (cn_mono_ns() - last) / 1000000;
    assert_true(late_ms >= 300 && late_ms < 1000);
    assert_int_equal(peer->cause, CN_TRANSPORT_TIMEOUT);
    assert_true(last == cn_transport_last_sign_ns(peer->t));
    bed_turn(&testbed, 50);
    assert_int_equal(peer->closed, 1);
    bed_free(&testbed);
}

static void good_bye_ends_a_peer(void **state)
{
    (void)state;
    bed testbed;
    bed_new(&testbed, "127.0.0.1", NULL);
    bed_peer *peer = bed_peer_new(&testbed, "127.0.0.1", both, false, 0),
             *q = bed_peer_new(&testbed, "127.0.0.1", both, false, 0);
    peer->free_on_close = true;
    bed_connect(peer);
    bed_connect(q);
    rtc_client_bye(peer->c);
    assert_true(bed_until(&testbed, was_closed, peer, 2000));
    assert_int_equal(peer->cause, CN_TRANSPORT_CLOSED);
    rtp_flows_both_ways(q, 1);
    /* and ours reaches the client, after what was queued */
    q->client_rtp_in = 0;
    assert_true(bed_send(q, 0x55667788, 2, 100, 0));
    cn_transport_free(q->t);
    q->t = NULL;
    bed_turn(&testbed, 50);
    assert_int_equal(q->client_rtp_in, 1);
    assert_true(rtc_client_closed(q->c));
    bed_free(&testbed);
}

static void replays_are_dropped(void **state)
{
    (void)state;
    bed testbed;
    bed_new(&testbed, "127.0.0.1", NULL);
    bed_peer *peer = bed_peer_new(&testbed, "127.0.0.1", both, false, 0);
    bed_connect(peer);
    rtp_flows_both_ways(peer, 1);
    const uint8_t *sent;
    size_t n = rtc_client_last_sent(peer->c, &sent);
    for (unsigned i = 0; i < 3; i++) assert_true(rtc_client_raw(peer->c, sent, n));
    assert_true(rtc_client_rtcp(peer->c, receiver_report, sizeof receiver_report));
    n = rtc_client_last_sent(peer->c, &sent);
    for (unsigned i = 0; i < 3; i++) assert_true(rtc_client_raw(peer->c, sent, n));
    bed_turn(&testbed, 30);
    assert_int_equal(peer->rtp_in, 1);
    assert_int_equal(peer->rtcp_in, 1);
    assert_int_equal(totals(peer)->replayed, 6);
    /* late but new ones are within the window of 1,024 */
    uint8_t packet[BED_PACKET];
    assert_true(rtc_client_rtp(peer->c, packet, bed_rtp(packet, 0x11223344, 1010, 60, 1)));
    assert_true(rtc_client_rtp(peer->c, packet, bed_rtp(packet, 0x11223344, 2, 60, 1)));
    bed_turn(&testbed, 30);
    assert_int_equal(peer->rtp_in, 3);
    bed_free(&testbed);
}

/* what the SFU must never do, the transport refuses: one index, two contents */
static void an_index_is_protected_once(void **state)
{
    (void)state;
    bed testbed;
    bed_new(&testbed, "127.0.0.1", NULL);
    bed_peer *gcm = bed_peer_new(&testbed, "127.0.0.1", both, false, 0),
             *cm = bed_peer_new(&testbed, "127.0.0.1", "SRTP_AES128_CM_SHA1_80", false, 0);
    bed_peer *peers[] = {gcm, cm};
    for (size_t i = 0; i < COUNT_OF(peers); i++) {
        bed_connect(peers[i]);
        uint64_t failed = totals(gcm)->protect_failed;
        for (unsigned k = 0; k < 3; k++) assert_true(bed_send(peers[i], 7, 100, 200, (uint8_t)k));
        assert_true(bed_send(peers[i], 7, 99, 200, 9));  /* out of order is fine */
        assert_true(bed_send(peers[i], 8, 100, 200, 9)); /* so is another SSRC */
        bed_turn(&testbed, 30);
        assert_int_equal(peers[i]->client_rtp_in, 3);
        assert_int_equal(totals(gcm)->protect_failed, failed + 2);
        assert_int_equal(rtc_client_counts_get(peers[i]->c)->rtp_bad, 0);
    }
    bed_free(&testbed);
}

static void garbage_is_counted_and_harmless(void **state)
{
    (void)state;
    bed testbed;
    bed_new(&testbed, "127.0.0.1", NULL);
    bed_peer *peer = bed_peer_new(&testbed, "127.0.0.1", both, false, 0),
             *open = bed_peer_new(&testbed, "127.0.0.1", both, false, 0);
    bed_connect(peer);
    uint8_t junk[2048];
    uint32_t random = 12345;
    int fd = stranger(&testbed);
    for (unsigned i = 0; i < 600; i++) {
        for (size_t k = 0; k < sizeof junk; k++) junk[k] = (uint8_t)((random = random * 1664525 + 1013904223) >> 24);
        static const uint8_t first[] = {0x00, 0x01, 22, 20, 0x80, 0x90, 0xff, 70};
        junk[0] = first[i % sizeof first];
        if (junk[0] == 0x80 && i & 8) junk[1] = 200;
        if (junk[0] == 22) junk[1] = 0xfe;
        size_t n = 1 + (i * 7919) % 1400;
        if (i % 3) {
            assert_true(rtc_client_raw(peer->c, junk, n));
        } else {
            assert_int_equal(send(fd, junk, n, 0), (ssize_t)n);
        }
        if (i % 50 == 49) bed_turn(&testbed, 5);
    }
    assert_true(send(fd, junk, 0, 0) == 0);
    assert_true(rtc_client_raw(peer->c, junk, 2048)); /* as long as the buffer */
    bed_turn(&testbed, 50);
    const cn_port_totals *sum = totals(peer);
    assert_true(sum->bad_stun > 0 && sum->bad_dtls > 0 && sum->bad_rtp > 0 && sum->bad_rtcp > 0 &&
                sum->unknown_source > 0 && sum->unknown_kind > 0);
    assert_int_equal(peer->rtp_in + peer->rtcp_in, 0);
    assert_int_equal(peer->closed, 0);
    bed_turn(&testbed, 1000); /* the DTLS budget's second goes by */
    rtp_flows_both_ways(peer, 1);
    bed_connect(open);
    rtp_flows_both_ways(open, 1);
    close(fd);
    bed_free(&testbed);
}

/* a handshake that somebody disturbs with well-formed but senseless records goes on */
static void garbage_before_the_hello_is_harmless(void **state)
{
    (void)state;
    bed testbed;
    bed_new(&testbed, "127.0.0.1", NULL);
    bed_peer *peer = bed_peer_new(&testbed, "127.0.0.1", both, false, 0);
    assert_true(rtc_client_check(peer->c, true, false));
    bed_turn(&testbed, 10);
    uint8_t record[13 + 12 + 30] = {22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 12 + 30};
    assert_true(rtc_client_raw(peer->c, record, sizeof record)); /* a HelloRequest from a client */
    record[13] = 1, record[16] = 30, record[24] = 30;            /* a ClientHello of zeros */
    assert_true(rtc_client_raw(peer->c, record, sizeof record));
    bed_turn(&testbed, 20);
    assert_true(totals(peer)->bad_dtls >= 2);
    assert_int_equal(peer->closed, 0);
    bed_connect(peer);
    rtp_flows_both_ways(peer, 1);
    bed_free(&testbed);
}

static void a_burst_leaves_in_few_sends(void **state)
{
    (void)state;
    for (unsigned no_gso = 0; no_gso < 2; no_gso++) {
        bed testbed;
        bed_new(&testbed, "127.0.0.1", &(cn_port_limits){.no_gso = no_gso});
        bed_peer *peer = bed_peer_new(&testbed, "127.0.0.1", both, false, 0),
                 *q = bed_peer_new(&testbed, "127.0.0.1", both, false, 0);
        bed_connect(peer);
        bed_connect(q);
        cn_port_totals before = *totals(peer);
        for (uint16_t i = 0; i < 200; i++) {
            /* a frame's packets differ by a few bytes */
            assert_true(bed_send(peer, 1, i, 1100u - i % 7, 1));
            assert_true(bed_send(q, 1, i, i % 10 ? 1100 : 90, 1));
        }
        bed_turn(&testbed, 50);
        assert_int_equal(peer->client_rtp_in, 200);
        assert_int_equal(q->client_rtp_in, 200);
        assert_int_equal(rtc_client_counts_get(peer->c)->rtp_bad + rtc_client_counts_get(q->c)->rtp_bad, 0);
        assert_int_equal(totals(peer)->datagrams_out - before.datagrams_out, 400);
        if (no_gso) {
            assert_int_equal(totals(peer)->gso_sends, 0);
        } else {
            assert_true(totals(peer)->gso_sends >= 6 && totals(peer)->gso_sends <= 60);
        }
        assert_int_equal(totals(peer)->send_failed, 0);
        bed_free(&testbed);
    }
}

static void several_addresses_share_a_port(void **state)
{
    (void)state;
    cn_loop *loop = NULL;
    cn_identity *identity = NULL;
    cn_port *port = NULL;
    assert_ok(cn_loop_new(&loop, "bed", 0));
    assert_ok(cn_identity_new(&identity));
    assert_int_equal(strlen(cn_identity_fingerprint(identity)), 95);
    const char *listen[] = {"127.0.0.1", "127.0.0.2", "::1"}, *announce[] = {NULL, "203.0.113.7", ""};
    assert_ok(cn_port_new(&port, loop, identity, listen, announce, 3, 0, NULL));
    cn_candidate candidate[CN_PORT_CANDIDATES];
    assert_int_equal(cn_port_candidates(port, candidate, CN_PORT_CANDIDATES), 6);
    assert_string_equal(candidate[0].address, "127.0.0.1");
    assert_string_equal(candidate[1].address, "203.0.113.7");
    assert_string_equal(candidate[2].address, "::1");
    assert_true(candidate[0].port == cn_port_number(port) && candidate[0].port == candidate[1].port &&
                candidate[1].port == candidate[2].port);
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(candidate[i].tcp, i >= 3);
        assert_string_equal(candidate[i].address, candidate[i % 3].address);
        assert_int_equal(candidate[i].port, candidate[0].port);
        if (i) assert_true(candidate[i - 1].priority > candidate[i].priority);
    }
    cn_port *second = NULL;
    assert_err(cn_port_new(&second, loop, identity, listen, NULL, 1, cn_port_number(port), NULL), CN_ERR_CONFLICT);
    const char *bad[] = {"localhost", "0.0.0.0", "1.2.3", ""};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_err(cn_port_new(&second, loop, identity, &bad[i], NULL, 1, 0, NULL), CN_ERR_INVALID);
    }
    assert_null(second);
    cn_port_free(port);
    cn_identity_free(identity);
    cn_loop_free(loop);
}

static void bad_descriptions_are_refused(void **state)
{
    (void)state;
    bed testbed;
    bed_new(&testbed, "127.0.0.1", &(cn_port_limits){.transports_max = 2});
    bed_peer *peer = bed_peer_new(&testbed, "127.0.0.1", both, false, 0);
    const char *good = rtc_client_fingerprint(peer->c), pwd[] = "0123456789012345678901";
    assert_err(cn_transport_remote(peer->t, "abc", pwd, "sha-256", good), CN_ERR_INVALID);
    assert_err(cn_transport_remote(peer->t, "ab c", pwd, "sha-256", good), CN_ERR_INVALID);
    assert_err(cn_transport_remote(peer->t, "abcd", "short", "sha-256", good), CN_ERR_INVALID);
    assert_err(cn_transport_remote(peer->t, "abcd", pwd, "md5", good), CN_ERR_UNSUPPORTED);
    assert_err(cn_transport_remote(peer->t, "abcd", pwd, "sha-1", good), CN_ERR_UNSUPPORTED);
    assert_err(cn_transport_remote(peer->t, "abcd", pwd, "sha-384", good), CN_ERR_INVALID);
    assert_err(cn_transport_remote(peer->t, "abcd", pwd, "sha-256", good + 3), CN_ERR_INVALID);
    assert_err(cn_transport_remote(peer->t, NULL, pwd, "sha-256", good), CN_ERR_INVALID);
    assert_err(cn_transport_remote(peer->t, "abcd", pwd, NULL, good), CN_ERR_INVALID);
    assert_ok(cn_transport_remote(peer->t, "abcd", pwd, "SHA-256", good));
    static const cn_transport_events none = {0};
    cn_transport *transport = NULL;
    assert_err(cn_transport_new(&transport, testbed.port, &none, NULL), CN_ERR_INVALID);
    (void)bed_peer_new(&testbed, "127.0.0.1", both, false, 0);
    bed_free(&testbed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(media_flows_with_gcm),
        cmocka_unit_test(media_flows_with_cm),
        cmocka_unit_test(media_flows_over_ipv6),
        cmocka_unit_test(answers_leave_from_the_address_that_was_hit),
        cmocka_unit_test(fragmented_hello_is_taken),
        cmocka_unit_test(wrong_fingerprint_is_refused),
        cmocka_unit_test(no_srtp_profile_is_refused),
        cmocka_unit_test(wrong_password_is_dropped),
        cmocka_unit_test(role_conflict_is_answered_487),
        cmocka_unit_test(replayed_check_draws_no_media),
        cmocka_unit_test(a_replayed_check_is_no_sign_of_life),
        cmocka_unit_test(media_moves_the_address),
        cmocka_unit_test(ice_restart_keeps_the_session),
        cmocka_unit_test(silence_ends_a_peer),
        cmocka_unit_test(good_bye_ends_a_peer),
        cmocka_unit_test(replays_are_dropped),
        cmocka_unit_test(an_index_is_protected_once),
        cmocka_unit_test(garbage_is_counted_and_harmless),
        cmocka_unit_test(garbage_before_the_hello_is_harmless),
        cmocka_unit_test(a_burst_leaves_in_few_sends),
        cmocka_unit_test(several_addresses_share_a_port),
        cmocka_unit_test(bad_descriptions_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
