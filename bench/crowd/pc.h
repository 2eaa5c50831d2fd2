/* One PeerConnection of a bench client: what it sends (a microphone, a camera in layers), what it receives and checks,
 * and the RTCP of both (reports, NACK and RTX, PLI, transport-wide feedback). Many of them make a crowd; one thread. */
#ifndef CN_CROWD_PC_H
#define CN_CROWD_PC_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "footage.h"
#include "payload.h"
#include "recording.h"
#include "sdp.h"

#define CROWD_DELAY_STEP_NS 10000 /* one bucket */
#define CROWD_DELAY_BUCKETS 50000

/* What happened since the last crowd_totals_reset, over all connections. */
typedef struct crowd_totals {
    uint64_t audio_sent, video_sent, resent; /* resent: on the server's NACK */
    uint64_t audio_in, video_in, bytes_in;   /* first arrivals whose every byte is right */
    uint64_t lost;                           /* never came, not even by retransmission */
    uint64_t recovered;                      /* came by retransmission */
    uint64_t repeated;                       /* retransmissions of what was there: probes */
    uint64_t duplicates;                     /* came twice by itself */
    uint64_t disordered;                     /* older than its forerunner from the same layer of the same sender */
    uint64_t skipped;                        /* video left out by the server while it stayed with sender and layer */
    uint64_t corrupt;                        /* decrypted, but not what the named sender wrote */
    uint64_t undecryptable;
    uint64_t misnamed; /* another sender than the one announced for the slot */
    uint64_t plis, nacks_in, nacks_out, switches;
    uint64_t frames_sent, frames_seen, frames_altered, frames_missing; /* of a file; seen: by receivers, unaltered */
    uint64_t frames_cut; /* the rest was left out, and a key frame came next */
    /* From the sender's send to the arrival in the receiver's kernel. Apart: what comes with the first packet after a
     * switch, since a server may begin with packets that it kept: a word's first syllable, a key frame's run. */
    uint32_t delays[CROWD_DELAY_BUCKETS], kept[CROWD_DELAY_BUCKETS];
} crowd_totals;

typedef struct crowd crowd;
typedef struct crowd_pc crowd_pc;

typedef struct crowd_layer_shape {
    uint16_t width, height, kbps;
} crowd_layer_shape;

typedef enum crowd_pace { CROWD_EVEN, CROWD_BURST, CROWD_RECORDED } crowd_pace;

/* What all cameras and microphones of a crowd are like. */
typedef struct crowd_shape {
    payload_codec codec;
    unsigned fps;
    crowd_layer_shape layer[CROWD_LAYERS];
    crowd_pace pace; /* packets of a frame evenly over its time, or at once, or the largest layer as recorded */
    const recording *recording; /* CROWD_RECORDED: borrowed */
    unsigned talkers;           /* how many talk at a time, on average */
    unsigned microphones;       /* of all */
    const char *profile;        /* SRTP, in OpenSSL's form */
    /* What the one camera sends, from the smallest layer, instead of what payload_write makes up; borrowed. NULL: not.
     */
    const footage *footage[CROWD_LAYERS];
} crowd_shape;

crowd *crowd_new(const crowd_shape *shape);
crowd_totals *crowd_totals_get(crowd *throng);
/** From zero again; what is on its way still counts as expected. */
void crowd_totals_reset(crowd *throng);
/** Counts what is still missing as lost; call when everything has had its time to arrive. */
void crowd_totals_close(crowd *throng);
/** How many slots there are; `*delivering`: on how many of them packets came within the last second; `*audio_missing`:
 * how many of the others are for voices. */
unsigned crowd_streams(const crowd *throng, unsigned *delivering, unsigned *audio_missing);
/** In ms; `share` 0…1. */
double crowd_delay_ms(const uint32_t buckets[CROWD_DELAY_BUCKETS], double share);
uint64_t crowd_delays(const uint32_t buckets[CROWD_DELAY_BUCKETS]);
/** Calls `fn` from crowd_play whenever `fd` can be read. */
bool crowd_watch(crowd *throng, int fd, void (*fn)(void *arg), void *arg);
void crowd_unwatch(crowd *throng, int fd);
/** From now on, when each datagram of media left the server (on loopback it arrives when it leaves), at most `max`. */
void crowd_departures_keep(crowd *throng, size_t max);
/** A line `microseconds destination size` each, in the order of their leaving; keeps no more. */
bool crowd_departures_write(crowd *throng, const char *path);
/** While it is held nobody sends media (everything else goes on): joining costs less then. */
void crowd_hold(crowd *throng, bool hold);
/** Sends and receives for so long. */
void crowd_play(crowd *throng, unsigned ms);
void crowd_free(crowd *throng);

/** `sender`: the number in the payloads of what it sends, and in the announcements of who is on a slot. */
crowd_pc *crowd_pc_new(crowd *throng, uint16_t sender);
/** What to write into the SDP. */
void crowd_pc_own(const crowd_pc *pc, crowd_offer *offer);
/** Sends with these; the SSRCs are those of crowd_pc_own. */
void crowd_pc_mic(crowd_pc *pc);
void crowd_pc_camera(crowd_pc *pc, unsigned layers);
/** The other side's SDP: where it is, what it sends. Starts ICE and DTLS; a second one adds what is new in it. */
bool crowd_pc_remote(crowd_pc *pc, const crowd_sdp *sdp);
/** Its own address as a candidate (RFC 8839 §5.1), once crowd_pc_remote was called; false when it does not fit. */
bool crowd_pc_candidate(const crowd_pc *pc, char *out, size_t size);
bool crowd_pc_connected(const crowd_pc *pc);
const char *crowd_pc_profile(const crowd_pc *pc);
/** The server said that slot `mid` shows `sender` from this timestamp on. */
void crowd_pc_announce(crowd_pc *pc, const char *mid, uint16_t sender, uint32_t rtp_timestamp);
/** The server said that it sends nothing on slot `mid` for now. */
void crowd_pc_paused(crowd_pc *pc, const char *mid);
/** Slot `mid` shows `sender` all the time. */
void crowd_pc_fixed(crowd_pc *pc, const char *mid, uint16_t sender);
/* What one receiver got of the files' frames since the last crowd_totals_reset, by layer. */
typedef struct crowd_frames {
    uint64_t seen[CROWD_LAYERS], altered, missing;
    int layer; /* of the last frame, -1: none came yet */
} crowd_frames;
void crowd_pc_frames(const crowd_pc *pc, crowd_frames *out);
/** When a whole frame of this layer last came to anybody (cn_mono_ns), 0: never. */
uint64_t crowd_layer_seen_ns(const crowd *throng, unsigned layer);
/** From now on, writes the frames that come to this connection, from the first key frame of the largest layer to the
 * first gap, as IVF or as H.264 byte stream. The caller closes `file` after the last crowd_play. */
void crowd_pc_save(crowd_pc *pc, FILE *file);
/** Takes it out of its crowd. NULL allowed. */
void crowd_pc_free(crowd_pc *pc);

#endif
