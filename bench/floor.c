/*
 * bench-floor: the cheapest way to send a schedule of SRTP packets. One thread on one core encrypts each packet with
 * AES-128-GCM on a key that stays (the server's own cipher, media/secure/srtp_aead.h, or OpenSSL's) and hands it to the
 * kernel, by sendmmsg alone or with runs of equal packets for one destination joined by GSO; nothing waits longer than
 * 1 ms. Another process on another core receives.
 */
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "media/secure/srtp_aead.h"
#include "cpu.h"
#include "schedule.h"
#include "sink.h"

#define TURN_US 1000
#define TURN_PACKETS 512
#define HEADER 12
#define TAG 16
#define GSO_BYTES 65000
#define GSO_SEGMENTS 64

typedef struct options {
    const char *schedule_file;
    uint32_t destinations, run;
    uint16_t size;
    double rate, seconds;
    int core, sink_core;
    bool json;
} options;

typedef struct sender {
    int fd;
    bool gso;
    cn_aead **keys; /* by destination */
    const struct sockaddr_in *to;
    size_t destinations;
    uint16_t *seqs;
    uint64_t sent, calls, failed;
    uint64_t start_wall_ns; /* of the schedule */
    /* of the present turn */
    size_t count, messages;
    const sched_packet *packets[TURN_PACKETS];
    uint8_t buffers[TURN_PACKETS][SCHED_SIZE_MAX];
    struct iovec iov[TURN_PACKETS];
    struct mmsghdr msgs[TURN_PACKETS];
    _Alignas(struct cmsghdr) uint8_t control[TURN_PACKETS][CMSG_SPACE(sizeof(uint16_t))];
} sender;

typedef struct result {
    const char *how;
    uint64_t packets, calls, failed;
    sink_counts seen;
    double cpu_ns, softirq_ns; /* per packet */
    bool softirq_known;
    double seconds;
} result;

static uint8_t payload[SCHED_SIZE_MAX]; /* what is forwarded: compressed pictures, i.e. noise */

static void sender_free(sender *origin)
{
    if (!origin) return;
    for (size_t i = 0; origin->keys && i < origin->destinations; i++) cn_aead_free(origin->keys[i]);
    if (origin->fd >= 0) (void)close(origin->fd);
    free(origin->keys);
    free(origin->seqs);
    free(origin);
}

/* What one replay does, in the order in which they run. The last one is what the floor was before the server had a
 * faster cipher: told beside it. */
static const struct way {
    const char *how;
    bool gso, openssl;
} ways[] = {{"sendmmsg", false, false}, {"gso", true, false}, {"gso, OpenSSL", true, true}};
#define WAYS (sizeof ways / sizeof *ways)

static sender *sender_new(const sink *to, const struct way *way)
{
    sender *origin = CN_NEW(sender);
    if (!origin) return NULL;
    origin->gso = way->gso;
    origin->to = to->to;
    origin->destinations = to->n;
    origin->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    origin->keys = cn_calloc(to->n, sizeof *origin->keys);
    origin->seqs = cn_calloc(to->n, sizeof *origin->seqs);
    bool ok = origin->fd >= 0 && origin->keys && origin->seqs;
    for (size_t i = 0; ok && i < to->n; i++) {
        uint8_t key[16] = {(uint8_t)i, (uint8_t)(i >> 8), 1};
        ok = cn_aead_new(&origin->keys[i], way->openssl ? CN_AEAD_OPENSSL : cn_aead_best(), true, key) == CN_OK;
    }
    if (ok) return origin;
    sender_free(origin);
    return NULL;
}

/* RTP header in the clear, payload encrypted, tag behind it. The IV is unique per destination: its SSRC and number. */
static void protect(sender *origin, const sched_packet *packet, uint8_t *out)
{
    uint16_t seq = origin->seqs[packet->destination]++;
    uint8_t header[HEADER] = {0x80, 96, (uint8_t)(seq >> 8), (uint8_t)seq};
    uint8_t iv[12] = {0, 0, 1, 2, 3, 4, 0, 0, 0, 0, header[2], header[3]};
    sink_due_put(header, origin->start_wall_ns + packet->at_us * 1000);
    memcpy(out, header, HEADER);
    size_t body = (size_t)packet->size - HEADER - TAG;
    if (!cn_aead_seal(origin->keys[packet->destination], iv, header, HEADER, out + HEADER, payload, body)) abort();
}

