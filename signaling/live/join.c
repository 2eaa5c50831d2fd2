/* room.join and room.offer: the check on a job thread, the offer to media, the answer back. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "signaling/live/begin.h"
#include "signaling/live/client.h"
#include "signaling/live/elsewhere.h"
#include "signaling/live/ending.h"
#include "signaling/live/errand.h"
#include "signaling/live/gate.h"
#include "signaling/live/hall.h"
#include "signaling/live/join.h"
#include "signaling/live/params.h"
#include "signaling/live/rpc.h"
#include "signaling/live/sources.h"
#include "signaling/live/view.h"

/* One join or re-offer under way. */
typedef struct passage {
    cn_call_errand base;
    cn_join_params params; /* of a join only */
    cn_offer_params offered;
    char member[CN_ID_TEXT];
    bool reoffer, taken_over;
    bool farewell;      /* the room says farewell: it may be entered though it is closed */
    cn_offer_look look; /* at the offer */
    /* what the job found */
    cn_room_info info;
    int64_t began_ms; /* wall clock: the consultation; 0: not, as far as is known */
    json_t *user;
    char *answer; /* media's */
} passage;

static void release(cn_call_errand *errand)
{
    passage *path = (passage *)errand;
    json_decref(path->user);
    cn_offer_params_free(&path->offered);
    free(path->answer);
}

static cn_err passage_new(passage **out, cn_method_call *call)
{
    passage *path = cn_call_errand_new(call, sizeof *path, release);
    if (!path) return CN_ERR_NOMEM;
    cn_err err = cn_offer_params_read(call->params, &path->offered, &call->problem);
    if (err != CN_OK) {
        cn_call_errand_free(&path->base);
        return err;
    }
    *out = path;
    return CN_OK;
}

static void end_passage(passage *path, cn_client *client)
{
    if (client && !path->reoffer) client->joining = false;
    cn_call_errand_free(&path->base);
}

static void refuse(passage *path, cn_client *client, cn_err err, const cn_problem *problem)
{
    if (client && path->base.id) {
        if (err == CN_ERR_FULL)
            cn_client_send(client,
                           cn_rpc_refusal(path->base.id, CN_RPC_ROOM_FULL, "room_full", "the room's limit is reached"));
        else
            cn_client_refuse(client, path->base.id, err, problem);
    }
    end_passage(path, client);
}

/* ---- back from media ---- */

static json_t *join_result(const passage *path, const cn_member *me)
{
    const cn_hall *hall = me->hall;
    json_t *others = json_array();
    for (const cn_member *member = hall->members; member; member = member->next)
        if (member != me && member->connected && !member->leaving)
            json_array_append_new(others, cn_member_json(member));
    return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "participant", me->id, "resume",
                     me->resume, "answer", path->answer, "self", cn_member_json(me), "participants", others, "speaker",
                     *hall->speaker ? json_string(hall->speaker) : json_null(), "view", cn_hall_view_json(hall),
                     "ice_servers", cn_turn_servers(path->base.live->config.turn, me->user, cn_wall_ms() / 1000),
                     "limits", cn_member_limits_json(me), "lasts_ms", cn_hall_lasts_json(hall), "settings",
                     cn_hall_settings_json(hall), "knocks",
                     cn_member_is_host(me) ? cn_gate_knocks_json(hall) : json_array());
}

static void media_refused(passage *path, cn_client *client)
{
    cn_member *member = cn_member_find(path->base.live, path->member);
    bool sdp =
        path->base.err == CN_ERR_INVALID || path->base.err == CN_ERR_PARSE || path->base.err == CN_ERR_UNSUPPORTED;
    if (member && path->taken_over) {
        /* the client comes anew, with another PeerConnection */
        cn_member_detach(member);
        member->leaving = true;
        if (path->base.live->media) cn_media_leave(path->base.live->media, member->id, CN_LEAVE_REMOVED);
    } else if (member && !path->reoffer) {
        cn_member_free(member); /* media never knew this participant: no event will take it away */
    }
    if (client && path->base.id && sdp) {
        cn_client_send(client, cn_rpc_refusal(path->base.id, CN_RPC_BAD_SDP, "bad_sdp",
                                              *path->base.problem.detail ? path->base.problem.detail
                                                                         : cn_err_text(path->base.err)));
        end_passage(path, client);
    } else {
        refuse(path, client, path->base.err, &path->base.problem);
    }
}

