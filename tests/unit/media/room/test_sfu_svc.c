/* A camera in three spatial and three temporal layers in one stream (VP9), and receivers who can take more or less of
 * it. */
#include "cn_test.h"

#include <string.h>

#include "support_sfu.h"

/* What such a camera sends: 175 packets of 700 bytes a second in the three spatial layers, 1 : 2 : 4. With less than
 * that, a quarter of the pictures are of temporal layer 0, a quarter of 1, half of 2. */
#define PACKET_BITS (750 * 8) /* with headers */
#define FPS SFU_FPS

static const sfu_shape camera = {.layers = 1, .vp9 = true};

/* ---- the writer against the parser ---- */

static void descriptors_say_what_they_should(void **state)
{
    (void)state;
    cn_dd_structure known, fresh;
    bool any = false;
    svc_frame frame = {.number = 65530};
    for (; frame.picture < 12; frame.picture++) {
        for (frame.sid = 0; frame.sid < SVC_SPATIAL; frame.sid++, frame.number++) {
            uint8_t bytes[SVC_DESCRIPTOR_MAX];
            cn_depdesc depdesc;
            size_t n = svc_descriptor(bytes, &frame, true, false);
            assert_ok(cn_depdesc_parse(&depdesc, bytes, n, any ? &known : NULL, &fresh));
            if (depdesc.has_structure) known = fresh;
            any |= depdesc.has_structure;
            assert_int_equal(depdesc.has_structure, !frame.picture && !frame.sid);
            assert_int_equal(depdesc.frame_number, frame.number);
            assert_int_equal(depdesc.sid, frame.sid);
            assert_int_equal(depdesc.tid, svc_tid(frame.picture));
            assert_true(depdesc.start && !depdesc.end);
            assert_int_equal(depdesc.fdiff_count, (frame.picture ? 1 : 0) + (frame.sid ? 1 : 0));
            if (frame.picture)
                assert_int_equal(depdesc.fdiff[0], 3 * (depdesc.tid == 0 ? 4 : depdesc.tid == 1 ? 2 : 1));
            if (frame.sid) assert_int_equal(depdesc.fdiff[depdesc.fdiff_count - 1], 1);
        }
    }
    assert_int_equal(known.spatial, 3);
    assert_int_equal(known.temporal, 3);
    assert_int_equal(known.target_count, 9);
    assert_int_equal(known.chain_count, 3);
    for (unsigned i = 0; i < 9; i++) assert_int_equal(known.chain_of[i], i / 3);
    assert_int_equal(known.width[2], 1280);
    assert_int_equal(known.height[0], 180);
}

/* ---- what a receiver got ---- */

typedef struct svc_seen {
    size_t pictures, packets;
    unsigned sid, tid; /* highest */
    size_t ups, downs; /* changes of the spatial layer */
} svc_seen;

typedef struct judge {
    uint8_t came[1 << 16]; /* by the publisher's frame: wholly */
    const sfu_packet *last;
    int top, before; /* spatial layers of the picture under way and of the one before it; −1: none */
    bool key;        /* the picture under way is a key picture */
    unsigned tid;
} judge;

/* Every frame that this one is predicted from was forwarded. */
static void is_decodable(const judge *verdict, const sfu_packet *packet)
{
    if (packet->described) {
        for (unsigned i = 0; i < packet->fdiff_count; i++)
            assert_true(verdict->came[(uint16_t)(packet->stamp.frame - packet->fdiff[i])]);
        return;
    }
    if (packet->sid) assert_true(verdict->came[(uint16_t)(packet->stamp.frame - 1)]);
    const unsigned back = 3 * (packet->tid == 0 ? 4 : packet->tid == 1 ? 2 : 1);
    assert_true(packet->key || packet->sid || verdict->came[(uint16_t)(packet->stamp.frame - back)]);
}

/* Numbers follow one another; frames and pictures keep the publisher's distances, because what refers to one counts in
 * them; the marker stands at the end of each picture that this receiver got. */
