#include "media/worker/worker.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/log.h"
#include "media/stream/packet.h"
#include "media/room/peer.h"
#include "media/room/ranker.h"
#include "media/room/room.h"
#include "media/room/source.h"
#include "media/forward/track.h"

#define NICER 10 /* than the rest of the process */
#define TICK_MS 20
#define TICKS_PER_SECOND (1000 / TICK_MS)
#define SLOW_MS 5
#define POOL_MAX 131072 /* packets: 200 MiB at most, taken only as needed */
#define TCP_MAX 4096
#define BUFFER_BYTES (8u << 20)

uint32_t cn_source_number_next(void)
{
    static atomic_uint_least32_t last;
    return atomic_fetch_add_explicit(&last, 1, memory_order_relaxed) + 1;
}

typedef void (*message_fn)(cn_worker *w, cn_msg *m);

/* Handlers own what the message carries. */
static const message_fn handlers[CN_MSG_COUNT] = {
    [CN_MSG_PACKET] = cn_track_on_packet,
    [CN_MSG_ROOM_OPEN] = cn_room_on_open,
    [CN_MSG_ROOM_CLOSE] = cn_room_on_close,
    [CN_MSG_SOURCE_ADD] = cn_room_on_source_add,
    [CN_MSG_SOURCE_REMOVE] = cn_room_on_source_remove,
    [CN_MSG_SOURCE_ON] = cn_track_on_switch,
    [CN_MSG_SOURCE_LAYERS] = cn_track_on_layers,
    [CN_MSG_SENDER_REPORT] = cn_track_on_sender_report,
    [CN_MSG_SUBSCRIBE] = cn_source_on_subscribe,
    [CN_MSG_LOSS] = cn_source_on_loss,
    [CN_MSG_KEYFRAME] = cn_source_on_keyframe,
    [CN_MSG_LEVEL] = cn_ranker_on_level,
    [CN_MSG_RANKED] = cn_room_on_ranked,
};

void cn_worker_send(cn_worker *w, unsigned to, cn_msg m)
{
    m.from = (uint8_t)w->index;
    if (!cn_link_send(w->out[to], &m)) cn_count(&w->link_drops, 1);
}

static void on_link(void *arg, uint32_t events)
{
    (void)events;
    cn_link *l = arg;
    cn_worker *w = cn_link_user(l);
    w->now_ns = cn_loop_now_ns(w->loop);
    cn_link_drain_wake(l);
    for (cn_msg m; cn_link_pop(l, &m);) {
        if (m.kind != CN_MSG_PACKET) cn_track_forward(w);
        handlers[m.kind](w, &m);
    }
    cn_track_forward(w);
}

static void on_received(void *arg)
{
    cn_track_forward(arg);
}

static void publish_totals(cn_worker *w)
{
    const cn_port_totals *t = cn_port_totals_get(w->port);
    const cn_tcp_totals *tcp = cn_port_tcp_totals_get(w->port);
    const uint64_t values[] = {t->datagrams_in + tcp->frames_in,
                               t->datagrams_out + tcp->frames_out,
                               t->bad_stun,
                               t->bad_dtls,
                               t->bad_rtp,
                               t->bad_rtcp,
                               t->replayed,
                               t->unknown_source};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        atomic_store_explicit(&w->port_totals[i], values[i], memory_order_relaxed);
}

