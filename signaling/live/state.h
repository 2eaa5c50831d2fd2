/* What the live side knows: clients, halls, members, who waits and what is remembered. Structs only; all of it belongs
 * to the door's thread. */
#ifndef CN_SIGNALING_LIVE_STATE_H
#define CN_SIGNALING_LIVE_STATE_H

#include <stdatomic.h>

#include "base/crypto.h"
#include "base/str.h"
#include "consult/people/accounts.h"
#include "consult/minutes/tally.h"
#include "consult/room/room.h"
#include "signaling/live/board.h"
#include "signaling/live/live.h"
#include "signaling/live/qualitylog.h"
#include "signaling/live/rates.h"
#include "signaling/live/why.h"
#include "signaling/door/ws.h"

#define CN_SOURCES (CN_SOURCE_DEVICE + 1)
#define CN_BUCKETS 1024
#define CN_ENDED 64 /* requests that ended last */
#define CN_CAME 256 /* who came into the rooms of requests last */
#define CN_WHO 65   /* a person by user id, a device by the hash of its token */
/* Who leaves and is back so soon has his hand raised and presents as before: as long as a participant stays who has lost
 * his WebSocket, and enough to load the page anew and look at the device check. */
#define CN_BACK_SOON_MS 60000

typedef struct cn_client cn_client;
typedef struct cn_member cn_member;
typedef struct cn_hall cn_hall;
typedef struct cn_record cn_record;
typedef struct cn_room_record cn_room_record;
typedef struct cn_pass cn_pass;
typedef struct cn_knock cn_knock;
typedef struct cn_watch cn_watch;

typedef enum cn_client_state { CN_CLIENT_ASKING, CN_CLIENT_KNOWN, CN_CLIENT_REFUSED } cn_client_state;

/* A WebSocket and who is behind it. */
struct cn_client {
    cn_client *next, **at; /* list of all */
    cn_live *live;
    uint64_t serial; /* never used twice: what jobs name a client by */
    cn_ws *ws;
    char token[CN_SESSION_TOKEN];
    char address[48];
    cn_client_state state;
    cn_actor actor;
    cn_member *member;
    bool joining;      /* a join is under way */
    cn_knock *knock;   /* waits to be let in */
    cn_watch *watch;   /* NULL: nothing */
    cn_watch *asked;   /* what he asked for last, being checked: its errand's */
    bool urgent;       /* is told of urgent requests that wait */
    json_t *held;      /* array of texts that came before the session was known */
    uint64_t since_ms; /* monotonic: opened */
    cn_rates rates;
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
    cn_guest_ice ice;    /* of a device */
    bool may_video;      /* has one of the places with video */
    bool answered, connected, leaving;
    bool moderates, leads, refers; /* by the rights at joining: host always, lead expert, referrer */
    bool consults;                 /* is one of the experts */
    bool host_told;                /* as the others know it */
    int64_t hand_ms;               /* raised at; 0: not */
    unsigned hue;                  /* of what he points at and draws, 1 to CN_HUES; 0: he has not yet */
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
    bool lost;         /* nothing comes from it (media's `lost`) */
    cn_record *record; /* borrowed; NULL before the first measurement */
    cn_tally tally;
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
    json_t *state;               /* as relayed */
    cn_board board;              /* who points where, and what was drawn */
    json_t *drawn;               /* array: what of it everybody is told next; NULL: nothing */
    bool moved;                  /* state or pointers are to be told */
    uint64_t told_ms, tell_ms;   /* monotonic: everybody was told last; is told next, 0: there is no news */
    char presented[CN_ID_TEXT];  /* user who left while he presented; "": nobody, or somebody has presented since */
    uint64_t presented_until_ms; /* monotonic: so long he may come back to it */
    uint32_t view_turn;          /* counts files and presenters: no place of one overtakes the news of the next */
    cn_room_settings settings;   /* with the codec that is meant by "" */
    cn_tier tier_max;            /* of the settings */
    int64_t hand_last_ms;
    bool begun;               /* the talk has, at: */
    int64_t begun_ms;         /* monotonic; below 0 where this machine was started later */
    bool scheduled;           /* as far as is known, its request waits to begin */
    bool looking, look_again; /* whether it does is being asked; and is to be asked once more */
    /* its request came to the end of the talk, or to its own */
    const char *ending; /* "finished", "closed", "cancelled"; NULL: not */
    uint64_t ends_ms;   /* monotonic */
    bool ended;         /* the farewell is over: nobody enters any more */
};

/* What is remembered of somebody and a room for a while, also when he is not in it. */
struct cn_pass {
    cn_pass *next;
    char room[64], who[CN_WHO];
    uint64_t until_ms;      /* monotonic: may enter a room that is closed to others */
    uint64_t removed_ms;    /* monotonic: may not enter before */
    cn_tier tier_max;       /* a host's ceiling, for when he comes back */
    int64_t hand_ms;        /* raised at, when he left; 0: not */
    uint64_t hand_until_ms; /* monotonic: so long he may come back to it */
};

/* Somebody before the door. */
struct cn_knock {
    cn_knock *next;
    cn_client *client;
    char room[64], request[CN_ID_TEXT], id[CN_ID_TEXT], user[CN_ID_TEXT];
    char *name, *title, *hospital;
    int64_t at_ms;
    bool removed; /* was sent out and asks to come back */
};

/* What a client watches from outside a room. */
struct cn_watch {
    size_t n;
    struct {
        char id[CN_ID_TEXT];
        const char *found;   /* the job's: its state; NULL: not his to watch */
        const char *changed; /* the door's: announced while the job ran */
    } item[];
};

typedef struct cn_ledger_entry cn_ledger_entry;

struct cn_live {
    cn_live_config config;
    cn_door *door;
    cn_media *media;   /* NULL before cn_live_attach and after cn_live_close */
    size_t peers_peak; /* since memory was given back */
    cn_client *clients;
    unsigned asking; /* of them, CN_CLIENT_ASKING */
    uint64_t serials;
    cn_hall *halls;
    cn_member *buckets[CN_BUCKETS];
    cn_room_record *records; /* newest first */
    unsigned records_n;
    cn_pass *passes;
    cn_knock *knocks;
    char ended[CN_ENDED][CN_ID_TEXT]; /* a ring: who was judged before the end came may not enter after it */
    size_t ended_next;
    struct {
        char request[CN_ID_TEXT], user[CN_ID_TEXT];
    } came[CN_CAME]; /* a ring: whose minutes may not be in the ledger yet */
    size_t came_next;
    bool setting;    /* a change of a room's settings is under way */
    bool checking;   /* sessions are being asked for */
    bool rechecking; /* rights of members are */
    bool closing;
    /* minutes on their way to the ledger */
    cn_ledger_entry *ledger_first, *ledger_last;
    bool ledger_busy;
    _Atomic uint32_t rooms, participants, ledger_waiting;
    _Atomic uint32_t events_waiting, events_lost;
};

typedef struct cn_method_call {
    cn_live *live;
    cn_client *client;
    json_t *id; /* NULL: a notification */
    json_t *params;
    cn_problem problem;
} cn_method_call;

/* What a method returns: CN_OK with *result (NULL: {}), an error, or this: it answers by itself later. */
#define CN_ANSWERS_ITSELF ((cn_err)CN_ERR_COUNT)

#endif
