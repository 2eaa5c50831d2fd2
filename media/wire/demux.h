/*
 * What a datagram on the media port is, by its first bytes (RFC 7983, RFC 5761), and whether a STUN message is well
 * built. Pure: any thread, no allocation.
 */
#ifndef CN_MEDIA_DEMUX_H
#define CN_MEDIA_DEMUX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

typedef enum cn_datagram {
    CN_DATAGRAM_OTHER, /* too short, ZRTP, TURN channel, QUIC: dropped */
    CN_DATAGRAM_STUN,
    CN_DATAGRAM_DTLS,
    CN_DATAGRAM_SRTP,
    CN_DATAGRAM_SRTCP
} cn_datagram;

/** Kind of a datagram; `len` may be 0. Lengths below the protocol's own header (STUN 20, DTLS record 13, RTP 12, RTCP
 * 8) are OTHER. */
cn_datagram cn_demux(const uint8_t *bytes, size_t len);

typedef enum cn_stun_class { CN_STUN_REQUEST, CN_STUN_INDICATION, CN_STUN_SUCCESS, CN_STUN_FAILURE } cn_stun_class;

#define CN_STUN_BINDING 1

/** View into a STUN message that passed cn_stun_check. */
typedef struct cn_stun {
    cn_stun_class cls;
    uint16_t method;            /* CN_STUN_BINDING */
    const uint8_t *transaction; /* 12 bytes */
    const char *username;       /* not zero-terminated; NULL when absent */
    size_t username_len;
    size_t
        ufrag_len; /* bytes of `username` before the first ':' (the receiver's own ufrag); username_len without a ':' */
    bool has_integrity; /* MESSAGE-INTEGRITY stands before FINGERPRINT, 20 bytes */
    bool use_candidate;
} cn_stun;

/**
 * Structure of one STUN message (RFC 8489 §5, §6.3, §14): leading zero bits, length a multiple of 4 and exactly the
 * datagram's, magic cookie, every attribute inside the message, at most 32 attributes, MESSAGE-INTEGRITY of 20 bytes,
 * FINGERPRINT present, of 4 bytes, last, and its CRC right (RFC 8445 demands it). The integrity's HMAC is libnice's to
 * check. CN_ERR_PARSE otherwise, `out` untouched.
 */
cn_err cn_stun_check(const uint8_t *bytes, size_t length, cn_stun *out);

#endif
