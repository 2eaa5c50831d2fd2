/*
 * Minutes: what media really sends goes into each participant's meter; closed stretches go to the ledger in order, one
 * batch at a time, never later than the participant's last sign of life. What the database refuses waits and is written
 * later; a checkpoint every minute bounds what a crash can lose.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "signaling/door/errand.h"
#include "signaling/live/minutes.h"

#define BATCH 256
#define WAITING_MAX 1000000 /* rows in memory while the database is away: half a day of a full server */

struct cn_ledger_entry {
    cn_ledger_entry *next;
    char room[64], request[CN_ID_TEXT], participant[CN_ID_TEXT], user[CN_ID_TEXT], hospital[CN_ID_TEXT];
    const char *kind;
    cn_meter_segment segment;
};

typedef struct ledger_batch {
    cn_errand errand;
    cn_live *live;
    size_t n;
    cn_err err;
    cn_ledger_row rows[BATCH]; /* point into the entries, which stay until the batch is back */
} ledger_batch;

static void put(cn_member *member, const cn_meter_segment *segment)
{
    cn_live *live = member->hall->live;
    cn_ledger_entry *entry = atomic_load(&live->ledger_waiting) < WAITING_MAX ? CN_NEW(cn_ledger_entry) : NULL;
    if (!entry) {
        cn_error("signaling.minutes", "%lld ms of participant %s are lost", (long long)segment->duration_ms,
                 member->id);
        return;
    }
    cn_strcpy(entry->room, sizeof entry->room, member->hall->id);
    cn_strcpy(entry->request, sizeof entry->request, member->hall->request);
    cn_strcpy(entry->participant, sizeof entry->participant, member->id);
    cn_strcpy(entry->user, sizeof entry->user, member->user);
    cn_strcpy(entry->hospital, sizeof entry->hospital, member->hospital);
    entry->kind = member->kind;
    entry->segment = *segment;
    if (live->ledger_last)
        live->ledger_last->next = entry;
    else
        live->ledger_first = entry;
    live->ledger_last = entry;
    atomic_fetch_add(&live->ledger_waiting, 1);
}

static void put_all(cn_member *member, const cn_meter_segment *segments, size_t count)
{
    for (size_t i = 0; i < count; i++) put(member, &segments[i]);
}

void cn_minutes_start(cn_member *member, uint64_t mono_ms, int64_t wall_ms)
{
    cn_tally_start(&member->tally, mono_ms, wall_ms, member->hall->live->config.consult->zone_minutes);
}

void cn_minutes_area(cn_member *member, uint64_t mono_ms, int64_t sum, int64_t max)
{
    cn_meter_segment segments[CN_TALLY_SEGMENTS];
    put_all(member, segments, cn_tally_area(&member->tally, mono_ms, sum, max, segments, CN_TALLY_SEGMENTS));
}

void cn_minutes_sign(cn_member *member, uint64_t mono_ms)
{
    cn_meter_segment segments[CN_TALLY_SEGMENTS];
    put_all(member, segments, cn_tally_sign(&member->tally, mono_ms, segments, CN_TALLY_SEGMENTS));
}

void cn_minutes_stop(cn_member *member, uint64_t mono_ms, const char *cause)
{
    cn_meter_segment segments[CN_TALLY_SEGMENTS];
    put_all(member, segments, cn_tally_stop(&member->tally, mono_ms, cause, segments, CN_TALLY_SEGMENTS));
}

void cn_minutes_checkpoint(void *live)
{
    cn_live *parent = live;
    uint64_t now = cn_mono_ms();
    cn_meter_segment segments[CN_TALLY_SEGMENTS];
    for (cn_hall *hall = parent->halls; hall; hall = hall->next)
        for (cn_member *member = hall->members; member; member = member->next)
            put_all(member, segments, cn_tally_checkpoint(&member->tally, now, segments, CN_TALLY_SEGMENTS));
    cn_minutes_flush(parent);
}

static void drop(cn_live *live, size_t count)
{
    for (; count; count--) {
        cn_ledger_entry *entry = live->ledger_first;
        live->ledger_first = entry->next;
        if (!live->ledger_first) live->ledger_last = NULL;
        free(entry);
        atomic_fetch_sub(&live->ledger_waiting, 1);
    }
}

static void written(cn_errand *errand)
{
    ledger_batch *group = (ledger_batch *)errand;
    cn_live *live = group->live;
    live->ledger_busy = false;
    if (group->err == CN_OK)
        drop(live, group->n);
    else
        cn_warn("signaling.minutes", "the ledger refuses %zu rows for now: %s", group->n, cn_err_text(group->err));
    /* while it closes, cn_live_drain asks for the next; after it the job pool may be gone */
    bool more = group->err == CN_OK && live->ledger_first && !live->closing;
    free(group);
    if (more) cn_minutes_flush(live);
}

/* Job thread. */
static void write_batch(cn_errand *errand)
{
    ledger_batch *group = (ledger_batch *)errand;
    group->err = cn_chain_ledger(group->live->config.consult->ledger, group->rows, group->n);
}

void cn_minutes_flush(void *live)
{
    cn_live *parent = live;
    if (parent->ledger_busy || !parent->ledger_first) return;
    ledger_batch *group = CN_NEW(ledger_batch);
    if (!group) return;
    group->live = parent;
    for (const cn_ledger_entry *entry = parent->ledger_first; entry && group->n < BATCH; entry = entry->next)
        group->rows[group->n++] = (cn_ledger_row){.room = entry->room,
                                                  .request = entry->request,
                                                  .participant = entry->participant,
                                                  .user = entry->user,
                                                  .hospital = entry->hospital,
                                                  .kind = entry->kind,
                                                  .start_ms = entry->segment.start_ms,
                                                  .duration_ms = entry->segment.duration_ms,
                                                  .area_sum = entry->segment.area_sum,
                                                  .area_max = entry->segment.area_max,
                                                  .tier_aggregate = entry->segment.tier_aggregate,
                                                  .tier_max = entry->segment.tier_max,
                                                  .rule_version = CN_METER_RULE_VERSION,
                                                  .end_cause = entry->segment.end_cause};
    parent->ledger_busy =
        cn_errand_go(&group->errand, parent->door, parent->config.jobs, write_batch, written) == CN_OK;
    if (!parent->ledger_busy) free(group);
}

void cn_minutes_free(cn_live *live)
{
    drop(live, atomic_load(&live->ledger_waiting));
}
