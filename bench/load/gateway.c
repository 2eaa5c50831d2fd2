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
#include "crowd/poll.h"
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
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof addr;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool ok =
        fd >= 0 && bind(fd, (struct sockaddr *)&addr, n) == 0 && getsockname(fd, (struct sockaddr *)&addr, &n) == 0;
    if (fd >= 0) close(fd);
    return ok ? ntohs(addr.sin_port) : 0;
}

bool gateway_start(gateway_host *gateway, const char *script, int cpu, unsigned rooms, cn_codec codec, unsigned loops)
{
    char port[16], count[16], log[96], events[16], version[1024];
    const char *ask[] = {"dpkg-query", "-W", "-f=Janus ${Version} (Debian)", "janus", NULL};
    *gateway = (gateway_host){.folder = "/tmp/consilium-janus-XXXXXX", .port = free_port()};
    if (!proc_run(ask, version, sizeof version) || !cn_strcpy(gateway->version, sizeof gateway->version, version))
        return false;
    if (!gateway->port || !mkdtemp(gateway->folder)) return false;
    (void)cn_fmt(port, sizeof port, "%u", gateway->port);
    (void)cn_fmt(count, sizeof count, "%u", rooms);
    (void)cn_fmt(events, sizeof events, "%u", loops);
    (void)cn_fmt(log, sizeof log, "%s/log", gateway->folder);
    const char *serve[] = {script, gateway->folder, port, count, codec == CN_CODEC_VP8 ? "vp8" : "h264", events, NULL};
    gateway->pid = proc_start(serve, log, cpu);
    uint64_t until = cn_mono_ms() + START_MS;
    while (gateway->pid > 0 && cn_mono_ms() < until) {
        ws *socket = ws_open(gateway->port, "/", "Sec-WebSocket-Protocol: janus-protocol\r\n");
        ws_free(socket);
        if (socket) return true;
        (void)usleep(50000);
    }
    fprintf(stderr, "load: Janus cannot be started; its log is in %s\n", gateway->folder);
    gateway_stop(gateway, true);
    return false;
}

void gateway_stop(gateway_host *gateway, bool keep)
{
    proc_end(gateway->pid, 5000);
    gateway->pid = 0;
    if (!keep) proc_folder_remove(gateway->folder);
}

/* ---- its API ---- */

static void on_message(void *arg)
{
    guest *visitor = arg;
    for (const char *text; (text = ws_next(visitor->socket));) {
        if (!visitor->transaction[0] || !strstr(text, visitor->transaction)) continue; /* what others do */
        json_t *object = json_loads(text, 0, NULL);
        const char *kind = json_string_value(json_object_get(object, "janus"));
        bool ack = kind && strcmp(kind, "ack") == 0;
        if (object && !visitor->answer && !(ack && visitor->wants_event)) visitor->answer = json_incref(object);
        json_decref(object);
    }
    if (ws_closed(visitor->socket)) crowd_unwatch(visitor->crowd, ws_fd(visitor->socket));
}

