#include "media/media.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "media/media_impl.h"
#include "media/room/turn.h"
#include "media/sdp/plan.h"
#include "media/secure/identity.h"
#include "media/secure/srtp.h"
#include "media/stream/packet.h"

#define LINK_CAPACITY 4096

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
        CN_TRY(cn_worker_open(worker, i, config));
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
    if (!err) err = cn_srtp_start();
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

unsigned cn_media_workers(const cn_media *media)
{
    return media->count;
}

void cn_media_worker_get(const cn_media *media, unsigned worker, cn_media_worker *out)
{
    *out = (cn_media_worker){0};
    if (worker < media->count) cn_worker_figures(&media->workers[worker], out);
}

bool cn_media_codec_valid(const char *name)
{
    return cn_plan_codec(name) != CN_CODEC_OTHER;
}
