#include "media/room/ranker.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "media/rate/topk.h"

typedef struct mic {
    uint32_t source; /* 0: free */
    bool on;
    char participant[CN_MEDIA_ID];
} mic;

struct cn_ranker {
    uint32_t room;
    char name[CN_MEDIA_ID];
    uint64_t parts;
    cn_topk *topk;
    mic *mics; /* by the index that topk knows */
    size_t mic_count;
    cn_idmap index; /* source → mic */
    cn_ranked_info told;
};

static cn_ranker *ranker_of(cn_worker *w, uint32_t room)
{
    return cn_idmap_get(&w->rankers, room);
}

void cn_ranker_free(cn_ranker *r)
{
    if (!r) return;
    cn_topk_free(r->topk);
    cn_idmap_free(&r->index);
    free(r->mics);
    free(r);
}

static cn_ranker *ranker_new(cn_worker *w, uint32_t room, const char *name)
{
    cn_ranker *r = CN_NEW(cn_ranker);
    if (!r) return NULL;
    r->room = room;
    (void)cn_strcpy(r->name, sizeof r->name, name);
    r->mics = cn_calloc(CN_TOPK_MAX, sizeof *r->mics);
    if (!r->mics || cn_topk_new(&r->topk, CN_RANKER_K) != CN_OK || cn_idmap_put(&w->rankers, room, r) != CN_OK) {
        cn_ranker_free(r);
        return NULL;
    }
    return r;
}

static void tell_part(cn_worker *w, cn_ranker *r, unsigned part)
{
    cn_msg m = {.kind = CN_MSG_RANKED, .room = r->room, .p = cn_memdup(&r->told, sizeof r->told)};
    if (m.p) cn_worker_send(w, part, m);
}

void cn_ranker_open(cn_worker *w, uint32_t room, const char *name, unsigned part)
{
    cn_ranker *r = ranker_of(w, room);
    if (!r) r = ranker_new(w, room, name);
    if (!r) return;
    r->parts |= cn_bit(part);
    tell_part(w, r, part);
}

void cn_ranker_close(cn_worker *w, uint32_t room, unsigned part)
{
    cn_ranker *r = ranker_of(w, room);
    if (!r) return;
    r->parts &= ~cn_bit(part);
    if (r->parts) return;
    (void)cn_idmap_take(&w->rankers, room);
    cn_ranker_free(r);
}

static mic *mic_of(cn_ranker *r, uint32_t source)
{
    return r ? cn_idmap_get(&r->index, source) : NULL;
}

void cn_ranker_add(cn_worker *w, uint32_t room, uint32_t source, const cn_source_info *info)
{
    cn_ranker *r = ranker_of(w, room);
    if (!r || info->kind != CN_SOURCE_MIC || mic_of(r, source)) return;
    size_t i = 0;
    while (i < r->mic_count && r->mics[i].source) i++;
    if (i == CN_TOPK_MAX || cn_idmap_put(&r->index, source, &r->mics[i]) != CN_OK) return;
    if (i == r->mic_count) r->mic_count++;
    r->mics[i] = (mic){.source = source, .on = info->on};
    (void)cn_strcpy(r->mics[i].participant, sizeof r->mics[i].participant, info->participant);
}

void cn_ranker_remove(cn_worker *w, uint32_t room, uint32_t source)
{
    cn_ranker *r = ranker_of(w, room);
    mic *m = mic_of(r, source);
    if (!m) return;
    cn_topk_remove(r->topk, (unsigned)(m - r->mics));
    (void)cn_idmap_take(&r->index, source);
    m->source = 0;
}

void cn_ranker_switch(cn_worker *w, uint32_t room, uint32_t source, bool on)
{
    cn_ranker *r = ranker_of(w, room);
    mic *m = mic_of(r, source);
    if (!m) return;
    m->on = on;
    if (!on) cn_topk_remove(r->topk, (unsigned)(m - r->mics));
}

void cn_ranker_on_level(cn_worker *w, cn_msg *msg)
{
    cn_ranker *r = ranker_of(w, msg->room);
    mic *m = mic_of(r, msg->source);
    if (!m || !m->on) return;
    unsigned i = (unsigned)(m - r->mics);
    if (msg->number == CN_LEVEL_NONE)
        (void)cn_topk_size(r->topk, i, msg->value, w->now_ns);
    else
        (void)cn_topk_level(r->topk, i, (uint8_t)msg->number, msg->flag, w->now_ns);
}

static cn_ranked_info ranked_now(const cn_ranker *r)
{
    cn_ranked_info now = {0};
    uint16_t list[CN_RANKED_MAX];
    size_t n = cn_topk_list(r->topk, list, CN_RANKED_MAX);
    for (size_t i = 0; i < n; i++)
        if (r->mics[list[i]].source) now.source[now.count++] = r->mics[list[i]].source;
    int speaker = cn_topk_speaker(r->topk);
    if (speaker != CN_TOPK_NOBODY) now.speaker = r->mics[speaker].source;
    return now;
}

void cn_ranker_tick(cn_worker *w, cn_ranker *r, uint64_t now_ns)
{
    (void)cn_topk_tick(r->topk, now_ns);
    cn_ranked_info now = ranked_now(r);
    if (memcmp(&now, &r->told, sizeof now) == 0) return;
    bool speaker = now.speaker != r->told.speaker;
    r->told = now;
    for (uint64_t left = r->parts; left; left &= left - 1) tell_part(w, r, (unsigned)__builtin_ctzll(left));
    if (!speaker || !w->events->speaker) return;
    const mic *m = now.speaker ? mic_of(r, now.speaker) : NULL;
    w->events->speaker(w->events_ctx, r->name, m ? m->participant : "");
}