static void goes_on(const sfu_packet *left, const sfu_packet *right)
{
    assert_int_equal((uint16_t)(right->seq - left->seq), 1);
    const uint32_t frames = right->stamp.frame - left->stamp.frame;
    const uint32_t pictures = right->stamp.frame / SVC_SPATIAL - left->stamp.frame / SVC_SPATIAL;
    assert_int_equal((uint16_t)((right->picture - left->picture) & 0x7fff), pictures);
    assert_int_equal(left->marker, pictures > 0);
    if (!pictures) assert_int_equal(right->ts, left->ts);
    /* a run that is sent at once ends at now: it is compressed */
    if (pictures) assert_in_range(right->ts - left->ts, 1, pictures * (90000 / FPS));
    if (right->described) assert_int_equal((uint16_t)(right->frame_number - left->frame_number), frames);
    assert_int_equal(right->first, frames > 0);
    assert_int_equal(left->last, frames > 0);
}

/* Upwards only with a key picture, downwards only where the descriptor says that one may: not in the last temporal
 * layer. */
static void picture_ends(judge *verdict, svc_seen *marks)
{
    if (verdict->before >= 0 && verdict->top > verdict->before) {
        assert_true(verdict->key);
        marks->ups++;
    }
    if (verdict->before >= 0 && verdict->top < verdict->before) {
        assert_in_range(verdict->tid, 0, 1);
        marks->downs++;
    }
    verdict->before = verdict->top;
}

static void picture_begins(judge *verdict, svc_seen *marks, const sfu_packet *packet)
{
    marks->pictures++;
    if (packet->tid > marks->tid) marks->tid = packet->tid;
    verdict->tid = packet->tid;
    verdict->key = packet->key;
}

/* Walks over everything that came to slot v0; counts what came from index `from` of the log on. */
static svc_seen judged(const sfu_client *client, size_t from)
{
    static judge verdict;
    static size_t list[SFU_LOG];
    svc_seen before = {0}, marks = {0};
    size_t n = sfu_of(client, sfu_slot_ssrc(client, "v0", NULL), 0, list, SFU_LOG);
    memset(&verdict, 0, sizeof verdict);
    verdict.top = verdict.before = -1;
    for (size_t i = 0; i < n; i++) {
        const sfu_packet *packet = &client->log[list[i]];
        svc_seen *to = list[i] >= from ? &marks : &before;
        if (packet->probe) continue;
        assert_int_equal(packet->stamp.layer, packet->sid);
        if (verdict.last) goes_on(verdict.last, packet);
        if (!verdict.last) assert_true(packet->key && packet->first);
        if (verdict.last && packet->ts != verdict.last->ts) picture_ends(&verdict, to);
        if (!verdict.last || packet->ts != verdict.last->ts) picture_begins(&verdict, to, packet);
        if (packet->first) is_decodable(&verdict, packet);
        to->packets++;
        if (packet->sid > to->sid) to->sid = packet->sid;
        if (packet->last) verdict.came[(uint16_t)packet->stamp.frame] = 1;
        verdict.top = packet->sid;
        verdict.last = packet;
    }
    return marks;
}

typedef struct wish {
    const sfu_client *c;
    unsigned sid, tid;
} wish;

/* These are the layers of the last twelve pictures, three groups: that spatial layer in each, that temporal layer the
 * highest. The newest one may be under way. */
static bool comes(void *arg)
{
    const wish *wanted = arg;
    unsigned sid = 0, tid = 0, pictures = 0;
    uint32_t ts = 0;
    for (size_t i = wanted->c->log_n; i-- > 0;) {
        const sfu_packet *packet = &wanted->c->log[i];
        if (!packet->video || packet->probe || packet->rtx) continue;
        if (packet->ts != ts) {
            if (pictures > 1 && sid != wanted->sid) return false;
            if (pictures++ == 13) return tid == wanted->tid;
            sid = 0;
        }
        ts = packet->ts;
        if (packet->sid > sid) sid = packet->sid;
        if (packet->tid > tid) tid = packet->tid;
    }
    return false;
}

/* ---- tests ---- */

