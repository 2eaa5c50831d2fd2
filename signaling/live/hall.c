/* Rooms in use and who is in them. */
#include "signaling/live/hall.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "signaling/live/client.h"
#include "signaling/live/rpc.h"

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
    hall->scheduled = room->scheduled;
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

static const char *owner_of(const cn_member *member)
{
    return *member->token_hash ? member->token_hash : member->user;
}

/* Who has not connected yet holds one place of a kind, however often he joins. */
static bool holds_place(const cn_hall *hall, const cn_member *member)
{
    if (member->leaving || member->connected) return !member->leaving;
    for (const cn_member *o = hall->members; o != member; o = o->next)
        if (!o->leaving && !o->connected && o->may_video == member->may_video &&
            strcmp(owner_of(o), owner_of(member)) == 0)
            return false;
    return true;
}

static int64_t taken(const cn_hall *hall, bool video)
{
    int64_t n = 0;
    for (const cn_member *member = hall->members; member; member = member->next)
        n += member->may_video == video && holds_place(hall, member);
    return n;
}

bool cn_hall_video_free(const cn_hall *hall)
{
    return taken(hall, true) < hall->live->config.video_max;
}

bool cn_hall_overfull(const cn_hall *hall, bool video)
{
    const cn_live_config *config = &hall->live->config;
    return taken(hall, video) > (video ? config->video_max : config->voice_max);
}

cn_err cn_member_new(cn_member **out, cn_hall *hall, bool wants_video)
{
    bool may_video = wants_video && cn_hall_video_free(hall);
    if (!may_video && taken(hall, false) >= hall->live->config.voice_max) {
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

const char *cn_notice_key(char key[CN_NOTICE_KEY], char what, const cn_member *member)
{
    cn_fmt(key, CN_NOTICE_KEY, "%c/%s", what, member->id);
    return key;
}

void cn_hall_notice(cn_hall *hall, const cn_member *except, const char *method, json_t *params, const char *key)
{
    json_t *message = cn_rpc_notice(method, params);
    CN_AUTO_UNREF cn_ws_text *text = cn_ws_text_new(message);
    for (cn_member *member = hall->members; text && member; member = member->next)
        if (member != except && member->client && member->answered) cn_ws_send_text(member->client->ws, text, key);
    json_decref(message);
}

/* ---- what is told of a room ---- */

bool cn_member_is_host(const cn_member *member)
{
    if (member->leaving) return false;
    if (member->moderates || !member->refers) return member->moderates;
    for (const cn_member *o = member->hall->members; o; o = o->next)
        if (o->leads && o->connected && !o->leaving) return false;
    return true;
}

void cn_hall_tell_hosts(cn_hall *hall, const char *method, json_t *params)
{
    for (cn_member *member = hall->members; member; member = member->next)
        if (member->client && member->answered && cn_member_is_host(member))
            cn_client_notice(member->client, method, json_incref(params));
    json_decref(params);
}

json_t *cn_hall_view_json(const cn_hall *hall)
{
    if (!*hall->file) return json_null();
    json_t *object =
        json_pack("{s:s, s:s, s:s, s:i, s:o, s:o, s:o}", "file", hall->file, "name",
                  hall->file_name ? hall->file_name : "", "kind", hall->kind, "page", hall->page, "presenter",
                  *hall->presenter ? json_string(hall->presenter) : json_null(), "pointers",
                  cn_board_pointers_json(&hall->board), "strokes", cn_board_strokes_json(&hall->board, cn_mono_ms()));
    if (object) json_object_set(object, "state", hall->state ? hall->state : json_null());
    return object;
}

json_t *cn_hall_lasts_json(const cn_hall *hall)
{
    int64_t lasts = (int64_t)cn_mono_ms() - hall->begun_ms;
    return hall->begun ? json_integer(lasts > 0 ? lasts : 0) : json_null();
}

void cn_hall_begin(cn_hall *hall, int64_t ago_ms)
{
    if (hall->begun) return;
    hall->begun = true;
    hall->begun_ms = (int64_t)cn_mono_ms() - (ago_ms > 0 ? ago_ms : 0);
    cn_hall_notice(hall, NULL, "room.begun", json_pack("{s:o}", "lasts_ms", cn_hall_lasts_json(hall)), NULL);
}

void cn_hall_view_close(cn_hall *hall)
{
    json_decref(hall->state);
    json_decref(hall->drawn);
    hall->state = hall->drawn = NULL;
    cn_board_wipe(&hall->board);
    free(hall->file_name);
    hall->file_name = NULL;
    *hall->file = *hall->presenter = '\0';
}

/* ---- settings ---- */

json_t *cn_settings_json(const cn_live *live, const cn_room_settings *settings)
{
    return json_pack("{s:b, s:b, s:s, s:s, s:s}", "locked", settings->locked, "lobby", settings->lobby, "unmute",
                     settings->unmute, "tier_max", settings->tier_max, "codec",
                     *settings->codec ? settings->codec : live->config.codec);
}

json_t *cn_hall_settings_json(const cn_hall *hall)
{
    return cn_settings_json(hall->live, &hall->settings);
}

void cn_hall_set(cn_hall *hall, const cn_room_settings *settings)
{
    hall->settings = *settings;
    hall->tier_max = CN_TIER_4K;
    (void)cn_tier_parse(settings->tier_max, &hall->tier_max);
    /* a room without a codec of its own has that of the configuration */
    if (!*settings->codec) cn_strcpy(hall->settings.codec, sizeof hall->settings.codec, hall->live->config.codec);
}
