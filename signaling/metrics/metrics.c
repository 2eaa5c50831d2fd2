/* /metrics: what the door, the tiles and the media workers count; rooms and participants are rooms.c's. Runs on
 * the door's thread. Labels are numbers and ids, never names. */
#include "signaling/metrics/metrics.h"
#include "signaling/metrics/promtext.h"
#include "signaling/metrics/rooms.h"

#include <stddef.h>
#include <string.h>

#include "signaling/app.h"

#define WORKERS 64 /* shown at most */

static void door(cn_buf *buf, const cn_app *app)
{
    cn_door_stats stats;
    cn_door_stats_get(app->door, &stats);
    cn_prom_single(buf, "http_requests_total", "counter", "HTTP requests received.", stats.requests);
    cn_prom_single(buf, "http_answers_ok_total", "counter", "Answers with a status under 400.", stats.answers_2xx);
    cn_prom_single(buf, "http_answers_refused_total", "counter", "Answers with 4xx.", stats.answers_4xx);
    cn_prom_single(buf, "http_answers_failed_total", "counter", "Answers with 5xx.", stats.answers_5xx);
    cn_prom_single(buf, "jobs_working", "gauge", "Exchanges that wait for or run on a job thread.", stats.working);
    cn_prom_single(buf, "websockets", "gauge", "Open live connections.", stats.websockets);
    cn_prom_single(buf, "ws_messages_in_total", "counter", "Live messages received.", stats.ws_messages_in);
    cn_prom_single(buf, "ws_messages_out_total", "counter", "Live messages sent.", stats.ws_messages_out);
}

static void tiles(cn_buf *buf, const cn_app *app)
{
    cn_tilecache_stats stats;
    cn_slides_stats(app->slides, &stats);
    cn_prom_single(buf, "tile_hits_total", "counter", "Slide tiles from memory.", stats.hits);
    cn_prom_single(buf, "tile_misses_total", "counter", "Slide tiles that had to be made.", stats.misses);
    cn_prom_single(buf, "tile_cache_bytes", "gauge", "Memory of encoded tiles.", stats.bytes);
}

static void dicom(cn_buf *buf, const cn_app *app)
{
    cn_dicom_net_stats stats;
    if (!app->dicom_net) return;
    cn_dicom_net_look(app->dicom_net, &stats);
    cn_prom_single(buf, "dicom_associations_total", "counter", "DICOM associations that were begun.",
                   stats.associations);
    cn_prom_single(buf, "dicom_associations", "gauge", "DICOM associations at work.", stats.open);
    cn_prom_single(buf, "dicom_refused_total", "counter", "DICOM associations that were refused.", stats.refused);
    cn_prom_single(buf, "dicom_taken_total", "counter", "Files that C-STORE stored.", stats.taken);
    cn_prom_single(buf, "dicom_failed_total", "counter", "Files that C-STORE refused.", stats.failed);
}

typedef struct figure {
    const char *name, *type, *help;
    size_t at;
    const char *label, *value; /* a second label, or NULL; lines of one name stand together */
} figure;

#define AT(member) offsetof(cn_media_worker, member)
#define DROPPED "worker_dropped_packets_total", "counter", "Packets lost inside this server, by where."
#define REFUSED "worker_refused_datagrams_total", "counter", "Datagrams that were not taken, by why."
#define CLOSED "worker_tcp_closed_total", "counter", "TCP connections that this server closed, by why."
#define POOL "worker_pool_packets", "gauge", "Packet buffers: in use, taken from memory, and the bound."

