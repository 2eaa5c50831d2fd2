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

typedef struct load_options {
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
} load_options;

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

static bool text_take(load_options *opts, int option, const char *value)
{
    static const char gcm[] = "SRTP_AEAD_AES_128_GCM", sha1[] = "SRTP_AES128_CM_SHA1_80";
    crowd_shape *shape = &opts->play.shape;
    if (option == 'n') opts->scene.name = value;
    if (option == 'V') opts->soak.csv = value;
    if (option == 'g') opts->program = value;
    if (option == 'J') opts->janus = value;
    if (option == 'D') opts->play.schedule = value;
    if (option == 'm') opts->media = value;
    if (option == 'T') opts->tiers = value;
    if (option == 'C') opts->play.ceiling = value;
    if (option == 'A') opts->play.save = value;
    if (option == 'k') shape->codec = strcmp(value, "h264") == 0 ? CN_CODEC_H264 : CN_CODEC_VP8;
    if (option == 'e')
        for (size_t i = 0; i < sizeof paces / sizeof *paces; i++)
            if (strcmp(value, paces[i]) == 0) shape->pace = (crowd_pace)i;
    if (option == 'R') opts->recording = value;
    if (option == 'p') shape->profile = strcmp(value, "sha1") == 0 ? sha1 : gcm;
    return strchr("nVgkepJDRmTCA", option) != NULL;
}

static bool parse(load_options *opts, int argc, char **argv)
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
            *(c == 'j' ? &opts->json : &opts->keep) = true;
            continue;
        }
        if (text_take(opts, c, optarg)) continue;
        if (!cn_parse_i64(optarg, -1, 1000000, &number)) return false;
        unsigned n = (unsigned)(number < 0 ? 0 : number);
        if (c == 'v') opts->scene.video = n;
        if (c == 'a') opts->scene.voice = n;
        if (c == 'r') opts->scene.rooms = n;
        if (c == 't') opts->play.seconds = n;
        if (c == 'w') opts->play.warm = n;
        if (c == 'W') opts->workers = n;
        if (c == 's') opts->play.server_cpu = (int)number;
        if (c == 'l') opts->load_cpu = (int)number;
        if (c == 'b') opts->play.shape.layer[RTC_LAYERS - 1].kbps = (uint16_t)(n > 60000 ? 60000 : n);
        if (c == 'S') opts->soak.seconds = n;
        if (c == 'F') opts->soak.faster = n ? n : 1;
        if (c == 'L') opts->janus_loops = n;
        if (c == 'f') opts->fps = n;
    }
    /* whose frames a slot shows is known from their bytes: so there is one camera */
    bool files = opts->tiers || opts->play.ceiling || opts->play.save;
    return opts->play.seconds && opts->scene.rooms &&
           (opts->media ? strcmp(opts->scene.name, "lecture") == 0 && opts->fps > 0 : !files);
}

static bool clean(const crowd_totals *totals)
{
    return !totals->lost && !totals->duplicates && !totals->disordered && !totals->corrupt && !totals->undecryptable &&
           !totals->misnamed && !totals->skipped && !totals->frames_altered && !totals->frames_missing;
}

/* By the heights of the layers' pictures. */
static json_t *seen_json(const crowd_frames *frames, const crowd_shape *shape)
{
    json_t *object = json_object();
    char height[16];
    for (unsigned i = 0; i < RTC_LAYERS; i++) {
        if (!shape->footage[i]) continue;
        (void)cn_fmt(height, sizeof height, "%u", shape->footage[i]->height);
        json_object_set_new(object, height, json_integer((json_int_t)frames->seen[i]));
    }
    return object;
}

