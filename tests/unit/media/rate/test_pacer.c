#include "cn_test.h"

#include <stdio.h>
#include <string.h>

#include "media/rate/pacer.h"
#include "support_link.h"

#define MS 1000000ull

static cn_paced entry(void *owner, cn_paced_kind kind, uint16_t seq)
{
    return (cn_paced){.owner = owner, .out = {.seq = seq}, .bytes = 1000, .kind = (uint8_t)kind};
}

static void nothing_waits_where_nothing_binds(void **state)
{
    (void)state;
    cn_pacer *pacer;
    int slot;
    assert_ok(cn_pacer_new(&pacer));
    for (uint16_t i = 0; i < 1000; i++) {
        cn_paced paced = entry(&slot, CN_PACED_MEDIA, i);
        assert_false(cn_pacer_hold(pacer, &paced, MS));
        cn_pacer_left(pacer, paced.bytes, MS);
    }
    assert_int_equal(cn_pacer_waiting(pacer), 0);
    cn_pacer_free(pacer);
}

/* 20 packets of 8,000 bits at 1 Mbit/s: one in 8 ms, a burst of 5 ms at first. */
static void a_burst_is_spread_in_order(void **state)
{
    (void)state;
    cn_pacer *pacer;
    int slot;
    cn_paced paced;
    assert_ok(cn_pacer_new(&pacer));
    cn_pacer_rate(pacer, 1000000, 0);
    unsigned left = 0, at_ms[20] = {0};
    for (uint16_t i = 0; i < 20; i++) {
        paced = entry(&slot, CN_PACED_MEDIA, i);
        if (cn_pacer_hold(pacer, &paced, MS)) continue;
        cn_pacer_left(pacer, paced.bytes, MS);
        left++;
    }
    assert_int_equal(left, 1);
    for (uint64_t ms = 1; cn_pacer_waiting(pacer); ms++) {
        assert_true(ms < 200);
        while (cn_pacer_next(pacer, ms * MS, &paced)) {
            assert_int_equal(paced.out.seq, left);
            at_ms[left++] = (unsigned)ms;
            cn_pacer_left(pacer, paced.bytes, ms * MS);
        }
        if (cn_pacer_waiting(pacer)) assert_in_range(cn_pacer_wait_ns(pacer, ms * MS), 1, 9 * MS);
    }
    assert_in_range(at_ms[10], 70, 90);
    assert_in_range(at_ms[19], 140, 160);
    cn_pacer_free(pacer);
}

static void retransmissions_go_first_and_audio_fills_the_bucket(void **state)
{
    (void)state;
    cn_pacer *pacer;
    int slot;
    cn_paced paced;
    assert_ok(cn_pacer_new(&pacer));
    cn_pacer_rate(pacer, 1000000, 0);
    cn_pacer_left(pacer, 2000, 0); /* never asked: audio */
    paced = entry(&slot, CN_PACED_MEDIA, 1);
    assert_true(cn_pacer_hold(pacer, &paced, 0));
    paced = entry(&slot, CN_PACED_RESEND, 2);
    assert_true(cn_pacer_hold(pacer, &paced, 0));
    assert_false(cn_pacer_next(pacer, 5 * MS, &paced));
    assert_true(cn_pacer_next(pacer, 12 * MS, &paced));
    assert_int_equal(paced.out.seq, 2);
    assert_true(cn_pacer_next(pacer, 12 * MS, &paced));
    assert_int_equal(paced.out.seq, 1);
    assert_false(cn_pacer_next(pacer, 12 * MS, &paced));
    cn_pacer_free(pacer);
}

/* Far too much for the rate leaves within the longest wait all the same. */
static void nothing_waits_too_long(void **state)
{
    (void)state;
    cn_pacer *pacer;
    int slot;
    cn_paced paced;
    assert_ok(cn_pacer_new(&pacer));
    cn_pacer_rate(pacer, 100000, 0);
    for (uint16_t i = 0; i < 400; i++) {
        paced = entry(&slot, CN_PACED_MEDIA, i);
        if (!cn_pacer_hold(pacer, &paced, 0)) cn_pacer_left(pacer, paced.bytes, 0);
    }
    uint64_t ms = 0;
    for (; cn_pacer_waiting(pacer) && ms < 1000; ms++)
        while (cn_pacer_next(pacer, ms * MS, &paced)) cn_pacer_left(pacer, paced.bytes, ms * MS);
    assert_in_range(ms, 200, CN_PACER_WAIT_NS / MS + 5);
    cn_pacer_free(pacer);
}

