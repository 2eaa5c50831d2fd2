/* A participant's sources and places, what he may send and what he is sent. */
#ifndef CN_SIGNALING_LIVE_SOURCES_H
#define CN_SIGNALING_LIVE_SOURCES_H

#include "signaling/live/state.h"

/** What an offer changes in the sources that are published; tells the others when `tell`. */
void cn_member_sources(cn_member *member, const cn_offer_look *offer, const cn_section *sections, size_t count,
                       bool tell);
/** Whether an offer publishes a picture. */
bool cn_offer_has_video(const cn_offer_look *offer);
/** May he switch this source of his on? CN_ERR_FORBIDDEN when the room leaves that to hosts. */
cn_err cn_member_may_unmute(const cn_member *member, cn_source_kind kind, cn_problem *problem);
/** Switches a source and tells everybody; `by` is a host or NULL. */
void cn_member_switch(cn_member *member, cn_source_kind kind, bool on, const cn_member *by);
/** A host switches it off, also when it is not there yet; `by` is that host. */
void cn_member_mute(cn_member *member, cn_source_kind kind, const cn_member *by);
/** With an offer: what is off here must be off in media too, also in sections that it accepts just now. */
void cn_member_hold_sources(cn_member *member);
/** Takes or gives up a place with video; CN_ERR_FULL when none is left. The others are told. */
cn_err cn_member_video(cn_member *member, bool on);
json_t *cn_member_limits_json(const cn_member *member);
/** Says to media what this participant wants, within the ceilings. */
void cn_member_show(cn_member *member);
/** The ceilings of the room changed, or that of one participant. */
void cn_hall_limits(cn_hall *hall);

#endif
