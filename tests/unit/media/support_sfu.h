/*
 * The whole SFU under real clients: ICE, DTLS and SRTP over loopback, publishers with synthetic VP8 (simulcast) and
 * Opus whose payloads say who sent what, receivers that keep a log of every packet. The clients and the test share one
 * thread; the SFU has its own.
 */
#ifndef CN_SUPPORT_SFU_H
#define CN_SUPPORT_SFU_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "media/media.h"
#include "media/stream/nackgen.h"
#include "media/wire/rtcp.h"
#include "media/wire/rtp.h"
#include "media/wire/depdesc.h"
#include "client/client.h"
#include "client/names.h"
#include "client/sdp.h"
#include "support_svc.h"

#define SFU_CLIENTS 16
#define SFU_LOG 30000
#define SFU_RTCP 4000
#define SFU_EVENTS 2000
#define SFU_SENT 1024 /* packets per layer that a publisher can repeat */
#define SFU_ROOM "ward"
#define SFU_BOTH "SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80"
#define SFU_FPS 25

/** Stands at the end of every payload. */
typedef struct sfu_stamp {
    uint32_t magic;
    uint16_t sender;
    uint8_t layer, index; /* index: packet of its frame */
    uint32_t frame;       /* or packet, of audio */
} sfu_stamp;

typedef struct sfu_packet {
    uint64_t at_ns;
    uint32_t ssrc, ts;
    uint16_t seq, twcc, picture, osn;
    uint8_t tl0, pt;
    bool video, key, first, marker, rtx, probe;
    /* VP9 in layers: by the descriptor, or where the receiver has none by the payload */
    bool described, last;
    uint8_t sid, tid, fdiff_count;
    uint16_t frame_number, fdiff[CN_DD_FDIFFS];
    uint8_t older; /* blocks before the newest, of redundant audio */
    sfu_stamp stamp;
} sfu_packet;

typedef struct sfu_control {
    cn_rtcp_type type;
    uint64_t at_ns;
    size_t n;
    uint8_t bytes[600]; /* this packet alone, with its header */
} sfu_control;

typedef struct sfu_event {
    char
        kind; /* 'c' connected, 'l' left, 's' slot, 'p' speaker, 'q' quiet: lost, 'h' heard again, 'a' area sent, 'd' a doubted size */
    char who[CN_MEDIA_ID], mid[CN_MEDIA_ID], from[CN_MEDIA_ID];
    cn_slot_state state;
    cn_leave_cause cause;
    int64_t area; /* 'a': the sum; 'd': what counts */
    cn_size_doubt doubt;
    uint32_t ts;
    uint64_t at_ns;
} sfu_event;

/** How a client is. Zero: one that only receives, with both profiles. */
typedef struct sfu_shape {
    const char *profiles;
    bool audio;
    unsigned layers; /* of its camera; 0: none */
    unsigned audio_slots, video_slots;
    bool red; /* sends and takes audio with two older blocks (RFC 2198) */
    bool tcp;
    uint32_t line_bps;  /* over TCP: what it reads at most; 0: everything */
    bool vp9;           /* its camera (one stream, three layers of each kind: support_svc.h) and its slots are VP9 */
    bool no_descriptor; /* takes no dependency descriptor */
    bool stopped;       /* its offer ends with a camera of former times, which sends nothing any more */
    bool plain;         /* neither transport-wide feedback nor retransmission is offered */
    bool passive;       /* the server is to begin the DTLS handshake */
    bool ssrc_groups;   /* its layers are named by a=ssrc-group:SIM, its packets name none */
    bool no_clock;      /* sends no sender reports */
    unsigned packets;   /* of a frame of layer 0, each higher layer has twice as many; 0: 2 */
} sfu_shape;

typedef struct sfu_sent {
    uint16_t seq;
    size_t n;
    uint8_t bytes[1400];
} sfu_sent;

typedef struct sfu_layer {
    uint32_t ssrc, rtx_ssrc;
    uint16_t seq, rtx_seq, picture;
    uint8_t tl0;
    uint32_t frames, packets, octets;
    bool key_wanted;
    unsigned plis; /* the server asked for a key frame */
    sfu_sent *sent;
} sfu_layer;

