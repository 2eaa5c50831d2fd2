/* Payload parsing by codec: the fallback where header extensions do not tell. Nothing else in media/ reads payload. */
#ifndef CN_MEDIA_PAYLOAD_H
#define CN_MEDIA_PAYLOAD_H

#include "base/err.h"
#include "media/wire/depdesc.h"
#include "media/stream/packet.h"

/**
 * Fills frame_start, frame_end, key, tid, picture id, size… of `packet` from its payload; codec, marker, payload_at and
 * payload_len must be set. A packet without payload (padding) belongs to no frame: all stay unset, CN_OK. Codecs
 * without a parser: frame_end is the marker (audio: one packet is one frame). CN_ERR_PARSE for a malformed descriptor:
 * drop and count the packet.
 */
cn_err cn_payload_parse(cn_packet *packet);

/** Fills the same, and what layers need of each other, from a dependency descriptor; after cn_payload_parse, whose
 * findings it overrules. `fresh` is read when the descriptor brings a structure. dd_at and dd_len are the caller's. */
void cn_payload_describe(cn_packet *packet, const cn_depdesc *depdesc, const cn_dd_structure *fresh);

#endif
