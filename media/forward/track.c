#include "media/forward/track.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "media/room/peer.h"
#include "media/room/ranker.h"
#include "media/room/room.h"
#include "media/stream/seq.h"
#include "media/forward/slot.h"

#define KEYFRAME_EVERY_NS 50000000u
#define LINGER_NS 1000000000u        /* as old as a run may be */
#define PATIENCE_NS 2000000000u      /* a layer that was asked for and does not come */
#define REPORT_HOLDS_NS 12000000000u /* browsers report on audio every 5 s at least */
#define FAILED_NS 10000000000u       /* is not asked for again for so long */

cn_err cn_track_new(cn_track **out, struct cn_room *room, uint32_t number, unsigned owner, const cn_source_info *info)
{
    if (!info->layers || info->layers > CN_LAYERS) return CN_ERR_INVALID;
    cn_track *t = CN_NEW(cn_track);
    if (!t) return CN_ERR_NOMEM;
    t->worker = room->worker;
    t->room = room;
    t->number = number;
    t->owner = owner;
    t->info = *info;
    *out = t;
    return CN_OK;
}

static void turn_leave(cn_track *t)
{
    for (unsigned i = 0; i < t->turn_n; i++) cn_packet_unref(t->turn[i]);
    t->turn_n = 0;
    cn_track **at = &t->worker->turn;
    while (*at && *at != t) at = &(*at)->next_in_turn;
    if (*at) *at = t->next_in_turn;
}

void cn_track_free(cn_track *t)
{
    if (!t) return;
    turn_leave(t);
    while (t->slots) cn_slot_bind(t->slots, NULL);
    for (unsigned i = 0; i < CN_LAYERS; i++) cn_history_free(t->layer[i].history);
    free(t);
}

static cn_msg message(const cn_track *t, cn_msg_kind kind)
{
    return (cn_msg){.kind = (uint8_t)kind, .room = t->room->number, .source = t->number};
}

/* Mask of the layers that nobody needs since a moment: whoever comes or comes back starts from their key-frame run. */
static uint32_t lingering(cn_track *t, uint32_t needs)
{
    uint32_t mask = 0;
    if (!t->info.video) return 0;
    for (unsigned i = 0; i < t->info.layers; i++) {
        cn_track_layer *l = &t->layer[i];
        bool idle = t->subscribed >> i & 1 && !(needs >> i & 1);
        if (!idle)
            l->idle_ns = 0;
        else if (!l->idle_ns)
            l->idle_ns = t->worker->now_ns;
        if (idle && t->worker->now_ns - l->idle_ns < LINGER_NS) mask |= 1u << i;
    }
    return mask;
}

void cn_track_subscribe(cn_track *t)
{
    uint32_t needs = 0, all = (1u << t->info.layers) - 1;
    unsigned needed = 0;
    bool flat = false, look_at_all = t->info.codec == CN_CODEC_AV1 || t->spatial > 1;
    for (cn_slot *s = t->slots; s && (needs != all || look_at_all); s = s->next_in_track) {
        needs |= cn_slot_needs(s);
        flat = flat || cn_slot_flat(s);
        unsigned spatial = cn_slot_spatial(s);
        if (spatial > needed) needed = spatial;
    }
    needs |= lingering(t, needs);
    if (needs == t->subscribed && flat == t->flat && needed == t->needed) return;
    for (unsigned i = 0; i < t->info.layers; i++) {
        uint32_t bit = 1u << i;
        if (!((needs ^ t->subscribed) & bit)) continue;
        bool now = (needs & bit) != 0;
        t->layer[i].subscribed_ns = now ? t->worker->now_ns : 0;
        t->layer[i].ended = false;
        if (!now && t->layer[i].history) cn_history_clear(t->layer[i].history); /* it would get a hole */
    }
    t->subscribed = needs;
    t->flat = flat;
    t->needed = needed;
    cn_msg m = message(t, CN_MSG_SUBSCRIBE);
    m.number = needs;
    m.flag = flat;
    m.layer = (uint8_t)needed;
    cn_worker_send(t->worker, t->owner, m);
}