static void media_answered(cn_call_errand *errand, cn_client *client)
{
    passage *path = (passage *)errand;
    cn_live *live = errand->live;
    cn_member *member = cn_member_find(live, path->member);
    if (path->base.err != CN_OK) {
        media_refused(path, client);
        return;
    }
    if (!member || !client || client->member != member) {
        /* the client went away meanwhile; whoever has come with `resume` since keeps the participant */
        if (member && !member->client && !path->reoffer && !path->taken_over && live->media)
            cn_media_leave(live->media, member->id, CN_LEAVE_CLOSED);
        if (member) member->answered = true;
        refuse(path, client, CN_ERR_NOTFOUND, NULL);
        return;
    }
    member->answered = true;
    member->quality_known = member->quality_known && path->reoffer;
    cn_member_sources(member, &path->look, path->offered.sections, path->offered.count, member->connected);
    cn_member_hold_sources(member);
    if (!path->reoffer) cn_hall_presenter_back(member->hall, member);
    if (path->base.id)
        cn_client_answer(client, path->base.id,
                         path->reoffer ? json_pack("{s:s}", "answer", path->answer) : join_result(path, member));
    if (!path->reoffer) {
        cn_ending_tell(member);
        cn_begin_look(member->hall);
    }
    end_passage(path, client);
}

/* Media's thread. */
static void from_media(void *arg, cn_err err, const cn_problem *problem, const char *answer)
{
    passage *path = arg;
    if (err == CN_OK && !(path->answer = cn_strdup(answer))) err = CN_ERR_NOMEM;
    cn_call_errand_return(&path->base, err, problem, media_answered);
}

/* ---- back from the job ---- */

static const char *role_of(uint32_t parts)
{
    static const struct {
        uint32_t part;
        const char *role;
    } roles[] = {{CN_PART_LEAD, "lead"},
                 {CN_PART_EXPERT, "expert"},
                 {CN_PART_ON_DUTY, "expert"},
                 {CN_PART_REFERRER, "referrer"},
                 {CN_PART_REVIEWER, "admin"}};
    for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
        if (parts & roles[i].part) return roles[i].role;
    return "";
}

static char *text_of(const json_t *object, const char *key, const char *inner)
{
    const json_t *value = json_object_get(object, key);
    if (inner) value = json_object_get(value, inner);
    return cn_strdup(json_is_string(value) ? json_string_value(value) : "");
}

/* True when the door is closed to him, which he was told. */
static bool kept_out(passage *path, cn_client *client)
{
    static const char *const details[] = {[CN_GATE_LOBBY] = "wait until a host lets you in",
                                          [CN_GATE_LOCKED] = "a host has locked this room",
                                          [CN_GATE_REMOVED] = "a host has removed you from this room"};
    static const char *const reasons[] = {
        [CN_GATE_LOBBY] = "lobby", [CN_GATE_LOCKED] = "locked", [CN_GATE_REMOVED] = "removed"};
    uint64_t wait_ms = 0;
    bool host = cn_gate_would_host(path->base.live, &path->info, &path->base.actor);
    cn_gate gate = cn_gate_judge(path->base.live, &path->info, path->base.actor.user, host, &wait_ms);
    if (gate == CN_GATE_OPEN) return false;
    if (gate != CN_GATE_LOCKED) cn_gate_knock(client, &path->info, path->user, gate == CN_GATE_REMOVED);
    json_t *data = json_pack("{s:s, s:s}", "reason", reasons[gate], "detail", details[gate]);
    if (wait_ms) json_object_set_new(data, "retry_ms", json_integer((json_int_t)wait_ms));
    if (path->base.id) cn_client_send(client, cn_rpc_error(path->base.id, CN_RPC_DOOR, details[gate], data));
    end_passage(path, client);
    return true;
}

/* True when he is there elsewhere and asked to be told. */
static bool kept_elsewhere(passage *path, cn_client *client)
{
    static const char detail[] = "this account is in the room with another device or page";
    cn_hall *hall = cn_hall_find(path->base.live, path->info.id);
    const char *user = path->base.actor.user;
    if (!hall || path->params.elsewhere == CN_ELSEWHERE_BESIDE) return false;
    if (path->params.elsewhere == CN_ELSEWHERE_ASK && cn_elsewhere_there(hall, user, path->params.former)) {
        if (path->base.id) cn_client_send(client, cn_rpc_refusal(path->base.id, CN_RPC_DOOR, "elsewhere", detail));
        end_passage(path, client);
        return true;
    }
    cn_elsewhere_give_up(hall, user);
    return false;
}

