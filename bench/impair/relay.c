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
typedef struct relay_door {
    int fd;
    uint16_t port;
    struct sockaddr_in server;
} relay_door;

typedef struct client {
    struct sockaddr_in address;
    relay_door *door;
    int fd; /* towards the server */
    unsigned number;
} client;

typedef struct relay {
    int poll, timer;
    relay_door doors[DOORS];
    size_t door_count;
    line *up, *down;
    client *clients[CLIENTS];
    size_t client_count;
    line_record *record; /* NULL: none is wanted */
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

static int udp_socket(relay *proxy, void *tag)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), size = BUFFER;
    if (fd < 0) return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size))
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = tag};
    if (!epoll_ctl(proxy->poll, EPOLL_CTL_ADD, fd, &event)) return fd;
    close(fd);
    return -1;
}

static client *client_of(relay *proxy, relay_door *gate, const struct sockaddr_in *from)
{
    for (size_t i = 0; i < proxy->client_count; i++) {
        client *caller = proxy->clients[i];
        const struct sockaddr_in *addr = &caller->address;
        if (caller->door == gate && addr->sin_port == from->sin_port && addr->sin_addr.s_addr == from->sin_addr.s_addr)
            return caller;
    }
    if (proxy->client_count == CLIENTS) return NULL;
    client *caller = CN_NEW(client);
    if (!caller) return NULL;
    caller->address = *from;
    caller->door = gate;
    caller->fd = udp_socket(proxy, caller);
    if (caller->fd < 0 || connect(caller->fd, (const struct sockaddr *)&gate->server, sizeof gate->server)) {
        if (caller->fd >= 0) close(caller->fd);
        free(caller);
        return NULL;
    }
    caller->number = (unsigned)proxy->client_count;
    return proxy->clients[proxy->client_count++] = caller;
}

static void send_on_its_way(relay *proxy, line *wire, line_packet *packet)
{
    line_fate fate = line_push(wire, packet, cn_mono_ns());
    if (fate != LINE_UNDER_WAY)
        record_packet(proxy->record, wire == proxy->up, ((client *)packet->flow)->number, packet, fate, 0);
}

static void receive_up(relay *proxy, relay_door *gate)
{
    for (int i = 0; i < ROUND; i++) {
        line_packet *packet = line_packet_new(proxy->up);
        if (!packet) return;
        struct sockaddr_in from;
        socklen_t size = sizeof from;
        ssize_t n = recvfrom(gate->fd, packet->bytes, sizeof packet->bytes, 0, (struct sockaddr *)&from, &size);
        client *caller = n >= 0 ? client_of(proxy, gate, &from) : NULL;
        if (!caller) {
            line_drop(proxy->up, packet);
            if (n < 0) return;
            continue;
        }
        packet->size = (uint16_t)n;
        packet->flow = caller;
        send_on_its_way(proxy, proxy->up, packet);
    }
}

static void receive_down(relay *proxy, client *caller)
{
    for (int i = 0; i < ROUND; i++) {
        line_packet *packet = line_packet_new(proxy->down);
        if (!packet) return;
        ssize_t n = recv(caller->fd, packet->bytes, sizeof packet->bytes, 0);
        if (n < 0) {
            line_drop(proxy->down, packet);
            return;
        }
        packet->size = (uint16_t)n;
        packet->flow = caller;
        send_on_its_way(proxy, proxy->down, packet);
    }
}

static void forward(relay *proxy)
{
    uint64_t now_ns = cn_mono_ns();
    line_packet *packet;
    while ((packet = line_pop(proxy->up, now_ns))) {
        const client *caller = packet->flow;
        (void)send(caller->fd, packet->bytes, packet->size, 0);
        record_packet(proxy->record, true, caller->number, packet, LINE_UNDER_WAY, now_ns);
        line_drop(proxy->up, packet);
    }
    while ((packet = line_pop(proxy->down, now_ns))) {
        const client *caller = packet->flow;
        (void)sendto(caller->door->fd, packet->bytes, packet->size, 0, (const struct sockaddr *)&caller->address,
                     sizeof caller->address);
        record_packet(proxy->record, false, caller->number, packet, LINE_UNDER_WAY, now_ns);
        line_drop(proxy->down, packet);
    }
}

