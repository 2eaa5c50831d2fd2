/* Packets of three sources in any order, dropped, sent again, lost, with jumps, and a slot that switches between them: no number carries
 * two packets, and what is remembered of a number is what was sent under it. */
// covers: media/stream/rewrite.c
#include <stdint.h>
#include <string.h>

#include "input.h"
#include "media/stream/rewrite.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SOURCES = 3, NUMBERS = 65536 };

typedef struct source {
    uint64_t seq; /* of the newest packet */
    uint32_t ts;
} source;

/* What left under a number. */
typedef struct sent {
    uint32_t ext, source;
    uint64_t in;
} sent;

static struct {
    cn_rewrite *rw;
    source source[SOURCES];
    sent sent[NUMBERS];
    uint16_t touched[4096];
    size_t touched_n;
    uint64_t now_ns;
    bool switched;
} s;

/* A frame of VP8, VP9 or with a descriptor, as the next bytes say. */
static cn_packet packet_of(input *from, const source *of, uint64_t seq)
{
    uint8_t bits = input_byte(from);
    uint32_t frame = (uint32_t)(seq / (1 + (bits & 3)));
    cn_packet packet = {.ext_seq = seq,
                        .ts = of->ts - (uint32_t)(of->seq - seq) * 750,
                        .payload_len = bits & 4 ? 0 : 100,
                        .codec = bits & 8 ? CN_CODEC_VP9 : CN_CODEC_VP8,
                        .marker = (bits & 3) == 3,
                        .picture_id_15 = bits & 16,
                        .has_picture_id = bits & 32,
                        .has_tl0picidx = bits & 64,
                        .dd_len = bits & 128 ? 3 : 0};
    packet.picture_id = (uint16_t)(frame & (bits & 16 ? 0x7fff : 0x7f));
    packet.tl0picidx = (uint8_t)frame;
    packet.frame_number = (uint16_t)frame;
    return packet;
}

/* The number is new, or the packet's own. */
static void note(uint32_t id, const cn_packet *packet, const cn_rewrite_out *out)
{
    uint32_t highest = 0;
    must(cn_rewrite_highest(s.rw, &highest));
    uint32_t ext = highest - (uint16_t)((uint16_t)highest - out->seq);
    sent *place = &s.sent[out->seq];
    must(!place->ext || place->ext != ext);
    *place = (sent){.ext = ext, .source = id, .in = packet->ext_seq};
    if (s.touched_n < sizeof s.touched / sizeof *s.touched) s.touched[s.touched_n++] = out->seq;
    const cn_sent *record = cn_rewrite_sent(s.rw, out->seq);
    must(record && record->source == id && record->in_seq == packet->ext_seq && record->ts == out->ts);
    must(out->picture_id <= (packet->picture_id_15 ? 0x7fff : 0x7f));
}

static void handle(input *from, unsigned i, uint64_t seq, bool drop)
{
    cn_rewrite_out out = {0};
    cn_packet packet = packet_of(from, &s.source[i], seq);
    cn_rewrite_verdict verdict = drop ? cn_rewrite_drop(s.rw, i + 1, &packet, s.now_ns, &out)
                                      : cn_rewrite_packet(s.rw, i + 1, &packet, s.now_ns, &out);
    must(verdict != CN_REWRITE_SKIP || drop);
    if (verdict == CN_REWRITE_SEND || verdict == CN_REWRITE_FILL) note(i + 1, &packet, &out);
}

static void go_on(input *from)
{
    unsigned what = input_byte(from), i = what % SOURCES;
    unsigned gap = what & 0x40 ? input_byte(from) * 100u : (what >> 2) & 3;
    s.source[i].seq += 1 + gap;
    s.source[i].ts += 750 * (1 + gap);
    s.now_ns += 8000000;
    handle(from, i, s.source[i].seq, what & 0x80);
}

static void late(input *from)
{
    unsigned what = input_byte(from), i = what % SOURCES;
    handle(from, i, s.source[i].seq - input_byte(from), what & 0x80);
}

static void change(input *from)
{
    unsigned what = input_byte(from), i = what % SOURCES, run = what & 0x20 ? input_byte(from) : 0;
    cn_packet first = packet_of(from, &s.source[i], s.source[i].seq - run);
    s.now_ns += input_byte(from) * 1000000ull;
    int64_t capture = what & 0x40 ? (int64_t)s.now_ns - input_byte(from) * 1000000 : 0;
    (void)cn_rewrite_switch(s.rw, &(cn_rewrite_from){.source = i + 1,
                                                     .group = what & 0x80 ? 1 : 0,
                                                     .first = &first,
                                                     .run_end_ts = s.source[i].ts,
                                                     .capture_ns = capture,
                                                     .now_ns = s.now_ns});
    s.switched = true;
    for (unsigned k = run + 1; k-- > 0;) handle(from, i, s.source[i].seq - k, false);
}

static void ask(input *from)
{
    uint32_t highest = 0, ts = 0;
    must(cn_rewrite_ts(s.rw, input_byte(from), &ts) == s.switched);
    if (!cn_rewrite_highest(s.rw, &highest)) return;
    uint16_t seq = (uint16_t)(highest - input_byte(from));
    const cn_sent *record = cn_rewrite_resend(s.rw, seq, input_byte(from), s.now_ns);
    if (record) must(record->source == s.sent[seq].source && record->in_seq == s.sent[seq].in);
    cn_rewrite_capture(s.rw, s.source[0].ts, (int64_t)s.now_ns);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const acts[])(input *) = {go_on, go_on, go_on, late, change, ask};
    input from = {data, size};
    bool voice = input_byte(&from) & 1;
    for (size_t i = 0; i < s.touched_n; i++) s.sent[s.touched[i]] = (sent){0};
    s.touched_n = 0;
    s.switched = false;
    s.now_ns = 1000000000;
    const cn_rewrite_config config = {.clock = voice ? 48000 : 90000,
                                      .records = 16u << input_byte(&from) % 6,
                                      .first_seq = (uint16_t)input_number(&from, 2),
                                      .first_ts = (uint32_t)input_number(&from, 4)};
    for (unsigned i = 0; i < SOURCES; i++)
        s.source[i] = (source){.seq = 100000 + input_number(&from, 2), .ts = (uint32_t)input_number(&from, 4)};
    if (cn_rewrite_new(&s.rw, &config) != CN_OK) return 0;
    cn_rewrite_prefetch(s.rw);
    while (from.n && s.touched_n + 300 < sizeof s.touched / sizeof *s.touched)
        acts[input_byte(&from) % (sizeof acts / sizeof *acts)](&from);
    cn_rewrite_free(s.rw);
    return 0;
}
