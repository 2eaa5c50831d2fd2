/* What hosts may do with those in their room, raised hands, places with video, ceilings. Who is host: docs/protocol.md.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "signaling/live/audit.h"
#include "signaling/live/client.h"
#include "signaling/live/gate.h"
#include "signaling/live/hall.h"
#include "signaling/live/host.h"
#include "signaling/live/sources.h"

/* ---- who is host ---- */

void cn_hall_hosts(cn_hall *hall)
{
    bool changed = false;
    json_t *hosts = json_array();
    for (cn_member *member = hall->members; member; member = member->next) {
        bool host = cn_member_is_host(member);
        if (host && member->connected) json_array_append_new(hosts, json_string(member->id));
        if (host == member->host_told) continue;
        changed = true;
        member->host_told = host;
        if (host && member->client && member->answered) cn_gate_tell_knocks(hall, member);
    }
    if (changed)
        cn_hall_notice(hall, NULL, "room.hosts", json_pack("{s:o}", "hosts", hosts), NULL);
    else
        json_decref(hosts);
}

/* Somebody who is in the caller's room. */
static cn_err need_participant(cn_method_call *call, cn_member **out)
{
    const char *id;
    CN_TRY(cn_json_line(call->params, "participant", true, 1, CN_ID_TEXT - 1, &id, &call->problem));
    cn_member *other = cn_member_find(call->live, id);
    if (!other || other->leaving || other->hall != call->client->member->hall)
        return cn_problem_set(&call->problem, CN_ERR_NOTFOUND, "participant", "nobody of this name is in the room");
    *out = other;
    return CN_OK;
}

static cn_err parse_source(cn_method_call *call, cn_source_kind *out)
{
    const char *name;
    CN_TRY(cn_json_line(call->params, "source", true, 1, 16, &name, &call->problem));
    *out = cn_source_parse(name);
    if (*out == CN_SOURCE_NONE)
        return cn_problem_set(&call->problem, CN_ERR_INVALID, "source", "mic, camera, screen or device");
    return CN_OK;
}

/* ---- raised hands ---- */

cn_err cn_do_hand(cn_method_call *call, json_t **result)
{
    cn_member *me = call->client->member, *who = me;
    bool on;
    CN_TRY(cn_json_bool(call->params, "on", true, &on, &call->problem));
    const json_t *other = json_object_get(call->params, "participant");
    if (other && !json_is_null(other)) CN_TRY(need_participant(call, &who));
    if (who != me) {
        if (on) return cn_problem_set(&call->problem, CN_ERR_INVALID, "on", "only one's own hand can be raised");
        CN_TRY(cn_need_host(call, "room.hand"));
    }
    if (on != (who->hand_ms != 0)) {
        cn_hall *hall = me->hall;
        int64_t now = cn_wall_ms();
        if (on) hall->hand_last_ms = now > hall->hand_last_ms ? now : hall->hand_last_ms + 1;
        who->hand_ms = on ? hall->hand_last_ms : 0;
        char key[CN_NOTICE_KEY];
        cn_hall_notice(hall, NULL, "room.hand",
                       json_pack("{s:s, s:o, s:s}", "participant", who->id, "at",
                                 on ? json_integer(who->hand_ms) : json_null(), "by", me->id),
                       cn_notice_key(key, 'h', who));
        if (who != me) cn_host_audit(call, "room.hand", "ok", who, "\"on\":false");
    }
    *result = json_pack("{s:o}", "at", who->hand_ms ? json_integer(who->hand_ms) : json_null());
    return CN_OK;
}

/* ---- mute, ask, remove ---- */

