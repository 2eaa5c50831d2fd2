/*
 * A bad network in user space: a UDP relay between clients and a server's ports. Every client's address gets a socket
 * of its own towards the server, as behind a NAT; all share the same line. What each direction does (line.h) is set
 * over standard input, one JSON object a line, in mid-call:
 *
 *   {"up": {"loss": 0.05, "delay_ms": 40}, "down": {"rate_kbps": 1000, "queue_ms": 300}}     up: client → server
 *   {"both": {}}                 every line sets the named directions anew: what is not named is zero
 *   {"seed": 7}   {"counts": true}   {"reset": true}
 *
 * Each line is answered by one line: {"ports", "clients", "up": counters, "down": counters}, or {"error"}. Ends when
 * standard input ends. With --record every datagram is written down (record.h). One thread; a timer descriptor wakes it
 * to the microsecond.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "line.h"
#include "record.h"

#define CLIENTS 256
#define DOORS 64
#define COMMAND 4096
#define BUFFER (4 << 20) /* of each socket, as far as the kernel allows */
#define ROUND 64         /* datagrams taken from one socket before the others have their turn */

/* Where clients come in, for one port of the server. */
typedef struct door {
    int fd;
    uint16_t port;
    struct sockaddr_in server;
} door;

typedef struct client {
    struct sockaddr_in address;
    door *door;
    int fd; /* towards the server */
    unsigned number;
} client;

typedef struct relay {
    int poll, timer;
    door doors[DOORS];
    size_t door_count;
    line *up, *down;
    client *clients[CLIENTS];
    size_t client_count;
    record *record; /* NULL: none is wanted */
    char command[COMMAND];
    size_t command_used;
    bool ended;
} relay;

static bool parse_address(struct sockaddr_in *out, const char *text)
{
    char host[64];
    const char *colon = strrchr(text, ':');
    int64_t port = 0;
    if (!colon || (size_t)(colon - text) >= sizeof host || !cn_parse_i64(colon + 1, 0, 65535, &port)) return false;
    memcpy(host, text, (size_t)(colon - text));
    host[colon - text] = 0;
    *out = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    return inet_pton(AF_INET, host, &out->sin_addr) == 1;
}

static int udp_socket(relay *r, void *tag)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), size = BUFFER;
    if (fd < 0) return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size))
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = tag};
    if (!epoll_ctl(r->poll, EPOLL_CTL_ADD, fd, &event)) return fd;
    close(fd);
    return -1;
}

static client *client_of(relay *r, door *d, const struct sockaddr_in *from)
{
    for (size_t i = 0; i < r->client_count; i++) {
        client *c = r->clients[i];
        const struct sockaddr_in *a = &c->address;
        if (c->door == d && a->sin_port == from->sin_port && a->sin_addr.s_addr == from->sin_addr.s_addr) return c;
    }
    if (r->client_count == CLIENTS) return NULL;
    client *c = CN_NEW(client);
    if (!c) return NULL;
    c->address = *from;
    c->door = d;
    c->fd = udp_socket(r, c);
    if (c->fd < 0 || connect(c->fd, (const struct sockaddr *)&d->server, sizeof d->server)) {
        if (c->fd >= 0) close(c->fd);
        free(c);
        return NULL;
    }
    c->number = (unsigned)r->client_count;
    return r->clients[r->client_count++] = c;
}

static void send_on_its_way(relay *r, line *l, line_packet *p)
{
    line_fate fate = line_push(l, p, cn_mono_ns());
    if (fate != LINE_UNDER_WAY) record_packet(r->record, l == r->up, ((client *)p->flow)->number, p, fate, 0);
}

static void receive_up(relay *r, door *d)
{
    for (int i = 0; i < ROUND; i++) {
        line_packet *p = line_packet_new(r->up);
        if (!p) return;
        struct sockaddr_in from;
        socklen_t size = sizeof from;
        ssize_t n = recvfrom(d->fd, p->bytes, sizeof p->bytes, 0, (struct sockaddr *)&from, &size);
        client *c = n >= 0 ? client_of(r, d, &from) : NULL;
        if (!c) {
            line_drop(r->up, p);
            if (n < 0) return;
            continue;
        }
        p->size = (uint16_t)n;
        p->flow = c;
        send_on_its_way(r, r->up, p);
    }
}

static void receive_down(relay *r, client *c)
{
    for (int i = 0; i < ROUND; i++) {
        line_packet *p = line_packet_new(r->down);
        if (!p) return;
        ssize_t n = recv(c->fd, p->bytes, sizeof p->bytes, 0);
        if (n < 0) {
            line_drop(r->down, p);
            return;
        }
        p->size = (uint16_t)n;
        p->flow = c;
        send_on_its_way(r, r->down, p);
    }
}