static void a_full_queue_says_so_and_one_slot_can_be_emptied(void **state)
{
    (void)state;
    cn_pacer *pacer;
    int one, two;
    cn_paced paced;
    assert_ok(cn_pacer_new(&pacer));
    cn_pacer_rate(pacer, 1000000, 0);
    cn_pacer_left(pacer, 100000, 0);
    for (uint16_t i = 0; i < CN_PACER_MEDIA; i++) {
        paced = entry(i % 2 ? &one : &two, CN_PACED_MEDIA, i);
        assert_true(cn_pacer_hold(pacer, &paced, 0));
    }
    assert_false(cn_pacer_hold(pacer, &paced, 0));
    for (uint16_t i = 1; i < CN_PACER_MEDIA; i += 2) {
        assert_true(cn_pacer_take(pacer, &one, &paced));
        assert_int_equal(paced.out.seq, i);
    }
    assert_false(cn_pacer_take(pacer, &one, &paced));
    cn_pacer_rate(pacer, 0, 0);
    for (uint16_t i = 0; i < CN_PACER_MEDIA; i += 2) {
        assert_true(cn_pacer_next(pacer, 0, &paced));
        assert_int_equal(paced.out.seq, i);
    }
    assert_false(cn_pacer_next(pacer, 0, &paced));
    assert_int_equal(cn_pacer_waiting(pacer), 0);
    cn_pacer_free(pacer);
}

/* ---- a camera of three layers with key frames, and a voice, over a narrow line ---- */

typedef struct paced_call {
    link_sim link;
    cn_pacer *pacer; /* NULL: everything leaves at once */
    unsigned voice_lost, lost, frames;
} paced_call;

static void packet(paced_call *exchange, uint32_t bytes)
{
    exchange->lost += !link_send(&exchange->link, bytes);
    if (exchange->pacer) cn_pacer_left(exchange->pacer, bytes, exchange->link.now_ns);
}

/* 30 frames a second of the layer that fits; every 60th is a key frame ten times as large as the others. */
static void frame(paced_call *exchange)
{
    double bps = link_layer_bps(&exchange->link);
    bool key = exchange->frames++ % 60 == 0;
    double bits = bps / 30 * 60 / 69 * (key ? 10 : 1);
    for (; bits > 0; bits -= 8800) {
        cn_paced paced = entry(exchange, CN_PACED_MEDIA, 0);
        paced.bytes = (uint16_t)(bits < 8800 ? bits / 8 + 30 : 1130);
        if (!exchange->pacer || !cn_pacer_hold(exchange->pacer, &paced, exchange->link.now_ns))
            packet(exchange, paced.bytes);
    }
}

static void play(paced_call *exchange, uint64_t ms)
{
    cn_paced paced;
    exchange->voice_lost = exchange->lost = 0;
    for (uint64_t i = 0; i < ms; i++) {
        link_tick(&exchange->link);
        uint64_t now = exchange->link.now_ns;
        if (now / MS % 20 == 0) {
            exchange->voice_lost += !link_send(&exchange->link, 120);
            if (exchange->pacer) cn_pacer_left(exchange->pacer, 120, now);
        }
        if (now / MS % 33 == 0) frame(exchange);
        if (exchange->pacer) {
            bool binds = cn_bwe_binds(&exchange->link.bwe, (uint32_t)exchange->link.wanted_bps, now);
            cn_pacer_rate(exchange->pacer, binds ? (uint32_t)(1.5 * cn_bwe_budget(&exchange->link.bwe, now)) : 0, now);
            while (cn_pacer_next(exchange->pacer, now, &paced)) packet(exchange, paced.bytes);
        }
        link_listen(&exchange->link);
    }
}

typedef struct outcome {
    unsigned voice, all; /* packets lost of 10,000 and more */
} outcome;

static outcome over_a_narrow_line(bool paced)
{
    paced_call exchange = {0};
    outcome result = {0};
    link_init(&exchange.link, 4e6);
    exchange.link.queue_ms = 60;
    exchange.link.layered = true;
    exchange.link.wanted_bps = 1.5e6;
    if (paced) assert_ok(cn_pacer_new(&exchange.pacer));
    play(&exchange, 10000);
    assert_int_equal(exchange.voice_lost, 0);
    static const struct {
        double bps;
        uint64_t settle_ms, ms;
    } parts[] = {{1e6, 3000, 30000}, {4e6, 10000, 20000}};
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        exchange.link.rate_bps = parts[i].bps;
        play(&exchange, parts[i].settle_ms);
        play(&exchange, parts[i].ms);
        result.voice += exchange.voice_lost;
        result.all += exchange.voice_lost + exchange.lost;
    }
    assert_true(link_layer_bps(&exchange.link) > 1.4e6);
    cn_pacer_free(exchange.pacer);
    return result;
}

static void key_frames_leave_a_narrow_line_whole(void **state)
{
    (void)state;
    outcome unpaced = over_a_narrow_line(false), paced = over_a_narrow_line(true);
    printf("lost in 50 s: unpaced %u, of these %u of the voice; paced %u, %u\n", unpaced.all, unpaced.voice, paced.all,
           paced.voice);
    assert_int_equal(paced.voice, 0);
    assert_true(unpaced.all > 20 && paced.all < unpaced.all / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_waits_where_nothing_binds),
        cmocka_unit_test(a_burst_is_spread_in_order),
        cmocka_unit_test(retransmissions_go_first_and_audio_fills_the_bucket),
        cmocka_unit_test(nothing_waits_too_long),
        cmocka_unit_test(a_full_queue_says_so_and_one_slot_can_be_emptied),
        cmocka_unit_test(key_frames_leave_a_narrow_line_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
