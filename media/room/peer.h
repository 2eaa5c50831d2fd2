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

/** Makes a peer from a join and answers its offer; on an error nothing is left. */
cn_err cn_peer_join(cn_worker *worker, const cn_media_join *join, const cn_place *place, cn_buf *answer,
                    cn_problem *problem);
/** Answers a re-offer. */
cn_err cn_peer_reoffer(cn_peer *peer, const char *offer, const cn_section *sections, size_t count, cn_buf *answer,
                       cn_problem *problem);
/** Out of all lists, `left` told; freed at the end of the turn. */
void cn_peer_end(cn_peer *peer, cn_leave_cause cause);
/** Frees what ended in this turn. */
void cn_peer_bury(cn_worker *worker);
/** Feedback, reports, allocation, statistics. Every 20 ms. */
void cn_peer_tick(cn_peer *peer, uint64_t now_ns);

cn_source *cn_peer_source(const cn_peer *peer, cn_source_kind kind);

/** cn_media_permit. */
void cn_peer_permit(cn_peer *peer, bool audio, bool video);

#endif
