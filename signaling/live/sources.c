/* A participant's sources: published, on or off, with a place for his picture, under a ceiling. */
#include "signaling/live/sources.h"

#include <string.h>

#include "signaling/live/client.h"
#include "signaling/live/hall.h"

/* Of a source only the newest state waits for a slow reader. */
static const char *source_key(char key[CN_NOTICE_KEY], const cn_member *member, cn_source_kind kind)
{
    return cn_notice_key(key, (char)('0' + kind), member);
}

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
    char key[CN_NOTICE_KEY];
    cn_hall_notice(member->hall, by ? NULL : member, "room.source", params, source_key(key, member, kind));
    if (!is_picture(kind) || on) return;
    for (int k = CN_SOURCE_CAMERA; k < CN_SOURCES; k++)
        if (member->source[k].there && member->source[k].on) return;
    (void)cn_member_video(member, false); /* nothing of his is to be seen: the place is another's */
}

void cn_member_mute(cn_member *member, cn_source_kind kind, const cn_member *by)
{
    cn_published *publication = &member->source[kind];
    publication->held = true;
    publication->allowed = false;
    if (publication->there && publication->on) cn_member_switch(member, kind, false, by);
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

static bool starts_on(const cn_member *member, cn_source_kind kind)
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
        if (!(member->source[i].there ? member->source[i].on : starts_on(member, kind)))
            cn_media_source_set(media, member->id, kind, false);
    }
}

/* ---- what an offer publishes ---- */

static void tell_source(cn_member *member, cn_source_kind kind)
{
    const cn_published *publication = &member->source[kind];
    char key[CN_NOTICE_KEY];
    cn_hall_notice(member->hall, member, "room.source",
                   json_pack("{s:s, s:s, s:o}", "participant", member->id, "source", cn_source_name(kind), "on",
                             publication->there ? json_boolean(publication->on) : json_null()),
                   source_key(key, member, kind));
}

bool cn_offer_has_video(const cn_offer_look *offer)
{
    for (size_t i = 0; i < offer->count; i++)
        if (offer->sections[i].video && offer->sections[i].sends) return true;
    return false;
}

/* A source that was there stays as it was; a new one is on where its owner may switch it on. */
static cn_published published(const cn_member *member, cn_source_kind kind, unsigned rids)
{
    cn_published publication = member->source[kind];
    if (!publication.there) publication.on = starts_on(member, kind);
    publication.there = true;
    publication.rids = rids;
    return publication;
}

void cn_member_sources(cn_member *member, const cn_offer_look *offer, const cn_section *sections, size_t count,
                       bool tell)
{
    cn_published now[CN_SOURCES];
    for (int k = 0; k < CN_SOURCES; k++) {
        now[k] = member->source[k];
        now[k].there = now[k].on = false;
    }
    for (size_t i = 0; i < count; i++) {
        if (sections[i].source == CN_SOURCE_NONE) continue;
        for (size_t k = 0; k < offer->count; k++) {
            const cn_offer_section *found = &offer->sections[k];
            if (strcmp(found->mid, sections[i].mid) != 0 || !found->sends) continue;
            now[sections[i].source] = published(member, sections[i].source, found->rids);
        }
    }
    for (int k = CN_SOURCE_MIC; k < CN_SOURCES; k++) {
        bool changed = now[k].there != member->source[k].there;
        member->source[k] = now[k];
        if (changed && tell) tell_source(member, (cn_source_kind)k);
    }
}

/* ---- places with video ---- */

cn_err cn_member_video(cn_member *member, bool on)
{
    cn_live *live = member->hall->live;
    if (member->may_video == on) return CN_OK;
    if (on && !cn_hall_video_free(member->hall)) return CN_ERR_FULL;
    member->may_video = on;
    if (live->media && member->answered) cn_media_permit(live->media, member->id, true, on);
    for (int k = CN_SOURCE_CAMERA; !on && k < CN_SOURCES; k++)
        if (member->source[k].there && member->source[k].on) cn_member_switch(member, (cn_source_kind)k, false, NULL);
    char key[CN_NOTICE_KEY];
    cn_hall_notice(member->hall, NULL, "room.video", json_pack("{s:s, s:b}", "participant", member->id, "on", on),
                   cn_notice_key(key, 'v', member));
    return CN_OK;
}

/* ---- ceilings ---- */

/* The smaller of the room's and the participant's ceiling. */
static cn_tier ceiling_of(const cn_member *member)
{
    return member->tier_max < member->hall->tier_max ? member->tier_max : member->hall->tier_max;
}

json_t *cn_member_limits_json(const cn_member *member)
{
    const cn_live_config *config = &member->hall->live->config;
    return json_pack("{s:i, s:s, s:b, s:I, s:I}", "video_slots", 30, "tier_max", cn_tier_name(ceiling_of(member)),
                     "may_video", member->may_video, "video_max", (json_int_t)config->video_max, "voice_max",
                     (json_int_t)config->voice_max);
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
    cn_tier own = ceiling_of(member), tier = member->want_tier < own ? member->want_tier : own;
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
