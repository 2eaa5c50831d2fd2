#include "media/stream/svc.h"

#include <string.h>

void cn_svc_start(cn_svc *svc, unsigned sid, unsigned tid)
{
    *svc = (cn_svc){.sid = -1, .tid = -1, .old_sid = -1, .old_tid = -1};
    cn_svc_want(svc, sid, tid);
}

void cn_svc_want(cn_svc *svc, unsigned sid, unsigned tid)
{
    svc->want_sid = (int8_t)(sid < CN_SVC_TOP ? sid : CN_SVC_TOP);
    svc->want_tid = (int8_t)(tid < CN_SVC_TOP ? tid : CN_SVC_TOP);
}

bool cn_svc_waiting(const cn_svc *svc)
{
    return svc->sid != svc->want_sid;
}

static bool was_forwarded(const cn_svc *svc, uint16_t frame)
{
    uint16_t back = (uint16_t)(svc->frame - frame);
    return svc->any_frame && back < CN_SVC_FRAMES && svc->forwarded[frame / 32 % 8] >> (frame & 31) & 1;
}

static void note_forwarded(cn_svc *svc, uint16_t frame)
{
    uint16_t ahead = (uint16_t)(frame - svc->frame);
    if (!svc->any_frame || (ahead >= CN_SVC_FRAMES && ahead < 0x8000)) {
        memset(svc->forwarded, 0, sizeof svc->forwarded);
        svc->frame = frame;
        svc->any_frame = true;
    }
    while (svc->frame != frame && (uint16_t)(frame - svc->frame) < 0x8000) {
        svc->frame++;
        svc->forwarded[svc->frame / 32 % 8] &= ~(1u << (svc->frame & 31));
    }
    if ((uint16_t)(svc->frame - frame) < CN_SVC_FRAMES) svc->forwarded[frame / 32 % 8] |= 1u << (frame & 31);
}

static cn_dti dti_for(const cn_packet *packet, const cn_dd_layout *layout, int sid, int tid)
{
    return sid < 0 || tid < 0 ? CN_DTI_ABSENT : cn_dd_dti(packet->dtis, layout->target_of[sid][tid]);
}

static bool decodable(const cn_svc *svc, const cn_packet *packet)
{
    for (unsigned i = 0; i < packet->fdiff_count; i++)
        if (!was_forwarded(svc, (uint16_t)(packet->frame_number - packet->fdiffs[i]))) return false;
    return true;
}

/* The wanted spatial layer, or the largest there is while it rests. */
static int reachable(const cn_svc *svc, const cn_dd_layout *layout)
{
    return svc->want_sid < CN_SVC_TOP && svc->want_sid >= layout->spatial ? layout->spatial - 1 : svc->want_sid;
}

/* From this packet on other layers hold. */
static void go(cn_svc *svc, const cn_packet *packet, int sid, int tid)
{
    if (svc->sid == sid && svc->tid == tid) return;
    svc->old_sid = svc->sid;
    svc->old_tid = svc->tid;
    svc->sid = (int8_t)sid;
    svc->tid = (int8_t)tid;
    svc->since = packet->ext_seq;
}

static void step_by_descriptor(cn_svc *svc, const cn_packet *packet, const cn_dd_layout *layout)
{
    int want = reachable(svc, layout);
    if (packet->key) {
        go(svc, packet, want, svc->want_tid);
        return;
    }
    if (svc->sid < 0) return;
    if (dti_for(packet, layout, want, svc->want_tid) == CN_DTI_SWITCH && decodable(svc, packet))
        go(svc, packet, want, svc->want_tid);
    else if (svc->want_tid < svc->tid)
        go(svc, packet, svc->sid, svc->want_tid);
    else if (svc->want_tid > svc->tid && dti_for(packet, layout, svc->sid, packet->tid) == CN_DTI_SWITCH &&
             packet->tid > svc->tid && packet->tid <= svc->want_tid && decodable(svc, packet))
        go(svc, packet, svc->sid, packet->tid);
}

/* All spatial layers are forwarded; sid only says whether the stream has begun. */
static void step_by_tid(cn_svc *svc, const cn_packet *packet)
{
    if (packet->key)
        go(svc, packet, svc->want_sid, svc->want_tid);
    else if (svc->sid < 0)
        return;
    else if (packet->tid == CN_PACKET_NO_TID || svc->want_tid < svc->tid)
        go(svc, packet, svc->sid, svc->want_tid);
    else if (packet->layer_sync && packet->tid > svc->tid && packet->tid <= svc->want_tid)
        go(svc, packet, svc->sid, packet->tid);
}

bool cn_svc_pass(cn_svc *svc, const cn_packet *packet, const cn_dd_layout *layout)
{
    bool described = packet->dd_len && layout->targets;
    if (packet->ext_seq > svc->newest && packet->payload_len) {
        svc->newest = packet->ext_seq;
        if (packet->frame_start && described) step_by_descriptor(svc, packet, layout);
        if (packet->frame_start && !described) step_by_tid(svc, packet);
    }
    bool now = packet->ext_seq >= svc->since;
    int sid = now ? svc->sid : svc->old_sid, tid = now ? svc->tid : svc->old_tid;
    if (sid < 0) return false;
    if (!described) return packet->tid == CN_PACKET_NO_TID || packet->tid <= tid;
    if (dti_for(packet, layout, sid, tid) == CN_DTI_ABSENT) return false;
    note_forwarded(svc, packet->frame_number);
    return true;
}

bool cn_svc_ends_picture(const cn_svc *svc, const cn_packet *packet)
{
    int sid = packet->ext_seq >= svc->since ? svc->sid : svc->old_sid;
    return packet->dd_len && packet->frame_end && packet->sid == sid;
}