static sfu_client *watch(sfu *server, const char *name, uint64_t remb_bps, bool no_descriptor)
{
    sfu_client *client =
        sfu_join(server, name, &(sfu_shape){.video_slots = 1, .vp9 = true, .no_descriptor = no_descriptor});
    client->remb_bps = remb_bps;
    sfu_play(server, 350); /* said, before it shows anything */
    sfu_show_one(client, "cam", 1280);
    return client;
}

/* Bits per second: everything is 175 packets a second; without the last temporal layer 87; the two lower spatial layers
 * 75 and 37, the lowest 25. An upward step wants 15 % more than it takes. */
static void everybody_gets_the_layers_that_fit(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint64_t remb_bps;
        bool no_descriptor; /* as Firefox: VP9's own descriptor has to do */
        unsigned sid, tid;
    } people[] = {
        {"anna", 0, false, 2, 2},
        {"ben", 112 * PACKET_BITS, false, 2, 1}, /* fewer pictures before smaller ones */
        {"cora", 51 * PACKET_BITS, false, 1, 1},
        {"dan", 34 * PACKET_BITS, false, 0, 2},
        {"eva", 51 * PACKET_BITS, true, 1, 1},
    };
    static sfu server;
    size_t since[COUNT_OF(people)];
    sfu_new(&server, 1, 0);
    const sfu_client *cam = sfu_join(&server, "cam", &camera);
    for (size_t i = 0; i < COUNT_OF(people); i++)
        (void)watch(&server, people[i].name, people[i].remb_bps, people[i].no_descriptor);
    for (size_t i = 0; i < COUNT_OF(people); i++) {
        wish wanted = {&server.clients[1 + i], people[i].sid, people[i].tid};
        assert_true(sfu_play_until(&server, comes, &wanted, 10000));
    }
    for (size_t i = 0; i < COUNT_OF(people); i++) since[i] = server.clients[1 + i].log_n;
    uint32_t sent = cam->layer[0].frames;
    sfu_play(&server, 1000);
    sent = (cam->layer[0].frames - sent) / SVC_SPATIAL;
    for (size_t i = 0; i < COUNT_OF(people); i++) {
        const svc_seen got = judged(&server.clients[1 + i], since[i]);
        assert_int_equal(got.sid, people[i].sid);
        assert_int_equal(got.tid, people[i].tid);
        assert_in_range(got.pictures * (people[i].tid == 2 ? 1 : 2), sent - 6, sent + 6);
        assert_int_equal(got.ups + got.downs, 0);
    }
    sfu_clean(&server);
    sfu_free(&server);
}

/* Less and more again, in mid-stream: fewer pictures first, then a smaller one; a larger one with the key picture that
 * the server asks for. */
static void layers_change_where_they_may(void **state)
{
    (void)state;
    static sfu server;
    sfu_new(&server, 1, 0);
    sfu_client *cam = sfu_join(&server, "cam", &camera), *anna = watch(&server, "anna", 0, false);
    static const struct {
        uint64_t remb_bps;
        unsigned sid, tid;
        size_t ups, downs;
    } steps[] = {
        {1000 * PACKET_BITS, 2, 2, 0, 0}, {112 * PACKET_BITS, 2, 1, 0, 0},  {51 * PACKET_BITS, 1, 1, 0, 1},
        {34 * PACKET_BITS, 0, 2, 0, 1},   {1000 * PACKET_BITS, 2, 2, 1, 0},
    };
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        size_t from = anna->log_n;
        unsigned plis = cam->layer[0].plis;
        wish wanted = {anna, steps[i].sid, steps[i].tid};
        anna->remb_bps = steps[i].remb_bps;
        assert_true(sfu_play_until(&server, comes, &wanted, 15000));
        const svc_seen got = judged(anna, from);
        if (i) assert_int_equal(got.downs, steps[i].downs);
        if (steps[i].ups) assert_true(got.ups >= 1 && cam->layer[0].plis > plis);
        if (i && !steps[i].ups) assert_int_equal(got.ups, 0);
        if (!i) sfu_play(&server, 1500); /* now the server knows what each layer takes */
    }
    sfu_clean(&server);
    sfu_free(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(descriptors_say_what_they_should),
        cmocka_unit_test(everybody_gets_the_layers_that_fit),
        cmocka_unit_test(layers_change_where_they_may),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