static const figure figures[] = {
    {"worker_received_datagrams_total", "counter", "Datagrams received.", AT(datagrams_in), NULL, NULL},
    {"worker_sent_datagrams_total", "counter", "Datagrams sent.", AT(datagrams_out), NULL, NULL},
    {"worker_received_bytes_total", "counter", "UDP payload received.", AT(bytes_in), NULL, NULL},
    {"worker_sent_bytes_total", "counter", "UDP payload sent.", AT(bytes_out), NULL, NULL},
    {"worker_forwarded_packets_total", "counter", "RTP packets forwarded to a participant.", AT(forwarded), NULL, NULL},
    {"worker_send_calls_total", "counter", "System calls that send.", AT(send_calls), NULL, NULL},
    {"worker_send_runs_total", "counter", "Runs of datagrams to one destination, of one or more.", AT(messages), NULL,
     NULL},
    {"worker_gso_runs_total", "counter", "Runs of two and more that left as one (UDP segmentation).", AT(gso_messages),
     NULL, NULL},
    {"worker_gso_datagrams_total", "counter", "Datagrams that left in such runs.", AT(gso_datagrams), NULL, NULL},
    {DROPPED, AT(receive_dropped), "where", "receive_buffer"},
    {DROPPED, AT(link_drops), "where", "link"},
    {DROPPED, AT(pool_denied), "where", "pool"},
    {DROPPED, AT(send_failed), "where", "send"},
    {DROPPED, AT(protect_failed), "where", "protect"},
    {REFUSED, AT(bad_stun), "why", "stun"},
    {REFUSED, AT(bad_dtls), "why", "dtls"},
    {REFUSED, AT(bad_rtp), "why", "rtp"},
    {REFUSED, AT(bad_rtcp), "why", "rtcp"},
    {REFUSED, AT(replayed), "why", "replayed"},
    {REFUSED, AT(unknown_source), "why", "unknown_source"},
    {REFUSED, AT(unknown_kind), "why", "unknown_kind"},
    {POOL, AT(pool_used), "state", "used"},
    {POOL, AT(pool_allocated), "state", "allocated"},
    {POOL, AT(pool_max), "state", "max"},
    {"worker_tcp_connections", "gauge", "Connections that carry media over TCP.", AT(tcp_open), NULL, NULL},
    {"worker_tcp_received_datagrams_total", "counter", "Datagrams received over TCP.", AT(tcp_received), NULL, NULL},
    {"worker_tcp_sent_datagrams_total", "counter", "Datagrams sent over TCP.", AT(tcp_sent), NULL, NULL},
    {CLOSED, AT(tcp_refused), "why", "full"},
    {CLOSED, AT(tcp_broken), "why", "broken"},
    {CLOSED, AT(tcp_late), "why", "late"},
    {CLOSED, AT(tcp_slow), "why", "slow"},
    {"worker_peers", "gauge", "Participants on this worker.", AT(peers), NULL, NULL},
};

static uint64_t figure_of(const cn_media_worker *worker, size_t at)
{
    uint64_t value;
    memcpy(&value, (const char *)worker + at, sizeof value);
    return value;
}

static void worker_figures(cn_buf *buf, const cn_media_worker *worker, unsigned count)
{
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++) {
        const figure *f = &figures[i];
        if (!i || strcmp(f->name, f[-1].name) != 0) cn_prom_family(buf, f->name, f->type, f->help);
        for (unsigned k = 0; k < count; k++) {
            char number[16];
            (void)cn_fmt(number, sizeof number, "%u", k);
            cn_prom_label labels[] = {{"worker", number}, {f->label, f->value}};
            cn_prom_count(buf, f->name, labels, f->label ? 2 : 1, figure_of(&worker[k], f->at));
        }
    }
}

static void worker_means(cn_buf *buf, const cn_media_worker *worker, unsigned count)
{
    static const char run[] = "worker_gso_run_length", delay[] = "worker_forward_delay_seconds";
    char number[16];
    cn_prom_label label = {"worker", number};
    cn_prom_family(buf, run, "gauge", "Datagrams per run to one destination, mean since the start.");
    for (unsigned k = 0; k < count; k++) {
        (void)cn_fmt(number, sizeof number, "%u", k);
        uint64_t datagrams = worker[k].messages - worker[k].gso_messages + worker[k].gso_datagrams;
        cn_prom_sample(buf, run, &label, 1, worker[k].messages ? (double)datagrams / (double)worker[k].messages : 0);
    }
    cn_prom_family(buf, delay, "histogram",
                   "From the turn in which a packet was received to the end of the call that sent it on.");
    for (unsigned k = 0; k < count; k++) {
        (void)cn_fmt(number, sizeof number, "%u", k);
        cn_prom_histogram(buf, delay, &label, 1, cn_media_delay_us, CN_MEDIA_DELAYS - 1, 1e-6, worker[k].delay,
                          (double)worker[k].delay_sum_ns * 1e-9);
    }
}

static void workers(cn_buf *buf, const cn_app *app)
{
    cn_media_worker all[WORKERS];
    unsigned count = cn_media_workers(app->media);
    if (count > WORKERS) count = WORKERS;
    for (unsigned i = 0; i < count; i++) cn_media_worker_get(app->media, i, &all[i]);
    worker_figures(buf, all, count);
    worker_means(buf, all, count);
}

static cn_err metrics(cn_http *http)
{
    const cn_app *app = cn_http_app(http);
    cn_buf buf = {0};
    door(&buf, app);
    tiles(&buf, app);
    dicom(&buf, app);
    workers(&buf, app);
    cn_live_metrics(app->live, &buf);
    cn_err err =
        buf.err != CN_OK ? buf.err : cn_http_text(http, 200, "text/plain; version=0.0.4; charset=utf-8", buf.p, buf.n);
    cn_buf_free(&buf);
    return err;
}

const cn_route cn_metrics_routes[] = {
    {CN_GET, "/metrics", CN_WHO_PUBLIC, metrics, .body = CN_BODY_NONE, .job = CN_RUN_DOOR},
    {.path = NULL},
};
