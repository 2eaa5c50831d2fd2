/* Private to signaling/live*.c. Everything here belongs to the door's thread. */
#ifndef CN_SIGNALING_LIVE_PRIVATE_H
#define CN_SIGNALING_LIVE_PRIVATE_H

#include <semaphore.h>
#include <stdatomic.h>

#include "base/crypto.h"
#include "base/str.h"
#include "consult/people/accounts.h"
#include "consult/minutes/meter.h"
#include "consult/room/room.h"
#include "signaling/app.h"
#include "signaling/live/live.h"
#include "signaling/live/qualitylog.h"
#include "signaling/live/rpc.h"
#include "signaling/live/why.h"
#include "signaling/door/ws.h"

#define CN_SOURCES (CN_SOURCE_DEVICE + 1)
#define CN_BUCKETS 1024
#define CN_WHO 65 /* a person by user id, a device by the hash of its token */

typedef struct cn_client cn_client;
typedef struct cn_member cn_member;
typedef struct cn_hall cn_hall;
typedef struct cn_record cn_record;
typedef struct cn_room_record cn_room_record;
typedef struct cn_pass cn_pass;
typedef struct cn_knock cn_knock;

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
    bool joining;    /* a join is under way */
    cn_knock *knock; /* waits to be let in */
    json_t *held;    /* array of texts that came before the session was known */
};

typedef struct cn_published {
    bool there, on;
    bool held;    /* a host switched it off */
    bool allowed; /* a host asked for it */
    unsigned rids;
} cn_published;

typedef struct cn_quality {
    int mark;
    uint32_t why; /* bit per cn_why_reason */
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
    bool may_video;      /* has one of the places with video */
    bool answered, connected, leaving;
    bool moderates, leads, refers; /* by the rights at joining: host always, lead expert, referrer */
    bool host_told;                /* as the others know it */
    int64_t hand_ms;               /* raised at; 0: not */
    cn_tier tier_max;              /* a host's ceiling */
    cn_slot_want *wants;           /* as said last */
    size_t want_count;
    cn_tier want_tier;
    cn_published source[CN_SOURCES];
    cn_quality quality, quality_told; /* now; as the room knows it */
    bool quality_known;               /* its app has everybody's: from then on it is told what changed */
    cn_media_stats stats;             /* the last ones */
    bool measured;
    cn_why why;
    uint32_t told;     /* reasons that its app told, bit per cn_why_reason */
    cn_record *record; /* borrowed; NULL before the first measurement */
    cn_meter meter;
    uint64_t since_ms, away_ms; /* monotonic: joined; WebSocket lost, 0: there */
};

/* A room in use. */
struct cn_hall {
    cn_hall *next;
    cn_live *live;
    char id[64], request[CN_ID_TEXT], title[64];
    cn_member *members;
    char speaker[CN_ID_TEXT];
    uint64_t gone_in, gone_out; /* bytes of those who left */
    /* shared view */
    char file[CN_ID_TEXT], kind[16], presenter[CN_ID_TEXT];
    char *file_name;
    int page;
    json_t *state, *pointer;   /* as relayed */
    uint32_t view_turn;        /* counts files and presenters: no place of one overtakes the news of the next */
    cn_room_settings settings; /* with the codec that is meant by "" */
    cn_tier tier_max;          /* of the settings */
    int64_t hand_last_ms;
};

/* What is remembered of somebody and a room for a while, also when he is not in it. */
struct cn_pass {
    cn_pass *next;
    char room[64], who[CN_WHO];
    uint64_t until_ms;   /* monotonic: may enter a room that is closed to others */
    uint64_t removed_ms; /* monotonic: may not enter before */
    cn_tier tier_max;    /* a host's ceiling, for when he comes back */
};

/* Somebody before the door. */
struct cn_knock {
    cn_knock *next;
    cn_client *client;
    char room[64], id[CN_ID_TEXT], user[CN_ID_TEXT];
    char *name, *title, *hospital;
    int64_t at_ms;
    bool removed; /* was sent out and asks to come back */
};

typedef struct cn_ledger_entry cn_ledger_entry;

struct cn_live {
    cn_app *app;
    cn_door *door;
    cn_media *media;   /* NULL before cn_live_attach and after cn_live_close */
    size_t peers_peak; /* since memory was given back */
    cn_client *clients;
    uint64_t serials;
    cn_hall *halls;
    cn_member *buckets[CN_BUCKETS];
    cn_room_record *records; /* newest first */
    unsigned records_n;
    cn_pass *passes;
    cn_knock *knocks;
    bool setting;  /* a change of a room's settings is under way */
    bool checking; /* sessions are being asked for */
    bool closing;
    /* minutes on their way to the ledger */
    cn_ledger_entry *ledger_first, *ledger_last;
    bool ledger_busy;
    _Atomic uint32_t rooms, participants, ledger_waiting;
    _Atomic uint32_t events_waiting, events_lost;
};

