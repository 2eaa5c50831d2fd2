/* Participants without a WebSocket: devices and encoders (WHIP), plain viewers (WHEP). */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "signaling/door/errand.h"
#include "signaling/live/ending.h"
#include "signaling/live/gate.h"
#include "signaling/live/hall.h"
#include "signaling/live/sources.h"

typedef struct visit {
    cn_errand errand;
    cn_live *live;
    char member[CN_ID_TEXT];
    bool restart;
    cn_guest_fn fn;
    void *arg;
    cn_err err;
    cn_problem problem;
    char *answer;
} visit;

static void answered(cn_errand *errand)
{
    visit *stay = (visit *)errand;
    cn_member *member = cn_member_find(stay->live, stay->member);
    if (stay->err == CN_OK && !member) stay->err = CN_ERR_NOTFOUND;
    if (member && !stay->restart) {
        if (stay->err == CN_OK)
            member->answered = true;
        else
            cn_member_free(member);
    }
    stay->fn(stay->arg, stay->err, &stay->problem, stay->member, stay->answer);
    free(stay->answer);
    free(stay);
}

/* Media's thread. */
static void from_media(void *arg, cn_err err, const cn_problem *problem, const char *answer)
{
    visit *stay = arg;
    stay->err = err;
    if (problem) stay->problem = *problem;
    if (err == CN_OK && !(stay->answer = cn_strdup(answer))) stay->err = CN_ERR_NOMEM;
    cn_errand_return(&stay->errand, stay->live->door, answered);
}

static visit *visit_new(cn_live *live, const char *participant, cn_guest_fn fn, void *arg)
{
    visit *stay = CN_NEW(visit);
    if (!stay) return NULL;
    stay->live = live;
    stay->fn = fn;
    stay->arg = arg;
    cn_strcpy(stay->member, sizeof stay->member, participant);
    return stay;
}

/* Bit per kind. */
static unsigned kinds_of(cn_source_kind picture, const cn_offer_look *offer)
{
    unsigned mask = 0;
    for (size_t i = 0; i < offer->count; i++)
        if (offer->sections[i].sends) mask |= 1u << (offer->sections[i].video ? picture : CN_SOURCE_MIC);
    return mask;
}

static void publish(cn_member *member, cn_source_kind picture, const cn_offer_look *offer)
{
    for (size_t i = 0; i < offer->count; i++) {
        const cn_offer_section *found = &offer->sections[i];
        cn_source_kind kind = found->video ? picture : CN_SOURCE_MIC;
        if (found->sends && !member->source[kind].there)
            member->source[kind] = (cn_published){.there = true, .on = true, .rids = found->rids};
    }
}

/* An encoder's picture is what it came for: without a place for it there is none for its voice either. */
static cn_err admit(cn_member **out, cn_hall *hall, const cn_offer_look *offer, cn_problem *problem)
{
    bool video = cn_offer_has_video(offer);
    cn_err err = cn_member_new(out, hall, video);
    if (err == CN_OK && video && !(*out)->may_video) {
        cn_member_free(*out);
        *out = NULL;
        err = CN_ERR_FULL;
    }
    if (err == CN_ERR_FULL) (void)cn_problem_set(problem, err, "room", "the room is full: its limit is reached");
    return err;
}

/* A token is leave to enter, also where others wait; not into a locked room, and not right after being removed. */
static cn_err judge(cn_live *live, const cn_guest *guest, cn_problem *problem)
{
    uint64_t wait_ms = 0;
    if (!cn_ending_may_enter(live, guest->room))
        return cn_problem_set(problem, CN_ERR_STATE, "room", "this room is closed");
    switch (cn_gate_judge(live, guest->room, guest->token_hash, false, &wait_ms)) {
    case CN_GATE_LOCKED: return cn_problem_set(problem, CN_ERR_STATE, "room", "this room is locked");
    case CN_GATE_REMOVED: return cn_problem_set(problem, CN_ERR_STATE, "room", "a host removed this participant");
    default: return CN_OK;
    }
}

/* A token that got about does not fill the room. Who is lost already is followed by the one that comes back. */
static cn_err within_bound(const cn_hall *hall, const cn_guest *guest, cn_problem *problem)
{
    int64_t here = 0;
    for (const cn_member *member = hall->members; member; member = member->next)
        here += !member->leaving && !member->lost && strcmp(member->token_hash, guest->token_hash) == 0;
    if (here < guest->sessions) return CN_OK;
    return cn_problem_set(problem, CN_ERR_STATE, "Authorization",
                          "this token is in use by %lld already, as many as it may", (long long)here);
}

