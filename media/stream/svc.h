/*
 * Which packets of a stream with spatial and temporal layers one receiver gets, and when it may go to other layers. By
 * the dependency descriptor where packets carry one, otherwise by temporal ids alone. Pure arithmetic; one per slot.
 *
 *   picture        1    2    3    4 (key)  5    6
 *   spatial 2           ·    ·    x        x    x      wanted since 2, possible from the key frame on
 *   spatial 1      x    x    x    x
 *   spatial 0                     x
 *
 * Rules:
 *  1. Fewer temporal layers: from the next frame on. More: from a frame that says so (switch indication, layer sync).
 *  2. Another spatial layer: from a frame with a switch indication for it all of whose references were forwarded.
 *  3. Late packets are judged by what held when their frame was due.
 */
#ifndef CN_MEDIA_SVC_H
#define CN_MEDIA_SVC_H

#include <stdbool.h>
#include <stdint.h>

#include "media/wire/depdesc.h"
#include "media/stream/packet.h"

#define CN_SVC_TOP 3 /* no layer of either kind is left out */
#define CN_SVC_FRAMES 256

typedef struct cn_svc {
    int8_t sid, tid;           /* forwarded at most; sid −1: nothing yet */
    int8_t want_sid, want_tid; /* to go to */
    int8_t old_sid, old_tid;   /* what held before `since` */
    uint64_t since, newest;    /* extended sequence numbers */
    uint16_t frame;            /* highest frame number forwarded */
    bool any_frame;
    uint32_t forwarded[CN_SVC_FRAMES / 32]; /* frames of the last 256 numbers up to `frame` */
} cn_svc;

/** Begins anew with the next key frame. */
void cn_svc_start(cn_svc *svc, unsigned sid, unsigned tid);
/** The layers to go to. */
void cn_svc_want(cn_svc *svc, unsigned sid, unsigned tid);
/** True while the wanted spatial layer is not reached: a key frame would help. */
bool cn_svc_waiting(const cn_svc *svc);
/** Whether `packet` is to be forwarded; goes to the wanted layers where the packet allows it. `layout` is that of the
 * descriptors' present structure (targets 0: none known). */
bool cn_svc_pass(cn_svc *svc, const cn_packet *packet, const cn_dd_layout *layout);
/** True when a forwarded packet ends its picture for this receiver (RTP marker). */
bool cn_svc_ends_picture(const cn_svc *svc, const cn_packet *packet);

#endif
