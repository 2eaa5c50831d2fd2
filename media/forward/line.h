/*
 * The connection to one receiver or publisher as forwarding sees it: transport, what was agreed about packets, how they
 * are numbered, what fits, and the slots that send on it. A peer embeds one; slots and sources know it and not the peer.
 * Owner thread only.
 */
#ifndef CN_MEDIA_LINE_H
#define CN_MEDIA_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include "media/kinds.h"
#include "media/rate/bwe.h"
#include "media/rate/pacer.h"
#include "media/rate/reported.h"
#include "media/rate/rtt.h"
#include "media/rate/twcc.h"
#include "media/stream/ntpmap.h"
#include "media/transport/transport.h"
#include "media/wire/rtp.h"
#include "media/worker/worker.h"

struct cn_slot;

/** Sends what has waited. */
typedef void (*cn_pace_send)(struct cn_slot *slot, const cn_paced *paced);
/** Sends the packet with this outgoing number (extended) again, as a probe; bytes sent, 0: none can be. */
typedef size_t (*cn_probe_send)(struct cn_slot *slot, uint32_t ext);

/** Of the pacer (pace.h). */
typedef struct cn_line_pace {
    bool on;
    cn_pacer *pacer; /* made when the line was the limit for the first time, as is the timer */
    cn_timer *timer;
    cn_pace_send send;
} cn_line_pace;

typedef struct cn_line_meter {
    uint64_t out_bytes, out_packets, in_bytes, in_packets; /* since the start */
    uint64_t in_expected, in_lost;                         /* of the last reports' interval */
    uint64_t nacks_in, nacks_out, plis_in, plis_out, bad;
    uint64_t told_in_bytes, told_out_bytes, told_ns; /* at the last event */
} cn_line_meter;

/** Of the probe that is being sent (probe.h). */
typedef struct cn_line_probe {
    cn_timer *timer;      /* made with the first probe */
    struct cn_slot *slot; /* carries it, NULL: none is being sent */
    cn_bwe_probe wanted;
    uint64_t last_ns;
    uint32_t cursor; /* next packet to repeat, extended number */
    double owed;     /* bytes */
    cn_probe_send send;
} cn_line_probe;

typedef struct cn_line {
    /* what every packet touches stands first, in few cache lines */
    cn_worker *worker;
    cn_transport *transport;
    cn_twcc_out *twcc_out;
    bool connected, ended;
    bool reads_descriptors; /* receives the dependency descriptor; Firefox only sends it */
    bool unbound;           /* what slots can show changed: bind at the next tick */
    uint8_t replaying;      /* slots that send a kept run */
    bool dirty;             /* bindings changed: allocate at the next tick */
    cn_line_pace pace;
    cn_line_meter meter;
    cn_rtp_exts exts;  /* one meaning per id in the whole bundle, both ways */
    cn_idmap in_ssrc;  /* cn_stream */
    cn_idmap out_ssrc; /* cn_slot, by media SSRC */

    char id[CN_MEDIA_ID];  /* the participant's */
    const char *room_name; /* lives as long as slots and sources do */
    uint64_t joined_ns;
    uint32_t rtcp_ssrc;
    size_t slot_count;
    struct cn_slot *slots[CN_MEDIA_SLOTS]; /* in order of the offer, audio and video mixed */

    /* bandwidth */
    cn_twcc_in twcc_in;
    cn_bwe estimate;
    cn_reported reported; /* by receiver reports, of who gives no transport-wide feedback */
    uint32_t wanted_bps;  /* what would be sent if everything fitted */
    cn_line_probe probe;
    uint32_t rtt_ms; /* smoothed; 0: not known */
    cn_rtt rtt;
    uint32_t video_ssrc_in; /* any SSRC of the publisher: media SSRC of transport feedback */
    cn_ntpclock clock;
} cn_line;

/** A zeroed line of the participant `id`, with a transport that tells `events` with `arg`. On an error it is closed all
 * the same. */
cn_err cn_line_open(cn_line *line, cn_worker *worker, const char *id, const cn_transport_events *events, void *arg);
/** Its slots are gone; pacer and probe were freed by their own. */
void cn_line_close(cn_line *line);
/** A number that neither side uses as an SSRC. */
uint32_t cn_line_unused_ssrc(const cn_line *line);
/** Sends compound RTCP. */
void cn_line_send_rtcp(cn_line *line, const uint8_t *bytes, size_t len);

#endif