/* What became of a file's frames. */
static json_t *frames_json(const play_result *result, const load_options *opts)
{
    const crowd_totals *totals = &result->totals;
    json_t *listeners = json_array();
    for (unsigned i = 0; i < result->listeners_n; i++) {
        const play_listener *listener = &result->listeners[i];
        json_array_append_new(listeners,
                              json_pack("{s:s, s:s, s:o, s:I, s:I}", "tier", listener->tier, "slot", listener->state,
                                        "frames_seen", seen_json(&listener->frames, &opts->play.shape),
                                        "frames_altered", (json_int_t)listener->frames.altered, "frames_missing",
                                        (json_int_t)listener->frames.missing));
    }
    json_t *object = json_pack("{s:I, s:I, s:I, s:I, s:I, s:o}", "frames_sent", (json_int_t)totals->frames_sent,
                               "frames_seen", (json_int_t)totals->frames_seen, "frames_altered",
                               (json_int_t)totals->frames_altered, "frames_missing", (json_int_t)totals->frames_missing,
                               "frames_cut", (json_int_t)totals->frames_cut, "listeners", listeners);
    json_object_set_new(object, "settled_seconds", json_real(result->settled_s));
    if (result->ceiling_ms < 0) return object;
    json_object_set_new(object, "ceiling_ms", json_real(result->ceiling_ms));
    json_object_set_new(object, "ceiling_frames", seen_json(&result->ceiling_frames, &opts->play.shape));
    json_object_set_new(object, "ceiling_slot", json_string(result->ceiling_state));
    return object;
}

static void counts_add(json_t *object, const crowd_totals *totals)
{
    const struct {
        const char *name;
        uint64_t value;
    } counts[] = {{"lost", totals->lost},
                  {"recovered", totals->recovered},
                  {"repeated", totals->repeated},
                  {"duplicates", totals->duplicates},
                  {"disordered", totals->disordered},
                  {"skipped", totals->skipped},
                  {"corrupt", totals->corrupt},
                  {"undecryptable", totals->undecryptable},
                  {"misnamed", totals->misnamed},
                  {"switches", totals->switches},
                  {"plis", totals->plis},
                  {"nacks_in", totals->nacks_in},
                  {"nacks_out", totals->nacks_out},
                  {"resent", totals->resent},
                  {"bytes_in", totals->bytes_in}};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        json_object_set_new(object, counts[i].name, json_integer((json_int_t)counts[i].value));
}

static json_t *result_json(const play_result *result, const load_options *opts)
{
    const crowd_totals *totals = &result->totals;
    double delivered = (double)(totals->audio_in + totals->video_in);
    double cpu = (double)(result->after.cpu_ns - result->before.cpu_ns + result->softirq_ns) / 1e9;
    json_t *object = json_pack("{s:s, s:s, s:s, s:s, s:s}", "server", result->server, "scene", opts->scene.name,
                               "codec", opts->play.shape.codec == CN_CODEC_VP8 ? "VP8" : "H264", "pace",
                               paces[opts->play.shape.pace], "srtp", result->profile);
    json_t *more = json_pack("{s:f, s:f, s:i, s:i, s:I, s:I, s:I, s:I}", "seconds", result->seconds, "join_seconds",
                             result->join_seconds, "streams_wanted", (int)result->streams_wanted, "streams_delivered",
                             (int)result->streams_delivered, "audio_sent", (json_int_t)totals->audio_sent, "video_sent",
                             (json_int_t)totals->video_sent, "audio_in", (json_int_t)totals->audio_in, "video_in",
                             (json_int_t)totals->video_in);
    json_object_update(object, more);
    json_decref(more);
    counts_add(object, totals);
    more = json_pack("{s:f, s:f, s:f, s:f, s:f, s:f, s:b, s:f, s:f, s:f, s:f}", "packets_per_s",
                     delivered / result->seconds, "us_per_packet", delivered > 0 ? cpu * 1e6 / delivered : 0.0,
                     "cpu_s_per_million", delivered > 0 ? cpu * 1e6 / delivered : 0.0, "core_percent",
                     100 * cpu / result->seconds, "softirq_percent", (double)result->softirq_ns / 1e7 / result->seconds,
                     "generator_percent", 100 * result->own_cpu, "ksoftirqd_known", (int)result->softirq_known,
                     "pss_mib", (double)result->after.pss_bytes / 1048576, "delay_p50_ms",
                     crowd_delay_ms(totals->delays, 0.5), "delay_p95_ms", crowd_delay_ms(totals->delays, 0.95),
                     "delay_p99_ms", crowd_delay_ms(totals->delays, 0.99));
    json_object_update(object, more);
    json_decref(more);
    more = json_pack("{s:I, s:f, s:I}", "kept_packets", (json_int_t)crowd_delays(totals->kept), "kept_p99_ms",
                     crowd_delay_ms(totals->kept, 0.99), "audio_streams_missing", (json_int_t)result->audio_missing);
    json_object_update(object, more);
    json_decref(more);
    if (!opts->media)
        json_object_set_new(object, "direct_p99_ms", json_real(crowd_delay_ms(result->direct.delays, 0.99)));
    json_object_set_new(object, "processes", json_integer((json_int_t)result->after.processes));
    if (opts->media) {
        more = frames_json(result, opts);
        json_object_update(object, more);
        json_decref(more);
    }
    json_object_set_new(object, "clean", json_boolean(clean(totals)));
    return object;
}

