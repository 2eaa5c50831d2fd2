#include "media/room/source.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "media/forward/fanout.h"
#include "media/room/source_feedback.h"
#include "media/room/source_impl.h"
#include "media/room/source_layers.h"
#include "media/room/source_size.h"
#include "media/sdp/plan.h"
#include "media/stream/packet.h"
#include "media/stream/payload.h"
#include "media/wire/red.h"

#define HAND_OVER 3072 /* packets: what a link takes at once, and leaves room for voices */

static uint32_t clock_of(const cn_source *source)
{
    return source->video ? 90000 : 48000;
}

static void stream_bind(cn_source *source, cn_stream *stream, uint32_t ssrc)
{
    if (stream->ssrc) (void)cn_idmap_take(&source->line->in_ssrc, stream->ssrc);
    stream->ssrc = 0;
    if (!ssrc || cn_idmap_get(&source->line->in_ssrc, ssrc)) return; /* somebody's already: the first owner keeps it */
    if (cn_idmap_put(&source->line->in_ssrc, ssrc, stream) == CN_OK) stream->ssrc = ssrc;
    if (source->video && !source->line->video_ssrc_in) source->line->video_ssrc_in = ssrc;
}

static void layers_init(cn_source *source, const cn_sdp_section *section)
{
    for (unsigned i = 0; i < source->layers; i++) {
        cn_source_layer *layer = &source->layer[i];
        layer->media = (cn_stream){.source = source, .layer = (uint8_t)i};
        layer->rtx = (cn_stream){.source = source, .layer = (uint8_t)i, .rtx = true};
        cn_recvstats_init(&layer->stats, clock_of(source));
        cn_ntpmap_init(&layer->map, clock_of(source));
        cn_arrivals_init(&layer->arrivals, clock_of(source));
        if (i < section->rid_count) (void)cn_strcpy(layer->rid, sizeof layer->rid, section->rids[i]);
    }
    if (section->rid_count || !section->ssrc_count) return;
    for (unsigned i = 0; i < source->layers; i++) {
        const cn_sdp_ssrc *ssrc = &section->ssrcs[source->layers > 1 ? section->sim[i] : 0];
        stream_bind(source, &source->layer[i].media, ssrc->ssrc);
        stream_bind(source, &source->layer[i].rtx, ssrc->rtx);
    }
}

static cn_source_info info_of(const cn_source *source)
{
    cn_source_info info = {.kind = source->kind,
                           .video = source->video,
                           .on = source->on,
                           .layers = source->layers,
                           .clock_rate = clock_of(source),
                           .codec = source->codec,
                           .h264 = source->h264,
                           .joined_ns = source->line->joined_ns};
    (void)cn_strcpy(info.participant, sizeof info.participant, source->line->id);
    return info;
}

void cn_source_introduce(cn_source *source, unsigned to)
{
    cn_source_info info = info_of(source);
    cn_msg msg = cn_source_message(source, CN_MSG_SOURCE_ADD);
    msg.p = cn_memdup(&info, sizeof info);
    if (msg.p) cn_worker_send(source->line->worker, to, msg);
    cn_layers_info layers = cn_source_layers(source);
    msg = cn_source_message(source, CN_MSG_SOURCE_LAYERS);
    msg.p = cn_memdup(&layers, sizeof layers);
    if (msg.p) cn_worker_send(source->line->worker, to, msg);
}

static bool described(const cn_sdp_section *section, cn_codec codec)
{
    return cn_plan_described(codec) && section->ext_sends & CN_RTP_EXT_BIT(CN_RTP_EXT_DEPENDENCY);
}

static bool describe_layers(cn_source *source)
{
    for (unsigned i = 0; i < source->layers; i++)
        if (!(source->layer[i].dd = CN_NEW(cn_described))) return false;
    return true;
}

unsigned cn_source_layer_count(const cn_sdp_section *section)
{
    size_t layers = section->rid_count ? section->rid_count : section->sim_count;
    return layers < 1 ? 1 : layers < CN_LAYERS ? (unsigned)layers : CN_LAYERS;
}