void cn_track_keyframe(cn_track *t, unsigned layer)
{
    uint64_t now_ns = t->worker->now_ns;
    cn_track_layer *l = &t->layer[layer];
    if (l->keyframe_asked_ns && now_ns - l->keyframe_asked_ns < KEYFRAME_EVERY_NS) return;
    l->keyframe_asked_ns = now_ns;
    cn_msg m = message(t, CN_MSG_KEYFRAME);
    m.layer = (uint8_t)layer;
    cn_worker_send(t->worker, t->owner, m);
}

int64_t cn_track_capture(const cn_track *t, unsigned layer, uint32_t rtp)
{
    const cn_track_layer *l = &t->layer[layer];
    if (!l->sr_known) return 0;
    return l->sr_ns + cn_ns_from_ticks(cn_ts_diff(rtp, l->sr_rtp), t->info.clock_rate);
}

bool cn_track_rtp(const cn_track *t, unsigned layer, int64_t ns, uint32_t *rtp)
{
    const cn_track_layer *l = &t->layer[layer];
    if (!l->sr_known) return false;
    *rtp = l->sr_rtp + (uint32_t)cn_ticks_from_ns(ns - l->sr_ns, t->info.clock_rate);
    return true;
}

bool cn_track_usable(const cn_track *t, unsigned layer)
{
    const cn_track_layer *l = &t->layer[layer];
    uint64_t now_ns = t->worker->now_ns;
    if (l->info.alive || cn_track_layers(t) == 1) return true;
    if (l->ended) return false;
    if (t->spatial > 1) return l->info.rests;
    if (!l->info.width) return false; /* never came: the publisher cannot or will not */
    if (l->failed_ns && now_ns - l->failed_ns < FAILED_NS) return false;
    return !l->subscribed_ns || now_ns - l->subscribed_ns < PATIENCE_NS;
}

/* The worst of the listeners' own reports, told when it changed. */
static void tell_loss(cn_track *t, uint64_t now_ns)
{
    uint8_t worst = 0;
    for (const cn_slot *s = t->slots; s; s = s->next_in_track) {
        bool recent = s->heard_ns && now_ns - s->heard_ns < REPORT_HOLDS_NS;
        if (recent && s->fraction_lost > worst) worst = s->fraction_lost;
    }
    if (worst == t->loss_told) return;
    t->loss_told = worst;
    cn_msg m = message(t, CN_MSG_LOSS);
    m.number = worst;
    cn_worker_send(t->worker, t->owner, m);
}

void cn_track_second(cn_track *t, uint64_t now_ns)
{
    if (!t->info.video) tell_loss(t, now_ns);
    if (t->subscribed) cn_track_subscribe(t);
    for (unsigned i = 0; i < t->info.layers; i++) {
        cn_track_layer *l = &t->layer[i];
        if (l->history) cn_history_expire(l->history, now_ns);
        bool failed = !l->info.alive && l->subscribed_ns && now_ns - l->subscribed_ns >= PATIENCE_NS;
        if (failed && !l->failed_ns) l->failed_ns = now_ns;
        if (l->info.alive || (l->failed_ns && now_ns - l->failed_ns >= FAILED_NS)) l->failed_ns = 0;
    }
}

static bool remember(cn_track *t, cn_packet *p)
{
    cn_track_layer *l = &t->layer[p->layer];
    if (!l->history && cn_history_new(&l->history, t->info.video ? CN_HISTORY_VIDEO : CN_HISTORY_AUDIO) != CN_OK)
        return false;
    return cn_history_put(l->history, p);
}

static void note_structure(cn_track_layer *l, const cn_packet *p)
{
    if (!p->dd_len || !(p->dd_structure || p->dd_active) || p->ext_seq < l->layout_since) return;
    cn_dd_structure fresh;
    cn_depdesc d;
    l->layout_since = p->ext_seq;
    l->active = p->dd_mask;
    if (p->dd_structure && cn_depdesc_parse(&d, cn_packet_bytes(p) + p->dd_at, p->dd_len, NULL, &fresh) == CN_OK)
        cn_dd_layout_of(&fresh, &l->layout);
}

