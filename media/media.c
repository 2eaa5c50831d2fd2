#include "media/media.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "media/command.h"
#include "media/secure/identity.h"
#include "media/stream/packet.h"
#include "media/worker/worker.h"

#define LINK_CAPACITY 4096

static const char *const source_names[] = {
    [CN_SOURCE_NONE] = "",         [CN_SOURCE_MIC] = "mic",       [CN_SOURCE_CAMERA] = "camera",
    [CN_SOURCE_SCREEN] = "screen", [CN_SOURCE_DEVICE] = "device",
};

const char *cn_source_name(cn_source_kind kind)
{
    return (unsigned)kind <= CN_SOURCE_DEVICE ? source_names[kind] : "";
}

cn_source_kind cn_source_parse(const char *name)
{
    for (int k = CN_SOURCE_MIC; k <= CN_SOURCE_DEVICE; k++)
        if (name && strcmp(source_names[k], name) == 0) return (cn_source_kind)k;
    return CN_SOURCE_NONE;
}

static cn_err links_new(cn_media *media)
{
    for (unsigned from = 0; from < media->count; from++)
        for (unsigned to = 0; to < media->count; to++) {
            cn_link *link = NULL;
            CN_TRY(cn_link_new(&link, LINK_CAPACITY));
            media->workers[from].out[to] = link;
            media->workers[to].in[from] = link;
        }
    return CN_OK;
}

static cn_err workers_open(cn_media *media, const cn_media_config *config)
{
    for (unsigned i = 0; i < media->count; i++) {
        cn_worker *worker = &media->workers[i];
        worker->events = &media->events;
        worker->events_ctx = media->events_ctx;
        worker->directory = media->directory;
        worker->identity = media->identity;
        CN_TRY(cn_worker_open(worker, media, i, config));
    }
    CN_TRY(links_new(media));
    for (unsigned i = 0; i < media->count; i++) CN_TRY(cn_worker_start(&media->workers[i]));
    return CN_OK;
}

cn_err cn_media_new(cn_media **out, const cn_media_config *config, const cn_media_events *events, void *ctx)
{
    if (!config->workers || config->workers > CN_WORKERS_MAX || !config->addresses ||
        config->addresses > CN_MEDIA_ADDRESSES)
        return CN_ERR_INVALID;
    cn_media *media = CN_NEW(cn_media);
    if (!media) return CN_ERR_NOMEM;
    media->count = config->workers;
    if (events) media->events = *events;
    media->events_ctx = ctx;
    media->workers = cn_calloc(media->count, sizeof *media->workers);
    cn_err err = media->workers ? CN_OK : CN_ERR_NOMEM;
    if (!err) err = cn_directory_new(&media->directory, media->count);
    if (!err) err = cn_identity_new(&media->identity);
    if (!err) err = workers_open(media, config);
    if (err) {
        cn_media_free(media);
        return err;
    }
    *out = media;
    return CN_OK;
}

/* Links and tracks of one worker hold packets of another's pool: pools go last. */
void cn_media_free(cn_media *media)
{
    if (!media) return;
    for (unsigned i = 0; media->workers && i < media->count; i++) cn_worker_stop(&media->workers[i]);
    for (unsigned i = 0; media->workers && i < media->count; i++) cn_worker_close(&media->workers[i]);
    for (unsigned i = 0; media->workers && i < media->count; i++)
        for (unsigned to = 0; to < media->count; to++) cn_link_free(media->workers[i].out[to]);
    for (unsigned i = 0; media->workers && i < media->count; i++) cn_packet_pool_free(media->workers[i].pool);
    cn_identity_free(media->identity);
    cn_directory_free(media->directory);
    free(media->workers);
    free(media);
}

uint16_t cn_media_port(const cn_media *media, unsigned worker)
{
    return worker < media->count ? cn_port_number(media->workers[worker].port) : 0;
}

static uint64_t load(const atomic_uint_least64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

unsigned cn_media_workers(const cn_media *media)
{
    return media->count;
}

void cn_media_worker_get(const cn_media *media, unsigned worker, cn_media_worker *out)
{
    uint64_t values[CN_WORKER_FIGURES] = {0};
    for (size_t i = 0; worker < media->count && i < CN_WORKER_FIGURES; i++)
        values[i] = load(&media->workers[worker].figures[i]);
    memcpy(out, values, sizeof *out);
}

void cn_media_totals_get(const cn_media *media, cn_media_totals *out)
{
    *out = (cn_media_totals){0};
    for (unsigned i = 0; i < media->count; i++) {
        const cn_worker *worker = &media->workers[i];
        uint64_t *const port[] = {&out->datagrams_in, &out->datagrams_out, &out->bad_stun, &out->bad_dtls,
                                  &out->bad_rtp,      &out->bad_rtcp,      &out->replayed, &out->unknown_source};
        for (size_t k = 0; k < sizeof port / sizeof *port; k++) *port[k] += load(&worker->port_totals[k]);
        out->packets_forwarded += load(&worker->forwarded);
        out->bad_rtp += load(&worker->bad_rtp);
        out->bad_rtcp += load(&worker->bad_rtcp);
    }
}
