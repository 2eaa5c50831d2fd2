#include "watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "state.h"

/* From the first key frame of the largest layer on, as long as frame follows frame. */
static void save(inlet *in, const film *reel, const gather_frame *frame, bool known)
{
    film_watch *watcher = in->watch;
    unsigned largest = RTC_LAYERS;
    while (largest > 0 && !reel->layer[largest - 1]) largest--;
    if (!watcher->save || watcher->saved_all || !largest) return;
    const footage *from = reel->layer[--largest];
    bool follows =
        known && watcher->view.layer == largest && (!watcher->saved || watcher->view.at == watcher->saved_at + 1);
    const footage_frame *picture = known ? &from->frame[reel->log[largest].frame[watcher->view.at % FILM_LOG]] : NULL;
    if (!watcher->saved && (!follows || !picture->key)) return;
    watcher->saved_all = !follows;
    if (!follows) return;
    uint8_t head[FOOTAGE_IVF_HEAD], each[FOOTAGE_IVF_FRAME];
    footage_ivf_head(head, from->width, from->height);
    footage_ivf_frame(each, (uint32_t)frame->n, watcher->saved_ticks);
    if (from->codec == CN_CODEC_VP8) {
        if (!watcher->saved) (void)fwrite(head, sizeof head, 1, watcher->save);
        (void)fwrite(each, sizeof each, 1, watcher->save);
    }
    (void)fwrite(frame->bytes, frame->n, 1, watcher->save);
    watcher->saved++;
    watcher->saved_at = watcher->view.at;
    watcher->saved_ticks += picture->ticks;
}

static void on_frame(void *arg, const gather_frame *frame)
{
    inlet *in = arg;
    film_watch *watcher = in->watch;
    crowd *throng = watcher->pc->crowd;
    film *reel = throng->film;
    uint64_t missing = watcher->view.missing, altered = watcher->view.altered, cut = watcher->view.cut;
    bool known = false;
    if (frame->whole)
        known = film_match(reel, &watcher->view, frame->bytes, frame->n, throng->now_ns);
    else
        film_torn(&watcher->view);
    save(in, reel, frame, known);
    throng->totals.frames_missing += watcher->view.missing - missing;
    throng->totals.frames_cut += watcher->view.cut - cut;
    throng->totals.frames_altered += watcher->view.altered - altered;
    if (!known) return;
    throng->totals.frames_seen++;
    payload_piece piece = {.sender = reel->sender, .layer = watcher->view.layer, .index = (uint32_t)watcher->view.at};
    if (!frame->again)
        crowd_delay_count(throng->totals.delays, watcher->pc->arrived_ns - (int64_t)film_wall_ns(reel, &watcher->view));
    inlet_content(in, &throng->totals, (uint16_t)frame->seq, frame->ts, &piece, throng->now_ns);
}

bool film_watch_open(crowd_pc *pc, inlet *in)
{
    film_watch *watcher = CN_NEW(film_watch);
    if (!watcher) return false;
    watcher->pc = pc;
    watcher->frames = gather_new(pc->crowd->shape.codec, on_frame, in);
    in->watch = watcher;
    return watcher->frames != NULL;
}

void film_watch_packet(inlet *in, const cn_rtp *rtp, uint16_t seq, bool again, const uint8_t *payload, size_t len)
{
    gather_packet packet = {.seq = inlet_extended(in, seq), .ts = rtp->ts, .marker = rtp->marker, .again = again};
    packet.payload = payload;
    packet.n = len;
    gather_put(in->watch->frames, &packet);
}

void film_watch_close(inlet *in)
{
    if (!in->watch) return;
    gather_free(in->watch->frames);
    free(in->watch);
    in->watch = NULL;
}

void film_watch_reset(inlet *in)
{
    film_watch *watcher = in->watch;
    if (!watcher) return;
    memset(watcher->view.seen, 0, sizeof watcher->view.seen);
    watcher->view.altered = watcher->view.missing = watcher->view.cut = 0;
}

void crowd_pc_frames(const crowd_pc *pc, crowd_frames *out)
{
    *out = (crowd_frames){.layer = -1};
    for (size_t i = 0; i < pc->inlet_n; i++) {
        const film_watch *watcher = pc->inlets[i].watch;
        for (unsigned k = 0; watcher && k < RTC_LAYERS; k++) out->seen[k] += watcher->view.seen[k];
        if (watcher && watcher->view.running) out->layer = watcher->view.layer;
        out->altered += watcher ? watcher->view.altered : 0;
        out->missing += watcher ? watcher->view.missing : 0;
    }
}

uint64_t crowd_layer_seen_ns(const crowd *throng, unsigned layer)
{
    return throng->film && layer < RTC_LAYERS ? throng->film->seen_ns[layer] : 0;
}

void crowd_pc_save(crowd_pc *pc, FILE *file)
{
    for (size_t i = 0; i < pc->inlet_n; i++)
        if (pc->inlets[i].watch) pc->inlets[i].watch->save = file;
}
