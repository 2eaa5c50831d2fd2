/* room.join and room.offer: the check on a job thread, the offer to media, the answer back. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "signaling/live/live_private.h"
#include "signaling/live/sdp_scan.h"

#define OFFER_MAX (200 * 1024)
#define SECTIONS_MAX 128

/* One join or re-offer under way. */
typedef struct passage {
    cn_live *live;
    cn_door_call call;
    uint64_t serial; /* of the client */
    json_t *id;      /* of the call; NULL for none */
    cn_actor actor;
    char room[64], member[CN_ID_TEXT], resume[CN_SESSION_TOKEN];
    bool reoffer, taken_over;
    char *offer;
    cn_section *sections;
    size_t section_count;
    /* what the job found */
    cn_err err;
    cn_room_info info;
    json_t *user;
    /* what media said */
    cn_problem problem;
    char *answer;
} passage;

static void passage_free(passage *p)
{
    json_decref(p->id);
    json_decref(p->user);
    free(p->offer);
    free(p->sections);
    free(p->answer);
    cn_free_secret(p, sizeof *p);
}

static cn_err parse_sections(const json_t *params, passage *p, cn_problem *problem)
{
    json_t *sections, *what;
    const char *mid;
    CN_TRY(cn_json_obj(params, "sections", true, &sections, problem));
    if (json_object_size(sections) == 0 || json_object_size(sections) > SECTIONS_MAX)
        return cn_problem_set(problem, CN_ERR_INVALID, "sections", "1 to %d entries", SECTIONS_MAX);
    p->sections = cn_calloc(json_object_size(sections), sizeof *p->sections);
    if (!p->sections) return CN_ERR_NOMEM;
    json_object_foreach(sections, mid, what)
    {
        cn_section *s = &p->sections[p->section_count];
        const char *name = json_string_value(what);
        s->source = name ? cn_source_parse(name) : CN_SOURCE_NONE;
        if (!name || (s->source == CN_SOURCE_NONE && strcmp(name, "slot") != 0))
            return cn_problem_set(problem, CN_ERR_INVALID, "sections", "each is mic, camera, screen, device or slot");
        if (!*mid || !cn_strcpy(s->mid, sizeof s->mid, mid))
            return cn_problem_set(problem, CN_ERR_INVALID, "sections", "a mid is empty or too long");
        p->section_count++;
    }
    return CN_OK;
}

/* SDP has line ends, which the usual reader of texts does not let pass. */
static cn_err parse_offer(const json_t *params, passage *p, cn_problem *problem)
{
    const json_t *offer = json_object_get(params, "offer");
    size_t n = json_string_length(offer);
    if (!json_is_string(offer) || n == 0 || n > OFFER_MAX || strlen(json_string_value(offer)) != n)
        return cn_problem_set(problem, CN_ERR_INVALID, "offer", "must be an SDP text of at most %d bytes", OFFER_MAX);
    p->offer = cn_strdup(json_string_value(offer));
    return p->offer ? CN_OK : CN_ERR_NOMEM;
}

static cn_err passage_new(passage **out, cn_method_call *m)
{
    passage *p = CN_NEW(passage);
    if (!p) return CN_ERR_NOMEM;
    p->live = m->live;
    p->serial = m->client->serial;
    p->actor = m->client->actor;
    p->id = json_incref(m->id);
    cn_err err = parse_offer(m->params, p, &m->problem);
    if (err == CN_OK) err = parse_sections(m->params, p, &m->problem);
    if (err != CN_OK) {
        passage_free(p);
        return err;
    }
    *out = p;
    return CN_OK;
}

static void end_passage(passage *p, cn_client *c)
{
    if (c && !p->reoffer) c->joining = false;
    passage_free(p);
}

static void refuse(passage *p, cn_client *c, cn_err err, const cn_problem *problem)
{
    if (c && p->id) {
        if (err == CN_ERR_FULL)
            cn_client_send(c, cn_rpc_refusal(p->id, CN_RPC_ROOM_FULL, "room_full", "the room's limit is reached"));
        else
            cn_client_refuse(c, p->id, err, problem);
    }
    end_passage(p, c);
}

/* ---- back from media ---- */

