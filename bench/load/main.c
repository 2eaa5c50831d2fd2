/*
 * Many participants in one process, against a real server on a core of its own. Every packet that arrives is decrypted
 * and compared, byte by byte, with what its sender wrote.
 */
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/child.h"
#include "base/str.h"
#include "cpu.h"
#include "host.h"
#include "media.h"
#include "play.h"
#include "scene.h"
#include "soak.h"

typedef struct options {
    scene_options scene;
    play_options play;
    soak_options soak;
    const char *media, *tiers; /* files, what the listeners want: NULL: none, 4k */
    unsigned fps;
    const char *program, *janus; /* janus: the script that serves; NULL: Consilium is measured */
    const char *recording;
    int load_cpu;
    unsigned janus_loops;
    unsigned workers;
    bool json, keep;
} options;

static const char *const paces[] = {[CROWD_EVEN] = "even", [CROWD_BURST] = "burst", [CROWD_RECORDED] = "recorded"};

static void usage(void)
{
    puts("bench-load [--scene consultation|lecture|clinics] [--video N] [--voice N] [--rooms N] [--seconds N] [--warm "
         "N]\n"
         "           [--codec vp8|h264] [--pace even|burst|recorded] [--profile gcm|sha1] [--server-cpu N] [--load-cpu "
         "N]\n"
         "           [--workers N] [--program FILE] [--janus bench/janus/serve.sh [--janus-loops N]]\n           "
         "[--recording FILE] [--keep] [--json]\n"
         "bench-load --scene lecture --media FILE[,FILE[,FILE]] [--fps N] [--tiers TIER[,TIER…]] [--ceiling TIER] "
         "[--save "
         "FILE] …\n"
         "bench-load --soak SECONDS [--csv FILE] [--rooms N] [--faster N]");
}

static bool text_take(options *o, int c, const char *value)
{
    static const char gcm[] = "SRTP_AEAD_AES_128_GCM", sha1[] = "SRTP_AES128_CM_SHA1_80";
    crowd_shape *shape = &o->play.shape;
    if (c == 'n') o->scene.name = value;
    if (c == 'V') o->soak.csv = value;
    if (c == 'g') o->program = value;
    if (c == 'J') o->janus = value;
    if (c == 'D') o->play.schedule = value;
    if (c == 'm') o->media = value;
    if (c == 'T') o->tiers = value;
    if (c == 'C') o->play.ceiling = value;
    if (c == 'A') o->play.save = value;
    if (c == 'k') shape->codec = strcmp(value, "h264") == 0 ? PAYLOAD_H264 : PAYLOAD_VP8;
    if (c == 'e')
        for (size_t i = 0; i < sizeof paces / sizeof *paces; i++)
            if (strcmp(value, paces[i]) == 0) shape->pace = (crowd_pace)i;
    if (c == 'R') o->recording = value;
    if (c == 'p') shape->profile = strcmp(value, "sha1") == 0 ? sha1 : gcm;
    return strchr("nVgkepJDRmTCA", c) != NULL;
}