/* Sends `message` (taken over) and waits for what answers it, owned; NULL with a message on standard error. */
static json_t *call(guest *visitor, json_t *message, bool wants_event)
{
    (void)cn_fmt(visitor->transaction, sizeof visitor->transaction, "t%u-%u", visitor->sender, ++visitor->calls);
    json_object_set_new(message, "transaction", json_string(visitor->transaction));
    if (visitor->session) json_object_set_new(message, "session_id", json_integer(visitor->session));
    visitor->wants_event = wants_event;
    char *text = json_dumps(message, JSON_COMPACT);
    json_decref(message);
    bool ok = text && ws_send(visitor->socket, text);
    uint64_t until = cn_mono_ms() + ANSWER_MS;
    while (ok && !visitor->answer && cn_mono_ms() < until && !ws_closed(visitor->socket)) crowd_play(visitor->crowd, 1);
    json_t *answer = visitor->answer;
    visitor->answer = NULL;
    visitor->transaction[0] = '\0';
    json_t *data = json_object_get(json_object_get(answer, "plugindata"), "data");
    if (!answer || json_object_get(answer, "error") || json_object_get(data, "error")) {
        char *why = answer ? json_dumps(answer, JSON_COMPACT) : NULL;
        fprintf(stderr, "load: Janus, participant %u: %s\n", visitor->sender, why ? why : "no answer");
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
static json_t *ask(guest *visitor, json_int_t handle, json_t *body, const char *type, const char *sdp)
{
    json_t *object = json_pack("{s:s, s:I, s:o}", "janus", "message", "handle_id", handle, "body", body);
    if (type) json_object_set_new(object, "jsep", json_pack("{s:s, s:s}", "type", type, "sdp", sdp));
    return call(visitor, object, true);
}

static json_int_t attach(guest *visitor)
{
    return id_of(call(visitor, json_pack("{s:s, s:s}", "janus", "attach", "plugin", PLUGIN), false));
}

/* Janus reads nothing from a client before it was told of a candidate. */
static bool trickle(guest *visitor, json_int_t handle, const crowd_pc *pc)
{
    char line[128];
    if (!crowd_pc_candidate(pc, line, sizeof line)) return false;
    json_t *one = json_pack("{s:s, s:i, s:s}", "candidate", line, "sdpMLineIndex", 0, "sdpMid", "0");
    json_t *all = json_pack("[o, {s:b}]", one, "completed", 1);
    json_t *done =
        call(visitor, json_pack("{s:s, s:I, s:o}", "janus", "trickle", "handle_id", handle, "candidates", all), false);
    json_decref(done);
    return done != NULL;
}

static bool remote_of(guest *visitor, json_int_t handle, crowd_pc *pc, const json_t *answer, rtc_sdp *sdp)
{
    const char *text = json_string_value(json_object_get(json_object_get(answer, "jsep"), "sdp"));
    return text && rtc_sdp_read(sdp, text) && crowd_pc_remote(pc, sdp) && trickle(visitor, handle, pc);
}

static bool publish(guest *visitor)
{
    rtc_offer offer = {.setup = "active", .mic = visitor->person->mic, .layers = visitor->person->layers};
    char *text = cn_calloc(1, RTC_SDP_MAX);
    rtc_sdp *sdp = CN_NEW(rtc_sdp);
    if (!text || !sdp) abort();
    crowd_pc_own(visitor->out, &offer);
    json_t *joined = ask(visitor, visitor->publisher,
                         json_pack("{s:s, s:s, s:i, s:i}", "request", "join", "ptype", "publisher", "room",
                                   (int)visitor->person->room + 1, "id", visitor->sender + 1),
                         NULL, NULL);
    json_t *answer = NULL;
    if (joined && rtc_offer_write(text, RTC_SDP_MAX, &offer))
        answer = ask(visitor, visitor->publisher, json_pack("{s:s}", "request", "publish"), "offer", text);
    if (visitor->person->mic) crowd_pc_mic(visitor->out, CROWD_TALKS);
    if (visitor->person->layers) crowd_pc_camera(visitor->out, visitor->person->layers);
    bool ok = answer && remote_of(visitor, visitor->publisher, visitor->out, answer, sdp);
    json_decref(joined);
    json_decref(answer);
    free(text);
    free(sdp);
    return ok;
}

guest *guest_publish(crowd *throng, uint16_t port, uint16_t sender, const scene_person *person)
{
    guest *visitor = CN_NEW(guest);
    if (!visitor) return NULL;
    visitor->crowd = throng;
    visitor->sender = sender;
    visitor->person = person;
    visitor->socket = ws_open(port, "/", "Sec-WebSocket-Protocol: janus-protocol\r\n");
    bool ok = visitor->socket && crowd_watch(throng, ws_fd(visitor->socket), on_message, visitor);
    if (ok) visitor->session = id_of(call(visitor, json_pack("{s:s}", "janus", "create"), false));
    if (person->mic || person->layers) {
        if (ok && visitor->session) visitor->publisher = attach(visitor);
        visitor->out = crowd_pc_new(throng, sender);
        ok = ok && visitor->publisher && publish(visitor);
    }
    if (ok && visitor->session) return visitor;
    guest_free(visitor);
    return NULL;
}

static json_t *streams_wanted(const guest *visitor)
{
    const scene_person *person = visitor->person;
    json_t *all = json_array();
    for (unsigned i = 0; i < person->audio_slots; i++)
        json_array_append_new(all, json_pack("{s:i, s:s}", "feed", person->voices[i] + 1, "mid", "mic"));
    for (unsigned i = 0; i < person->shows_n; i++)
        json_array_append_new(all, json_pack("{s:i, s:s}", "feed", person->shows[i].sender + 1, "mid", "cam"));
    return all;
}

/* Which feed stands on which section. */
static void names_fix(guest *visitor, const json_t *answer)
{
    size_t i;
    json_t *stream, *data = json_object_get(json_object_get(answer, "plugindata"), "data");
    json_array_foreach(json_object_get(data, "streams"), i, stream)
    {
        const char *mid = json_string_value(json_object_get(stream, "mid"));
        json_int_t feed = json_integer_value(json_object_get(stream, "feed_id"));
        if (mid && feed > 0) crowd_pc_fixed(visitor->in, mid, (uint16_t)(feed - 1));
    }
}

bool guest_subscribe(guest *visitor)
{
    if (!visitor->person->audio_slots && !visitor->person->shows_n) return true;
    visitor->subscriber = attach(visitor);
    visitor->in = crowd_pc_new(visitor->crowd, visitor->sender);
    rtc_offer own = {.setup = "active"};
    crowd_pc_own(visitor->in, &own);
    char *text = cn_calloc(1, RTC_SDP_MAX);
    rtc_sdp *sdp = CN_NEW(rtc_sdp);
    if (!text || !sdp) abort();
    json_t *offered = ask(visitor, visitor->subscriber,
                          json_pack("{s:s, s:s, s:i, s:o}", "request", "join", "ptype", "subscriber", "room",
                                    (int)visitor->person->room + 1, "streams", streams_wanted(visitor)),
                          NULL, NULL);
    const char *offer = json_string_value(json_object_get(json_object_get(offered, "jsep"), "sdp"));
    bool ok = offer && rtc_answer_write(text, RTC_SDP_MAX, offer, &own);
    json_t *started =
        ok ? ask(visitor, visitor->subscriber, json_pack("{s:s}", "request", "start"), "answer", text) : NULL;
    ok = started && remote_of(visitor, visitor->subscriber, visitor->in, offered, sdp);
    if (ok) names_fix(visitor, offered);
    json_decref(started);
    json_decref(offered);
    free(text);
    free(sdp);
    return ok;
}

static int substream(const scene_show *show, unsigned layers)
{
    int wanted = show->height > 360 ? 2 : show->height > 180 ? 1 : 0;
    return layers > 1 ? wanted : 0;
}

bool guest_layers(guest *visitor)
{
    if (!visitor->person->shows_n) return true;
    json_t *all = json_array();
    char mid[RTC_MID];
    for (unsigned i = 0; i < visitor->person->shows_n; i++) {
        (void)cn_fmt(mid, sizeof mid, "%u", visitor->person->audio_slots + i);
        json_array_append_new(
            all, json_pack("{s:s, s:i}", "mid", mid, "substream", substream(&visitor->person->shows[i], RTC_LAYERS)));
    }
    json_t *answer =
        ask(visitor, visitor->subscriber, json_pack("{s:s, s:o}", "request", "configure", "streams", all), NULL, NULL);
    json_decref(answer);
    return answer != NULL;
}

bool guest_connected(const guest *visitor)
{
    return (!visitor->out || crowd_pc_connected(visitor->out)) && (!visitor->in || crowd_pc_connected(visitor->in));
}

const char *guest_profile(const guest *visitor)
{
    return crowd_pc_profile(visitor->out ? visitor->out : visitor->in);
}

void guest_free(guest *visitor)
{
    if (!visitor) return;
    crowd_pc_free(visitor->in);
    crowd_pc_free(visitor->out);
    if (visitor->socket) crowd_unwatch(visitor->crowd, ws_fd(visitor->socket));
    ws_free(visitor->socket);
    json_decref(visitor->answer);
    free(visitor);
}
