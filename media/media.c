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

const char *cn_source_name(cn_source_kind k)
{
    return (unsigned)k <= CN_SOURCE_DEVICE ? source_names[k] : "";
}

cn_source_kind cn_source_parse(const char *name)
{
    for (int k = CN_SOURCE_MIC; k <= CN_SOURCE_DEVICE; k++)
        if (name && strcmp(source_names[k], name) == 0) return (cn_source_kind)k;
    return CN_SOURCE_NONE;
}

static cn_err links_new(cn_media *m)
{
    for (unsigned from = 0; from < m->count; from++)
        for (unsigned to = 0; to < m->count; to++) {
            cn_link *l = NULL;
            CN_TRY(cn_link_new(&l, LINK_CAPACITY));
            m->workers[from].out[to] = l;
            m->workers[to].in[from] = l;
        }
    return CN_OK;
}

static cn_err workers_open(cn_media *m, const cn_media_config *config)
{
    for (unsigned i = 0; i < m->count; i++) {
        cn_worker *w = &m->workers[i];
        w->events = &m->events;
        w->events_ctx = m->events_ctx;
        w->directory = m->directory;
        w->identity = m->identity;
        CN_TRY(cn_worker_open(w, m, i, config));
    }
    CN_TRY(links_new(m));
    for (unsigned i = 0; i < m->count; i++) CN_TRY(cn_worker_start(&m->workers[i]));
    return CN_OK;
}

cn_err cn_media_new(cn_media **out, const cn_media_config *config, const cn_media_events *events, void *ctx)
{
    if (!config->workers || config->workers > CN_WORKERS_MAX || !config->addresses ||
        config->addresses > CN_MEDIA_ADDRESSES)
        return CN_ERR_INVALID;
    cn_media *m = CN_NEW(cn_media);
    if (!m) return CN_ERR_NOMEM;
    m->count = config->workers;
    if (events) m->events = *events;
    m->events_ctx = ctx;
    m->workers = cn_calloc(m->count, sizeof *m->workers);
    cn_err err = m->workers ? CN_OK : CN_ERR_NOMEM;
    if (!err) err = cn_directory_new(&m->directory, m->count);
    if (!err) err = cn_identity_new(&m->identity);
    if (!err) err = workers_open(m, config);
    if (err) {
        cn_media_free(m);
        return err;
    }
    *out = m;
    return CN_OK;
}

/* Links and tracks of one worker hold packets of another's pool: pools go last. */
void cn_media_free(cn_media *m)
{
    if (!m) return;
    for (unsigned i = 0; m->workers && i < m->count; i++) cn_worker_stop(&m->workers[i]);
    for (unsigned i = 0; m->workers && i < m->count; i++) cn_worker_close(&m->workers[i]);
    for (unsigned i = 0; m->workers && i < m->count; i++)
        for (unsigned to = 0; to < m->count; to++) cn_link_free(m->workers[i].out[to]);
    for (unsigned i = 0; m->workers && i < m->count; i++) cn_packet_pool_free(m->workers[i].pool);
    cn_identity_free(m->identity);
    cn_directory_free(m->directory);
    free(m->workers);
    free(m);
}

uint16_t cn_media_port(const cn_media *m, unsigned worker)
{
    return worker < m->count ? cn_port_number(m->workers[worker].port) : 0;
}

static uint64_t load(const atomic_uint_least64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

unsigned cn_media_workers(const cn_media *m)
{
    return m->count;
}

void cn_media_worker_get(const cn_media *m, unsigned worker, cn_media_worker *out)
{
    uint64_t values[CN_WORKER_FIGURES] = {0};
    for (size_t i = 0; worker < m->count && i < CN_WORKER_FIGURES; i++)
        values[i] = load(&m->workers[worker].figures[i]);
    memcpy(out, values, sizeof *out);
}

void cn_media_totals_get(const cn_media *m, cn_media_totals *out)
{
    *out = (cn_media_totals){0};
    for (unsigned i = 0; i < m->count; i++) {
        const cn_worker *w = &m->workers[i];
        uint64_t *const port[] = {&out->datagrams_in, &out->datagrams_out, &out->bad_stun, &out->bad_dtls,
                                  &out->bad_rtp,      &out->bad_rtcp,      &out->replayed, &out->unknown_source};
        for (size_t k = 0; k < sizeof port / sizeof *port; k++) *port[k] += load(&w->port_totals[k]);
        out->packets_forwarded += load(&w->forwarded);
        out->bad_rtp += load(&w->bad_rtp);
        out->bad_rtcp += load(&w->bad_rtcp);
    }
}
