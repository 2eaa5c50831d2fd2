/* A peer's state: the line, what was agreed by offer and answer, its sources, what it wants to see. Private to peer*.c and
 * to those who list peers. */
#ifndef CN_MEDIA_PEER_IMPL_H
#define CN_MEDIA_PEER_IMPL_H

#include <stdbool.h>
#include <stdint.h>

#include "media/forward/line.h"
#include "media/forward/slot_impl.h"
#include "media/kinds.h"
#include "media/rate/quiet.h"
#include "media/room/peer.h"
#include "media/room/room.h"
#include "media/room/source.h"

#define CN_PEER_SOURCES 4 /* one per kind */

/** Of its last offer, and of the answer. */
typedef struct cn_peer_agreed {
    char remote_ufrag[257];
    char fingerprint[192]; /* of the peer's certificate, as its SDP named it */
    const char *fingerprint_alg;
    char first_media[16], first_mid[CN_MEDIA_ID]; /* of the bundle's first section: for fragments */
    uint64_t session, version;
} cn_peer_agreed;

struct cn_peer {
    cn_line line; /* first: what every packet touches */
    bool may_audio, may_video;
    cn_room *room;
    struct cn_peer *next_in_room, *next_dead;
    uint32_t number;
    cn_peer_kind kind;
    cn_source_kind whip_source;
    cn_codec codec; /* the room's, at the time of joining */
    char only[CN_MEDIA_ID];
    cn_peer_agreed agreed;

    cn_source *sources[CN_PEER_SOURCES];
    size_t source_count;
    unsigned audio_slots, video_slots;

    /* wants */
    cn_slot_want *wants;
    size_t want_count;
    cn_tier tier_max;
    char large[CN_MEDIA_ID]; /* participant of the large slot, "" none */

    uint64_t allocate_ns, report_ns; /* when next */
    int64_t area_sum, area_max;      /* told */
    bool area_told;

    cn_quiet quiet;
    uint64_t feedback_ns;           /* when transport-wide feedback came last */
    uint64_t sign_ns, sent_packets; /* the last sign of life, and what had been sent when it was looked at */
};

#endif
