/*
 * How well everybody was connected, kept in memory for the administrator: per participant an hour in points of ten
 * seconds, until some minutes after it left. Door's thread.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "signaling/live/record.h"

#define KEEP_MS (15 * 60000) /* a participant who left, a room that everybody has left */
#define ROOMS_MAX 1000       /* at the bound the one that ended first goes */
#define RECORDS_MAX 600      /* participants of a room, those who came back included: then the one that left first */

struct cn_record {
    cn_record *next;
    const cn_member *member; /* NULL: left */
    char id[CN_ID_TEXT], user[CN_ID_TEXT];
    char *name, *title, *hospital;
    const char *role, *kind;
    int64_t joined_ms, left_ms; /* wall clock */
    cn_media_stats stats;       /* the last ones; of those who left without streams */
    cn_quality quality;
    cn_qualitylog log;
};

struct cn_room_record {
    cn_room_record *next;
    char id[64], request[CN_ID_TEXT], title[64];
    int64_t opened_ms, closed_ms; /* wall clock; closed 0: in use */
    cn_record *records;           /* newest first */
    unsigned n, here;
};

static void record_free(cn_record *record)
{
    if (!record) return;
    cn_qualitylog_end(&record->log);
    free(record->name);
    free(record->title);
    free(record->hospital);
    free(record);
}

static void room_free(cn_live *live, cn_room_record **at)
{
    cn_room_record *room = *at;
    *at = room->next;
    live->records_n--;
    for (cn_record *record = room->records, *next; record; record = next) {
        next = record->next;
        record_free(record);
    }
    free(room);
}

static cn_room_record *find_room(const cn_live *live, const char *id)
{
    for (cn_room_record *record = live->records; record; record = record->next)
        if (strcmp(record->id, id) == 0) return record;
    return NULL;
}

static void drop_first_ended(cn_live *live)
{
    cn_room_record **first = NULL;
    for (cn_room_record **at = &live->records; *at; at = &(*at)->next)
        if ((*at)->closed_ms && (!first || (*at)->closed_ms < (*first)->closed_ms)) first = at;
    if (first) room_free(live, first);
}

static cn_room_record *room_of(cn_live *live, const cn_hall *hall)
{
    cn_room_record *room = find_room(live, hall->id);
    if (room) return room;
    if (live->records_n >= ROOMS_MAX) drop_first_ended(live);
    room = live->records_n < ROOMS_MAX ? CN_NEW(cn_room_record) : NULL;
    if (!room) return NULL;
    cn_strcpy(room->id, sizeof room->id, hall->id);
    cn_strcpy(room->request, sizeof room->request, hall->request);
    cn_strcpy(room->title, sizeof room->title, hall->title);
    room->opened_ms = cn_wall_ms();
    room->next = live->records;
    live->records = room;
    live->records_n++;
    return room;
}

static void drop_first_left(cn_room_record *room)
{
    cn_record **first = NULL;
    for (cn_record **at = &room->records; *at; at = &(*at)->next)
        if (!(*at)->member && (!first || (*at)->left_ms < (*first)->left_ms)) first = at;
    if (!first) return;
    cn_record *record = *first;
    *first = record->next;
    room->n--;
    record_free(record);
}

static cn_record *record_new(cn_room_record *room, const cn_member *member)
{
    if (room->n >= RECORDS_MAX) drop_first_left(room);
    cn_record *record = room->n < RECORDS_MAX ? CN_NEW(cn_record) : NULL;
    if (!record) return NULL;
    cn_strcpy(record->id, sizeof record->id, member->id);
    cn_strcpy(record->user, sizeof record->user, member->user);
    record->name = cn_strdup(member->name ? member->name : "");
    record->title = cn_strdup(member->title ? member->title : "");
    record->hospital = cn_strdup(member->hospital_name ? member->hospital_name : "");
    if (!record->name || !record->title || !record->hospital) {
        record_free(record);
        return NULL;
    }
    record->member = member;
    record->role = member->role;
    record->kind = member->kind;
    record->joined_ms = cn_wall_ms() - (int64_t)(cn_mono_ms() - member->since_ms);
    record->next = room->records;
    room->records = record;
    room->n++;
    room->here++;
    room->closed_ms = 0;
    return record;
}

void cn_record_stats(cn_member *member)
{
    cn_room_record *room = member->record ? NULL : room_of(member->hall->live, member->hall);
    if (room) member->record = record_new(room, member);
    if (!member->record) return;
    member->record->stats = member->stats;
    member->record->quality = member->quality;
    (void)cn_qualitylog_add(&member->record->log, &member->stats, member->quality.mark, member->quality.why,
                            cn_wall_ms());
}

