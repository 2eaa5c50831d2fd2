#include "server.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <signal.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "cpu.h"
#include "media/media.h"

#define ROOM "bench"

typedef enum request_kind { REQUEST_JOIN, REQUEST_SHOW, REQUEST_STATS } request_kind;

typedef struct request {
    request_kind kind;
    union {
        bench_join join;
        bench_show show;
    };
    char offer[BENCH_OFFER];
} request;

typedef struct joined {
    bool ok;
    char answer[BENCH_OFFER];
} joined;

static atomic_uint_least64_t connected;

/* ---- the server's side ---- */

static void on_connected(void *ctx, const char *room, const char *participant)
{
    (void)ctx, (void)room, (void)participant;
    atomic_fetch_add(&connected, 1);
}

static void on_answer(void *arg, cn_err err, const cn_problem *p, const char *answer)
{
    int fd = (int)(intptr_t)arg;
    joined *j = calloc(1, sizeof *j);
    if (!j) abort();
    j->ok = err == CN_OK;
    (void)cn_strcpy(j->answer, sizeof j->answer, err ? (p ? p->detail : cn_err_text(err)) : answer);
    if (send(fd, j, sizeof *j, 0) != (ssize_t)sizeof *j) abort();
    free(j);
}

static size_t sections_of(const bench_join *j, cn_section *out)
{
    size_t n = 0;
    out[n] = (cn_section){.source = CN_SOURCE_MIC};
    (void)cn_strcpy(out[n++].mid, CN_MEDIA_ID, "mic");
    if (j->video) {
        out[n] = (cn_section){.source = CN_SOURCE_CAMERA};
        (void)cn_strcpy(out[n++].mid, CN_MEDIA_ID, "cam");
    }
    for (unsigned i = 0; i < j->audio_slots; i++, n++) (void)cn_fmt(out[n].mid, CN_MEDIA_ID, "a%u", i);
    for (unsigned i = 0; i < j->video_slots; i++, n++) (void)cn_fmt(out[n].mid, CN_MEDIA_ID, "v%u", i);
    return n;
}

static void join(cn_media *m, const request *r, int fd)
{
    cn_section sections[2 + 2 * BENCH_SLOTS] = {0};
    cn_media_join j = {.room = ROOM,
                       .participant = r->join.name,
                       .kind = CN_PEER_APP,
                       .may_publish_audio = true,
                       .may_publish_video = r->join.video,
                       .offer = r->offer,
                       .sections = sections,
                       .section_count = sections_of(&r->join, sections)};
    cn_media_join_room(m, &j, on_answer, (void *)(intptr_t)fd);
}

static void show(cn_media *m, const bench_show *s)
{
    cn_slot_want wants[BENCH_SLOTS] = {0};
    size_t n = 0;
    for (; n < BENCH_SLOTS && s->shown[n][0]; n++) {
        wants[n] = (cn_slot_want){
            .source = CN_SOURCE_CAMERA, .width = 640, .height = 360, .priority = (unsigned)(BENCH_SLOTS - n)};
        (void)cn_fmt(wants[n].mid, sizeof wants[n].mid, "v%zu", n);
        (void)cn_strcpy(wants[n].participant, sizeof wants[n].participant, s->shown[n]);
    }
    cn_media_show(m, s->name, wants, n, CN_TIER_4K);
}

static uint64_t rss_bytes(void)
{
    unsigned long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f && fscanf(f, "%*u %lu", &pages) != 1) pages = 0;
    if (f) fclose(f);
    return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void stats(const cn_media *m, int fd)
{
    cn_media_totals t;
    cn_media_totals_get(m, &t);
    bench_stats s = {.cpu_ns = cpu_process_ns(),
                     .rss_bytes = rss_bytes(),
                     .datagrams_in = t.datagrams_in,
                     .datagrams_out = t.datagrams_out,
                     .forwarded = t.packets_forwarded,
                     .bad = t.bad_stun + t.bad_dtls + t.bad_rtp + t.bad_rtcp + t.replayed + t.unknown_source,
                     .connected = atomic_load(&connected)};
    s.workers = cn_media_workers(m);
    for (unsigned i = 0; i < s.workers; i++) cn_media_worker_get(m, i, &s.worker[i]);
    if (send(fd, &s, sizeof s, 0) != (ssize_t)sizeof s) abort();
}

static void serve(int fd, unsigned workers)
{
    cn_log_set_level(CN_LOG_WARN);
    cn_media_config config = {.listen = {"127.0.0.1"}, .addresses = 1, .workers = workers, .timeout_s = 30};
    cn_media_events events = {.connected = on_connected};
    cn_media *m = NULL;
    request *r = malloc(sizeof *r);
    cn_err err = cn_media_new(&m, &config, &events, NULL);
    if (err || !r) {
        fprintf(stderr, "forward: the SFU does not start: %s\n", cn_err_text(err));
        _exit(1);
    }
    while (recv(fd, r, sizeof *r, 0) == (ssize_t)sizeof *r) {
        if (r->kind == REQUEST_JOIN) join(m, r, fd);
        if (r->kind == REQUEST_SHOW) show(m, &r->show);
        if (r->kind == REQUEST_STATS) stats(m, fd);
    }
    cn_media_free(m);
    free(r);
    exit(0); /* a sanitizer says here what leaked */
}

/* ---- the measuring side ---- */

bool bench_server_start(bench_server *s, int cpu, unsigned workers)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) {
        perror("socketpair");
        return false;
    }
    *s = (bench_server){.fd = pair[0], .cpu = cpu};
    s->pid = fork();
    if (s->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(pair[0]);
        if (cpu >= 0) (void)cpu_pin(cpu);
        serve(pair[1], workers);
    }
    close(pair[1]);
    return s->pid > 0;
}

static request *request_new(request_kind kind)
{
    request *r = calloc(1, sizeof *r);
    if (!r) abort();
    r->kind = kind;
    return r;
}

static bool request_send(bench_server *s, request *r)
{
    bool ok = send(s->fd, r, sizeof *r, 0) == (ssize_t)sizeof *r;
    free(r);
    return ok;
}

bool bench_server_join(bench_server *s, const bench_join *join_, const char *offer, char *answer, size_t size)
{
    request *r = request_new(REQUEST_JOIN);
    r->join = *join_;
    (void)cn_strcpy(r->offer, sizeof r->offer, offer);
    joined *j = calloc(1, sizeof *j);
    bool ok = request_send(s, r) && j && recv(s->fd, j, sizeof *j, 0) == (ssize_t)sizeof *j;
    if (ok) (void)cn_strcpy(answer, size, j->answer);
    ok = ok && j->ok;
    free(j);
    return ok;
}

bool bench_server_show(bench_server *s, const bench_show *show_)
{
    request *r = request_new(REQUEST_SHOW);
    r->show = *show_;
    return request_send(s, r);
}

bool bench_server_stats(bench_server *s, bench_stats *out)
{
    if (!request_send(s, request_new(REQUEST_STATS)) || recv(s->fd, out, sizeof *out, 0) != (ssize_t)sizeof *out)
        return false;
    if (s->cpu < 0 || !cpu_softirq_ns(s->cpu, &out->softirq_ns)) out->softirq_ns = 0;
    return true;
}

bool bench_server_stop(bench_server *s)
{
    int status = 0;
    close(s->fd);
    return s->pid <= 0 || (waitpid(s->pid, &status, 0) == s->pid && status == 0);
}
