/* Rooms in use and who is in them. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "signaling/live/live_private.h"

static size_t bucket_of(const char *id)
{
    return cn_hash(id) % CN_BUCKETS;
}

cn_hall *cn_hall_find(cn_live *live, const char *id)
{
    for (cn_hall *hall = live->halls; hall; hall = hall->next)
        if (strcmp(hall->id, id) == 0) return hall;
    return NULL;
}

cn_hall *cn_hall_open(cn_live *live, const cn_room_info *room)
{
    cn_hall *hall = cn_hall_find(live, room->id);
    if (hall) return hall;
    hall = CN_NEW(cn_hall);
    if (!hall) return NULL;
    hall->live = live;
    cn_strcpy(hall->id, sizeof hall->id, room->id);
    cn_strcpy(hall->request, sizeof hall->request, room->request);
    cn_strcpy(hall->title, sizeof hall->title, room->title);
    cn_hall_set(hall, &room->settings);
    hall->next = live->halls;
    live->halls = hall;
    atomic_fetch_add(&live->rooms, 1);
    return hall;
}

static void hall_free(cn_hall *hall)
{
    for (cn_hall **at = &hall->live->halls; *at; at = &(*at)->next) {
        if (*at != hall) continue;
        *at = hall->next;
        break;
    }
    atomic_fetch_sub(&hall->live->rooms, 1);
    cn_hall_view_close(hall);
    free(hall);
}

cn_member *cn_member_find(cn_live *live, const char *id)
{
    for (cn_member *member = live->buckets[bucket_of(id)]; member; member = member->bucket_next)
        if (strcmp(member->id, id) == 0) return member;
    return NULL;
}

cn_err cn_member_new(cn_member **out, cn_hall *hall, bool wants_video)
{
    const cn_config *config = hall->live->app->config;
    int64_t video = 0, voice = 0;
    for (const cn_member *member = hall->members; member; member = member->next)
        *(member->may_video ? &video : &voice) += 1;
    bool may_video = wants_video && video < cn_config_int(config, "media", "room_video_max");
    if (!may_video && voice >= cn_config_int(config, "media", "room_voice_max")) {
        if (!hall->members) hall_free(hall);
        return CN_ERR_FULL;
    }
    cn_member *member = CN_NEW(cn_member);
    if (!member) {
        if (!hall->members) hall_free(hall);
        return CN_ERR_NOMEM;
    }
    cn_id_new(member->id);
    cn_token_new(member->resume, 192);
    member->hall = hall;
    member->may_video = may_video;
    member->tier_max = member->want_tier = CN_TIER_4K;
    member->quality.mark = 4;
    member->since_ms = cn_mono_ms();
    member->role = "";
    member->kind = "person";
    member->next = hall->members;
    hall->members = member;
    cn_member **bucket = &hall->live->buckets[bucket_of(member->id)];
    member->bucket_next = *bucket;
    *bucket = member;
    atomic_fetch_add(&hall->live->participants, 1);
    *out = member;
    return CN_OK;
}

void cn_member_free(cn_member *member)
{
    cn_hall *hall = member->hall;
    cn_live *live = hall->live;
    cn_member_detach(member);
    cn_record_left(member);
    hall->gone_in += member->stats.bytes_in;
    hall->gone_out += member->stats.bytes_out;
    for (cn_member **at = &hall->members; *at; at = &(*at)->next) {
        if (*at != member) continue;
        *at = member->next;
        break;
    }
    for (cn_member **at = &live->buckets[bucket_of(member->id)]; *at; at = &(*at)->bucket_next) {
        if (*at != member) continue;
        *at = member->bucket_next;
        break;
    }
    atomic_fetch_sub(&live->participants, 1);
    free(member->wants);
    free(member->name);
    free(member->title);
    free(member->hospital_name);
    cn_free_secret(member, sizeof *member);
    if (!hall->members) hall_free(hall);
}

void cn_member_detach(cn_member *member)
{
    if (!member->client) return;
    member->client->member = NULL;
    member->client = NULL;
    member->away_ms = cn_mono_ms();
}

json_t *cn_member_json(const cn_member *member)
{
    json_t *sources = json_object();
    for (int k = CN_SOURCE_MIC; k < CN_SOURCES; k++)
        if (member->source[k].there)
            json_object_set_new(sources, cn_source_name((cn_source_kind)k), json_boolean(member->source[k].on));
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:i, s:b, s:b, s:s, s:o}", "id", member->id, "user",
                     member->user, "name", member->name ? member->name : "", "title",
                     member->title ? member->title : "", "hospital", member->hospital_name ? member->hospital_name : "",
                     "role", member->role, "kind", member->kind, "sources", sources, "quality", member->quality.mark,
                     "host", cn_member_is_host(member), "video", member->may_video, "tier_max",
                     cn_tier_name(member->tier_max), "hand",
                     member->hand_ms ? json_integer(member->hand_ms) : json_null());
}

void cn_hall_notice(cn_hall *hall, const cn_member *except, const char *method, json_t *params, const char *key)
{
    json_t *message = cn_rpc_notice(method, params);
    char *text = message ? json_dumps(message, JSON_COMPACT) : NULL;
    size_t n = text ? strlen(text) : 0;
    for (cn_member *member = hall->members; text && member; member = member->next)
        if (member != except && member->client && member->answered) cn_ws_send_text(member->client->ws, text, n, key);
    free(text);
    json_decref(message);
}

static void tell_source(cn_member *member, cn_source_kind kind)
{
    const cn_published *publication = &member->source[kind];
    cn_hall_notice(member->hall, member, "room.source",
                   json_pack("{s:s, s:s, s:o}", "participant", member->id, "source", cn_source_name(kind), "on",
                             publication->there ? json_boolean(publication->on) : json_null()),
                   NULL);
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
    if (!publication.there) publication.on = cn_member_starts_on(member, kind);
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
