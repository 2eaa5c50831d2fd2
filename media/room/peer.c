#include "media/room/peer.h"

#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/mem.h"
#include "base/str.h"
#include "media/forward/pace.h"
#include "media/forward/probe.h"
#include "media/forward/slot.h"
#include "media/forward/slot_send.h"
#include "media/room/peer_allocate.h"
#include "media/room/peer_bind.h"
#include "media/room/peer_impl.h"
#include "media/room/peer_offer.h"
#include "media/room/peer_quiet.h"
#include "media/room/peer_report.h"
#include "media/room/peer_rtp.h"
#include "media/room/peer_stats.h"
#include "media/room/source_impl.h"
#include "media/sdp/plan.h"

#define SLOW_TICKS 5

static void on_connected(void *arg)
{
    cn_peer *peer = arg;
    cn_worker *worker = peer->line.worker;
    if (peer->line.ended) return;
    peer->line.connected = true;
    (void)cn_worker_now(worker);
    peer->report_ns = peer->line.reported.from_ns = worker->now_ns;
    peer->line.meter.told_ns = worker->now_ns;
    if (worker->events->connected) worker->events->connected(worker->events_ctx, peer->room->name, peer->line.id);
    cn_peer_area(peer, worker->now_ns);
    cn_peer_bind(peer);
    for (size_t i = 0; i < peer->line.slot_count; i++) cn_slot_begin(peer->line.slots[i]);
}

static void on_closed(void *arg, cn_transport_cause cause)
{
    cn_peer *peer = arg;
    (void)cn_worker_now(peer->line.worker);
    cn_peer_end(peer, cause == CN_TRANSPORT_TIMEOUT ? CN_LEAVE_TIMEOUT : CN_LEAVE_CLOSED);
}

static const cn_transport_events transport_events = {on_connected, cn_peer_rtp, cn_peer_rtcp, on_closed};

static void peer_free(cn_peer *peer)
{
    if (!peer) return;
    cn_probe_free(&peer->line);
    cn_pace_free(&peer->line);
    cn_line_close(&peer->line);
    free(peer->wants);
    free(peer);
}

static void leave_room(cn_peer *peer)
{
    cn_room *room = peer->room;
    cn_peer **at = &room->peers;
    while (*at && *at != peer) at = &(*at)->next_in_room;
    if (*at) *at = peer->next_in_room;
    if (room->unranked == peer) room->unranked = peer->next_in_room;
    peer->room = NULL;
    cn_room_exit(room);
}

/* Everything that others could still reach. */
static void detach(cn_peer *peer)
{
    for (size_t i = 0; i < peer->line.slot_count; i++) cn_slot_free(peer->line.slots[i]);
    peer->line.slot_count = 0;
    for (size_t i = 0; i < peer->source_count; i++) cn_source_free(peer->sources[i]);
    peer->source_count = 0;
    (void)cn_idmap_take(&peer->line.worker->peers, peer->number);
    if (peer->room) leave_room(peer);
}

static cn_peer *peer_of(const cn_media_join *join, const cn_place *place)
{
    cn_peer *peer = CN_NEW(cn_peer);
    if (!peer) return NULL;
    peer->number = place->peer;
    peer->kind = join->kind;
    peer->may_audio = join->may_publish_audio;
    peer->may_video = join->may_publish_video;
    peer->whip_source = join->whip_source;
    peer->codec = join->codec ? cn_plan_codec(join->codec) : CN_CODEC_OTHER;
    peer->tier_max = CN_TIER_4K;
    (void)cn_strcpy(peer->only, sizeof peer->only, join->only ? join->only : "");
    cn_random(&peer->agreed.session, sizeof peer->agreed.session);
    peer->agreed.session >>= 2; /* RFC 8829 §5.2.1: fits a signed 64-bit number */
    cn_pace_init(&peer->line, cn_slot_send_paced);
    cn_probe_init(&peer->line, cn_slot_probe);
    return peer;
}

/* The app's sections are accepted also without the permission to publish: their sources are off (cn_media_permit). */
static cn_offerer offerer_of(const cn_peer *peer, const cn_section *sections, size_t count)
{
    bool app = peer->kind == CN_PEER_APP;
    return (cn_offerer){.kind = peer->kind,
                        .may_audio = app || peer->may_audio,
                        .may_video = app || peer->may_video,
                        .whip_source = peer->whip_source,
                        .sections = sections,
                        .section_count = count,
                        .codec = peer->codec};
}

