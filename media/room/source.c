#include "media/room/source.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "media/stream/packet.h"
#include "media/stream/payload.h"
#include "media/room/peer.h"
#include "media/wire/red.h"
#include "media/room/room.h"
#include "media/forward/track.h"

#define BEHIND_FRAMES 5      /* of another layer without one of this: it ended … */
#define BEHIND_NS 250000000u /* … unless that was less than so long */

static uint32_t clock_of(const cn_source *s)
{
    return s->video ? 90000 : 48000;
}

static void stream_bind(cn_source *s, cn_stream *st, uint32_t ssrc)
{
    if (st->ssrc) (void)cn_idmap_take(&s->peer->in_ssrc, st->ssrc);
    st->ssrc = 0;
    if (!ssrc || cn_idmap_get(&s->peer->in_ssrc, ssrc)) return; /* somebody's already: the first owner keeps it */
    if (cn_idmap_put(&s->peer->in_ssrc, ssrc, st) == CN_OK) st->ssrc = ssrc;
    if (s->video && !s->peer->video_ssrc_in) s->peer->video_ssrc_in = ssrc;
}

static void layers_init(cn_source *s, const cn_sdp_section *section)
{
    for (unsigned i = 0; i < s->layers; i++) {
        cn_source_layer *l = &s->layer[i];
        l->media = (cn_stream){.source = s, .layer = (uint8_t)i};
        l->rtx = (cn_stream){.source = s, .layer = (uint8_t)i, .rtx = true};
        cn_recvstats_init(&l->stats, clock_of(s));
        cn_ntpmap_init(&l->map, clock_of(s));
        if (i < section->rid_count) (void)cn_strcpy(l->rid, sizeof l->rid, section->rids[i]);
    }
    if (section->rid_count || !section->ssrc_count) return;
    stream_bind(s, &s->layer[0].media, section->ssrcs[0].ssrc);
    stream_bind(s, &s->layer[0].rtx, section->ssrcs[0].rtx);
}

static cn_source_info info_of(const cn_source *s)
{
    cn_source_info info = {.kind = s->kind,
                           .video = s->video,
                           .on = s->on,
                           .layers = s->layers,
                           .clock_rate = clock_of(s),
                           .codec = s->codec,
                           .h264 = s->h264,
                           .joined_ns = s->peer->joined_ns};
    (void)cn_strcpy(info.participant, sizeof info.participant, s->peer->id);
    return info;
}

cn_layers_info cn_source_layers(const cn_source *s)
{
    bool spatial = s->spatial_count > 1;
    cn_layers_info info = {.spatial = (uint8_t)(spatial ? s->spatial_count : 0)};
    unsigned count = spatial ? s->spatial_count : s->layers;
    for (unsigned i = 0; i < count; i++) {
        info.layer[i] = spatial ? s->spatial[i].info : s->layer[i].info;
        info.layer[i].rests = spatial && !s->asleep_ns && i + s->left_out >= count;
    }
    return info;
}

static cn_msg message(const cn_source *s, cn_msg_kind kind)
{
    return (cn_msg){.kind = (uint8_t)kind, .room = s->peer->room->number, .source = s->number};
}

void cn_source_introduce(cn_source *s, unsigned to)
{
    cn_source_info info = info_of(s);
    cn_msg m = message(s, CN_MSG_SOURCE_ADD);
    m.p = cn_memdup(&info, sizeof info);
    if (m.p) cn_worker_send(s->peer->worker, to, m);
    cn_layers_info layers = cn_source_layers(s);
    m = message(s, CN_MSG_SOURCE_LAYERS);
    m.p = cn_memdup(&layers, sizeof layers);
    if (m.p) cn_worker_send(s->peer->worker, to, m);
}

static void announce_layers(cn_source *s, uint64_t now_ns)
{
    s->announced_ns = now_ns;
    cn_layers_info layers = cn_source_layers(s);
    cn_room_send_block(s->peer->room, message(s, CN_MSG_SOURCE_LAYERS), &layers, sizeof layers);
}

static bool described(const cn_sdp_section *section, cn_codec codec)
{
    return cn_plan_described(codec) && section->ext_sends & CN_RTP_EXT_BIT(CN_RTP_EXT_DEPENDENCY);
}

static bool describe_layers(cn_source *s)
{
    for (unsigned i = 0; i < s->layers; i++)
        if (!(s->layer[i].dd = CN_NEW(cn_described))) return false;
    return true;
}

