/* Private to signaling/live*.c. Everything here belongs to the door's thread. */
#ifndef CN_SIGNALING_LIVE_PRIVATE_H
#define CN_SIGNALING_LIVE_PRIVATE_H

#include <semaphore.h>
#include <stdatomic.h>

#include "base/crypto.h"
#include "base/str.h"
#include "consult/accounts.h"
#include "consult/meter.h"
#include "consult/room.h"
#include "signaling/app.h"
#include "signaling/live.h"
#include "signaling/rpc.h"
#include "signaling/ws.h"

#define CN_SOURCES (CN_SOURCE_DEVICE + 1)
#define CN_BUCKETS 1024

typedef struct cn_client cn_client;
typedef struct cn_member cn_member;
typedef struct cn_hall cn_hall;

/* A WebSocket and who is behind it. */
struct cn_client {
    cn_client *next, **at; /* list of all */
    cn_live *live;
    uint64_t serial; /* never used twice: what jobs name a client by */
    cn_ws *ws;
    char token[CN_SESSION_TOKEN];
    char address[48];
    enum { CN_CLIENT_ASKING, CN_CLIENT_KNOWN, CN_CLIENT_REFUSED } state;
    cn_actor actor;
    cn_member *member;
    bool joining; /* a join is under way */
    json_t *held; /* array of texts that came before the session was known */
};

typedef struct cn_published {
    bool there, on;
    unsigned rids;
} cn_published;

typedef struct cn_quality {
    int mark;
    double up_loss, down_loss;
    uint32_t rtt_ms, up_bps, down_bps;
} cn_quality;

/* A participant. */
struct cn_member {
    cn_member *next;        /* of its room */
    cn_member *bucket_next; /* of all, by id */
    cn_hall *hall;
    cn_client *client; /* NULL: a device, or the WebSocket is away */
    char id[CN_ID_TEXT], user[CN_ID_TEXT], hospital[CN_ID_TEXT];
    char *name, *title, *hospital_name;
    const char *role, *kind; /* static texts */
    char resume[CN_SESSION_TOKEN];
    char token_hash[65]; /* of a device's bearer token */
    bool may_video, answered, connected, leaving;
    cn_published source[CN_SOURCES];
    cn_quality quality;
    cn_media_stats stats; /* the last ones */
    bool measured;
    cn_meter meter;
    uint64_t since_ms, away_ms; /* monotonic: joined; WebSocket lost, 0: there */
};

/* A room in use. */
struct cn_hall {
    cn_hall *next;
    cn_live *live;
    char id[64], request[CN_ID_TEXT];
    const char *codec; /* what cameras are asked to send: the configuration's text */
    cn_member *members;
    char speaker[CN_ID_TEXT];
    uint64_t gone_in, gone_out; /* bytes of those who left */
    /* shared view */
    char file[CN_ID_TEXT], kind[16], presenter[CN_ID_TEXT];
    char *file_name;
    int page;
    json_t *state, *pointer; /* as relayed */
    uint32_t view_turn;      /* counts files and presenters: no place of one overtakes the news of the next */
};

typedef struct cn_ledger_entry cn_ledger_entry;

struct cn_live {
    cn_app *app;
    cn_door *door;
    cn_media *media; /* NULL before cn_live_attach and after cn_live_close */
    cn_client *clients;
    uint64_t serials;
    cn_hall *halls;
    cn_member *buckets[CN_BUCKETS];
    bool checking; /* sessions are being asked for */
    bool closing;
    /* minutes on their way to the ledger */
    cn_ledger_entry *ledger_first, *ledger_last;
    bool ledger_busy;
    _Atomic uint32_t rooms, participants, ledger_waiting;
    _Atomic uint32_t events_waiting, events_lost;
};