cn_err cn_peer_join(cn_worker *worker, const cn_media_join *join, const cn_place *place, cn_buf *answer,
                    cn_problem *problem)
{
    cn_peer *peer = peer_of(join, place);
    if (!peer) return CN_ERR_NOMEM;
    cn_err err = cn_line_open(&peer->line, worker, join->participant, &transport_events, peer);
    if (!err) err = cn_idmap_put(&worker->peers, peer->number, peer);
    if (!err) err = cn_room_enter(&peer->room, worker, join->room, place->room, place->home);
    if (!err) {
        peer->line.room_name = peer->room->name;
        peer->next_in_room = peer->room->peers;
        peer->room->peers = peer;
        cn_offerer who = offerer_of(peer, join->sections, join->section_count);
        err = cn_peer_negotiate(peer, join->offer, &who, answer, problem);
    }
    if (err) {
        peer->line.ended = true;
        detach(peer);
        peer_free(peer);
        return err;
    }
    cn_peer_bind(peer);
    return CN_OK;
}

cn_err cn_peer_reoffer(cn_peer *peer, const char *offer, const cn_section *sections, size_t count, cn_buf *answer,
                       cn_problem *problem)
{
    cn_offerer who = offerer_of(peer, sections, count);
    cn_err err = cn_peer_negotiate(peer, offer, &who, answer, problem);
    if (!err) cn_peer_bind(peer);
    return err;
}

void cn_peer_permit(cn_peer *peer, bool audio, bool video)
{
    peer->may_audio = audio;
    peer->may_video = video;
    for (size_t i = 0; i < peer->source_count; i++) {
        cn_source *source = peer->sources[i];
        if (!(source->video ? video : audio)) cn_source_switch(source, false);
    }
}

void cn_peer_end(cn_peer *peer, cn_leave_cause cause)
{
    if (peer->line.ended) return;
    peer->line.ended = true;
    cn_worker *worker = peer->line.worker;
    char room[CN_MEDIA_ID];
    (void)cn_strcpy(room, sizeof room, peer->room->name);
    detach(peer);
    peer->next_dead = worker->graveyard;
    worker->graveyard = peer;
    cn_directory_leave(worker->directory, peer->line.id);
    if (worker->events->left)
        worker->events->left(worker->events_ctx, room, peer->line.id, cause,
                             cn_transport_last_sign_ns(peer->line.transport) / 1000000);
}

void cn_peer_bury(cn_worker *worker)
{
    while (worker->graveyard) {
        cn_peer *peer = worker->graveyard;
        worker->graveyard = peer->next_dead;
        peer_free(peer);
    }
}

cn_source *cn_peer_source(const cn_peer *peer, cn_source_kind kind)
{
    for (size_t i = 0; i < peer->source_count; i++)
        if (peer->sources[i]->kind == kind) return peer->sources[i];
    return NULL;
}

void cn_peer_tick(cn_peer *peer, uint64_t now_ns)
{
    if (!peer->line.connected || peer->line.ended) return;
    /* a room of 230 has 2,000 slots: what can wait for 100 ms is looked at so often, not everybody in the same tick */
    bool slow = (peer->line.worker->ticks + peer->number) % SLOW_TICKS == 0;
    bool stream = cn_transport_streams(peer->line.transport);
    if (slow || stream) cn_transport_rate(peer->line.transport, cn_bwe_bps(&peer->line.estimate));
    if (peer->line.unbound) cn_peer_bind(peer);
    for (size_t i = 0; i < peer->line.slot_count && (slow || stream); i++) cn_slot_tick(peer->line.slots[i], now_ns);
    for (size_t i = 0; peer->line.replaying && i < peer->line.slot_count; i++)
        cn_slot_replay(peer->line.slots[i], now_ns);
    if (peer->line.dirty || now_ns >= peer->allocate_ns) cn_peer_allocate(peer, now_ns);
    cn_pace_update(&peer->line, now_ns);
    cn_probe_start(&peer->line, now_ns);
    cn_peer_report(peer, now_ns, slow);
    if (slow) cn_peer_quiet(peer, now_ns);
    if (peer->video_slots || !peer->area_told) cn_peer_area(peer, now_ns);
    cn_peer_stats(peer, now_ns);
}
