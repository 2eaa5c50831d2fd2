#include "media/room/turn.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>

#include "base/log.h"
#include "media/forward/fanout.h"
#include "media/room/inbox.h"
#include "media/room/peer.h"
#include "media/room/ranker.h"
#include "media/room/room.h"
#include "media/room/source_feedback.h"
#include "media/stream/packet.h"

#define NICER 10 /* than the rest of the process */
#define TICK_MS 20
#define TICKS_PER_SECOND (1000 / TICK_MS)
#define SLOW_MS 5
#define POOL_MAX 131072 /* packets: 200 MiB at most, taken only as needed */
#define TCP_MAX 4096
#define BUFFER_BYTES (8u << 20)

static void on_link(void *arg, uint32_t events)
{
    (void)events;
    cn_link *link = arg;
    cn_worker *worker = cn_link_user(link);
    (void)cn_worker_now(worker);
    cn_inbox_read(worker, link);
}

static void on_received(void *arg)
{
    cn_fanout_forward(arg);
}

/* What operations want to see. */
static void publish_figures(cn_worker *worker)
{
    const cn_port_totals *totals = cn_port_totals_get(worker->port);
    const cn_tcp_totals *tcp = cn_port_tcp_totals_get(worker->port);
    cn_packet_pool_stats pool;
    cn_packet_pool_stats_get(worker->pool, &pool);
    cn_media_worker figures = {.datagrams_in = totals->datagrams_in,
                               .datagrams_out = totals->datagrams_out,
                               .bytes_in = totals->bytes_in,
                               .bytes_out = totals->bytes_out,
                               .forwarded = worker->forwarded,
                               .send_calls = totals->send_calls,
                               .messages = totals->messages,
                               .gso_messages = totals->gso_sends,
                               .gso_datagrams = totals->gso_datagrams,
                               .send_failed = totals->send_failed,
                               .protect_failed = totals->protect_failed,
                               .receive_dropped = totals->receive_dropped,
                               .link_drops = worker->link_drops,
                               .bad_stun = totals->bad_stun,
                               .bad_dtls = totals->bad_dtls,
                               .bad_rtp = totals->bad_rtp + worker->bad_rtp,
                               .bad_rtcp = totals->bad_rtcp + worker->bad_rtcp,
                               .replayed = totals->replayed,
                               .unknown_source = totals->unknown_source,
                               .unknown_kind = totals->unknown_kind,
                               .pool_used = pool.in_use,
                               .pool_allocated = pool.allocated,
                               .pool_max = pool.max,
                               .pool_denied = pool.denied,
                               .peers = worker->peers.count,
                               .tcp_open = tcp->open,
                               .tcp_received = tcp->frames_in,
                               .tcp_sent = tcp->frames_out,
                               .tcp_refused = tcp->refused,
                               .tcp_broken = tcp->broken,
                               .tcp_late = tcp->late,
                               .tcp_slow = tcp->slow,
                               .delay_sum_ns = worker->delay->sum_ns};
    memcpy(figures.delay, worker->delay->counts, sizeof figures.delay);
    cn_worker_publish(worker, &figures);
}

static void after_turn(void *arg)
{
    cn_worker *worker = arg;
    cn_peer_bury(worker);
    for (unsigned i = 0; i < worker->count; i++) (void)cn_link_flush(worker->out[i]);
    cn_port_flush(worker->port);
}

static void on_tick(void *arg)
{
    cn_worker *worker = arg;
    (void)cn_worker_now(worker);
    worker->ticks++;
    cn_timer_arm(worker->tick, TICK_MS);
    size_t at = 0;
    for (cn_source *source; (source = cn_idmap_next(&worker->sources, &at, NULL));)
        cn_source_tick(source, worker->now_ns);
    at = 0;
    for (cn_peer *peer; (peer = cn_idmap_next(&worker->peers, &at, NULL));) cn_peer_tick(peer, worker->now_ns);
    at = 0;
    for (cn_track *track; worker->ticks % TICKS_PER_SECOND == 0 && (track = cn_idmap_next(&worker->tracks, &at, NULL));)
        cn_fanout_second(track, worker->now_ns);
    at = 0;
    for (cn_ranker *ranker; (ranker = cn_idmap_next(&worker->rankers, &at, NULL));)
        cn_ranker_tick(worker, ranker, worker->now_ns);
    if (worker->ticks % TICKS_PER_SECOND == 0) {
        cn_port_measure(worker->port);
        cn_packet_pool_trim(worker->pool);
    }
    publish_figures(worker);
}