static bool parse(options *o, int argc, char **argv)
{
    static const struct option longs[] = {
        {"scene", 1, 0, 'n'},      {"video", 1, 0, 'v'},       {"voice", 1, 0, 'a'},
        {"rooms", 1, 0, 'r'},      {"seconds", 1, 0, 't'},     {"warm", 1, 0, 'w'},
        {"codec", 1, 0, 'k'},      {"pace", 1, 0, 'e'},        {"profile", 1, 0, 'p'},
        {"server-cpu", 1, 0, 's'}, {"load-cpu", 1, 0, 'l'},    {"workers", 1, 0, 'W'},
        {"program", 1, 0, 'g'},    {"json", 0, 0, 'j'},        {"keep", 0, 0, 'K'},
        {"soak", 1, 0, 'S'},       {"faster", 1, 0, 'F'},      {"schedule", 1, 0, 'D'},
        {"kbps", 1, 0, 'b'},       {"csv", 1, 0, 'V'},         {"recording", 1, 0, 'R'},
        {"janus", 1, 0, 'J'},      {"janus-loops", 1, 0, 'L'}, {"media", 1, 0, 'm'},
        {"fps", 1, 0, 'f'},        {"tiers", 1, 0, 'T'},       {"ceiling", 1, 0, 'C'},
        {"save", 1, 0, 'A'},       {"help", 0, 0, 'h'},        {0, 0, 0, 0}};
    for (int c; (c = getopt_long(argc, argv, "", longs, NULL)) >= 0;) {
        int64_t number = 0;
        if (c == 'h' || c == '?') return false;
        if (!optarg) {
            *(c == 'j' ? &o->json : &o->keep) = true;
            continue;
        }
        if (text_take(o, c, optarg)) continue;
        if (!cn_parse_i64(optarg, -1, 1000000, &number)) return false;
        unsigned n = (unsigned)(number < 0 ? 0 : number);
        if (c == 'v') o->scene.video = n;
        if (c == 'a') o->scene.voice = n;
        if (c == 'r') o->scene.rooms = n;
        if (c == 't') o->play.seconds = n;
        if (c == 'w') o->play.warm = n;
        if (c == 'W') o->workers = n;
        if (c == 's') o->play.server_cpu = (int)number;
        if (c == 'l') o->load_cpu = (int)number;
        if (c == 'b') o->play.shape.layer[CROWD_LAYERS - 1].kbps = (uint16_t)(n > 60000 ? 60000 : n);
        if (c == 'S') o->soak.seconds = n;
        if (c == 'F') o->soak.faster = n ? n : 1;
        if (c == 'L') o->janus_loops = n;
        if (c == 'f') o->fps = n;
    }
    /* whose frames a slot shows is known from their bytes: so there is one camera */
    bool files = o->tiers || o->play.ceiling || o->play.save;
    return o->play.seconds && o->scene.rooms &&
           (o->media ? strcmp(o->scene.name, "lecture") == 0 && o->fps > 0 : !files);
}

static bool clean(const crowd_totals *t)
{
    return !t->lost && !t->duplicates && !t->disordered && !t->corrupt && !t->undecryptable && !t->misnamed &&
           !t->skipped && !t->frames_altered && !t->frames_missing;
}

/* By the heights of the layers' pictures. */
static json_t *seen_json(const crowd_frames *frames, const crowd_shape *shape)
{
    json_t *j = json_object();
    char height[16];
    for (unsigned i = 0; i < CROWD_LAYERS; i++) {
        if (!shape->footage[i]) continue;
        (void)cn_fmt(height, sizeof height, "%u", shape->footage[i]->height);
        json_object_set_new(j, height, json_integer((json_int_t)frames->seen[i]));
    }
    return j;
}

/* What became of a file's frames. */
static json_t *frames_json(const play_result *r, const options *o)
{
    const crowd_totals *t = &r->totals;
    json_t *listeners = json_array();
    for (unsigned i = 0; i < r->listeners_n; i++) {
        const play_listener *l = &r->listeners[i];
        json_array_append_new(listeners, json_pack("{s:s, s:s, s:o, s:I, s:I}", "tier", l->tier, "slot", l->state,
                                                   "frames_seen", seen_json(&l->frames, &o->play.shape),
                                                   "frames_altered", (json_int_t)l->frames.altered, "frames_missing",
                                                   (json_int_t)l->frames.missing));
    }
    json_t *j =
        json_pack("{s:I, s:I, s:I, s:I, s:I, s:o}", "frames_sent", (json_int_t)t->frames_sent, "frames_seen",
                  (json_int_t)t->frames_seen, "frames_altered", (json_int_t)t->frames_altered, "frames_missing",
                  (json_int_t)t->frames_missing, "frames_cut", (json_int_t)t->frames_cut, "listeners", listeners);
    json_object_set_new(j, "settled_seconds", json_real(r->settled_s));
    if (r->ceiling_ms < 0) return j;
    json_object_set_new(j, "ceiling_ms", json_real(r->ceiling_ms));
    json_object_set_new(j, "ceiling_frames", seen_json(&r->ceiling_frames, &o->play.shape));
    json_object_set_new(j, "ceiling_slot", json_string(r->ceiling_state));
    return j;
}

