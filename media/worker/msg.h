/* What workers say to each other through links. Everything is a value: numbers, a packet reference, or one heap block
 * that the receiver frees. */
#ifndef CN_MEDIA_MSG_H
#define CN_MEDIA_MSG_H

#include <stdbool.h>
#include <stdint.h>

#include "media/wire/codec.h"
#include "media/kinds.h"
#include "media/sdp/sdp.h"

#define CN_LAYERS 3   /* simulcast or spatial layers of a source at most */
#define CN_TEMPORAL 3 /* temporal layers that are told apart */

/* Name, who sends it to whom, and which members it fills. */
/* clang-format off */
#define CN_MSG_TABLE(X) \
    X(PACKET)        /* publisher → subscribed worker: p = packet reference, source, layer; flag: an older one, of a kept run */ \
    X(RUN)           /* publisher → worker that has just subscribed: the kept run of `layer` is there */ \
    X(ROOM_OPEN)     /* part → all: members of `room` are here now; value = home, p = the room's name; flag: an answer to yours */ \
    X(ROOM_CLOSE)    /* part → all: no members left here */ \
    X(SOURCE_ADD)    /* publisher → all: p = cn_source_info */ \
    X(SOURCE_REMOVE) /* publisher → all */ \
    X(SOURCE_ON)     /* publisher → all: flag = on */ \
    X(SOURCE_LAYERS) /* publisher → all: p = cn_layers_info */ \
    X(SENDER_REPORT) /* publisher → subscribed: layer, value = our monotonic ns, number = RTP timestamp captured then */ \
    X(SUBSCRIBE)     /* part → publisher: number = mask of streams wanted, layer = how many of spatial layers, flag: without \
                        spatial layers in a stream */ \
    X(LOSS)          /* part → publisher: number = what listeners here miss of a microphone (cn_losses) */ \
    X(KEYFRAME)      /* part → publisher: layer needs a key frame */ \
    X(LEVEL)         /* publisher → home: number = level as RFC 6464 writes it, flag = voice; number = CN_LEVEL_NONE: value = bytes \
                        of payload */ \
    X(RANKED)        /* home → parts: p = cn_ranked_info */
/* clang-format on */

#define CN_LEVEL_NONE 0xffu

/** The worst fractions of a microphone's packets that listeners miss, in 1/256: one listener's word may be false. */
typedef struct cn_losses {
    uint8_t worst, second; /* of as many as there are, else 0 */
    uint8_t count;         /* listeners who reported, at most 2 */
} cn_losses;

/** One listener's more. */
void cn_losses_add(cn_losses *losses, uint8_t fraction);
/** What a speaker's encoder is told: the worst, but no more on one listener's word alone than CN_LOSS_ALONE, or what
 * another one has. Alone in listening, he is believed. */
uint8_t cn_losses_trimmed(const cn_losses *losses);
#define CN_LOSS_ALONE 26 /* 10 % */

/** As the number of a message. */
static inline uint32_t cn_losses_pack(cn_losses losses)
{
    return (uint32_t)losses.worst | (uint32_t)losses.second << 8 | (uint32_t)losses.count << 16;
}

static inline cn_losses cn_losses_unpack(uint32_t number)
{
    return (cn_losses){.worst = (uint8_t)number, .second = (uint8_t)(number >> 8), .count = (uint8_t)(number >> 16)};
}

typedef enum cn_msg_kind {
#define X(name) CN_MSG_##name,
    CN_MSG_TABLE(X)
#undef X
        CN_MSG_COUNT
} cn_msg_kind;

typedef struct cn_msg {
    uint8_t kind, layer, from; /* from: worker */
    bool flag;
    uint32_t room, source, number;
    uint64_t value;
    void *p;
} cn_msg;

/** What a track needs to know of a source for its whole life. */
typedef struct cn_source_info {
    char participant[CN_MEDIA_ID];
    cn_source_kind kind;
    bool video, on;
    unsigned layers;
    uint32_t clock_rate;
    cn_codec codec;
    cn_sdp_h264 h264;
    uint64_t joined_ns; /* of the participant: join order */
} cn_source_info;

typedef struct cn_layer_info {
    uint32_t bitrate;           /* bit/s, while it was last sent */
    uint32_t rate[CN_TEMPORAL]; /* … with temporal layers up to this one; 0: not known */
    uint8_t temporal;           /* temporal layers seen, at least 1 */
    uint16_t width, height, fps;
    uint32_t counted; /* its area for minutes; 0: not known yet */
    uint8_t doubt;    /* cn_size_doubt of the size that it claims */
    bool alive;       /* it flows */
    bool kept;        /* its run since the newest key frame is kept: requests for another one are not answered */
    bool rests;       /* it would flow if somebody wanted it */
} cn_layer_info;

typedef struct cn_layers_info {
    uint8_t spatial; /* more than 1: layer[] are the spatial layers of the one stream */
    cn_layer_info layer[CN_LAYERS];
} cn_layers_info;

#define CN_RANKED_MAX 16 /* audible microphones of a room at most */

/** Loudest first. The speaker is 0 in silence. */
typedef struct cn_ranked_info {
    uint32_t speaker;
    unsigned count;
    uint32_t source[CN_RANKED_MAX];
} cn_ranked_info;

/** Frees what a message that nobody will read carries. */
void cn_msg_drop(cn_msg *msg);

#endif