static void recall(cn_member *member)
{
    const cn_pass *pass = cn_gate_pass(member->hall->live, member->hall->id, member->token_hash);
    if (pass) member->tier_max = pass->tier_max;
}

void cn_live_guest_join(cn_live *live, const cn_guest *guest, cn_guest_fn fn, void *arg)
{
    cn_member *member = NULL;
    cn_problem problem = {0};
    bool open = live->media && !live->closing;
    cn_err err = open ? judge(live, guest, &problem) : CN_ERR_CLOSED;
    const cn_hall *there = cn_hall_find(live, guest->room->id);
    if (err == CN_OK && there) err = within_bound(there, guest, &problem);
    cn_hall *hall = err == CN_OK ? cn_hall_open(live, guest->room) : NULL;
    cn_offer_look published; /* none of a viewer */
    published.count = 0;
    if (guest->publish) cn_media_offer_look(guest->offer, &published);
    if (hall) cn_gate_device_back(hall, guest->token_hash, kinds_of(guest->source, &published));
    if (err == CN_OK) err = hall ? admit(&member, hall, &published, &problem) : CN_ERR_NOMEM;
    visit *stay = err == CN_OK ? visit_new(live, member->id, fn, arg) : NULL;
    if (!stay) {
        if (member) cn_member_free(member);
        fn(arg, err == CN_OK ? CN_ERR_NOMEM : err, &problem, NULL, NULL);
        return;
    }
    member->kind = guest->publish ? "device" : "bot";
    member->role = guest->publish ? "device" : "viewer";
    member->name = cn_strdup(guest->publish ? "Device" : "Viewer");
    cn_strcpy(member->token_hash, sizeof member->token_hash, guest->token_hash);
    publish(member, guest->source, &published);
    recall(member);
    const cn_media_join join = {.room = hall->id,
                                .codec = hall->settings.codec,
                                .participant = member->id,
                                .kind = guest->publish ? CN_PEER_WHIP : CN_PEER_WHEP,
                                .may_publish_audio = guest->publish,
                                .may_publish_video = guest->publish && member->may_video,
                                .offer = guest->offer,
                                .whip_source = guest->source,
                                .only = guest->only};
    cn_media_join_room(live->media, &join, from_media, stay);
    cn_member_show(member);
}

cn_err cn_live_guest_check(cn_live *live, const char *room, const char *participant, const char *token_hash)
{
    const cn_member *member = cn_member_find(live, participant);
    if (!live->media || !member || member->leaving || strcmp(member->hall->id, room) != 0 || !*member->token_hash)
        return CN_ERR_NOTFOUND;
    return cn_equal_ct(member->token_hash, token_hash, 64) ? CN_OK : CN_ERR_NOTFOUND;
}

cn_guest_ice *cn_live_guest_ice(cn_live *live, const char *participant)
{
    cn_member *member = cn_member_find(live, participant);
    return member ? &member->ice : NULL;
}

void cn_live_guest_restart(cn_live *live, const char *participant, const char *fragment, cn_guest_fn fn, void *arg)
{
    visit *stay = visit_new(live, participant, fn, arg);
    if (!stay) {
        fn(arg, CN_ERR_NOMEM, NULL, NULL, NULL);
        return;
    }
    stay->restart = true;
    cn_media_ice_restart(live->media, stay->member, fragment, from_media, stay);
}

void cn_live_guest_leave(cn_live *live, const char *participant)
{
    cn_member *member = cn_member_find(live, participant);
    if (!member || member->leaving) return;
    member->leaving = true;
    cn_media_leave(live->media, member->id, CN_LEAVE_ASKED);
}

const char *cn_live_codec(const cn_live *live, const cn_room_info *room)
{
    return *room->settings.codec ? room->settings.codec : live->config.codec;
}

json_t *cn_live_participants(cn_live *live, const char *room)
{
    json_t *out = json_array();
    const cn_hall *hall = cn_hall_find(live, room);
    for (const cn_member *member = hall ? hall->members : NULL; member; member = member->next)
        if (member->connected && !member->leaving) json_array_append_new(out, cn_member_json(member));
    return out;
}