cn_err cn_source_new(cn_source **out, cn_line *line, cn_room *room, cn_source_kind kind, const cn_sdp_section *section,
                     const cn_sdp_codec *codec)
{
    if (!codec || strlen(section->mid) >= CN_MEDIA_ID) return CN_ERR_INVALID;
    const cn_sdp_codec *red = cn_plan_red(section, codec);
    bool video = kind != CN_SOURCE_MIC;
    unsigned layers = video ? cn_source_layer_count(section) : 1;
    cn_source *source = cn_calloc(1, sizeof *source + layers * sizeof source->layer[0]);
    if (!source) return CN_ERR_NOMEM;
    source->line = line;
    source->room = room;
    source->number = cn_source_number_next();
    source->kind = kind;
    source->video = video;
    source->on = true;
    source->codec = codec->codec;
    source->h264 = codec->h264;
    source->pt = codec->pt;
    source->rtx_pt = codec->rtx_pt;
    source->red_pt = red ? red->pt : CN_SDP_NO_PT;
    source->layers = layers;
    source->since_ns = source->measured_ns = line->worker->now_ns;
    source->rid_mask = (1u << layers) - 1;
    (void)cn_strcpy(source->mid, sizeof source->mid, section->mid);
    layers_init(source, section);
    if (cn_idmap_put(&line->worker->sources, source->number, source) != CN_OK) {
        free(source);
        return CN_ERR_NOMEM;
    }
    if (described(section, codec->codec) && !describe_layers(source)) {
        cn_source_free(source);
        return CN_ERR_NOMEM;
    }
    for (unsigned to = 0; to < line->worker->count; to++) cn_source_introduce(source, to);
    *out = source;
    return CN_OK;
}

void cn_source_free(cn_source *source)
{
    if (!source) return;
    cn_worker *worker = source->line->worker;
    for (unsigned i = 0; i < source->layers; i++) {
        stream_bind(source, &source->layer[i].media, 0);
        stream_bind(source, &source->layer[i].rtx, 0);
        cn_nackgen_free(&source->layer[i].nack);
        free(source->layer[i].dd);
    }
    cn_recent_clear(&source->recent);
    (void)cn_idmap_take(&worker->sources, source->number);
    for (unsigned to = 0; to < worker->count; to++)
        cn_worker_send(worker, to, cn_source_message(source, CN_MSG_SOURCE_REMOVE));
    free(source);
}

cn_source_ssrcs cn_source_known(const cn_source *source)
{
    cn_source_ssrcs ssrcs = {.count = source->layers};
    for (unsigned i = 0; i < source->layers && i < CN_LAYERS; i++) {
        (void)cn_strcpy(ssrcs.layer[i].rid, sizeof ssrcs.layer[i].rid, source->layer[i].rid);
        ssrcs.layer[i].media = source->layer[i].media.ssrc;
        ssrcs.layer[i].rtx = source->layer[i].rtx.ssrc;
    }
    return ssrcs;
}

void cn_source_inherit(cn_source *source, const cn_source_ssrcs *known)
{
    for (unsigned i = 0; i < source->layers && i < known->count; i++) {
        cn_source_layer *layer = &source->layer[i];
        if (!*layer->rid || strcmp(layer->rid, known->layer[i].rid) != 0) continue;
        if (!layer->media.ssrc && known->layer[i].media) stream_bind(source, &layer->media, known->layer[i].media);
        if (!layer->rtx.ssrc && known->layer[i].rtx) stream_bind(source, &layer->rtx, known->layer[i].rtx);
    }
}

static cn_source_layer *layer_by_rid(cn_source *source, const cn_rtp *rtp, cn_rtp_ext ext)
{
    for (unsigned i = 0; i < source->layers; i++)
        if (source->layer[i].rid[0] && cn_rtp_ext_is(rtp, ext, source->layer[i].rid)) return &source->layer[i];
    return NULL;
}

