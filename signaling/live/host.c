/* What hosts may do with those in their room, raised hands, places with video, ceilings. Who is host: docs/protocol.md.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "signaling/live/live_private.h"

/* ---- who is host ---- */

bool cn_member_is_host(const cn_member *m)
{
    if (m->leaving) return false;
    if (m->moderates || !m->refers) return m->moderates;
    for (const cn_member *o = m->hall->members; o; o = o->next)
        if (o->leads && o->connected && !o->leaving) return false;
    return true;
}

void cn_hall_hosts(cn_hall *h)
{
    bool changed = false;
    json_t *hosts = json_array();
    for (cn_member *m = h->members; m; m = m->next) {
        bool host = cn_member_is_host(m);
        if (host && m->connected) json_array_append_new(hosts, json_string(m->id));
        if (host == m->host_told) continue;
        changed = true;
        m->host_told = host;
        if (host && m->client && m->answered) cn_gate_tell_knocks(h, m);
    }
    if (changed)
        cn_hall_notice(h, NULL, "room.hosts", json_pack("{s:o}", "hosts", hosts), NULL);
    else
        json_decref(hosts);
}

void cn_hall_tell_hosts(cn_hall *h, const char *method, json_t *params)
{
    for (cn_member *m = h->members; m; m = m->next)
        if (m->client && m->answered && cn_member_is_host(m)) cn_client_notice(m->client, method, json_incref(params));
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
    note *n = arg;
    cn_audit_note(n->consult, &n->actor, n->action, n->object, n->outcome, n->detail);
    free(n);
}

void cn_host_audit(cn_method_call *m, const char *action, const char *outcome, const cn_member *participant,
                   const char *what)
{
    note *n = CN_NEW(note);
    if (!n) return;
    n->consult = &m->live->app->consult;
    n->actor = m->client->actor;
    n->action = action;
    n->outcome = outcome;
    const char *comma = participant && what && *what ? "," : "";
    cn_fmt(n->object, sizeof n->object, "room:%s", m->client->member->hall->id);
    if (participant)
        cn_fmt(n->detail, sizeof n->detail, "{\"participant\":\"%s\",\"user\":\"%s\"%s%s}", participant->id,
               participant->user, comma, what ? what : "");
    else
        cn_fmt(n->detail, sizeof n->detail, "{%s}", what ? what : "");
    if (cn_jobs_add(m->live->app->db_jobs, write_note, n) != CN_OK) free(n);
}

cn_err cn_need_host(cn_method_call *m, const char *action)
{
    if (cn_member_is_host(m->client->member)) return CN_OK;
    cn_host_audit(m, action, "denied", NULL, NULL);
    return cn_problem_set(&m->problem, CN_ERR_FORBIDDEN, "", "only a host of this room may do that");
}

/* Somebody who is in the caller's room. */
static cn_err need_participant(cn_method_call *m, cn_member **out)
{
    const char *id;
    CN_TRY(cn_json_str(m->params, "participant", true, 1, CN_ID_TEXT - 1, &id, &m->problem));
    cn_member *other = cn_member_find(m->live, id);
    if (!other || other->leaving || other->hall != m->client->member->hall)
        return cn_problem_set(&m->problem, CN_ERR_NOTFOUND, "participant", "nobody of this name is in the room");
    *out = other;
    return CN_OK;
}

static cn_err parse_source(cn_method_call *m, cn_source_kind *out)
{
    const char *name;
    CN_TRY(cn_json_str(m->params, "source", true, 1, 16, &name, &m->problem));
    *out = cn_source_parse(name);
    if (*out == CN_SOURCE_NONE)
        return cn_problem_set(&m->problem, CN_ERR_INVALID, "source", "mic, camera, screen or device");
    return CN_OK;
}

/* ---- raised hands ---- */

