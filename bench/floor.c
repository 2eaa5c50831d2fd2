/*
 * bench-floor: the cheapest way to send a schedule of SRTP packets. One thread on one core encrypts each packet with
 * AES-128-GCM on an OpenSSL context that keeps its key (only the IV is set, RFC 7714 §8) and hands it to the kernel, by
 * sendmmsg alone or with runs of equal packets for one destination joined by GSO; nothing waits longer than 1 ms.
 * Another process on another core receives.
 */
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
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
    EVP_CIPHER_CTX **keys; /* by destination */
    const struct sockaddr_in *to;
    size_t destinations;
    uint16_t *seqs;
    uint64_t sent, calls, failed;
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
    uint64_t packets, received, calls, failed;
    double cpu_ns, softirq_ns; /* per packet */
    bool softirq_known;
    double seconds;
} result;

static uint8_t payload[SCHED_SIZE_MAX]; /* what is forwarded: compressed pictures, i.e. noise */

static void sender_free(sender *s)
{
    if (!s) return;
    for (size_t i = 0; s->keys && i < s->destinations; i++) EVP_CIPHER_CTX_free(s->keys[i]);
    if (s->fd >= 0) (void)close(s->fd);
    free(s->keys);
    free(s->seqs);
    free(s);
}

static sender *sender_new(const sink *to, bool gso)
{
    sender *s = CN_NEW(sender);
    if (!s) return NULL;
    s->gso = gso;
    s->to = to->to;
    s->destinations = to->n;
    s->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    s->keys = cn_calloc(to->n, sizeof *s->keys);
    s->seqs = cn_calloc(to->n, sizeof *s->seqs);
    bool ok = s->fd >= 0 && s->keys && s->seqs;
    for (size_t i = 0; ok && i < to->n; i++) {
        uint8_t key[16] = {(uint8_t)i, (uint8_t)(i >> 8), 1};
        s->keys[i] = EVP_CIPHER_CTX_new();
        ok = s->keys[i] && EVP_EncryptInit_ex(s->keys[i], EVP_aes_128_gcm(), NULL, key, NULL) == 1;
    }
    if (ok) return s;
    sender_free(s);
    return NULL;
}

/* RTP header in the clear, payload encrypted, tag behind it. The IV is unique per destination: its SSRC and number. */
static void protect(sender *s, const sched_packet *p, uint8_t *out)
{
    EVP_CIPHER_CTX *key = s->keys[p->destination];
    uint16_t seq = s->seqs[p->destination]++;
    uint8_t header[HEADER] = {0x80, 96, (uint8_t)(seq >> 8), (uint8_t)seq, 0, 0, 0, 0, 1, 2, 3, 4};
    uint8_t iv[12] = {0, 0, 1, 2, 3, 4, 0, 0, 0, 0, header[2], header[3]};
    int n = 0, body = (int)p->size - HEADER - TAG;
    memcpy(out, header, HEADER);
    if (EVP_EncryptInit_ex(key, NULL, NULL, NULL, iv) != 1 || EVP_EncryptUpdate(key, NULL, &n, header, HEADER) != 1 ||
        EVP_EncryptUpdate(key, out + HEADER, &n, payload, body) != 1 ||
        EVP_EncryptFinal_ex(key, out + HEADER + n, &n) != 1 ||
        EVP_CIPHER_CTX_ctrl(key, EVP_CTRL_AEAD_GET_TAG, TAG, out + HEADER + body) != 1)
        abort();
}

/* How many packets from `from` on leave as one GSO send: one destination, equal sizes but for a shorter last. */
static size_t run_length(const sender *s, size_t from)
{
    const sched_packet *first = s->packets[from];
    size_t n = 1, bytes = first->size;
    while (s->gso && from + n < s->count && n < GSO_SEGMENTS) {
        const sched_packet *p = s->packets[from + n];
        if (p->destination != first->destination || p->size > first->size || bytes + p->size > GSO_BYTES) break;
        bytes += p->size;
        n++;
        if (p->size < first->size) break;
    }
    return n;
}

