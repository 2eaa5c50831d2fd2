/*
 * A received RTP packet and the pool it comes from.
 *
 * Threads: a pool belongs to one worker; only that worker takes packets from it. References are counted atomically, so
 * any worker may hold and drop them; the last drop returns the packet to its pool through a lock-free stack. A packet
 * is written only between cn_packet_new and the first time it is shared; after that everybody just reads.
 */
#ifndef CN_MEDIA_PACKET_H
#define CN_MEDIA_PACKET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "media/wire/codec.h"

#define CN_PACKET_MAX 1472 /* largest UDP payload over IPv4 in a 1,500-byte MTU */

#define CN_PACKET_NO_TID 0xff

typedef struct cn_packet_pool cn_packet_pool;

typedef struct cn_packet {
    /* the pool's */
    struct cn_packet *next;
    cn_packet_pool *pool;
    struct cn_packet_slab *slab;
    atomic_uint refs;

    uint32_t ssrc;
    uint64_t arrival_ns;  /* monotonic */
    uint64_t ext_seq;     /* of the layer's own numbers (RTX already undone); cn_seq_extend */
    uint32_t ts;          /* RTP timestamp */
    uint16_t len;         /* whole RTP packet in bytes, from data */
    uint16_t payload_at;  /* first payload byte, from data */
    uint16_t payload_len; /* without RTP padding */
    uint8_t pt;
    uint8_t codec; /* cn_codec; never RTX: what it repairs */
    uint8_t layer; /* index in the publisher's source, in the order of its offer */

    bool marker : 1;
    bool frame_start : 1; /* first packet of a frame */
    bool frame_end : 1;   /* last packet of a frame */
    bool key : 1;         /* belongs to a key frame: on every packet where the codec tells, at least on the first */
    bool repaired : 1;    /* came as RTX */
    bool has_audio_level : 1;
    bool voice : 1; /* RFC 6464 V */
    bool has_orientation : 1;
    bool has_picture_id : 1; /* VP8 */
    bool picture_id_15 : 1;  /* 15-bit form, else 7 */
    bool has_tl0picidx : 1;
    bool layer_sync : 1;  /* VP8 Y */
    bool discardable : 1; /* VP8 N, H.264 nal_ref_idc 0 */
    bool has_capture : 1;
    bool dd_structure : 1; /* its dependency descriptor brings a structure */
    bool dd_active : 1;    /* … or tells the active decode targets */

    uint8_t audio_level; /* −dBov, 0 loudest … 127 silence */
    uint8_t orientation; /* video orientation (CVO) byte */
    uint8_t tid;         /* temporal layer, CN_PACKET_NO_TID when not told */
    uint8_t tl0picidx;
    uint16_t picture_id;
    uint16_t newest_at;    /* redundant audio: offset of its newest block from the payload's start */
    uint8_t picture_id_at; /* offset of the field from the payload's start, 0: none */
    uint8_t tl0picidx_at;
    uint16_t width, height; /* told by this packet's key frame header, else 0 */

    /* spatial layers: told by a dependency descriptor (depdesc.h), or by VP9's payload */
    uint8_t sid;
    uint8_t dd_len;  /* bytes of the descriptor, 0: none that can be read */
    uint16_t dd_at;  /* from data */
    uint16_t dd_bit; /* where its active decode targets stand or would stand */
    uint16_t frame_number;
    uint64_t dtis;
    uint32_t dd_mask; /* active decode targets, where dd_structure or dd_active */
    uint16_t fdiffs[8];
    uint8_t fdiff_count;
    uint8_t spatial;      /* layers whose sizes this packet tells, 0: none */
    uint16_t sizes[4][2]; /* width, height */

    uint8_t bytes[]; /* the RTP packet, as many as were asked for */
} cn_packet;

/** Where its RTP header starts. */
static inline uint8_t *cn_packet_data(cn_packet *packet)
{
    return packet->bytes;
}
static inline const uint8_t *cn_packet_bytes(const cn_packet *packet)
{
    return packet->bytes;
}
static inline const uint8_t *cn_packet_payload(const cn_packet *packet)
{
    return packet->bytes + packet->payload_at;
}

#define CN_PACKET_SLAB 64
#define CN_PACKET_IDLE 10 /* calls of cn_packet_pool_trim */

/** A pool of at most `max` packets; memory grows by slabs of CN_PACKET_SLAB of about one size as they are needed. The
 * oldest slabs are used first, so that those of a peak become idle. CN_ERR_INVALID for max 0. */
cn_err cn_packet_pool_new(cn_packet_pool **out, size_t max);

/** Owner thread, after every packet came back (all workers joined, all rings freed). Asserts that in debug builds; in
 * others a pool that misses packets is leaked rather than pulled from under their holders. NULL allowed. */
void cn_packet_pool_free(cn_packet_pool *pool);

typedef struct cn_packet_pool_stats {
    uint64_t taken;  /* packets handed out since the start */
    uint64_t denied; /* times the pool was empty at its bound */
    size_t in_use;   /* owner's view: those in the return stack still count until it runs out or trims */
    size_t allocated, max;
} cn_packet_pool_stats;

/** Owner thread. */
void cn_packet_pool_stats_get(const cn_packet_pool *pool, cn_packet_pool_stats *out);

/** Owner thread, at an even pace, say once a second: gives the slabs back to the system of which nothing was used
 * between the last CN_PACKET_IDLE calls, a few per call. */
void cn_packet_pool_trim(cn_packet_pool *pool);

/** Owner thread. A packet of `len` ≤ CN_PACKET_MAX bytes with one reference, all parsed fields zero (tid: none), the
 * bytes as they were; NULL at the bound (counted). */
cn_packet *cn_packet_new(cn_packet_pool *pool, size_t len);

/** One more reference; any thread that holds one. Returns its argument. */
static inline cn_packet *cn_packet_ref(cn_packet *packet)
{
    atomic_fetch_add_explicit(&packet->refs, 1, memory_order_relaxed);
    return packet;
}

/** One reference less; the last one gives the packet back. Any thread; NULL allowed. */
void cn_packet_unref(cn_packet *packet);

#endif
