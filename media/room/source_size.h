/* What of a publisher's claimed picture sizes counts for minutes (media/rate/believe.h). */
#ifndef CN_MEDIA_SOURCE_SIZE_H
#define CN_MEDIA_SOURCE_SIZE_H

#include "media/room/source_impl.h"
#include "media/wire/rtp.h"

/** A packet of a picture came, and its layer's claim is noted. True when a claim has just been found good: to be
 * announced. */
bool cn_source_size_packet(cn_source *source, cn_source_layer *layer, const cn_packet *packet);
/** The encoder's own word, where the packet has it. */
void cn_source_size_allocation(cn_source *source, const cn_rtp *rtp, uint64_t now_ns);
/** Once a second, while the layers' windows are whole. */
void cn_source_size_second(cn_source *source);

#endif
