#include "media/room/room.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "media/room/peer.h"
#include "media/room/ranker.h"
#include "media/room/source.h"

static cn_room *room_of(cn_worker *w, const cn_msg *m)
{
    return cn_idmap_get(&w->rooms, m->room);
}

static cn_msg open_message(const cn_room *r, bool answer)
{
    return (cn_msg){
        .kind = CN_MSG_ROOM_OPEN, .room = r->number, .value = r->home, .flag = answer, .p = cn_strdup(r->name)};
}

cn_err cn_room_enter(cn_room **out, cn_worker *w, const char *name, uint32_t number, unsigned home,
                     struct cn_peer *peer)
{
    cn_room *r = cn_idmap_get(&w->rooms, number);
    if (!r) {
        r = CN_NEW(cn_room);
        if (!r) return CN_ERR_NOMEM;
        r->worker = w;
        r->number = number;
        r->home = home;
        r->parts = cn_bit(w->index);
        (void)cn_strcpy(r->name, sizeof r->name, name);
        if (cn_idmap_put(&w->rooms, number, r) != CN_OK) {
            free(r);
            return CN_ERR_NOMEM;
        }
        for (unsigned to = 0; to < w->count; to++) cn_worker_send(w, to, open_message(r, false));
    }
    peer->next_in_room = r->peers;
    r->peers = peer;
    *out = r;
    return CN_OK;
}

static void room_end(cn_room *r)
{
    cn_worker *w = r->worker;
    (void)cn_idmap_take(&w->rooms, r->number);
    for (unsigned to = 0; to < w->count; to++)
        cn_worker_send(w, to, (cn_msg){.kind = CN_MSG_ROOM_CLOSE, .room = r->number});
    for (cn_track *t = r->tracks, *next; t; t = next) {
        next = t->next;
        (void)cn_idmap_take(&w->tracks, t->number);
        cn_track_free(t);
    }
    free(r);
}

void cn_room_exit(cn_room *r, struct cn_peer *peer)
{
    cn_peer **at = &r->peers;
    while (*at && *at != peer) at = &(*at)->next_in_room;
    if (*at) *at = peer->next_in_room;
    if (!r->peers) room_end(r);
}

void cn_room_send(cn_room *r, cn_msg m)
{
    for (uint64_t left = r->parts; left; left &= left - 1)
        cn_worker_send(r->worker, (unsigned)__builtin_ctzll(left), m);
}

void cn_room_send_block(cn_room *r, cn_msg m, const void *block, size_t n)
{
    for (uint64_t left = r->parts; left; left &= left - 1) {
        m.p = cn_memdup(block, n);
        if (m.p) cn_worker_send(r->worker, (unsigned)__builtin_ctzll(left), m);
    }
}

cn_track *cn_room_track(const cn_room *r, const char *participant, cn_source_kind kind)
{
    for (cn_track *t = r->tracks; t; t = t->next)
        if (t->info.kind == kind && strcmp(t->info.participant, participant) == 0) return t;
    return NULL;
}

void cn_room_rebind(cn_room *r)
{
    for (cn_peer *p = r->peers; p; p = p->next_in_room) cn_peer_bind(p);
}

/* Another worker has members now (or this one: nothing to tell itself). */
static void greet(cn_worker *w, cn_room *r, const cn_msg *m)
{
    r->parts |= cn_bit(m->from);
    if (m->from == w->index || m->flag) return;
    cn_worker_send(w, m->from, open_message(r, true));
    for (cn_peer *p = r->peers; p; p = p->next_in_room)
        for (size_t i = 0; i < p->source_count; i++) cn_source_introduce(p->sources[i], m->from);
}

void cn_room_on_open(cn_worker *w, cn_msg *m)
{
    cn_room *r = room_of(w, m);
    if (m->value == w->index && !m->flag && m->p) cn_ranker_open(w, m->room, m->p, m->from);
    if (r) greet(w, r, m);
    free(m->p);
}

void cn_room_on_close(cn_worker *w, cn_msg *m)
{
    cn_ranker_close(w, m->room, m->from);
    cn_room *r = room_of(w, m);
    if (!r || m->from == w->index) return;
    r->parts &= ~cn_bit(m->from);
    for (cn_peer *p = r->peers; p; p = p->next_in_room)
        for (size_t i = 0; i < p->source_count; i++) cn_source_unsubscribe_all(p->sources[i], m->from);
}

static void track_add(cn_worker *w, cn_room *r, const cn_msg *m, const cn_source_info *info)
{
    if (cn_idmap_get(&w->tracks, m->source)) return; /* introduced twice: we opened while it was announced */
    cn_track *t = NULL;
    if (cn_track_new(&t, r, m->source, m->from, info) != CN_OK) return;
    if (cn_idmap_put(&w->tracks, m->source, t) != CN_OK) {
        cn_track_free(t);
        return;
    }
    t->next = r->tracks;
    r->tracks = t;
    cn_room_rebind(r);
}

void cn_room_on_source_add(cn_worker *w, cn_msg *m)
{
    const cn_source_info *info = m->p;
    cn_ranker_add(w, m->room, m->source, info);
    cn_room *r = room_of(w, m);
    if (r) track_add(w, r, m, info);
    free(m->p);
}

void cn_room_on_source_remove(cn_worker *w, cn_msg *m)
{
    cn_ranker_remove(w, m->room, m->source);
    cn_track *t = cn_idmap_take(&w->tracks, m->source);
    if (!t) return;
    cn_room *r = t->room;
    cn_track **at = &r->tracks;
    while (*at && *at != t) at = &(*at)->next;
    if (*at) *at = t->next;
    cn_track_free(t);
    cn_room_rebind(r);
}

void cn_room_on_ranked(cn_worker *w, cn_msg *m)
{
    cn_room *r = room_of(w, m);
    if (r) {
        memcpy(&r->ranked, m->p, sizeof r->ranked);
        for (cn_peer *p = r->peers; p; p = p->next_in_room) cn_peer_bind_ranked(p);
    }
    free(m->p);
}
