/* Transports over TCP (RFC 6544, RFC 4571): what a peer may do to a stream, and what strangers may do to the port. */
#include "cn_test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "support_bed.h"

static const char both[] = "SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80";

static const cn_tcp_totals *tcp(const bed *testbed)
{
    return cn_port_tcp_totals_get(testbed->port);
}

static bool got_rtp(void *arg)
{
    return ((bed_peer *)arg)->rtp_in > 0;
}

static bool client_got_rtp(void *arg)
{
    return ((bed_peer *)arg)->client_rtp_in > 0;
}

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

static void media_flows(void **state)
{
    (void)state;
    static const struct {
        const char *address, *profiles;
    } cases[] = {{"127.0.0.1", both}, {"127.0.0.1", "SRTP_AES128_CM_SHA1_80"}, {"::1", both}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        bed testbed;
        bed_new(&testbed, cases[i].address, NULL);
        bed_peer *peer = bed_peer_tcp(&testbed, cases[i].address, cases[i].profiles);
        bed_connect(peer);
        rtp_flows_both_ways(peer, 1);
        assert_int_equal(tcp(&testbed)->open, 1);
        assert_int_equal(cn_port_totals_get(testbed.port)->datagrams_in, 0);
        assert_int_equal(cn_port_totals_get(testbed.port)->datagrams_out, 0);
        bed_free(&testbed);
    }
}

/* a picture's packets go out in one call, in order and each whole */
static void a_burst_keeps_its_order(void **state)
{
    (void)state;
    bed testbed;
    bed_new(&testbed, "127.0.0.1", NULL);
    bed_peer *peer = bed_peer_tcp(&testbed, "127.0.0.1", both),
             *udp = bed_peer_new(&testbed, "127.0.0.1", both, false, 0);
    bed_connect(peer);
    bed_connect(udp);
    uint64_t calls = tcp(&testbed)->send_calls;
    for (uint16_t i = 0; i < 40; i++) {
        assert_true(bed_send(peer, 1, i, 200u + i, (uint8_t)i));
        assert_true(bed_send(udp, 1, i, 200u + i, (uint8_t)i));
    }
    bed_turn(&testbed, 50);
    assert_int_equal(peer->client_rtp_in, 40);
    assert_int_equal(udp->client_rtp_in, 40);
    assert_int_equal(peer->client_rtp_n, 239);
    assert_int_equal(peer->client_rtp[20], 39);
    assert_int_equal(rtc_client_counts_get(peer->c)->rtp_bad + rtc_client_counts_get(udp->c)->rtp_bad, 0);
    assert_int_equal(tcp(&testbed)->send_calls - calls, 1);
    bed_free(&testbed);
}

static void watch_moved(bed_peer *peer, bool to_tcp)
{
    cn_loop_unwatch(peer->bed->loop, peer->watched);
    peer->watched = -1;
    rtc_client_tcp(peer->c, to_tcp);
    assert_true(rtc_client_move(peer->c));
    bed_watch(peer);
}

/* the same session on UDP, then TCP, then UDP; what the peer proved last carries the media */
static void media_moves_between_udp_and_tcp(void **state)
{
    (void)state;
    bed testbed;
    bed_new(&testbed, "127.0.0.1", NULL);
    bed_peer *peer = bed_peer_new(&testbed, "127.0.0.1", both, false, 0);
    bed_connect(peer);
    rtp_flows_both_ways(peer, 1);
    for (uint16_t i = 0; i < 4; i++) {
        watch_moved(peer, i % 2 == 0);
        uint64_t ok = rtc_client_counts_get(peer->c)->stun_ok;
        assert_true(rtc_client_check(peer->c, true, false));
        bed_turn(&testbed, 20);
        assert_int_equal(rtc_client_counts_get(peer->c)->stun_ok, ok + 1);
        rtp_flows_both_ways(peer, (uint16_t)(10 + i));
        assert_int_equal(tcp(&testbed)->open, i % 2 == 0);
    }
    assert_int_equal(peer->connected, 1);
    assert_int_equal(peer->closed, 0);
    bed_free(&testbed);
}

