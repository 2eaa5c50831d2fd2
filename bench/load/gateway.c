#include "gateway.h"

#include <arpa/inet.h>
#include <jansson.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "crowd/ws.h"
#include "proc.h"

#define ANSWER_MS 20000
#define START_MS 30000
#define PLUGIN "janus.plugin.videoroom"

struct guest {
    crowd *crowd;
    ws *socket;
    uint16_t sender;
    const scene_person *person;
    json_int_t session, publisher, subscriber;
    crowd_pc *out, *in;
    char transaction[24];
    unsigned calls;
    bool wants_event; /* the answer is the event, not the acknowledgement */
    json_t *answer;
};

/* ---- the server ---- */

static uint16_t free_port(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool ok = fd >= 0 && bind(fd, (struct sockaddr *)&a, n) == 0 && getsockname(fd, (struct sockaddr *)&a, &n) == 0;
    if (fd >= 0) close(fd);
    return ok ? ntohs(a.sin_port) : 0;
}

bool gateway_start(gateway_host *h, const char *script, int cpu, unsigned rooms, payload_codec codec, unsigned loops)
{
    char port[16], count[16], log[96], events[16], version[1024];
    const char *ask[] = {"dpkg-query", "-W", "-f=Janus ${Version} (Debian)", "janus", NULL};
    *h = (gateway_host){.folder = "/tmp/consilium-janus-XXXXXX", .port = free_port()};
    if (!proc_run(ask, version, sizeof version) || !cn_strcpy(h->version, sizeof h->version, version)) return false;
    if (!h->port || !mkdtemp(h->folder)) return false;
    (void)cn_fmt(port, sizeof port, "%u", h->port);
    (void)cn_fmt(count, sizeof count, "%u", rooms);
    (void)cn_fmt(events, sizeof events, "%u", loops);
    (void)cn_fmt(log, sizeof log, "%s/log", h->folder);
    const char *serve[] = {script, h->folder, port, count, codec == PAYLOAD_VP8 ? "vp8" : "h264", events, NULL};
    h->pid = proc_start(serve, log, cpu);
    uint64_t until = cn_mono_ms() + START_MS;
    while (h->pid > 0 && cn_mono_ms() < until) {
        ws *w = ws_open(h->port, "/", "Sec-WebSocket-Protocol: janus-protocol\r\n");
        ws_free(w);
        if (w) return true;
        (void)usleep(50000);
    }
    fprintf(stderr, "load: Janus cannot be started; its log is in %s\n", h->folder);
    gateway_stop(h, true);
    return false;
}

void gateway_stop(gateway_host *h, bool keep)
{
    proc_end(h->pid, 5000);
    h->pid = 0;
    if (!keep) proc_folder_remove(h->folder);
}

/* ---- its API ---- */

static void on_message(void *arg)
{
    guest *g = arg;
    for (const char *text; (text = ws_next(g->socket));) {
        if (!g->transaction[0] || !strstr(text, g->transaction)) continue; /* what others do */
        json_t *m = json_loads(text, 0, NULL);
        const char *kind = json_string_value(json_object_get(m, "janus"));
        bool ack = kind && strcmp(kind, "ack") == 0;
        if (m && !g->answer && !(ack && g->wants_event)) g->answer = json_incref(m);
        json_decref(m);
    }
    if (ws_closed(g->socket)) crowd_unwatch(g->crowd, ws_fd(g->socket));
}

/* Sends `message` (taken over) and waits for what answers it, owned; NULL with a message on standard error. */
static json_t *call(guest *g, json_t *message, bool wants_event)
{
    (void)cn_fmt(g->transaction, sizeof g->transaction, "t%u-%u", g->sender, ++g->calls);
    json_object_set_new(message, "transaction", json_string(g->transaction));
    if (g->session) json_object_set_new(message, "session_id", json_integer(g->session));
    g->wants_event = wants_event;
    char *text = json_dumps(message, JSON_COMPACT);
    json_decref(message);
    bool ok = text && ws_send(g->socket, text);
    uint64_t until = cn_mono_ms() + ANSWER_MS;
    while (ok && !g->answer && cn_mono_ms() < until && !ws_closed(g->socket)) crowd_play(g->crowd, 1);
    json_t *answer = g->answer;
    g->answer = NULL;
    g->transaction[0] = '\0';
    json_t *data = json_object_get(json_object_get(answer, "plugindata"), "data");
    if (!answer || json_object_get(answer, "error") || json_object_get(data, "error")) {
        char *why = answer ? json_dumps(answer, JSON_COMPACT) : NULL;
        fprintf(stderr, "load: Janus, participant %u: %s\n", g->sender, why ? why : "no answer");
        free(why);
        json_decref(answer);
        answer = NULL;
    }
    free(text);
    return answer;
}

