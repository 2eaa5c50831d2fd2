/* What a port is held to and what it counts: plain figures, shared by all of this folder and read by the worker. */
#ifndef CN_MEDIA_FIGURES_H
#define CN_MEDIA_FIGURES_H

#include <stdbool.h>
#include <stdint.h>

#define CN_TRANSPORT_PACKET 1500 /* longest RTP or RTCP packet that can be sent, before protection */

/** Zero in a member means its default. */
typedef struct cn_port_limits {
    uint32_t timeout_ms;     /* a transport without authenticated sign of life for so long is closed; default 20,000 */
    uint32_t transports_max; /* default 4,096 */
    uint32_t
        handshakes_max; /* DTLS handshakes under way at once; default 256; more wait for the client's retransmission */
    uint32_t buffer_bytes;      /* socket buffers, forced where permitted; default 4 MiB */
    bool no_gso;                /* never send with UDP_SEGMENT (the floors and tests compare) */
    uint32_t tcp_max;           /* TCP connections at once; default 4,096 */
    uint32_t tcp_per_address;   /* of them from one address (a hospital behind one NAT is one); default 512 */
    uint32_t tcp_unchecked_max; /* of them without a valid STUN check yet; default 1,024; more replace the oldest */
    uint32_t tcp_check_ms;      /* time for the first valid STUN check; default 5,000 */
    uint32_t tcp_idle_ms;       /* between two of them; default 60,000 */
} cn_port_limits;

/** Everything that is counted since the port was opened. What was refused had no other effect. */
typedef struct cn_port_totals {
    uint64_t datagrams_in, datagrams_out;
    uint64_t bytes_in, bytes_out;      /* UDP payload */
    uint64_t send_calls;               /* system calls */
    uint64_t gso_sends, gso_datagrams; /* messages that carried more than one segment, and their segments */
    uint64_t messages;                 /* of the batch, GSO or not: datagrams in runs to one destination */
    uint64_t bad_stun;                 /* malformed, unknown user, wrong password, not a binding request */
    uint64_t bad_dtls;                 /* malformed, unexpected, over the handshake's budget */
    uint64_t bad_rtp;                  /* malformed or not authentic */
    uint64_t bad_rtcp;
    uint64_t replayed;        /* authentic RTP or RTCP seen before */
    uint64_t unknown_source;  /* DTLS, RTP or RTCP from an address without a STUN check, or before the handshake */
    uint64_t unknown_kind;    /* first byte of no protocol (RFC 7983 §7) */
    uint64_t send_failed;     /* refused by the kernel, or its buffer full */
    uint64_t protect_failed;  /* SRTP refused to protect: an index was used before, or no keys yet */
    uint64_t role_conflicts;  /* STUN checks answered 487 */
    uint64_t receive_dropped; /* by the kernel, receive buffer full (cn_port_measure) */
} cn_port_totals;

/** TCP. Counted since the start, but for `open`: now. */
typedef struct cn_tcp_totals {
    uint64_t open;
    uint64_t accepted;
    uint64_t refused; /* at a bound */
    uint64_t broken;  /* frame too long, or refused by the user */
    uint64_t late;    /* no check within the deadline, or none for too long */
    uint64_t slow;    /* did not read what was sent */
    uint64_t frames_in, frames_out, bytes_in, bytes_out, send_calls; /* without the length fields */
} cn_tcp_totals;

#endif
