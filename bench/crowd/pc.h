/* One PeerConnection of a bench client: what it sends (a microphone, a camera in layers), what it receives and checks,
 * and the RTCP of both (reports, NACK and RTX, PLI, transport-wide feedback). Many of them make a crowd; one thread. */
#ifndef CN_CROWD_PC_H
#define CN_CROWD_PC_H

#include <stdbool.h>
#include <stdint.h>

#include "client/offer.h"
#include "client/sdp.h"
#include "shape.h"

typedef struct crowd crowd;
typedef struct crowd_pc crowd_pc;

/** `sender`: the number in the payloads of what it sends, and in the announcements of who is on a slot. */
crowd_pc *crowd_pc_new(crowd *throng, uint16_t sender);
/** What to write into the SDP. */
void crowd_pc_own(const crowd_pc *pc, rtc_offer *offer);
/** Sends with these from now on; the SSRCs are those of crowd_pc_own. */
void crowd_pc_mic(crowd_pc *pc, crowd_voice voice);
void crowd_pc_camera(crowd_pc *pc, unsigned layers);
/** The other side's SDP: where it is, what it sends. Starts ICE and DTLS; a second one adds what is new in it. */
bool crowd_pc_remote(crowd_pc *pc, const rtc_sdp *sdp);
/** Its own address as a candidate (RFC 8839 §5.1), once crowd_pc_remote was called; false when it does not fit. */
bool crowd_pc_candidate(const crowd_pc *pc, char *out, size_t size);
bool crowd_pc_connected(const crowd_pc *pc);
const char *crowd_pc_profile(const crowd_pc *pc);
/** The server said that slot `mid` shows `sender` from this timestamp on. */
void crowd_pc_announce(crowd_pc *pc, const char *mid, uint16_t sender, uint32_t rtp_timestamp);
/** The server said that it sends nothing on slot `mid` for now. */
void crowd_pc_paused(crowd_pc *pc, const char *mid);
/** Slot `mid` shows `sender` all the time. */
void crowd_pc_fixed(crowd_pc *pc, const char *mid, uint16_t sender);
/** Sends and asks for what is due. */
void crowd_pc_turn(crowd_pc *pc);
/** Takes it out of its crowd. NULL allowed. */
void crowd_pc_free(crowd_pc *pc);

#endif
