#include "soak.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "door.h"
#include "proc.h"

#define MEMBERS 6
#define SAMPLE_MS 10000
#define STEP_MS 100

typedef struct meeting {
    unsigned room, members;
    uint64_t from_ms, until_ms; /* from: begins then */
    bool shown;
    seat *seats[MEMBERS];
} meeting;

typedef struct soak {
    const host *host;
    const soak_options *o;
    crowd *crowd;
    door *door;
    meeting *meetings;
    uint32_t random;
    uint16_t next_sender;
    unsigned long opened, closed, joins, refused;
    FILE *csv;
} soak;

static uint32_t chance(soak *s, uint32_t below)
{
    s->random ^= s->random << 13;
    s->random ^= s->random >> 17;
    s->random ^= s->random << 5;
    return s->random % below;
}

static void meeting_end(soak *s, meeting *m, uint64_t now)
{
    for (unsigned i = 0; i < m->members; i++) {
        seat_leave(m->seats[i]);
        m->seats[i] = NULL;
    }
    if (m->members) s->closed++;
    m->members = 0;
    m->from_ms = now + (500 + chance(s, 4000)) / s->o->faster;
}

static void meeting_begin(soak *s, meeting *m, uint64_t now)
{
    char room[32];
    unsigned members = 2 + chance(s, MEMBERS - 1);
    (void)snprintf(room, sizeof room, "load-%u", m->room);
    m->shown = false;
    m->until_ms = now + (10000 + chance(s, 50000)) / s->o->faster;
    for (m->members = 0; m->members < members; m->members++) {
        seat_shape shape = {
            .room = room, .mic = true, .layers = m->members < 2 ? 2 : 0, .audio_slots = 3, .video_slots = 2};
        s->joins++;
        s->next_sender = (uint16_t)(s->next_sender % 60000 + 1);
        m->seats[m->members] = seat_join(s->door, s->next_sender, &shape);
        if (m->seats[m->members]) continue;
        s->refused++;
        break;
    }
    s->opened++;
}

static bool all_connected(const meeting *m)
{
    for (unsigned i = 0; i < m->members; i++)
        if (!seat_connected(m->seats[i])) return false;
    return true;
}

/* Everybody sees the first two; those see each other. */
static void meeting_show(const meeting *m)
{
    for (unsigned i = 0; i < m->members; i++) {
        seat_show shows[2];
        unsigned n = 0;
        for (unsigned k = 0; k < 2; k++)
            if (k != i)
                shows[n++] =
                    (seat_show){.sender = seat_sender(m->seats[k]), .width = n ? 320 : 640, .height = n ? 180 : 360};
        (void)seat_show_all(m->seats[i], shows, n, "4k");
    }
}

static void turn(soak *s, uint64_t now)
{
    for (unsigned i = 0; i < s->o->rooms; i++) {
        meeting *m = &s->meetings[i];
        if (m->members && now >= m->until_ms) {
            meeting_end(s, m, now);
        } else if (!m->members && now >= m->from_ms) {
            meeting_begin(s, m, now);
        } else if (m->members && !m->shown && all_connected(m)) {
            m->shown = true;
            meeting_show(m);
        }
    }
}

static bool sample(soak *s, uint64_t since_ms)
{
    proc_use u;
    const crowd_totals *t = crowd_totals_get(s->crowd);
    unsigned now_in = 0;
    for (unsigned i = 0; i < s->o->rooms; i++) now_in += s->meetings[i].members;
    if (!proc_use_get(s->host->pid, &u)) return false;
    fprintf(s->csv, "%.1f,%.2f,%.2f,%u,%u,%u,%.2f,%lu,%lu,%lu,%u,%lu,%lu,%lu,%lu\n", (double)since_ms / 1000,
            (double)u.pss_bytes / 1048576, (double)u.own_bytes / 1048576, u.descriptors, u.threads, u.processes,
            (double)u.cpu_ns / 1e9, s->opened, s->closed, s->joins, now_in, (unsigned long)(t->audio_in + t->video_in),
            (unsigned long)t->lost, (unsigned long)t->corrupt, (unsigned long)t->undecryptable);
    return fflush(s->csv) == 0;
}

static bool play(soak *s)
{
    uint64_t start = cn_mono_ms(), end = start + s->o->seconds * 1000ull, next = start;
    bool alive = true;
    for (uint64_t now = start; alive && now < end; now = cn_mono_ms()) {
        turn(s, now);
        crowd_play(s->crowd, STEP_MS);
        if (now < next) continue;
        alive = sample(s, now - start);
        next += SAMPLE_MS;
    }
    for (unsigned i = 0; i < s->o->rooms; i++) meeting_end(s, &s->meetings[i], end);
    crowd_play(s->crowd, 3000);
    return sample(s, cn_mono_ms() - start) && alive;
}

bool soak_run(const host *h, const soak_options *o)
{
    crowd_shape shape = {.codec = PAYLOAD_VP8,
                         .fps = 10,
                         .layer = {{320, 180, 60}, {640, 360, 150}, {1280, 720, 300}},
                         .talkers = 1,
                         .microphones = 4,
                         .profile = o->profile};
    soak s = {.host = h, .o = o, .random = 2463534242u};
    s.crowd = crowd_new(&shape);
    s.door = s.crowd ? door_open(s.crowd, h->port, h->user, h->password) : NULL;
    s.meetings = cn_calloc(o->rooms, sizeof *s.meetings);
    s.csv = fopen(o->csv, "we");
    bool ok = s.door && s.meetings && s.csv;
    for (unsigned i = 0; ok && i < o->rooms; i++)
        s.meetings[i] = (meeting){.room = i, .from_ms = cn_mono_ms() + i * 900};
    if (ok) {
        fputs(
            "seconds,pss_mib,own_mib,descriptors,threads,processes,cpu_s,rooms_opened,rooms_closed,joins,participants,"
            "packets,lost,corrupt,undecryptable\n",
            s.csv);
        ok = play(&s);
        const crowd_totals *t = crowd_totals_get(s.crowd);
        printf("rooms opened %lu, joins %lu, refused %lu, packets %lu, lost %lu, corrupt %lu, not decrypted %lu, "
               "misnamed %lu\n",
               s.opened, s.joins, s.refused, (unsigned long)(t->audio_in + t->video_in), (unsigned long)t->lost,
               (unsigned long)t->corrupt, (unsigned long)t->undecryptable, (unsigned long)t->misnamed);
        ok = ok && !s.refused && !t->corrupt && !t->undecryptable;
    }
    if (s.csv && fclose(s.csv)) ok = false;
    free(s.meetings);
    door_close(s.door);
    crowd_free(s.crowd);
    return ok;
}
