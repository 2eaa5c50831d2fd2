#include "media/stream/svc.h"

#include <string.h>

void cn_svc_start(cn_svc *v, unsigned sid, unsigned tid)
{
    *v = (cn_svc){.sid = -1, .tid = -1, .old_sid = -1, .old_tid = -1};
    cn_svc_want(v, sid, tid);
}

void cn_svc_want(cn_svc *v, unsigned sid, unsigned tid)
{
    v->want_sid = (int8_t)(sid < CN_SVC_TOP ? sid : CN_SVC_TOP);
    v->want_tid = (int8_t)(tid < CN_SVC_TOP ? tid : CN_SVC_TOP);
}

bool cn_svc_waiting(const cn_svc *v)
{
    return v->sid != v->want_sid;
}

static bool was_forwarded(const cn_svc *v, uint16_t frame)
{
    uint16_t back = (uint16_t)(v->frame - frame);
    return v->any_frame && back < CN_SVC_FRAMES && v->forwarded[frame / 32 % 8] >> (frame & 31) & 1;
}

static void note_forwarded(cn_svc *v, uint16_t frame)
{
    uint16_t ahead = (uint16_t)(frame - v->frame);
    if (!v->any_frame || (ahead >= CN_SVC_FRAMES && ahead < 0x8000)) {
        memset(v->forwarded, 0, sizeof v->forwarded);
        v->frame = frame;
        v->any_frame = true;
    }
    while (v->frame != frame && (uint16_t)(frame - v->frame) < 0x8000) {
        v->frame++;
        v->forwarded[v->frame / 32 % 8] &= ~(1u << (v->frame & 31));
    }
    if ((uint16_t)(v->frame - frame) < CN_SVC_FRAMES) v->forwarded[frame / 32 % 8] |= 1u << (frame & 31);
}

static cn_dti dti_for(const cn_packet *p, const cn_dd_layout *l, int sid, int tid)
{
    return sid < 0 || tid < 0 ? CN_DTI_ABSENT : cn_dd_dti(p->dtis, l->target_of[sid][tid]);
}

static bool decodable(const cn_svc *v, const cn_packet *p)
{
    for (unsigned i = 0; i < p->fdiff_count; i++)
        if (!was_forwarded(v, (uint16_t)(p->frame_number - p->fdiffs[i]))) return false;
    return true;
}

/* The wanted spatial layer, or the largest there is while it rests. */
static int reachable(const cn_svc *v, const cn_dd_layout *l)
{
    return v->want_sid < CN_SVC_TOP && v->want_sid >= l->spatial ? l->spatial - 1 : v->want_sid;
}

/* From this packet on other layers hold. */
static void go(cn_svc *v, const cn_packet *p, int sid, int tid)
{
    if (v->sid == sid && v->tid == tid) return;
    v->old_sid = v->sid;
    v->old_tid = v->tid;
    v->sid = (int8_t)sid;
    v->tid = (int8_t)tid;
    v->since = p->ext_seq;
}

static void step_by_descriptor(cn_svc *v, const cn_packet *p, const cn_dd_layout *l)
{
    int want = reachable(v, l);
    if (p->key) {
        go(v, p, want, v->want_tid);
        return;
    }
    if (v->sid < 0) return;
    if (dti_for(p, l, want, v->want_tid) == CN_DTI_SWITCH && decodable(v, p))
        go(v, p, want, v->want_tid);
    else if (v->want_tid < v->tid)
        go(v, p, v->sid, v->want_tid);
    else if (v->want_tid > v->tid && dti_for(p, l, v->sid, p->tid) == CN_DTI_SWITCH && p->tid > v->tid &&
             p->tid <= v->want_tid && decodable(v, p))
        go(v, p, v->sid, p->tid);
}

/* All spatial layers are forwarded; sid only says whether the stream has begun. */
static void step_by_tid(cn_svc *v, const cn_packet *p)
{
    if (p->key)
        go(v, p, v->want_sid, v->want_tid);
    else if (v->sid < 0)
        return;
    else if (p->tid == CN_PACKET_NO_TID || v->want_tid < v->tid)
        go(v, p, v->sid, v->want_tid);
    else if (p->layer_sync && p->tid > v->tid && p->tid <= v->want_tid)
        go(v, p, v->sid, p->tid);
}

bool cn_svc_pass(cn_svc *v, const cn_packet *p, const cn_dd_layout *layout)
{
    bool described = p->dd_len && layout->targets;
    if (p->ext_seq > v->newest && p->payload_len) {
        v->newest = p->ext_seq;
        if (p->frame_start && described) step_by_descriptor(v, p, layout);
        if (p->frame_start && !described) step_by_tid(v, p);
    }
    bool now = p->ext_seq >= v->since;
    int sid = now ? v->sid : v->old_sid, tid = now ? v->tid : v->old_tid;
    if (sid < 0) return false;
    if (!described) return p->tid == CN_PACKET_NO_TID || p->tid <= tid;
    if (dti_for(p, layout, sid, tid) == CN_DTI_ABSENT) return false;
    note_forwarded(v, p->frame_number);
    return true;
}

bool cn_svc_ends_picture(const cn_svc *v, const cn_packet *p)
{
    int sid = p->ext_seq >= v->since ? v->sid : v->old_sid;
    return p->dd_len && p->frame_end && p->sid == sid;
}
