#include "media/stream/rewrite.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "media/wire/prefetch.h"
#include "media/stream/seq.h"

#define SPANS 64      /* stretches of numbers that are remembered for late packets, at most … */
#define SPANS_FIRST 4 /* … and at first: a voice that stays has one */
#define EPOCHS 4      /* switches likewise */
#define DROPPED 32    /* picture ids of dropped frames */
#define JUMP 512      /* a larger gap is a restart: it is closed */
#define RESENDS 10
#define RUN_FACTOR 8      /* a run of old frames is shown at this speed … */
#define RUN_FACTOR_MAX 64 /* … or faster, up to this one, when there is no room for it */
#define VIDEO_CLOCK 90000
#define OPEN UINT64_MAX
#define RECORDS_FIRST 64
#define AHEAD 16               /* numbers not sent yet that may be asked for */
#define GIVEN_UP_NS 250000000u /* GStreamer's jitter buffer: 200 ms, and the time between two packets */
#define KEEP_MS 2000           /* as long as a history keeps the packet that a record stands for */

typedef struct dropped_frame {
    uint64_t seq; /* of its first packet that was dropped */
    uint16_t picture_id;
} dropped_frame;

/* Incoming numbers [start, end) of one source leave as out, out + 1, … */
typedef struct span {
    uint64_t start, end, out;
    uint32_t source, epoch;
    uint16_t picture_id_delta, frame_delta;
    uint8_t tl0picidx_delta;
} span;

/*
 * Incoming to outgoing timestamps of one switch:
 *
 *   out |            / slope 1
 *    b  |       .·'`        a: the first packet, later than everything sent before
 *    a  | .·'`              b: from here on time runs exactly as the source's
 *       +------------- in
 */
typedef struct timeline {
    uint32_t a_in, a_out, b_in, b_out;
} timeline;

struct cn_rewrite {
    uint32_t clock;
    unsigned head, span_count; /* of spans: the newest one's place, and how many places there are */
    size_t mask;               /* records − 1 */
    cn_sent *records;
    span *spans; /* ring, newest at `head` */
    size_t max;  /* records at most */

    uint32_t source, group, epoch; /* epoch: number of switches so far */
    uint64_t head_in;              /* highest incoming number of the current source that was sent or dropped */
    uint64_t highest;              /* outgoing, extended; 0: nothing sent */
    uint64_t next_out;             /* of the first packet of the next span */
    uint64_t given_up;             /* outgoing: up to here the receiver asked for what was not sent; 0: it did not */

    uint32_t last_ts, first_ts; /* newest outgoing timestamp, and when it left */
    uint64_t last_ns, left_ns;  /* …, and when the highest number did */
    uint32_t capture_ts;        /* an outgoing timestamp whose capture time is known */
    int64_t capture_ns;         /* 0: none */

    bool mark; /* the next audio packet begins a source */
    bool any_frame;
    uint16_t last_frame; /* outgoing frame number of a dependency descriptor */
    bool any_picture_id, any_tl0picidx;
    uint16_t last_picture_id, sent_picture_id; /* outgoing; incoming, of the newest packet sent */
    bool sent_has_picture_id;
    uint8_t last_tl0picidx;
    unsigned dropped_count;
    timeline timelines[EPOCHS]; /* by epoch */
    dropped_frame *dropped;     /* DROPPED of them, NULL: nothing was dropped yet */
};

cn_err cn_rewrite_new(cn_rewrite **out, const cn_rewrite_config *config)
{
    size_t n = config->records;
    if (!config->clock || n < 16 || n > 32768 || n & (n - 1)) return CN_ERR_INVALID;
    cn_rewrite *rw = CN_NEW(cn_rewrite);
    if (!rw) return CN_ERR_NOMEM;
    size_t first = n < RECORDS_FIRST ? n : RECORDS_FIRST;
    rw->records = cn_calloc(first, sizeof *rw->records);
    rw->spans = cn_calloc(SPANS_FIRST, sizeof *rw->spans);
    if (!rw->records || !rw->spans) {
        cn_rewrite_free(rw);
        return CN_ERR_NOMEM;
    }
    rw->mask = first - 1;
    rw->max = n;
    rw->span_count = SPANS_FIRST;
    rw->clock = config->clock;
    rw->next_out = 65536u + config->first_seq;
    rw->first_ts = config->first_ts;
    *out = rw;
    return CN_OK;
}

