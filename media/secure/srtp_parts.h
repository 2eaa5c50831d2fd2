/*
 * What the SRTP transforms share (RFC 3711): key derivation, the packet index, which indices were there already.
 * Private to media/secure/srtp*.c. Owner thread.
 */
#ifndef CN_MEDIA_SRTP_PARTS_H
#define CN_MEDIA_SRTP_PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "media/secure/srtp_types.h"

#define CN_SRTP_RTP_HEADER 12
#define CN_SRTP_INDEX_MAX ((1ll << 48) - 1)
#define CN_SRTP_RTCP_HEADER 8
#define CN_SRTP_RTCP_TRAILER 4 /* E flag and SRTCP index */
#define CN_SRTP_WINDOW 1024    /* packets behind the newest that may still come */

/** RFC 3711 §4.3 with AES-128 and a key derivation rate of 0: `length` bytes of session key for a label. */
cn_err cn_srtp_kdf(const uint8_t key[CN_SRTP_KEY], const uint8_t salt[14], uint8_t label, uint8_t *out, size_t length);

/** Bytes of the RTP header with CSRCs and extension (RFC 3550 §5.1, §5.3.1); 0 when it is not one. */
size_t cn_srtp_header_length(const uint8_t *bytes, size_t length);

typedef enum cn_srtp_way { CN_SRTP_OUT, CN_SRTP_IN } cn_srtp_way;

/** What was sent or received with one SSRC. */
typedef struct cn_srtp_stream {
    uint32_t ssrc;
    bool used;
    int64_t newest; /* packet index (RFC 3711 §3.3.1): rollover counter and sequence number; −1: none */
    uint64_t seen[CN_SRTP_WINDOW / 64]; /* bit i % CN_SRTP_WINDOW: index i was there, for the newest ones */
} cn_srtp_stream;

/** The SSRCs of one direction. */
typedef struct cn_srtp_streams {
    cn_srtp_stream *table; /* open addressing, at most half full */
    size_t mask, count, max;
} cn_srtp_streams;

/** As many as `way` may have. */
cn_err cn_srtp_streams_open(cn_srtp_streams *streams, cn_srtp_way way);
void cn_srtp_streams_close(cn_srtp_streams *streams);
static inline bool cn_srtp_streams_full(const cn_srtp_streams *streams)
{
    return streams->count == streams->max;
}

/** Brings the stream nearer that cn_srtp_stream_find will be asked for. */
void cn_srtp_stream_prefetch(const cn_srtp_streams *streams, uint32_t ssrc);
/** The SSRC's stream, NULL when there is none yet; valid until the next is added. */
cn_srtp_stream *cn_srtp_stream_find(const cn_srtp_streams *streams, uint32_t ssrc);
/** A stream for an SSRC that has none. CN_ERR_FULL, CN_ERR_NOMEM. */
cn_err cn_srtp_stream_add(cn_srtp_streams *streams, uint32_t ssrc, cn_srtp_stream **out);

/** The packet index nearest to the newest one (RFC 3711 §3.3.1); negative or past the end when there is none. `stream`
 * may be NULL here and in the next. */
int64_t cn_srtp_stream_index(const cn_srtp_stream *stream, uint16_t seq);
/** True when an index was there, or is too far behind to tell. */
bool cn_srtp_stream_seen(const cn_srtp_stream *stream, int64_t index);
void cn_srtp_stream_mark(cn_srtp_stream *stream, int64_t index);
/** Remembers an index that proved authentic; an SSRC (`stream` NULL) is remembered only then. */
cn_err cn_srtp_stream_authentic(cn_srtp_streams *streams, cn_srtp_stream *stream, uint32_t ssrc, int64_t index);

#endif