/* ---- live.c ---- */
cn_client *cn_client_find(cn_live *live, uint64_t serial);
/** Sends and drops the reference; nothing happens without a client. */
void cn_client_send(cn_client *client, json_t *message);
void cn_client_notice(cn_client *client, const char *method, json_t *params);
/** Answers a call; a notification (id NULL) gets none. */
void cn_client_answer(cn_client *client, json_t *id, json_t *result);
void cn_client_refuse(cn_client *client, json_t *id, cn_err err, const cn_problem *problem);

/* ---- live_methods.c: the table ---- */
typedef struct cn_method_call {
    cn_live *live;
    cn_client *client;
    json_t *id; /* NULL: a notification */
    json_t *params;
    cn_problem problem;
} cn_method_call;
/** Runs one message of a client that is logged in. */
void cn_live_dispatch(cn_client *client, const char *text, size_t len);

/* Methods: CN_OK with *result (NULL: {}), an error, or CN_ERR_AGAIN_LATER: they answer themselves. */
#define CN_ANSWERS_ITSELF ((cn_err)CN_ERR_COUNT)
cn_err cn_do_join(cn_method_call *call, json_t **result);
cn_err cn_do_offer(cn_method_call *call, json_t **result);
cn_err cn_do_show(cn_method_call *call, json_t **result);
cn_err cn_do_source(cn_method_call *call, json_t **result);
cn_err cn_do_leave(cn_method_call *call, json_t **result);
cn_err cn_do_health(cn_method_call *call, json_t **result);
cn_err cn_do_view_open(cn_method_call *call, json_t **result);
cn_err cn_do_view_present(cn_method_call *call, json_t **result);
cn_err cn_do_view_state(cn_method_call *call, json_t **result);
cn_err cn_do_view_pointer(cn_method_call *call, json_t **result);

cn_err cn_do_hand(cn_method_call *call, json_t **result);
cn_err cn_do_mute(cn_method_call *call, json_t **result);
cn_err cn_do_ask(cn_method_call *call, json_t **result);
cn_err cn_do_remove(cn_method_call *call, json_t **result);
cn_err cn_do_limit(cn_method_call *call, json_t **result);
cn_err cn_do_video(cn_method_call *call, json_t **result);
cn_err cn_do_settings(cn_method_call *call, json_t **result);
cn_err cn_do_admit(cn_method_call *call, json_t **result);

/* ---- live_hall.c: rooms and members ---- */
cn_hall *cn_hall_find(cn_live *live, const char *id);
cn_hall *cn_hall_open(cn_live *live, const cn_room_info *room);
cn_member *cn_member_find(cn_live *live, const char *id);
/** CN_ERR_FULL when neither a place with nor one without video is left. Not yet visible to others. */
cn_err cn_member_new(cn_member **out, cn_hall *hall, bool wants_video);
/** Takes it out of its room (which ends when it was the last) and frees it. */
void cn_member_free(cn_member *member);
json_t *cn_member_json(const cn_member *member);
/** Sends a notice to every client of the room but `except`; serialised once. `key` as in cn_ws_send. Takes `params`
 * over. */
void cn_hall_notice(cn_hall *hall, const cn_member *except, const char *method, json_t *params, const char *key);
/** What an offer changes in the sources that are published; tells the others when `tell`. */
void cn_member_sources(cn_member *member, const cn_offer_look *offer, const cn_section *sections, size_t count,
                       bool tell);
/** Whether an offer publishes a picture. */
bool cn_offer_has_video(const cn_offer_look *offer);
/** Takes or gives up a place with video; CN_ERR_FULL when none is left. The others are told. */
cn_err cn_member_video(cn_member *member, bool on);
/** Its WebSocket is gone or somebody else's. */
void cn_member_detach(cn_member *member);
json_t *cn_hall_view_json(const cn_hall *hall);
void cn_hall_view_close(cn_hall *hall);
/** Whoever presents has gone. */
void cn_hall_presenter_left(cn_hall *hall, const cn_member *member);