static json_t *result_json(const play_result *r, const options *o)
{
    const crowd_totals *t = &r->totals;
    double delivered = (double)(t->audio_in + t->video_in);
    double cpu = (double)(r->after.cpu_ns - r->before.cpu_ns + r->softirq_ns) / 1e9;
    json_t *j = json_pack("{s:s, s:s, s:s, s:s, s:s}", "server", r->server, "scene", o->scene.name, "codec",
                          o->play.shape.codec == PAYLOAD_VP8 ? "VP8" : "H264", "pace", paces[o->play.shape.pace],
                          "srtp", r->profile);
    json_t *more =
        json_pack("{s:f, s:f, s:i, s:i, s:I, s:I, s:I, s:I}", "seconds", r->seconds, "join_seconds", r->join_seconds,
                  "streams_wanted", (int)r->streams_wanted, "streams_delivered", (int)r->streams_delivered,
                  "audio_sent", (json_int_t)t->audio_sent, "video_sent", (json_int_t)t->video_sent, "audio_in",
                  (json_int_t)t->audio_in, "video_in", (json_int_t)t->video_in);
    json_object_update(j, more);
    json_decref(more);
    const struct {
        const char *name;
        uint64_t value;
    } counts[] = {{"lost", t->lost},
                  {"recovered", t->recovered},
                  {"repeated", t->repeated},
                  {"duplicates", t->duplicates},
                  {"disordered", t->disordered},
                  {"skipped", t->skipped},
                  {"corrupt", t->corrupt},
                  {"undecryptable", t->undecryptable},
                  {"misnamed", t->misnamed},
                  {"switches", t->switches},
                  {"plis", t->plis},
                  {"nacks_in", t->nacks_in},
                  {"nacks_out", t->nacks_out},
                  {"resent", t->resent},
                  {"bytes_in", t->bytes_in}};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        json_object_set_new(j, counts[i].name, json_integer((json_int_t)counts[i].value));
    more = json_pack("{s:f, s:f, s:f, s:f, s:f, s:f, s:b, s:f, s:f, s:f, s:f}", "packets_per_s", delivered / r->seconds,
                     "us_per_packet", delivered > 0 ? cpu * 1e6 / delivered : 0.0, "cpu_s_per_million",
                     delivered > 0 ? cpu * 1e6 / delivered : 0.0, "core_percent", 100 * cpu / r->seconds,
                     "softirq_percent", (double)r->softirq_ns / 1e7 / r->seconds, "generator_percent", 100 * r->own_cpu,
                     "ksoftirqd_known", (int)r->softirq_known, "pss_mib", (double)r->after.pss_bytes / 1048576,
                     "delay_p50_ms", crowd_delay_ms(t->delays, 0.5), "delay_p95_ms", crowd_delay_ms(t->delays, 0.95),
                     "delay_p99_ms", crowd_delay_ms(t->delays, 0.99));
    json_object_update(j, more);
    json_decref(more);
    more = json_pack("{s:I, s:f, s:I}", "kept_packets", (json_int_t)crowd_delays(t->kept), "kept_p99_ms",
                     crowd_delay_ms(t->kept, 0.99), "audio_streams_missing", (json_int_t)r->audio_missing);
    json_object_update(j, more);
    json_decref(more);
    if (!o->media) json_object_set_new(j, "direct_p99_ms", json_real(crowd_delay_ms(r->direct.delays, 0.99)));
    json_object_set_new(j, "processes", json_integer((json_int_t)r->after.processes));
    if (o->media) {
        more = frames_json(r, o);
        json_object_update(j, more);
        json_decref(more);
    }
    json_object_set_new(j, "clean", json_boolean(clean(t)));
    return j;
}

static void print(const json_t *j, bool as_json)
{
    const char *key;
    json_t *value;
    if (as_json) {
        (void)json_dumpf(j, stdout, JSON_REAL_PRECISION(6));
        putchar('\n');
        return;
    }
    json_object_foreach((json_t *)(uintptr_t)j, key, value)
    {
        char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(5));
        printf("%-18s %s\n", key, text ? text : "");
        free(text);
    }
}

