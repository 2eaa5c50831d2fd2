/*
 * How well everybody was connected, kept in memory for the administrator: per participant an hour in points of ten
 * seconds, until some minutes after it left. Door's thread.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "signaling/live/live_private.h"

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

static void record_free(cn_record *r)
{
    if (!r) return;
    cn_qualitylog_end(&r->log);
    free(r->name);
    free(r->title);
    free(r->hospital);
    free(r);
}

static void room_free(cn_live *l, cn_room_record **at)
{
    cn_room_record *room = *at;
    *at = room->next;
    l->records_n--;
    for (cn_record *r = room->records, *next; r; r = next) {
        next = r->next;
        record_free(r);
    }
    free(room);
}

static cn_room_record *find_room(const cn_live *l, const char *id)
{
    for (cn_room_record *r = l->records; r; r = r->next)
        if (strcmp(r->id, id) == 0) return r;
    return NULL;
}

static void drop_first_ended(cn_live *l)
{
    cn_room_record **first = NULL;
    for (cn_room_record **at = &l->records; *at; at = &(*at)->next)
        if ((*at)->closed_ms && (!first || (*at)->closed_ms < (*first)->closed_ms)) first = at;
    if (first) room_free(l, first);
}

static cn_room_record *room_of(cn_live *l, const cn_hall *h)
{
    cn_room_record *room = find_room(l, h->id);
    if (room) return room;
    if (l->records_n >= ROOMS_MAX) drop_first_ended(l);
    room = l->records_n < ROOMS_MAX ? CN_NEW(cn_room_record) : NULL;
    if (!room) return NULL;
    cn_strcpy(room->id, sizeof room->id, h->id);
    cn_strcpy(room->request, sizeof room->request, h->request);
    cn_strcpy(room->title, sizeof room->title, h->title);
    room->opened_ms = cn_wall_ms();
    room->next = l->records;
    l->records = room;
    l->records_n++;
    return room;
}

static void drop_first_left(cn_room_record *room)
{
    cn_record **first = NULL;
    for (cn_record **at = &room->records; *at; at = &(*at)->next)
        if (!(*at)->member && (!first || (*at)->left_ms < (*first)->left_ms)) first = at;
    if (!first) return;
    cn_record *r = *first;
    *first = r->next;
    room->n--;
    record_free(r);
}

static cn_record *record_new(cn_room_record *room, const cn_member *m)
{
    if (room->n >= RECORDS_MAX) drop_first_left(room);
    cn_record *r = room->n < RECORDS_MAX ? CN_NEW(cn_record) : NULL;
    if (!r) return NULL;
    cn_strcpy(r->id, sizeof r->id, m->id);
    cn_strcpy(r->user, sizeof r->user, m->user);
    r->name = cn_strdup(m->name ? m->name : "");
    r->title = cn_strdup(m->title ? m->title : "");
    r->hospital = cn_strdup(m->hospital_name ? m->hospital_name : "");
    if (!r->name || !r->title || !r->hospital) {
        record_free(r);
        return NULL;
    }
    r->member = m;
    r->role = m->role;
    r->kind = m->kind;
    r->joined_ms = cn_wall_ms() - (int64_t)(cn_mono_ms() - m->since_ms);
    r->next = room->records;
    room->records = r;
    room->n++;
    room->here++;
    room->closed_ms = 0;
    return r;
}

void cn_record_stats(cn_member *m)
{
    cn_room_record *room = m->record ? NULL : room_of(m->hall->live, m->hall);
    if (room) m->record = record_new(room, m);
    if (!m->record) return;
    m->record->stats = m->stats;
    m->record->quality = m->quality;
    (void)cn_qualitylog_add(&m->record->log, &m->stats, m->quality.mark, m->quality.why, cn_wall_ms());
}

void cn_record_left(cn_member *m)
{
    cn_record *r = m->record;
    if (!r) return;
    cn_room_record *room = find_room(m->hall->live, m->hall->id);
    m->record = NULL;
    r->member = NULL;
    r->left_ms = cn_wall_ms();
    r->stats.source_count = r->stats.slot_count = 0;
    cn_qualitylog_fit(&r->log);
    if (room && --room->here == 0) room->closed_ms = r->left_ms;
}

static void forget_left(cn_room_record *room, int64_t now)
{
    for (cn_record **at = &room->records, *r; (r = *at);) {
        if (r->member || now - r->left_ms <= KEEP_MS) {
            at = &r->next;
            continue;
        }
        *at = r->next;
        room->n--;
        record_free(r);
    }
}

void cn_record_forget(void *live)
{
    cn_live *l = live;
    int64_t now = cn_wall_ms();
    for (cn_room_record **at = &l->records; *at;) {
        if ((*at)->closed_ms && now - (*at)->closed_ms > KEEP_MS) {
            room_free(l, at);
            continue;
        }
        forget_left(*at, now);
        at = &(*at)->next;
    }
}

void cn_record_free(cn_live *l)
{
    while (l->records) room_free(l, &l->records);
}

/* ---- as JSON ---- */

