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
#include "client/names.h"
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

static void on_answer(void *arg, cn_err err, const cn_problem *problem, const char *answer)
{
    int fd = (int)(intptr_t)arg;
    joined *joining = calloc(1, sizeof *joining);
    if (!joining) abort();
    joining->ok = err == CN_OK;
    (void)cn_strcpy(joining->answer, sizeof joining->answer,
                    err ? (problem ? problem->detail : cn_err_text(err)) : answer);
    if (send(fd, joining, sizeof *joining, 0) != (ssize_t)sizeof *joining) abort();
    free(joining);
}

static size_t sections_of(const bench_join *join, cn_section *out)
{
    size_t n = 0;
    out[n] = (cn_section){.source = CN_SOURCE_MIC};
    (void)cn_strcpy(out[n++].mid, CN_MEDIA_ID, "mic");
    if (join->video) {
        out[n] = (cn_section){.source = CN_SOURCE_CAMERA};
        (void)cn_strcpy(out[n++].mid, CN_MEDIA_ID, "cam");
    }
    for (unsigned i = 0; i < join->audio_slots + join->video_slots; i++) {
        char mid[RTC_MID];
        (void)rtc_slot_mid(mid, i, join->audio_slots);
        (void)cn_strcpy(out[n++].mid, CN_MEDIA_ID, mid);
    }
    return n;
}

static void join(cn_media *media, const request *req, int fd)
{
    cn_section sections[2 + 2 * BENCH_SLOTS] = {0};
    cn_media_join media_join = {.room = ROOM,
                                .participant = req->join.name,
                                .kind = CN_PEER_APP,
                                .may_publish_audio = true,
                                .may_publish_video = req->join.video,
                                .offer = req->offer,
                                .sections = sections,
                                .section_count = sections_of(&req->join, sections)};
    cn_media_join_room(media, &media_join, on_answer, (void *)(intptr_t)fd);
}

static void show(cn_media *media, const bench_show *shown)
{
    cn_slot_want wants[BENCH_SLOTS] = {0};
    size_t n = 0;
    for (; n < BENCH_SLOTS && shown->shown[n][0]; n++) {
        wants[n] = (cn_slot_want){
            .source = CN_SOURCE_CAMERA, .width = 640, .height = 360, .priority = (unsigned)(BENCH_SLOTS - n)};
        (void)cn_fmt(wants[n].mid, sizeof wants[n].mid, "v%zu", n);
        (void)cn_strcpy(wants[n].participant, sizeof wants[n].participant, shown->shown[n]);
    }
    cn_media_show(media, shown->name, wants, n, CN_TIER_4K);
}

static uint64_t rss_bytes(void)
{
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file && fscanf(file, "%*u %lu", &pages) != 1) pages = 0;
    if (file) fclose(file);
    return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void stats(const cn_media *media, int fd)
{
    bench_stats figures = {.cpu_ns = cpu_process_ns(),
                           .rss_bytes = rss_bytes(),
                           .connected = atomic_load(&connected),
                           .workers = cn_media_workers(media)};
    for (unsigned i = 0; i < figures.workers; i++) {
        cn_media_worker *worker = &figures.worker[i];
        cn_media_worker_get(media, i, worker);
        figures.datagrams_in += worker->datagrams_in;
        figures.datagrams_out += worker->datagrams_out;
        figures.forwarded += worker->forwarded;
        figures.bad += worker->bad_stun + worker->bad_dtls + worker->bad_rtp + worker->bad_rtcp + worker->replayed +
                       worker->unknown_source;
    }
    if (send(fd, &figures, sizeof figures, 0) != (ssize_t)sizeof figures) abort();
}

static void serve(int fd, unsigned workers)
{
    cn_log_set_level(CN_LOG_WARN);
    cn_media_config config = {.listen = {"127.0.0.1"}, .addresses = 1, .workers = workers, .timeout_s = 30};
    cn_media_events events = {.connected = on_connected};
    cn_media *media = NULL;
    request *req = malloc(sizeof *req);
    cn_err err = cn_media_new(&media, &config, &events, NULL);
    if (err || !req) {
        fprintf(stderr, "forward: the SFU does not start: %s\n", cn_err_text(err));
        _exit(1);
    }
    while (recv(fd, req, sizeof *req, 0) == (ssize_t)sizeof *req) {
        if (req->kind == REQUEST_JOIN) join(media, req, fd);
        if (req->kind == REQUEST_SHOW) show(media, &req->show);
        if (req->kind == REQUEST_STATS) stats(media, fd);
    }
    cn_media_free(media);
    free(req);
    exit(0); /* a sanitizer says here what leaked */
}

/* ---- the measuring side ---- */

bool bench_server_start(bench_server *server, int cpu, unsigned workers)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) {
        perror("socketpair");
        return false;
    }
    *server = (bench_server){.fd = pair[0], .cpu = cpu};
    server->pid = fork();
    if (server->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(pair[0]);
        if (cpu >= 0) (void)cpu_pin(cpu);
        serve(pair[1], workers);
    }
    close(pair[1]);
    return server->pid > 0;
}

static request *request_new(request_kind kind)
{
    request *req = calloc(1, sizeof *req);
    if (!req) abort();
    req->kind = kind;
    return req;
}

static bool request_send(bench_server *server, request *req)
{
    bool ok = send(server->fd, req, sizeof *req, 0) == (ssize_t)sizeof *req;
    free(req);
    return ok;
}

bool bench_server_join(bench_server *server, const bench_join *join_, const char *offer, char *answer, size_t size)
{
    request *req = request_new(REQUEST_JOIN);
    req->join = *join_;
    (void)cn_strcpy(req->offer, sizeof req->offer, offer);
    joined *joining = calloc(1, sizeof *joining);
    bool ok = request_send(server, req) && joining &&
              recv(server->fd, joining, sizeof *joining, 0) == (ssize_t)sizeof *joining;
    if (ok) (void)cn_strcpy(answer, size, joining->answer);
    ok = ok && joining->ok;
    free(joining);
    return ok;
}

bool bench_server_show(bench_server *server, const bench_show *show_)
{
    request *req = request_new(REQUEST_SHOW);
    req->show = *show_;
    return request_send(server, req);
}

bool bench_server_stats(bench_server *server, bench_stats *out)
{
    if (!request_send(server, request_new(REQUEST_STATS)) ||
        recv(server->fd, out, sizeof *out, 0) != (ssize_t)sizeof *out)
        return false;
    if (server->cpu < 0 || !cpu_softirq_ns(server->cpu, &out->softirq_ns)) out->softirq_ns = 0;
    return true;
}

bool bench_server_stop(bench_server *server)
{
    int status = 0;
    close(server->fd);
    return server->pid <= 0 || (waitpid(server->pid, &status, 0) == server->pid && status == 0);
}
