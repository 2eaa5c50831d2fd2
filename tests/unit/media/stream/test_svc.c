#include "cn_test.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "media/stream/payload.h"
#include "media/stream/svc.h"

/* Descriptors as Chromium 156 sent them: VP9 in L2T3_KEY, a key picture and three groups of four pictures. */
static const char *const film[] = {
    "c00003800514853aaaa8018004004002a02a0060010015d34514174d144c700874321651118543276809f8059813f80b38",
    "c50004",
    "c30005",
    "c80006",
    "c20007",
    "c70008",
    "c40009",
    "c9000a",
    "c1000b",
    "c6000c",
    "c3000d",
    "c8000e",
    "c2000f",
    "c70010",
    "c40011",
    "c9001a",
    "c10013",
    "c60014",
};

typedef struct stream {
    cn_dd_structure structure;
    cn_dd_layout layout;
    bool known;
} stream;

/* `number`: of the frame and of the packet. */
static cn_packet frame(stream *output, const char *hex, uint16_t number)
{
    cn_packet packet = {.codec = CN_CODEC_VP9, .ext_seq = 1000u + number, .payload_len = 100};
    uint8_t bytes[CN_DD_MAX];
    size_t n = strlen(hex) / 2;
    assert_true(cn_unhex(hex, bytes, n));
    bytes[1] = (uint8_t)(number >> 8);
    bytes[2] = (uint8_t)number;
    cn_depdesc depdesc;
    cn_dd_structure fresh;
    assert_ok(cn_depdesc_parse(&depdesc, bytes, n, output->known ? &output->structure : NULL, &fresh));
    packet.dd_len = (uint8_t)n;
    cn_payload_describe(&packet, &depdesc, &fresh);
    if (!depdesc.has_structure) return packet;
    output->structure = fresh;
    output->known = true;
    cn_dd_layout_of(&fresh, &output->layout);
    return packet;
}

static bool pass(cn_svc *svc, stream *output, size_t index)
{
    cn_packet packet = frame(output, film[index], (uint16_t)(3 + index));
    return cn_svc_pass(svc, &packet, &output->layout);
}

/* Which frames of the film get through, as bits. */
static uint32_t passed(unsigned sid, unsigned tid)
{
    stream output = {0};
    cn_svc svc;
    uint32_t mask = 0;
    cn_svc_start(&svc, sid, tid);
    for (size_t i = 0; i < COUNT_OF(film); i++)
        if (pass(&svc, &output, i)) mask |= 1u << i;
    return mask;
}

static void a_target_is_all_that_its_layers_need(void **state)
{
    (void)state;
    assert_int_equal(passed(0, 2), 0x15555);     /* the lower layer alone */
    assert_int_equal(passed(1, 2), 0x2aaaa | 1); /* the upper one, and what the key picture needs */
    assert_int_equal(passed(CN_SVC_TOP, CN_SVC_TOP), passed(1, 2));
    assert_int_equal(passed(1, 0), 1 | 1 << 1 | 1 << 9 | 1 << 17); /* key and base pictures of the upper layer */
    assert_int_equal(passed(0, 1), 1 | 1 << 4 | 1 << 8 | 1 << 12 | 1 << 16);
}

static void another_spatial_layer_comes_with_a_key_frame(void **state)
{
    (void)state;
    stream output = {0};
    cn_svc svc;
    cn_svc_start(&svc, 0, CN_SVC_TOP);
    assert_true(cn_svc_waiting(&svc));
    for (size_t i = 0; i < 8; i++) (void)pass(&svc, &output, i);
    assert_false(cn_svc_waiting(&svc));
    cn_svc_want(&svc, 1, CN_SVC_TOP);
    for (size_t i = 8; i < 18; i++)
        assert_int_equal(pass(&svc, &output, i), i % 2 == 0); /* its references are not there */
    assert_true(cn_svc_waiting(&svc));
    cn_packet key = frame(&output, film[0], 100), upper = frame(&output, film[1], 101),
              late = frame(&output, "c1000b", 19);
    assert_true(cn_svc_pass(&svc, &key, &output.layout));
    assert_false(cn_svc_waiting(&svc));
    assert_false(cn_svc_ends_picture(&svc, &key));
    assert_true(cn_svc_pass(&svc, &upper, &output.layout));
    assert_true(cn_svc_ends_picture(&svc, &upper));
    assert_true(cn_svc_pass(&svc, &late, &output.layout)); /* of before the switch */
    assert_true(cn_svc_ends_picture(&svc, &late));
}