static json_t *room_json(const cn_room_record *room, bool names)
{
    unsigned worst = 4;
    uint32_t why = 0;
    uint64_t up = 0, down = 0;
    for (const cn_record *r = room->records; r; r = r->next) {
        if (!r->member) continue;
        if ((unsigned)r->quality.mark < worst) worst = (unsigned)r->quality.mark;
        why |= r->quality.why;
        up += r->stats.up_bps;
        down += r->stats.down_bps;
    }
    return json_pack("{s:s, s:s, s:s, s:s, s:I, s:o, s:i, s:i, s:o, s:I, s:I}", "id", room->id, "request",
                     names ? room->request : "", "title", names ? room->title : "", "state",
                     room->closed_ms ? "closed" : "open", "opened", (json_int_t)room->opened_ms, "closed",
                     room->closed_ms ? json_integer(room->closed_ms) : json_null(), "participants", (int)room->here,
                     "worst", (int)worst, "why", cn_quality_why(why), "up_bps", (json_int_t)up, "down_bps",
                     (json_int_t)down);
}

json_t *cn_live_quality_rooms(cn_live *l, bool names, bool recent)
{
    json_t *items = json_array();
    for (const cn_room_record *room = l->records; room; room = room->next)
        if (recent || !room->closed_ms) json_array_append_new(items, room_json(room, names));
    size_t total = json_array_size(items);
    return json_pack("{s:o, s:I}", "items", items, "total", (json_int_t)total);
}

static json_t *sources_json(const cn_media_stats *s)
{
    json_t *list = json_array();
    for (size_t i = 0; i < s->source_count && i < CN_MEDIA_SOURCES; i++) {
        const cn_media_source_stats *src = &s->sources[i];
        json_array_append_new(list, json_pack("{s:s, s:b, s:i, s:i, s:i, s:I, s:i, s:i, s:i}", "source",
                                              cn_source_name(src->kind), "on", src->on, "layers", src->layers, "asked",
                                              __builtin_popcount(src->wanted), "received",
                                              __builtin_popcount(src->alive), "bps", (json_int_t)src->bps, "width",
                                              src->width, "height", src->height, "fps", src->fps));
    }
    return list;
}

