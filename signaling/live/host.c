/* What hosts may do with those in their room, raised hands, places with video, ceilings. Who is host: docs/protocol.md.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "signaling/live/live_private.h"

/* ---- who is host ---- */

bool cn_member_is_host(const cn_member *member)
{
    if (member->leaving) return false;
    if (member->moderates || !member->refers) return member->moderates;
    for (const cn_member *o = member->hall->members; o; o = o->next)
        if (o->leads && o->connected && !o->leaving) return false;
    return true;
}

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

void cn_hall_tell_hosts(cn_hall *hall, const char *method, json_t *params)
{
    for (cn_member *member = hall->members; member; member = member->next)
        if (member->client && member->answered && cn_member_is_host(member))
            cn_client_notice(member->client, method, json_incref(params));
    json_decref(params);
}

/* ---- the audit log: written on a job thread ---- */

typedef struct note {
    cn_consult *consult;
    cn_actor actor;
    const char *action, *outcome; /* static texts */
    char object[80], detail[256];
} note;

static void write_note(void *arg)
{
    note *noted = arg;
    cn_audit_note(noted->consult, &noted->actor, noted->action, noted->object, noted->outcome, noted->detail);
    free(noted);
}

void cn_host_audit(cn_method_call *call, const char *action, const char *outcome, const cn_member *participant,
                   const char *what)
{
    note *noted = CN_NEW(note);
    if (!noted) return;
    noted->consult = &call->live->app->consult;
    noted->actor = call->client->actor;
    noted->action = action;
    noted->outcome = outcome;
    const char *comma = participant && what && *what ? "," : "";
    cn_fmt(noted->object, sizeof noted->object, "room:%s", call->client->member->hall->id);
    if (participant)
        cn_fmt(noted->detail, sizeof noted->detail, "{\"participant\":\"%s\",\"user\":\"%s\"%s%s}", participant->id,
               participant->user, comma, what ? what : "");
    else
        cn_fmt(noted->detail, sizeof noted->detail, "{%s}", what ? what : "");
    if (cn_jobs_add(call->live->app->db_jobs, write_note, noted) != CN_OK) free(noted);
}

cn_err cn_need_host(cn_method_call *call, const char *action)
{
    if (cn_member_is_host(call->client->member)) return CN_OK;
    cn_host_audit(call, action, "denied", NULL, NULL);
    return cn_problem_set(&call->problem, CN_ERR_FORBIDDEN, "", "only a host of this room may do that");
}

/* Somebody who is in the caller's room. */
static cn_err need_participant(cn_method_call *call, cn_member **out)
{
    const char *id;
    CN_TRY(cn_json_str(call->params, "participant", true, 1, CN_ID_TEXT - 1, &id, &call->problem));
    cn_member *other = cn_member_find(call->live, id);
    if (!other || other->leaving || other->hall != call->client->member->hall)
        return cn_problem_set(&call->problem, CN_ERR_NOTFOUND, "participant", "nobody of this name is in the room");
    *out = other;
    return CN_OK;
}

static cn_err parse_source(cn_method_call *call, cn_source_kind *out)
{
    const char *name;
    CN_TRY(cn_json_str(call->params, "source", true, 1, 16, &name, &call->problem));
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
        cn_hall_notice(hall, NULL, "room.hand",
                       json_pack("{s:s, s:o, s:s}", "participant", who->id, "at",
                                 on ? json_integer(who->hand_ms) : json_null(), "by", me->id),
                       NULL);
        if (who != me) cn_host_audit(call, "room.hand", "ok", who, "\"on\":false");
    }
    *result = json_pack("{s:o}", "at", who->hand_ms ? json_integer(who->hand_ms) : json_null());
    return CN_OK;
}

/* ---- mute, ask, remove ---- */

static bool is_picture(cn_source_kind kind)
{
    return kind != CN_SOURCE_MIC && kind != CN_SOURCE_NONE;
}

void cn_member_switch(cn_member *member, cn_source_kind kind, bool on, const cn_member *by)
{
    cn_published *publication = &member->source[kind];
    publication->on = on;
    if (on) publication->held = false;
    cn_media_source_set(member->hall->live->media, member->id, kind, on);
    json_t *params = json_pack("{s:s, s:s, s:b}", "participant", member->id, "source", cn_source_name(kind), "on", on);
    if (by && params) json_object_set_new(params, "by", json_string(by->id));
    cn_hall_notice(member->hall, by ? NULL : member, "room.source", params, NULL);
    if (!is_picture(kind) || on) return;
    for (int k = CN_SOURCE_CAMERA; k < CN_SOURCES; k++)
        if (member->source[k].there && member->source[k].on) return;
    (void)cn_member_video(member, false); /* nothing of his is to be seen: the place is another's */
}

static void mute(cn_member *member, cn_source_kind kind, const cn_member *by)
{
    cn_published *publication = &member->source[kind];
    publication->held = true;
    publication->allowed = false;
    if (publication->there && publication->on) cn_member_switch(member, kind, false, by);
}

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
        mute(member, kind, me);
    }
    cn_fmt(what, sizeof what, "\"source\":\"%s\",\"muted\":%d", cn_source_name(kind), muted);
    cn_host_audit(call, "room.mute", "ok", who, what);
    *result = json_pack("{s:i}", "muted", muted);
    return CN_OK;
}