/* the connection is cut: nothing is sent into it, and a new one goes on with the same session */
static void a_new_connection_goes_on(void **state)
{
    (void)state;
    bed testbed;
    bed_new(&testbed, "127.0.0.1", NULL);
    bed_peer *peer = bed_peer_tcp(&testbed, "127.0.0.1", both);
    bed_connect(peer);
    rtp_flows_both_ways(peer, 1);
    cn_loop_unwatch(testbed.loop, peer->watched);
    peer->watched = -1;
    assert_int_equal(shutdown(rtc_client_fd(peer->c), SHUT_RDWR), 0);
    bed_turn(&testbed, 30);
    assert_int_equal(tcp(&testbed)->open, 0);
    assert_false(bed_send(peer, 0x55667788, 2, 100, 0));
    assert_int_equal(peer->closed, 0);
    assert_true(rtc_client_move(peer->c));
    bed_watch(peer);
    assert_true(rtc_client_check(peer->c, true, false));
    bed_turn(&testbed, 30);
    rtp_flows_both_ways(peer, 3);
    bed_free(&testbed);
}

/* strangers */

static int dial(const bed *testbed)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(cn_port_number(testbed->port)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one), 0);
    return fd;
}

static void put(int fd, const void *bytes, size_t len)
{
    assert_int_equal(send(fd, bytes, len, MSG_NOSIGNAL), (ssize_t)len);
}

/** Whether the server closed the connection, with nothing sent before. */
static bool hung_up(int fd)
{
    char byte;
    ssize_t got = recv(fd, &byte, 1, MSG_DONTWAIT);
    return got == 0 || (got < 0 && errno == ECONNRESET);
}

static void what_is_no_check_closes_a_strange_connection(void **state)
{
    (void)state;
    static const struct {
        size_t n;
        uint8_t bytes[40];
    } cases[] = {
        {16, "GET / HTTP/1.1\r\n"},                                  /* a length of 18,245 */
        {3, {8, 1, 0}},                                              /* one byte over the bound */
        {7, {0, 5, 70, 1, 2, 3, 4}},                                 /* a TURN channel */
        {16, {0, 14, 0x80, 96, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1}}, /* RTP before a check */
        {15, {0, 13, 22, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}}, /* DTLS before a check */
    };
    bed testbed;
    bed_new(&testbed, "127.0.0.1", NULL);
    bed_peer *peer = bed_peer_tcp(&testbed, "127.0.0.1", both);
    bed_connect(peer);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int fd = dial(&testbed);
        put(fd, cases[i].bytes, cases[i].n);
        bed_turn(&testbed, 20);
        if (!hung_up(fd)) fail_msg("case %zu: still open", i);
        close(fd);
    }
    assert_int_equal(tcp(&testbed)->broken, COUNT_OF(cases));
    /* unsigned checks: a few */
    int fd = dial(&testbed);
    uint8_t empty[22] = {0, 20, 0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42};
    for (unsigned i = 0; i < 7; i++) put(fd, empty, sizeof empty);
    bed_turn(&testbed, 20);
    assert_false(hung_up(fd));
    put(fd, empty, sizeof empty);
    bed_turn(&testbed, 20);
    assert_true(hung_up(fd));
    close(fd);
    rtp_flows_both_ways(peer, 1);
    bed_free(&testbed);
}

static bool was_closed(void *arg)
{
    return ((bed_peer *)arg)->closed > 0;
}