/* How many packets from `from` on leave as one GSO send: one destination, equal sizes but for a shorter last. */
static size_t run_length(const sender *origin, size_t from)
{
    const sched_packet *first = origin->packets[from];
    size_t n = 1, bytes = first->size;
    while (origin->gso && from + n < origin->count && n < GSO_SEGMENTS) {
        const sched_packet *packet = origin->packets[from + n];
        if (packet->destination != first->destination || packet->size > first->size || bytes + packet->size > GSO_BYTES)
            break;
        bytes += packet->size;
        n++;
        if (packet->size < first->size) break;
    }
    return n;
}

static void message_add(sender *origin, size_t from, size_t count)
{
    size_t m = origin->messages++;
    struct msghdr *hdr = &origin->msgs[m].msg_hdr;
    *hdr = (struct msghdr){.msg_name = (void *)&origin->to[origin->packets[from]->destination],
                           .msg_namelen = sizeof origin->to[0],
                           .msg_iov = &origin->iov[from],
                           .msg_iovlen = count};
    if (count == 1) return;
    hdr->msg_control = origin->control[m];
    hdr->msg_controllen = sizeof origin->control[m];
    struct cmsghdr *control = CMSG_FIRSTHDR(hdr);
    control->cmsg_level = SOL_UDP;
    control->cmsg_type = UDP_SEGMENT;
    control->cmsg_len = CMSG_LEN(sizeof(uint16_t));
    memcpy(CMSG_DATA(control), &origin->packets[from]->size, sizeof(uint16_t));
}

static void turn_send(sender *origin)
{
    for (size_t i = 0; i < origin->count; i++) {
        protect(origin, origin->packets[i], origin->buffers[i]);
        origin->iov[i] = (struct iovec){.iov_base = origin->buffers[i], .iov_len = origin->packets[i]->size};
    }
    origin->messages = 0;
    for (size_t i = 0, n; i < origin->count; i += n) {
        n = run_length(origin, i);
        message_add(origin, i, n);
    }
    for (size_t done = 0; done < origin->messages;) {
        int n = sendmmsg(origin->fd, origin->msgs + done, (unsigned)(origin->messages - done), 0);
        origin->calls++;
        if (n < 0) origin->failed++;
        done += n > 0 ? (size_t)n : 1;
    }
    origin->sent += origin->count;
    origin->count = 0;
}

static void sleep_until(uint64_t ns)
{
    struct timespec ts = {.tv_sec = (time_t)(ns / 1000000000), .tv_nsec = (long)(ns % 1000000000)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR) continue;
}

/* A turn's packets in order of destination, so that runs stand together; equal destinations keep their order. */
static int by_destination(const void *left, const void *right)
{
    const sched_packet *packet = *(const sched_packet *const *)left, *pkt = *(const sched_packet *const *)right;
    if (packet->destination != pkt->destination) return packet->destination < pkt->destination ? -1 : 1;
    return packet < pkt ? -1 : packet > pkt;
}

static void play(sender *origin, const schedule *sched)
{
    uint64_t start = cn_mono_ns() + 10000000;
    origin->start_wall_ns = (uint64_t)cn_wall_ns() + 10000000;
    for (size_t i = 0; i < sched->count;) {
        uint64_t end = sched->packets[i].at_us + TURN_US;
        sleep_until(start + end * 1000);
        bool sorted = true;
        while (i < sched->count && sched->packets[i].at_us <= end && origin->count < TURN_PACKETS) {
            if (origin->count && origin->packets[origin->count - 1]->destination > sched->packets[i].destination)
                sorted = false;
            origin->packets[origin->count++] = &sched->packets[i++];
        }
        if (origin->gso && !sorted) qsort(origin->packets, origin->count, sizeof origin->packets[0], by_destination);
        turn_send(origin);
    }
}