static void arm(relay *proxy)
{
    uint64_t up = line_next_ns(proxy->up), down = line_next_ns(proxy->down), next = up < down ? up : down;
    struct itimerspec at = {0};
    if (next != LINE_NONE)
        at.it_value = (struct timespec){.tv_sec = (time_t)(next / 1000000000), .tv_nsec = (long)(next % 1000000000)};
    (void)timerfd_settime(proxy->timer, TFD_TIMER_ABSTIME, &at, NULL);
}

/* ---- commands ---- */

static bool read_shape(const json_t *object, line_shape *out, cn_problem *problem)
{
    line_shape shape = {0};
    const struct {
        const char *name;
        double *to, max;
    } fields[] = {{"loss", &shape.loss, 1},
                  {"burst_enter", &shape.burst_enter, 1},
                  {"burst_leave", &shape.burst_leave, 1},
                  {"burst_loss", &shape.burst_loss, 1},
                  {"delay_ms", &shape.delay_ms, 10000},
                  {"jitter_ms", &shape.jitter_ms, 10000},
                  {"reorder", &shape.reorder, 1},
                  {"reorder_ms", &shape.reorder_ms, 10000},
                  {"rate_kbps", &shape.rate_kbps, 1e7},
                  {"queue_ms", &shape.queue_ms, 10000}};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        if (cn_json_real(object, fields[i].name, false, 0, fields[i].max, fields[i].to, problem) != CN_OK) return false;
    if (cn_json_bool(object, "jitter_reorders", false, &shape.jitter_reorders, problem) != CN_OK) return false;
    if (cn_json_bool(object, "cut", false, &shape.cut, problem) != CN_OK) return false;
    *out = shape;
    return true;
}

static bool take_shapes(relay *proxy, const json_t *object, cn_problem *problem)
{
    static const char *const names[] = {"both", "up", "down"};
    for (size_t i = 0; i < 3; i++) {
        json_t *given = NULL;
        line_shape shape;
        if (cn_json_obj(object, names[i], false, &given, problem) != CN_OK) return false;
        if (!given) continue;
        if (!read_shape(given, &shape, problem)) return false;
        if (i != 2) *line_shape_of(proxy->up) = shape;
        if (i != 1) *line_shape_of(proxy->down) = shape;
    }
    return true;
}

static json_t *counts_json(line *wire)
{
    const line_counts *counts = line_counts_of(wire);
    json_t *late = json_array();
    for (size_t i = 0; i < sizeof counts->late_us / sizeof counts->late_us[0]; i++)
        json_array_append_new(late, json_integer((json_int_t)counts->late_us[i]));
    return json_pack("{sI sI sI sI sI sI sI sf so}", "in", (json_int_t)counts->in, "out", (json_int_t)counts->out,
                     "bytes_out", (json_int_t)counts->bytes_out, "lost", (json_int_t)counts->lost, "dropped",
                     (json_int_t)counts->dropped, "overflow", (json_int_t)counts->overflow, "late_max_us",
                     (json_int_t)counts->late_max_us, "queue_ms", counts->queue_ms, "late_us", late);
}

static void answer(json_t *object)
{
    char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
    puts(text ? text : "{\"error\":\"out of memory\"}");
    (void)fflush(stdout);
    free(text);
    json_decref(object);
}

static void tell(relay *proxy)
{
    json_t *ports = json_array();
    for (size_t i = 0; i < proxy->door_count; i++) json_array_append_new(ports, json_integer(proxy->doors[i].port));
    answer(json_pack("{so si so so}", "ports", ports, "clients", (int)proxy->client_count, "up", counts_json(proxy->up),
                     "down", counts_json(proxy->down)));
}

static void obey(relay *proxy, const char *text, size_t len)
{
    cn_problem problem = {0};
    json_t *object = NULL;
    int64_t seed = -1;
    bool reset = false;
    if (cn_json_object(&object, text, len, &problem) != CN_OK || !take_shapes(proxy, object, &problem) ||
        cn_json_i64(object, "seed", false, 0, INT64_MAX, &seed, &problem) != CN_OK ||
        cn_json_bool(object, "reset", false, &reset, &problem) != CN_OK) {
        answer(json_pack("{ss ss}", "error", problem.detail, "field", problem.field));
        json_decref(object);
        return;
    }
    if (seed >= 0) {
        line_seed(proxy->up, (uint64_t)seed);
        line_seed(proxy->down, (uint64_t)seed + 1);
    }
    json_decref(object);
    record_command(proxy->record, text, len, cn_mono_ns());
    tell(proxy);
    if (reset) *line_counts_of(proxy->up) = *line_counts_of(proxy->down) = (line_counts){0};
}

