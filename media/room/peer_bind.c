#include "media/room/peer_bind.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "media/forward/slot.h"
#include "media/forward/slot_impl.h"
#include "media/room/peer_allocate.h"
#include "media/stream/recent.h"

/* A change of who is heard sends each peer up to eight packets that were kept: to 230 peers at once they would hold up
 * everybody's packets for milliseconds. So many peers are done in one turn. */
#define RANKED_AT_ONCE 16

#define ENLARGED 2 /* times the area: somebody made a picture large, or his window */

static void clear(cn_slot *slot)
{
    cn_slot_bind(slot, NULL);
    cn_slot_tell(slot, CN_SLOT_EMPTY);
}

/* ---- audio ---- */

typedef struct audible {
    cn_track *tracks[CN_RANKED_MAX]; /* loudest first, without one's own */
    size_t count;
} audible;

/* As many of the loudest as there are slots: nobody quieter keeps a slot from somebody louder. */
static audible audible_of(const cn_peer *peer, const cn_track *reserved)
{
    audible heard = {0};
    const cn_ranked_info *info = &peer->room->ranked;
    size_t places = 0;
    for (size_t i = 0; i < peer->line.slot_count; i++)
        places += !peer->line.slots[i]->video && peer->line.slots[i]->active;
    if (reserved && places) places--;
    for (unsigned i = 0; i < info->count; i++) {
        cn_track *track = cn_idmap_get(&peer->line.worker->tracks, info->source[i]);
        if (!track || !track->info.on || strcmp(track->info.participant, peer->line.id) == 0) continue;
        if (track != reserved && !places) continue;
        if (track != reserved) places--;
        heard.tracks[heard.count++] = track;
    }
    return heard;
}

static bool is_audible(const audible *heard, const cn_track *track)
{
    for (size_t i = 0; track && i < heard->count; i++)
        if (heard->tracks[i] == track) return true;
    return false;
}

/* Slot 0 plays whoever is large, so that browsers sync the two; nobody else, while that one can be heard. */
static cn_track *reserved_track(const cn_peer *peer)
{
    const cn_ranked_info *ranked = &peer->room->ranked;
    if (!peer->large[0] || peer->audio_slots < 2) return NULL;
    for (unsigned i = 0; i < ranked->count; i++) {
        cn_track *track = cn_idmap_get(&peer->line.worker->tracks, ranked->source[i]);
        bool mic = track && track->info.kind == CN_SOURCE_MIC;
        if (mic && strcmp(track->info.participant, peer->large) == 0) return track;
    }
    return NULL;
}

static cn_slot *slot_with(cn_peer *peer, const cn_track *track)
{
    for (size_t i = 0; i < peer->line.slot_count; i++)
        if (!peer->line.slots[i]->video && peer->line.slots[i]->track == track) return peer->line.slots[i];
    return NULL;
}

static void release_audio(cn_peer *peer, const audible *heard, const cn_track *reserved)
{
    for (size_t i = 0; i < peer->line.slot_count; i++) {
        cn_slot *slot = peer->line.slots[i];
        if (slot->video || !slot->track) continue;
        bool wrong = reserved && (slot->index == 0) != (slot->track == reserved);
        if (wrong || !is_audible(heard, slot->track)) clear(slot);
    }
}

static cn_slot *audio_slot_for(cn_peer *peer, const cn_track *track, const cn_track *reserved)
{
    for (size_t i = 0; i < peer->line.slot_count; i++) {
        cn_slot *slot = peer->line.slots[i];
        if (slot->video || !slot->active || slot->track) continue;
        if (!reserved || (slot->index == 0) == (track == reserved)) return slot;
    }
    return NULL;
}

static uint64_t heard_until(const cn_line *line, const cn_track *track)
{
    uint64_t ns = 0;
    for (size_t i = 0; i < line->slot_count; i++)
        if (line->slots[i]->former == track->number && line->slots[i]->former_ns > ns) ns = line->slots[i]->former_ns;
    return ns;
}

/* A slot that was just bound to a track that others here hear already plays the word that is being spoken from its
 * beginning, unless this peer heard it in another slot. */