cn_err cn_source_new(cn_source **out, struct cn_peer *peer, cn_source_kind kind, const cn_sdp_section *section,
                     const cn_sdp_codec *codec)
{
    if (!codec || strlen(section->mid) >= CN_MEDIA_ID || peer->source_count == CN_PEER_SOURCES) return CN_ERR_INVALID;
    const cn_sdp_codec *red = cn_plan_red(section, codec);
    bool video = kind != CN_SOURCE_MIC;
    unsigned layers = 1;
    if (video && section->rid_count) layers = section->rid_count < CN_LAYERS ? (unsigned)section->rid_count : CN_LAYERS;
    cn_source *s = cn_calloc(1, sizeof *s + layers * sizeof s->layer[0]);
    if (!s) return CN_ERR_NOMEM;
    s->peer = peer;
    s->number = cn_source_number_next();
    s->kind = kind;
    s->video = video;
    s->on = true;
    s->codec = codec->codec;
    s->h264 = codec->h264;
    s->pt = codec->pt;
    s->rtx_pt = codec->rtx_pt;
    s->red_pt = red ? red->pt : CN_SDP_NO_PT;
    s->layers = layers;
    s->since_ns = s->measured_ns = peer->worker->now_ns;
    s->rid_mask = (1u << layers) - 1;
    (void)cn_strcpy(s->mid, sizeof s->mid, section->mid);
    layers_init(s, section);
    if (cn_idmap_put(&peer->worker->sources, s->number, s) != CN_OK) {
        free(s);
        return CN_ERR_NOMEM;
    }
    if (described(section, codec->codec) && !describe_layers(s)) {
        cn_source_free(s);
        return CN_ERR_NOMEM;
    }
    for (unsigned to = 0; to < peer->worker->count; to++) cn_source_introduce(s, to);
    *out = s;
    return CN_OK;
}

void cn_source_free(cn_source *s)
{
    if (!s) return;
    cn_worker *w = s->peer->worker;
    for (unsigned i = 0; i < s->layers; i++) {
        stream_bind(s, &s->layer[i].media, 0);
        stream_bind(s, &s->layer[i].rtx, 0);
        free(s->layer[i].dd);
    }
    cn_recent_clear(&s->recent);
    (void)cn_idmap_take(&w->sources, s->number);
    for (unsigned to = 0; to < w->count; to++) cn_worker_send(w, to, message(s, CN_MSG_SOURCE_REMOVE));
    free(s);
}

cn_source_ssrcs cn_source_known(const cn_source *s)
{
    cn_source_ssrcs k = {.count = s->layers};
    for (unsigned i = 0; i < s->layers && i < CN_LAYERS; i++) {
        (void)cn_strcpy(k.layer[i].rid, sizeof k.layer[i].rid, s->layer[i].rid);
        k.layer[i].media = s->layer[i].media.ssrc;
        k.layer[i].rtx = s->layer[i].rtx.ssrc;
    }
    return k;
}

void cn_source_inherit(cn_source *s, const cn_source_ssrcs *known)
{
    for (unsigned i = 0; i < s->layers && i < known->count; i++) {
        cn_source_layer *l = &s->layer[i];
        if (!*l->rid || strcmp(l->rid, known->layer[i].rid) != 0) continue;
        if (!l->media.ssrc && known->layer[i].media) stream_bind(s, &l->media, known->layer[i].media);
        if (!l->rtx.ssrc && known->layer[i].rtx) stream_bind(s, &l->rtx, known->layer[i].rtx);
    }
}

static cn_source_layer *layer_by_rid(cn_source *s, const cn_rtp *r, cn_rtp_ext ext)
{
    for (unsigned i = 0; i < s->layers; i++)
        if (s->layer[i].rid[0] && cn_rtp_ext_is(r, ext, s->layer[i].rid)) return &s->layer[i];
    return NULL;
}

static bool is_red(const cn_source *s, unsigned pt)
{
    return pt == s->red_pt && s->red_pt != CN_SDP_NO_PT;
}

cn_stream *cn_source_learn(cn_source *s, const cn_rtp *r)
{
    bool rtx = r->pt == s->rtx_pt && s->rtx_pt != CN_SDP_NO_PT;
    if (!rtx && r->pt != s->pt && !is_red(s, r->pt)) return NULL;
    cn_source_layer *l = NULL;
    if (cn_rtp_has(r, CN_RTP_EXT_REPAIRED_RID))
        l = layer_by_rid(s, r, CN_RTP_EXT_REPAIRED_RID);
    else if (cn_rtp_has(r, CN_RTP_EXT_RID))
        l = layer_by_rid(s, r, CN_RTP_EXT_RID);
    else if (s->layers == 1)
        l = &s->layer[0];
    if (!l) return NULL;
    cn_stream *st = rtx ? &l->rtx : &l->media;
    stream_bind(s, st, r->ssrc);
    return st->ssrc == r->ssrc ? st : NULL;
}

