/*
 * Minutes: what media really sends goes into each participant's meter; closed stretches go to the ledger in order, one
 * batch at a time. What the database refuses waits and is written later; a checkpoint every minute bounds what a crash
 * can lose.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "signaling/live/live_private.h"

#define BATCH 256
#define WAITING_MAX 1000000 /* rows in memory while the database is away: half a day of a full server */

struct cn_ledger_entry {
    cn_ledger_entry *next;
    char room[64], request[CN_ID_TEXT], participant[CN_ID_TEXT], user[CN_ID_TEXT], hospital[CN_ID_TEXT];
    const char *kind;
    cn_meter_segment segment;
};

typedef struct batch {
    cn_live *live;
    cn_door_call call;
    size_t n;
    cn_err err;
    cn_ledger_row rows[BATCH]; /* point into the entries, which stay until the batch is back */
} batch;

static void put(cn_member *m, const cn_meter_segment *s)
{
    cn_live *l = m->hall->live;
    cn_ledger_entry *e = atomic_load(&l->ledger_waiting) < WAITING_MAX ? CN_NEW(cn_ledger_entry) : NULL;
    if (!e) {
        cn_error("signaling.minutes", "%lld ms of participant %s are lost", (long long)s->duration_ms, m->id);
        return;
    }
    cn_strcpy(e->room, sizeof e->room, m->hall->id);
    cn_strcpy(e->request, sizeof e->request, m->hall->request);
    cn_strcpy(e->participant, sizeof e->participant, m->id);
    cn_strcpy(e->user, sizeof e->user, m->user);
    cn_strcpy(e->hospital, sizeof e->hospital, m->hospital);
    e->kind = m->kind;
    e->segment = *s;
    if (l->ledger_last)
        l->ledger_last->next = e;
    else
        l->ledger_first = e;
    l->ledger_last = e;
    atomic_fetch_add(&l->ledger_waiting, 1);
}

static void put_all(cn_member *m, const cn_meter_segment *segments, size_t n)
{
    for (size_t i = 0; i < n; i++) put(m, &segments[i]);
}

void cn_minutes_start(cn_member *m, uint64_t mono_ms, int64_t wall_ms)
{
    cn_meter_start(&m->meter, mono_ms, wall_ms, m->hall->live->app->consult.zone_minutes);
}

void cn_minutes_area(cn_member *m, uint64_t mono_ms, int64_t sum, int64_t max)
{
    cn_meter_segment segments[CN_METER_SEGMENTS];
    put_all(m, segments, cn_meter_area(&m->meter, mono_ms, sum, max, segments, CN_METER_SEGMENTS));
}

void cn_minutes_stop(cn_member *m, uint64_t mono_ms, const char *cause)
{
    cn_meter_segment segments[CN_METER_SEGMENTS];
    put_all(m, segments, cn_meter_stop(&m->meter, mono_ms, cause, segments, CN_METER_SEGMENTS));
}

void cn_minutes_checkpoint(void *live)
{
    cn_live *l = live;
    uint64_t now = cn_mono_ms();
    cn_meter_segment segments[CN_METER_SEGMENTS];
    for (cn_hall *h = l->halls; h; h = h->next)
        for (cn_member *m = h->members; m; m = m->next)
            put_all(m, segments, cn_meter_checkpoint(&m->meter, now, segments, CN_METER_SEGMENTS));
    cn_minutes_flush(l);
}

static void drop(cn_live *l, size_t n)
{
    for (; n; n--) {
        cn_ledger_entry *e = l->ledger_first;
        l->ledger_first = e->next;
        if (!l->ledger_first) l->ledger_last = NULL;
        free(e);
        atomic_fetch_sub(&l->ledger_waiting, 1);
    }
}

static void written(void *arg)
{
    batch *b = arg;
    cn_live *l = b->live;
    l->ledger_busy = false;
    if (b->err == CN_OK)
        drop(l, b->n);
    else
        cn_warn("signaling.minutes", "the ledger refuses %zu rows for now: %s", b->n, cn_err_text(b->err));
    bool more = b->err == CN_OK && l->ledger_first;
    free(b);
    if (more) cn_minutes_flush(l);
}

/* Job thread. */
static void write_batch(void *arg)
{
    batch *b = arg;
    b->err = cn_chain_ledger(b->live->app->ledger, b->rows, b->n);
    b->call = (cn_door_call){.fn = written, .arg = b};
    cn_door_post(b->live->door, &b->call);
}

void cn_minutes_flush(void *live)
{
    cn_live *l = live;
    if (l->ledger_busy || !l->ledger_first) return;
    batch *b = CN_NEW(batch);
    if (!b) return;
    b->live = l;
    for (const cn_ledger_entry *e = l->ledger_first; e && b->n < BATCH; e = e->next)
        b->rows[b->n++] = (cn_ledger_row){.room = e->room,
                                          .request = e->request,
                                          .participant = e->participant,
                                          .user = e->user,
                                          .hospital = e->hospital,
                                          .kind = e->kind,
                                          .start_ms = e->segment.start_ms,
                                          .duration_ms = e->segment.duration_ms,
                                          .area_sum = e->segment.area_sum,
                                          .area_max = e->segment.area_max,
                                          .tier_aggregate = e->segment.tier_aggregate,
                                          .tier_max = e->segment.tier_max,
                                          .rule_version = CN_METER_RULE_VERSION,
                                          .end_cause = e->segment.end_cause};
    l->ledger_busy = cn_jobs_add(l->app->db_jobs, write_batch, b) == CN_OK;
    if (!l->ledger_busy) free(b);
}

void cn_minutes_free(cn_live *l)
{
    drop(l, atomic_load(&l->ledger_waiting));
}
