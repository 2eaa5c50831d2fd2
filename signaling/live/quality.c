/* How well everybody is connected: the mark and the reasons, told to the room every two seconds. Door's thread. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "signaling/live/client.h"
#include "signaling/live/quality.h"
#include "signaling/live/record.h"
#include "signaling/live/rpc.h"

#define TOLD_MAX 16 /* reasons in one message */
/* a figure is told again when it moved by so much, and by this share of itself */
#define STEP 0.25
#define LOSS_STEP 0.005
#define RTT_STEP_MS 20
#define RATE_STEP 100000

/* What is known of it now. */
static void judge(cn_member *member)
{
    const cn_media_stats *stats = &member->stats;
    uint32_t lost = member->lost ? UINT32_C(1) << CN_WHY_LOST : 0, why = member->why.given | member->told | lost;
    bool here = !lost && (member->client || *member->token_hash);
    member->quality = (cn_quality){.mark = here ? cn_why_mark(stats, why) : 0,
                                   .why = why,
                                   .up_loss = (double)stats->up_loss,
                                   .down_loss = (double)stats->down_loss,
                                   .rtt_ms = stats->rtt_ms,
                                   .up_bps = stats->up_bps,
                                   .down_bps = stats->down_bps};
}

void cn_quality_stats(cn_member *member, const cn_media_stats *stats)
{
    member->stats = *stats;
    member->measured = true;
    /* a relay looks like any other sender from here */
    if (member->told & cn_why_told("relay")) member->stats.path = CN_PATH_RELAY;
    (void)cn_why_update(&member->why, stats);
    judge(member);
    cn_record_stats(member);
}

static json_t *quality_json(const cn_member *member)
{
    const cn_quality *quality = &member->quality;
    return json_pack("{s:s, s:i, s:o, s:f, s:f, s:I, s:I, s:I}", "id", member->id, "mark", quality->mark, "why",
                     cn_quality_why(quality->why), "up_loss", quality->up_loss, "down_loss", quality->down_loss,
                     "rtt_ms", (json_int_t)quality->rtt_ms, "up_bps", (json_int_t)quality->up_bps, "down_bps",
                     (json_int_t)quality->down_bps);
}

/* room.health: what the app knows of itself. Names that are not known here are left alone. */
cn_err cn_do_health(cn_method_call *call, json_t **result)
{
    json_t *why = json_object_get(call->params, "why"), *one;
    size_t i;
    uint32_t told = 0;
    (void)result;
    if (!json_is_array(why) || json_array_size(why) > TOLD_MAX)
        return cn_problem_set(&call->problem, CN_ERR_INVALID, "why", "must be an array of at most %d reasons",
                              TOLD_MAX);
    json_array_foreach(why, i, one)
    {
        if (!json_is_string(one)) return cn_problem_set(&call->problem, CN_ERR_INVALID, "why", "must hold texts");
        told |= cn_why_told(json_string_value(one));
    }
    call->client->member->told = told;
    return CN_OK;
}

static bool moved(double now, double told, double least, double share)
{
    double step = fabs(now - told);
    return step >= least && step >= share * fabs(told);
}

/* Worth telling: in a large room everybody's figures to everybody every 2 s would be more than the voices are. */
static bool news(const cn_quality *now, const cn_quality *told)
{
    return now->mark != told->mark || now->why != told->why || moved(now->up_loss, told->up_loss, LOSS_STEP, STEP) ||
           moved(now->down_loss, told->down_loss, LOSS_STEP, STEP) ||
           moved(now->rtt_ms, told->rtt_ms, RTT_STEP_MS, STEP) || moved(now->up_bps, told->up_bps, RATE_STEP, STEP) ||
           moved(now->down_bps, told->down_bps, RATE_STEP, STEP);
}

static json_t *rows(const cn_hall *hall, bool all)
{
    json_t *list = json_array();
    for (const cn_member *member = hall->members; member; member = member->next)
        if (member->connected && (all || news(&member->quality, &member->quality_told)))
            json_array_append_new(list, quality_json(member));
    return json_pack("{s:o}", "participants", list);
}

static void tell_known(cn_hall *hall, json_t *message)
{
    CN_AUTO_UNREF cn_ws_text *text = cn_ws_text_new(message);
    for (cn_member *member = hall->members; text && member; member = member->next)
        if (member->client && member->answered && member->quality_known)
            cn_ws_send_text(member->client->ws, text, NULL);
    json_decref(message);
}

static void tell_new(cn_hall *hall)
{
    for (cn_member *member = hall->members; member; member = member->next) {
        if (!member->client || !member->answered || member->quality_known) continue;
        cn_client_notice(member->client, "room.quality", rows(hall, true));
        member->quality_known = true;
    }
}

void cn_quality_lost(cn_member *member, bool lost)
{
    if (member->lost == lost) return;
    member->lost = lost;
    judge(member);
    member->quality_told = member->quality;
    if (!member->connected || member->leaving) return;
    tell_known(member->hall, cn_rpc_notice("room.quality", json_pack("{s:[o]}", "participants", quality_json(member))));
}

void cn_live_quality(void *live)
{
    cn_live *parent = live;
    for (cn_hall *hall = parent->halls; hall; hall = hall->next) {
        json_t *changed = rows(hall, false);
        if (json_array_size(json_object_get(changed, "participants")))
            tell_known(hall, cn_rpc_notice("room.quality", changed));
        else
            json_decref(changed);
        tell_new(hall);
        for (cn_member *member = hall->members; member; member = member->next)
            if (news(&member->quality, &member->quality_told)) member->quality_told = member->quality;
    }
}