static void catch_up(cn_slot *slot)
{
    const cn_history *history = slot->track->layer[0].history;
    uint64_t now_ns = slot->line->worker->now_ns, since_ns = heard_until(slot->line, slot->track);
    if (!history) return;
    if (since_ns + CN_RECENT_NS < now_ns) since_ns = now_ns - CN_RECENT_NS;
    cn_packet *list[CN_RECENT];
    size_t n = 0;
    uint64_t newest = cn_history_highest(history), seq = newest > CN_RECENT ? newest - CN_RECENT + 1 : 1;
    for (; seq <= newest; seq++) {
        cn_packet *packet = cn_history_get(history, seq, now_ns);
        if (packet && packet->payload_len) list[n++] = packet;
    }
    for (size_t i = cn_recent_begin(list, n); i < n; i++)
        if (list[i]->arrival_ns > since_ns) cn_slot_packet(slot, list[i]);
}

static void bind_audio(cn_peer *peer)
{
    const cn_track *reserved = reserved_track(peer);
    audible heard = audible_of(peer, reserved);
    release_audio(peer, &heard, reserved);
    for (size_t i = 0; i < heard.count; i++) {
        cn_slot *slot = slot_with(peer, heard.tracks[i]) ? NULL : audio_slot_for(peer, heard.tracks[i], reserved);
        if (!slot) continue;
        cn_slot_bind(slot, heard.tracks[i]);
        catch_up(slot);
    }
}

/* ---- video ---- */

static void bind_video(cn_peer *peer, cn_slot *slot)
{
    cn_track *track = NULL;
    if (slot->want.participant[0] && strcmp(slot->want.participant, peer->line.id) != 0)
        track = cn_room_track(peer->room, slot->want.participant, slot->want.source);
    if (!track || !track->info.video || !slot->active) {
        clear(slot);
        return;
    }
    cn_slot_bind(slot, track);
    slot->alloc.on = track->info.on && slot->format;
    uint64_t area = (uint64_t)slot->want.width * slot->want.height,
             before = (uint64_t)slot->alloc.width * slot->alloc.height;
    if (before && area >= ENLARGED * before) slot->alloc.fresh = true; /* somebody waits for it: no holding back */
    slot->alloc.width = slot->want.width;
    slot->alloc.height = slot->want.height;
    slot->alloc.priority = slot->want.priority;
    if (slot->alloc.on) return;
    cn_slot_target(slot, -1, 0);
    slot->alloc.chosen = CN_ALLOC_PAUSED;
    slot->alloc.fresh = true;
    cn_slot_tell(slot, slot->format ? CN_SLOT_OFF : CN_SLOT_CODEC);
}

static const cn_slot_want *want_for(const cn_peer *peer, const char *mid)
{
    for (size_t i = 0; i < peer->want_count; i++)
        if (strcmp(peer->wants[i].mid, mid) == 0) return &peer->wants[i];
    return NULL;
}

static void wants_of_app(cn_peer *peer)
{
    for (size_t i = 0; i < peer->line.slot_count; i++) {
        cn_slot *slot = peer->line.slots[i];
        const cn_slot_want *want = want_for(peer, slot->mid);
        slot->want = want ? *want : (cn_slot_want){0};
    }
}

/* ---- plain viewers: screens, the speaker, then by time of joining ---- */

typedef struct viewed {
    cn_track *track;
    int order;
} viewed;

static int viewed_compare(const void *left, const void *right)
{
    const viewed *views = left, *b = right;
    if (views->order != b->order) return views->order < b->order ? -1 : 1;
    if (views->track->info.joined_ns != b->track->info.joined_ns)
        return views->track->info.joined_ns < b->track->info.joined_ns ? -1 : 1;
    return views->track->number < b->track->number ? -1 : 1;
}

static int order_of(const cn_peer *peer, const cn_track *track)
{
    const cn_track *mic = cn_idmap_get(&peer->line.worker->tracks, peer->room->ranked.speaker);
    if (track->info.kind == CN_SOURCE_SCREEN) return 0;
    if (track->info.kind == CN_SOURCE_DEVICE) return 1;
    return mic && strcmp(mic->info.participant, track->info.participant) == 0 ? 2 : 3;
}

#define VIEWED_MAX 256

