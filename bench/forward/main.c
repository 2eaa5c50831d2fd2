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
#include "crowd.h"
#include "server.h"

typedef struct options {
    crowd_shape shape;
    unsigned seconds, workers;
    int server_cpu, client_cpu;
    bool json;
    const char *schedule;
} options;

typedef struct outcome {
    crowd_counts crowd;
    bench_stats before, after;
    double wall_s;
} outcome;

static void usage(void)
{
    puts("bench-forward [--video N] [--voice N] [--speakers N] [--slots N] [--kbps N] [--fps N] [--spread] [--seconds "
         "N] [--server-cpu N]\n"
         "              [--client-cpu N] [--workers N] [--json] [--schedule FILE]\n"
         "  one room; each participant watches `slots` cameras and hears the loudest five; packets of a frame come at "
         "once, or with\n"
         "  --spread evenly");
}

static bool parse(options *o, int argc, char **argv)
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
        if (c == 'v') o->shape.video = n;
        if (c == 'a') o->shape.voice = n;
        if (c == 'p') o->shape.speakers = n;
        if (c == 's') o->shape.slots = n;
        if (c == 'k') o->shape.kbps = n;
        if (c == 'f') o->shape.fps = n;
        if (c == 'e') o->shape.spread = true;
        if (c == 't') o->seconds = n;
        if (c == 'w') o->workers = n;
        if (c == 'c') o->server_cpu = (int)number;
        if (c == 'd') o->client_cpu = (int)number;
        if (c == 'j') o->json = true;
        if (c == 'r') o->schedule = optarg;
    }
    o->shape.record = o->schedule != NULL;
    return o->shape.video && o->shape.fps && o->shape.slots <= BENCH_SLOTS && o->workers && o->workers <= BENCH_WORKERS;
}

static bool measure(outcome *out, const options *o)
{
    bench_server server;
    if (!bench_server_start(&server, o->server_cpu, o->workers)) return false;
    if (o->client_cpu >= 0) (void)cpu_pin(o->client_cpu);
    crowd *c = crowd_new(&server, &o->shape);
    bool ok = c != NULL;
    if (ok) {
        crowd_play(c, 3000); /* key frames, estimates, first bindings */
        crowd_reset(c);
        ok = bench_server_stats(&server, &out->before);
        uint64_t start = cn_mono_ns();
        crowd_play(c, o->seconds * 1000);
        ok = ok && bench_server_stats(&server, &out->after);
        out->wall_s = (double)(cn_mono_ns() - start) / 1e9;
        crowd_counts_get(c, &out->crowd);
        if (o->schedule) ok = crowd_schedule_write(c, o->schedule) && ok;
    }
    crowd_free(c);
    if (bench_server_stop(&server)) return ok;
    fprintf(stderr, "forward: the server did not end well\n");
    return false;
}

/* Of all workers, between two looks. */
static cn_media_worker passed(const outcome *r)
{
    cn_media_worker sum = {0};
    for (unsigned i = 0; i < r->after.workers; i++) {
        const cn_media_worker *a = &r->after.worker[i], *b = &r->before.worker[i];
        sum.messages += a->messages - b->messages;
        sum.gso_messages += a->gso_messages - b->gso_messages;
        sum.gso_datagrams += a->gso_datagrams - b->gso_datagrams;
        sum.send_calls += a->send_calls - b->send_calls;
        sum.link_drops += a->link_drops - b->link_drops;
        for (size_t k = 0; k < CN_MEDIA_DELAYS; k++) sum.delay[k] += a->delay[k] - b->delay[k];
    }
    return sum;
}

/* Upper bound in ms below which so large a share of the forwarded packets stayed in the server. */
static double delay_bound_ms(const cn_media_worker *w, double share)
{
    uint64_t all = 0, below = 0;
    for (size_t k = 0; k < CN_MEDIA_DELAYS; k++) all += w->delay[k];
    for (size_t k = 0; k + 1 < CN_MEDIA_DELAYS; k++) {
        below += w->delay[k];
        if ((double)below >= share * (double)all) return cn_media_delay_us[k] / 1000.0;
    }
    return INFINITY;
}

static void report_workers(const outcome *r, bool json)
{
    cn_media_worker w = passed(r);
    double datagrams = (double)(w.messages - w.gso_messages + w.gso_datagrams);
    double run = w.messages ? datagrams / (double)w.messages : 0,
           call = w.send_calls ? datagrams / (double)w.send_calls : 0;
    double delay = delay_bound_ms(&w, 0.99);
    printf(json ? "\"gso_run\":%.2f,\"per_send_call\":%.1f,\"server_delay_p99_below_ms\":%.2f,\"link_drops\":%.0f,"
                  "\"workers\":["
                : "mean GSO run %.2f, datagrams per send call %.1f, in the server p99 below %.2f ms, dropped between "
                  "workers %.0f\n",
           run, call, isinf(delay) ? 1e6 : delay, (double)w.link_drops);
    for (unsigned i = 0; i < r->after.workers; i++) {
        double forwarded = (double)(r->after.worker[i].forwarded - r->before.worker[i].forwarded);
        printf(json ? "%s{\"peers\":%.0f,\"forwarded\":%.0f}" : "%sworker: %.0f peers, %.0f packets forwarded\n",
               i && json ? "," : "", (double)r->after.worker[i].peers, forwarded);
    }
    if (json) printf("]}\n");
}

static void report(const outcome *r, const options *o)
{
    double forwarded = (double)(r->after.forwarded - r->before.forwarded);
    double cpu_ns = (double)(r->after.cpu_ns - r->before.cpu_ns),
           soft_ns = (double)(r->after.softirq_ns - r->before.softirq_ns);
    double delivered = (double)(r->crowd.video_in + r->crowd.audio_in);
    unsigned n = o->shape.video + o->shape.voice;
    const char *format =
        o->json ? "{\"participants\":%u,\"video\":%u,\"forwarded\":%.0f,\"delivered\":%.0f,\"video_in\":%.0f,\"audio_"
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
    printf(format, n, o->shape.video, forwarded, delivered, (double)r->crowd.video_in, (double)r->crowd.audio_in,
           (double)r->crowd.bad, (double)r->crowd.foreign, (double)r->crowd.missing,
           (cpu_ns + soft_ns) / forwarded / 1000, soft_ns / forwarded / 1000, (cpu_ns + soft_ns) / r->wall_s / 1e7,
           forwarded / r->wall_s, r->crowd.delay_p50_ms, r->crowd.delay_p99_ms, r->crowd.delay_max_ms,
           (double)r->after.rss_bytes / 1048576, (double)(r->after.bad - r->before.bad), r->wall_s);
#pragma GCC diagnostic pop
    report_workers(r, o->json);
}

int main(int argc, char **argv)
{
    options o = {.shape = {.video = 30, .voice = 200, .speakers = 5, .slots = 4, .kbps = 300, .fps = 15},
                 .seconds = 10,
                 .workers = 1,
                 .server_cpu = 0,
                 .client_cpu = 1};
    if (!parse(&o, argc, argv)) {
        usage();
        return 2;
    }
    outcome r;
    if (!measure(&r, &o)) return 1;
    report(&r, &o);
    bool clean = !r.crowd.bad && !r.crowd.foreign && r.crowd.video_in && r.crowd.audio_in;
    if (!clean) fprintf(stderr, "forward: not everything that should have arrived did\n");
    return clean ? 0 : 1;
}