void cn_record_left(cn_member *member)
{
    cn_record *record = member->record;
    if (!record) return;
    cn_room_record *room = find_room(member->hall->live, member->hall->id);
    member->record = NULL;
    record->member = NULL;
    record->left_ms = cn_wall_ms();
    record->stats.source_count = record->stats.slot_count = 0;
    cn_qualitylog_fit(&record->log);
    if (room && --room->here == 0) room->closed_ms = record->left_ms;
}

static void forget_left(cn_room_record *room, int64_t now)
{
    for (cn_record **at = &room->records, *record; (record = *at);) {
        if (record->member || now - record->left_ms <= KEEP_MS) {
            at = &record->next;
            continue;
        }
        *at = record->next;
        room->n--;
        record_free(record);
    }
}

void cn_record_forget(void *live)
{
    cn_live *parent = live;
    int64_t now = cn_wall_ms();
    for (cn_room_record **at = &parent->records; *at;) {
        if ((*at)->closed_ms && now - (*at)->closed_ms > KEEP_MS) {
            room_free(parent, at);
            continue;
        }
        forget_left(*at, now);
        at = &(*at)->next;
    }
}

void cn_record_free(cn_live *live)
{
    while (live->records) room_free(live, &live->records);
}

/* ---- as JSON ---- */

static json_t *room_json(const cn_room_record *room, bool names)
{
    unsigned worst = 4;
    uint32_t why = 0;
    uint64_t up = 0, down = 0;
    for (const cn_record *record = room->records; record; record = record->next) {
        if (!record->member) continue;
        if ((unsigned)record->quality.mark < worst) worst = (unsigned)record->quality.mark;
        why |= record->quality.why;
        up += record->stats.up_bps;
        down += record->stats.down_bps;
    }
    return json_pack("{s:s, s:s, s:s, s:s, s:I, s:o, s:i, s:i, s:o, s:I, s:I}", "id", room->id, "request",
                     names ? room->request : "", "title", names ? room->title : "", "state",
                     room->closed_ms ? "closed" : "open", "opened", (json_int_t)room->opened_ms, "closed",
                     room->closed_ms ? json_integer(room->closed_ms) : json_null(), "participants", (int)room->here,
                     "worst", (int)worst, "why", cn_quality_why(why), "up_bps", (json_int_t)up, "down_bps",
                     (json_int_t)down);
}

json_t *cn_live_quality_rooms(cn_live *live, bool names, bool recent)
{
    json_t *items = json_array();
    for (const cn_room_record *room = live->records; room; room = room->next)
        if (recent || !room->closed_ms) json_array_append_new(items, room_json(room, names));
    size_t total = json_array_size(items);
    return json_pack("{s:o, s:I}", "items", items, "total", (json_int_t)total);
}

static json_t *sources_json(const cn_media_stats *stats)
{
    json_t *list = json_array();
    for (size_t i = 0; i < stats->source_count && i < CN_MEDIA_SOURCES; i++) {
        const cn_media_source_stats *src = &stats->sources[i];
        json_array_append_new(list, json_pack("{s:s, s:b, s:i, s:i, s:i, s:I, s:i, s:i, s:i}", "source",
                                              cn_source_name(src->kind), "on", src->on, "layers", src->layers, "asked",
                                              __builtin_popcount(src->wanted), "received",
                                              __builtin_popcount(src->alive), "bps", (json_int_t)src->bps, "width",
                                              src->width, "height", src->height, "fps", src->fps));
    }
    return list;
}

static json_t *slots_json(const cn_media_stats *stats)
{
    static const char *const states[] = {[CN_SLOT_EMPTY] = "empty",
                                         [CN_SLOT_LIVE] = "live",
                                         [CN_SLOT_PAUSED] = "paused",
                                         [CN_SLOT_OFF] = "off",
                                         [CN_SLOT_CODEC] = "codec"};
    json_t *list = json_array();
    for (size_t i = 0; i < stats->slot_count && i < CN_MEDIA_SLOTS; i++) {
        const cn_media_slot_stats *slot = &stats->slots[i];
        if (!slot->video) continue;
        json_array_append_new(list, json_pack("{s:i, s:s, s:i, s:i, s:i, s:I}", "slot", slot->index, "state",
                                              states[slot->state], "layer", slot->layer, "width", slot->width, "height",
                                              slot->height, "bps", (json_int_t)slot->bps));
    }
    return list;
}

/* The last marks, oldest first, one character each. */
static json_t *marks_json(const cn_qualitylog *log)
{
    char text[CN_QUALITYLOG_POINTS + 1];
    size_t n = 0;
    for (const cn_quality_point *point; (point = cn_qualitylog_at(log, n));)
        text[n++] = (char)('0' + (point->mark > 4 ? 4 : point->mark));
    return json_stringn(text, n);
}

