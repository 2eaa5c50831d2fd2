/*
 * The SFU's outside: rooms, participants, slots. Knows nothing of doctors, users or SQL.
 *
 * Threads: every function may be called from any thread except a media worker's own callback where noted; work is
 * handed to the worker that owns the peer through its queue. Callbacks of cn_media_events and answers run on media
 * worker threads: they must not block and must copy what they keep. Participants and rooms are named by texts of at
 * most 63 bytes that the caller makes unique.
 */
#ifndef CN_MEDIA_MEDIA_H
#define CN_MEDIA_MEDIA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "media/kinds.h"

typedef struct cn_media cn_media;

cn_err cn_media_new(cn_media **out, const cn_media_config *config, const cn_media_events *events, void *ctx);
/** Ends all rooms (events `left` with CN_LEAVE_SHUTDOWN), joins the threads. NULL allowed. */
void cn_media_free(cn_media *media);
/** Real UDP port of worker i. */
uint16_t cn_media_port(const cn_media *media, unsigned worker);
unsigned cn_media_workers(const cn_media *media);
/** Any thread. All zero for a worker that does not exist. */
void cn_media_worker_get(const cn_media *media, unsigned worker, cn_media_worker *out);

/** True for a name that cn_media_join.codec may have. */
bool cn_media_codec_valid(const char *name);

#define CN_OFFER_SECTIONS 128 /* of one offer at most */

/** An m-section of an offer, so far as it says what would be published. */
typedef struct cn_offer_section {
    char mid[CN_MEDIA_ID]; /* "" where a single section has none */
    bool video;
    bool sends;    /* the client does, and the section is not refused: port 0 is none with bundle-only (RFC 9143 §6) */
    unsigned rids; /* simulcast layers that it names */
} cn_offer_section;

typedef struct cn_offer_look {
    cn_offer_section sections[CN_OFFER_SECTIONS];
    size_t count;
} cn_offer_look;

/**
 * Reads an offer's sections, in their order. None where the offer cannot be answered: joining with it says why. Pure,
 * any thread; a browser's offer with 37 sections takes a millisecond or two.
 */
void cn_media_offer_look(const char *offer, cn_offer_look *out);

/** A new participant; opens the room when it is the first. CN_ERR_INVALID (SDP), CN_ERR_CONFLICT (name in use) come
 * through `fn`. */
void cn_media_join_room(cn_media *media, const cn_media_join *join, cn_media_answer_fn fn, void *arg);
/** Re-offer of a participant: more slots, a screen, new sections, ICE restart. */
void cn_media_reoffer(cn_media *media, const char *participant, const char *offer, const cn_section *sections,
                      size_t count, cn_media_answer_fn fn, void *arg);
/** WHIP/WHEP PATCH (RFC 8840 trickle-ice-sdpfrag with new ufrag/pwd = ICE restart); the answer is a fragment. */
void cn_media_ice_restart(cn_media *media, const char *participant, const char *fragment, cn_media_answer_fn fn,
                          void *arg);

/** Replaces all wants of a participant. `tier_max` bounds every single stream. Slot 0's participant also gets audio
 * slot 0 (lip sync). */
void cn_media_show(cn_media *media, const char *participant, const cn_slot_want *wants, size_t count, cn_tier tier_max);
/** Source on or off (mute, camera off): while off nothing of it is forwarded. */
void cn_media_source_set(cn_media *media, const char *participant, cn_source_kind source, bool on);
/**
 * What a participant may publish from now on, as may_publish_audio and may_publish_video of the join. An app's sections
 * are negotiated in any case; without the permission their sources are off and stay off, so that the same
 * PeerConnection can publish later. Encoders' sections (WHIP) are answered as rejected.
 */
void cn_media_permit(cn_media *media, const char *participant, bool audio, bool video);
/** Ends a participant; event `left` follows. */
void cn_media_leave(cn_media *media, const char *participant, cn_leave_cause cause);
/** Ends all participants of a room. */
void cn_media_room_close(cn_media *media, const char *room);

#endif