/* Turns a retransmission into what it repeats. False: a probe without content, or damaged. */
static bool restore(cn_source *s, cn_source_layer *l, uint8_t *packet, cn_rtp *r)
{
    uint8_t *start = NULL;
    size_t n = 0;
    if (!r->payload_len || !l->media.ssrc) return false;
    if (cn_rtp_restore_rtx(packet, r, s->pt, l->media.ssrc, &start, &n) != CN_OK) return false;
    return cn_rtp_parse(start, n, &s->peer->exts, r) == CN_OK;
}

/* What the dependency descriptor says, when it can be read: it overrules the payload. */
static void describe(cn_source_layer *l, cn_packet *p, const cn_rtp *r)
{
    cn_described *dd = l->dd;
    if (!dd || !p->payload_len || !cn_rtp_has(r, CN_RTP_EXT_DEPENDENCY)) return;
    const cn_rtp_view *v = &r->ext[CN_RTP_EXT_DEPENDENCY];
    cn_dd_structure fresh;
    cn_depdesc d;
    if (cn_depdesc_parse(&d, v->p, v->n, dd->any ? &dd->structure : NULL, &fresh) != CN_OK) return;
    cn_payload_describe(p, &d, &fresh);
    p->dd_at = (uint16_t)(v->p - r->data);
    p->dd_len = v->n;
    if ((!d.has_structure && !d.has_active) || (dd->any && p->ext_seq < dd->since)) return;
    dd->active = d.active;
    dd->since = p->ext_seq;
    if (!d.has_structure) return;
    dd->any = true;
    dd->structure = fresh;
    cn_dd_layout_of(&fresh, &dd->layout);
}

static void fill_extensions(cn_packet *p, const cn_rtp *r)
{
    uint8_t level = 0;
    bool voice = false;
    p->has_audio_level = cn_rtp_audio_level(r, &level, &voice);
    p->audio_level = level;
    p->voice = voice;
    p->has_orientation = cn_rtp_has(r, CN_RTP_EXT_ORIENTATION);
    if (p->has_orientation) p->orientation = r->ext[CN_RTP_EXT_ORIENTATION].p[0];
}

static cn_packet *packet_of(cn_source *s, unsigned layer, const cn_rtp *r, uint64_t ext_seq, uint64_t now_ns)
{
    if (r->len > CN_PACKET_MAX) return NULL;
    cn_packet *p = cn_packet_new(s->peer->worker->pool);
    if (!p) return NULL;
    memcpy(cn_packet_data(p), r->data, r->len);
    p->ssrc = r->ssrc;
    p->arrival_ns = now_ns;
    p->ext_seq = ext_seq;
    p->ts = r->ts;
    p->len = (uint16_t)r->len;
    p->payload_at = (uint16_t)r->header_len;
    p->payload_len = (uint16_t)r->payload_len;
    p->pt = r->pt;
    p->codec = (uint8_t)(is_red(s, r->pt) ? CN_CODEC_AUDIO_RED : s->codec);
    p->layer = (uint8_t)layer;
    p->marker = r->marker;
    fill_extensions(p, r);
    if (cn_payload_parse(p) != CN_OK) {
        s->peer->meter.bad++;
        cn_count(&s->peer->worker->bad_rtp, 1);
        cn_packet_unref(p);
        return NULL;
    }
    describe(&s->layer[layer], p, r);
    return p;
}

/* Level to the room's home, silence only once. */
static void tell_level(cn_source *s, cn_source_layer *l, const cn_rtp *r)
{
    cn_red red;
    uint8_t level = CN_LEVEL_NONE;
    bool voice = true;
    if (cn_rtp_audio_level(r, &level, &voice)) {
        if (level == 127 && l->level_last == 127) return;
        l->level_last = level;
    }
    cn_msg m = message(s, CN_MSG_LEVEL);
    m.number = level;
    m.flag = voice;
    m.value = r->payload_len;
    if (is_red(s, r->pt) && cn_red_parse(&red, r->payload, r->payload_len) == CN_OK) m.value = cn_red_newest(&red)->len;
    cn_worker_send(s->peer->worker, s->peer->room->home, m);
}