cn_err cn_do_hand(cn_method_call *m, json_t **result)
{
    cn_member *me = m->client->member, *who = me;
    bool on;
    CN_TRY(cn_json_bool(m->params, "on", true, &on, &m->problem));
    const json_t *other = json_object_get(m->params, "participant");
    if (other && !json_is_null(other)) CN_TRY(need_participant(m, &who));
    if (who != me) {
        if (on) return cn_problem_set(&m->problem, CN_ERR_INVALID, "on", "only one's own hand can be raised");
        CN_TRY(cn_need_host(m, "room.hand"));
    }
    if (on != (who->hand_ms != 0)) {
        cn_hall *h = me->hall;
        int64_t now = cn_wall_ms();
        if (on) h->hand_last_ms = now > h->hand_last_ms ? now : h->hand_last_ms + 1;
        who->hand_ms = on ? h->hand_last_ms : 0;
        cn_hall_notice(h, NULL, "room.hand",
                       json_pack("{s:s, s:o, s:s}", "participant", who->id, "at",
                                 on ? json_integer(who->hand_ms) : json_null(), "by", me->id),
                       NULL);
        if (who != me) cn_host_audit(m, "room.hand", "ok", who, "\"on\":false");
    }
    *result = json_pack("{s:o}", "at", who->hand_ms ? json_integer(who->hand_ms) : json_null());
    return CN_OK;
}

/* ---- mute, ask, remove ---- */

static bool is_picture(cn_source_kind kind)
{
    return kind != CN_SOURCE_MIC && kind != CN_SOURCE_NONE;
}

void cn_member_switch(cn_member *m, cn_source_kind kind, bool on, const cn_member *by)
{
    cn_published *s = &m->source[kind];
    s->on = on;
    if (on) s->held = false;
    cn_media_source_set(m->hall->live->media, m->id, kind, on);
    json_t *params = json_pack("{s:s, s:s, s:b}", "participant", m->id, "source", cn_source_name(kind), "on", on);
    if (by && params) json_object_set_new(params, "by", json_string(by->id));
    cn_hall_notice(m->hall, by ? NULL : m, "room.source", params, NULL);
    if (!is_picture(kind) || on) return;
    for (int k = CN_SOURCE_CAMERA; k < CN_SOURCES; k++)
        if (m->source[k].there && m->source[k].on) return;
    (void)cn_member_video(m, false); /* nothing of his is to be seen: the place is another's */
}

static void mute(cn_member *m, cn_source_kind kind, const cn_member *by)
{
    cn_published *s = &m->source[kind];
    s->held = true;
    s->allowed = false;
    if (s->there && s->on) cn_member_switch(m, kind, false, by);
}

cn_err cn_do_mute(cn_method_call *m, json_t **result)
{
    cn_member *me = m->client->member, *who = NULL;
    cn_source_kind kind;
    bool on;
    char what[64];
    int muted = 0;
    const json_t *participant = json_object_get(m->params, "participant");
    CN_TRY(parse_source(m, &kind));
    CN_TRY(cn_json_bool(m->params, "on", true, &on, &m->problem));
    if (on)
        return cn_problem_set(&m->problem, CN_ERR_INVALID, "on", "nobody is switched on by another: ask (room.ask)");
    if (!participant || !json_is_null(participant)) CN_TRY(need_participant(m, &who));
    CN_TRY(cn_need_host(m, "room.mute"));
    for (cn_member *o = me->hall->members; o; o = o->next) {
        if (o->leaving || (who ? o != who : o == me)) continue;
        muted += o->source[kind].there && o->source[kind].on;
        mute(o, kind, me);
    }
    cn_fmt(what, sizeof what, "\"source\":\"%s\",\"muted\":%d", cn_source_name(kind), muted);
    cn_host_audit(m, "room.mute", "ok", who, what);
    *result = json_pack("{s:i}", "muted", muted);
    return CN_OK;
}

