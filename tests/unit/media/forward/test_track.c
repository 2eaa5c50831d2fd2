#include "cn_test.h"

#include "media/forward/track.h"
#include "media/worker/link.h"
#include "media/worker/worker.h"

#define SECOND 1000000000ull

/* One worker that talks to itself, and a track of three layers. */
typedef struct rig {
    cn_worker worker;
    cn_link *link;
    cn_track *track;
} rig;

static void rig_open(rig *bed, cn_codec codec)
{
    *bed = (rig){.worker = {.count = 1, .now_ns = 10 * SECOND}};
    assert_ok(cn_link_new(&bed->link, 16));
    bed->worker.out[0] = bed->link;
    cn_source_info info = {.kind = CN_SOURCE_CAMERA, .video = true, .on = true, .layers = 3, .codec = codec};
    assert_ok(cn_track_new(&bed->track, &bed->worker, 7, 42, 0, &info));
}

static void rig_close(rig *bed)
{
    cn_track_free(bed->track);
    cn_link_free(bed->link);
}

/* What the publisher's worker is told now. */
static void told(rig *bed, uint32_t streams, unsigned spatial, bool flat)
{
    cn_msg msg;
    cn_track_subscribe(bed->track);
    (void)cn_link_flush(bed->link);
    assert_true(cn_link_pop(bed->link, &msg));
    assert_int_equal(msg.kind, CN_MSG_SUBSCRIBE);
    assert_int_equal(msg.room, 7);
    assert_int_equal(msg.source, 42);
    assert_int_equal(msg.number, streams);
    assert_int_equal(msg.layer, spatial);
    assert_int_equal(msg.flag, flat);
}

static void nothing_told(rig *bed)
{
    cn_msg msg;
    cn_track_subscribe(bed->track);
    (void)cn_link_flush(bed->link);
    assert_false(cn_link_pop(bed->link, &msg));
}

static void claims_of_many_slots_are_one_subscription(void **state)
{
    (void)state;
    rig bed;
    rig_open(&bed, CN_CODEC_VP8);
    nothing_told(&bed);
    cn_track_claim(bed.track, 1, 1);
    told(&bed, 1u << 1, 0, false);
    cn_track_claim(bed.track, 1, 1);
    nothing_told(&bed);
    cn_track_claim(bed.track, 2, 1);
    told(&bed, 1u << 1 | 1u << 2, 0, false);
    cn_track_claim(bed.track, 1, -1);
    nothing_told(&bed); /* the other slot still shows it */
    cn_track_claim(bed.track, 1, -1);
    nothing_told(&bed); /* a layer stays for a second after its last slot left */
    bed.worker.now_ns += SECOND;
    told(&bed, 1u << 2, 0, false);
    rig_close(&bed);
}

static void spatial_layers_are_one_stream(void **state)
{
    (void)state;
    rig bed;
    rig_open(&bed, CN_CODEC_VP9);
    bed.track->spatial = 3;
    cn_track_claim(bed.track, 0, 1);
    told(&bed, 1, 1, false);
    cn_track_claim(bed.track, 2, 1);
    told(&bed, 1, 3, false);
    cn_track_claim(bed.track, 2, -1);
    told(&bed, 1, 1, false);
    rig_close(&bed);
}

static void one_who_cannot_take_layers_apart_is_told(void **state)
{
    (void)state;
    rig bed;
    rig_open(&bed, CN_CODEC_AV1);
    cn_track_claim(bed.track, 0, 1);
    cn_track_claim_flat(bed.track, 1);
    told(&bed, 1, 0, true);
    cn_track_claim_flat(bed.track, 1);
    cn_track_claim_flat(bed.track, -1);
    nothing_told(&bed);
    cn_track_claim_flat(bed.track, -1);
    told(&bed, 1, 0, false);
    rig_close(&bed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(claims_of_many_slots_are_one_subscription),
        cmocka_unit_test(spatial_layers_are_one_stream),
        cmocka_unit_test(one_who_cannot_take_layers_apart_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