static json_t *join_result(const passage *p, const cn_member *me)
{
    const cn_hall *h = me->hall;
    json_t *others = json_array();
    for (const cn_member *m = h->members; m; m = m->next)
        if (m != me && m->connected && !m->leaving) json_array_append_new(others, cn_member_json(m));
    return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "participant", me->id, "resume",
                     me->resume, "answer", p->answer, "self", cn_member_json(me), "participants", others, "speaker",
                     *h->speaker ? json_string(h->speaker) : json_null(), "view", cn_hall_view_json(h), "ice_servers",
                     cn_turn_servers(p->live->app->turn, me->user, cn_wall_ms() / 1000), "limits",
                     cn_member_limits_json(me), "settings", cn_hall_settings_json(h), "knocks",
                     cn_member_is_host(me) ? cn_gate_knocks_json(h) : json_array());
}

static void media_refused(passage *p, cn_client *c)
{
    cn_member *m = cn_member_find(p->live, p->member);
    bool sdp = p->err == CN_ERR_INVALID || p->err == CN_ERR_PARSE || p->err == CN_ERR_UNSUPPORTED;
    if (m && p->taken_over) {
        /* the client comes anew, with another PeerConnection */
        cn_member_detach(m);
        m->leaving = true;
        if (p->live->media) cn_media_leave(p->live->media, m->id, CN_LEAVE_REMOVED);
    } else if (m && !p->reoffer) {
        cn_member_free(m); /* media never knew this participant: no event will take it away */
    }
    if (c && p->id && sdp) {
        cn_client_send(c, cn_rpc_refusal(p->id, CN_RPC_BAD_SDP, "bad_sdp",
                                         *p->problem.detail ? p->problem.detail : cn_err_text(p->err)));
        end_passage(p, c);
    } else {
        refuse(p, c, p->err, &p->problem);
    }
}

static void media_answered(void *arg)
{
    passage *p = arg;
    cn_live *l = p->live;
    cn_client *c = cn_client_find(l, p->serial);
    cn_member *m = cn_member_find(l, p->member);
    if (p->err != CN_OK) {
        media_refused(p, c);
        return;
    }
    if (!m || !c || c->member != m) {
        /* the client went away meanwhile; whoever has come with `resume` since keeps the participant */
        if (m && !m->client && !p->reoffer && !p->taken_over && l->media)
            cn_media_leave(l->media, m->id, CN_LEAVE_CLOSED);
        if (m) m->answered = true;
        refuse(p, c, CN_ERR_NOTFOUND, NULL);
        return;
    }
    m->answered = true;
    m->quality_known = m->quality_known && p->reoffer;
    cn_member_sources(m, p->offer, p->sections, p->section_count, m->connected);
    cn_member_hold_sources(m);
    if (p->id) cn_client_answer(c, p->id, p->reoffer ? json_pack("{s:s}", "answer", p->answer) : join_result(p, m));
    end_passage(p, c);
}

