/*
 * What all of media/ and its users share: kinds of sources and peers, picture sizes, what is asked for and told. Types and
 * their names only; media.h has the calls.
 */
#ifndef CN_MEDIA_KINDS_H
#define CN_MEDIA_KINDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define CN_MEDIA_ID 64       /* bytes of a participant's, room's or mid's name with its end */
#define CN_MEDIA_ADDRESSES 8 /* listening addresses at most */
#define CN_MEDIA_BLIND_BPS 8000000u
#define CN_MEDIA_SLOTS 64 /* slots of one participant at most */

typedef enum cn_source_kind {
    CN_SOURCE_NONE,
    CN_SOURCE_MIC,
    CN_SOURCE_CAMERA,
    CN_SOURCE_SCREEN,
    CN_SOURCE_DEVICE
} cn_source_kind;

/** "mic", "camera", "screen", "device"; "" for none. */
const char *cn_source_name(cn_source_kind kind);
cn_source_kind cn_source_parse(const char *name);

/** Picture sizes that a client or a room may ask for (REQUIREMENTS §14 rule 3 has the same bounds). */
typedef enum cn_tier { CN_TIER_VOICE, CN_TIER_SD, CN_TIER_HD, CN_TIER_SUPER_HD, CN_TIER_2K, CN_TIER_4K } cn_tier;

/** Largest area that a tier allows; INT64_MAX for 4K, 0 for voice. */
int64_t cn_tier_area_max(cn_tier tier);
/** "voice", "sd", "hd", "super_hd", "2k", "4k"; "" outside. */
const char *cn_tier_name(cn_tier tier);
/** The tier of a name; false when there is none. */
bool cn_tier_parse(const char *name, cn_tier *out);

typedef enum cn_leave_cause {
    CN_LEAVE_ASKED,
    CN_LEAVE_TIMEOUT,
    CN_LEAVE_CLOSED,
    CN_LEAVE_REMOVED,
    CN_LEAVE_SHUTDOWN
} cn_leave_cause;

typedef struct cn_media_config {
    const char *listen[CN_MEDIA_ADDRESSES];   /* numeric IPv4 or IPv6 */
    const char *announce[CN_MEDIA_ADDRESSES]; /* told to clients instead; NULL or "": the listening one */
    size_t addresses;
    uint16_t port; /* worker i uses port + i; 0 takes free ones */
    unsigned workers;
    unsigned timeout_s; /* no sign of life for so long: left */
    uint32_t blind_bps; /* up to which a picture is sent although no report says that it comes; 0: CN_MEDIA_BLIND_BPS */
} cn_media_config;

/** Why a video slot shows nothing, or what it shows. */
typedef enum cn_slot_state {
    CN_SLOT_EMPTY,  /* nothing asked for, or the source is gone */
    CN_SLOT_LIVE,   /* frames of `from` from `rtp_timestamp` on */
    CN_SLOT_PAUSED, /* bandwidth: kept for more important slots */
    CN_SLOT_OFF,    /* the source is muted or switched off */
    CN_SLOT_LIMIT,  /* every layer of the source is above the receiver's tier_max */
    CN_SLOT_CODEC   /* the receiver cannot decode this source's codec (`codec` names it) */
} cn_slot_state;

typedef struct cn_slot_event {
    const char *mid;
    cn_slot_state state;
    const char *from; /* participant, "" when empty */
    cn_source_kind source;
    uint32_t rtp_timestamp; /* first timestamp on this slot's SSRC that belongs to the new source (LIVE) */
    const char *codec;      /* "VP8", "H264" … */
    unsigned width, height; /* of the forwarded layer, 0 when not known */
} cn_slot_event;

/** What is wrong with a size that a publisher's stream claims (media/rate/believe.h). */
typedef enum cn_size_doubt {
    CN_SIZE_BELIEVED,
    CN_SIZE_TOO_LARGE,   /* its key frames cannot hold that */
    CN_SIZE_TOO_SMALL,   /* its frames hold more than that */
    CN_SIZE_CONTRADICTED /* its encoder's own word is another */
} cn_size_doubt;

