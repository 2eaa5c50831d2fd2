/* What goes back to a publisher, NACK, PLI and reports, and what is measured of his sources. Owner thread only. */
#ifndef CN_MEDIA_SOURCE_FEEDBACK_H
#define CN_MEDIA_SOURCE_FEEDBACK_H

#include "media/room/source_impl.h"
#include "media/wire/rtcp.h"

/** A sender report about one of its layers. */
void cn_source_sender_report(cn_source *source, unsigned layer, uint64_t ntp, uint32_t rtp_ts);
/** Sends the PLI that is wanted, unless the last one is too recent: then a later tick does. */
void cn_source_ask(cn_source *source, unsigned layer, uint64_t now_ns);
/** Asks for what is missing of a layer and due. */
void cn_source_ask_missing(cn_source *source, cn_source_layer *layer, uint64_t now_ns);
/** NACKs, waiting key frame requests, measurement. Every 20 ms. */
void cn_source_tick(cn_source *source, uint64_t now_ns);
/** Fills at most `max` report blocks; returns how many. A microphone's say the worst fraction that any of its listeners
 * misses, so that its encoder protects the speech for him (Opus FEC); counts of lost packets are those on the way here.
 */
size_t cn_source_reports(cn_source *source, cn_rtcp_block *out, size_t max, uint64_t now_ns);

/* message handler */
void cn_source_on_loss(cn_worker *worker, cn_msg *msg);

#endif