static json_t *record_json(const cn_record *record, bool names)
{
    const cn_media_stats *stats = &record->stats;
    json_t *object = json_pack("{s:s, s:s, s:s, s:I, s:o, s:i, s:o, s:s, s:o, s:o, s:o}", "id", record->id, "role",
                               record->role, "kind", record->kind, "joined", (json_int_t)record->joined_ms, "left",
                               record->member ? json_null() : json_integer(record->left_ms), "mark",
                               record->member ? record->quality.mark : 0, "why", cn_quality_why(record->quality.why),
                               "path", cn_quality_path(stats->path), "marks", marks_json(&record->log), "sources",
                               sources_json(stats), "slots", slots_json(stats));
    json_t *now = json_pack(
        "{s:I, s:I, s:f, s:f, s:I, s:I, s:I, s:I, s:i, s:I, s:I, s:I, s:I}", "up_bps", (json_int_t)stats->up_bps,
        "down_bps", (json_int_t)stats->down_bps, "up_loss", (double)stats->up_loss, "down_loss",
        (double)stats->down_loss, "rtt_ms", (json_int_t)stats->rtt_ms, "jitter_ms", (json_int_t)stats->jitter_ms,
        "estimate_bps", (json_int_t)stats->estimate_bps, "wanted_bps", (json_int_t)stats->wanted_bps, "paused",
        stats->paused, "nacks_in", (json_int_t)stats->nacks_in, "nacks_out", (json_int_t)stats->nacks_out, "plis_in",
        (json_int_t)stats->plis_in, "plis_out", (json_int_t)stats->plis_out);
    json_object_update_new(object, now);
    if (names)
        json_object_update_new(object, json_pack("{s:s, s:s, s:s, s:s}", "user", record->user, "name", record->name,
                                                 "title", record->title, "hospital", record->hospital));
    return object;
}

static void column(json_t *object, const char *name, json_int_t value)
{
    json_t *list = json_object_get(object, name);
    if (!list) {
        list = json_array();
        json_object_set_new(object, name, list);
    }
    json_array_append_new(list, json_integer(value));
}

/* One array per figure: the names would be most of it otherwise. */
static json_t *history_json(const cn_qualitylog *log, unsigned minutes)
{
    json_t *object = json_pack("{s:i, s:[], s:[]}", "step_ms", CN_QUALITYLOG_STEP_MS, "at", "why");
    int64_t since = cn_wall_ms() - (int64_t)minutes * 60000;
    for (size_t i = 0; cn_qualitylog_at(log, i); i++) {
        const cn_quality_point *point = cn_qualitylog_at(log, i);
        if (point->at_ms < since) continue;
        const struct {
            const char *name;
            json_int_t value;
        } figures[] = {{"at", point->at_ms},
                       {"up_bps", point->up_bps},
                       {"down_bps", point->down_bps},
                       {"estimate_bps", point->estimate_bps},
                       {"wanted_bps", point->wanted_bps},
                       {"up_loss", point->up_loss},
                       {"down_loss", point->down_loss},
                       {"rtt_ms", point->rtt_ms},
                       {"jitter_ms", point->jitter_ms},
                       {"nacks_in", point->nacks_in},
                       {"nacks_out", point->nacks_out},
                       {"plis_in", point->plis_in},
                       {"plis_out", point->plis_out},
                       {"sent_height", point->sent_height},
                       {"received_height", point->received_height},
                       {"layers", point->layers},
                       {"paused", point->paused},
                       {"mark", point->mark}};
        for (size_t k = 0; k < sizeof figures / sizeof *figures; k++) column(object, figures[k].name, figures[k].value);
        json_array_append_new(json_object_get(object, "why"), cn_quality_why(point->why));
    }
    return object;
}

json_t *cn_live_quality_room(cn_live *live, const char *room_id, const char *participant, unsigned minutes, bool names)
{
    const cn_room_record *room = find_room(live, room_id);
    if (!room) return NULL;
    json_t *people = json_array(), *object = room_json(room, names);
    bool found = !participant;
    for (const cn_record *record = room->records; record; record = record->next) {
        json_array_append_new(people, record_json(record, names));
        if (found || strcmp(record->id, participant) != 0) continue;
        found = true;
        json_object_set_new(object, "history", history_json(&record->log, minutes));
    }
    json_object_set_new(object, "now", json_integer(cn_wall_ms()));
    json_object_set_new(object, "people", people);
    if (found) return object;
    json_decref(object);
    return NULL;
}