cn_err cn_member_may_unmute(const cn_member *m, cn_source_kind kind, cn_problem *p)
{
    const cn_published *s = &m->source[kind];
    bool left_to_host = strcmp(m->hall->settings.unmute, "host") == 0 && (kind == CN_SOURCE_MIC || s->held);
    if (!left_to_host || s->allowed || !*m->user || cn_member_is_host(m)) return CN_OK;
    return cn_problem_set(p, CN_ERR_FORBIDDEN, "source",
                          "a host of this room decides who is switched on: raise a hand");
}

bool cn_member_starts_on(const cn_member *m, cn_source_kind kind)
{
    cn_problem p;
    if (is_picture(kind) && !m->may_video) return false;
    return !m->source[kind].held && cn_member_may_unmute(m, kind, &p) == CN_OK;
}

void cn_member_hold_sources(cn_member *m)
{
    cn_media *media = m->hall->live->media;
    for (int i = CN_SOURCE_MIC; media && i < CN_SOURCES; i++) {
        cn_source_kind kind = (cn_source_kind)i;
        if (!(m->source[i].there ? m->source[i].on : cn_member_starts_on(m, kind)))
            cn_media_source_set(media, m->id, kind, false);
    }
}

cn_err cn_do_ask(cn_method_call *m, json_t **result)
{
    cn_member *who;
    cn_source_kind kind;
    char what[48];
    (void)result;
    CN_TRY(parse_source(m, &kind));
    if (kind != CN_SOURCE_MIC && kind != CN_SOURCE_CAMERA)
        return cn_problem_set(&m->problem, CN_ERR_INVALID, "source", "mic or camera");
    CN_TRY(need_participant(m, &who));
    CN_TRY(cn_need_host(m, "room.ask"));
    if (!who->client) return cn_problem_set(&m->problem, CN_ERR_STATE, "participant", "cannot be asked just now");
    who->source[kind].allowed = true;
    cn_client_notice(who->client, "room.asked",
                     json_pack("{s:s, s:s}", "by", m->client->member->id, "source", cn_source_name(kind)));
    cn_fmt(what, sizeof what, "\"source\":\"%s\"", cn_source_name(kind));
    cn_host_audit(m, "room.ask", "ok", who, what);
    return CN_OK;
}

cn_err cn_do_remove(cn_method_call *m, json_t **result)
{
    cn_member *me = m->client->member, *who;
    (void)result;
    CN_TRY(need_participant(m, &who));
    CN_TRY(cn_need_host(m, "room.remove"));
    if (who == me || who->moderates)
        return cn_problem_set(&m->problem, CN_ERR_STATE, "participant", "a host cannot be removed");
    cn_host_audit(m, "room.remove", "ok", who, NULL);
    cn_gate_left(who, true);
    who->leaving = true;
    cn_client_notice(who->client, "room.left",
                     json_pack("{s:s, s:s, s:s}", "participant", who->id, "cause", "removed", "by", me->id));
    cn_member_detach(who);
    cn_media_leave(m->live->media, who->id, CN_LEAVE_REMOVED);
    return CN_OK;
}

/* ---- places with video ---- */

cn_err cn_member_video(cn_member *m, bool on)
{
    cn_live *l = m->hall->live;
    if (m->may_video == on) return CN_OK;
    if (on) {
        int64_t taken = 0;
        for (const cn_member *o = m->hall->members; o; o = o->next) taken += o->may_video && !o->leaving;
        if (taken >= cn_config_int(l->app->config, "media", "room_video_max")) return CN_ERR_FULL;
    }
    m->may_video = on;
    if (l->media && m->answered) cn_media_permit(l->media, m->id, true, on);
    for (int k = CN_SOURCE_CAMERA; !on && k < CN_SOURCES; k++)
        if (m->source[k].there && m->source[k].on) cn_member_switch(m, (cn_source_kind)k, false, NULL);
    cn_hall_notice(m->hall, NULL, "room.video", json_pack("{s:s, s:b}", "participant", m->id, "on", on), NULL);
    return CN_OK;
}

