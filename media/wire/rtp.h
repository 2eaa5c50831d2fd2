/*
 * RTP packets (RFC 3550 §5.1), header extensions (RFC 8285), retransmission format (RFC 4588). Pure views and writers:
 * any thread, no allocation.
 *
 *  0                   1                   2                   3
 *  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 * |V=2|P|X|  CC   |M|     PT      |       sequence number         |
 * |                           timestamp                           |
 * |                             SSRC                              |
 * |                       CSRC × CC                               |
 * |      0xBEDE or 0x100x         | length in words  (when X)     |
 */
#ifndef CN_MEDIA_RTP_H
#define CN_MEDIA_RTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "media/wire/bytes.h"

#define CN_RTP_HEADER 12      /* bytes of the fixed header */
#define CN_RTP_HEADER_MAX 484 /* bytes of the longest header cn_rtp_write_header writes */
#define CN_RTX_OSN 2          /* bytes that RTX puts before the payload */

/* name, fewest and most bytes of its value, URI */
#define CN_RTP_EXT_TABLE(X)                                                                         \
    X(MID, 1, 16, "urn:ietf:params:rtp-hdrext:sdes:mid")                                            \
    X(RID, 1, 16, "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id")                                  \
    X(REPAIRED_RID, 1, 16, "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id")                \
    X(AUDIO_LEVEL, 1, 1, "urn:ietf:params:rtp-hdrext:ssrc-audio-level")                             \
    X(TWCC, 2, 2, "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01")      \
    X(ABS_SEND_TIME, 3, 3, "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time")            \
    X(ORIENTATION, 1, 1, "urn:3gpp:video-orientation")                                              \
    X(PLAYOUT_DELAY, 3, 3, "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay")            \
    X(ALLOCATION, 1, 128, "http://www.webrtc.org/experiments/rtp-hdrext/video-layers-allocation00") \
    X(DEPENDENCY, 3, 255, "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension")

typedef enum cn_rtp_ext {
#define X(name, least, most, uri) CN_RTP_EXT_##name,
    CN_RTP_EXT_TABLE(X)
#undef X
        CN_RTP_EXT_COUNT
} cn_rtp_ext;

#define CN_RTP_EXT_BIT(e) ((uint16_t)(1u << (e)))

/** The URI of an extension as in a=extmap. */
const char *cn_rtp_ext_uri(cn_rtp_ext ext);
/** Extension with a URI of `len` bytes; CN_RTP_EXT_COUNT when the server does not know it. */
cn_rtp_ext cn_rtp_ext_by_uri(const char *uri, size_t len);

/** What one peer calls the extensions. Zero-initialise; fill with cn_rtp_exts_set only. */
typedef struct cn_rtp_exts {
    uint8_t id[CN_RTP_EXT_COUNT]; /* 0: not negotiated */
    bool two_byte;                /* a=extmap-allow-mixed: the writer may use the two-byte form */
    uint8_t ext_of[256];          /* id → extension + 1 */
} cn_rtp_exts;

/** Id 1–255 except 15; false (nothing changed) for another id, or one already taken by another extension. Setting again
 * moves it. */
bool cn_rtp_exts_set(cn_rtp_exts *exts, cn_rtp_ext ext, unsigned id);

typedef struct cn_rtp_view {
    const uint8_t *p;
    uint8_t n;
} cn_rtp_view;

/** A parsed packet: views into the caller's bytes, valid as long as they are. */
typedef struct cn_rtp {
    const uint8_t *data;
    size_t len; /* of the whole packet, with padding */
    const uint8_t *payload;
    size_t payload_len;   /* without padding; 0 in padding-only packets */
    size_t header_len;    /* payload - data */
    const uint8_t *csrcs; /* csrc_count × 4 bytes */
    uint32_t ts, ssrc;
    uint16_t seq;
    uint16_t present;                /* CN_RTP_EXT_BIT of the known extensions found with a right length */
    uint8_t pt, csrc_count, padding; /* padding: bytes, with its count byte */
    bool marker;
    cn_rtp_view ext[CN_RTP_EXT_COUNT]; /* meaningful where `present` says so */
} cn_rtp;

/**
 * Parses one (unprotected) packet. Both extension forms are read, whichever `ids->two_byte` says; unknown ids and other
 * profiles are skipped; a known extension of wrong length, or one seen before in the packet, is ignored. CN_ERR_PARSE:
 * version, CSRCs, extension block, an element running past its block, or padding (0, or more than there is) do not fit;
 * `out` is undefined then. `ids` may be NULL.
 */