static void forward(cn_track *t)
{
    cn_packet *turn[CN_TRACK_TURN];
    unsigned n = t->turn_n;
    memcpy(turn, t->turn, n * sizeof *turn);
    t->turn_n = 0;
    for (cn_slot *s = t->slots, *next; s; s = next) {
        next = s->next_in_track;
        if (next) cn_slot_prefetch(next);
        for (unsigned i = 0; i < n; i++) cn_slot_packet(s, turn[i]);
    }
    for (unsigned i = 0; i < n; i++) cn_packet_unref(turn[i]);
}

void cn_track_packet(cn_track *t, cn_packet *p)
{
    if (p->layer >= t->info.layers || !t->info.on) return;
    if (!remember(t, p)) return;
    if (p->dd_structure && t->turn_n) forward(t); /* older packets are understood by the former structure */
    note_structure(&t->layer[p->layer], p);
    if (!t->turn_listed) {
        t->turn_listed = true;
        t->next_in_turn = t->worker->turn;
        t->worker->turn = t;
    }
    t->turn[t->turn_n++] = cn_packet_ref(p);
    if (t->turn_n == CN_TRACK_TURN) forward(t);
}

void cn_track_forward(cn_worker *w)
{
    cn_track *first = NULL; /* the list begins with whatever came last */
    for (cn_track *t; (t = w->turn);) {
        w->turn = t->next_in_turn;
        t->next_in_turn = first;
        first = t;
    }
    for (cn_track *t; (t = first);) {
        first = t->next_in_turn;
        t->turn_listed = false;
        if (t->turn_n) forward(t);
    }
}

void cn_track_on_packet(cn_worker *w, cn_msg *m)
{
    cn_track *t = cn_idmap_get(&w->tracks, m->source);
    if (t) cn_track_packet(t, m->p);
    cn_packet_unref(m->p);
}

void cn_track_on_switch(cn_worker *w, cn_msg *m)
{
    cn_ranker_switch(w, m->room, m->source, m->flag);
    cn_track *t = cn_idmap_get(&w->tracks, m->source);
    if (!t || t->info.on == m->flag) return;
    t->info.on = m->flag;
    for (unsigned i = 0; i < CN_LAYERS; i++)
        if (t->layer[i].history) cn_history_clear(t->layer[i].history);
    cn_room_rebind(t->room);
}

/* Whoever watches a layer that stops takes another at once; it is asked for again by whoever still wants it then. */
static void note_end(cn_track *t, cn_track_layer *l, bool alive)
{
    l->ended = !alive && l->subscribed_ns;
    if (l->ended) l->subscribed_ns = t->worker->now_ns;
}

void cn_track_on_layers(cn_worker *w, cn_msg *m)
{
    cn_track *t = cn_idmap_get(&w->tracks, m->source);
    const cn_layers_info *info = m->p;
    if (t) {
        bool news = t->spatial != info->spatial;
        t->spatial = info->spatial;
        for (cn_slot *s = t->slots; news && s; s = s->next_in_track) cn_slot_layers_changed(s);
        for (unsigned i = 0; i < cn_track_layers(t); i++) {
            const cn_layer_info *before = &t->layer[i].info, *now = &info->layer[i];
            news = news || before->alive != now->alive || before->width != now->width ||
                   before->height != now->height || before->rests != now->rests;
            if (before->alive != now->alive) note_end(t, &t->layer[i], now->alive);
            t->layer[i].info = *now;
        }
        for (cn_slot *s = t->slots; news && s; s = s->next_in_track) s->peer->dirty = true;
    }
    free(m->p);
}

void cn_track_on_sender_report(cn_worker *w, cn_msg *m)
{
    cn_track *t = cn_idmap_get(&w->tracks, m->source);
    if (!t || m->layer >= t->info.layers) return;
    cn_track_layer *l = &t->layer[m->layer];
    l->sr_known = true;
    l->sr_ns = (int64_t)m->value;
    l->sr_rtp = m->number;
}
