/*
 * What a peer publishes: one microphone, camera, screen or device on its publisher's worker. SSRCs, loss, reports,
 * layers' sizes and rates, key frame requests, and who is subscribed. Owner: the peer. Owner thread only.
 */
#ifndef CN_MEDIA_SOURCE_H
#define CN_MEDIA_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "media/forward/line.h"
#include "media/room/room.h"
#include "media/sdp/sdp.h"
#include "media/wire/rtp.h"
#include "media/worker/msg.h"

typedef struct cn_source cn_source;
typedef struct cn_stream cn_stream;

/** Made from an accepted section; registers its SSRCs with the peer and tells all workers. */
cn_err cn_source_new(cn_source **out, cn_line *line, cn_room *room, cn_source_kind kind, const cn_sdp_section *section,
                     const cn_sdp_codec *codec);
/** How many layers a picture's section announces: by RIDs or by a=ssrc-group:SIM, else 1. */
unsigned cn_source_layer_count(const cn_sdp_section *section);
/** Tells all workers that it is gone and frees. NULL allowed. */
void cn_source_free(cn_source *source);

/** The SSRCs of its layers by RID, as far as they are known. */
typedef struct cn_source_ssrcs {
    unsigned count;
    struct {
        char rid[17];
        uint32_t media, rtx; /* 0: not known */
    } layer[CN_LAYERS];
} cn_source_ssrcs;
cn_source_ssrcs cn_source_known(const cn_source *source);
/** Another codec in the same section: its layers keep their SSRCs. A browser writes RIDs only until a first report
 * about an SSRC came (RFC 8852 §3 leaves it to the sender), so that they could not be learnt again. */
void cn_source_inherit(cn_source *source, const cn_source_ssrcs *known);

/** SOURCE_ADD and SOURCE_LAYERS to one worker that just opened the room. */
void cn_source_introduce(cn_source *source, unsigned to);

/** The stream that a packet of an unknown SSRC belongs to (by RID, or payload type), bound to the SSRC from now on;
 * NULL when none fits. The MID, if any, was compared before. */
cn_stream *cn_source_learn(cn_source *source, const cn_rtp *rtp);

/** A decrypted packet of one of its streams. `packet` is writable. */
void cn_source_packet(cn_stream *stream, uint8_t *packet, cn_rtp *rtp, uint64_t now_ns);
/** Muted or switched on. */
void cn_source_switch(cn_source *source, bool on);
/** A worker has no members of the room any more. */
void cn_source_unsubscribe_all(cn_source *source, unsigned worker);

/* message handlers */
void cn_source_on_subscribe(cn_worker *worker, cn_msg *msg);
void cn_source_on_keyframe(cn_worker *worker, cn_msg *msg);

#endif