cn_err cn_rtp_parse(const uint8_t *bytes, size_t len, const cn_rtp_exts *ids, cn_rtp *out);

static inline bool cn_rtp_has(const cn_rtp *rtp, cn_rtp_ext ext)
{
    return (rtp->present & CN_RTP_EXT_BIT(ext)) != 0;
}

/** Transport-wide sequence number. False when absent; so are the next ones. */
bool cn_rtp_twcc(const cn_rtp *rtp, uint16_t *seq);
/** RFC 6464: level 0 (loudest) … 127 (silence) in −dBov, and whether the sender thinks it is voice. */
bool cn_rtp_audio_level(const cn_rtp *rtp, uint8_t *level, bool *voice);
/** True when a SDES-like extension (MID, RID, REPAIRED_RID) equals a text. */
bool cn_rtp_ext_is(const cn_rtp *rtp, cn_rtp_ext ext, const char *text);

/** One extension's value to write: `n` bytes at `p`, or, with p NULL, the low `n` (1–4) bytes of `small`, most
 * significant first. */
typedef struct cn_rtp_value {
    const uint8_t *p;
    uint32_t small;
    uint8_t n;
} cn_rtp_value;

/** A header to write. Copying the struct copies the header (values point only outside it). */
typedef struct cn_rtp_head {
    uint32_t ts, ssrc;
    uint16_t seq;
    uint8_t pt;
    bool marker;
    uint16_t present; /* CN_RTP_EXT_BIT of the extensions to write; those the receiver has no id for are left out */
    cn_rtp_value ext[CN_RTP_EXT_COUNT];
} cn_rtp_head;

/** Adds an extension: bytes that the caller keeps until the header is written, … */
void cn_rtp_head_bytes(cn_rtp_head *head, cn_rtp_ext ext, const void *bytes, uint8_t len);
/** … a small number of len ≤ 4 bytes, … */
void cn_rtp_head_number(cn_rtp_head *head, cn_rtp_ext ext, uint32_t value, uint8_t len);

/**
 * Writes fixed header and extensions with the receiver's ids; no CSRCs, no padding bit. One-byte form where everything
 * fits it; otherwise two-byte when `ids->two_byte`, else what does not fit is left out. Returns the header's length, 0
 * when `cap` is too small. `twcc_at` (NULL allowed) gets the offset of the transport-wide sequence number, to be set at
 * the moment of sending; 0 when it was not written.
 */
size_t cn_rtp_write_header(uint8_t *out, size_t cap, const cn_rtp_head *head, const cn_rtp_exts *ids,
                           uint16_t *twcc_at);

/** Length that cn_rtp_write_header will return given room enough. */
size_t cn_rtp_header_size(const cn_rtp_head *head, const cn_rtp_exts *ids);

/** Appends `pad` (1–255) bytes of padding to an unpadded packet of `len` bytes and sets its P bit. Returns the new
 * length, 0 when it does not fit. */
size_t cn_rtp_pad(uint8_t *packet, size_t len, size_t cap, uint8_t pad);

/** A packet of header and `pad` (1–255) bytes of padding only. Returns its length, 0 when it does not fit. */
size_t cn_rtp_write_padding(uint8_t *out, size_t cap, const cn_rtp_head *head, const cn_rtp_exts *ids, uint8_t pad,
                            uint16_t *twcc_at);

/** RFC 4588 §4: an RTX packet (header: RTX stream's SSRC, PT and own seq; ts of the original) around the original's
 * payload. Length, 0 when it does not fit. */
size_t cn_rtp_write_rtx(uint8_t *out, size_t cap, const cn_rtp_head *header, const cn_rtp_exts *ids, uint16_t osn,
                        const uint8_t *payload, size_t payload_len, uint16_t *twcc_at);

/**
 * RFC 4588 §4 backwards, in place: the packet at `packet` (as parsed into `in`, whose views die) becomes the original
 * with PT and SSRC given and the OSN as its seq; it starts 2 bytes later and is 2 bytes shorter. `*start` gets its
 * first byte, `*len` its length; parse it again. CN_ERR_PARSE when the payload is under 2 bytes (padding-only probe:
 * nothing to restore).
 */
cn_err cn_rtp_restore_rtx(uint8_t *packet, const cn_rtp *in, uint8_t pt, uint32_t ssrc, uint8_t **start, size_t *len);

#endif
