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

static cn_ranker *ranker_of(cn_worker *worker, uint32_t room)
{
    return cn_idmap_get(&worker->rankers, room);
}

void cn_ranker_free(cn_ranker *ranker)
{
    if (!ranker) return;
    cn_topk_free(ranker->topk);
    cn_idmap_free(&ranker->index);
    free(ranker->mics);
    free(ranker);
}

static cn_ranker *ranker_new(cn_worker *worker, uint32_t room, const char *name)
{
    cn_ranker *ranker = CN_NEW(cn_ranker);
    if (!ranker) return NULL;
    ranker->room = room;
    (void)cn_strcpy(ranker->name, sizeof ranker->name, name);
    ranker->mics = cn_calloc(CN_TOPK_MAX, sizeof *ranker->mics);
    if (!ranker->mics || cn_topk_new(&ranker->topk, CN_RANKER_K) != CN_OK ||
        cn_idmap_put(&worker->rankers, room, ranker) != CN_OK) {
        cn_ranker_free(ranker);
        return NULL;
    }
    return ranker;
}

static void tell_part(cn_worker *worker, cn_ranker *ranker, unsigned part)
{
    cn_msg msg = {.kind = CN_MSG_RANKED, .room = ranker->room, .p = cn_memdup(&ranker->told, sizeof ranker->told)};
    if (msg.p) cn_worker_send(worker, part, msg);
}

void cn_ranker_open(cn_worker *worker, uint32_t room, const char *name, unsigned part)
{
    cn_ranker *ranker = ranker_of(worker, room);
    if (!ranker) ranker = ranker_new(worker, room, name);
    if (!ranker) return;
    ranker->parts |= cn_bit(part);
    tell_part(worker, ranker, part);
}

void cn_ranker_close(cn_worker *worker, uint32_t room, unsigned part)
{
    cn_ranker *ranker = ranker_of(worker, room);
    if (!ranker) return;
    ranker->parts &= ~cn_bit(part);
    if (ranker->parts) return;
    (void)cn_idmap_take(&worker->rankers, room);
    cn_ranker_free(ranker);
}

static mic *mic_of(cn_ranker *ranker, uint32_t source)
{
    return ranker ? cn_idmap_get(&ranker->index, source) : NULL;
}

void cn_ranker_add(cn_worker *worker, uint32_t room, uint32_t source, const cn_source_info *info)
{
    cn_ranker *ranker = ranker_of(worker, room);
    if (!ranker || info->kind != CN_SOURCE_MIC || mic_of(ranker, source)) return;
    size_t i = 0;
    while (i < ranker->mic_count && ranker->mics[i].source) i++;
    if (i == CN_TOPK_MAX || cn_idmap_put(&ranker->index, source, &ranker->mics[i]) != CN_OK) return;
    if (i == ranker->mic_count) ranker->mic_count++;
    ranker->mics[i] = (mic){.source = source, .on = info->on};
    (void)cn_strcpy(ranker->mics[i].participant, sizeof ranker->mics[i].participant, info->participant);
}

void cn_ranker_remove(cn_worker *worker, uint32_t room, uint32_t source)
{
    cn_ranker *ranker = ranker_of(worker, room);
    mic *microphone = mic_of(ranker, source);
    if (!microphone) return;
    cn_topk_remove(ranker->topk, (unsigned)(microphone - ranker->mics));
    (void)cn_idmap_take(&ranker->index, source);
    microphone->source = 0;
}

void cn_ranker_switch(cn_worker *worker, uint32_t room, uint32_t source, bool on)
{
    cn_ranker *ranker = ranker_of(worker, room);
    mic *microphone = mic_of(ranker, source);
    if (!microphone) return;
    microphone->on = on;
    if (!on) cn_topk_remove(ranker->topk, (unsigned)(microphone - ranker->mics));
}

void cn_ranker_on_level(cn_worker *worker, cn_msg *msg)
{
    cn_ranker *ranker = ranker_of(worker, msg->room);
    mic *microphone = mic_of(ranker, msg->source);
    if (!microphone || !microphone->on) return;
    unsigned i = (unsigned)(microphone - ranker->mics);
    if (msg->number == CN_LEVEL_NONE)
        (void)cn_topk_size(ranker->topk, i, msg->value, worker->now_ns);
    else
        (void)cn_topk_level(ranker->topk, i, (uint8_t)msg->number, msg->flag, worker->now_ns);
}

static cn_ranked_info ranked_now(const cn_ranker *ranker)
{
    cn_ranked_info now = {0};
    uint16_t list[CN_RANKED_MAX];
    size_t n = cn_topk_list(ranker->topk, list, CN_RANKED_MAX);
    for (size_t i = 0; i < n; i++)
        if (ranker->mics[list[i]].source) now.source[now.count++] = ranker->mics[list[i]].source;
    int speaker = cn_topk_speaker(ranker->topk);
    if (speaker != CN_TOPK_NOBODY) now.speaker = ranker->mics[speaker].source;
    return now;
}

void cn_ranker_tick(cn_worker *worker, cn_ranker *ranker, uint64_t now_ns)
{
    (void)cn_topk_tick(ranker->topk, now_ns);
    cn_ranked_info now = ranked_now(ranker);
    if (memcmp(&now, &ranker->told, sizeof now) == 0) return;
    bool speaker = now.speaker != ranker->told.speaker;
    ranker->told = now;
    for (uint64_t left = ranker->parts; left; left &= left - 1)
        tell_part(worker, ranker, (unsigned)__builtin_ctzll(left));
    if (!speaker || !worker->events->speaker) return;
    const mic *microphone = now.speaker ? mic_of(ranker, now.speaker) : NULL;
    worker->events->speaker(worker->events_ctx, ranker->name, microphone ? microphone->participant : "");
}