cn_err cn_do_mute(cn_method_call *call, json_t **result)
{
    cn_member *me = call->client->member, *who = NULL;
    cn_source_kind kind;
    bool on;
    char what[64];
    int muted = 0;
    const json_t *participant = json_object_get(call->params, "participant");
    CN_TRY(parse_source(call, &kind));
    CN_TRY(cn_json_bool(call->params, "on", true, &on, &call->problem));
    if (on)
        return cn_problem_set(&call->problem, CN_ERR_INVALID, "on", "nobody is switched on by another: ask (room.ask)");
    if (!participant || !json_is_null(participant)) CN_TRY(need_participant(call, &who));
    CN_TRY(cn_need_host(call, "room.mute"));
    for (cn_member *member = me->hall->members; member; member = member->next) {
        if (member->leaving || (who ? member != who : member == me)) continue;
        muted += member->source[kind].there && member->source[kind].on;
        cn_member_mute(member, kind, me);
    }
    cn_fmt(what, sizeof what, "\"source\":\"%s\",\"muted\":%d", cn_source_name(kind), muted);
    cn_host_audit(call, "room.mute", "ok", who, what);
    *result = json_pack("{s:i}", "muted", muted);
    return CN_OK;
}

cn_err cn_do_ask(cn_method_call *call, json_t **result)
{
    cn_member *who;
    cn_source_kind kind;
    char what[48];
    (void)result;
    CN_TRY(parse_source(call, &kind));
    if (kind != CN_SOURCE_MIC && kind != CN_SOURCE_CAMERA)
        return cn_problem_set(&call->problem, CN_ERR_INVALID, "source", "mic or camera");
    CN_TRY(need_participant(call, &who));
    CN_TRY(cn_need_host(call, "room.ask"));
    if (!who->client) return cn_problem_set(&call->problem, CN_ERR_STATE, "participant", "cannot be asked just now");
    who->source[kind].allowed = true;
    cn_client_notice(who->client, "room.asked",
                     json_pack("{s:s, s:s}", "by", call->client->member->id, "source", cn_source_name(kind)));
    cn_fmt(what, sizeof what, "\"source\":\"%s\"", cn_source_name(kind));
    cn_host_audit(call, "room.ask", "ok", who, what);
    return CN_OK;
}

cn_err cn_do_remove(cn_method_call *call, json_t **result)
{
    cn_member *me = call->client->member, *who;
    (void)result;
    CN_TRY(need_participant(call, &who));
    CN_TRY(cn_need_host(call, "room.remove"));
    if (who == me || who->moderates)
        return cn_problem_set(&call->problem, CN_ERR_STATE, "participant", "a host cannot be removed");
    cn_host_audit(call, "room.remove", "ok", who, NULL);
    cn_gate_left(who, true);
    who->leaving = true;
    cn_client_notice(who->client, "room.left",
                     json_pack("{s:s, s:s, s:s}", "participant", who->id, "cause", "removed", "by", me->id));
    cn_member_detach(who);
    cn_media_leave(call->live->media, who->id, CN_LEAVE_REMOVED);
    return CN_OK;
}

/* ---- places with video ---- */

cn_err cn_do_video(cn_method_call *call, json_t **result)
{
    bool on;
    cn_member *me = call->client->member;
    CN_TRY(cn_json_bool(call->params, "on", true, &on, &call->problem));
    CN_TRY(cn_member_video(me, on));
    *result = json_pack("{s:o}", "limits", cn_member_limits_json(me));
    return CN_OK;
}

/* ---- ceilings ---- */

cn_err cn_do_limit(cn_method_call *call, json_t **result)
{
    cn_member *who;
    const char *name;
    cn_tier tier;
    char what[48];
    (void)result;
    CN_TRY(cn_json_line(call->params, "tier_max", true, 1, 16, &name, &call->problem));
    if (!cn_tier_parse(name, &tier) || tier == CN_TIER_VOICE)
        return cn_problem_set(&call->problem, CN_ERR_INVALID, "tier_max", "sd, hd, super_hd, 2k or 4k");
    CN_TRY(need_participant(call, &who));
    CN_TRY(cn_need_host(call, "room.limit"));
    who->tier_max = tier;
    cn_hall_notice(
        who->hall, NULL, "room.limit",
        json_pack("{s:s, s:s, s:s}", "participant", who->id, "tier_max", name, "by", call->client->member->id), NULL);
    cn_hall_limits(who->hall);
    cn_fmt(what, sizeof what, "\"tier_max\":\"%s\"", name);
    cn_host_audit(call, "room.limit", "ok", who, what);
    return CN_OK;
}