static void print(const json_t *object, bool as_json)
{
    const char *key;
    json_t *value;
    if (as_json) {
        (void)json_dumpf(object, stdout, JSON_REAL_PRECISION(6));
        putchar('\n');
        return;
    }
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(5));
        printf("%-18s %s\n", key, text ? text : "");
        free(text);
    }
}

static bool against_consilium(play_result *result, const scene *setting, const load_options *opts)
{
    host machine;
    host_shape shape = {.program = opts->program,
                        .cpu = opts->play.server_cpu,
                        .workers = opts->workers,
                        .rooms = setting->rooms,
                        .video_max = 200,
                        .voice_max = 1000};
    if (!host_start(&machine, &shape)) return false;
    bool ok = play_consilium(result, &machine, setting, &opts->play);
    host_stop(&machine, opts->keep || !ok);
    return ok;
}

static bool against_janus(play_result *result, const scene *setting, const load_options *opts)
{
    gateway_host gateway;
    if (!gateway_start(&gateway, opts->janus, opts->play.server_cpu, setting->rooms, opts->play.shape.codec,
                       opts->janus_loops))
        return false;
    bool ok = play_janus(result, &gateway, setting, &opts->play);
    gateway_stop(&gateway, opts->keep || !ok);
    return ok;
}

static int play(load_options *opts)
{
    media plane = {0};
    scene setting;
    play_result *result = calloc(1, sizeof *result);
    if (opts->media && !media_open(&plane, opts->media, opts->tiers, opts->fps, &opts->play, &opts->scene)) return 2;
    if (!result || !scene_make(&setting, &opts->scene)) return usage(), 2;
    bool ok = opts->janus ? against_janus(result, &setting, opts) : against_consilium(result, &setting, opts);
    if (ok) {
        json_t *object = result_json(result, opts);
        print(object, opts->json);
        json_decref(object);
    }
    int status = !ok ? 1 : clean(&result->totals) ? 0 : 3;
    scene_free(&setting);
    free(result);
    media_close(&plane);
    return status;
}

static int soak(const load_options *opts)
{
    host machine;
    host_shape shape = {.program = opts->program,
                        .cpu = -1,
                        .workers = 2,
                        .rooms = opts->soak.rooms,
                        .video_max = 30,
                        .voice_max = 200};
    if (!host_start(&machine, &shape)) return 1;
    bool ok = soak_run(&machine, &opts->soak);
    host_stop(&machine, opts->keep || !ok);
    return ok ? 0 : 3;
}

int main(int argc, char **argv)
{
    static char dir[1024], program[1100];
    load_options opts = {.scene = {.name = "consultation",
                                   .video = 30,
                                   .voice = 200,
                                   .rooms = 100,
                                   .layers = 1,
                                   .width = 1280,
                                   .height = 720},
                         .play = {.shape = {.codec = CN_CODEC_VP8,
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
    opts.program = program;
    (void)text_take(&opts, 'p', "gcm");
    if (!parse(&opts, argc, argv)) {
        usage();
        return 2;
    }
    recording tape = {0};
    if (opts.play.shape.pace == CROWD_RECORDED && !recording_read(&tape, opts.recording)) {
        fprintf(stderr, "bench-load: cannot read the recording %s\n", opts.recording);
        return 1;
    }
    opts.play.shape.recording = &tape;
    opts.soak.profile = opts.play.shape.profile;
    opts.soak.rooms = opts.scene.rooms == 100 ? 4 : opts.scene.rooms;
    opts.play.shape.microphones =
        strcmp(opts.scene.name, "clinics") == 0 ? 2 * opts.scene.rooms : opts.scene.video + opts.scene.voice;
    const struct rlimit files = {65536, 65536};
    (void)setrlimit(RLIMIT_NOFILE, &files); /* servers inherit it */
    if (opts.soak.seconds) return soak(&opts);
    if (opts.load_cpu >= 0) (void)cpu_pin(opts.load_cpu);
    int status = play(&opts);
    recording_free(&tape);
    return status;
}
