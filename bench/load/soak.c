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

static uint32_t chance(soak *test, uint32_t below)
{
    test->random ^= test->random << 13;
    test->random ^= test->random >> 17;
    test->random ^= test->random << 5;
    return test->random % below;
}

static void meeting_end(soak *test, meeting *session, uint64_t now)
{
    for (unsigned i = 0; i < session->members; i++) {
        seat_leave(session->seats[i]);
        session->seats[i] = NULL;
    }
    if (session->members) test->closed++;
    session->members = 0;
    session->from_ms = now + (500 + chance(test, 4000)) / test->o->faster;
}

static void meeting_begin(soak *test, meeting *session, uint64_t now)
{
    char room[32];
    unsigned members = 2 + chance(test, MEMBERS - 1);
    (void)snprintf(room, sizeof room, "load-%u", session->room);
    session->shown = false;
    session->until_ms = now + (10000 + chance(test, 50000)) / test->o->faster;
    for (session->members = 0; session->members < members; session->members++) {
        seat_shape shape = {
            .room = room, .mic = true, .layers = session->members < 2 ? 2 : 0, .audio_slots = 3, .video_slots = 2};
        test->joins++;
        test->next_sender = (uint16_t)(test->next_sender % 60000 + 1);
        session->seats[session->members] = seat_join(test->door, test->next_sender, &shape);
        if (session->seats[session->members]) continue;
        test->refused++;
        break;
    }
    test->opened++;
}

static bool all_connected(const meeting *session)
{
    for (unsigned i = 0; i < session->members; i++)
        if (!seat_connected(session->seats[i])) return false;
    return true;
}

/* Everybody sees the first two; those see each other. */
static void meeting_show(const meeting *session)
{
    for (unsigned i = 0; i < session->members; i++) {
        seat_show shows[2];
        unsigned n = 0;
        for (unsigned k = 0; k < 2; k++)
            if (k != i)
                shows[n++] = (seat_show){
                    .sender = seat_sender(session->seats[k]), .width = n ? 320 : 640, .height = n ? 180 : 360};
        (void)seat_show_all(session->seats[i], shows, n, "4k");
    }
}

static void turn(soak *test, uint64_t now)
{
    for (unsigned i = 0; i < test->o->rooms; i++) {
        meeting *session = &test->meetings[i];
        if (session->members && now >= session->until_ms) {
            meeting_end(test, session, now);
        } else if (!session->members && now >= session->from_ms) {
            meeting_begin(test, session, now);
        } else if (session->members && !session->shown && all_connected(session)) {
            session->shown = true;
            meeting_show(session);
        }
    }
}

static bool sample(soak *test, uint64_t since_ms)
{
    proc_use use;
    const crowd_totals *totals = crowd_totals_get(test->crowd);
    unsigned now_in = 0;
    for (unsigned i = 0; i < test->o->rooms; i++) now_in += test->meetings[i].members;
    if (!proc_use_get(test->host->pid, &use)) return false;
    fprintf(test->csv, "%.1f,%.2f,%.2f,%u,%u,%u,%.2f,%lu,%lu,%lu,%u,%lu,%lu,%lu,%lu\n", (double)since_ms / 1000,
            (double)use.pss_bytes / 1048576, (double)use.own_bytes / 1048576, use.descriptors, use.threads,
            use.processes, (double)use.cpu_ns / 1e9, test->opened, test->closed, test->joins, now_in,
            (unsigned long)(totals->audio_in + totals->video_in), (unsigned long)totals->lost,
            (unsigned long)totals->corrupt, (unsigned long)totals->undecryptable);
    return fflush(test->csv) == 0;
}

static bool play(soak *test)
{
    uint64_t start = cn_mono_ms(), end = start + test->o->seconds * 1000ull, next = start;
    bool alive = true;
    for (uint64_t now = start; alive && now < end; now = cn_mono_ms()) {
        turn(test, now);
        crowd_play(test->crowd, STEP_MS);
        if (now < next) continue;
        alive = sample(test, now - start);
        next += SAMPLE_MS;
    }
    for (unsigned i = 0; i < test->o->rooms; i++) meeting_end(test, &test->meetings[i], end);
    crowd_play(test->crowd, 3000);
    return sample(test, cn_mono_ms() - start) && alive;
}

bool soak_run(const host *machine, const soak_options *opts)
{
    crowd_shape shape = {.codec = CN_CODEC_VP8,
                         .fps = 10,
                         .layer = {{320, 180, 60}, {640, 360, 150}, {1280, 720, 300}},
                         .talkers = 1,
                         .microphones = 4,
                         .profile = opts->profile};
    soak test = {.host = machine, .o = opts, .random = 2463534242u};
    test.crowd = crowd_new(&shape);
    test.door = test.crowd ? door_open(test.crowd, machine->port, machine->user, machine->password) : NULL;
    test.meetings = cn_calloc(opts->rooms, sizeof *test.meetings);
    test.csv = fopen(opts->csv, "we");
    bool ok = test.door && test.meetings && test.csv;
    for (unsigned i = 0; ok && i < opts->rooms; i++)
        test.meetings[i] = (meeting){.room = i, .from_ms = cn_mono_ms() + i * 900};
    if (ok) {
        fputs(
            "seconds,pss_mib,own_mib,descriptors,threads,processes,cpu_s,rooms_opened,rooms_closed,joins,participants,"
            "packets,lost,corrupt,undecryptable\n",
            test.csv);
        ok = play(&test);
        const crowd_totals *totals = crowd_totals_get(test.crowd);
        printf("rooms opened %lu, joins %lu, refused %lu, packets %lu, lost %lu, corrupt %lu, not decrypted %lu, "
               "misnamed %lu\n",
               test.opened, test.joins, test.refused, (unsigned long)(totals->audio_in + totals->video_in),
               (unsigned long)totals->lost, (unsigned long)totals->corrupt, (unsigned long)totals->undecryptable,
               (unsigned long)totals->misnamed);
        ok = ok && !test.refused && !totals->corrupt && !totals->undecryptable;
    }
    if (test.csv && fclose(test.csv)) ok = false;
    free(test.meetings);
    door_close(test.door);
    crowd_free(test.crowd);
    return ok;
}
