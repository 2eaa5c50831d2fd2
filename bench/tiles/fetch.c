/*
 * bench-tiles: asks a web server for a list of addresses over N connections, each once and one after the other on its
 * connection, checks status and SHA-256 of every answer, and says how many came a second.
 *
 *   bench-tiles --list FILE --port N [--tls] [--connections N] [--cookie TEXT] [--cpu N]
 *
 * A line of the list: an address and, unless only the status is checked, the answer's SHA-256 in hex. Prints one JSON object.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/str.h"
#include "cpu.h"

#define ANSWER_MAX (4u << 20)
#define CONNECTIONS_MAX 256

typedef struct wanted {
    char *path, *hash; /* hash "": not checked */
    uint64_t took_ns;
} wanted;

typedef struct connection {
    int fd;
    SSL *ssl;
    char *in;
    size_t in_n, head_n, body_n; /* head_n 0: the head is not whole yet */
    wanted *asked;
    uint64_t since_ns;
} connection;

static struct {
    wanted *list;
    size_t n, next, done, bad;
    uint64_t bytes;
    const char *cookie;
    SSL_CTX *tls;
    int port;
} run;

static void die(const char *what)
{
    fprintf(stderr, "bench-tiles: %s: %s\n", what, strerror(errno));
    exit(2);
}

/* ---- what is asked ---- */

static void read_list(const char *path)
{
    char *text = NULL, *save = NULL;
    if (cn_file_read(path, 64 << 20, &text, NULL) != CN_OK) die(path);
    for (const char *c = text; *c; c++) run.n += *c == '\n';
    run.list = calloc(run.n + 1, sizeof(*run.list));
    if (!run.list) die("memory");
    run.n = 0;
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        char *hash = strchr(line, ' ');
        if (hash) *hash++ = 0;
        run.list[run.n++] = (wanted){.path = line, .hash = hash ? hash : line + strlen(line)};
    }
}

/* ---- one connection ---- */

static void connect_one(connection *to)
{
    const struct sockaddr_in at = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)run.port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int on = 1;
    to->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (to->fd < 0 || connect(to->fd, (const struct sockaddr *)&at, sizeof(at)) < 0) die("connect");
    setsockopt(to->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    to->in = malloc(ANSWER_MAX);
    if (!to->in) die("memory");
    if (run.tls) {
        to->ssl = SSL_new(run.tls);
        if (!to->ssl || SSL_set_fd(to->ssl, to->fd) != 1 || SSL_connect(to->ssl) != 1) die("TLS");
    }
    fcntl(to->fd, F_SETFL, O_NONBLOCK);
}

/* False: nothing is left to ask. A request is small: it always fits. */
static bool ask_next(connection *to)
{
    char text[2048];
    if (run.next == run.n) return false;
    to->asked = &run.list[run.next++];
    to->in_n = to->head_n = to->body_n = 0;
    int n = snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%s%s%s\r\n", to->asked->path,
                     run.port, run.cookie ? "Cookie: " : "", run.cookie ? run.cookie : "", run.cookie ? "\r\n" : "");
    if (n < 0 || (size_t)n >= sizeof(text)) die("an address is too long");
    to->since_ns = cn_mono_ns();
    int sent = to->ssl ? SSL_write(to->ssl, text, n) : (int)send(to->fd, text, (size_t)n, MSG_NOSIGNAL);
    if (sent != n) die("send");
    return true;
}

static void read_head(connection *to)
{
    const char *end = memmem(to->in, to->in_n, "\r\n\r\n", 4);
    if (!end) return;
    to->head_n = (size_t)(end + 4 - to->in);
    char *length = NULL;
    for (char *line = to->in; line && line < end; line = memmem(line, (size_t)(end - line), "\r\n", 2)) {
        if (*line == '\r') line += 2;
        if (strncasecmp(line, "content-length:", 15) == 0) length = line + 15;
    }
    if (!length) {
        fprintf(stderr, "bench-tiles: no Content-Length: %.*s\n", (int)to->head_n, to->in);
        exit(2);
    }
    to->body_n = strtoul(length, NULL, 10);
    if (to->head_n + to->body_n > ANSWER_MAX) die("an answer is too long");
}

static bool is_good(const connection *to)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    char hex[2 * EVP_MAX_MD_SIZE + 1];
    unsigned n = 0;
    if (to->in_n < 12 || memcmp(to->in + 8, " 200", 4) != 0) return false;
    if (!*to->asked->hash) return true;
    EVP_Digest(to->in + to->head_n, to->body_n, digest, &n, EVP_sha256(), NULL);
    cn_hex(digest, n, hex);
    return strcmp(hex, to->asked->hash) == 0;
}