static void forward(relay *r)
{
    uint64_t now_ns = cn_mono_ns();
    line_packet *p;
    while ((p = line_pop(r->up, now_ns))) {
        const client *c = p->flow;
        (void)send(c->fd, p->bytes, p->size, 0);
        record_packet(r->record, true, c->number, p, LINE_UNDER_WAY, now_ns);
        line_drop(r->up, p);
    }
    while ((p = line_pop(r->down, now_ns))) {
        const client *c = p->flow;
        (void)sendto(c->door->fd, p->bytes, p->size, 0, (const struct sockaddr *)&c->address, sizeof c->address);
        record_packet(r->record, false, c->number, p, LINE_UNDER_WAY, now_ns);
        line_drop(r->down, p);
    }
}

static void arm(relay *r)
{
    uint64_t up = line_next_ns(r->up), down = line_next_ns(r->down), next = up < down ? up : down;
    struct itimerspec at = {0};
    if (next != LINE_NONE)
        at.it_value = (struct timespec){.tv_sec = (time_t)(next / 1000000000), .tv_nsec = (long)(next % 1000000000)};
    (void)timerfd_settime(r->timer, TFD_TIMER_ABSTIME, &at, NULL);
}

/* ---- commands ---- */

static bool read_shape(const json_t *o, line_shape *out, cn_problem *problem)
{
    line_shape s = {0};
    const struct {
        const char *name;
        double *to, max;
    } fields[] = {{"loss", &s.loss, 1},
                  {"burst_enter", &s.burst_enter, 1},
                  {"burst_leave", &s.burst_leave, 1},
                  {"burst_loss", &s.burst_loss, 1},
                  {"delay_ms", &s.delay_ms, 10000},
                  {"jitter_ms", &s.jitter_ms, 10000},
                  {"reorder", &s.reorder, 1},
                  {"reorder_ms", &s.reorder_ms, 10000},
                  {"rate_kbps", &s.rate_kbps, 1e7},
                  {"queue_ms", &s.queue_ms, 10000}};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (cn_json_real(o, fields[i].name, false, 0, fields[i].max, fields[i].to, problem) != CN_OK) return false;
    if (cn_json_bool(o, "jitter_reorders", false, &s.jitter_reorders, problem) != CN_OK) return false;
    if (cn_json_bool(o, "cut", false, &s.cut, problem) != CN_OK) return false;
    *out = s;
    return true;
}

static bool take_shapes(relay *r, const json_t *o, cn_problem *problem)
{
    static const char *const names[] = {"both", "up", "down"};
    for (size_t i = 0; i < 3; i++) {
        json_t *given = NULL;
        line_shape shape;
        if (cn_json_obj(o, names[i], false, &given, problem) != CN_OK) return false;
        if (!given) continue;
        if (!read_shape(given, &shape, problem)) return false;
        if (i != 2) *line_shape_of(r->up) = shape;
        if (i != 1) *line_shape_of(r->down) = shape;
    }
    return true;
}

static json_t *counts_json(line *l)
{
    const line_counts *c = line_counts_of(l);
    json_t *late = json_array();
    for (size_t i = 0; i < sizeof c->late_us / sizeof c->late_us[0]; i++)
        json_array_append_new(late, json_integer((json_int_t)c->late_us[i]));
    return json_pack("{sI sI sI sI sI sI sI sf so}", "in", (json_int_t)c->in, "out", (json_int_t)c->out, "bytes_out",
                     (json_int_t)c->bytes_out, "lost", (json_int_t)c->lost, "dropped", (json_int_t)c->dropped,
                     "overflow", (json_int_t)c->overflow, "late_max_us", (json_int_t)c->late_max_us, "queue_ms",
                     c->queue_ms, "late_us", late);
}

static void answer(json_t *o)
{
    char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
    puts(text ? text : "{\"error\":\"out of memory\"}");
    (void)fflush(stdout);
    free(text);
    json_decref(o);
}

static void tell(relay *r)
{
    json_t *ports = json_array();
    for (size_t i = 0; i < r->door_count; i++) json_array_append_new(ports, json_integer(r->doors[i].port));
    answer(json_pack("{so si so so}", "ports", ports, "clients", (int)r->client_count, "up", counts_json(r->up), "down",
                     counts_json(r->down)));
}

static void obey(relay *r, const char *text, size_t n)
{
    cn_problem problem = {0};
    json_t *o = NULL;
    int64_t seed = -1;
    bool reset = false;
    if (cn_json_object(&o, text, n, &problem) != CN_OK || !take_shapes(r, o, &problem) ||
        cn_json_i64(o, "seed", false, 0, INT64_MAX, &seed, &problem) != CN_OK ||
        cn_json_bool(o, "reset", false, &reset, &problem) != CN_OK) {
        answer(json_pack("{ss ss}", "error", problem.detail, "field", problem.field));
        json_decref(o);
        return;
    }
    if (seed >= 0) {
        line_seed(r->up, (uint64_t)seed);
        line_seed(r->down, (uint64_t)seed + 1);
    }
    json_decref(o);
    record_command(r->record, text, n, cn_mono_ns());
    tell(r);
    if (reset) *line_counts_of(r->up) = *line_counts_of(r->down) = (line_counts){0};
}