cn_err cn_do_video(cn_method_call *m, json_t **result)
{
    bool on;
    cn_member *me = m->client->member;
    CN_TRY(cn_json_bool(m->params, "on", true, &on, &m->problem));
    CN_TRY(cn_member_video(me, on));
    *result = json_pack("{s:o}", "limits", cn_member_limits_json(me));
    return CN_OK;
}

/* ---- ceilings ---- */

cn_tier cn_member_tier(const cn_member *m)
{
    return m->tier_max < m->hall->tier_max ? m->tier_max : m->hall->tier_max;
}

json_t *cn_member_limits_json(const cn_member *m)
{
    const cn_config *config = m->hall->live->app->config;
    return json_pack("{s:i, s:s, s:b, s:I, s:I}", "video_slots", 30, "tier_max", cn_live_tier_name(cn_member_tier(m)),
                     "may_video", m->may_video, "video_max",
                     (json_int_t)cn_config_int(config, "media", "room_video_max"), "voice_max",
                     (json_int_t)cn_config_int(config, "media", "room_voice_max"));
}

/* Whoever sends under a ceiling is asked for no more than that; a single layer above it is the publisher's to lower. */
static void clamp(cn_slot_want *w, cn_tier tier)
{
    static const struct {
        unsigned width, height;
    } boxes[] = {[CN_TIER_SD] = {640, 360},
                 [CN_TIER_HD] = {1280, 720},
                 [CN_TIER_SUPER_HD] = {1920, 1080},
                 [CN_TIER_2K] = {2560, 1440}};
    if (tier <= CN_TIER_VOICE || tier >= CN_TIER_4K) return;
    if (!w->width || w->width > boxes[tier].width) w->width = boxes[tier].width;
    if (!w->height || w->height > boxes[tier].height) w->height = boxes[tier].height;
}

void cn_member_show(cn_member *m)
{
    cn_slot_want wants[CN_MEDIA_SLOTS];
    cn_tier own = cn_member_tier(m), tier = m->want_tier < own ? m->want_tier : own;
    for (size_t i = 0; i < m->want_count; i++) {
        wants[i] = m->wants[i];
        const cn_member *from = *wants[i].participant ? cn_member_find(m->hall->live, wants[i].participant) : NULL;
        if (from && from->hall == m->hall) clamp(&wants[i], from->tier_max);
    }
    cn_media_show(m->hall->live->media, m->id, wants, m->want_count, tier);
}

void cn_hall_limits(cn_hall *h)
{
    for (cn_member *m = h->members; m; m = m->next) {
        if (m->leaving) continue;
        cn_member_show(m);
        if (m->client && m->answered) cn_client_notice(m->client, "room.limits", cn_member_limits_json(m));
    }
}

cn_err cn_do_limit(cn_method_call *m, json_t **result)
{
    cn_member *who;
    const char *name;
    cn_tier tier;
    char what[48];
    (void)result;
    CN_TRY(cn_json_str(m->params, "tier_max", true, 1, 16, &name, &m->problem));
    if (!cn_live_tier_parse(name, &tier) || tier == CN_TIER_VOICE)
        return cn_problem_set(&m->problem, CN_ERR_INVALID, "tier_max", "sd, hd, super_hd, 2k or 4k");
    CN_TRY(need_participant(m, &who));
    CN_TRY(cn_need_host(m, "room.limit"));
    who->tier_max = tier;
    cn_hall_notice(who->hall, NULL, "room.limit",
                   json_pack("{s:s, s:s, s:s}", "participant", who->id, "tier_max", name, "by", m->client->member->id),
                   NULL);
    cn_hall_limits(who->hall);
    cn_fmt(what, sizeof what, "\"tier_max\":\"%s\"", name);
    cn_host_audit(m, "room.limit", "ok", who, what);
    return CN_OK;
}