void cn_rewrite_free(cn_rewrite *rw)
{
    if (!rw) return;
    free(rw->records);
    free(rw->spans);
    free(rw->dropped);
    free(rw);
}

void cn_rewrite_prefetch(const cn_rewrite *rw)
{
    cn_prefetch(&rw->spans[rw->head], sizeof(span));
    cn_prefetch(&rw->records[rw->next_out & rw->mask], sizeof(cn_sent));
}

/* ---- time ---- */

static uint32_t timeline_at(const timeline *times, uint32_t in)
{
    int32_t after_b = cn_ts_diff(in, times->b_in), after_a = cn_ts_diff(in, times->a_in);
    if (after_b >= 0) return times->b_out + (uint32_t)after_b;
    if (after_a <= 0) return times->a_out + (uint32_t)after_a;
    int64_t rise = cn_ts_diff(times->b_out, times->a_out), run = cn_ts_diff(times->b_in, times->a_in);
    return times->a_out + (uint32_t)(after_a * rise / run);
}

static timeline *timeline_of(cn_rewrite *rw, uint32_t epoch)
{
    return &rw->timelines[epoch % EPOCHS];
}

/* The outgoing timestamp that the frame of run_end_ts should have: by capture time within one source, else by the time
 * that passed. */
static uint32_t switch_ts(const cn_rewrite *rw, const cn_rewrite_from *from)
{
    if (!rw->highest) return rw->first_ts;
    uint64_t passed = from->now_ns > rw->last_ns ? from->now_ns - rw->last_ns : 0;
    uint32_t by_clock = rw->last_ts + (uint32_t)cn_ticks_from_ns((int64_t)passed, rw->clock);
    if (!from->group || from->group != rw->group || !from->capture_ns || !rw->capture_ns) return by_clock;
    uint32_t exact = rw->capture_ts + (uint32_t)cn_ticks_from_ns(from->capture_ns - rw->capture_ns, rw->clock);
    int32_t apart = cn_ts_diff(exact, by_clock), most = (int32_t)(2 * rw->clock);
    return apart > most || apart < -most ? by_clock : exact;
}

static timeline switch_timeline(const cn_rewrite *rw, const cn_rewrite_from *from)
{
    timeline times = {.a_in = from->first->ts, .b_in = from->run_end_ts, .b_out = switch_ts(rw, from)};
    int32_t run = cn_ts_diff(times.b_in, times.a_in);
    if (run < 0 || run > (int32_t)(2 * rw->clock)) {
        times.b_in = times.a_in;
        run = 0;
    }
    times.a_out = times.b_out - (uint32_t)(run / RUN_FACTOR);
    uint32_t least = rw->last_ts + 1;
    if (!rw->highest || cn_ts_diff(times.a_out, least) >= 0) return times;

    times.a_out = least;
    if (run && cn_ts_diff(times.b_out, least) > run / RUN_FACTOR_MAX) return times;
    /* No room: the source's exact time lies behind what was sent. Catch up with it at half speed, or give it up when it
     * is far. */
    int32_t behind = cn_ts_diff(least, times.b_out - (uint32_t)run);
    if (behind > (int32_t)rw->clock) {
        times.b_in = times.a_in;
        times.b_out = times.a_out;
    } else {
        times.b_in = times.a_in + 2 * (uint32_t)behind;
        times.b_out = times.a_out + (uint32_t)behind;
    }
    return times;
}