static void read_commands(relay *proxy)
{
    ssize_t n = read(STDIN_FILENO, proxy->command + proxy->command_used, COMMAND - proxy->command_used);
    if (n <= 0) {
        proxy->ended = n == 0 || errno != EINTR;
        return;
    }
    proxy->command_used += (size_t)n;
    size_t at = 0;
    for (char *end; (end = memchr(proxy->command + at, '\n', proxy->command_used - at));
         at = (size_t)(end - proxy->command) + 1)
        obey(proxy, proxy->command + at, (size_t)(end - proxy->command) - at);
    memmove(proxy->command, proxy->command + at, proxy->command_used - at);
    proxy->command_used -= at;
    if (proxy->command_used == COMMAND) proxy->command_used = 0; /* no command is that long */
}

/* ---- */

static bool add_door(relay *proxy, struct sockaddr_in own, const struct sockaddr_in *server)
{
    relay_door *gate = &proxy->doors[proxy->door_count];
    socklen_t size = sizeof own;
    *gate = (relay_door){.server = *server};
    gate->fd = udp_socket(proxy, gate);
    if (gate->fd < 0) return false;
    proxy->door_count++;
    if (bind(gate->fd, (const struct sockaddr *)&own, sizeof own)) return false;
    if (getsockname(gate->fd, (struct sockaddr *)&own, &size)) return false;
    gate->port = ntohs(own.sin_port);
    return true;
}

static bool start(relay *proxy, uint64_t seed)
{
    proxy->poll = epoll_create1(EPOLL_CLOEXEC);
    proxy->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    proxy->up = line_new(seed);
    proxy->down = line_new(seed + 1);
    if (proxy->poll < 0 || proxy->timer < 0 || !proxy->up || !proxy->down) return false;
    struct epoll_event timer = {.events = EPOLLIN, .data.ptr = &proxy->timer},
                       in = {.events = EPOLLIN, .data.ptr = NULL};
    if (epoll_ctl(proxy->poll, EPOLL_CTL_ADD, proxy->timer, &timer)) return false;
    return !epoll_ctl(proxy->poll, EPOLL_CTL_ADD, STDIN_FILENO, &in);
}

static void turn(relay *proxy)
{
    struct epoll_event events[32];
    int n = epoll_wait(proxy->poll, events, 32, -1);
    for (int i = 0; i < n; i++) {
        char *tag = events[i].data.ptr, *doors = (char *)proxy->doors;
        uint64_t ticks;
        if (!tag)
            read_commands(proxy);
        else if (tag >= doors && tag < doors + sizeof proxy->doors)
            receive_up(proxy, events[i].data.ptr);
        else if (tag == (char *)&proxy->timer)
            (void)!read(proxy->timer, &ticks, sizeof ticks);
        else
            receive_down(proxy, events[i].data.ptr);
    }
    forward(proxy);
    arm(proxy);
}

static void finish(relay *proxy)
{
    for (size_t i = 0; i < proxy->client_count; i++) {
        close(proxy->clients[i]->fd);
        free(proxy->clients[i]);
    }
    line_free(proxy->up);
    line_free(proxy->down);
    for (size_t i = 0; i < proxy->door_count; i++) close(proxy->doors[i].fd);
    if (proxy->timer >= 0) close(proxy->timer);
    if (proxy->poll >= 0) close(proxy->poll);
}

int main(int argc, char **argv)
{
    static const struct option longs[] = {{"to", 1, 0, 't'},     {"listen", 1, 0, 'l'}, {"seed", 1, 0, 's'},
                                          {"record", 1, 0, 'r'}, {"help", 0, 0, 'h'},   {0, 0, 0, 0}};
    static relay proxy = {.poll = -1, .timer = -1};
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
    if (path && !(proxy.record = record_new(path, cn_mono_ns()))) {
        fprintf(stderr, "impair-relay: cannot write %s: %s\n", path, strerror(errno));
        return 1;
    }
    bool ok = start(&proxy, (uint64_t)seed);
    for (size_t i = 0; ok && i < count; i++) ok = add_door(&proxy, own, &to[i]);
    if (ok) {
        tell(&proxy);
        while (!proxy.ended) turn(&proxy);
    } else {
        fprintf(stderr, "impair-relay: cannot listen on %s: %s\n", listen, strerror(errno));
    }
    finish(&proxy);
    if (!record_end(proxy.record)) {
        fprintf(stderr, "impair-relay: %s was not written whole\n", path);
        ok = false;
    }
    return ok ? 0 : 1;
}
