/* Participants without a WebSocket: devices and encoders (WHIP), plain viewers (WHEP). */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "signaling/live/live_private.h"
#include "signaling/live/sdp_scan.h"

typedef struct visit {
    cn_live *live;
    cn_door_call call;
    char member[CN_ID_TEXT];
    bool restart;
    cn_guest_fn fn;
    void *arg;
    cn_err err;
    cn_problem problem;
    char *answer;
} visit;

static void answered(void *arg)
{
    visit *v = arg;
    cn_member *m = cn_member_find(v->live, v->member);
    if (v->err == CN_OK && !m) v->err = CN_ERR_NOTFOUND;
    if (m && !v->restart) {
        if (v->err == CN_OK)
            m->answered = true;
        else
            cn_member_free(m);
    }
    v->fn(v->arg, v->err, &v->problem, v->member, v->answer);
    free(v->answer);
    free(v);
}

/* Media's thread. */
static void from_media(void *arg, cn_err err, const cn_problem *p, const char *answer)
{
    visit *v = arg;
    v->err = err;
    if (p) v->problem = *p;
    if (err == CN_OK && !(v->answer = cn_strdup(answer))) v->err = CN_ERR_NOMEM;
    v->call = (cn_door_call){.fn = answered, .arg = v};
    cn_door_post(v->live->door, &v->call);
}

static visit *visit_new(cn_live *l, const char *participant, cn_guest_fn fn, void *arg)
{
    visit *v = CN_NEW(visit);
    if (!v) return NULL;
    v->live = l;
    v->fn = fn;
    v->arg = arg;
    cn_strcpy(v->member, sizeof v->member, participant);
    return v;
}

static void published(cn_member *m, const cn_guest *g)
{
    cn_sdp_section found[CN_SDP_SCAN_MAX];
    size_t n = g->publish ? cn_sdp_scan(g->offer, found, CN_SDP_SCAN_MAX) : 0;
    for (size_t i = 0; i < n; i++) {
        cn_source_kind kind = found[i].video ? g->source : CN_SOURCE_MIC;
        if (found[i].sends && !m->source[kind].there)
            m->source[kind] = (cn_published){.there = true, .on = true, .rids = found[i].rids};
    }
}

/* An encoder's picture is what it came for: without a place for it there is none for its voice either. */
static cn_err admit(cn_member **out, cn_hall *h, const cn_guest *g, cn_problem *p)
{
    bool video = g->publish && cn_offer_has_video(g->offer);
    cn_err err = cn_member_new(out, h, video);
    if (err == CN_OK && video && !(*out)->may_video) {
        cn_member_free(*out);
        *out = NULL;
        err = CN_ERR_FULL;
    }
    if (err == CN_ERR_FULL) (void)cn_problem_set(p, err, "room", "the room is full: its limit is reached");
    return err;
}

/* A token is leave to enter, also where others wait; not into a locked room, and not right after being removed. */
static cn_err judge(cn_live *l, const cn_guest *g, cn_problem *p)
{
    uint64_t wait_ms = 0;
    switch (cn_gate_judge(l, g->room, g->token_hash, false, &wait_ms)) {
    case CN_GATE_LOCKED: return cn_problem_set(p, CN_ERR_STATE, "room", "this room is locked");
    case CN_GATE_REMOVED: return cn_problem_set(p, CN_ERR_STATE, "room", "a host removed this participant");
    default: return CN_OK;
    }
}

static void recall(cn_member *m)
{
    const cn_pass *pass = cn_gate_pass(m->hall->live, m->hall->id, m->token_hash);
    if (pass) m->tier_max = pass->tier_max;
}

void cn_live_guest_join(cn_live *l, const cn_guest *g, cn_guest_fn fn, void *arg)
{
    cn_member *m = NULL;
    cn_problem problem = {0};
    bool open = l->media && !l->closing;
    cn_err err = open ? judge(l, g, &problem) : CN_ERR_CLOSED;
    cn_hall *h = err == CN_OK ? cn_hall_open(l, g->room) : NULL;
    if (err == CN_OK) err = h ? admit(&m, h, g, &problem) : CN_ERR_NOMEM;
    visit *v = err == CN_OK ? visit_new(l, m->id, fn, arg) : NULL;
    if (!v) {
        if (m) cn_member_free(m);
        fn(arg, err == CN_OK ? CN_ERR_NOMEM : err, &problem, NULL, NULL);
        return;
    }
    m->kind = g->publish ? "device" : "bot";
    m->role = g->publish ? "device" : "viewer";
    m->name = cn_strdup(g->publish ? "Device" : "Viewer");
    cn_strcpy(m->token_hash, sizeof m->token_hash, g->token_hash);
    published(m, g);
    recall(m);
    const cn_media_join join = {.room = h->id,
                                .codec = h->settings.codec,
                                .participant = m->id,
                                .kind = g->publish ? CN_PEER_WHIP : CN_PEER_WHEP,
                                .may_publish_audio = g->publish,
                                .may_publish_video = g->publish && m->may_video,
                                .offer = g->offer,
                                .whip_source = g->source,
                                .only = g->only};
    cn_media_join_room(l->media, &join, from_media, v);
    cn_member_show(m);
}

cn_err cn_live_guest_check(cn_live *l, const char *room, const char *participant, const char *token_hash)
{
    const cn_member *m = cn_member_find(l, participant);
    if (!l->media || !m || m->leaving || strcmp(m->hall->id, room) != 0 || !*m->token_hash) return CN_ERR_NOTFOUND;
    return cn_equal_ct(m->token_hash, token_hash, 64) ? CN_OK : CN_ERR_NOTFOUND;
}

void cn_live_guest_restart(cn_live *l, const char *participant, const char *fragment, cn_guest_fn fn, void *arg)
{
    visit *v = visit_new(l, participant, fn, arg);
    if (!v) {
        fn(arg, CN_ERR_NOMEM, NULL, NULL, NULL);
        return;
    }
    v->restart = true;
    cn_media_ice_restart(l->media, v->member, fragment, from_media, v);
}

void cn_live_guest_leave(cn_live *l, const char *participant)
{
    cn_member *m = cn_member_find(l, participant);
    if (!m || m->leaving) return;
    m->leaving = true;
    cn_media_leave(l->media, m->id, CN_LEAVE_ASKED);
}

const char *cn_live_codec(const cn_live *l, const cn_room_info *room)
{
    return *room->settings.codec ? room->settings.codec : cn_config_str(l->app->config, "media", "codec");
}

json_t *cn_live_participants(cn_live *l, const char *room)
{
    json_t *out = json_array();
    const cn_hall *h = cn_hall_find(l, room);
    for (const cn_member *m = h ? h->members : NULL; m; m = m->next)
        if (m->connected && !m->leaving) json_array_append_new(out, cn_member_json(m));
    return out;
}
