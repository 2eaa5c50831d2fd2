#include "media/forward/slot_audio.h"

#include <string.h>

#include "media/stream/seq.h"
#include "media/wire/red.h"

void cn_slot_audio_start(cn_slot *slot, const cn_packet *first)
{
    slot->red_from_ts = first->ts;
    slot->red_settled = false;
}

static bool goes_as_red(const cn_slot *slot, const cn_packet *packet)
{
    return packet->codec == CN_CODEC_AUDIO_RED && slot->red_pt != CN_SDP_NO_PT;
}

uint8_t cn_slot_audio_pt(const cn_slot *slot, const cn_packet *packet)
{
    return goes_as_red(slot, packet) ? slot->red_pt : slot->format->pt;
}

/* How far back a packet may reach. */
static uint32_t reach(cn_slot *slot, const cn_packet *packet)
{
    if (slot->red_settled) return CN_RED_OFFSET_MAX;
    int32_t since = cn_ts_diff(packet->ts, slot->red_from_ts);
    slot->red_settled = since >= CN_RED_OFFSET_MAX;
    return since > 0 ? (uint32_t)since : 0;
}

size_t cn_slot_audio_write(cn_slot *slot, const cn_packet *packet, uint8_t *out)
{
    const uint8_t *payload = cn_packet_payload(packet);
    cn_red red;
    if (goes_as_red(slot, packet) && cn_red_parse(&red, payload, packet->payload_len) == CN_OK)
        return cn_red_write(out, payload, &red, slot->format->pt, reach(slot, packet));
    size_t at = packet->codec == CN_CODEC_AUDIO_RED ? packet->newest_at : 0, n = packet->payload_len - at;
    memcpy(out, payload + at, n);
    return n;
}
