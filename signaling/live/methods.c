/* The table of methods, and the short ones. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "signaling/live/audit.h"
#include "signaling/live/client.h"
#include "signaling/live/gate.h"
#include "signaling/live/hall.h"
#include "signaling/live/host.h"
#include "signaling/live/join.h"
#include "signaling/live/methods.h"
#include "signaling/live/quality.h"
#include "signaling/live/rpc.h"
#include "signaling/live/say.h"
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
    cn_rate_limit limit;
} methods[] = {
    {"", NULL, 0, {20, 40}}, /* what is no call, and calls of what is not there */
    {"room.join", cn_do_join, 0, {2, 20}},
    {"room.offer", cn_do_offer, IN_ROOM, {10, 40}},
    {"room.show", do_show, IN_ROOM, {30, 90}},
    {"room.source", do_source, IN_ROOM, {5, 30}},
    {"room.leave", cn_do_leave, 0, {2, 20}},
    {"room.health", cn_do_health, IN_ROOM, {5, 20}},
    {"room.hand", cn_do_hand, IN_ROOM, {5, 20}},
    {"room.say", cn_do_say, IN_ROOM, {1, 20}},
    {"room.messages", cn_do_messages, IN_ROOM, {5, 20}},
    {"room.video", cn_do_video, IN_ROOM, {5, 30}},
    {"room.mute", cn_do_mute, IN_ROOM, {10, 60}},
    {"room.ask", cn_do_ask, IN_ROOM, {10, 60}},
    {"room.remove", cn_do_remove, IN_ROOM, {10, 60}},
    {"room.limit", cn_do_limit, IN_ROOM, {10, 60}},
    {"room.settings", cn_do_settings, 0, {10, 60}},
    {"room.admit", cn_do_admit, IN_ROOM, {10, 60}},
    {"view.open", cn_do_view_open, IN_ROOM, {5, 20}},
    {"view.present", cn_do_view_present, IN_ROOM, {5, 20}},
    {"view.state", cn_do_view_state, IN_ROOM, {80, 160}},
    {"view.pointer", cn_do_view_pointer, IN_ROOM, {80, 160}},
    {"view.draw", cn_do_view_draw, IN_ROOM, {30, 90}},
    {"view.clear", cn_do_view_clear, IN_ROOM, {2, 10}},
    {"request.watch", cn_do_watch, 0, {5, 20}},
    {"urgent.watch", cn_do_urgent, 0, {5, 20}},
    {"ping", do_ping, 0, {5, 40}},
};

/* "30 people have their camera on." */
static json_t *no_place(const cn_live *live, json_t *id)
{
    char detail[96];
    cn_fmt(detail, sizeof detail, "%lld people have their camera on, which is this room's limit",
           (long long)live->config.video_max);
    return cn_rpc_refusal(id, CN_RPC_ROOM_FULL, "video_full", detail);
}

_Static_assert(sizeof methods / sizeof *methods <= CN_RATES_METHODS, "each has a bucket");

/* 0, the row of everything else, for what is not there. */
static size_t method_find(const char *name)
{
    for (size_t i = 1; name && i < sizeof methods / sizeof *methods; i++)
        if (strcmp(methods[i].name, name) == 0) return i;
    return 0;
}

static void run(cn_method_call *call, size_t method)
{
    json_t *result = NULL;
    cn_err err = CN_OK;
    const cn_member *member = call->client->member;
    /* in a room that has closed one still stands until the media plane let go of everybody */
    if ((methods[method].flags & IN_ROOM) && (!member || member->hall->ended))
        err = cn_problem_set(&call->problem, CN_ERR_NOTFOUND, "", "you are not in a room");
    else if (call->live->closing || !call->live->media)
        err = CN_ERR_CLOSED;
    else
        err = methods[method].run(call, &result);
    if (err == CN_ANSWERS_ITSELF) return;
    if (err == CN_OK)
        cn_client_answer(call->client, call->id, result);
    else if (err == CN_ERR_FULL && call->id)
        cn_client_send(call->client, no_place(call->live, call->id));
    else
        cn_client_refuse(call->client, call->id, err, &call->problem);
}

/* Whether the call may run. Who goes on without being read from for a while is closed: the others' room is not his. */
static bool in_time(cn_method_call *call, size_t method)
{
    cn_client *client = call->client;
    cn_rate_verdict verdict = cn_rates_take(&client->rates, method, &methods[method].limit, cn_mono_ms());
    if (verdict == CN_RATE_PASS) return true;
    if (verdict == CN_RATE_SLOW) cn_ws_read(client->ws, false); /* live.c:tidy reads again */
    if (verdict == CN_RATE_CLOSE || (verdict == CN_RATE_SLOW && client->rates.slowed == 1)) {
        cn_warn("signaling.live", "user %s calls %s too often", client->actor.user, methods[method].name);
        cn_flood_audit(client, methods[method].name, verdict == CN_RATE_CLOSE);
    }
    if (verdict == CN_RATE_CLOSE)
        cn_ws_close(client->ws, CN_WS_CLOSE_FLOOD, "too many calls");
    else
        cn_client_refuse(client, call->id,
                         cn_problem_set(&call->problem, CN_ERR_AGAIN, "", "too many calls at once: wait a moment"),
                         &call->problem);
    return false;
}

void cn_live_dispatch(cn_client *client, const char *text, size_t len)
{
    cn_rpc rpc;
    int wrong = cn_rpc_parse(text, len, &rpc);
    cn_method_call call = {
        .live = client->live, .client = client, .id = rpc.id, .params = rpc.params, .problem = {.err = CN_OK}};
    size_t method = wrong ? 0 : method_find(rpc.method);
    if (in_time(&call, method)) {
        if (method)
            run(&call, method);
        else if (wrong)
            cn_client_send(client,
                           cn_rpc_error(rpc.id, wrong,
                                        wrong == CN_RPC_PARSE ? "malformed JSON" : "not a JSON-RPC 2.0 request", NULL));
        else if (rpc.id)
            cn_client_send(client, cn_rpc_error(rpc.id, CN_RPC_METHOD, "unknown method", NULL));
    }
    cn_rpc_free(&rpc);
}
