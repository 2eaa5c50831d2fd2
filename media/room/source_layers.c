#include "media/room/source_layers.h"

#include "media/room/source_size.h"

#define LISTENS 3 /* key frames that came when they were asked for: this encoder listens after all */
#define ANSWER_NS 600000000u
#define BEHIND_FRAMES 5      /* of another layer without one of this: it ended … */
#define BEHIND_NS 250000000u /* … unless that was less than so long */

cn_layers_info cn_source_layers(const cn_source *source)
{
    bool spatial = source->spatial_count > 1;
    cn_layers_info info = {.spatial = (uint8_t)(spatial ? source->spatial_count : 0)};
    unsigned count = spatial ? source->spatial_count : source->layers;
    for (unsigned i = 0; i < count; i++) {
        info.layer[i] = spatial ? source->spatial[i].info : source->layer[i].info;
        info.layer[i].rests = spatial && !source->asleep_ns && i + source->left_out >= count;
    }
    return info;
}

static void announce_layers(cn_source *source)
{
    cn_layers_info layers = cn_source_layers(source);
    cn_room_send_block(source->room, cn_source_message(source, CN_MSG_SOURCE_LAYERS), &layers, sizeof layers);
}

/* The picture's size changed: layers that rest would come in a new size too. */
static void scale_resting(cn_source *source, const cn_source_layer *changed, unsigned before, unsigned after)
{
    for (unsigned i = 0; i < source->layers; i++) {
        cn_layer_info *info = &source->layer[i].info;
        if (&source->layer[i] == changed || info->alive || !info->width || !before) continue;
        unsigned width = info->width * after / before, height = info->height * after / before;
        info->width = (uint16_t)(width < UINT16_MAX ? width : UINT16_MAX);
        info->height = (uint16_t)(height < UINT16_MAX ? height : UINT16_MAX);
    }
}

/* Spatial layers of one stream: which are sent, in which size, at which cost. Of several streams it is the first that
 * may have them, while the others rest. True when something is new. */
static bool note_spatial(cn_source *source, const cn_source_layer *layer, const cn_packet *packet, uint64_t now_ns)
{
    if (layer != &source->layer[0] || !layer->dd || !packet->dd_len) return false;
    const cn_dd_layout *at = &layer->dd->layout;
    unsigned sent = at->spatial < CN_LAYERS ? at->spatial : CN_LAYERS, count = sent;
    if (sent < source->spatial_count && source->spatial_count - sent <= source->left_out) count = source->spatial_count;
    bool news = count != source->spatial_count;
    source->spatial_count = count;
    if (count < 2) return news;
    for (unsigned i = 0; i < count; i++) {
        cn_spatial_layer *spatial_layer = &source->spatial[i];
        if (packet->sid == i) cn_flow_packet(&spatial_layer->flow, now_ns);
        for (unsigned t = 0; t < CN_TEMPORAL; t++)
            if (i < sent && cn_dd_dti(packet->dtis, at->target_of[i][t]) != CN_DTI_ABSENT)
                spatial_layer->window[t] += packet->len;
        uint32_t own = at->within[i][CN_DD_TEMPORAL - 1] & ~(i ? at->within[i - 1][CN_DD_TEMPORAL - 1] : 0);
        bool alive = spatial_layer->flow.last_ns && (own & layer->dd->active);
        news = news || alive != spatial_layer->info.alive;
        spatial_layer->info.alive = alive;
        spatial_layer->info.temporal = at->temporal < CN_TEMPORAL ? at->temporal : CN_TEMPORAL;
        if (i >= packet->spatial ||
            (spatial_layer->info.width == packet->sizes[i][0] && spatial_layer->info.height == packet->sizes[i][1]))
            continue;
        spatial_layer->info.width = packet->sizes[i][0];
        spatial_layer->info.height = packet->sizes[i][1];
        spatial_layer->info.counted = 0;
        news = true;
    }
    return news;
}

static void note_temporal(cn_source_layer *layer, const cn_packet *packet)
{
    unsigned t = packet->tid == CN_PACKET_NO_TID ? 0 : packet->tid < CN_TEMPORAL ? packet->tid : CN_TEMPORAL - 1;
    layer->window_tid[t] += packet->len;
    if (t + 1 > layer->info.temporal) layer->info.temporal = (uint8_t)(t + 1);
}

/* A picture is counted once, in however many spatial layers it comes. */
static bool begins_picture(const cn_packet *packet)
{
    return packet->codec == CN_CODEC_VP9 || packet->codec == CN_CODEC_AV1 ? packet->marker : packet->frame_start;
}

/* A publisher whose upload gets narrow stops its sharpest layer without a word. The others' frames tell so long before
 * a second has passed. True when that was noticed now. */
static bool others_behind(cn_source *source, const cn_source_layer *here, uint64_t now_ns)
{
    bool ended = false;
    for (unsigned i = 0; i < source->layers; i++) {
        cn_source_layer *layer = &source->layer[i];
        if (layer == here || !layer->info.alive || ++layer->behind < BEHIND_FRAMES) continue;
        if (now_ns - layer->flow.last_ns < BEHIND_NS) {
            layer->behind--;
            continue;
        }
        layer->info.alive = false;
        ended = true;
    }
    return ended;
}

void cn_source_note_picture(cn_source *source, cn_source_layer *layer, const cn_packet *packet, uint64_t now_ns)
{
    if (begins_picture(packet)) layer->window_frames++;
    note_temporal(layer, packet);
    if (packet->key && packet->frame_start) {
        layer->keyframe_wanted = false;
        layer->keyframe_asked_ns = 0;
        bool answer = layer->keyframe_unanswered <= 2 && now_ns - layer->keyframe_last_ns < ANSWER_NS;
        if (layer->keyframe_unanswered) /* not asked for: it tells nothing */
            layer->keyframe_answered = answer ? layer->keyframe_answered + 1u : 0;
        if (layer->keyframe_answered >= LISTENS) layer->info.kept = false;
        layer->keyframe_unanswered = layer->keyframe_ignored = 0;
        cn_nackgen_forget_before(&layer->nack, packet->ext_seq);
    }
    bool first = note_spatial(source, layer, packet, now_ns) || !layer->info.alive;
    if (packet->frame_start && others_behind(source, layer, now_ns)) first = true;
    layer->info.alive = true;
    if (packet->width && (packet->width != layer->info.width || packet->height != layer->info.height)) {
        scale_resting(source, layer, layer->info.width, packet->width);
        layer->info.width = packet->width;
        layer->info.height = packet->height;
        layer->info.counted = 0;
        first = true;
    }
    if (cn_source_size_packet(source, layer, packet) || first) announce_layers(source);
}
