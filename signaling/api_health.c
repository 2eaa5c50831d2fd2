/* What supervisors ask: alive, ready, counters (Prometheus text format 0.0.4). */
#include <string.h>

#include "base/str.h"
#include "signaling/app.h"
#include "signaling/api.h"

static cn_err healthz(cn_http *h)
{
    return cn_http_text(h, 200, "text/plain; charset=utf-8", "ok\n", 3);
}

/* That this handler runs at all shows that the line of jobs moves. */
static cn_err readyz(cn_http *h)
{
    const cn_app *app = cn_http_app(h);
    const struct {
        const char *name;
        cn_err err;
    } parts[] = {{"database", cn_db_ping(app->db)}, {"files", cn_files_ping(app->files)}};
    bool ready = true;
    json_t *o = json_object(), *components = json_object();
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (parts[i].err != CN_OK) ready = false;
        json_object_set_new(components, parts[i].name,
                            json_string(parts[i].err == CN_OK ? "ok" : cn_err_text(parts[i].err)));
    }
    json_object_set_new(components, "jobs", json_string("ok"));
    json_object_set_new(o, "ready", json_boolean(ready));
    json_object_set_new(o, "components", components);
    return cn_http_json(h, ready ? 200 : 503, o);
}

static void counter(cn_buf *b, const char *name, const char *kind, const char *what, uint64_t value)
{
    cn_buf_fmt(b, "# HELP consilium_%s %s\n# TYPE consilium_%s %s\nconsilium_%s %llu\n", name, what, name, kind, name,
               (unsigned long long)value);
}

static cn_err metrics(cn_http *h)
{
    const cn_app *app = cn_http_app(h);
    cn_door_stats door;
    cn_tilecache_stats tiles;
    cn_media_totals media;
    cn_live_stats live;
    cn_buf b = {0};
    cn_door_stats_get(app->door, &door);
    cn_slides_stats(app->slides, &tiles);
    cn_media_totals_get(app->media, &media);
    cn_live_stats_get(app->live, &live);
    counter(&b, "http_requests_total", "counter", "requests received", door.requests);
    counter(&b, "http_answers_ok_total", "counter", "answers with a status under 400", door.answers_2xx);
    counter(&b, "http_answers_refused_total", "counter", "answers with 4xx", door.answers_4xx);
    counter(&b, "http_answers_failed_total", "counter", "answers with 5xx", door.answers_5xx);
    counter(&b, "jobs_working", "gauge", "exchanges that wait for or run on a job thread", door.working);
    counter(&b, "websockets", "gauge", "open live connections", door.websockets);
    counter(&b, "ws_messages_in_total", "counter", "live messages received", door.ws_messages_in);
    counter(&b, "ws_messages_out_total", "counter", "live messages sent", door.ws_messages_out);
    counter(&b, "tile_hits_total", "counter", "tiles from memory", tiles.hits);
    counter(&b, "tile_misses_total", "counter", "tiles that had to be made", tiles.misses);
    counter(&b, "tile_cache_bytes", "gauge", "memory of encoded tiles", tiles.bytes);
    counter(&b, "rooms", "gauge", "rooms in use", live.rooms);
    counter(&b, "participants", "gauge", "participants of all rooms", live.participants);
    counter(&b, "ledger_waiting", "gauge", "rows that wait for the minute ledger", live.ledger_waiting);
    counter(&b, "media_datagrams_in_total", "counter", "datagrams received", media.datagrams_in);
    counter(&b, "media_datagrams_out_total", "counter", "datagrams sent", media.datagrams_out);
    counter(&b, "media_packets_forwarded_total", "counter", "packets forwarded", media.packets_forwarded);
    counter(&b, "media_bad_stun_total", "counter", "malformed or unauthenticated STUN", media.bad_stun);
    counter(&b, "media_bad_dtls_total", "counter", "malformed DTLS", media.bad_dtls);
    counter(&b, "media_bad_rtp_total", "counter", "malformed or unauthenticated RTP", media.bad_rtp);
    counter(&b, "media_bad_rtcp_total", "counter", "malformed or unauthenticated RTCP", media.bad_rtcp);
    counter(&b, "media_replayed_total", "counter", "replayed packets", media.replayed);
    counter(&b, "media_unknown_source_total", "counter", "datagrams from unknown addresses", media.unknown_source);
    cn_err err = b.err != CN_OK ? b.err : cn_http_text(h, 200, "text/plain; version=0.0.4; charset=utf-8", b.p, b.n);
    cn_buf_free(&b);
    return err;
}

const cn_route cn_health_routes[] = {
    {CN_GET, "/healthz", CN_WHO_PUBLIC, healthz, .body = CN_BODY_NONE, .job = CN_RUN_DOOR},
    {CN_GET, "/readyz", CN_WHO_PUBLIC, readyz, .body = CN_BODY_NONE},
    {.path = NULL},
};

const cn_route cn_metrics_routes[] = {
    {CN_GET, "/metrics", CN_WHO_PUBLIC, metrics, .body = CN_BODY_NONE},
    {.path = NULL},
};