void cn_rewrite_capture(cn_rewrite *rw, uint32_t in_ts, int64_t capture_ns)
{
    if (!rw->epoch) return;
    rw->capture_ts = timeline_at(timeline_of(rw, rw->epoch), in_ts);
    rw->capture_ns = capture_ns;
}

bool cn_rewrite_ts(const cn_rewrite *rw, uint32_t in_ts, uint32_t *out_ts)
{
    if (!rw->epoch) return false;
    *out_ts = timeline_at(&rw->timelines[rw->epoch % EPOCHS], in_ts);
    return true;
}

/* ---- numbers ---- */

static span *newest(cn_rewrite *rw)
{
    return &rw->spans[rw->head];
}

/* Twice as many places, the oldest span first; where there is no memory the oldest is forgotten earlier. */
static void spans_grow(cn_rewrite *rw)
{
    unsigned n = rw->span_count;
    span *bigger = cn_calloc(2 * n, sizeof *bigger);
    if (!bigger) return;
    for (unsigned i = 0; i < n; i++) bigger[i] = rw->spans[(rw->head + 1 + i) % n];
    free(rw->spans);
    rw->spans = bigger;
    rw->span_count = 2 * n;
    rw->head = n - 1;
}

/* Ends the newest span before `end` and opens one at `start`; both of the current source. */
static span *span_push(cn_rewrite *rw, uint64_t end, uint64_t start)
{
    const span *oldest = &rw->spans[(rw->head + 1) % rw->span_count];
    if (oldest->source && rw->epoch - oldest->epoch < EPOCHS && rw->span_count < SPANS) spans_grow(rw);
    span next = *newest(rw);
    newest(rw)->end = end;
    next.start = start;
    next.end = OPEN;
    next.out = rw->next_out;
    rw->head = (rw->head + 1) % rw->span_count;
    *newest(rw) = next;
    return newest(rw);
}

uint32_t cn_rewrite_switch(cn_rewrite *rw, const cn_rewrite_from *from)
{
    const cn_packet *first = from->first;
    timeline times = switch_timeline(rw, from);
    if (from->group != rw->group || !from->group) rw->capture_ns = 0;
    rw->epoch++;
    *timeline_of(rw, rw->epoch) = times;
    span *range = span_push(rw, rw->head_in + 1, first->ext_seq);
    range->source = from->source;
    range->epoch = rw->epoch;
    range->picture_id_delta = rw->any_picture_id ? (uint16_t)(rw->last_picture_id + 1 - first->picture_id) : 0;
    range->frame_delta = rw->any_frame && first->dd_len ? (uint16_t)(rw->last_frame + 1 - first->frame_number) : 0;
    range->tl0picidx_delta = rw->any_tl0picidx ? (uint8_t)(rw->last_tl0picidx + 1 - first->tl0picidx) : 0;
    rw->source = from->source;
    rw->group = from->group;
    rw->head_in = first->ext_seq - 1;
    rw->mark = true;
    rw->dropped_count = 0;
    rw->sent_has_picture_id = false;
    if (from->capture_ns) cn_rewrite_capture(rw, from->run_end_ts, from->capture_ns);
    return times.a_out;
}

/* The span of an incoming number, NULL when there is none; `*known`: the source has a span at all. */
static const span *span_find(const cn_rewrite *rw, uint32_t source, uint64_t in, bool *known)
{
    *known = false;
    for (unsigned i = 0; i < rw->span_count; i++) {
        const span *range = &rw->spans[(rw->head + rw->span_count - i) % rw->span_count];
        if (range->source != source || rw->epoch - range->epoch >= EPOCHS) continue;
        *known = true;
        if (in >= range->start && in < range->end) return range;
    }
    return NULL;
}

/* VP9's picture ids and the frame numbers of descriptors keep their holes: what refers to a frame counts in them. */
static bool ids_close_up(const cn_packet *packet)
{
    return packet->has_picture_id && packet->codec != CN_CODEC_VP9;
}