/* The publisher leaves the largest layers out while nobody watches them: what there is is shown, to its end. */
static void a_layer_that_rests_is_waited_for(void **state)
{
    (void)state;
    stream output = {0};
    cn_svc svc;
    cn_svc_start(&svc, 2, CN_SVC_TOP);
    cn_packet key = frame(&output, film[0], 3), upper = frame(&output, film[1], 4);
    assert_true(cn_svc_pass(&svc, &key, &output.layout));
    assert_true(cn_svc_pass(&svc, &upper, &output.layout));
    assert_int_equal(svc.sid, 1);
    assert_true(cn_svc_ends_picture(&svc, &upper));
    assert_true(cn_svc_waiting(&svc));
}

static void fewer_pictures_at_once_more_where_it_is_said(void **state)
{
    (void)state;
    stream output = {0};
    cn_svc svc;
    cn_svc_start(&svc, 1, CN_SVC_TOP);
    for (size_t i = 0; i < 2; i++) (void)pass(&svc, &output, i);
    cn_svc_want(&svc, 1, 0);
    for (size_t i = 2; i < 10; i++) assert_int_equal(pass(&svc, &output, i), i == 9);
    cn_svc_want(&svc, 1, 2);
    assert_false(pass(&svc, &output, 10));
    assert_false(pass(&svc, &output, 11)); /* can be shown, but does not say that what follows can be, too */
    assert_true(pass(&svc, &output, 13));
    assert_true(pass(&svc, &output, 15));
    assert_false(cn_svc_waiting(&svc));
}

static cn_packet vp8(uint64_t seq, unsigned tid, bool key, bool sync)
{
    return (cn_packet){.codec = CN_CODEC_VP8,
                       .ext_seq = seq,
                       .payload_len = 9,
                       .tid = (uint8_t)tid,
                       .frame_start = true,
                       .key = key,
                       .layer_sync = sync};
}

static void without_descriptors_temporal_ids_decide(void **state)
{
    (void)state;
    static const cn_dd_layout none = {0};
    cn_svc svc;
    cn_svc_start(&svc, CN_SVC_TOP, 0);
    cn_packet packet = vp8(1, 0, false, false);
    assert_false(cn_svc_pass(&svc, &packet, &none));
    packet = vp8(2, 0, true, false);
    assert_true(cn_svc_pass(&svc, &packet, &none));
    packet = vp8(3, 2, false, true);
    assert_false(cn_svc_pass(&svc, &packet, &none));
    cn_svc_want(&svc, CN_SVC_TOP, 2);
    packet = vp8(4, 2, false, false); /* may refer to the one before */
    assert_false(cn_svc_pass(&svc, &packet, &none));
    packet = vp8(5, 1, false, true);
    assert_true(cn_svc_pass(&svc, &packet, &none));
    packet = vp8(6, 2, false, true);
    assert_true(cn_svc_pass(&svc, &packet, &none));
    packet = vp8(4, 2, false, false);
    assert_false(cn_svc_pass(&svc, &packet, &none));
    packet = vp8(7, CN_PACKET_NO_TID, false, false);
    assert_true(cn_svc_pass(&svc, &packet, &none));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_target_is_all_that_its_layers_need),
        cmocka_unit_test(another_spatial_layer_comes_with_a_key_frame),
        cmocka_unit_test(a_layer_that_rests_is_waited_for),
        cmocka_unit_test(fewer_pictures_at_once_more_where_it_is_said),
        cmocka_unit_test(without_descriptors_temporal_ids_decide),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