static json_int_t id_of(json_t *answer)
{
    json_int_t id = json_integer_value(json_object_get(json_object_get(answer, "data"), "id"));
    json_decref(answer);
    return id;
}

/* A request to the plugin; `type` and `sdp` NULL: no SDP with it. */
static json_t *ask(guest *g, json_int_t handle, json_t *body, const char *type, const char *sdp)
{
    json_t *m = json_pack("{s:s, s:I, s:o}", "janus", "message", "handle_id", handle, "body", body);
    if (type) json_object_set_new(m, "jsep", json_pack("{s:s, s:s}", "type", type, "sdp", sdp));
    return call(g, m, true);
}

static json_int_t attach(guest *g)
{
    return id_of(call(g, json_pack("{s:s, s:s}", "janus", "attach", "plugin", PLUGIN), false));
}

/* Janus reads nothing from a client before it was told of a candidate. */
static bool trickle(guest *g, json_int_t handle, const crowd_pc *pc)
{
    char line[128];
    if (!crowd_pc_candidate(pc, line, sizeof line)) return false;
    json_t *one = json_pack("{s:s, s:i, s:s}", "candidate", line, "sdpMLineIndex", 0, "sdpMid", "0");
    json_t *all = json_pack("[o, {s:b}]", one, "completed", 1);
    json_t *done =
        call(g, json_pack("{s:s, s:I, s:o}", "janus", "trickle", "handle_id", handle, "candidates", all), false);
    json_decref(done);
    return done != NULL;
}

static bool remote_of(guest *g, json_int_t handle, crowd_pc *pc, const json_t *answer, crowd_sdp *sdp)
{
    const char *text = json_string_value(json_object_get(json_object_get(answer, "jsep"), "sdp"));
    return text && crowd_sdp_read(sdp, text) && crowd_pc_remote(pc, sdp) && trickle(g, handle, pc);
}

static bool publish(guest *g)
{
    crowd_offer offer = {.setup = "active", .mic = g->person->mic, .layers = g->person->layers};
    char *text = cn_calloc(1, CROWD_SDP_MAX);
    crowd_sdp *sdp = CN_NEW(crowd_sdp);
    if (!text || !sdp) abort();
    crowd_pc_own(g->out, &offer);
    json_t *joined = ask(g, g->publisher,
                         json_pack("{s:s, s:s, s:i, s:i}", "request", "join", "ptype", "publisher", "room",
                                   (int)g->person->room + 1, "id", g->sender + 1),
                         NULL, NULL);
    json_t *answer = NULL;
    if (joined && crowd_offer_write(text, CROWD_SDP_MAX, &offer))
        answer = ask(g, g->publisher, json_pack("{s:s}", "request", "publish"), "offer", text);
    if (g->person->mic) crowd_pc_mic(g->out);
    if (g->person->layers) crowd_pc_camera(g->out, g->person->layers);
    bool ok = answer && remote_of(g, g->publisher, g->out, answer, sdp);
    json_decref(joined);
    json_decref(answer);
    free(text);
    free(sdp);
    return ok;
}

guest *guest_publish(crowd *c, uint16_t port, uint16_t sender, const scene_person *p)
{
    guest *g = CN_NEW(guest);
    if (!g) return NULL;
    g->crowd = c;
    g->sender = sender;
    g->person = p;
    g->socket = ws_open(port, "/", "Sec-WebSocket-Protocol: janus-protocol\r\n");
    bool ok = g->socket && crowd_watch(c, ws_fd(g->socket), on_message, g);
    if (ok) g->session = id_of(call(g, json_pack("{s:s}", "janus", "create"), false));
    if (p->mic || p->layers) {
        if (ok && g->session) g->publisher = attach(g);
        g->out = crowd_pc_new(c, sender);
        ok = ok && g->publisher && publish(g);
    }
    if (ok && g->session) return g;
    guest_free(g);
    return NULL;
}