static bool was_dropped(const cn_rewrite *rw, const cn_packet *packet)
{
    unsigned n = rw->dropped_count < DROPPED ? rw->dropped_count : DROPPED;
    for (unsigned i = 0; packet->has_picture_id && i < n; i++) {
        const dropped_frame *frame = &rw->dropped[i];
        /* a 7-bit id comes again after 128 frames */
        if (frame->picture_id == packet->picture_id && packet->ext_seq + JUMP > frame->seq &&
            packet->ext_seq < frame->seq + JUMP)
            return true;
    }
    return false;
}

/* Where a packet belongs and whether its number is still free. */
static cn_rewrite_verdict locate(cn_rewrite *rw, uint32_t source, const cn_packet *packet, const span **at,
                                 uint64_t *number)
{
    bool known = false;
    const span *range = source ? span_find(rw, source, packet->ext_seq, &known) : NULL;
    if (!range) return known ? CN_REWRITE_OLD : CN_REWRITE_FOREIGN;
    uint64_t out = range->out + (packet->ext_seq - range->start);
    if (rw->highest && out + rw->mask < rw->highest) return CN_REWRITE_OLD;
    const cn_sent *sent = &rw->records[out & rw->mask];
    *at = range;
    *number = out;
    if (sent->out_ext != (uint32_t)out) return CN_REWRITE_SEND;
    if (sent->source == source && sent->in_seq == packet->ext_seq) return CN_REWRITE_DUPLICATE;
    return CN_REWRITE_CONFLICT;
}

/* Twice as many records, so that few packets a second take little; where there is no memory the oldest is forgotten. */
static void grow(cn_rewrite *rw)
{
    size_t mask = 2 * rw->mask + 1;
    cn_sent *bigger = cn_calloc(mask + 1, sizeof *bigger);
    if (!bigger) return;
    for (size_t i = 0; i <= rw->mask; i++)
        if (rw->records[i].out_ext) bigger[rw->records[i].out_ext & mask] = rw->records[i];
    free(rw->records);
    rw->records = bigger;
    rw->mask = mask;
}

/* The record that the number takes would be asked for still, or what is missing before it may still come. */
static void make_room(cn_rewrite *rw, uint64_t number, uint64_t now_ns)
{
    while (rw->mask + 1 < rw->max) {
        const cn_sent *former = &rw->records[number & rw->mask];
        size_t before = rw->mask;
        bool gap = rw->highest && number > rw->highest && number - rw->highest - 1 > rw->mask;
        bool kept = former->out_ext && (uint32_t)(now_ns / 1000000) - former->sent_ms < KEEP_MS;
        if (!gap && !kept) return;
        grow(rw);
        if (rw->mask == before) return;
    }
}

/* Values and record of a packet whose number is free. */
static void emit(cn_rewrite *rw, const span *range, uint64_t number, const cn_packet *packet, bool filler,
                 uint64_t now_ns, cn_rewrite_out *out)
{
    *out = (cn_rewrite_out){.seq = (uint16_t)number,
                            .ts = timeline_at(timeline_of(rw, range->epoch), packet->ts),
                            .marker = packet->marker && !filler};
    if (packet->has_picture_id)
        out->picture_id =
            (uint16_t)(packet->picture_id + range->picture_id_delta) & (packet->picture_id_15 ? 0x7fff : 0x7f);
    out->frame_number = (uint16_t)(packet->frame_number + range->frame_delta);
    if (packet->has_tl0picidx) out->tl0picidx = (uint8_t)(packet->tl0picidx + range->tl0picidx_delta);
    if (rw->mark && rw->clock != VIDEO_CLOCK && range->epoch == rw->epoch) out->marker = true;
    if (range->epoch == rw->epoch) rw->mark = false;
    make_room(rw, number, now_ns);
    rw->records[number & rw->mask] = (cn_sent){.source = range->source,
                                               .out_ext = (uint32_t)number,
                                               .in_seq = packet->ext_seq,
                                               .ts = out->ts,
                                               .picture_id = out->picture_id,
                                               .tl0picidx = out->tl0picidx,
                                               .frame_number = out->frame_number,
                                               .marker = out->marker,
                                               .filler = filler,
                                               .sent_ms = (uint32_t)(now_ns / 1000000)};
}

