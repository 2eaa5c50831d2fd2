/* The table of methods, and the short ones. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "signaling/live/client.h"
#include "signaling/live/gate.h"
#include "signaling/live/hall.h"
#include "signaling/live/host.h"
#include "signaling/live/join.h"
#include "signaling/live/methods.h"
#include "signaling/live/quality.h"
#include "signaling/live/rpc.h"
#include "signaling/live/sources.h"
#include "signaling/live/urgent.h"
#include "signaling/live/view.h"
#include "signaling/live/watch.h"

static cn_err do_ping(cn_method_call *call, json_t **result)
{
    (void)call;
    *result = json_pack("{s:I}", "time", (json_int_t)cn_wall_ms());
    return CN_OK;
}

/* ---- what slots show, sources ---- */

static cn_err parse_tier(cn_method_call *call, cn_tier *out)
{
    const char *name = "4k";
    CN_TRY(cn_json_line(call->params, "tier_max", false, 1, 16, &name, &call->problem));
    if (cn_tier_parse(name, out)) return CN_OK;
    return cn_problem_set(&call->problem, CN_ERR_INVALID, "tier_max", "voice, sd, hd, super_hd, 2k or 4k");
}

static cn_err parse_want(const json_t *slot, cn_slot_want *want, cn_problem *problem)
{
    const char *mid, *participant = "", *source = "";
    int64_t width = 0, height = 0, priority = 0;
    if (!json_is_object(slot)) return cn_problem_set(problem, CN_ERR_INVALID, "slots", "must hold objects");
    CN_TRY(cn_json_line(slot, "mid", true, 1, CN_MEDIA_ID - 1, &mid, problem));
    CN_TRY(cn_json_line(slot, "participant", false, 0, CN_MEDIA_ID - 1, &participant, problem));
    CN_TRY(cn_json_line(slot, "source", false, 0, 16, &source, problem));
    CN_TRY(cn_json_i64(slot, "width", false, 0, 16384, &width, problem));
    CN_TRY(cn_json_i64(slot, "height", false, 0, 16384, &height, problem));
    CN_TRY(cn_json_i64(slot, "priority", false, 0, 1000000, &priority, problem));
    *want = (cn_slot_want){.source = cn_source_parse(source),
                           .width = (unsigned)width,
                           .height = (unsigned)height,
                           .priority = (unsigned)priority};
    if (*participant && (want->source == CN_SOURCE_NONE || want->source == CN_SOURCE_MIC))
        return cn_problem_set(problem, CN_ERR_INVALID, "source", "camera, screen or device");
    if (!cn_strcpy(want->mid, sizeof want->mid, mid) ||
        !cn_strcpy(want->participant, sizeof want->participant, participant))
        return cn_problem_set(problem, CN_ERR_INVALID, "slots", "a name is too long");
    return CN_OK;
}

static cn_err do_show(cn_method_call *call, json_t **result)
{
    cn_slot_want wants[CN_MEDIA_SLOTS];
    cn_tier tier = CN_TIER_4K;
    json_t *slots;
    (void)result;
    CN_TRY(parse_tier(call, &tier));
    CN_TRY(cn_json_arr(call->params, "slots", true, CN_MEDIA_SLOTS, &slots, &call->problem));
    size_t n = json_array_size(slots);
    for (size_t i = 0; i < n; i++) CN_TRY(parse_want(json_array_get(slots, i), &wants[i], &call->problem));
    cn_member *me = call->client->member;
    cn_slot_want *kept = n ? cn_memdup(wants, n * sizeof *wants) : NULL;
    if (n && !kept) return CN_ERR_NOMEM;
    free(me->wants);
    me->wants = kept;
    me->want_count = n;
    me->want_tier = tier;
    cn_member_show(me);
    return CN_OK;
}

