#include "media/slot_audio.h"

#include <string.h>

#include "media/red.h"
#include "media/seq.h"

void cn_slot_audio_start(cn_slot *s, const cn_packet *first)
{
    s->red_from_ts = first->ts;
    s->red_settled = false;
}

static bool goes_as_red(const cn_slot *s, const cn_packet *p)
{
    return p->codec == CN_CODEC_AUDIO_RED && s->red_pt != CN_SDP_NO_PT;
}

uint8_t cn_slot_audio_pt(const cn_slot *s, const cn_packet *p)
{
    return goes_as_red(s, p) ? s->red_pt : s->format->pt;
}

/* How far back a packet may reach. */
static uint32_t reach(cn_slot *s, const cn_packet *p)
{
    if (s->red_settled) return CN_RED_OFFSET_MAX;
    int32_t since = cn_ts_diff(p->ts, s->red_from_ts);
    s->red_settled = since >= CN_RED_OFFSET_MAX;
    return since > 0 ? (uint32_t)since : 0;
}

size_t cn_slot_audio_write(cn_slot *s, const cn_packet *p, uint8_t *out)
{
    const uint8_t *payload = cn_packet_payload(p);
    cn_red red;
    if (goes_as_red(s, p) && cn_red_parse(&red, payload, p->payload_len) == CN_OK)
        return cn_red_write(out, payload, &red, s->format->pt, reach(s, p));
    size_t at = p->codec == CN_CODEC_AUDIO_RED ? p->newest_at : 0, n = p->payload_len - at;
    memcpy(out, payload + at, n);
    return n;
}