static size_t viewed_tracks(const cn_peer *peer, viewed *out)
{
    size_t n = 0;
    for (cn_track *track = peer->room->tracks; track && n < VIEWED_MAX; track = track->next) {
        if (!track->info.video || !track->info.on || strcmp(track->info.participant, peer->line.id) == 0) continue;
        if (peer->only[0] && strcmp(track->info.participant, peer->only) != 0) continue;
        out[n++] = (viewed){track, order_of(peer, track)};
    }
    qsort(out, n, sizeof *out, viewed_compare);
    return n;
}

static bool wanted_by(const viewed *list, size_t count, const cn_track *track)
{
    for (size_t i = 0; i < count; i++)
        if (list[i].track == track) return true;
    return false;
}

static void want_track(cn_slot *slot, const cn_track *track)
{
    slot->want = (cn_slot_want){.source = track->info.kind, .priority = 64 - (slot->index < 64 ? slot->index : 63)};
    (void)cn_strcpy(slot->want.participant, sizeof slot->want.participant, track->info.participant);
}

/* What is still among the first stays in its slot. */
static void wants_of_viewer(cn_peer *peer)
{
    viewed list[VIEWED_MAX];
    size_t n = viewed_tracks(peer, list);
    if (n > peer->video_slots) n = peer->video_slots;
    for (size_t i = 0; i < peer->line.slot_count; i++) {
        cn_slot *slot = peer->line.slots[i];
        if (slot->video && !(slot->track && wanted_by(list, n, slot->track))) slot->want = (cn_slot_want){0};
    }
    for (size_t k = 0; k < n; k++) {
        cn_slot *empty = NULL;
        bool shown = false;
        for (size_t i = 0; i < peer->line.slot_count; i++) {
            cn_slot *slot = peer->line.slots[i];
            if (!slot->video || !slot->active) continue;
            if (slot->want.participant[0])
                shown = shown || slot->track == list[k].track;
            else if (!empty)
                empty = slot;
        }
        if (!shown && empty) want_track(empty, list[k].track);
    }
}

void cn_peer_bind(cn_peer *peer)
{
    if (peer->line.ended) return;
    peer->line.unbound = false;
    if (peer->kind == CN_PEER_APP) wants_of_app(peer);
    if (peer->kind == CN_PEER_WHEP) wants_of_viewer(peer);
    bind_audio(peer);
    for (size_t i = 0; i < peer->line.slot_count; i++)
        if (peer->line.slots[i]->video) bind_video(peer, peer->line.slots[i]);
    cn_peer_allocate(peer, peer->line.worker->now_ns);
}

void cn_peer_bind_room(cn_room *room)
{
    for (cn_peer *peer = room->peers; peer; peer = peer->next_in_room) cn_peer_bind(peer);
}

static void bind_ranked(cn_peer *peer)
{
    if (peer->kind == CN_PEER_WHEP)
        cn_peer_bind(peer); /* its pictures follow the speaker */
    else if (!peer->line.ended)
        bind_audio(peer);
}

static void rank_some(void *arg)
{
    cn_room *room = arg;
    room->worker->now_ns = cn_loop_now_ns(room->worker->loop);
    for (unsigned n = 0; room->unranked && (n < RANKED_AT_ONCE || !room->rank_timer); n++) {
        cn_peer *peer = room->unranked;
        room->unranked = peer->next_in_room;
        bind_ranked(peer);
    }
    if (!room->unranked && room->rank_again) {
        room->rank_again = false;
        room->unranked = room->peers;
    }
    if (room->unranked) cn_timer_arm(room->rank_timer, 0);
}

void cn_peer_bind_ranked(cn_room *room)
{
    /* without a timer, all are done at once */
    if (!room->rank_timer) (void)cn_timer_new(&room->rank_timer, room->worker->loop, rank_some, room);
    /* a walk that is under way goes on first: who is last in the list must not wait for ever */
    room->rank_again = room->unranked != NULL;
    if (room->rank_again) return;
    room->unranked = room->peers;
    rank_some(room);
}

void cn_peer_show(cn_peer *peer, const cn_slot_want *wants, size_t count, cn_tier tier_max)
{
    if (count > CN_MEDIA_SLOTS) count = CN_MEDIA_SLOTS;
    free(peer->wants);
    peer->wants = count ? cn_memdup(wants, count * sizeof *wants) : NULL;
    peer->want_count = peer->wants ? count : 0;
    peer->tier_max = tier_max;
    (void)cn_strcpy(peer->large, sizeof peer->large, count ? wants[0].participant : "");
    cn_peer_bind(peer);
}