/* Media's thread. */
static void from_media(void *arg, cn_err err, const cn_problem *problem, const char *answer)
{
    passage *p = arg;
    p->err = err;
    if (problem) p->problem = *problem;
    if (err == CN_OK && !(p->answer = cn_strdup(answer))) p->err = CN_ERR_NOMEM;
    p->call = (cn_door_call){.fn = media_answered, .arg = p};
    cn_door_post(p->live->door, &p->call);
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

static char *text_of(const json_t *o, const char *key, const char *inner)
{
    const json_t *v = json_object_get(o, key);
    if (inner) v = json_object_get(v, inner);
    return cn_strdup(json_is_string(v) ? json_string_value(v) : "");
}

/* True when the door is closed to him, which he was told. */
static bool kept_out(passage *p, cn_client *c)
{
    static const char *const details[] = {[CN_GATE_LOBBY] = "wait until a host lets you in",
                                          [CN_GATE_LOCKED] = "a host has locked this room",
                                          [CN_GATE_REMOVED] = "a host has removed you from this room"};
    static const char *const reasons[] = {
        [CN_GATE_LOBBY] = "lobby", [CN_GATE_LOCKED] = "locked", [CN_GATE_REMOVED] = "removed"};
    uint64_t wait_ms = 0;
    bool host = cn_gate_would_host(p->live, &p->info, &p->actor);
    cn_gate gate = cn_gate_judge(p->live, &p->info, p->actor.user, host, &wait_ms);
    if (gate == CN_GATE_OPEN) return false;
    if (gate != CN_GATE_LOCKED) cn_gate_knock(c, &p->info, p->user, gate == CN_GATE_REMOVED);
    json_t *data = json_pack("{s:s, s:s}", "reason", reasons[gate], "detail", details[gate]);
    if (wait_ms) json_object_set_new(data, "retry_ms", json_integer((json_int_t)wait_ms));
    if (p->id) cn_client_send(c, cn_rpc_error(p->id, CN_RPC_DOOR, details[gate], data));
    end_passage(p, c);
    return true;
}

static void enter_new(passage *p, cn_client *c)
{
    cn_live *l = p->live;
    if (kept_out(p, c)) return;
    cn_gate_forget(c);
    cn_hall *h = cn_hall_open(l, &p->info);
    cn_member *m = NULL;
    cn_err err = h ? cn_member_new(&m, h, cn_offer_has_video(p->offer)) : CN_ERR_NOMEM;
    if (err != CN_OK) {
        refuse(p, c, err, NULL);
        return;
    }
    cn_strcpy(m->user, sizeof m->user, p->actor.user);
    cn_strcpy(m->hospital, sizeof m->hospital, p->actor.hospital);
    m->name = text_of(p->user, "name", NULL);
    m->title = text_of(p->user, "title", NULL);
    m->hospital_name = text_of(p->user, "hospital", "name");
    m->role = role_of(p->info.parts);
    m->leads = (p->info.parts & CN_PART_LEAD) != 0;
    m->refers = (p->info.parts & CN_PART_REFERRER) != 0;
    m->moderates = m->leads || (p->info.parts & CN_PART_REVIEWER) || cn_actor_may(&p->actor, CN_RIGHT_ROOM_MODERATE);
    const cn_pass *pass = cn_gate_pass(l, h->id, m->user);
    if (pass) m->tier_max = pass->tier_max;
    m->client = c;
    c->member = m;
    cn_strcpy(p->member, sizeof p->member, m->id);
    cn_member_sources(m, p->offer, p->sections, p->section_count, false);
    const cn_media_join join = {.room = h->id,
                                .codec = h->settings.codec,
                                .participant = p->member,
                                .kind = CN_PEER_APP,
                                .may_publish_audio = true,
                                .may_publish_video = m->may_video,
                                .offer = p->offer,
                                .sections = p->sections,
                                .section_count = p->section_count};
    cn_media_join_room(l->media, &join, from_media, p);
    cn_member_hold_sources(m);
}

static cn_member *find_resumable(const passage *p)
{
    cn_hall *h = cn_hall_find(p->live, p->info.id);
    size_t n = strlen(p->resume);
    for (cn_member *m = h ? h->members : NULL; m; m = m->next)
        if (!m->leaving && strcmp(m->user, p->actor.user) == 0 && strlen(m->resume) == n && n &&
            cn_equal_ct(m->resume, p->resume, n))
            return m;
    return NULL;
}

static bool offers_new_video(const passage *p, const cn_member *m)
{
    cn_sdp_section found[CN_SDP_SCAN_MAX];
    size_t n = cn_sdp_scan(p->offer, found, CN_SDP_SCAN_MAX);
    for (size_t i = 0; i < p->section_count; i++)
        for (size_t k = 0; k < n; k++)
            if (found[k].video && found[k].sends && strcmp(found[k].mid, p->sections[i].mid) == 0 &&
                p->sections[i].source != CN_SOURCE_NONE && !m->source[p->sections[i].source].there)
                return true;
    return false;
}

/* A picture that is new in the offer takes a place with video; without one it is off. What is
 * off here is off in media before the first packet of a section that the offer makes anew. */
static void reoffer(passage *p, cn_member *m)
{
    if (!m->may_video && offers_new_video(p, m)) (void)cn_member_video(m, true);
    cn_media_reoffer(p->live->media, m->id, p->offer, p->sections, p->section_count, from_media, p);
    cn_member_hold_sources(m);
}

static void take_over(passage *p, cn_client *c, cn_member *m)
{
    if (m->client && m->client != c) {
        cn_client *old = m->client;
        cn_client_notice(old, "room.replaced", json_object());
        cn_member_detach(m);
    }
    m->client = c;
    m->away_ms = 0;
    c->member = m;
    p->taken_over = true;
    cn_strcpy(p->member, sizeof p->member, m->id);
    reoffer(p, m);
}

static void checked(void *arg)
{
    passage *p = arg;
    cn_client *c = cn_client_find(p->live, p->serial);
    if (!c || c->state != CN_CLIENT_KNOWN || p->live->closing) {
        end_passage(p, c);
        return;
    }
    if (p->err != CN_OK) {
        refuse(p, c, p->err, &p->problem);
        return;
    }
    if (*p->resume) {
        cn_member *m = find_resumable(p);
        if (m)
            take_over(p, c, m);
        else
            refuse(p, c, cn_problem_set(&p->problem, CN_ERR_NOTFOUND, "resume", "this participant is gone"),
                   &p->problem);
        return;
    }
    enter_new(p, c);
}

/* Job thread. */
static void check(void *arg)
{
    passage *p = arg;
    cn_consult *c = &p->live->app->consult;
    p->err = cn_room_get(c, &p->actor, p->room, &p->info);
    if (p->err == CN_OK && !(p->info.parts & ~(uint32_t)CN_PART_READER)) p->err = CN_ERR_FORBIDDEN;
    if (p->err == CN_OK && !p->info.open)
        p->err = cn_problem_set(&p->problem, CN_ERR_STATE, "room", "this room is closed");
    if (p->err == CN_OK) p->err = cn_user_json(c, p->actor.user, &p->user);
    char object[80];
    cn_fmt(object, sizeof object, "room:%s", p->room);
    if (p->err == CN_OK)
        cn_audit_note(c, &p->actor, "room.join", object, "ok", *p->resume ? "{\"resume\":true}" : "{}");
    else if (p->err == CN_ERR_FORBIDDEN || p->err == CN_ERR_NOTFOUND)
        cn_audit_note(c, &p->actor, "room.join", object, "denied", "{}");
    p->call = (cn_door_call){.fn = checked, .arg = p};
    cn_door_post(p->live->door, &p->call);
}

/* ---- methods ---- */

static bool room_name_valid(const char *s)
{
    return s[strspn(s, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_")] == '\0';
}

cn_err cn_do_join(cn_method_call *m, json_t **result)
{
    passage *p = NULL;
    const char *room, *device = "desktop", *resume = "";
    (void)result;
    CN_TRY(cn_json_str(m->params, "room", true, 1, 63, &room, &m->problem));
    CN_TRY(cn_json_str(m->params, "device", false, 1, 16, &device, &m->problem));
    CN_TRY(cn_json_str(m->params, "resume", false, 0, CN_SESSION_TOKEN - 1, &resume, &m->problem));
    if (strcmp(device, "desktop") != 0 && strcmp(device, "phone") != 0)
        return cn_problem_set(&m->problem, CN_ERR_INVALID, "device", "desktop or phone");
    if (!room_name_valid(room)) return cn_problem_set(&m->problem, CN_ERR_NOTFOUND, "room", "no such room");
    if (m->client->joining) return cn_problem_set(&m->problem, CN_ERR_STATE, "", "another join is under way");
    CN_TRY(passage_new(&p, m));
    cn_do_leave(m, NULL); /* who joins anew has given his old place up */
    cn_strcpy(p->room, sizeof p->room, room);
    cn_strcpy(p->resume, sizeof p->resume, resume);
    cn_err err = cn_jobs_add(m->live->app->db_jobs, check, p);
    if (err != CN_OK) {
        passage_free(p);
        return CN_ERR_AGAIN;
    }
    m->client->joining = true;
    return CN_ANSWERS_ITSELF;
}

cn_err cn_do_offer(cn_method_call *m, json_t **result)
{
    passage *p = NULL;
    (void)result;
    CN_TRY(passage_new(&p, m));
    p->reoffer = true;
    cn_strcpy(p->member, sizeof p->member, m->client->member->id);
    reoffer(p, m->client->member);
    return CN_ANSWERS_ITSELF;
}