/* nothing that comes from its own peer's connection ends a transport but the end of that connection */
static void garbage_from_a_peer_costs_its_connection(void **state)
{
    (void)state;
    bed testbed;
    bed_new(&testbed, "127.0.0.1", &(cn_port_limits){.timeout_ms = 400});
    bed_peer *peer = bed_peer_tcp(&testbed, "127.0.0.1", both);
    bed_connect(peer);
    uint8_t junk[200];
    uint32_t random = 99;
    for (unsigned i = 0; i < 200; i++) {
        for (size_t k = 0; k < sizeof junk; k++) junk[k] = (uint8_t)((random = random * 1664525 + 1013904223) >> 24);
        static const uint8_t first[] = {0x00, 22, 0x80, 0x90};
        junk[0] = first[i % sizeof first];
        assert_true(rtc_client_raw(peer->c, junk, 20 + i % 180));
        if (i % 20 == 0) bed_turn(&testbed, 1);
    }
    bed_turn(&testbed, 20);
    assert_int_equal(tcp(&testbed)->open, 1); /* well framed, of a known kind, not authentic */
    rtp_flows_both_ways(peer, 1);
    junk[0] = 0xff;
    assert_true(rtc_client_raw(peer->c, junk, 20));
    bed_turn(&testbed, 20);
    assert_int_equal(tcp(&testbed)->open, 0);
    assert_int_equal(tcp(&testbed)->broken, 1);
    assert_true(bed_until(&testbed, was_closed, peer, 2000));
    assert_int_equal(peer->cause, CN_TRANSPORT_TIMEOUT);
    bed_free(&testbed);
}

static void bytes_one_by_one_are_put_together(void **state)
{
    (void)state;
    bed testbed;
    bed_new(&testbed, "127.0.0.1", NULL);
    bed_peer *peer = bed_peer_tcp(&testbed, "127.0.0.1", both);
    bed_connect(peer);
    const uint8_t *sent;
    uint8_t packet[BED_PACKET], frame[BED_PACKET];
    assert_true(rtc_client_rtp(peer->c, packet, bed_rtp(packet, 5, 1, 60, 1)));
    assert_true(bed_until(&testbed, got_rtp, peer, 1000));
    size_t n = rtc_client_last_sent(peer->c, &sent); /* the same again: a replay, but taken apart as one packet */
    frame[0] = 0;
    frame[1] = (uint8_t)n;
    memcpy(frame + 2, sent, n);
    for (size_t i = 0; i < n + 2; i++) {
        put(rtc_client_fd(peer->c), frame + i, 1);
        if (i % 10 == 0) bed_turn(&testbed, 1);
    }
    bed_turn(&testbed, 20);
    assert_int_equal(cn_port_totals_get(testbed.port)->replayed, 1);
    rtp_flows_both_ways(peer, 2);
    bed_free(&testbed);
}

static void silent_connections_are_closed(void **state)
{
    (void)state;
    bed testbed;
    bed_new(&testbed, "127.0.0.1", &(cn_port_limits){.tcp_check_ms = 100, .timeout_ms = 1000, .tcp_idle_ms = 300});
    bed_peer *peer = bed_peer_tcp(&testbed, "127.0.0.1", both);
    bed_connect(peer);
    int fd = dial(&testbed), half = dial(&testbed);
    put(half, "\0", 1); /* half a length */
    bed_turn(&testbed, 60);
    assert_false(hung_up(fd));
    bed_turn(&testbed, 450);
    assert_true(hung_up(fd) && hung_up(half));
    assert_int_equal(tcp(&testbed)->late, 3); /* the peer's too: it sent no further check */
    close(fd);
    close(half);
    bed_free(&testbed);
}

static void a_thousand_connections_leave_the_port_alone(void **state)
{
    (void)state;
    struct rlimit files;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
    files.rlim_cur = files.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
    bed testbed;
    bed_new(&testbed, "127.0.0.1",
            &(cn_port_limits){.tcp_max = 400, .tcp_per_address = 300, .tcp_unchecked_max = 100, .tcp_check_ms = 1000});
    bed_peer *peer = bed_peer_tcp(&testbed, "127.0.0.1", both);
    bed_connect(peer);
    static int fds[1000];
    for (size_t i = 0; i < COUNT_OF(fds); i++) {
        fds[i] = dial(&testbed);
        if (i % 50 == 49) bed_turn(&testbed, 2);
    }
    bed_turn(&testbed, 20);
    assert_int_equal(tcp(&testbed)->accepted, 1001);
    assert_int_equal(tcp(&testbed)->open, 101); /* one with a good check */
    assert_int_equal(tcp(&testbed)->refused, 900);
    rtp_flows_both_ways(peer, 1);
    /* the newest are those that stay: a peer can still come in */
    bed_peer *late = bed_peer_tcp(&testbed, "127.0.0.1", both);
    bed_connect(late);
    rtp_flows_both_ways(late, 1);
    for (size_t i = 0; i < COUNT_OF(fds); i++) close(fds[i]);
    bed_turn(&testbed, 50);
    assert_int_equal(tcp(&testbed)->open, 2);
    rtp_flows_both_ways(peer, 2);
    bed_free(&testbed);
}