static json_t *streams_wanted(const guest *g)
{
    const scene_person *p = g->person;
    json_t *all = json_array();
    for (unsigned i = 0; i < p->audio_slots; i++)
        json_array_append_new(all, json_pack("{s:i, s:s}", "feed", p->voices[i] + 1, "mid", "mic"));
    for (unsigned i = 0; i < p->shows_n; i++)
        json_array_append_new(all, json_pack("{s:i, s:s}", "feed", p->shows[i].sender + 1, "mid", "cam"));
    return all;
}

/* Which feed stands on which section. */
static void names_fix(guest *g, const json_t *answer)
{
    size_t i;
    json_t *stream, *data = json_object_get(json_object_get(answer, "plugindata"), "data");
    json_array_foreach(json_object_get(data, "streams"), i, stream)
    {
        const char *mid = json_string_value(json_object_get(stream, "mid"));
        json_int_t feed = json_integer_value(json_object_get(stream, "feed_id"));
        if (mid && feed > 0) crowd_pc_fixed(g->in, mid, (uint16_t)(feed - 1));
    }
}

bool guest_subscribe(guest *g)
{
    if (!g->person->audio_slots && !g->person->shows_n) return true;
    g->subscriber = attach(g);
    g->in = crowd_pc_new(g->crowd, g->sender);
    crowd_offer own = {.setup = "active"};
    crowd_pc_own(g->in, &own);
    char *text = cn_calloc(1, CROWD_SDP_MAX);
    crowd_sdp *sdp = CN_NEW(crowd_sdp);
    if (!text || !sdp) abort();
    json_t *offered = ask(g, g->subscriber,
                          json_pack("{s:s, s:s, s:i, s:o}", "request", "join", "ptype", "subscriber", "room",
                                    (int)g->person->room + 1, "streams", streams_wanted(g)),
                          NULL, NULL);
    const char *offer = json_string_value(json_object_get(json_object_get(offered, "jsep"), "sdp"));
    bool ok = offer && crowd_answer_write(text, CROWD_SDP_MAX, offer, &own);
    json_t *started = ok ? ask(g, g->subscriber, json_pack("{s:s}", "request", "start"), "answer", text) : NULL;
    ok = started && remote_of(g, g->subscriber, g->in, offered, sdp);
    if (ok) names_fix(g, offered);
    json_decref(started);
    json_decref(offered);
    free(text);
    free(sdp);
    return ok;
}

static int substream(const scene_show *s, unsigned layers)
{
    int wanted = s->height > 360 ? 2 : s->height > 180 ? 1 : 0;
    return layers > 1 ? wanted : 0;
}

bool guest_layers(guest *g)
{
    if (!g->person->shows_n) return true;
    json_t *all = json_array();
    char mid[CROWD_MID];
    for (unsigned i = 0; i < g->person->shows_n; i++) {
        (void)cn_fmt(mid, sizeof mid, "%u", g->person->audio_slots + i);
        json_array_append_new(
            all, json_pack("{s:s, s:i}", "mid", mid, "substream", substream(&g->person->shows[i], CROWD_LAYERS)));
    }
    json_t *answer = ask(g, g->subscriber, json_pack("{s:s, s:o}", "request", "configure", "streams", all), NULL, NULL);
    json_decref(answer);
    return answer != NULL;
}

bool guest_connected(const guest *g)
{
    return (!g->out || crowd_pc_connected(g->out)) && (!g->in || crowd_pc_connected(g->in));
}

const char *guest_profile(const guest *g)
{
    return crowd_pc_profile(g->out ? g->out : g->in);
}

void guest_free(guest *g)
{
    if (!g) return;
    crowd_pc_free(g->in);
    crowd_pc_free(g->out);
    if (g->socket) crowd_unwatch(g->crowd, ws_fd(g->socket));
    ws_free(g->socket);
    json_decref(g->answer);
    free(g);
}
