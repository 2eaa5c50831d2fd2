/* The SFU in a process of its own, on one core, driven over a socket pair: what the load generator measures. */
#ifndef CN_BENCH_SERVER_H
#define CN_BENCH_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "media/media.h"

#define BENCH_NAME 64
#define BENCH_SLOTS 40
#define BENCH_OFFER (96 * 1024)
#define BENCH_WORKERS 4

typedef struct bench_join {
    char name[BENCH_NAME];
    bool video;
    unsigned audio_slots, video_slots;
} bench_join;

/** Whom the slots v0, v1 … show ("" ends the list). */
typedef struct bench_show {
    char name[BENCH_NAME];
    char shown[BENCH_SLOTS][BENCH_NAME];
} bench_show;

typedef struct bench_stats {
    uint64_t cpu_ns;     /* of the process */
    uint64_t softirq_ns; /* of the pinned core's ksoftirqd */
    uint64_t rss_bytes;
    uint64_t datagrams_in, datagrams_out, forwarded, bad, connected;
    unsigned workers;
    cn_media_worker worker[BENCH_WORKERS];
} bench_stats;

typedef struct bench_server {
    pid_t pid;
    int fd;
    int cpu;
} bench_server;

/** Forks; `cpu` < 0: not pinned; `workers` media workers. False with a message on standard error. */
bool bench_server_start(bench_server *server, int cpu, unsigned workers);
/** Joins and waits for the answer (zero-terminated). False when it was refused; the reason is in `answer`. */
bool bench_server_join(bench_server *server, const bench_join *join, const char *offer, char *answer, size_t size);
bool bench_server_show(bench_server *server, const bench_show *show);
bool bench_server_stats(bench_server *server, bench_stats *out);
/** False when it did not end well: it crashed, or a sanitizer found something. */
bool bench_server_stop(bench_server *server);

#endif