/** TCP connections take half of the process's descriptors at most: pages and files need theirs. */
static uint32_t tcp_max(unsigned workers)
{
    struct rlimit files;
    rlim_t share = TCP_MAX;
    if (!getrlimit(RLIMIT_NOFILE, &files) && files.rlim_cur / 2 / workers < share) share = files.rlim_cur / 2 / workers;
    return share ? (uint32_t)share : 1;
}

static cn_err open_port(cn_worker *worker, const cn_media_config *config)
{
    cn_port_limits limits = {
        .timeout_ms = config->timeout_s * 1000, .buffer_bytes = BUFFER_BYTES, .tcp_max = tcp_max(config->workers)};
    uint16_t port = config->port ? (uint16_t)(config->port + worker->index) : 0;
    return cn_port_new(&worker->port, worker->loop, worker->identity, config->listen, config->announce,
                       config->addresses, port, &limits);
}

cn_err cn_worker_open(cn_worker *worker, unsigned index, const cn_media_config *config)
{
    worker->index = index;
    worker->count = config->workers;
    worker->blind_bps = config->blind_bps ? config->blind_bps : CN_MEDIA_BLIND_BPS;
    CN_TRY(cn_loop_new(&worker->loop, "media", SLOW_MS));
    CN_TRY(open_port(worker, config));
    worker->delay = cn_port_delay(worker->port);
    cn_port_after_receive(worker->port, on_received, worker);
    CN_TRY(cn_packet_pool_new(&worker->pool, POOL_MAX));
    CN_TRY(cn_timer_new(&worker->tick, worker->loop, on_tick, worker));
    cn_timer_arm(worker->tick, TICK_MS);
    return CN_OK;
}

static void *run(void *arg)
{
    cn_worker *worker = arg;
    /* of this thread alone: a voice must not wait for a page. Refused without LimitNICE (docs/operations.md) */
    int nice = getpriority(PRIO_PROCESS, 0) - NICER;
    if (setpriority(PRIO_PROCESS, 0, nice))
        cn_info("media.worker", "packets are forwarded at ordinary priority: LimitNICE=%d would put them first", nice);
    cn_loop_run(worker->loop);
    return NULL;
}

cn_err cn_worker_start(cn_worker *worker)
{
    for (unsigned i = 0; i < worker->count; i++) {
        cn_link_set_user(worker->in[i], worker);
        CN_TRY(cn_loop_watch(worker->loop, cn_link_fd(worker->in[i]), EPOLLIN, on_link, worker->in[i]));
    }
    cn_loop_after_turn(worker->loop, after_turn, worker);
    if (pthread_create(&worker->thread, NULL, run, worker) != 0) return CN_ERR_NOMEM;
    worker->started = true;
    return CN_OK;
}

static void stop(void *arg)
{
    cn_worker *worker = arg;
    (void)cn_worker_now(worker);
    size_t at = 0;
    for (cn_peer *peer; (peer = cn_idmap_next(&worker->peers, &at, NULL));) cn_peer_end(peer, CN_LEAVE_SHUTDOWN);
    after_turn(worker);
    cn_loop_stop(worker->loop);
}

void cn_worker_stop(cn_worker *worker)
{
    if (!worker->started) return;
    while (cn_loop_call(worker->loop, stop, worker) == CN_ERR_FULL) sched_yield();
    pthread_join(worker->thread, NULL);
    worker->started = false;
}

/* What messages would have taken away, had they arrived. */
static void drop_rest(cn_worker *worker)
{
    size_t at = 0;
    for (cn_track *track; (track = cn_idmap_next(&worker->tracks, &at, NULL));) cn_fanout_end(track);
    at = 0;
    for (cn_room *room; (room = cn_idmap_next(&worker->rooms, &at, NULL));) cn_room_free(room);
    at = 0;
    for (cn_ranker *ranker; (ranker = cn_idmap_next(&worker->rankers, &at, NULL));) cn_ranker_free(ranker);
    cn_idmap_free(&worker->peers);
    cn_idmap_free(&worker->rooms);
    cn_idmap_free(&worker->rankers);
    cn_idmap_free(&worker->sources);
    cn_idmap_free(&worker->tracks);
}

void cn_worker_close(cn_worker *worker)
{
    drop_rest(worker);
    cn_timer_free(worker->tick);
    cn_port_free(worker->port);
    cn_loop_free(worker->loop);
}