/* ---- live_host.c: what hosts do ---- */
bool cn_member_is_host(const cn_member *member);
/** Tells everybody when other members are hosts than before. */
void cn_hall_hosts(cn_hall *hall);
void cn_hall_tell_hosts(cn_hall *hall, const char *method, json_t *params);
/** CN_ERR_FORBIDDEN, audited, for who is no host. */
cn_err cn_need_host(cn_method_call *call, const char *action);
/** Writes an act of the caller to the audit log; `participant` may be NULL. */
void cn_host_audit(cn_method_call *call, const char *action, const char *outcome, const cn_member *participant,
                   const char *what);
/** May he switch this source of his on? CN_ERR_FORBIDDEN when the room leaves that to hosts. */
cn_err cn_member_may_unmute(const cn_member *member, cn_source_kind kind, cn_problem *problem);
/** Switches a source and tells everybody; `by` is a host or NULL. */
void cn_member_switch(cn_member *member, cn_source_kind kind, bool on, const cn_member *by);
/** Is a source that he begins to publish on? */
bool cn_member_starts_on(const cn_member *member, cn_source_kind kind);
/** With an offer: what is off here must be off in media too, also in sections that it accepts just now. */
void cn_member_hold_sources(cn_member *member);
/** The smaller of the room's and the participant's ceiling. */
cn_tier cn_member_tier(const cn_member *member);
/** Says to media what this participant wants, within the ceilings. */
void cn_member_show(cn_member *member);
/** The ceilings of the room changed, or that of one participant. */
void cn_hall_limits(cn_hall *hall);
json_t *cn_member_limits_json(const cn_member *member);

/* ---- live_gate.c: settings, lock, lobby ---- */
typedef enum cn_gate { CN_GATE_OPEN, CN_GATE_LOBBY, CN_GATE_LOCKED, CN_GATE_REMOVED } cn_gate;
/** May he enter anew? `who`: user id or token hash; `host`: would be a host inside. *wait_ms: for CN_GATE_REMOVED. */
cn_gate cn_gate_judge(cn_live *live, const cn_room_info *room, const char *who, bool host, uint64_t *wait_ms);
/** Whether somebody with these parts would be a host on entering now. */
bool cn_gate_would_host(cn_live *live, const cn_room_info *room, const cn_actor *actor);
/** Puts a client before the door; hosts are told. `user`: as cn_user_json. */
void cn_gate_knock(cn_client *client, const cn_room_info *room, const json_t *user, bool removed);
/** Nobody waits here any more. */
void cn_gate_forget(cn_client *client);
/** `member` goes: he may come back for a while, or (removed) not so soon. Remembers his ceiling. */
void cn_gate_left(const cn_member *member, bool removed);
/** What is remembered of him, or NULL. */
const cn_pass *cn_gate_pass(const cn_live *live, const char *room, const char *who);
json_t *cn_gate_knocks_json(const cn_hall *hall);
void cn_gate_tell_knocks(cn_hall *hall, cn_member *only);
void cn_hall_set(cn_hall *hall, const cn_room_settings *settings);
json_t *cn_hall_settings_json(const cn_hall *hall);
/** Every second: what is old is forgotten. */
void cn_gate_tidy(cn_live *live);
void cn_gate_free(cn_live *live);

/* ---- live_minutes.c ---- */
void cn_minutes_area(cn_member *member, uint64_t mono_ms, int64_t sum, int64_t max);
void cn_minutes_start(cn_member *member, uint64_t mono_ms, int64_t wall_ms);
void cn_minutes_stop(cn_member *member, uint64_t mono_ms, const char *cause);
/** Every minute. */
void cn_minutes_checkpoint(void *live);
/** Every second: what waits goes to the ledger. */
void cn_minutes_flush(void *live);
void cn_minutes_free(cn_live *live);

/* ---- live_quality.c: how well everybody is connected ---- */
/** "udp", "tcp", "relay", "" when not known. */
const char *cn_quality_path(cn_media_path path);
void cn_quality_stats(cn_member *member, const cn_media_stats *stats);
void cn_live_quality(void *live); /* every 2 s */
json_t *cn_quality_why(uint32_t why);

/* ---- live_record.c: how well it was, for the administrator ---- */
/** Its last measurement, made just now. */
void cn_record_stats(cn_member *member);
/** It is about to be freed. */
void cn_record_left(cn_member *member);
/** Every minute: forgets rooms that ended a while ago. */
void cn_record_forget(void *live);
void cn_record_free(cn_live *live);

/* ---- live_events.c ---- */
void cn_live_housekeeping(void *live); /* every second */

#endif