/* ---- live.c ---- */
cn_client *cn_client_find(cn_live *l, uint64_t serial);
/** Sends and drops the reference; nothing happens without a client. */
void cn_client_send(cn_client *c, json_t *message);
void cn_client_notice(cn_client *c, const char *method, json_t *params);
/** Answers a call; a notification (id NULL) gets none. */
void cn_client_answer(cn_client *c, json_t *id, json_t *result);
void cn_client_refuse(cn_client *c, json_t *id, cn_err err, const cn_problem *p);

/* ---- live_methods.c: the table ---- */
typedef struct cn_method_call {
    cn_live *live;
    cn_client *client;
    json_t *id; /* NULL: a notification */
    json_t *params;
    cn_problem problem;
} cn_method_call;
/** Runs one message of a client that is logged in. */
void cn_live_dispatch(cn_client *c, const char *text, size_t n);

/* Methods: CN_OK with *result (NULL: {}), an error, or CN_ERR_AGAIN_LATER: they answer themselves. */
#define CN_ANSWERS_ITSELF ((cn_err)CN_ERR_COUNT)
cn_err cn_do_join(cn_method_call *m, json_t **result);
cn_err cn_do_offer(cn_method_call *m, json_t **result);
cn_err cn_do_show(cn_method_call *m, json_t **result);
cn_err cn_do_source(cn_method_call *m, json_t **result);
cn_err cn_do_leave(cn_method_call *m, json_t **result);
cn_err cn_do_view_open(cn_method_call *m, json_t **result);
cn_err cn_do_view_present(cn_method_call *m, json_t **result);
cn_err cn_do_view_state(cn_method_call *m, json_t **result);
cn_err cn_do_view_pointer(cn_method_call *m, json_t **result);

/* ---- live_hall.c: rooms and members ---- */
cn_hall *cn_hall_find(cn_live *l, const char *id);
cn_hall *cn_hall_open(cn_live *l, const char *id, const char *request);
cn_member *cn_member_find(cn_live *l, const char *id);
/** CN_ERR_FULL when neither a place with nor one without video is left. Not yet visible to others. */
cn_err cn_member_new(cn_member **out, cn_hall *h, bool wants_video);
/** Takes it out of its room (which ends when it was the last) and frees it. */
void cn_member_free(cn_member *m);
json_t *cn_member_json(const cn_member *m);
/** Sends a notice to every client of the room but `except`; serialised once. `key` as in cn_ws_send. Takes `params`
 * over. */
void cn_hall_notice(cn_hall *h, const cn_member *except, const char *method, json_t *params, const char *key);
/** What an offer changes in the sources that are published; tells the others when `tell`. */
void cn_member_sources(cn_member *m, const char *offer, const cn_section *sections, size_t count, bool tell);
/** Its WebSocket is gone or somebody else's. */
void cn_member_detach(cn_member *m);
json_t *cn_hall_view_json(const cn_hall *h);
void cn_hall_view_close(cn_hall *h);
/** Whoever presents has gone. */
void cn_hall_presenter_left(cn_hall *h, const cn_member *m);

/* ---- live_minutes.c ---- */
void cn_minutes_area(cn_member *m, uint64_t mono_ms, int64_t sum, int64_t max);
void cn_minutes_start(cn_member *m, uint64_t mono_ms, int64_t wall_ms);
void cn_minutes_stop(cn_member *m, uint64_t mono_ms, const char *cause);
/** Every minute. */
void cn_minutes_checkpoint(void *live);
/** Every second: what waits goes to the ledger. */
void cn_minutes_flush(void *live);
void cn_minutes_free(cn_live *l);

/* ---- live_quality.c: how well everybody is connected ---- */
/** "udp", "tcp", "relay", "" when not known. */
const char *cn_quality_path(cn_media_path path);
void cn_quality_stats(cn_member *m, const cn_media_stats *s);
void cn_live_quality(void *live); /* every 2 s */

/* ---- live_events.c ---- */
void cn_live_housekeeping(void *live); /* every second */

#endif