static bool against_consilium(play_result *r, const scene *s, const options *o)
{
    host h;
    host_shape shape = {.program = o->program,
                        .cpu = o->play.server_cpu,
                        .workers = o->workers,
                        .rooms = s->rooms,
                        .video_max = 200,
                        .voice_max = 1000};
    if (!host_start(&h, &shape)) return false;
    bool ok = play_consilium(r, &h, s, &o->play);
    host_stop(&h, o->keep || !ok);
    return ok;
}

static bool against_janus(play_result *r, const scene *s, const options *o)
{
    gateway_host h;
    if (!gateway_start(&h, o->janus, o->play.server_cpu, s->rooms, o->play.shape.codec, o->janus_loops)) return false;
    bool ok = play_janus(r, &h, s, &o->play);
    gateway_stop(&h, o->keep || !ok);
    return ok;
}

static int play(options *o)
{
    media m = {0};
    scene s;
    play_result *r = calloc(1, sizeof *r);
    if (o->media && !media_open(&m, o->media, o->tiers, o->fps, &o->play, &o->scene)) return 2;
    if (!r || !scene_make(&s, &o->scene)) return usage(), 2;
    bool ok = o->janus ? against_janus(r, &s, o) : against_consilium(r, &s, o);
    if (ok) {
        json_t *j = result_json(r, o);
        print(j, o->json);
        json_decref(j);
    }
    int status = !ok ? 1 : clean(&r->totals) ? 0 : 3;
    scene_free(&s);
    free(r);
    media_close(&m);
    return status;
}

static int soak(const options *o)
{
    host h;
    host_shape shape = {
        .program = o->program, .cpu = -1, .workers = 2, .rooms = o->soak.rooms, .video_max = 30, .voice_max = 200};
    if (!host_start(&h, &shape)) return 1;
    bool ok = soak_run(&h, &o->soak);
    host_stop(&h, o->keep || !ok);
    return ok ? 0 : 3;
}

int main(int argc, char **argv)
{
    static char dir[1024], program[1100];
    options o = {.scene = {.name = "consultation",
                           .video = 30,
                           .voice = 200,
                           .rooms = 100,
                           .layers = 1,
                           .width = 1280,
                           .height = 720},
                 .play = {.shape = {.codec = PAYLOAD_VP8,
                                    .fps = 30,
                                    .layer = {{320, 180, 150}, {640, 360, 500}, {1280, 720, 1500}},
                                    .talkers = 6},
                          .warm = 10,
                          .seconds = 10,
                          .server_cpu = 0},
                 .soak = {.csv = "soak.csv", .faster = 1},
                 .recording = CN_RECORDING,
                 .fps = 30,
                 .load_cpu = 1,
                 .workers = 1};
    if (cn_program_dir(dir, sizeof dir) || !cn_fmt(program, sizeof program, "%s/../consilium", dir)) return 1;
    o.program = program;
    (void)text_take(&o, 'p', "gcm");
    if (!parse(&o, argc, argv)) {
        usage();
        return 2;
    }
    recording r = {0};
    if (o.play.shape.pace == CROWD_RECORDED && !recording_read(&r, o.recording)) {
        fprintf(stderr, "bench-load: cannot read the recording %s\n", o.recording);
        return 1;
    }
    o.play.shape.recording = &r;
    o.soak.profile = o.play.shape.profile;
    o.soak.rooms = o.scene.rooms == 100 ? 4 : o.scene.rooms;
    o.play.shape.microphones = strcmp(o.scene.name, "clinics") == 0 ? 2 * o.scene.rooms : o.scene.video + o.scene.voice;
    const struct rlimit files = {65536, 65536};
    (void)setrlimit(RLIMIT_NOFILE, &files); /* servers inherit it */
    if (o.soak.seconds) return soak(&o);
    if (o.load_cpu >= 0) (void)cpu_pin(o.load_cpu);
    int status = play(&o);
    recording_free(&r);
    return status;
}