typedef struct sfu_client {
    struct sfu *sfu;
    rtc_client *c;
    unsigned index;
    char name[16];
    sfu_shape shape;
    char *answer;
    rtc_sdp sdp; /* what the answer says */

    uint32_t audio_ssrc, audio_packets, video_ts;
    uint16_t audio_seq;
    uint64_t audio_ns, video_ns, feedback_ns, report_ns, tick_ns;
    sfu_layer layer[RTC_LAYERS];

    cn_recvstats heard;  /* of slot v0, while `reports` is set */
    uint32_t word_frame; /* packet with which it began to speak, and when; set word_ns to 0 for the next */
    uint64_t word_ns;
    svc_frame svc;      /* the next one */
    unsigned svc_asked; /* pictures since a key picture was asked for */

    /* knobs */
    uint8_t level;      /* of its voice, −dBov */
    bool dtx;           /* between its words only every 20th packet leaves (RFC 7587 §3.1.3) */
    bool gone;          /* neither sends nor answers any more */
    bool mute;          /* sends nothing by itself in sfu_play */
    bool reports;       /* sends receiver reports about slot v0 */
    bool deaf;          /* sends a key frame when it likes, not when it is asked */
    unsigned key_every; /* frames of layer 0; 0: only the first, and when asked for */
    bool no_repair;     /* does not answer NACK */
    uint64_t remb_bps;  /* what it says it can take; 0: says nothing */
    unsigned claims;    /* sides of the picture that its key frames claim; 0: its own */
    unsigned lose_up;   /* percent of the video packets that never leave */
    unsigned lose_down; /* percent of the packets that never arrive */

    unsigned nacked; /* numbers that the server asked for again */
    sfu_packet *log;
    size_t log_n;
    sfu_control *rtcp;
    size_t rtcp_n;
} sfu_client;

typedef struct sfu {
    cn_media *media;
    cn_rtp_exts exts;
    cn_dd_structure layers; /* of the one who sends VP9 */
    bool layers_known;
    sfu_client clients[SFU_CLIENTS];
    size_t n;
    uint32_t random;
    uint64_t now_ns;
    unsigned stood_ms;    /* the longest time between two turns, which take 2 ms: what the machine owes the test */
    pthread_mutex_t lock; /* what the media threads write: */
    sfu_event events[SFU_EVENTS];
    size_t events_n;
} sfu;

/** `timeout_s` 0: 20. */
void sfu_new(sfu *server, unsigned workers, unsigned timeout_s);
void sfu_free(sfu *server);

/** Has its offer answered; sfu_connect does the rest. */
sfu_client *sfu_ask(sfu *server, const char *name, const sfu_shape *shape);
void sfu_connect(sfu_client *client);
/** Joins, handshakes and waits until both sides are connected. */
sfu_client *sfu_join(sfu *server, const char *name, const sfu_shape *shape);
void sfu_show(sfu_client *client, size_t count, const cn_slot_want *wants);
/** Slot v0 shows `who`'s camera (NULL: nothing) at that width (height 9/16). */
void sfu_show_one(sfu_client *client, const char *who, unsigned width);

/** Everybody sends and receives for so long. */
void sfu_play(sfu *server, unsigned ms);
/** The same until `fn` says true; false when it never did. */
bool sfu_play_until(sfu *server, bool (*fn)(void *arg), void *arg, unsigned ms);
/** Only receives. */
void sfu_listen(sfu *server, unsigned ms);
/** One frame on one layer; `lose`: bits of the packets that do not leave. */
void sfu_frame(sfu_client *client, unsigned layer, bool key, uint32_t lose);

/** SSRC of a slot as the answer names it; `rtx` NULL allowed. */
uint32_t sfu_slot_ssrc(const sfu_client *client, const char *mid, uint32_t *rtx);
/** Packets of an SSRC in its log from `from` on; `out` gets their indexes (at most `max`). */
size_t sfu_of(const sfu_client *client, uint32_t ssrc, size_t from, size_t *out, size_t max);
/** Events of a kind about `who` (NULL: anybody), `from` on; how many. `last` (NULL allowed) gets the last one. */
size_t sfu_events(sfu *server, char kind, const char *who, size_t from, sfu_event *last);
size_t sfu_event_count(sfu *server);

/** No datagram of the server failed to decrypt: libsrtp refuses an index that it has seen, so none was protected twice.
 */
void sfu_clean(const sfu *server);
/** Numbers without hole or double (whatever was lost on the way came again as RTX), time stamps that never go back and
 * change with the frame, pictures counted one by one. How many packets of an SSRC that were, from an index of the log
 * on. */
size_t sfu_whole(const sfu_client *client, uint32_t ssrc, size_t from);
/** Packets of a sender in a client's log since an index of it, video or audio. */
size_t sfu_heard(const sfu_client *client, const sfu_client *from, bool video, size_t since);
/** Plays until `count` more of them came. */
void sfu_hears(sfu *server, const sfu_client *client, const sfu_client *from, bool video, size_t count);
/** RTCP packets of a type from an index on; `last` (NULL allowed) gets the last one. */
size_t sfu_controls(const sfu_client *client, cn_rtcp_type type, size_t from, cn_rtcp *last);

#endif