static void enter_new(passage *path, cn_client *client)
{
    cn_live *live = path->base.live;
    if (kept_out(path, client) || kept_elsewhere(path, client)) return;
    cn_gate_forget(client);
    cn_hall *hall = cn_hall_open(live, &path->info);
    cn_member *member = NULL;
    if (hall && path->began_ms) cn_hall_begin(hall, cn_wall_ms() - path->began_ms);
    if (hall) cn_gate_back(hall, path->base.actor.user);
    cn_err err = hall ? cn_member_new(&member, hall, cn_offer_has_video(&path->look)) : CN_ERR_NOMEM;
    if (err != CN_OK) {
        refuse(path, client, err, NULL);
        return;
    }
    cn_strcpy(member->user, sizeof member->user, path->base.actor.user);
    cn_strcpy(member->hospital, sizeof member->hospital, path->base.actor.hospital);
    member->name = text_of(path->user, "name", NULL);
    member->title = text_of(path->user, "title", NULL);
    member->hospital_name = text_of(path->user, "hospital", "name");
    member->role = role_of(path->info.parts);
    member->leads = (path->info.parts & CN_PART_LEAD) != 0;
    member->consults = (path->info.parts & CN_PART_EXPERT) != 0;
    member->refers = (path->info.parts & CN_PART_REFERRER) != 0;
    member->moderates = member->leads || (path->info.parts & CN_PART_REVIEWER) ||
                        cn_actor_may(&path->base.actor, CN_RIGHT_ROOM_MODERATE);
    const cn_pass *pass = cn_gate_pass(live, hall->id, member->user);
    if (pass) member->tier_max = pass->tier_max;
    member->hand_ms = cn_gate_take_hand(live, hall->id, member->user);
    member->client = client;
    client->member = member;
    cn_strcpy(path->member, sizeof path->member, member->id);
    cn_member_sources(member, &path->look, path->offered.sections, path->offered.count, false);
    const cn_media_join join = {.room = hall->id,
                                .codec = hall->settings.codec,
                                .participant = path->member,
                                .kind = CN_PEER_APP,
                                .may_publish_audio = true,
                                .may_publish_video = member->may_video,
                                .offer = path->offered.sdp,
                                .sections = path->offered.sections,
                                .section_count = path->offered.count};
    cn_media_join_room(live->media, &join, from_media, path);
    cn_member_hold_sources(member);
}

static cn_member *find_resumable(const passage *path)
{
    cn_hall *hall = cn_hall_find(path->base.live, path->info.id);
    size_t n = strlen(path->params.resume);
    for (cn_member *member = hall ? hall->members : NULL; member; member = member->next)
        if (!member->leaving && strcmp(member->user, path->base.actor.user) == 0 && strlen(member->resume) == n && n &&
            cn_equal_ct(member->resume, path->params.resume, n))
            return member;
    return NULL;
}

static bool offers_new_video(const passage *path, const cn_member *member)
{
    for (size_t i = 0; i < path->offered.count; i++)
        for (size_t k = 0; k < path->look.count; k++) {
            const cn_offer_section *found = &path->look.sections[k];
            if (found->video && found->sends && strcmp(found->mid, path->offered.sections[i].mid) == 0 &&
                path->offered.sections[i].source != CN_SOURCE_NONE &&
                !member->source[path->offered.sections[i].source].there)
                return true;
        }
    return false;
}

/* A picture that is new in the offer takes a place with video; without one it is off. What is
 * off here is off in media before the first packet of a section that the offer makes anew. */
static void reoffer(passage *path, cn_member *member)
{
    if (!member->may_video && offers_new_video(path, member)) (void)cn_member_video(member, true);
    cn_media_reoffer(path->base.live->media, member->id, path->offered.sdp, path->offered.sections, path->offered.count,
                     from_media, path);
    cn_member_hold_sources(member);
}

static void take_over(passage *path, cn_client *client, cn_member *member)
{
    if (member->client && member->client != client) {
        cn_client *old = member->client;
        cn_client_notice(old, "room.replaced", json_object());
        cn_member_detach(member);
    }
    member->client = client;
    member->away_ms = 0;
    client->member = member;
    path->taken_over = true;
    cn_strcpy(path->member, sizeof path->member, member->id);
    reoffer(path, member);
}

