/* Receiving the frames of a file: inlets whose packets are put together and compared. */
#include <stdio.h>
#include <string.h>

#include "crowd_private.h"
#include "media/wire/rtp.h"

/* From the first key frame of the largest layer on, as long as frame follows frame. */
static void save(inlet *in, const film *f, const gather_frame *frame, bool known)
{
    watch *w = in->watch;
    unsigned largest = CROWD_LAYERS;
    while (largest > 0 && !f->layer[largest - 1]) largest--;
    if (!w->save || w->saved_all || !largest) return;
    const footage *from = f->layer[--largest];
    bool follows = known && w->view.layer == largest && (!w->saved || w->view.at == w->saved_at + 1);
    const footage_frame *e = known ? &from->frame[f->log[largest].frame[w->view.at % FILM_LOG]] : NULL;
    if (!w->saved && (!follows || !e->key)) return;
    w->saved_all = !follows;
    if (!follows) return;
    uint8_t head[FOOTAGE_IVF_HEAD], each[FOOTAGE_IVF_FRAME];
    footage_ivf_head(head, from->width, from->height);
    footage_ivf_frame(each, (uint32_t)frame->n, w->saved_ticks);
    if (from->codec == PAYLOAD_VP8) {
        if (!w->saved) (void)fwrite(head, sizeof head, 1, w->save);
        (void)fwrite(each, sizeof each, 1, w->save);
    }
    (void)fwrite(frame->bytes, frame->n, 1, w->save);
    w->saved++;
    w->saved_at = w->view.at;
    w->saved_ticks += e->ticks;
}

static void on_frame(void *arg, const gather_frame *frame)
{
    inlet *in = arg;
    watch *w = in->watch;
    crowd *c = w->pc->crowd;
    film *f = c->film;
    uint64_t missing = w->view.missing, altered = w->view.altered, cut = w->view.cut;
    bool known = false;
    if (frame->whole)
        known = film_match(f, &w->view, frame->bytes, frame->n, c->now_ns);
    else
        film_torn(&w->view);
    save(in, f, frame, known);
    c->totals.frames_missing += w->view.missing - missing;
    c->totals.frames_cut += w->view.cut - cut;
    c->totals.frames_altered += w->view.altered - altered;
    if (!known) return;
    c->totals.frames_seen++;
    payload_piece piece = {.sender = f->sender, .layer = w->view.layer, .index = (uint32_t)w->view.at};
    if (!frame->again) crowd_delay_count(c->totals.delays, w->pc->arrived_ns - (int64_t)film_wall_ns(f, &w->view));
    inlet_content(in, &c->totals, (uint16_t)frame->seq, frame->ts, &piece, c->now_ns);
}

bool watch_open(crowd_pc *pc, inlet *in)
{
    watch *w = CN_NEW(watch);
    if (!w) return false;
    w->pc = pc;
    w->frames = gather_new(pc->crowd->shape.codec, on_frame, in);
    in->watch = w;
    return w->frames != NULL;
}

void watch_packet(inlet *in, const cn_rtp *r, uint16_t seq, bool again, const uint8_t *payload, size_t n)
{
    gather_packet p = {.seq = inlet_extended(in, seq), .ts = r->ts, .marker = r->marker, .again = again};
    p.payload = payload;
    p.n = n;
    gather_put(in->watch->frames, &p);
}

void watch_close(inlet *in)
{
    if (!in->watch) return;
    gather_free(in->watch->frames);
    free(in->watch);
    in->watch = NULL;
}

void watch_reset(inlet *in)
{
    watch *w = in->watch;
    if (!w) return;
    memset(w->view.seen, 0, sizeof w->view.seen);
    w->view.altered = w->view.missing = w->view.cut = 0;
}

void crowd_pc_frames(const crowd_pc *pc, crowd_frames *out)
{
    *out = (crowd_frames){.layer = -1};
    for (size_t i = 0; i < pc->inlet_n; i++) {
        const watch *w = pc->inlets[i].watch;
        for (unsigned k = 0; w && k < CROWD_LAYERS; k++) out->seen[k] += w->view.seen[k];
        if (w && w->view.running) out->layer = w->view.layer;
        out->altered += w ? w->view.altered : 0;
        out->missing += w ? w->view.missing : 0;
    }
}

uint64_t crowd_layer_seen_ns(const crowd *c, unsigned layer)
{
    return c->film && layer < CROWD_LAYERS ? c->film->seen_ns[layer] : 0;
}

void crowd_pc_save(crowd_pc *pc, FILE *file)
{
    for (size_t i = 0; i < pc->inlet_n; i++)
        if (pc->inlets[i].watch) pc->inlets[i].watch->save = file;
}
