/* Peers: which slot shows what. */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "media/room/peer.h"
#include "media/forward/slot_audio.h"

#define ENLARGED 2 /* times the area: somebody made a picture large, or his window */

static void clear(cn_slot *s)
{
    cn_slot_bind(s, NULL);
    cn_slot_tell(s, CN_SLOT_EMPTY);
}

/* ---- audio ---- */

typedef struct audible {
    cn_track *tracks[CN_RANKED_MAX]; /* loudest first, without one's own */
    size_t count;
} audible;

/* As many of the loudest as there are slots: nobody quieter keeps a slot from somebody louder. */
static audible audible_of(const cn_peer *peer, const cn_track *reserved)
{
    audible a = {0};
    const cn_ranked_info *r = &peer->room->ranked;
    size_t places = 0;
    for (size_t i = 0; i < peer->slot_count; i++) places += !peer->slots[i]->video && peer->slots[i]->active;
    if (reserved && places) places--;
    for (unsigned i = 0; i < r->count; i++) {
        cn_track *t = cn_idmap_get(&peer->worker->tracks, r->source[i]);
        if (!t || !t->info.on || strcmp(t->info.participant, peer->id) == 0) continue;
        if (t != reserved && !places) continue;
        if (t != reserved) places--;
        a.tracks[a.count++] = t;
    }
    return a;
}

static bool is_audible(const audible *a, const cn_track *t)
{
    for (size_t i = 0; t && i < a->count; i++)
        if (a->tracks[i] == t) return true;
    return false;
}

static bool is_ranked(const cn_ranked_info *r, uint32_t source)
{
    for (unsigned i = 0; i < r->count; i++)
        if (r->source[i] == source) return true;
    return false;
}

/* Slot 0 plays whoever is large, so that browsers sync the two; nobody else, while that one can be heard. */
static cn_track *reserved_track(const cn_peer *peer)
{
    if (!peer->large[0] || peer->audio_slots < 2) return NULL;
    cn_track *t = cn_room_track(peer->room, peer->large, CN_SOURCE_MIC);
    return t && is_ranked(&peer->room->ranked, t->number) ? t : NULL;
}

static cn_slot *slot_with(cn_peer *peer, const cn_track *t)
{
    for (size_t i = 0; i < peer->slot_count; i++)
        if (!peer->slots[i]->video && peer->slots[i]->track == t) return peer->slots[i];
    return NULL;
}

static void release_audio(cn_peer *peer, const audible *a, const cn_track *reserved)
{
    for (size_t i = 0; i < peer->slot_count; i++) {
        cn_slot *s = peer->slots[i];
        if (s->video || !s->track) continue;
        bool wrong = reserved && (s->index == 0) != (s->track == reserved);
        if (wrong || !is_audible(a, s->track)) clear(s);
    }
}

static cn_slot *audio_slot_for(cn_peer *peer, const cn_track *t, const cn_track *reserved)
{
    for (size_t i = 0; i < peer->slot_count; i++) {
        cn_slot *s = peer->slots[i];
        if (s->video || !s->active || s->track) continue;
        if (!reserved || (s->index == 0) == (t == reserved)) return s;
    }
    return NULL;
}

static void bind_audio(cn_peer *peer)
{
    const cn_track *reserved = reserved_track(peer);
    audible a = audible_of(peer, reserved);
    release_audio(peer, &a, reserved);
    for (size_t i = 0; i < a.count; i++) {
        cn_slot *s = slot_with(peer, a.tracks[i]) ? NULL : audio_slot_for(peer, a.tracks[i], reserved);
        if (!s) continue;
        cn_slot_bind(s, a.tracks[i]);
        cn_slot_audio_catch_up(s);
    }
}

/* ---- video ---- */

static void bind_video(cn_slot *s)
{
    cn_peer *peer = s->peer;
    cn_track *t = NULL;
    if (s->want.participant[0] && strcmp(s->want.participant, peer->id) != 0)
        t = cn_room_track(peer->room, s->want.participant, s->want.source);
    if (!t || !t->info.video || !s->active) {
        clear(s);
        return;
    }
    cn_slot_bind(s, t);
    s->alloc.on = t->info.on && s->format;
    uint64_t area = (uint64_t)s->want.width * s->want.height, before = (uint64_t)s->alloc.width * s->alloc.height;
    if (before && area >= ENLARGED * before) s->alloc.fresh = true; /* somebody waits for it: no holding back */
    s->alloc.width = s->want.width;
    s->alloc.height = s->want.height;
    s->alloc.priority = s->want.priority;
    if (s->alloc.on) return;
    cn_slot_target(s, -1, 0);
    s->alloc.chosen = CN_ALLOC_PAUSED;
    s->alloc.fresh = true;
    cn_slot_tell(s, s->format ? CN_SLOT_OFF : CN_SLOT_CODEC);
}