/* How far `out` lies after the picture id sent last: ids wrap at the field's width. */
static int picture_id_ahead(const cn_rewrite *rw, const cn_packet *packet, uint16_t out)
{
    unsigned d = (unsigned)out - rw->last_picture_id;
    return packet->picture_id_15 ? (int16_t)(uint16_t)(d << 1) : (int8_t)(uint8_t)(d << 1);
}

/* What the next switch continues from. A packet that is not the newest of its source may still be the newest sent, when
 * newer ones were dropped. */
static void note_sent(cn_rewrite *rw, uint64_t number, const cn_packet *packet, const cn_rewrite_out *out,
                      bool newest_yet, uint64_t now_ns)
{
    if (!rw->highest || cn_ts_diff(out->ts, rw->last_ts) > 0) {
        rw->last_ts = out->ts;
        rw->last_ns = now_ns;
    }
    if (number > rw->highest) {
        rw->highest = number;
        rw->left_ns = now_ns;
    }
    bool shown = !rw->records[number & rw->mask].filler;
    if (shown && packet->has_picture_id && (newest_yet || picture_id_ahead(rw, packet, out->picture_id) > 0)) {
        rw->any_picture_id = true;
        rw->last_picture_id = out->picture_id;
    }
    if (shown && packet->has_tl0picidx && (newest_yet || (int8_t)(uint8_t)(out->tl0picidx - rw->last_tl0picidx) > 0)) {
        rw->any_tl0picidx = true;
        rw->last_tl0picidx = out->tl0picidx;
    }
    if (shown && packet->dd_len && (!rw->any_frame || (int16_t)(uint16_t)(out->frame_number - rw->last_frame) > 0)) {
        rw->any_frame = true;
        rw->last_frame = out->frame_number;
    }
    if (!newest_yet) return;
    rw->next_out = number + 1;
    rw->head_in = packet->ext_seq;
    rw->sent_has_picture_id = packet->has_picture_id;
    rw->sent_picture_id = packet->picture_id;
}

/* Numbers that the receiver will not take any more, since he gave them up in a pause: no packet is to have them. */
static void leave_out_given_up(cn_rewrite *rw, const cn_packet *packet, uint64_t now_ns)
{
    uint64_t given_up = rw->given_up;
    rw->given_up = 0;
    if (given_up < rw->next_out || now_ns - rw->left_ns < GIVEN_UP_NS) return;
    rw->next_out = given_up + 1;
    span *range = newest(rw);
    if (packet->ext_seq == range->start)
        range->out = rw->next_out;
    else
        (void)span_push(rw, packet->ext_seq, packet->ext_seq);
}

cn_rewrite_verdict cn_rewrite_packet(cn_rewrite *rw, uint32_t source, const cn_packet *packet, uint64_t now_ns,
                                     cn_rewrite_out *out)
{
    bool newest_yet = source && source == rw->source && packet->ext_seq > rw->head_in;
    if (newest_yet && packet->ext_seq - rw->head_in > JUMP) (void)span_push(rw, rw->head_in + 1, packet->ext_seq);
    if (newest_yet && rw->given_up) leave_out_given_up(rw, packet, now_ns);
    const span *range = NULL;
    uint64_t number = 0;
    cn_rewrite_verdict verdict = locate(rw, source, packet, &range, &number);
    if (verdict != CN_REWRITE_SEND) return verdict;
    bool filler = range->epoch == rw->epoch && was_dropped(rw, packet);
    emit(rw, range, number, packet, filler, now_ns, out);
    note_sent(rw, number, packet, out, newest_yet, now_ns);
    return filler ? CN_REWRITE_FILL : CN_REWRITE_SEND;
}