static cn_err do_source(cn_method_call *call, json_t **result)
{
    const char *name;
    bool on;
    cn_member *me = call->client->member;
    (void)result;
    CN_TRY(cn_json_line(call->params, "source", true, 1, 16, &name, &call->problem));
    CN_TRY(cn_json_bool(call->params, "on", true, &on, &call->problem));
    cn_source_kind kind = cn_source_parse(name);
    if (kind == CN_SOURCE_NONE)
        return cn_problem_set(&call->problem, CN_ERR_INVALID, "source", "mic, camera, screen or device");
    if (!me->source[kind].there) return cn_problem_set(&call->problem, CN_ERR_STATE, "source", "is not published");
    if (me->source[kind].on == on) return CN_OK;
    if (on) {
        CN_TRY(cn_member_may_unmute(me, kind, &call->problem));
        if (kind != CN_SOURCE_MIC) CN_TRY(cn_member_video(me, true));
    }
    cn_member_switch(me, kind, on, NULL);
    return CN_OK;
}

/* ---- the table ---- */

enum { IN_ROOM = 1 }; /* only for participants */

static const struct {
    const char *name;
    cn_err (*run)(cn_method_call *call, json_t **result);
    unsigned flags;
} methods[] = {
    {"room.join", cn_do_join, 0},
    {"room.offer", cn_do_offer, IN_ROOM},
    {"room.show", do_show, IN_ROOM},
    {"room.source", do_source, IN_ROOM},
    {"room.leave", cn_do_leave, 0},
    {"room.health", cn_do_health, IN_ROOM},
    {"room.hand", cn_do_hand, IN_ROOM},
    {"room.video", cn_do_video, IN_ROOM},
    {"room.mute", cn_do_mute, IN_ROOM},
    {"room.ask", cn_do_ask, IN_ROOM},
    {"room.remove", cn_do_remove, IN_ROOM},
    {"room.limit", cn_do_limit, IN_ROOM},
    {"room.settings", cn_do_settings, 0},
    {"room.admit", cn_do_admit, IN_ROOM},
    {"view.open", cn_do_view_open, IN_ROOM},
    {"view.present", cn_do_view_present, IN_ROOM},
    {"view.state", cn_do_view_state, IN_ROOM},
    {"view.pointer", cn_do_view_pointer, IN_ROOM},
    {"request.watch", cn_do_watch, 0},
    {"urgent.watch", cn_do_urgent, 0},
    {"ping", do_ping, 0},
};

/* "30 people have their camera on." */
static json_t *no_place(const cn_live *live, json_t *id)
{
    char detail[96];
    cn_fmt(detail, sizeof detail, "%lld people have their camera on, which is this room's limit",
           (long long)live->config.video_max);
    return cn_rpc_refusal(id, CN_RPC_ROOM_FULL, "video_full", detail);
}

static void run(cn_method_call *call, const char *name)
{
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        if (strcmp(methods[i].name, name) != 0) continue;
        json_t *result = NULL;
        cn_err err = CN_OK;
        if ((methods[i].flags & IN_ROOM) && !call->client->member)
            err = cn_problem_set(&call->problem, CN_ERR_NOTFOUND, "", "you are not in a room");
        else if (call->live->closing || !call->live->media)
            err = CN_ERR_CLOSED;
        else
            err = methods[i].run(call, &result);
        if (err == CN_ANSWERS_ITSELF) return;
        if (err == CN_OK)
            cn_client_answer(call->client, call->id, result);
        else if (err == CN_ERR_FULL && call->id)
            cn_client_send(call->client, no_place(call->live, call->id));
        else
            cn_client_refuse(call->client, call->id, err, &call->problem);
        return;
    }
    if (call->id) cn_client_send(call->client, cn_rpc_error(call->id, CN_RPC_METHOD, "unknown method", NULL));
}

void cn_live_dispatch(cn_client *client, const char *text, size_t len)
{
    cn_rpc call;
    int wrong = cn_rpc_parse(text, len, &call);
    if (wrong == 0) {
        cn_method_call method_call = {
            .live = client->live, .client = client, .id = call.id, .params = call.params, .problem = {.err = CN_OK}};
        run(&method_call, call.method);
    } else {
        cn_client_send(client,
                       cn_rpc_error(call.id, wrong,
                                    wrong == CN_RPC_PARSE ? "malformed JSON" : "not a JSON-RPC 2.0 request", NULL));
    }
    cn_rpc_free(&call);
}