static bool is_red(const cn_source *source, unsigned pt)
{
    return pt == source->red_pt && source->red_pt != CN_SDP_NO_PT;
}

cn_stream *cn_source_learn(cn_source *source, const cn_rtp *rtp)
{
    bool rtx = rtp->pt == source->rtx_pt && source->rtx_pt != CN_SDP_NO_PT;
    if (!rtx && rtp->pt != source->pt && !is_red(source, rtp->pt)) return NULL;
    cn_source_layer *layer = NULL;
    if (cn_rtp_has(rtp, CN_RTP_EXT_REPAIRED_RID))
        layer = layer_by_rid(source, rtp, CN_RTP_EXT_REPAIRED_RID);
    else if (cn_rtp_has(rtp, CN_RTP_EXT_RID))
        layer = layer_by_rid(source, rtp, CN_RTP_EXT_RID);
    else if (source->layers == 1)
        layer = &source->layer[0];
    if (!layer) return NULL;
    cn_stream *stream = rtx ? &layer->rtx : &layer->media;
    stream_bind(source, stream, rtp->ssrc);
    return stream->ssrc == rtp->ssrc ? stream : NULL;
}

/* Turns a retransmission into what it repeats. False: a probe without content, or damaged. */
static bool restore(cn_source *source, cn_source_layer *layer, uint8_t *packet, cn_rtp *rtp)
{
    uint8_t *start = NULL;
    size_t n = 0;
    if (!rtp->payload_len || !layer->media.ssrc) return false;
    if (cn_rtp_restore_rtx(packet, rtp, source->pt, layer->media.ssrc, &start, &n) != CN_OK) return false;
    return cn_rtp_parse(start, n, &source->line->exts, rtp) == CN_OK;
}

/* What the dependency descriptor says, when it can be read: it overrules the payload. */
static void describe(cn_source_layer *layer, cn_packet *packet, const cn_rtp *rtp)
{
    cn_described *dd = layer->dd;
    if (!dd || !packet->payload_len || !cn_rtp_has(rtp, CN_RTP_EXT_DEPENDENCY)) return;
    const cn_rtp_view *view = &rtp->ext[CN_RTP_EXT_DEPENDENCY];
    cn_dd_structure fresh;
    cn_depdesc depdesc;
    if (cn_depdesc_parse(&depdesc, view->p, view->n, dd->any ? &dd->structure : NULL, &fresh) != CN_OK) return;
    cn_payload_describe(packet, &depdesc, &fresh);
    packet->dd_at = (uint16_t)(view->p - rtp->data);
    packet->dd_len = view->n;
    if ((!depdesc.has_structure && !depdesc.has_active) || (dd->any && packet->ext_seq < dd->since)) return;
    dd->active = depdesc.active;
    dd->since = packet->ext_seq;
    if (!depdesc.has_structure) return;
    dd->any = true;
    dd->structure = fresh;
    cn_dd_layout_of(&fresh, &dd->layout);
}

static void fill_extensions(cn_packet *packet, const cn_rtp *rtp)
{
    uint8_t level = 0;
    bool voice = false;
    packet->has_audio_level = cn_rtp_audio_level(rtp, &level, &voice);
    packet->audio_level = level;
    packet->voice = voice;
    packet->has_orientation = cn_rtp_has(rtp, CN_RTP_EXT_ORIENTATION);
    if (packet->has_orientation) packet->orientation = rtp->ext[CN_RTP_EXT_ORIENTATION].p[0];
}