static void message_add(sender *s, size_t from, size_t n)
{
    size_t m = s->messages++;
    struct msghdr *h = &s->msgs[m].msg_hdr;
    *h = (struct msghdr){.msg_name = (void *)&s->to[s->packets[from]->destination],
                         .msg_namelen = sizeof s->to[0],
                         .msg_iov = &s->iov[from],
                         .msg_iovlen = n};
    if (n == 1) return;
    h->msg_control = s->control[m];
    h->msg_controllen = sizeof s->control[m];
    struct cmsghdr *c = CMSG_FIRSTHDR(h);
    c->cmsg_level = SOL_UDP;
    c->cmsg_type = UDP_SEGMENT;
    c->cmsg_len = CMSG_LEN(sizeof(uint16_t));
    memcpy(CMSG_DATA(c), &s->packets[from]->size, sizeof(uint16_t));
}

static void turn_send(sender *s)
{
    for (size_t i = 0; i < s->count; i++) {
        protect(s, s->packets[i], s->buffers[i]);
        s->iov[i] = (struct iovec){.iov_base = s->buffers[i], .iov_len = s->packets[i]->size};
    }
    s->messages = 0;
    for (size_t i = 0, n; i < s->count; i += n) {
        n = run_length(s, i);
        message_add(s, i, n);
    }
    for (size_t done = 0; done < s->messages;) {
        int n = sendmmsg(s->fd, s->msgs + done, (unsigned)(s->messages - done), 0);
        s->calls++;
        if (n < 0) s->failed++;
        done += n > 0 ? (size_t)n : 1;
    }
    s->sent += s->count;
    s->count = 0;
}

static void sleep_until(uint64_t ns)
{
    struct timespec t = {.tv_sec = (time_t)(ns / 1000000000), .tv_nsec = (long)(ns % 1000000000)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR) continue;
}

/* A turn's packets in order of destination, so that runs stand together; equal destinations keep their order. */
static int by_destination(const void *a, const void *b)
{
    const sched_packet *x = *(const sched_packet *const *)a, *y = *(const sched_packet *const *)b;
    if (x->destination != y->destination) return x->destination < y->destination ? -1 : 1;
    return x < y ? -1 : x > y;
}

static void play(sender *s, const schedule *sched)
{
    uint64_t start = cn_mono_ns() + 10000000;
    for (size_t i = 0; i < sched->count;) {
        uint64_t end = sched->packets[i].at_us + TURN_US;
        sleep_until(start + end * 1000);
        bool sorted = true;
        while (i < sched->count && sched->packets[i].at_us <= end && s->count < TURN_PACKETS) {
            if (s->count && s->packets[s->count - 1]->destination > sched->packets[i].destination) sorted = false;
            s->packets[s->count++] = &sched->packets[i++];
        }
        if (s->gso && !sorted) qsort(s->packets, s->count, sizeof s->packets[0], by_destination);
        turn_send(s);
    }
}

static bool measure(const options *o, const schedule *sched, bool gso, result *out)
{
    sink to;
    if (sink_start(&to, sched->destinations, o->sink_core) != CN_OK) return false;
    sender *s = sender_new(&to, gso);
    if (!s) {
        (void)sink_stop(&to);
        return false;
    }
    uint64_t soft0 = 0, soft1 = 0;
    bool known = cpu_softirq_ns(o->core, &soft0);
    uint64_t cpu0 = cpu_process_ns(), t0 = cn_mono_ns();
    play(s, sched);
    uint64_t cpu1 = cpu_process_ns(), t1 = cn_mono_ns();
    known = known && cpu_softirq_ns(o->core, &soft1);
    *out = (result){.how = gso ? "gso" : "sendmmsg",
                    .packets = s->sent,
                    .calls = s->calls,
                    .failed = s->failed,
                    .cpu_ns = (double)(cpu1 - cpu0) / (double)s->sent,
                    .softirq_ns = known ? (double)(soft1 - soft0) / (double)s->sent : 0,
                    .softirq_known = known,
                    .seconds = (double)(t1 - t0) / 1e9};
    sender_free(s);
    out->received = sink_stop(&to);
    return true;
}

static double total(const result *r)
{
    return r->cpu_ns + r->softirq_ns;
}

static void print_text(const result *r)
{
    printf("%-8s %9.0f ns/packet (process %.0f, ksoftirqd %s%.0f), %llu packets in %.2f s, %.1f packets/call, %llu "
           "received, %llu failed sends\n",
           r->how, total(r), r->cpu_ns, r->softirq_known ? "" : "unknown ", r->softirq_ns,
           (unsigned long long)r->packets, r->seconds, (double)r->packets / (double)r->calls,
           (unsigned long long)r->received, (unsigned long long)r->failed);
}