static bool measure(const options *opts, const schedule *sched, const struct way *way, result *out)
{
    sink to;
    if (sink_start(&to, sched->destinations, opts->sink_core) != CN_OK) return false;
    sender *origin = sender_new(&to, way);
    if (!origin) {
        (void)sink_stop(&to);
        return false;
    }
    uint64_t soft0 = 0, soft1 = 0;
    bool known = cpu_softirq_ns(opts->core, &soft0);
    uint64_t cpu0 = cpu_process_ns(), t0 = cn_mono_ns();
    play(origin, sched);
    uint64_t cpu1 = cpu_process_ns(), t1 = cn_mono_ns();
    known = known && cpu_softirq_ns(opts->core, &soft1);
    *out = (result){.how = way->how,
                    .packets = origin->sent,
                    .calls = origin->calls,
                    .failed = origin->failed,
                    .cpu_ns = (double)(cpu1 - cpu0) / (double)origin->sent,
                    .softirq_ns = known ? (double)(soft1 - soft0) / (double)origin->sent : 0,
                    .softirq_known = known,
                    .seconds = (double)(t1 - t0) / 1e9};
    sender_free(origin);
    out->seen = sink_stop(&to);
    return true;
}

static double total(const result *outcome)
{
    return outcome->cpu_ns + outcome->softirq_ns;
}

static void print_text(const result *outcome)
{
    printf("%-8s %9.0f ns/packet (process %.0f, ksoftirqd %s%.0f), %llu packets in %.2f s, %.1f packets/call, %llu "
           "received, %llu failed sends; after their time: p50 %.2f, p95 %.2f, p99 %.2f ms\n",
           outcome->how, total(outcome), outcome->cpu_ns, outcome->softirq_known ? "" : "unknown ", outcome->softirq_ns,
           (unsigned long long)outcome->packets, outcome->seconds, (double)outcome->packets / (double)outcome->calls,
           (unsigned long long)outcome->seen.datagrams, (unsigned long long)outcome->failed, outcome->seen.p50_ms,
           outcome->seen.p95_ms, outcome->seen.p99_ms);
}

static void print_json(const result *all, const result *best)
{
    printf("{\"name\":\"floor\",\"unit\":\"ns CPU per packet\",\"floor\":%.1f,\"how\":\"%s\",\"floor_openssl\":%.1f,"
           "\"delay_p50_ms\":%.2f,\"delay_p95_ms\":%.2f,\"delay_p99_ms\":%.2f,\"runs\":[",
           total(best), best->how, total(&all[WAYS - 1]), best->seen.p50_ms, best->seen.p95_ms, best->seen.p99_ms);
    for (size_t i = 0; i < WAYS; i++)
        printf("%s{\"how\":\"%s\",\"process\":%.1f,\"ksoftirqd\":%.1f,\"ksoftirqd_known\":%s,\"packets\":%llu,"
               "\"received\":%llu,\"calls\":%llu,\"failed\":%llu,\"delay_p99_ms\":%.2f}",
               i ? "," : "", all[i].how, all[i].cpu_ns, all[i].softirq_ns, all[i].softirq_known ? "true" : "false",
               (unsigned long long)all[i].packets, (unsigned long long)all[i].seen.datagrams,
               (unsigned long long)all[i].calls, (unsigned long long)all[i].failed, all[i].seen.p99_ms);
    printf("]}\n");
}

static const char usage[] =
    "bench-floor [--destinations N] [--size BYTES] [--rate PACKETS/S] [--run N] [--seconds S] [--core N] [--sink-core "
    "N] [--json]\n"
    "bench-floor --schedule FILE [--core N] [--sink-core N] [--json]\n"
    "  Sends the schedule by sendmmsg and again with GSO; the cheaper is the floor. Then with OpenSSL's cipher.\n"
    "  FILE: a line \"microseconds destination size\" per packet, times ascending; sizes are of the protected packet.\n"
    "  Without it: N destinations in turn get --run packets of --size each, --rate packets per second in all.\n";