static cn_packet *packet_of(cn_source *source, unsigned layer, const cn_rtp *rtp, uint64_t ext_seq, uint64_t now_ns)
{
    if (rtp->len > CN_PACKET_MAX) return NULL;
    cn_packet *packet = cn_packet_new(source->line->worker->pool, rtp->len);
    if (!packet) return NULL;
    memcpy(cn_packet_data(packet), rtp->data, rtp->len);
    packet->ssrc = rtp->ssrc;
    packet->arrival_ns = now_ns;
    packet->ext_seq = ext_seq;
    packet->ts = rtp->ts;
    packet->len = (uint16_t)rtp->len;
    packet->payload_at = (uint16_t)rtp->header_len;
    packet->payload_len = (uint16_t)rtp->payload_len;
    packet->pt = rtp->pt;
    packet->codec = (uint8_t)(is_red(source, rtp->pt) ? CN_CODEC_AUDIO_RED : source->codec);
    packet->layer = (uint8_t)layer;
    packet->marker = rtp->marker;
    fill_extensions(packet, rtp);
    if (cn_payload_parse(packet) != CN_OK) {
        source->line->meter.bad++;
        source->line->worker->bad_rtp++;
        cn_packet_unref(packet);
        return NULL;
    }
    describe(&source->layer[layer], packet, rtp);
    return packet;
}

/* Level to the room's home, silence only once. */
static void tell_level(cn_source *source, cn_source_layer *layer, const cn_rtp *rtp)
{
    cn_red red;
    uint8_t level = CN_LEVEL_NONE;
    bool voice = true;
    if (cn_rtp_audio_level(rtp, &level, &voice)) {
        if (level == 127 && layer->level_last == 127) return;
        layer->level_last = level;
    }
    cn_msg msg = cn_source_message(source, CN_MSG_LEVEL);
    msg.number = level;
    msg.flag = voice;
    msg.value = rtp->payload_len;
    if (is_red(source, rtp->pt) && cn_red_parse(&red, rtp->payload, rtp->payload_len) == CN_OK)
        msg.value = cn_red_newest(&red)->len;
    cn_worker_send(source->line->worker, source->room->home, msg);
}

/* `workers`: a bit for each that gets it. */
static void forward(cn_source *source, unsigned layer, cn_packet *packet, uint64_t workers)
{
    cn_worker *worker = source->line->worker;
    for (uint64_t left = workers; left; left &= left - 1) {
        unsigned to = (unsigned)__builtin_ctzll(left);
        if (to == worker->index) {
            cn_track *track = cn_idmap_get(&worker->tracks, source->number);
            if (track) cn_fanout_packet(track, packet);
            continue;
        }
        cn_msg msg = cn_source_message(source, CN_MSG_PACKET);
        msg.layer = (uint8_t)layer;
        msg.p = cn_packet_ref(packet);
        cn_worker_send(worker, to, msg);
    }
}

void cn_source_packet(cn_stream *stream, uint8_t *packet, cn_rtp *rtp, uint64_t now_ns)
{
    cn_source *source = stream->source;
    cn_source_layer *layer = &source->layer[stream->layer];
    if (stream->rtx && !restore(source, layer, packet, rtp)) return;
    if (rtp->pt != source->pt && !is_red(source, rtp->pt)) return;
    if (!stream->rtx) cn_recvstats_packet(&layer->stats, rtp->seq, rtp->ts, rtp->len, now_ns);
    bool fresh = true;
    uint64_t ext_seq = source->video ? cn_nackgen_packet(&layer->nack, rtp->seq, now_ns, &fresh)
                                     : cn_seq_extend(&layer->seq, rtp->seq);
    if (!fresh) return;
    if (!layer->sr_ns && !stream->rtx) cn_arrivals_packet(&layer->arrivals, rtp->ts, now_ns);
    if (layer->nack.count) cn_source_ask_missing(source, layer, now_ns); /* a gap: not only at the next tick */
    cn_flow_packet(&layer->flow, now_ns);
    layer->behind = 0;
    layer->window_bytes += (uint32_t)rtp->len;
    if (!source->on) return;
    if (!source->video) {
        tell_level(source, layer, rtp);
        layer->info.alive = true;
    }
    cn_packet *pkt = packet_of(source, stream->layer, rtp, ext_seq, now_ns);
    if (!pkt) return;
    pkt->repaired = stream->rtx;
    if (source->video) {
        cn_source_size_allocation(source, rtp, now_ns);
        cn_source_note_picture(source, layer, pkt, now_ns);
    }
    if (!source->video) cn_recent_put(&source->recent, pkt, layer->subscribers);
    forward(source, stream->layer, pkt, layer->subscribers);
    cn_packet_unref(pkt);
}

