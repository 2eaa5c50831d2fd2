/* A source's layers as its packets show them: which flow, how large they are, what they cost. Owner thread only. */
#ifndef CN_MEDIA_SOURCE_LAYERS_H
#define CN_MEDIA_SOURCE_LAYERS_H

#include "media/room/source_impl.h"
#include "media/stream/packet.h"

/** Its layers as tracks know them. */
cn_layers_info cn_source_layers(const cn_source *source);
/** Takes in what a packet of a picture shows, and tells all workers at once when that is new. */
void cn_source_note_picture(cn_source *source, cn_source_layer *layer, const cn_packet *packet, uint64_t now_ns);

#endif