/** "too_large", "too_small", "contradicted"; "" for believed. */
const char *cn_size_doubt_name(cn_size_doubt doubt);

/** A claim that is not believed, and the area in pixels that counts for it. */
typedef struct cn_size_event {
    cn_source_kind source;
    cn_size_doubt doubt;
    unsigned width, height;
    uint32_t counted;
} cn_size_event;

#define CN_MEDIA_SOURCES 4 /* of one participant at most: one per kind */

typedef enum cn_media_path { CN_PATH_UNKNOWN, CN_PATH_UDP, CN_PATH_TCP, CN_PATH_RELAY } cn_media_path;

/** What the server receives of one source. Layers are numbered in the offer's order; masks have bit i for layer i. */
typedef struct cn_media_source_stats {
    cn_source_kind kind;
    bool on;
    uint8_t layers, alive, wanted; /* how many were offered; which flow; which the publisher is asked to send */
    uint32_t bps;
    uint16_t width, height, fps; /* of the largest layer that flows, 0 for sound */
    uint32_t silent_ms;          /* since its last packet, or since it was announced */
} cn_media_source_stats;

/** What the server sends on one slot that shows something. */
typedef struct cn_media_slot_stats {
    bool video;
    uint8_t index; /* among the slots of its kind */
    int8_t layer;  /* being sent, −1: none */
    cn_slot_state state;
    uint16_t width, height;
    uint32_t bps;
} cn_media_slot_stats;

/** Once every 2 s per participant, also while nothing comes from it. */
typedef struct cn_media_stats {
    uint64_t last_sign_ms;     /* monotonic ms (cn_mono_ms) of its last authenticated packet */
    uint32_t up_bps, down_bps; /* RTP payload and headers, both directions seen from the participant */
    float up_loss, down_loss;  /* 0…1 over the last interval */
    uint32_t rtt_ms;           /* 0 when not known */
    uint32_t jitter_ms;
    uint32_t estimate_bps; /* what the server believes fits towards this participant */
    uint32_t wanted_bps;   /* what would be sent if everything fitted */
    cn_media_path path;
    uint16_t paused; /* video slots that are kept back by bandwidth */
    /* since the start; bytes as in the bitrates */
    uint64_t nacks_in, nacks_out, plis_in, plis_out, packets_in, packets_out, bad_packets, bytes_in, bytes_out;
    uint8_t source_count, slot_count;
    cn_media_source_stats sources[CN_MEDIA_SOURCES];
    cn_media_slot_stats slots[CN_MEDIA_SLOTS];
} cn_media_stats;

/** Events upward. Any member may be NULL. */
typedef struct cn_media_events {
    /** First DTLS handshake done: media may flow. */
    void (*connected)(void *ctx, const char *room, const char *participant);
    /** Gone; no further event names it. `last_sign_ms`: monotonic ms (cn_mono_ms) of its last authenticated packet. */
    void (*left)(void *ctx, const char *room, const char *participant, cn_leave_cause cause, uint64_t last_sign_ms);
    /** A slot of `participant` shows something else. Sent before the first packet of the new source leaves. */
    void (*slot)(void *ctx, const char *room, const char *participant, const cn_slot_event *event);
    /** The loudest speaker changed; "" for silence. */
    void (*speaker)(void *ctx, const char *room, const char *participant);
    /** Sum and maximum of width × height over the remote video streams really being sent to `participant` changed
     * (REQUIREMENTS §14 rule 2). Also (0, 0) at connection. */
    void (*area)(void *ctx, const char *room, const char *participant, uint64_t mono_ms, int64_t sum, int64_t max);
#define CN_LAYERS_UNWATCHED(mask) ((mask) >> 28 & 3u) /* so many of the largest spatial layers nobody watches */
#define CN_LAYERS_FLAT 0x80000000u /* no spatial layers within a stream: a receiver could not take them apart */
    /** Which simulcast layers of a publisher's source somebody watches (bit i = i-th RID of its offer, in the offer's
     * order; low to high is by measured size). */
    /* `rid_mask` may have CN_LAYERS_FLAT besides. */
    void (*layers)(void *ctx, const char *room, const char *participant, cn_source_kind source, uint32_t rid_mask);
    /** A publisher's source claims a size that is not believed, for seconds already. Once per source. */
    void (*size)(void *ctx, const char *room, const char *participant, const cn_size_event *event);
    /** Nothing comes from a participant who should be heard (media/rate/quiet.h), or something comes again. */
    void (*lost)(void *ctx, const char *room, const char *participant, bool lost);
    /** `s` lives until the callback returns. */
    void (*stats)(void *ctx, const char *room, const char *participant, const cn_media_stats *stats);
} cn_media_events;