void cn_source_switch(cn_source *source, bool on)
{
    if (source->on == on) return;
    source->on = on;
    source->switched_ns = source->line->worker->now_ns;
    cn_recent_clear(&source->recent);
    cn_worker *worker = source->line->worker;
    cn_msg msg = cn_source_message(source, CN_MSG_SOURCE_ON);
    msg.flag = on;
    for (unsigned to = 0; to < worker->count; to++) cn_worker_send(worker, to, msg);
}

void cn_source_unsubscribe_all(cn_source *source, unsigned worker)
{
    for (unsigned i = 0; i < source->layers; i++) source->layer[i].subscribers &= ~cn_bit(worker);
    source->flat &= ~cn_bit(worker);
    source->spatial_needed[worker] = 0;
    source->listeners_lost[worker] = (cn_losses){0};
}

/* A worker hears this microphone from now on: from the beginning of the word. */
static void catch_up(cn_source *source, uint64_t worker)
{
    cn_packet *word[CN_RECENT];
    size_t n = cn_recent_word(&source->recent, worker, source->line->worker->now_ns, word);
    for (size_t i = 0; i < n; i++) forward(source, 0, word[i], worker);
    cn_recent_sent(&source->recent, worker);
}

/* A worker shows this picture from now on, and no key frame would come when it is asked for: it gets the run. */
static void hand_over(cn_source *source, unsigned layer, unsigned to)
{
    cn_worker *worker = source->line->worker;
    const cn_track *track = cn_idmap_get(&worker->tracks, source->number);
    const cn_history *history = track && source->layer[layer].info.kept ? track->layer[layer].history : NULL;
    cn_history_run run;
    if (!history || to == worker->index || cn_history_run_get(history, worker->now_ns, &run) != CN_OK ||
        run.last - run.first >= HAND_OVER)
        return;
    cn_msg msg = cn_source_message(source, CN_MSG_PACKET);
    msg.layer = (uint8_t)layer;
    msg.flag = true;
    for (uint64_t seq = run.first; seq <= run.last; seq++) {
        cn_packet *packet = cn_history_get(history, seq, worker->now_ns);
        if (!packet) continue;
        msg.p = cn_packet_ref(packet);
        cn_worker_send(worker, to, msg);
    }
    msg.kind = CN_MSG_RUN;
    msg.p = NULL;
    cn_worker_send(worker, to, msg);
}

void cn_source_on_subscribe(cn_worker *worker, cn_msg *msg)
{
    cn_source *source = cn_idmap_get(&worker->sources, msg->source);
    if (!source) return;
    source->flat = msg->flag ? source->flat | cn_bit(msg->from) : source->flat & ~cn_bit(msg->from);
    source->spatial_needed[msg->from] = msg->layer;
    bool news = !source->video && msg->number && !(source->layer[0].subscribers & cn_bit(msg->from));
    for (unsigned i = 0; i < source->layers; i++) {
        bool before = source->layer[i].subscribers & cn_bit(msg->from);
        if (msg->number >> i & 1) source->layer[i].subscribers |= cn_bit(msg->from);
        if (msg->number >> i & 1 && !before) hand_over(source, i, msg->from);
        if (!(msg->number >> i & 1)) source->layer[i].subscribers &= ~cn_bit(msg->from);
    }
    if (news) catch_up(source, cn_bit(msg->from));
}

void cn_source_on_keyframe(cn_worker *worker, cn_msg *msg)
{
    cn_source *source = cn_idmap_get(&worker->sources, msg->source);
    if (!source || msg->layer >= source->layers) return;
    source->layer[msg->layer].keyframe_wanted = true;
    cn_source_ask(source, msg->layer, worker->now_ns);
}