static void one_address_gets_its_share(void **state)
{
    (void)state;
    bed testbed;
    bed_new(&testbed, "127.0.0.1", &(cn_port_limits){.tcp_per_address = 5});
    int fds[8];
    for (size_t i = 0; i < COUNT_OF(fds); i++) fds[i] = dial(&testbed);
    bed_turn(&testbed, 20);
    assert_int_equal(tcp(&testbed)->open, 5);
    assert_int_equal(tcp(&testbed)->refused, 3);
    for (size_t i = 0; i < COUNT_OF(fds); i++) {
        assert_int_equal(hung_up(fds[i]), i >= 5);
        close(fds[i]);
    }
    bed_turn(&testbed, 20);
    assert_int_equal(tcp(&testbed)->open, 0);
    bed_free(&testbed);
}

/* a reader that stops: what waits is bounded, frames stay whole, and at the bound it is cut off */
static void a_slow_reader_is_noticed_and_cut_off(void **state)
{
    (void)state;
    bed testbed;
    bed_new(&testbed, "127.0.0.1", NULL);
    bed_peer *peer = bed_peer_tcp(&testbed, "127.0.0.1", both), *fast = bed_peer_tcp(&testbed, "127.0.0.1", both);
    bed_connect(peer);
    bed_connect(fast);
    cn_loop_unwatch(testbed.loop, peer->watched); /* reads no more */
    peer->watched = -1;
    cn_transport_rate(peer->t, 2000000);
    unsigned sent = 0;
    for (; sent < 20000 && !cn_transport_full(peer->t, 200); sent++) {
        assert_true(bed_send(peer, 9, (uint16_t)sent, 1200, (uint8_t)sent));
        if (sent % 20 == 19) bed_turn(&testbed, 1);
    }
    assert_true(cn_transport_full(peer->t, 200));
    assert_false(cn_transport_full(fast->t, 200));
    /* it reads again: every packet comes, whole and in order */
    bed_watch(peer);
    bed_turn(&testbed, 500);
    assert_int_equal(peer->client_rtp_in, sent);
    assert_int_equal(rtc_client_counts_get(peer->c)->rtp_bad, 0);
    assert_false(cn_transport_full(peer->t, 200));
    /* and stops for good */
    cn_loop_unwatch(testbed.loop, peer->watched);
    peer->watched = -1;
    for (unsigned i = 0; i < 20000 && !tcp(&testbed)->slow; i++) {
        (void)bed_send(peer, 9, (uint16_t)(sent + i), 1200, 0);
        if (i % 20 == 19) bed_turn(&testbed, 1);
    }
    bed_turn(&testbed, 20);
    assert_int_equal(tcp(&testbed)->slow, 1);
    assert_int_equal(tcp(&testbed)->open, 1);
    rtp_flows_both_ways(fast, 1);
    bed_free(&testbed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(media_flows),
        cmocka_unit_test(a_burst_keeps_its_order),
        cmocka_unit_test(media_moves_between_udp_and_tcp),
        cmocka_unit_test(a_new_connection_goes_on),
        cmocka_unit_test(what_is_no_check_closes_a_strange_connection),
        cmocka_unit_test(garbage_from_a_peer_costs_its_connection),
        cmocka_unit_test(bytes_one_by_one_are_put_together),
        cmocka_unit_test(silent_connections_are_closed),
        cmocka_unit_test(a_thousand_connections_leave_the_port_alone),
        cmocka_unit_test(one_address_gets_its_share),
        cmocka_unit_test(a_slow_reader_is_noticed_and_cut_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
