#include "media/room/source_size.h"

#include <string.h>

#include "media/rate/believe.h"
#include "media/stream/seq.h"
#include "media/wire/allocation.h"

#define SURE 3 /* seconds in a row: then somebody is told; until then a change may be under way */

static uint32_t key_bytes(const cn_sized *sized, unsigned layer)
{
    uint32_t key = 0, former = 0;
    for (unsigned i = 0; i <= layer && i < CN_LAYERS; i++) {
        key += sized->key[i];
        former += sized->former[i];
    }
    return key > former ? key : former;
}

static bool spatial(const cn_source *source)
{
    return source->spatial_count > 1;
}

static cn_layer_info *info_of(cn_source *source, unsigned layer)
{
    return spatial(source) ? &source->spatial[layer].info : &source->layer[layer].info;
}

/* Of the areas that the encoder tells the one nearest to the claim, since its order of streams need not be the offer's. It
 * says so in each key frame: what is older is of another size, perhaps. */
static uint64_t allocated(const cn_source *source, const cn_source_layer *stream, uint64_t claimed)
{
    uint64_t nearest = 0, best = UINT64_MAX;
    bool rests = !stream->window_frames; /* a layer that has just been left out is not told any more */
    if (rests || source->allocated_ns < stream->sized.since_ns) return 0;
    for (unsigned i = 0; i < CN_LAYERS; i++) {
        uint64_t area = source->allocated[i], off = area > claimed ? area - claimed : claimed - area;
        if (!area || off >= best) continue;
        nearest = area;
        best = off;
    }
    return nearest;
}

static cn_size_claim claim_of(cn_source *source, unsigned layer)
{
    const cn_layer_info *info = info_of(source, layer);
    const cn_source_layer *stream = &source->layer[spatial(source) ? 0 : layer];
    return (cn_size_claim){.codec = source->codec,
                           .based = spatial(source) && layer,
                           .width = info->width,
                           .height = info->height,
                           .key_bytes = key_bytes(&stream->sized, spatial(source) ? layer : CN_LAYERS - 1),
                           .bytes =
                               spatial(source) ? source->spatial[layer].window[CN_TEMPORAL - 1] : stream->window_bytes,
                           .frames = stream->window_frames,
                           .allocated_area = allocated(source, stream, (uint64_t)info->width * info->height)};
}

static void note_key(cn_sized *sized, const cn_packet *packet)
{
    bool newer = !sized->any || cn_ts_diff(packet->ts, sized->ts) > 0;
    if (packet->key && packet->frame_start && newer) {
        memcpy(sized->former, sized->key, sizeof sized->former);
        memset(sized->key, 0, sizeof sized->key);
        sized->ts = packet->ts;
        sized->since_ns = packet->arrival_ns;
        sized->any = sized->open = true;
    }
    if (sized->any && packet->ts == sized->ts)
        sized->key[packet->sid < CN_LAYERS ? packet->sid : CN_LAYERS - 1] += packet->payload_len;
}

/* Its key frame is here: what is good counts at once. Doubts wait for the second, since packets may still be missing. */
static bool believe_now(cn_source *source, unsigned layer)
{
    cn_layer_info *info = info_of(source, layer);
    cn_size_claim claim = claim_of(source, layer);
    cn_size_doubt doubt;
    claim.frames = 0;
    uint32_t area = cn_believe(&claim, &doubt);
    if (!area || doubt == CN_SIZE_TOO_LARGE || info->doubt || area == info->counted) return false;
    info->counted = (uint32_t)info->width * info->height;
    return true;
}

bool cn_source_size_packet(cn_source *source, cn_source_layer *layer, const cn_packet *packet)
{
    cn_sized *sized = &layer->sized;
    note_key(sized, packet);
    bool over = packet->ts == sized->ts ? packet->marker : cn_ts_diff(packet->ts, sized->ts) > 0;
    if (!sized->open || !over) return false;
    sized->open = false;
    if (!spatial(source)) return believe_now(source, layer->media.layer);
    bool news = false;
    for (unsigned i = 0; i < source->spatial_count; i++) news = believe_now(source, i) || news;
    return news;
}

void cn_source_size_allocation(cn_source *source, const cn_rtp *rtp, uint64_t now_ns)
{
    cn_allocation allocation;
    if (!cn_rtp_has(rtp, CN_RTP_EXT_ALLOCATION)) return;
    const cn_rtp_view *view = &rtp->ext[CN_RTP_EXT_ALLOCATION];
    if (cn_allocation_parse(&allocation, view->p, view->n) != CN_OK || !allocation.sized) return;
    source->allocated_ns = now_ns;
    memset(source->allocated, 0, sizeof source->allocated);
    for (unsigned i = 0; i < CN_LAYERS; i++) {
        if (spatial(source))
            source->allocated[i] = allocation.area[0][i];
        else
            for (unsigned s = 0; s < CN_ALLOCATION_SPATIAL; s++)
                if (allocation.area[i][s] > source->allocated[i]) source->allocated[i] = allocation.area[i][s];
    }
}

static void tell(cn_source *source, const cn_layer_info *info)
{
    cn_worker *worker = source->line->worker;
    cn_size_event event = {.source = source->kind,
                           .doubt = (cn_size_doubt)info->doubt,
                           .width = info->width,
                           .height = info->height,
                           .counted = info->counted};
    source->doubt_told = true;
    if (worker->events->size) worker->events->size(worker->events_ctx, source->room->name, source->line->id, &event);
}

static void judge(cn_source *source, unsigned layer)
{
    cn_layer_info *info = info_of(source, layer);
    if (!info->alive || !info->width) return;
    cn_size_claim claim = claim_of(source, layer);
    cn_size_doubt doubt;
    uint32_t area = cn_believe(&claim, &doubt);
    if (!area) return;
    if (!doubt) source->doubted[layer] = 0;
    if (doubt && source->doubted[layer] < SURE) source->doubted[layer]++;
    bool waits = doubt == CN_SIZE_CONTRADICTED && source->doubted[layer] < SURE;
    info->doubt = waits ? CN_SIZE_BELIEVED : (uint8_t)doubt;
    info->counted = waits ? claim.width * claim.height : area;
    if (source->doubted[layer] == SURE && !source->doubt_told) tell(source, info);
}

void cn_source_size_second(cn_source *source)
{
    unsigned count = spatial(source) ? source->spatial_count : source->layers;
    for (unsigned i = 0; source->video && i < count; i++) judge(source, i);
}