/* `workers`: a bit for each that gets it. */
static void forward(cn_source *s, unsigned layer, cn_packet *p, uint64_t workers)
{
    cn_worker *w = s->peer->worker;
    for (uint64_t left = workers; left; left &= left - 1) {
        unsigned to = (unsigned)__builtin_ctzll(left);
        if (to == w->index) {
            cn_track *t = cn_idmap_get(&w->tracks, s->number);
            if (t) cn_track_packet(t, p);
            continue;
        }
        cn_msg m = message(s, CN_MSG_PACKET);
        m.layer = (uint8_t)layer;
        m.p = cn_packet_ref(p);
        cn_worker_send(w, to, m);
    }
}

/* The picture's size changed: layers that rest would come in a new size too. */
static void scale_resting(cn_source *s, const cn_source_layer *changed, unsigned before, unsigned after)
{
    for (unsigned i = 0; i < s->layers; i++) {
        cn_layer_info *info = &s->layer[i].info;
        if (&s->layer[i] == changed || info->alive || !info->width || !before) continue;
        unsigned width = info->width * after / before, height = info->height * after / before;
        info->width = (uint16_t)(width < UINT16_MAX ? width : UINT16_MAX);
        info->height = (uint16_t)(height < UINT16_MAX ? height : UINT16_MAX);
    }
}

/* Spatial layers of one stream: which are sent, in which size, at which cost. Of several streams it is the first that
 * may have them, while the others rest. True when something is new. */
static bool note_spatial(cn_source *s, const cn_source_layer *l, const cn_packet *p, uint64_t now_ns)
{
    if (l != &s->layer[0] || !l->dd || !p->dd_len) return false;
    const cn_dd_layout *at = &l->dd->layout;
    unsigned sent = at->spatial < CN_LAYERS ? at->spatial : CN_LAYERS, count = sent;
    if (sent < s->spatial_count && s->spatial_count - sent <= s->left_out) count = s->spatial_count;
    bool news = count != s->spatial_count;
    s->spatial_count = count;
    if (count < 2) return news;
    for (unsigned i = 0; i < count; i++) {
        cn_spatial_layer *x = &s->spatial[i];
        if (p->sid == i) cn_flow_packet(&x->flow, now_ns);
        for (unsigned t = 0; t < CN_TEMPORAL; t++)
            if (i < sent && cn_dd_dti(p->dtis, at->target_of[i][t]) != CN_DTI_ABSENT) x->window[t] += p->len;
        uint32_t own = at->within[i][CN_DD_TEMPORAL - 1] & ~(i ? at->within[i - 1][CN_DD_TEMPORAL - 1] : 0);
        bool alive = x->flow.last_ns && (own & l->dd->active);
        news = news || alive != x->info.alive;
        x->info.alive = alive;
        x->info.temporal = at->temporal < CN_TEMPORAL ? at->temporal : CN_TEMPORAL;
        if (i >= p->spatial || (x->info.width == p->sizes[i][0] && x->info.height == p->sizes[i][1])) continue;
        x->info.width = p->sizes[i][0];
        x->info.height = p->sizes[i][1];
        news = true;
    }
    return news;
}

static void note_temporal(cn_source_layer *l, const cn_packet *p)
{
    unsigned t = p->tid == CN_PACKET_NO_TID ? 0 : p->tid < CN_TEMPORAL ? p->tid : CN_TEMPORAL - 1;
    l->window_tid[t] += p->len;
    if (t + 1 > l->info.temporal) l->info.temporal = (uint8_t)(t + 1);
}

/* A picture is counted once, in however many spatial layers it comes. */
static bool begins_picture(const cn_packet *p)
{
    return p->codec == CN_CODEC_VP9 || p->codec == CN_CODEC_AV1 ? p->marker : p->frame_start;
}

/* A publisher whose upload gets narrow stops its sharpest layer without a word. The others' frames tell so long before
 * a second has passed. True when that was noticed now. */
static bool others_behind(cn_source *s, const cn_source_layer *here, uint64_t now_ns)
{
    bool ended = false;
    for (unsigned i = 0; i < s->layers; i++) {
        cn_source_layer *l = &s->layer[i];
        if (l == here || !l->info.alive || ++l->behind < BEHIND_FRAMES) continue;
        if (now_ns - l->flow.last_ns < BEHIND_NS) {
            l->behind--;
            continue;
        }
        l->info.alive = false;
        ended = true;
    }
    return ended;
}