static void read_commands(relay *r)
{
    ssize_t n = read(STDIN_FILENO, r->command + r->command_used, COMMAND - r->command_used);
    if (n <= 0) {
        r->ended = n == 0 || errno != EINTR;
        return;
    }
    r->command_used += (size_t)n;
    size_t at = 0;
    for (char *end; (end = memchr(r->command + at, '\n', r->command_used - at)); at = (size_t)(end - r->command) + 1)
        obey(r, r->command + at, (size_t)(end - r->command) - at);
    memmove(r->command, r->command + at, r->command_used - at);
    r->command_used -= at;
    if (r->command_used == COMMAND) r->command_used = 0; /* no command is that long */
}

/* ---- */

static bool add_door(relay *r, struct sockaddr_in own, const struct sockaddr_in *server)
{
    door *d = &r->doors[r->door_count];
    socklen_t size = sizeof own;
    *d = (door){.server = *server};
    d->fd = udp_socket(r, d);
    if (d->fd < 0) return false;
    r->door_count++;
    if (bind(d->fd, (const struct sockaddr *)&own, sizeof own)) return false;
    if (getsockname(d->fd, (struct sockaddr *)&own, &size)) return false;
    d->port = ntohs(own.sin_port);
    return true;
}

static bool start(relay *r, uint64_t seed)
{
    r->poll = epoll_create1(EPOLL_CLOEXEC);
    r->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    r->up = line_new(seed);
    r->down = line_new(seed + 1);
    if (r->poll < 0 || r->timer < 0 || !r->up || !r->down) return false;
    struct epoll_event timer = {.events = EPOLLIN, .data.ptr = &r->timer}, in = {.events = EPOLLIN, .data.ptr = NULL};
    if (epoll_ctl(r->poll, EPOLL_CTL_ADD, r->timer, &timer)) return false;
    return !epoll_ctl(r->poll, EPOLL_CTL_ADD, STDIN_FILENO, &in);
}

static void turn(relay *r)
{
    struct epoll_event events[32];
    int n = epoll_wait(r->poll, events, 32, -1);
    for (int i = 0; i < n; i++) {
        char *tag = events[i].data.ptr, *doors = (char *)r->doors;
        uint64_t ticks;
        if (!tag)
            read_commands(r);
        else if (tag >= doors && tag < doors + sizeof r->doors)
            receive_up(r, events[i].data.ptr);
        else if (tag == (char *)&r->timer)
            (void)!read(r->timer, &ticks, sizeof ticks);
        else
            receive_down(r, events[i].data.ptr);
    }
    forward(r);
    arm(r);
}

static void finish(relay *r)
{
    for (size_t i = 0; i < r->client_count; i++) {
        close(r->clients[i]->fd);
        free(r->clients[i]);
    }
    line_free(r->up);
    line_free(r->down);
    for (size_t i = 0; i < r->door_count; i++) close(r->doors[i].fd);
    if (r->timer >= 0) close(r->timer);
    if (r->poll >= 0) close(r->poll);
}

int main(int argc, char **argv)
{
    static const struct option longs[] = {{"to", 1, 0, 't'},     {"listen", 1, 0, 'l'}, {"seed", 1, 0, 's'},
                                          {"record", 1, 0, 'r'}, {"help", 0, 0, 'h'},   {0, 0, 0, 0}};
    static relay r = {.poll = -1, .timer = -1};
    const char *listen = "127.0.0.1:0", *path = NULL;
    struct sockaddr_in own, to[DOORS];
    size_t count = 0;
    int64_t seed = 1;
    bool bad = false;
    for (int c; (c = getopt_long(argc, argv, "", longs, NULL)) >= 0;) {
        if (c == 't') bad |= count == DOORS || !parse_address(&to[count++], optarg);
        if (c == 'l') listen = optarg;
        if (c == 'r') path = optarg;
        if (c == 's') bad |= !cn_parse_i64(optarg, 0, INT64_MAX, &seed);
        bad |= c == 'h' || c == '?';
    }
    if (!count || bad || !parse_address(&own, listen)) {
        puts("bench-impair-relay --to ADDRESS:PORT [--to …] [--listen ADDRESS:PORT] [--seed N] [--record FILE]\n"
             "  commands on standard input, one JSON object a line; see bench/README.md");
        return 2;
    }
    /* a late relay would be one more impairment; it takes little time */
    (void)setpriority(PRIO_PROCESS, 0, -10);
    (void)sched_setscheduler(0, SCHED_RR, &(struct sched_param){.sched_priority = 1});
    if (path && !(r.record = record_new(path, cn_mono_ns()))) {
        fprintf(stderr, "impair-relay: cannot write %s: %s\n", path, strerror(errno));
        return 1;
    }
    bool ok = start(&r, (uint64_t)seed);
    for (size_t i = 0; ok && i < count; i++) ok = add_door(&r, own, &to[i]);
    if (ok) {
        tell(&r);
        while (!r.ended) turn(&r);
    } else {
        fprintf(stderr, "impair-relay: cannot listen on %s: %s\n", listen, strerror(errno));
    }
    finish(&r);
    if (!record_end(r.record)) {
        fprintf(stderr, "impair-relay: %s was not written whole\n", path);
        ok = false;
    }
    return ok ? 0 : 1;
}