#define CN_MEDIA_DELAYS 12 /* counts of the histogram: one per bound, and the rest */
/** Upper bounds of the forwarding delay's histogram in microseconds, ascending. */
extern const uint32_t cn_media_delay_us[CN_MEDIA_DELAYS - 1];

/** One worker's counters since the start, and its state; at most 20 ms old. */
typedef struct cn_media_worker {
    uint64_t datagrams_in, datagrams_out, bytes_in, bytes_out, forwarded;
    uint64_t send_calls;                  /* system calls */
    uint64_t messages;                    /* runs of datagrams that were handed to the kernel, of one or more */
    uint64_t gso_messages, gso_datagrams; /* runs of two and more, and the datagrams in them */
    uint64_t send_failed, protect_failed;
    uint64_t receive_dropped; /* by the kernel, the receive buffer was full */
    uint64_t link_drops;      /* packets for another worker that did not fit */
    uint64_t bad_stun, bad_dtls, bad_rtp, bad_rtcp, replayed, unknown_source, unknown_kind;
    uint64_t pool_used, pool_allocated, pool_max; /* packets */
    uint64_t pool_denied;                         /* packets dropped because the pool was empty */
    uint64_t peers;
    uint64_t tcp_open, tcp_received, tcp_sent;            /* connections now; datagrams over TCP */
    uint64_t tcp_refused, tcp_broken, tcp_late, tcp_slow; /* connections closed, by why (media/transport/port.h) */
    uint64_t delay[CN_MEDIA_DELAYS]; /* forwarded packets by the time from received to sent, not cumulative */
    uint64_t delay_sum_ns;
} cn_media_worker;

typedef enum cn_peer_kind {
    CN_PEER_APP,  /* our web app: slots named by `sources`, `audio_slots`, `video_slots` */
    CN_PEER_WHIP, /* offer's audio is MIC, its video `whip_source` */
    CN_PEER_WHEP  /* every section is a slot, bound by itself: audio by rank, video: `only`, or screen, speaker, join
                     order */
} cn_peer_kind;

/** Which m-section (by mid) is what. For CN_PEER_APP every section of the offer must be named here once. */
typedef struct cn_section {
    char mid[CN_MEDIA_ID];
    cn_source_kind source; /* CN_SOURCE_NONE: a slot (kind of media from the SDP) */
} cn_section;

typedef struct cn_media_join {
    const char *room;
    const char *participant;
    cn_peer_kind kind;
    bool may_publish_audio, may_publish_video;
    const char *offer; /* SDP, zero-terminated */
    const cn_section *sections;
    size_t section_count;
    cn_source_kind whip_source; /* WHIP: CAMERA or DEVICE */
    const char *only;           /* WHEP: this participant's video only; NULL: by rank */
    const char *codec;          /* "vp8", "h264", "vp9", "av1": what its video should be sent in where it
                                 * is offered; NULL: the first of the offer */
} cn_media_join;

/** What a video slot is to show. Width and height are the picture's size on screen in device pixels; higher priority is
 * served first. */
typedef struct cn_slot_want {
    char mid[CN_MEDIA_ID];
    char participant[CN_MEDIA_ID]; /* "": nothing */
    cn_source_kind source;
    unsigned width, height;
    unsigned priority;
} cn_slot_want;

/** The answer to an offer, or an error whose `p->detail` says what cannot be answered. Called exactly once. */
typedef void (*cn_media_answer_fn)(void *arg, cn_err err, const cn_problem *problem, const char *answer);

#endif
