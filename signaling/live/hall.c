/* Rooms in use and who is in them. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "signaling/live/live_private.h"
#include "signaling/live/sdp_scan.h"

static size_t bucket_of(const char *id)
{
    uint64_t h = 14695981039346656037u;
    for (; *id; id++) h = (h ^ (unsigned char)*id) * 1099511628211u;
    return h % CN_BUCKETS;
}

cn_hall *cn_hall_find(cn_live *l, const char *id)
{
    for (cn_hall *h = l->halls; h; h = h->next)
        if (strcmp(h->id, id) == 0) return h;
    return NULL;
}

cn_hall *cn_hall_open(cn_live *l, const cn_room_info *room)
{
    cn_hall *h = cn_hall_find(l, room->id);
    if (h) return h;
    h = CN_NEW(cn_hall);
    if (!h) return NULL;
    h->live = l;
    cn_strcpy(h->id, sizeof h->id, room->id);
    cn_strcpy(h->request, sizeof h->request, room->request);
    cn_strcpy(h->title, sizeof h->title, room->title);
    cn_hall_set(h, &room->settings);
    h->next = l->halls;
    l->halls = h;
    atomic_fetch_add(&l->rooms, 1);
    return h;
}

static void hall_free(cn_hall *h)
{
    for (cn_hall **at = &h->live->halls; *at; at = &(*at)->next) {
        if (*at != h) continue;
        *at = h->next;
        break;
    }
    atomic_fetch_sub(&h->live->rooms, 1);
    cn_hall_view_close(h);
    free(h);
}

cn_member *cn_member_find(cn_live *l, const char *id)
{
    for (cn_member *m = l->buckets[bucket_of(id)]; m; m = m->bucket_next)
        if (strcmp(m->id, id) == 0) return m;
    return NULL;
}

cn_err cn_member_new(cn_member **out, cn_hall *h, bool wants_video)
{
    const cn_config *config = h->live->app->config;
    int64_t video = 0, voice = 0;
    for (const cn_member *m = h->members; m; m = m->next) *(m->may_video ? &video : &voice) += 1;
    bool may_video = wants_video && video < cn_config_int(config, "media", "room_video_max");
    if (!may_video && voice >= cn_config_int(config, "media", "room_voice_max")) {
        if (!h->members) hall_free(h);
        return CN_ERR_FULL;
    }
    cn_member *m = CN_NEW(cn_member);
    if (!m) {
        if (!h->members) hall_free(h);
        return CN_ERR_NOMEM;
    }
    cn_id_new(m->id);
    cn_token_new(m->resume, 192);
    m->hall = h;
    m->may_video = may_video;
    m->tier_max = m->want_tier = CN_TIER_4K;
    m->quality.mark = 4;
    m->since_ms = cn_mono_ms();
    m->role = "";
    m->kind = "person";
    m->next = h->members;
    h->members = m;
    cn_member **bucket = &h->live->buckets[bucket_of(m->id)];
    m->bucket_next = *bucket;
    *bucket = m;
    atomic_fetch_add(&h->live->participants, 1);
    *out = m;
    return CN_OK;
}

void cn_member_free(cn_member *m)
{
    cn_hall *h = m->hall;
    cn_live *l = h->live;
    cn_member_detach(m);
    cn_record_left(m);
    h->gone_in += m->stats.bytes_in;
    h->gone_out += m->stats.bytes_out;
    for (cn_member **at = &h->members; *at; at = &(*at)->next) {
        if (*at != m) continue;
        *at = m->next;
        break;
    }
    for (cn_member **at = &l->buckets[bucket_of(m->id)]; *at; at = &(*at)->bucket_next) {
        if (*at != m) continue;
        *at = m->bucket_next;
        break;
    }
    atomic_fetch_sub(&l->participants, 1);
    free(m->wants);
    free(m->name);
    free(m->title);
    free(m->hospital_name);
    cn_free_secret(m, sizeof *m);
    if (!h->members) hall_free(h);
}

void cn_member_detach(cn_member *m)
{
    if (!m->client) return;
    m->client->member = NULL;
    m->client = NULL;
    m->away_ms = cn_mono_ms();
}

json_t *cn_member_json(const cn_member *m)
{
    json_t *sources = json_object();
    for (int k = CN_SOURCE_MIC; k < CN_SOURCES; k++)
        if (m->source[k].there)
            json_object_set_new(sources, cn_source_name((cn_source_kind)k), json_boolean(m->source[k].on));
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:i, s:b, s:b, s:s, s:o}", "id", m->id, "user", m->user,
                     "name", m->name ? m->name : "", "title", m->title ? m->title : "", "hospital",
                     m->hospital_name ? m->hospital_name : "", "role", m->role, "kind", m->kind, "sources", sources,
                     "quality", m->quality.mark, "host", cn_member_is_host(m), "video", m->may_video, "tier_max",
                     cn_live_tier_name(m->tier_max), "hand", m->hand_ms ? json_integer(m->hand_ms) : json_null());
}

void cn_hall_notice(cn_hall *h, const cn_member *except, const char *method, json_t *params, const char *key)
{
    json_t *message = cn_rpc_notice(method, params);
    char *text = message ? json_dumps(message, JSON_COMPACT) : NULL;
    size_t n = text ? strlen(text) : 0;
    for (cn_member *m = h->members; text && m; m = m->next)
        if (m != except && m->client && m->answered) cn_ws_send_text(m->client->ws, text, n, key);
    free(text);
    json_decref(message);
}

static void tell_source(cn_member *m, cn_source_kind kind)
{
    const cn_published *s = &m->source[kind];
    cn_hall_notice(m->hall, m, "room.source",
                   json_pack("{s:s, s:s, s:o}", "participant", m->id, "source", cn_source_name(kind), "on",
                             s->there ? json_boolean(s->on) : json_null()),
                   NULL);
}

bool cn_offer_has_video(const char *offer)
{
    cn_sdp_section found[CN_SDP_SCAN_MAX];
    size_t n = cn_sdp_scan(offer, found, CN_SDP_SCAN_MAX);
    for (size_t i = 0; i < n; i++)
        if (found[i].video && found[i].sends) return true;
    return false;
}

/* A source that was there stays as it was; a new one is on where its owner may switch it on. */
static cn_published published(const cn_member *m, cn_source_kind kind, unsigned rids)
{
    cn_published s = m->source[kind];
    if (!s.there) s.on = cn_member_starts_on(m, kind);
    s.there = true;
    s.rids = rids;
    return s;
}

void cn_member_sources(cn_member *m, const char *offer, const cn_section *sections, size_t count, bool tell)
{
    cn_sdp_section found[CN_SDP_SCAN_MAX];
    cn_published now[CN_SOURCES];
    for (int k = 0; k < CN_SOURCES; k++) {
        now[k] = m->source[k];
        now[k].there = now[k].on = false;
    }
    size_t n = cn_sdp_scan(offer, found, CN_SDP_SCAN_MAX);
    for (size_t i = 0; i < count; i++) {
        if (sections[i].source == CN_SOURCE_NONE) continue;
        for (size_t k = 0; k < n; k++) {
            if (strcmp(found[k].mid, sections[i].mid) != 0 || !found[k].sends) continue;
            now[sections[i].source] = published(m, sections[i].source, found[k].rids);
        }
    }
    for (int k = CN_SOURCE_MIC; k < CN_SOURCES; k++) {
        bool changed = now[k].there != m->source[k].there;
        m->source[k] = now[k];
        if (changed && tell) tell_source(m, (cn_source_kind)k);
    }
}
