/*
 * What forwarding a packet costs: the SFU in one process on one core, a room of real clients (ICE, DTLS, SRTP,
 * feedback) in another. Every packet that arrives is decrypted and its payload checked.
 */
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/str.h"
#include "cpu.h"
#include "room.h"
#include "server.h"

typedef struct forward_options {
    room_shape shape;
    unsigned seconds, workers;
    int server_cpu, client_cpu;
    bool json;
    const char *schedule;
} forward_options;

typedef struct forward_outcome {
    room_counts room;
    bench_stats before, after;
    double wall_s;
} forward_outcome;

static void usage(void)
{
    puts("bench-forward [--video N] [--voice N] [--speakers N] [--slots N] [--kbps N] [--fps N] [--spread] [--seconds "
         "N] [--server-cpu N]\n"
         "              [--client-cpu N] [--workers N] [--json] [--schedule FILE]\n"
         "  one room; each participant watches `slots` cameras and hears the loudest five; packets of a frame come at "
         "once, or with\n"
         "  --spread evenly");
}

static bool parse(forward_options *opts, int argc, char **argv)
{
    static const struct option longs[] = {{"video", 1, 0, 'v'},      {"voice", 1, 0, 'a'},   {"speakers", 1, 0, 'p'},
                                          {"slots", 1, 0, 's'},      {"kbps", 1, 0, 'k'},    {"fps", 1, 0, 'f'},
                                          {"spread", 0, 0, 'e'},     {"seconds", 1, 0, 't'}, {"server-cpu", 1, 0, 'c'},
                                          {"client-cpu", 1, 0, 'd'}, {"json", 0, 0, 'j'},    {"help", 0, 0, 'h'},
                                          {"schedule", 1, 0, 'r'},   {"workers", 1, 0, 'w'}, {0, 0, 0, 0}};
    for (int c; (c = getopt_long(argc, argv, "", longs, NULL)) >= 0;) {
        int64_t number = 0;
        if (c == 'h' || c == '?' || (optarg && c != 'r' && !cn_parse_i64(optarg, -1, 100000, &number))) return false;
        unsigned n = (unsigned)(number < 0 ? 0 : number);
        if (c == 'v') opts->shape.video = n;
        if (c == 'a') opts->shape.voice = n;
        if (c == 'p') opts->shape.speakers = n;
        if (c == 's') opts->shape.slots = n;
        if (c == 'k') opts->shape.kbps = n;
        if (c == 'f') opts->shape.fps = n;
        if (c == 'e') opts->shape.spread = true;
        if (c == 't') opts->seconds = n;
        if (c == 'w') opts->workers = n;
        if (c == 'c') opts->server_cpu = (int)number;
        if (c == 'd') opts->client_cpu = (int)number;
        if (c == 'j') opts->json = true;
        if (c == 'r') opts->schedule = optarg;
    }
    opts->shape.record = opts->schedule != NULL;
    return opts->shape.video && opts->shape.fps && opts->shape.slots <= BENCH_SLOTS && opts->workers &&
           opts->workers <= BENCH_WORKERS;
}

static bool measure(forward_outcome *out, const forward_options *opts)
{
    bench_server server;
    if (!bench_server_start(&server, opts->server_cpu, opts->workers)) return false;
    if (opts->client_cpu >= 0) (void)cpu_pin(opts->client_cpu);
    room *played = room_new(&server, &opts->shape);
    bool ok = played != NULL;
    if (ok) {
        room_play(played, 3000); /* key frames, estimates, first bindings */
        room_reset(played);
        ok = bench_server_stats(&server, &out->before);
        uint64_t start = cn_mono_ns();
        room_play(played, opts->seconds * 1000);
        ok = ok && bench_server_stats(&server, &out->after);
        out->wall_s = (double)(cn_mono_ns() - start) / 1e9;
        if (opts->schedule) ok = room_schedule_write(played, opts->schedule) && ok;
        room_counts_get(played, &out->room);
    }
    room_free(played);
    if (bench_server_stop(&server)) return ok;
    fprintf(stderr, "forward: the server did not end well\n");
    return false;
}

/* Of all workers, between two looks. */
static cn_media_worker passed(const forward_outcome *result)
{
    cn_media_worker sum = {0};
    for (unsigned i = 0; i < result->after.workers; i++) {
        const cn_media_worker *worker = &result->after.worker[i], *media_worker = &result->before.worker[i];
        sum.messages += worker->messages - media_worker->messages;
        sum.gso_messages += worker->gso_messages - media_worker->gso_messages;
        sum.gso_datagrams += worker->gso_datagrams - media_worker->gso_datagrams;
        sum.send_calls += worker->send_calls - media_worker->send_calls;
        sum.link_drops += worker->link_drops - media_worker->link_drops;
        for (size_t k = 0; k < CN_MEDIA_DELAYS; k++) sum.delay[k] += worker->delay[k] - media_worker->delay[k];
    }
    return sum;
}

