#include "media/forward/fanout.h"

#include <string.h>

#include "media/forward/slot.h"
#include "media/forward/slot_impl.h"

#define REPORT_HOLDS_NS 12000000000u /* browsers report on audio every 5 s at least */

static void forward(cn_track *track)
{
    cn_packet *turn[CN_TRACK_TURN];
    unsigned n = track->turn_n;
    memcpy(turn, track->turn, n * sizeof *turn);
    track->turn_n = 0;
    for (cn_slot *slot = track->slots, *next; slot; slot = next) {
        next = slot->next_in_track;
        if (next) cn_slot_prefetch(next);
        for (unsigned i = 0; i < n; i++) cn_slot_packet(slot, turn[i]);
    }
    for (unsigned i = 0; i < n; i++) cn_packet_unref(turn[i]);
}

void cn_fanout_packet(cn_track *track, cn_packet *packet)
{
    if (packet->layer >= track->info.layers || !track->info.on) return;
    if (!cn_track_remember(track, packet)) return;
    if (packet->dd_structure && track->turn_n)
        forward(track); /* older packets are understood by the former structure */
    cn_track_note_structure(track, packet);
    if (!track->turn_listed) {
        track->turn_listed = true;
        track->next_in_turn = track->worker->turn;
        track->worker->turn = track;
    }
    track->turn[track->turn_n++] = cn_packet_ref(packet);
    if (track->turn_n == CN_TRACK_TURN) forward(track);
}

static void forward_list(cn_track *first)
{
    for (cn_track *track; (track = first);) {
        first = track->next_in_turn;
        track->turn_listed = false;
        if (track->turn_n) forward(track);
    }
}

void cn_fanout_forward(cn_worker *worker)
{
    cn_track *voices = NULL, *pictures = NULL; /* the worker's list begins with whatever came last */
    for (cn_track *track; (track = worker->turn);) {
        cn_track **list = track->info.video ? &pictures : &voices;
        worker->turn = track->next_in_turn;
        track->next_in_turn = *list;
        *list = track;
    }
    forward_list(voices);
    forward_list(pictures);
}

/* The worst of the listeners' own reports, told when they changed. */
static void tell_loss(cn_track *track, uint64_t now_ns)
{
    cn_losses losses = {0};
    for (const cn_slot *slot = track->slots; slot; slot = slot->next_in_track) {
        bool recent = slot->heard_ns && now_ns - slot->heard_ns < REPORT_HOLDS_NS;
        if (recent) cn_losses_add(&losses, slot->fraction_lost);
    }
    cn_track_tell_loss(track, losses);
}

void cn_fanout_second(cn_track *track, uint64_t now_ns)
{
    if (!track->info.video) tell_loss(track, now_ns);
    cn_track_second(track, now_ns);
}

static void turn_leave(cn_track *track)
{
    for (unsigned i = 0; i < track->turn_n; i++) cn_packet_unref(track->turn[i]);
    track->turn_n = 0;
    cn_track **at = &track->worker->turn;
    while (*at && *at != track) at = &(*at)->next_in_turn;
    if (*at) *at = track->next_in_turn;
}

void cn_fanout_end(cn_track *track)
{
    if (!track) return;
    turn_leave(track);
    while (track->slots) cn_slot_bind(track->slots, NULL);
    cn_track_free(track);
}