static void checked(cn_call_errand *errand, cn_client *client)
{
    passage *path = (passage *)errand;
    if (!client || client->state != CN_CLIENT_KNOWN || path->base.live->closing) {
        end_passage(path, client);
        return;
    }
    if (path->base.err != CN_OK) {
        refuse(path, client, path->base.err, &path->base.problem);
        return;
    }
    if (!cn_ending_may_enter(errand->live, &path->info)) {
        refuse(path, client, cn_problem_set(&errand->problem, CN_ERR_STATE, "room", "this room is closed"),
               &errand->problem);
        return;
    }
    if (*path->params.resume) {
        cn_member *member = find_resumable(path);
        if (member)
            take_over(path, client, member);
        else
            refuse(path, client,
                   cn_problem_set(&path->base.problem, CN_ERR_NOTFOUND, "resume", "this participant is gone"),
                   &path->base.problem);
        return;
    }
    enter_new(path, client);
}

/* As they are now: what the login remembers may be some seconds old, and who was just put out would be in again. */
static cn_err take_rights(cn_consult *consult, cn_actor *actor)
{
    cn_actor now;
    CN_TRY(cn_actor_load(consult, actor->user, &now));
    cn_strcpy(now.address, sizeof now.address, actor->address);
    *actor = now;
    return CN_OK;
}

/* Job thread. */
static cn_err check(cn_call_errand *errand)
{
    passage *path = (passage *)errand;
    cn_consult *consult = errand->live->config.consult;
    cn_err err = take_rights(consult, &errand->actor);
    if (err == CN_OK) err = cn_room_get(consult, &errand->actor, path->params.room, &path->info);
    if (err == CN_OK && !(path->info.parts & ~(uint32_t)CN_PART_READER)) err = CN_ERR_FORBIDDEN;
    if (err == CN_OK && !path->info.open && !path->farewell)
        err = cn_problem_set(&errand->problem, CN_ERR_STATE, "room", "this room is closed");
    if (err == CN_OK) err = cn_user_json(consult, errand->actor.user, &path->user);
    if (err == CN_OK && *path->info.request)
        err = cn_room_began(consult, path->info.request, cn_wall_ms(), &path->began_ms);
    if (err == CN_OK) cn_media_offer_look(path->offered.sdp, &path->look);
    char object[80];
    cn_fmt(object, sizeof object, "room:%s", path->params.room);
    if (err == CN_OK)
        cn_audit_note(consult, &errand->actor, "room.join", object, "ok",
                      *path->params.resume ? "{\"resume\":true}" : "{}");
    else if (err == CN_ERR_FORBIDDEN || err == CN_ERR_NOTFOUND)
        cn_audit_note(consult, &errand->actor, "room.join", object, "denied", "{}");
    return err;
}

/* ---- methods ---- */

cn_err cn_do_join(cn_method_call *call, json_t **result)
{
    passage *path = NULL;
    cn_join_params params;
    (void)result;
    CN_TRY(cn_join_params_read(call->params, &params, &call->problem));
    if (call->client->joining) return cn_problem_set(&call->problem, CN_ERR_STATE, "", "another join is under way");
    CN_TRY(passage_new(&path, call));
    cn_do_leave(call, NULL); /* who joins anew has given his old place up */
    path->params = params;
    path->farewell = cn_ending_farewell(call->live, params.room);
    cn_err err = cn_call_errand_go(&path->base, check, checked);
    call->client->joining = err == CN_ANSWERS_ITSELF;
    return err;
}

cn_err cn_do_offer(cn_method_call *call, json_t **result)
{
    passage *path = NULL;
    (void)result;
    CN_TRY(passage_new(&path, call));
    path->reoffer = true;
    cn_media_offer_look(path->offered.sdp, &path->look);
    cn_strcpy(path->member, sizeof path->member, call->client->member->id);
    reoffer(path, call->client->member);
    return CN_ANSWERS_ITSELF;
}

cn_err cn_do_leave(cn_method_call *call, json_t **result)
{
    cn_member *me = call->client->member;
    (void)result;
    cn_gate_forget(call->client);
    if (!me) return CN_OK;
    cn_gate_left(me, false);
    me->leaving = true;
    cn_member_detach(me);
    cn_media_leave(call->live->media, me->id, CN_LEAVE_ASKED);
    return CN_OK;
}