/* Upper bound in ms below which so large a share of the forwarded packets stayed in the server. */
static double delay_bound_ms(const cn_media_worker *worker, double share)
{
    uint64_t all = 0, below = 0;
    for (size_t k = 0; k < CN_MEDIA_DELAYS; k++) all += worker->delay[k];
    for (size_t k = 0; k + 1 < CN_MEDIA_DELAYS; k++) {
        below += worker->delay[k];
        if ((double)below >= share * (double)all) return cn_media_delay_us[k] / 1000.0;
    }
    return INFINITY;
}

static void report_workers(const forward_outcome *result, bool json)
{
    cn_media_worker worker = passed(result);
    double datagrams = (double)(worker.messages - worker.gso_messages + worker.gso_datagrams);
    double run = worker.messages ? datagrams / (double)worker.messages : 0,
           call = worker.send_calls ? datagrams / (double)worker.send_calls : 0;
    double delay = delay_bound_ms(&worker, 0.99);
    printf(json ? "\"gso_run\":%.2f,\"per_send_call\":%.1f,\"server_delay_p99_below_ms\":%.2f,\"link_drops\":%.0f,"
                  "\"workers\":["
                : "mean GSO run %.2f, datagrams per send call %.1f, in the server p99 below %.2f ms, dropped between "
                  "workers %.0f\n",
           run, call, isinf(delay) ? 1e6 : delay, (double)worker.link_drops);
    for (unsigned i = 0; i < result->after.workers; i++) {
        double forwarded = (double)(result->after.worker[i].forwarded - result->before.worker[i].forwarded);
        printf(json ? "%s{\"peers\":%.0f,\"forwarded\":%.0f}" : "%sworker: %.0f peers, %.0f packets forwarded\n",
               i && json ? "," : "", (double)result->after.worker[i].peers, forwarded);
    }
    if (json) printf("]}\n");
}

static void report(const forward_outcome *result, const forward_options *opts)
{
    double forwarded = (double)(result->after.forwarded - result->before.forwarded);
    double cpu_ns = (double)(result->after.cpu_ns - result->before.cpu_ns),
           soft_ns = (double)(result->after.softirq_ns - result->before.softirq_ns);
    double delivered = (double)(result->room.video_in + result->room.audio_in);
    unsigned n = opts->shape.video + opts->shape.voice;
    const char *format =
        opts->json
            ? "{\"participants\":%u,\"video\":%u,\"forwarded\":%.0f,\"delivered\":%.0f,\"video_in\":%.0f,\"audio_"
              "in\":%.0f,"
              "\"not_decrypted\":%.0f,\"foreign\":%.0f,\"missing\":%.0f,\"us_per_packet\":%.3f,\"softirq_us_per_"
              "packet\":%.3f,"
              "\"core_percent\":%.1f,\"packets_per_s\":%.0f,\"delay_p50_ms\":%.2f,\"delay_p99_ms\":%.2f,\"delay_"
              "max_ms\":%.2f,\"rss_mib\":%.1f,"
              "\"bad_at_server\":%.0f,\"seconds\":%.2f,"
            : "participants %u (%u with video)\nforwarded %.0f, delivered %.0f (video %.0f, audio %.0f)\n"
              "not decrypted %.0f, foreign %.0f, missing %.0f\nCPU per forwarded packet %.3f us (ksoftirqd %.3f us "
              "of it)\n"
              "core %.1f %%, %.0f packets/s\ndelay p50 %.2f ms, p99 %.2f ms, max %.2f ms (clients "
              "included)\nmemory %.1f MiB\n"
              "bad datagrams at the server %.0f\nmeasured for %.2f s\n";
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    printf(format, n, opts->shape.video, forwarded, delivered, (double)result->room.video_in,
           (double)result->room.audio_in, (double)result->room.bad, (double)result->room.foreign,
           (double)result->room.missing, (cpu_ns + soft_ns) / forwarded / 1000, soft_ns / forwarded / 1000,
           (cpu_ns + soft_ns) / result->wall_s / 1e7, forwarded / result->wall_s, result->room.delay_p50_ms,
           result->room.delay_p99_ms, result->room.delay_max_ms, (double)result->after.rss_bytes / 1048576,
           (double)(result->after.bad - result->before.bad), result->wall_s);
#pragma GCC diagnostic pop
    report_workers(result, opts->json);
}

int main(int argc, char **argv)
{
    forward_options opts = {.shape = {.video = 30, .voice = 200, .speakers = 5, .slots = 4, .kbps = 300, .fps = 15},
                            .seconds = 10,
                            .workers = 1,
                            .server_cpu = 0,
                            .client_cpu = 1};
    if (!parse(&opts, argc, argv)) {
        usage();
        return 2;
    }
    forward_outcome result;
    if (!measure(&result, &opts)) return 1;
    report(&result, &opts);
    bool clean = !result.room.bad && !result.room.foreign && result.room.video_in && result.room.audio_in;
    if (!clean) fprintf(stderr, "forward: not everything that should have arrived did\n");
    return clean ? 0 : 1;
}
