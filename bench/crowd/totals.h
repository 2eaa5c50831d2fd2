/* What a crowd counts, and how long its packets were under way. */
#ifndef CN_CROWD_TOTALS_H
#define CN_CROWD_TOTALS_H

#include <stdint.h>

#include "client/names.h"

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

/* What one receiver got of the files' frames since the last crowd_totals_reset, by layer. */
typedef struct crowd_frames {
    uint64_t seen[RTC_LAYERS], altered, missing;
    int layer; /* of the last frame, -1: none came yet */
} crowd_frames;

void crowd_delay_count(uint32_t buckets[CROWD_DELAY_BUCKETS], int64_t ns);
/** In ms; `share` 0…1. */
double crowd_delay_ms(const uint32_t buckets[CROWD_DELAY_BUCKETS], double share);
uint64_t crowd_delays(const uint32_t buckets[CROWD_DELAY_BUCKETS]);

#endif