static uint64_t load(const atomic_uint_least64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

/* What operations want to see, every tick: too much to be copied in every turn. */
static void publish_figures(cn_worker *w)
{
    const cn_port_totals *t = cn_port_totals_get(w->port);
    const cn_tcp_totals *tcp = cn_port_tcp_totals_get(w->port);
    cn_packet_pool_stats pool;
    cn_packet_pool_stats_get(w->pool, &pool);
    cn_media_worker f = {.datagrams_in = t->datagrams_in,
                         .datagrams_out = t->datagrams_out,
                         .bytes_in = t->bytes_in,
                         .bytes_out = t->bytes_out,
                         .forwarded = load(&w->forwarded),
                         .send_calls = t->send_calls,
                         .messages = t->messages,
                         .gso_messages = t->gso_sends,
                         .gso_datagrams = t->gso_datagrams,
                         .send_failed = t->send_failed,
                         .protect_failed = t->protect_failed,
                         .receive_dropped = t->receive_dropped,
                         .link_drops = load(&w->link_drops),
                         .bad_stun = t->bad_stun,
                         .bad_dtls = t->bad_dtls,
                         .bad_rtp = t->bad_rtp + load(&w->bad_rtp),
                         .bad_rtcp = t->bad_rtcp + load(&w->bad_rtcp),
                         .replayed = t->replayed,
                         .unknown_source = t->unknown_source,
                         .unknown_kind = t->unknown_kind,
                         .pool_used = pool.in_use,
                         .pool_allocated = pool.allocated,
                         .pool_max = pool.max,
                         .pool_denied = pool.denied,
                         .peers = w->peers.count,
                         .tcp_open = tcp->open,
                         .tcp_received = tcp->frames_in,
                         .tcp_sent = tcp->frames_out,
                         .tcp_refused = tcp->refused,
                         .tcp_broken = tcp->broken,
                         .tcp_late = tcp->late,
                         .tcp_slow = tcp->slow,
                         .delay_sum_ns = w->delay->sum_ns};
    memcpy(f.delay, w->delay->counts, sizeof f.delay);
    uint64_t values[CN_WORKER_FIGURES];
    memcpy(values, &f, sizeof f);
    for (size_t i = 0; i < CN_WORKER_FIGURES; i++)
        atomic_store_explicit(&w->figures[i], values[i], memory_order_relaxed);
}

static void after_turn(void *arg)
{
    cn_worker *w = arg;
    cn_peer_bury(w);
    for (unsigned i = 0; i < w->count; i++) (void)cn_link_flush(w->out[i]);
    cn_port_flush(w->port);
    publish_totals(w);
}

static void on_tick(void *arg)
{
    cn_worker *w = arg;
    w->now_ns = cn_loop_now_ns(w->loop);
    w->ticks++;
    cn_timer_arm(w->tick, TICK_MS);
    size_t at = 0;
    for (cn_source *s; (s = cn_idmap_next(&w->sources, &at, NULL));) cn_source_tick(s, w->now_ns);
    at = 0;
    for (cn_peer *p; (p = cn_idmap_next(&w->peers, &at, NULL));) cn_peer_tick(p, w->now_ns);
    at = 0;
    for (cn_track *t; w->ticks % TICKS_PER_SECOND == 0 && (t = cn_idmap_next(&w->tracks, &at, NULL));)
        cn_track_second(t, w->now_ns);
    at = 0;
    for (cn_ranker *r; (r = cn_idmap_next(&w->rankers, &at, NULL));) cn_ranker_tick(w, r, w->now_ns);
    if (w->ticks % TICKS_PER_SECOND == 0) {
        cn_port_measure(w->port);
        cn_packet_pool_trim(w->pool);
    }
    publish_figures(w);
}

/** TCP connections take half of the process's descriptors at most: pages and files need theirs. */
static uint32_t tcp_max(unsigned workers)
{
    struct rlimit files;
    rlim_t share = TCP_MAX;
    if (!getrlimit(RLIMIT_NOFILE, &files) && files.rlim_cur / 2 / workers < share) share = files.rlim_cur / 2 / workers;
    return share ? (uint32_t)share : 1;
}

static cn_err open_port(cn_worker *w, const cn_media_config *config)
{
    cn_port_limits limits = {
        .timeout_ms = config->timeout_s * 1000, .buffer_bytes = BUFFER_BYTES, .tcp_max = tcp_max(config->workers)};
    uint16_t port = config->port ? (uint16_t)(config->port + w->index) : 0;
    return cn_port_new(&w->port, w->loop, w->identity, config->listen, config->announce, config->addresses, port,
                       &limits);
}

cn_err cn_worker_open(cn_worker *w, struct cn_media *media, unsigned index, const cn_media_config *config)
{
    w->media = media;
    w->index = index;
    w->count = config->workers;
    CN_TRY(cn_loop_new(&w->loop, "media", SLOW_MS));
    CN_TRY(open_port(w, config));
    w->delay = cn_port_delay(w->port);
    cn_port_after_receive(w->port, on_received, w);
    CN_TRY(cn_packet_pool_new(&w->pool, POOL_MAX));
    CN_TRY(cn_timer_new(&w->tick, w->loop, on_tick, w));
    cn_timer_arm(w->tick, TICK_MS);
    return CN_OK;
}

static void *run(void *arg)
{
    cn_worker *w = arg;
    /* of this thread alone: a voice must not wait for a page. Refused without LimitNICE (docs/operations.md) */
    int nice = getpriority(PRIO_PROCESS, 0) - NICER;
    if (setpriority(PRIO_PROCESS, 0, nice))
        cn_info("media.worker", "packets are forwarded at ordinary priority: LimitNICE=%d would put them first", nice);
    cn_loop_run(w->loop);
    return NULL;
}

cn_err cn_worker_start(cn_worker *w)
{
    for (unsigned i = 0; i < w->count; i++) {
        cn_link_set_user(w->in[i], w);
        CN_TRY(cn_loop_watch(w->loop, cn_link_fd(w->in[i]), EPOLLIN, on_link, w->in[i]));
    }
    cn_loop_after_turn(w->loop, after_turn, w);
    if (pthread_create(&w->thread, NULL, run, w) != 0) return CN_ERR_NOMEM;
    w->started = true;
    return CN_OK;
}

static void stop(void *arg)
{
    cn_worker *w = arg;
    w->now_ns = cn_loop_now_ns(w->loop);
    size_t at = 0;
    for (cn_peer *p; (p = cn_idmap_next(&w->peers, &at, NULL));) cn_peer_end(p, CN_LEAVE_SHUTDOWN);
    after_turn(w);
    cn_loop_stop(w->loop);
}

void cn_worker_stop(cn_worker *w)
{
    if (!w->started) return;
    while (cn_loop_call(w->loop, stop, w) == CN_ERR_FULL) sched_yield();
    pthread_join(w->thread, NULL);
    w->started = false;
}

/* What messages would have taken away, had they arrived. */
static void drop_rest(cn_worker *w)
{
    size_t at = 0;
    for (cn_track *t; (t = cn_idmap_next(&w->tracks, &at, NULL));) cn_track_free(t);
    at = 0;
    for (cn_room *r; (r = cn_idmap_next(&w->rooms, &at, NULL));) free(r);
    at = 0;
    for (cn_ranker *r; (r = cn_idmap_next(&w->rankers, &at, NULL));) cn_ranker_free(r);
    cn_idmap_free(&w->peers);
    cn_idmap_free(&w->rooms);
    cn_idmap_free(&w->rankers);
    cn_idmap_free(&w->sources);
    cn_idmap_free(&w->tracks);
}

void cn_worker_close(cn_worker *w)
{
    drop_rest(w);
    cn_timer_free(w->tick);
    cn_port_free(w->port);
    cn_loop_free(w->loop);
    /* the pool goes last, in media.c: other workers' links and rings may hold its packets */
}
