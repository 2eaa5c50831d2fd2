#include "media/rate/reported.h"

#define PACKETS 20 /* tell something after … */
#define STRETCH_NS 400000000ull
#define FEW_NS 2000000000ull /* … or however few after so long */
#define FORWARD 0x8000u      /* numbers ahead of the former ones, modulo 2^16 */

void cn_reported_add(cn_reported *reported, cn_reported_stream *stream, const cn_reported_block *block)
{
    if (!stream->known) *stream = (cn_reported_stream){true, block->first, (uint16_t)block->first};
    uint16_t came = (uint16_t)(block->highest - stream->highest);
    if (came >= FORWARD) return; /* an old one, or none of ours */
    uint32_t sent = block->sent - stream->sent;
    reported->sent += sent;
    reported->expected += came;
    reported->lost += came * block->fraction / 256.0;
    if (block->age_ms > reported->age_ms) reported->age_ms = block->age_ms;
    stream->sent = block->sent;
    stream->highest = (uint16_t)block->highest;
}

bool cn_reported_take(cn_reported *reported, uint64_t bytes, uint32_t rtt_ms, uint64_t now_ns, cn_bwe_heard *out)
{
    uint64_t span_ns = now_ns - reported->from_ns;
    if (!reported->expected && bytes != reported->from_bytes) return false; /* something was sent: no word of it */
    if (span_ns < STRETCH_NS || (reported->expected < PACKETS && span_ns < FEW_NS)) return false;
    double sent_bps = (double)(bytes - reported->from_bytes) * 8e9 / (double)span_ns;
    double came = reported->sent ? (reported->expected - reported->lost) / reported->sent : 1;
    *out = (cn_bwe_heard){.loss = reported->expected ? reported->lost / reported->expected : 0,
                          .sent_bps = sent_bps < UINT32_MAX ? (uint32_t)sent_bps : UINT32_MAX,
                          .queue_ms = reported->age_ms > rtt_ms ? reported->age_ms - rtt_ms : 0,
                          .rtt_ms = rtt_ms,
                          .wanted_bps = out->wanted_bps,
                          .from_ns = reported->from_ns};
    out->came_bps = (uint32_t)(out->sent_bps * (came < 1 ? came : 1));
    *reported = (cn_reported){.from_ns = now_ns, .from_bytes = bytes};
    return true;
}