static json_t *slots_json(const cn_media_stats *s)
{
    static const char *const states[] = {[CN_SLOT_EMPTY] = "empty",
                                         [CN_SLOT_LIVE] = "live",
                                         [CN_SLOT_PAUSED] = "paused",
                                         [CN_SLOT_OFF] = "off",
                                         [CN_SLOT_CODEC] = "codec"};
    json_t *list = json_array();
    for (size_t i = 0; i < s->slot_count && i < CN_MEDIA_SLOTS; i++) {
        const cn_media_slot_stats *slot = &s->slots[i];
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
    for (const cn_quality_point *p; (p = cn_qualitylog_at(log, n));)
        text[n++] = (char)('0' + (p->mark > 4 ? 4 : p->mark));
    return json_stringn(text, n);
}

static json_t *record_json(const cn_record *r, bool names)
{
    const cn_media_stats *s = &r->stats;
    json_t *o = json_pack("{s:s, s:s, s:s, s:I, s:o, s:i, s:o, s:s, s:o, s:o, s:o}", "id", r->id, "role", r->role,
                          "kind", r->kind, "joined", (json_int_t)r->joined_ms, "left",
                          r->member ? json_null() : json_integer(r->left_ms), "mark", r->member ? r->quality.mark : 0,
                          "why", cn_quality_why(r->quality.why), "path", cn_quality_path(s->path), "marks",
                          marks_json(&r->log), "sources", sources_json(s), "slots", slots_json(s));
    json_t *now = json_pack(
        "{s:I, s:I, s:f, s:f, s:I, s:I, s:I, s:I, s:i, s:I, s:I, s:I, s:I}", "up_bps", (json_int_t)s->up_bps,
        "down_bps", (json_int_t)s->down_bps, "up_loss", (double)s->up_loss, "down_loss", (double)s->down_loss, "rtt_ms",
        (json_int_t)s->rtt_ms, "jitter_ms", (json_int_t)s->jitter_ms, "estimate_bps", (json_int_t)s->estimate_bps,
        "wanted_bps", (json_int_t)s->wanted_bps, "paused", s->paused, "nacks_in", (json_int_t)s->nacks_in, "nacks_out",
        (json_int_t)s->nacks_out, "plis_in", (json_int_t)s->plis_in, "plis_out", (json_int_t)s->plis_out);
    json_object_update_new(o, now);
    if (names)
        json_object_update_new(o, json_pack("{s:s, s:s, s:s, s:s}", "user", r->user, "name", r->name, "title", r->title,
                                            "hospital", r->hospital));
    return o;
}

static void column(json_t *o, const char *name, json_int_t value)
{
    json_t *list = json_object_get(o, name);
    if (!list) {
        list = json_array();
        json_object_set_new(o, name, list);
    }
    json_array_append_new(list, json_integer(value));
}

/* One array per figure: the names would be most of it otherwise. */
static json_t *history_json(const cn_qualitylog *log, unsigned minutes)
{
    json_t *o = json_pack("{s:i, s:[], s:[]}", "step_ms", CN_QUALITYLOG_STEP_MS, "at", "why");
    int64_t since = cn_wall_ms() - (int64_t)minutes * 60000;
    for (size_t i = 0; cn_qualitylog_at(log, i); i++) {
        const cn_quality_point *p = cn_qualitylog_at(log, i);
        if (p->at_ms < since) continue;
        const struct {
            const char *name;
            json_int_t value;
        } figures[] = {{"at", p->at_ms},
                       {"up_bps", p->up_bps},
                       {"down_bps", p->down_bps},
                       {"estimate_bps", p->estimate_bps},
                       {"wanted_bps", p->wanted_bps},
                       {"up_loss", p->up_loss},
                       {"down_loss", p->down_loss},
                       {"rtt_ms", p->rtt_ms},
                       {"jitter_ms", p->jitter_ms},
                       {"nacks_in", p->nacks_in},
                       {"nacks_out", p->nacks_out},
                       {"plis_in", p->plis_in},
                       {"plis_out", p->plis_out},
                       {"sent_height", p->sent_height},
                       {"received_height", p->received_height},
                       {"layers", p->layers},
                       {"paused", p->paused},
                       {"mark", p->mark}};
        for (size_t k = 0; k < sizeof figures / sizeof *figures; k++) column(o, figures[k].name, figures[k].value);
        json_array_append_new(json_object_get(o, "why"), cn_quality_why(p->why));
    }
    return o;
}

json_t *cn_live_quality_room(cn_live *l, const char *room_id, const char *participant, unsigned minutes, bool names)
{
    const cn_room_record *room = find_room(l, room_id);
    if (!room) return NULL;
    json_t *people = json_array(), *o = room_json(room, names);
    bool found = !participant;
    for (const cn_record *r = room->records; r; r = r->next) {
        json_array_append_new(people, record_json(r, names));
        if (found || strcmp(r->id, participant) != 0) continue;
        found = true;
        json_object_set_new(o, "history", history_json(&r->log, minutes));
    }
    json_object_set_new(o, "now", json_integer(cn_wall_ms()));
    json_object_set_new(o, "people", people);
    if (found) return o;
    json_decref(o);
    return NULL;
}