/* True when the answer is whole. */
static bool take_bytes(connection *to)
{
    for (;;) {
        size_t room = ANSWER_MAX - to->in_n;
        int n =
            to->ssl ? SSL_read(to->ssl, to->in + to->in_n, (int)room) : (int)recv(to->fd, to->in + to->in_n, room, 0);
        if (n <= 0) {
            bool later = to->ssl ? SSL_get_error(to->ssl, n) == SSL_ERROR_WANT_READ : n < 0 && errno == EAGAIN;
            if (later) return false;
            die("the server closed a connection");
        }
        to->in_n += (size_t)n;
        if (!to->head_n) read_head(to);
        if (to->head_n && to->in_n >= to->head_n + to->body_n) return true;
    }
}

static bool finish(connection *to)
{
    to->asked->took_ns = cn_mono_ns() - to->since_ns;
    run.bytes += to->body_n;
    if (!is_good(to)) {
        if (run.bad++ == 0) fprintf(stderr, "bench-tiles: %s: %.*s\n", to->asked->path, (int)to->head_n, to->in);
    }
    run.done++;
    return ask_next(to);
}

/* ---- all ---- */

static void play(int connections)
{
    static connection all[CONNECTIONS_MAX];
    struct epoll_event events[CONNECTIONS_MAX];
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; i < connections; i++) connect_one(&all[i]);
    uint64_t start = cn_mono_ns();
    for (int i = 0; i < connections; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &all[i]};
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, all[i].fd, &event) < 0) die("epoll");
        ask_next(&all[i]);
    }
    while (run.done < run.n) {
        int n = epoll_wait(epoll, events, connections, 20000);
        if (n == 0) die("no answer within 20 s");
        for (int i = 0; i < n; i++) {
            connection *from = events[i].data.ptr;
            if (take_bytes(from) && !finish(from)) epoll_ctl(epoll, EPOLL_CTL_DEL, from->fd, NULL); /* may be closed */
        }
    }
    uint64_t took = cn_mono_ns() - start;
    printf("{\"requests\": %zu, \"connections\": %d, \"tls\": %s, \"bad\": %zu, \"seconds\": %.4f, \"per_s\": %.0f, "
           "\"mean_bytes\": %.0f",
           run.n, connections, run.tls ? "true" : "false", run.bad, (double)took / 1e9,
           (double)run.n * 1e9 / (double)took, (double)run.bytes / (double)run.n);
}

static int by_time(const void *a, const void *b)
{
    uint64_t x = ((const wanted *)a)->took_ns, y = ((const wanted *)b)->took_ns;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"list", required_argument, NULL, 'l'},
                                            {"port", required_argument, NULL, 'p'},
                                            {"tls", no_argument, NULL, 't'},
                                            {"connections", required_argument, NULL, 'c'},
                                            {"cookie", required_argument, NULL, 'k'},
                                            {"cpu", required_argument, NULL, 'u'},
                                            {NULL, 0, NULL, 0}};
    const char *list = NULL;
    int64_t connections = 1, cpu = -1, port = 0;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        bool good = option != '?';
        if (option == 'l') list = optarg;
        if (option == 'k') run.cookie = optarg;
        if (option == 't' && !(run.tls = SSL_CTX_new(TLS_client_method()))) die("TLS");
        if (option == 'p') good = cn_parse_i64(optarg, 1, 65535, &port);
        if (option == 'c') good = cn_parse_i64(optarg, 1, CONNECTIONS_MAX, &connections);
        if (option == 'u') good = cn_parse_i64(optarg, 0, 1023, &cpu);
        if (!good) return 2;
    }
    if (!list || !port) {
        fprintf(stderr,
                "usage: bench-tiles --list FILE --port N [--tls] [--connections N] [--cookie TEXT] [--cpu N]\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    if (cpu >= 0) (void)!cpu_pin((int)cpu);
    run.port = (int)port;
    read_list(list);
    play((int)connections);
    qsort(run.list, run.n, sizeof(*run.list), by_time);
    printf(", \"p50_us\": %.1f, \"p95_us\": %.1f, \"p99_us\": %.1f}\n", (double)run.list[run.n / 2].took_ns / 1e3,
           (double)run.list[run.n * 95 / 100].took_ns / 1e3, (double)run.list[run.n * 99 / 100].took_ns / 1e3);
    return run.bad ? 1 : 0;
}
