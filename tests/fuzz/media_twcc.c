/* A publisher's numbers in any order, and any feedback on what was sent to a receiver: what is reported can be read back, and nothing
 * is acknowledged that was not sent, or twice. */
// covers: media/rate/twcc.c
#include <stdint.h>
#include <string.h>

#include "input.h"
#include "media/rate/twcc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SENT_MOST = 20000, FIRST = 65537 };

typedef struct scene {
    cn_twcc_out *out;
    cn_twcc_in in;
    uint64_t now_ns;
    uint64_t acked;
    bool arrived[SENT_MOST]; /* by extended number */
} scene;

static scene s;

static void send_some(input *from)
{
    unsigned n = input_byte(from);
    uint64_t gap_ns = input_byte(from) * 100000ull;
    for (unsigned i = 0; i < n && cn_twcc_out_last(s.out) < FIRST + SENT_MOST - 1; i++) {
        uint16_t seq = cn_twcc_out_next(s.out, 100 + i, CN_TWCC_VIDEO, s.now_ns += gap_ns);
        must(seq == (uint16_t)cn_twcc_out_last(s.out));
    }
}

static void consume(const cn_twcc_list *list)
{
    cn_twcc_summary sum;
    must(list->count <= CN_TWCC_WINDOW);
    if (cn_twcc_out_feedback(s.out, list, s.now_ns, &sum) != CN_OK) return;
    must(sum.result_count == sum.acked + sum.lost && sum.result_count <= list->count);
    for (size_t i = 0; i < sum.result_count; i++) {
        const cn_twcc_result *result = &sum.results[i];
        must(result->seq >= FIRST && result->seq <= cn_twcc_out_last(s.out) && result->sent_ns <= s.now_ns);
        must(i == 0 || result[-1].seq < result->seq);
        must(!s.arrived[result->seq - FIRST]);
        s.arrived[result->seq - FIRST] = result->arrival_us != CN_TWCC_LOST;
    }
    double loss = cn_twcc_out_loss(s.out, s.now_ns);
    must(loss >= 0 && loss <= 1);
}

/* Header and senders, then base, count, reference and chunks as they come. */
static void feedback(input *from)
{
    uint8_t packet[1200] = {0x8f, 205};
    unsigned back = input_byte(from);
    size_t n = input_byte(from) * 4u;
    const uint8_t *bytes = input_bytes(from, &n);
    n &= ~(size_t)3;
    if (n < 8) return;
    memcpy(packet + 12, bytes, n);
    if (back) { /* near what was sent */
        uint16_t base = (uint16_t)(cn_twcc_out_last(s.out) - back);
        packet[12] = (uint8_t)(base >> 8);
        packet[13] = (uint8_t)base;
    }
    packet[3] = (uint8_t)((12 + n) / 4 - 1);
    static cn_twcc_list list;
    cn_rtcp_it it;
    cn_rtcp pkt;
    if (cn_rtcp_open(&it, packet, 12 + n) != CN_OK || !cn_rtcp_next(&it, &pkt)) return;
    if (cn_twcc_list_read(&list, &pkt) == CN_OK) consume(&list);
}

static void come(input *from)
{
    unsigned n = input_byte(from);
    uint16_t seq = (uint16_t)input_number(from, 2);
    int8_t step = (int8_t)input_byte(from);
    uint64_t gap_ns = input_number(from, 2) * 10000;
    for (unsigned i = 0; i < n; i++) cn_twcc_in_packet(&s.in, seq = (uint16_t)(seq + step), s.now_ns += gap_ns);
}

/* What is taken is written, and says the same when it is read. */
static void report(input *from)
{
    static cn_twcc_arrival taken[CN_TWCC_WINDOW];
    uint8_t packet[1200];
    uint16_t base;
    size_t most = 1 + input_byte(from) * 4u, used = 0;
    (void)cn_twcc_in_due(&s.in, s.now_ns);
    size_t n = cn_twcc_in_take(&s.in, s.now_ns, taken, most, &base);
    must(n <= most);
    for (size_t i = 0; i < n; i++) must(i == 0 || (int16_t)(uint16_t)(taken[i].seq - taken[i - 1].seq) > 0);
    if (n == 0) return;
    must((int16_t)(uint16_t)(taken[0].seq - base) >= 0);
    size_t len = cn_rtcp_write_twcc(packet, sizeof packet, 1, 2, s.in.number++, base, taken, n, &used);
    must(used <= n);
    cn_rtcp_it it;
    cn_rtcp pkt;
    static cn_twcc_list list;
    if (len == 0) return;
    must(cn_rtcp_open(&it, packet, len) == CN_OK && cn_rtcp_next(&it, &pkt));
    must(cn_twcc_list_read(&list, &pkt) == CN_OK && list.base_seq == base);
    size_t arrived = 0;
    for (size_t i = 0; i < list.count; i++) arrived += list.arrival_us[i] != CN_TWCC_LOST;
    must(arrived == used);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const acts[])(input *) = {send_some, feedback, come, report};
    input from = {data, size};
    memset(&s, 0, sizeof s);
    s.now_ns = 1000000000;
    if (cn_twcc_out_new(&s.out, 64u << (input_byte(&from) % 5)) != CN_OK) return 0;
    for (unsigned i = 0; from.n && i < 500; i++) acts[input_byte(&from) % 4](&from);
    cn_twcc_in_free(&s.in);
    cn_twcc_out_free(s.out);
    return 0;
}
