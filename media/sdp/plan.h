/*
 * What is agreed with a peer, section by section: a pure plan made from an offer, before anything is changed. Any
 * thread, no allocation but the plan itself.
 */
#ifndef CN_MEDIA_PLAN_H
#define CN_MEDIA_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "media/kinds.h"
#include "media/sdp/sdp.h"

#define CN_PLAN_SECTIONS (CN_MEDIA_SLOTS + 8)

typedef struct cn_plan_section {
    const cn_sdp_section *offer;
    cn_source_kind source;     /* CN_SOURCE_NONE: a slot */
    bool accept;               /* false: answered with port 0 */
    const cn_sdp_codec *codec; /* what an accepted source is to send, NULL for slots */
} cn_plan_section;

typedef struct cn_plan {
    cn_plan_section sections[CN_PLAN_SECTIONS];
    size_t count;
} cn_plan;

/** Who offers: the members of cn_media_join that decide. */
typedef struct cn_offerer {
    cn_peer_kind kind;
    bool may_audio, may_video;
    cn_source_kind whip_source;
    const cn_section *sections;
    size_t section_count;
    cn_codec codec; /* preferred for video; CN_CODEC_OTHER: the first of the offer's */
} cn_offerer;

/**
 * Decides what each section of an offer is. Sources that may not be published, sections without a codec in common and
 * unknown media are planned as rejected. CN_ERR_INVALID, `problem` saying why: a section that is not named, a name
 * without its section, one source twice, wrong directions, more slots than CN_MEDIA_SLOTS.
 */
cn_err cn_plan_make(cn_plan *plan, const cn_sdp *offer, const cn_offerer *who, cn_problem *problem);

/** Whether dependency descriptors are agreed with a publisher who sends this codec. */
bool cn_plan_described(cn_codec codec);
/** The codec a publisher is asked to send in a section (`preferred` if it is offered and can be taken, else the first of the offer's order that
 * can, RFC 3264 §6.1; Opus),
 * or NULL. */
const cn_sdp_codec *cn_plan_source_codec(const cn_sdp_section *section, cn_codec preferred);
/** A video codec that this server forwards by its name, of either case; CN_CODEC_OTHER for another text. */
cn_codec cn_plan_codec(const char *name);
/** Redundant audio around `codec` (which may be NULL) in the same section, or NULL: not offered, or around another. */
const cn_sdp_codec *cn_plan_red(const cn_sdp_section *section, const cn_sdp_codec *codec);
/** The codecs that a slot can be sent: at most `max`, the number is returned. */
size_t cn_plan_slot_codecs(const cn_sdp_section *section, const cn_sdp_codec **out, size_t max);

/** Fills what of an answer's section depends on the offer and plan alone: codecs, extensions, feedback, layers,
 * direction. */
void cn_plan_answer(const cn_plan_section *section, cn_sdp_answer_section *out);

#endif
