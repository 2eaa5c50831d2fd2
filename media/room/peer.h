/* A participant's PeerConnection: transport, what was negotiated, its sources and slots. Owner: the worker. Owner
 * thread only. */
#ifndef CN_MEDIA_PEER_H
#define CN_MEDIA_PEER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "media/kinds.h"
#include "media/room/source.h"
#include "media/worker/worker.h"

typedef struct cn_peer cn_peer;

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

cn_source *cn_peer_source(const cn_peer *peer, cn_source_kind kind);

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
/** Tells the area of what is really being sent, when it changed. */
void cn_peer_area(cn_peer *peer, uint64_t now_ns);
/** Transport-wide feedback; with `all` sender and receiver reports that are due. */
void cn_peer_report(cn_peer *peer, uint64_t now_ns, bool all);
void cn_peer_stats(cn_peer *peer, uint64_t now_ns);

#endif