/* The newest packet is dropped: the next one takes its number; the first dropped packet of a frame also frees its
 * picture id. */
static void close_up(cn_rewrite *rw, const cn_packet *packet)
{
    bool jump = packet->ext_seq - rw->head_in > JUMP;
    span *range = newest(rw);
    if (jump) {
        range = span_push(rw, rw->head_in + 1, packet->ext_seq + 1);
    } else if (packet->ext_seq == range->start) {
        range->start++;
    } else {
        rw->next_out = range->out + (packet->ext_seq - range->start);
        range = span_push(rw, packet->ext_seq, packet->ext_seq + 1);
    }
    rw->head_in = packet->ext_seq;
    bool whole_frame = ids_close_up(packet) && !(rw->sent_has_picture_id && rw->sent_picture_id == packet->picture_id);
    if (!whole_frame || was_dropped(rw, packet)) return;
    if (!rw->dropped) rw->dropped = cn_calloc(DROPPED, sizeof *rw->dropped);
    if (!rw->dropped) return; /* the id stays taken: a hole rather than one id twice */
    range->picture_id_delta--;
    rw->dropped[rw->dropped_count++ % DROPPED] =
        (dropped_frame){.seq = packet->ext_seq, .picture_id = packet->picture_id};
}

cn_rewrite_verdict cn_rewrite_drop(cn_rewrite *rw, uint32_t source, const cn_packet *packet, uint64_t now_ns,
                                   cn_rewrite_out *out)
{
    if (source && source == rw->source && packet->ext_seq > rw->head_in) {
        close_up(rw, packet);
        return CN_REWRITE_SKIP;
    }
    const span *range = NULL;
    uint64_t number = 0;
    cn_rewrite_verdict verdict = locate(rw, source, packet, &range, &number);
    if (verdict != CN_REWRITE_SEND) return verdict;
    bool filler =
        !packet->payload_len || !ids_close_up(packet) || (range->epoch == rw->epoch && was_dropped(rw, packet));
    emit(rw, range, number, packet, filler, now_ns, out);
    note_sent(rw, number, packet, out, false, now_ns);
    return filler ? CN_REWRITE_FILL : CN_REWRITE_SEND;
}

/* ---- what was sent ---- */

static cn_sent *record_of(const cn_rewrite *rw, uint16_t out_seq)
{
    if (!rw->highest) return NULL;
    uint16_t back = (uint16_t)((uint16_t)rw->highest - out_seq);
    uint64_t out = rw->highest - back;
    cn_sent *sent = &rw->records[out & rw->mask];
    return sent->out_ext && sent->out_ext == (uint32_t)out ? sent : NULL;
}

const cn_sent *cn_rewrite_sent(const cn_rewrite *rw, uint16_t out_seq)
{
    return record_of(rw, out_seq);
}

const cn_sent *cn_rewrite_resend(cn_rewrite *rw, uint16_t out_seq, uint32_t rtt_ms, uint64_t now_ns)
{
    cn_sent *sent = record_of(rw, out_seq);
    uint32_t now_ms = (uint32_t)(now_ns / 1000000);
    if (!sent || sent->resent >= RESENDS || (sent->resent && now_ms - sent->sent_ms < rtt_ms)) return NULL;
    sent->resent = (sent->resent + 1u) & 0x3fu;
    sent->sent_ms = now_ms;
    return sent;
}

void cn_rewrite_asked(cn_rewrite *rw, uint16_t out_seq)
{
    uint16_t ahead = (uint16_t)(out_seq - (uint16_t)rw->next_out);
    if (!rw->highest || ahead >= AHEAD) return;
    if (rw->next_out + ahead > rw->given_up) rw->given_up = rw->next_out + ahead;
}

bool cn_rewrite_highest(const cn_rewrite *rw, uint32_t *ext)
{
    if (rw->highest) *ext = (uint32_t)rw->highest;
    return rw->highest != 0;
}
