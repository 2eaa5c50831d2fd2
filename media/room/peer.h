/* A participant's PeerConnection: transport, what was negotiated, its sources and slots. Owner: the worker. Owner
 * thread only. */
#ifndef CN_MEDIA_PEER_H
#define CN_MEDIA_PEER_H

#include <stdbool.h>
#include <stdint.h>

#include "media/sdp/plan.h"
#include "media/rate/bwe.h"
#include "media/kinds.h"
#include "media/rate/pacer.h"
#include "media/room/room.h"
#include "media/rate/rtt.h"
#include "media/forward/slot.h"
#include "media/room/source.h"
#include "media/transport/transport.h"
#include "media/rate/twcc.h"
#include "media/worker/worker.h"

#define CN_PEER_SOURCES 4 /* one per kind */

typedef struct cn_peer_meter {
    uint64_t out_bytes, out_packets, in_bytes, in_packets; /* since the start */
    uint64_t in_expected, in_lost;                         /* of the last reports' interval */
    uint64_t nacks_in, nacks_out, plis_in, plis_out, bad;
    uint64_t told_in_bytes, told_out_bytes, told_ns; /* at the last event */
} cn_peer_meter;

typedef struct cn_peer {
    /* what every packet touches stands first, in few cache lines */
    cn_worker *worker;
    cn_transport *transport;
    cn_twcc_out *twcc_out;
    bool may_audio, may_video, ended, connected;
    struct {
        bool on;
        cn_pacer *pacer; /* made when the line was the limit for the first time, as is the timer */
        cn_timer *timer;
    } pace;
    cn_peer_meter meter;
    cn_rtp_exts exts;  /* one meaning per id in the whole bundle, both ways */
    cn_idmap in_ssrc;  /* cn_stream */
    cn_idmap out_ssrc; /* cn_slot, by media SSRC */

    cn_room *room;
    struct cn_peer *next_in_room, *next_dead;
    uint32_t number;
    char id[CN_MEDIA_ID];
    cn_peer_kind kind;
    cn_source_kind whip_source;
    cn_codec codec; /* the room's, at the time of joining */
    char only[CN_MEDIA_ID];
    uint64_t joined_ns;

    char remote_ufrag[257];
    char fingerprint[192]; /* of the peer's certificate, as its SDP named it */
    const char *fingerprint_alg;
    char first_media[16], first_mid[CN_MEDIA_ID]; /* of the bundle's first section: for fragments */
    uint64_t sdp_session, sdp_version;
    bool reads_descriptors; /* receives the dependency descriptor; Firefox only sends it */
    uint32_t rtcp_ssrc;

    cn_source *sources[CN_PEER_SOURCES];
    size_t source_count;
    size_t slot_count;
    unsigned audio_slots, video_slots;
    cn_slot *slots[CN_MEDIA_SLOTS]; /* in order of the offer, audio and video mixed */

    /* wants */
    cn_slot_want wants[CN_MEDIA_SLOTS];
    size_t want_count;
    cn_tier tier_max;
    char large[CN_MEDIA_ID]; /* participant of the large slot, "" none */

    /* bandwidth */
    cn_twcc_in twcc_in;
    cn_bwe estimate;
    uint32_t wanted_bps; /* what would be sent if everything fitted */
    struct {
        cn_timer *timer; /* made with the first probe */
        cn_slot *slot;   /* carries it, NULL: none is being sent */
        cn_bwe_probe wanted;
        uint64_t last_ns;
        uint32_t cursor; /* next packet to repeat, extended number */
        double owed;     /* bytes */
    } probe;
    uint32_t rtt_ms; /* smoothed; 0: not known */
    cn_rtt rtt;
    uint32_t video_ssrc_in; /* any SSRC of the publisher: media SSRC of transport feedback */
    cn_ntpclock clock;
    bool unbound; /* what slots can show changed: bind at the next tick */
    bool dirty;   /* bindings changed: allocate at the next tick */

    uint64_t allocate_ns, report_ns, stats_ns; /* when next */
    int64_t area_sum, area_max;                /* told */
    bool area_told;
} cn_peer;

/** Makes a peer from a join and answers its offer; on an error nothing is left. `now`: worker->now_ns. */
cn_err cn_peer_join(cn_worker *worker, const cn_media_join *join, const cn_place *place, cn_buf *answer,
                    cn_problem *problem);
/** Answers a re-offer. */
cn_err cn_peer_reoffer(cn_peer *peer, const char *offer, const cn_section *sections, size_t count, cn_buf *answer,
                       cn_problem *problem);
/** Answers a trickle-ice-sdpfrag with new credentials. */
cn_err cn_peer_restart(cn_peer *peer, const char *fragment, cn_buf *answer, cn_problem *problem);
/** Out of all lists, `left` told; freed at the end of the turn. */
void cn_peer_end(cn_peer *peer, cn_leave_cause cause);
/** Frees what ended in this turn. */
void cn_peer_bury(cn_worker *worker);
/** Feedback, reports, allocation, statistics. Every 20 ms. */
void cn_peer_tick(cn_peer *peer, uint64_t now_ns);

/** Packets as the transport hands them over. */
void cn_peer_rtp(void *arg, uint8_t *packet, size_t len, uint64_t now_ns);
void cn_peer_rtcp(void *arg, uint8_t *packet, size_t len, uint64_t now_ns);

/** Sends compound RTCP. */
void cn_peer_send_rtcp(cn_peer *peer, const uint8_t *bytes, size_t len);

cn_source *cn_peer_source(const cn_peer *peer, cn_source_kind kind);
cn_slot *cn_peer_slot(const cn_peer *peer, const char *mid);

/** Binds audio slots to the ranked microphones and video slots to what is wanted. Before the peer is connected, too:
 * what it will show then is asked for and remembered meanwhile. */
void cn_peer_bind(cn_peer *peer);
/** The same after the ranking alone changed: many times a minute for everybody in the room. */
void cn_peer_bind_ranked(cn_peer *peer);
/** cn_media_permit. */
void cn_peer_permit(cn_peer *peer, bool audio, bool video);
void cn_peer_show(cn_peer *peer, const cn_slot_want *wants, size_t count, cn_tier tier_max);
/** Gives layers by the estimate. */
void cn_peer_allocate(cn_peer *peer, uint64_t now_ns);
/** Sends a burst of repeated packets when the estimator wants to know whether more would fit (peer_probe.c). */
void cn_peer_probe(cn_peer *peer, uint64_t now_ns);
/** The slot ends or shows something else: it carries no probe any more. */
void cn_peer_probe_drop(cn_peer *peer, const cn_slot *slot);
/** Does the line bind, and at which rate? Every 20 ms (peer_pace.c). */
void cn_peer_pace(cn_peer *peer, uint64_t now_ns);
/** True: the packet waits and leaves later by cn_slot_send_paced. False: it is sent now. */
bool cn_peer_pace_hold(cn_peer *peer, const cn_paced *paced);
/** What waits of a slot leaves now: it will show something else. */
void cn_peer_pace_flush(cn_peer *peer, const cn_slot *slot);
bool cn_peer_pace_busy(const cn_peer *peer);
void cn_peer_pace_free(cn_peer *peer);
/** Tells the area of what is really being sent, when it changed. */
void cn_peer_area(cn_peer *peer, uint64_t now_ns);
/** Transport-wide feedback; with `all` sender and receiver reports that are due. */
void cn_peer_report(cn_peer *peer, uint64_t now_ns, bool all);
void cn_peer_stats(cn_peer *peer, uint64_t now_ns);

#endif
