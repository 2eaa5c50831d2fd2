/* Any bytes as what comes over a connection, whole or in pieces: request lines, headers, queries and bodies through libwebsockets to a
 * handler, which finds only what a handler may rely on; and nothing of it becomes a line of the answer. */
// covers: signaling/http/request.c signaling/door/exchange.c
#include <errno.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/jobs.h"
#include "base/mem.h"
#include "base/text.h"
#include "door.h"
#include "signaling/http/exchange_state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool printable(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f) return false;
    return true;
}

static cn_err handler(cn_http *http)
{
    static const char *const names[] = {"cookie",        "content-type",    "origin",        "host",
                                        "if-none-match", "upload-metadata", "authorization", "forwarded"};
    int64_t number = 0;
    char cookie[64];
    size_t n = 0;
    must(*cn_http_path(http) == '/' && cn_utf8_valid(cn_http_path(http), strlen(cn_http_path(http))));
    must(printable(cn_http_path(http)) && !strstr(cn_http_path(http), "/../"));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        must(!cn_http_header(http, names[i]) || printable(cn_http_header(http, names[i])));
    const char *query;
    for (size_t i = 0; (query = cn_http_query_name(http, i)); i++)
        must(cn_utf8_valid(query, strlen(query)) && cn_http_query(http, query));
    if (cn_http_cookie(http, "sid", cookie, sizeof cookie)) must(*cookie && strlen(cookie) < sizeof cookie);
    const char *page = cn_http_query(http, "page");
    if (cn_http_query_i64(http, "page", 0, 1000, 7, &number) == CN_OK)
        must(number >= 0 && number <= 1000);
    else
        must(page && *page);
    must(cn_http_content_length(http) >= -1);
    must(http->route->body != CN_BODY_JSON || json_is_object(cn_http_body_json(http)));
    (void)cn_http_body(http, &n);
    must(n <= 4096 + 1);
    (void)cn_http_secure(http);
    cn_http_set(http, "X-Said", cn_http_param(http, "id"));
    if (page) cn_http_set(http, "X-Page", page);
    return cn_http_not_modified(http, "abc") ? CN_OK : cn_http_text(http, 200, "text/plain", "ok", 2);
}

static bool recall(cn_http *http, cn_actor *actor)
{
    actor->rights = 1;
    return !cn_http_cookie(http, "anew", (char[8]){0}, 8);
}

/** As the handler, but only for short names; the others leave no trace. */
static bool quick(cn_http *http)
{
    must(cn_http_actor(http)->rights == 1);
    if (strlen(cn_http_param(http, "id")) > 4) return false;
    cn_http_own(http, cn_strdup(cn_http_param(http, "id")), free);
    must(cn_http_owned(http));
    return handler(http) == CN_OK;
}

static const cn_route routes[] = {
    {CN_GET, "/a/{id}", CN_WHO_PUBLIC, handler, .body = CN_BODY_NONE, .job = CN_RUN_DOOR, .flags = CN_ROUTE_CORS},
    {CN_POST, "/a/{id}", CN_WHO_PUBLIC, handler, .body = CN_BODY_JSON, .job = CN_RUN_DOOR, .body_max = 4096},
    {CN_PUT, "/a/{id}", CN_WHO_PUBLIC, handler, .body = CN_BODY_RAW, .job = CN_RUN_DOOR, .body_max = 4096},
    {CN_GET, "/q/{id}", CN_WHO_PUBLIC, handler, .body = CN_BODY_NONE, .job = CN_RUN_TILE, .quick = quick},
    {CN_DELETE, "/b/{rest*}", CN_WHO_PUBLIC, handler, .body = CN_BODY_NONE, .job = CN_RUN_DOOR},
    {.path = NULL},
};
static const cn_route *const tables[] = {routes, NULL};

/* Every line of a head is one of ours: a name, a colon, and nothing that a client could have broken in two. */
static void answer(int fd)
{
    static char text[1 << 18];
    ssize_t n = recv(fd, text, sizeof text - 1, 0);
    if (n <= 0) return;
    text[n] = '\0';
    must(strncmp(text, "HTTP/1.1 ", 9) == 0 || strncmp(text, "HTTP/1.0 ", 9) == 0);
    char *end = strstr(text, "\r\n\r\n");
    if (!end) return;
    *end = '\0';
    must(!strstr(text, "\r\nX-Injected") && !strstr(text, "\nX-Injected"));
}

static void never_done(void *nothing)
{
    (void)nothing;
    for (;;) pause();
}

/** Takes nobody: what the quick way leaves is refused on this thread, and every run goes the same way. */
static cn_jobs *busy_for_good(void)
{
    cn_jobs *jobs;
    must(cn_jobs_new(&jobs, "busy", 1, 1) == CN_OK);
    for (unsigned in = 0; in < 2; sched_yield()) /* one in its thread, one in line */
        in += cn_jobs_add(jobs, never_done, NULL) == CN_OK;
    return jobs;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static cn_door *door;
    if (!door)
        door = door_open((cn_door_config){.routes = tables,
                                          .cors_origins = "https://portal.example",
                                          .recall = recall,
                                          .tile_jobs = busy_for_good()});
    input from = {data, size};
    size_t piece = input_byte(&from);
    int fd = door_connect(door);
    must(fd >= 0);
    bool open = true;
    while (open && from.n) {
        size_t n = piece ? piece : from.n;
        const uint8_t *at = input_bytes(&from, &n);
        open = send(fd, at, n, MSG_NOSIGNAL) == (ssize_t)n;
        door_turn(door);
    }
    answer(fd);
    door_close(door, fd);
    must(door->crowd.unknown == 0);
    return 0;
}