static void note_picture(cn_source *s, cn_source_layer *l, const cn_packet *p, uint64_t now_ns)
{
    if (begins_picture(p)) l->window_frames++;
    note_temporal(l, p);
    if (p->key && p->frame_start) {
        l->keyframe_wanted = false;
        l->keyframe_asked_ns = 0;
        cn_nackgen_forget_before(&l->nack, p->ext_seq);
    }
    bool first = note_spatial(s, l, p, now_ns) || !l->info.alive;
    if (p->frame_start && others_behind(s, l, now_ns)) first = true;
    l->info.alive = true;
    if (p->width && (p->width != l->info.width || p->height != l->info.height)) {
        scale_resting(s, l, l->info.width, p->width);
        l->info.width = p->width;
        l->info.height = p->height;
        first = true;
    }
    if (first) announce_layers(s, now_ns);
}

void cn_source_packet(cn_stream *st, uint8_t *packet, cn_rtp *r, uint64_t now_ns)
{
    cn_source *s = st->source;
    cn_source_layer *l = &s->layer[st->layer];
    if (st->rtx && !restore(s, l, packet, r)) return;
    if (r->pt != s->pt && !is_red(s, r->pt)) return;
    if (!st->rtx) cn_recvstats_packet(&l->stats, r->seq, r->ts, r->len, now_ns);
    bool fresh = true;
    uint64_t ext_seq = s->video ? cn_nackgen_packet(&l->nack, r->seq, now_ns, &fresh) : cn_seq_extend(&l->seq, r->seq);
    if (!fresh) return;
    if (l->nack.count) cn_source_ask_missing(s, l, now_ns); /* a gap: not only at the next tick */
    cn_flow_packet(&l->flow, now_ns);
    l->behind = 0;
    l->window_bytes += (uint32_t)r->len;
    if (!s->on) return;
    if (!s->video) {
        tell_level(s, l, r);
        l->info.alive = true;
    }
    cn_packet *p = packet_of(s, st->layer, r, ext_seq, now_ns);
    if (!p) return;
    p->repaired = st->rtx;
    if (s->video) note_picture(s, l, p, now_ns);
    if (!s->video) cn_recent_put(&s->recent, p, l->subscribers);
    forward(s, st->layer, p, l->subscribers);
    cn_packet_unref(p);
}

void cn_source_switch(cn_source *s, bool on)
{
    if (s->on == on) return;
    s->on = on;
    cn_recent_clear(&s->recent);
    cn_worker *w = s->peer->worker;
    cn_msg m = message(s, CN_MSG_SOURCE_ON);
    m.flag = on;
    for (unsigned to = 0; to < w->count; to++) cn_worker_send(w, to, m);
}

void cn_source_unsubscribe_all(cn_source *s, unsigned worker)
{
    for (unsigned i = 0; i < s->layers; i++) s->layer[i].subscribers &= ~cn_bit(worker);
    s->flat &= ~cn_bit(worker);
    s->spatial_needed[worker] = 0;
    s->listeners_lost[worker] = 0;
}

/* A worker hears this microphone from now on: from the beginning of the word. */
static void catch_up(cn_source *s, uint64_t worker)
{
    cn_packet *word[CN_RECENT];
    size_t n = cn_recent_word(&s->recent, worker, s->peer->worker->now_ns, word);
    for (size_t i = 0; i < n; i++) forward(s, 0, word[i], worker);
    cn_recent_sent(&s->recent, worker);
}

void cn_source_on_subscribe(cn_worker *w, cn_msg *m)
{
    cn_source *s = cn_idmap_get(&w->sources, m->source);
    if (!s) return;
    s->flat = m->flag ? s->flat | cn_bit(m->from) : s->flat & ~cn_bit(m->from);
    s->spatial_needed[m->from] = m->layer;
    bool news = !s->video && m->number && !(s->layer[0].subscribers & cn_bit(m->from));
    for (unsigned i = 0; i < s->layers; i++) {
        if (m->number >> i & 1)
            s->layer[i].subscribers |= cn_bit(m->from);
        else
            s->layer[i].subscribers &= ~cn_bit(m->from);
    }
    if (news) catch_up(s, cn_bit(m->from));
}

void cn_source_on_keyframe(cn_worker *w, cn_msg *m)
{
    cn_source *s = cn_idmap_get(&w->sources, m->source);
    if (!s || m->layer >= s->layers) return;
    s->layer[m->layer].keyframe_wanted = true;
    cn_source_ask(s, m->layer, w->now_ns);
}