cn_err cn_member_may_unmute(const cn_member *member, cn_source_kind kind, cn_problem *problem)
{
    const cn_published *publication = &member->source[kind];
    bool left_to_host =
        strcmp(member->hall->settings.unmute, "host") == 0 && (kind == CN_SOURCE_MIC || publication->held);
    if (!left_to_host || publication->allowed || !*member->user || cn_member_is_host(member)) return CN_OK;
    return cn_problem_set(problem, CN_ERR_FORBIDDEN, "source",
                          "a host of this room decides who is switched on: raise a hand");
}

bool cn_member_starts_on(const cn_member *member, cn_source_kind kind)
{
    cn_problem problem;
    if (is_picture(kind) && !member->may_video) return false;
    return !member->source[kind].held && cn_member_may_unmute(member, kind, &problem) == CN_OK;
}

void cn_member_hold_sources(cn_member *member)
{
    cn_media *media = member->hall->live->media;
    for (int i = CN_SOURCE_MIC; media && i < CN_SOURCES; i++) {
        cn_source_kind kind = (cn_source_kind)i;
        if (!(member->source[i].there ? member->source[i].on : cn_member_starts_on(member, kind)))
            cn_media_source_set(media, member->id, kind, false);
    }
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

cn_err cn_member_video(cn_member *member, bool on)
{
    cn_live *live = member->hall->live;
    if (member->may_video == on) return CN_OK;
    if (on) {
        int64_t taken = 0;
        for (const cn_member *o = member->hall->members; o; o = o->next) taken += o->may_video && !o->leaving;
        if (taken >= cn_config_int(live->app->config, "media", "room_video_max")) return CN_ERR_FULL;
    }
    member->may_video = on;
    if (live->media && member->answered) cn_media_permit(live->media, member->id, true, on);
    for (int k = CN_SOURCE_CAMERA; !on && k < CN_SOURCES; k++)
        if (member->source[k].there && member->source[k].on) cn_member_switch(member, (cn_source_kind)k, false, NULL);
    cn_hall_notice(member->hall, NULL, "room.video", json_pack("{s:s, s:b}", "participant", member->id, "on", on),
                   NULL);
    return CN_OK;
}

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

cn_tier cn_member_tier(const cn_member *member)
{
    return member->tier_max < member->hall->tier_max ? member->tier_max : member->hall->tier_max;
}

json_t *cn_member_limits_json(const cn_member *member)
{
    const cn_config *config = member->hall->live->app->config;
    return json_pack("{s:i, s:s, s:b, s:I, s:I}", "video_slots", 30, "tier_max", cn_tier_name(cn_member_tier(member)),
                     "may_video", member->may_video, "video_max",
                     (json_int_t)cn_config_int(config, "media", "room_video_max"), "voice_max",
                     (json_int_t)cn_config_int(config, "media", "room_voice_max"));
}

/* Whoever sends under a ceiling is asked for no more than that; a single layer above it is the publisher's to lower. */
static void clamp(cn_slot_want *want, cn_tier tier)
{
    static const struct {
        unsigned width, height;
    } boxes[] = {[CN_TIER_SD] = {640, 360},
                 [CN_TIER_HD] = {1280, 720},
                 [CN_TIER_SUPER_HD] = {1920, 1080},
                 [CN_TIER_2K] = {2560, 1440}};
    if (tier <= CN_TIER_VOICE || tier >= CN_TIER_4K) return;
    if (!want->width || want->width > boxes[tier].width) want->width = boxes[tier].width;
    if (!want->height || want->height > boxes[tier].height) want->height = boxes[tier].height;
}

void cn_member_show(cn_member *member)
{
    cn_slot_want wants[CN_MEDIA_SLOTS];
    cn_tier own = cn_member_tier(member), tier = member->want_tier < own ? member->want_tier : own;
    for (size_t i = 0; i < member->want_count; i++) {
        wants[i] = member->wants[i];
        const cn_member *from = *wants[i].participant ? cn_member_find(member->hall->live, wants[i].participant) : NULL;
        if (from && from->hall == member->hall) clamp(&wants[i], from->tier_max);
    }
    cn_media_show(member->hall->live->media, member->id, wants, member->want_count, tier);
}

void cn_hall_limits(cn_hall *hall)
{
    for (cn_member *member = hall->members; member; member = member->next) {
        if (member->leaving) continue;
        cn_member_show(member);
        if (member->client && member->answered)
            cn_client_notice(member->client, "room.limits", cn_member_limits_json(member));
    }
}

cn_err cn_do_limit(cn_method_call *call, json_t **result)
{
    cn_member *who;
    const char *name;
    cn_tier tier;
    char what[48];
    (void)result;
    CN_TRY(cn_json_str(call->params, "tier_max", true, 1, 16, &name, &call->problem));
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