static void print_json(const result *all, size_t n, const result *best)
{
    printf("{\"name\":\"floor\",\"unit\":\"ns CPU per packet\",\"floor\":%.1f,\"how\":\"%s\",\"runs\":[", total(best),
           best->how);
    for (size_t i = 0; i < n; i++)
        printf("%s{\"how\":\"%s\",\"process\":%.1f,\"ksoftirqd\":%.1f,\"ksoftirqd_known\":%s,\"packets\":%llu,"
               "\"received\":%llu,\"calls\":%llu,\"failed\":%llu}",
               i ? "," : "", all[i].how, all[i].cpu_ns, all[i].softirq_ns, all[i].softirq_known ? "true" : "false",
               (unsigned long long)all[i].packets, (unsigned long long)all[i].received,
               (unsigned long long)all[i].calls, (unsigned long long)all[i].failed);
    printf("]}\n");
}

static const char usage[] =
    "bench-floor [--destinations N] [--size BYTES] [--rate PACKETS/S] [--run N] [--seconds S] [--core N] [--sink-core "
    "N] [--json]\n"
    "bench-floor --schedule FILE [--core N] [--sink-core N] [--json]\n"
    "  Sends the schedule by sendmmsg and again with GSO; the cheaper is the floor.\n"
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

static bool parse(options *o, int argc, char **argv)
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
        case 'f': o->schedule_file = optarg; break;
        case 'd': ok = number(optarg, 1, SCHED_DESTINATIONS_MAX, &v), o->destinations = (uint32_t)v; break;
        case 's': ok = number(optarg, SCHED_SIZE_MIN, SCHED_SIZE_MAX, &v), o->size = (uint16_t)v; break;
        case 'r': ok = number(optarg, 1, 1e7, &o->rate); break;
        case 'n': ok = number(optarg, 1, TURN_PACKETS, &v), o->run = (uint32_t)v; break;
        case 't': ok = number(optarg, 0.1, 3600, &o->seconds); break;
        case 'c': ok = number(optarg, 0, 1023, &v), o->core = (int)v; break;
        case 'k': ok = number(optarg, 0, 1023, &v), o->sink_core = (int)v; break;
        case 'j': o->json = true; break;
        default: return false;
        }
        if (!ok) {
            fprintf(stderr, "bench-floor: %s is out of range\n", optarg);
            return false;
        }
    }
    return optind == argc;
}

static bool load(const options *o, schedule *sched)
{
    size_t line = 0;
    cn_err err = o->schedule_file ? schedule_read(sched, o->schedule_file, &line)
                                  : schedule_make(sched, o->destinations, o->size, o->rate, o->run, o->seconds);
    if (!err) return true;
    if (line)
        fprintf(stderr, "bench-floor: %s, line %zu: %s\n", o->schedule_file, line, cn_err_text(err));
    else
        fprintf(stderr, "bench-floor: %s\n", cn_err_text(err));
    return false;
}

int main(int argc, char **argv)
{
    options o = {.destinations = 229, .size = 1132, .rate = 20000, .run = 1, .seconds = 5, .core = 1, .sink_core = 0};
    if (!parse(&o, argc, argv)) {
        fputs(usage, stderr);
        return 2;
    }
    schedule sched = {0};
    if (!load(&o, &sched)) return 1;
    uint32_t noise = 1;
    for (size_t i = 0; i < sizeof payload; i++) payload[i] = (uint8_t)((noise = noise * 1103515245u + 12345u) >> 24);
    if (!cpu_pin(o.core)) {
        fprintf(stderr, "bench-floor: core %d cannot be used\n", o.core);
        return 1;
    }
    result r[2];
    bool ok = true;
    for (size_t i = 0; ok && i < 2; i++) ok = measure(&o, &sched, i == 1, &r[i]);
    schedule_free(&sched);
    if (!ok) {
        fputs("bench-floor: sockets, keys or processes are refused\n", stderr);
        return 1;
    }
    const result *best = total(&r[1]) < total(&r[0]) ? &r[1] : &r[0];
    if (o.json) {
        print_json(r, 2, best);
    } else {
        for (size_t i = 0; i < 2; i++) print_text(&r[i]);
        printf("floor    %9.0f ns/packet by %s\n", total(best), best->how);
    }
    return 0;
}