static const cn_slot_want *want_for(const cn_peer *peer, const char *mid)
{
    for (size_t i = 0; i < peer->want_count; i++)
        if (strcmp(peer->wants[i].mid, mid) == 0) return &peer->wants[i];
    return NULL;
}

static void wants_of_app(cn_peer *peer)
{
    for (size_t i = 0; i < peer->slot_count; i++) {
        cn_slot *s = peer->slots[i];
        const cn_slot_want *w = want_for(peer, s->mid);
        s->want = w ? *w : (cn_slot_want){0};
    }
}

/* ---- plain viewers: screens, the speaker, then by time of joining ---- */

typedef struct viewed {
    cn_track *track;
    int order;
} viewed;

static int viewed_compare(const void *left, const void *right)
{
    const viewed *a = left, *b = right;
    if (a->order != b->order) return a->order < b->order ? -1 : 1;
    if (a->track->info.joined_ns != b->track->info.joined_ns)
        return a->track->info.joined_ns < b->track->info.joined_ns ? -1 : 1;
    return a->track->number < b->track->number ? -1 : 1;
}

static int order_of(const cn_peer *peer, const cn_track *t)
{
    const cn_track *mic = cn_idmap_get(&peer->worker->tracks, peer->room->ranked.speaker);
    if (t->info.kind == CN_SOURCE_SCREEN) return 0;
    if (t->info.kind == CN_SOURCE_DEVICE) return 1;
    return mic && strcmp(mic->info.participant, t->info.participant) == 0 ? 2 : 3;
}

#define VIEWED_MAX 256

static size_t viewed_tracks(const cn_peer *peer, viewed *out)
{
    size_t n = 0;
    for (cn_track *t = peer->room->tracks; t && n < VIEWED_MAX; t = t->next) {
        if (!t->info.video || !t->info.on || strcmp(t->info.participant, peer->id) == 0) continue;
        if (peer->only[0] && strcmp(t->info.participant, peer->only) != 0) continue;
        out[n++] = (viewed){t, order_of(peer, t)};
    }
    qsort(out, n, sizeof *out, viewed_compare);
    return n;
}

static bool wanted_by(const viewed *list, size_t n, const cn_track *t)
{
    for (size_t i = 0; i < n; i++)
        if (list[i].track == t) return true;
    return false;
}

static void want_track(cn_slot *s, const cn_track *t)
{
    s->want = (cn_slot_want){.source = t->info.kind, .priority = 64 - (s->index < 64 ? s->index : 63)};
    (void)cn_strcpy(s->want.participant, sizeof s->want.participant, t->info.participant);
}

/* What is still among the first stays in its slot. */
static void wants_of_viewer(cn_peer *peer)
{
    viewed list[VIEWED_MAX];
    size_t n = viewed_tracks(peer, list);
    if (n > peer->video_slots) n = peer->video_slots;
    for (size_t i = 0; i < peer->slot_count; i++) {
        cn_slot *s = peer->slots[i];
        if (s->video && !(s->track && wanted_by(list, n, s->track))) s->want = (cn_slot_want){0};
    }
    for (size_t k = 0; k < n; k++) {
        cn_slot *empty = NULL;
        bool shown = false;
        for (size_t i = 0; i < peer->slot_count; i++) {
            cn_slot *s = peer->slots[i];
            if (!s->video || !s->active) continue;
            if (s->want.participant[0])
                shown = shown || s->track == list[k].track;
            else if (!empty)
                empty = s;
        }
        if (!shown && empty) want_track(empty, list[k].track);
    }
}

void cn_peer_bind(cn_peer *peer)
{
    if (peer->ended) return;
    peer->unbound = false;
    if (peer->kind == CN_PEER_APP) wants_of_app(peer);
    if (peer->kind == CN_PEER_WHEP) wants_of_viewer(peer);
    bind_audio(peer);
    for (size_t i = 0; i < peer->slot_count; i++)
        if (peer->slots[i]->video) bind_video(peer->slots[i]);
    cn_peer_allocate(peer, peer->worker->now_ns);
}

void cn_peer_bind_ranked(cn_peer *peer)
{
    if (peer->kind == CN_PEER_WHEP)
        cn_peer_bind(peer); /* its pictures follow the speaker */
    else if (!peer->ended)
        bind_audio(peer);
}

void cn_peer_show(cn_peer *peer, const cn_slot_want *wants, size_t count, cn_tier tier_max)
{
    if (count > CN_MEDIA_SLOTS) count = CN_MEDIA_SLOTS;
    if (count) memcpy(peer->wants, wants, count * sizeof *wants);
    peer->want_count = count;
    peer->tier_max = tier_max;
    (void)cn_strcpy(peer->large, sizeof peer->large, count ? wants[0].participant : "");
    cn_peer_bind(peer);
}