static bool number(const char *text, double min, double max, double *out)
{
    char *end = NULL;
    errno = 0;
    double v = strtod(text, &end);
    if (errno || end == text || *end || !(v >= min && v <= max)) return false;
    *out = v;
    return true;
}

static bool parse(options *opts, int argc, char **argv)
{
    static const struct option names[] = {{"schedule", 1, 0, 'f'},
                                          {"destinations", 1, 0, 'd'},
                                          {"size", 1, 0, 's'},
                                          {"rate", 1, 0, 'r'},
                                          {"run", 1, 0, 'n'},
                                          {"seconds", 1, 0, 't'},
                                          {"core", 1, 0, 'c'},
                                          {"sink-core", 1, 0, 'k'},
                                          {"json", 0, 0, 'j'},
                                          {"help", 0, 0, 'h'},
                                          {0}};
    for (int c; (c = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        double v = 0;
        bool ok = true;
        switch (c) {
        case 'f': opts->schedule_file = optarg; break;
        case 'd': ok = number(optarg, 1, SCHED_DESTINATIONS_MAX, &v), opts->destinations = (uint32_t)v; break;
        case 's': ok = number(optarg, SCHED_SIZE_MIN, SCHED_SIZE_MAX, &v), opts->size = (uint16_t)v; break;
        case 'r': ok = number(optarg, 1, 1e7, &opts->rate); break;
        case 'n': ok = number(optarg, 1, TURN_PACKETS, &v), opts->run = (uint32_t)v; break;
        case 't': ok = number(optarg, 0.1, 3600, &opts->seconds); break;
        case 'c': ok = number(optarg, 0, 1023, &v), opts->core = (int)v; break;
        case 'k': ok = number(optarg, 0, 1023, &v), opts->sink_core = (int)v; break;
        case 'j': opts->json = true; break;
        default: return false;
        }
        if (!ok) {
            fprintf(stderr, "bench-floor: %s is out of range\n", optarg);
            return false;
        }
    }
    return optind == argc;
}

static bool load(const options *opts, schedule *sched)
{
    size_t line = 0;
    cn_err err = opts->schedule_file
                     ? schedule_read(sched, opts->schedule_file, &line)
                     : schedule_make(sched, opts->destinations, opts->size, opts->rate, opts->run, opts->seconds);
    if (!err) return true;
    if (line)
        fprintf(stderr, "bench-floor: %s, line %zu: %s\n", opts->schedule_file, line, cn_err_text(err));
    else
        fprintf(stderr, "bench-floor: %s\n", cn_err_text(err));
    return false;
}

int main(int argc, char **argv)
{
    options opts = {
        .destinations = 229, .size = 1132, .rate = 20000, .run = 1, .seconds = 5, .core = 1, .sink_core = 0};
    if (!parse(&opts, argc, argv)) {
        fputs(usage, stderr);
        return 2;
    }
    schedule sched = {0};
    if (!load(&opts, &sched)) return 1;
    uint32_t noise = 1;
    for (size_t i = 0; i < sizeof payload; i++) payload[i] = (uint8_t)((noise = noise * 1103515245u + 12345u) >> 24);
    if (!cpu_pin(opts.core)) {
        fprintf(stderr, "bench-floor: core %d cannot be used\n", opts.core);
        return 1;
    }
    result outcome[WAYS];
    bool ok = true;
    for (size_t i = 0; ok && i < WAYS; i++) ok = measure(&opts, &sched, &ways[i], &outcome[i]);
    schedule_free(&sched);
    if (!ok) {
        fputs("bench-floor: sockets, keys or processes are refused\n", stderr);
        return 1;
    }
    const result *best = total(&outcome[1]) < total(&outcome[0]) ? &outcome[1] : &outcome[0];
    if (opts.json) {
        print_json(outcome, best);
    } else {
        for (size_t i = 0; i < WAYS; i++) print_text(&outcome[i]);
        printf("floor    %9.0f ns/packet by %s\n", total(best), best->how);
    }
    return 0;
}
