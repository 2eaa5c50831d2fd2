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
    svc_frame f = {.number = 65530};
    for (; f.picture < 12; f.picture++) {
        for (f.sid = 0; f.sid < SVC_SPATIAL; f.sid++, f.number++) {
            uint8_t bytes[SVC_DESCRIPTOR_MAX];
            cn_depdesc d;
            size_t n = svc_descriptor(bytes, &f, true, false);
            assert_ok(cn_depdesc_parse(&d, bytes, n, any ? &known : NULL, &fresh));
            if (d.has_structure) known = fresh;
            any |= d.has_structure;
            assert_int_equal(d.has_structure, !f.picture && !f.sid);
            assert_int_equal(d.frame_number, f.number);
            assert_int_equal(d.sid, f.sid);
            assert_int_equal(d.tid, svc_tid(f.picture));
            assert_true(d.start && !d.end);
            assert_int_equal(d.fdiff_count, (f.picture ? 1 : 0) + (f.sid ? 1 : 0));
            if (f.picture) assert_int_equal(d.fdiff[0], 3 * (d.tid == 0 ? 4 : d.tid == 1 ? 2 : 1));
            if (f.sid) assert_int_equal(d.fdiff[d.fdiff_count - 1], 1);
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

typedef struct seen {
    size_t pictures, packets;
    unsigned sid, tid; /* highest */
    size_t ups, downs; /* changes of the spatial layer */
} seen;

typedef struct judge {
    uint8_t came[1 << 16]; /* by the publisher's frame: wholly */
    const sfu_packet *last;
    int top, before; /* spatial layers of the picture under way and of the one before it; −1: none */
    bool key;        /* the picture under way is a key picture */
    unsigned tid;
} judge;

/* Every frame that this one is predicted from was forwarded. */
static void is_decodable(const judge *j, const sfu_packet *p)
{
    if (p->described) {
        for (unsigned i = 0; i < p->fdiff_count; i++) assert_true(j->came[(uint16_t)(p->stamp.frame - p->fdiff[i])]);
        return;
    }
    if (p->sid) assert_true(j->came[(uint16_t)(p->stamp.frame - 1)]);
    const unsigned back = 3 * (p->tid == 0 ? 4 : p->tid == 1 ? 2 : 1);
    assert_true(p->key || p->sid || j->came[(uint16_t)(p->stamp.frame - back)]);
}

/* Numbers follow one another; frames and pictures keep the publisher's distances, because what refers to one counts in
 * them; the marker stands at the end of each picture that this receiver got. */
static void goes_on(const sfu_packet *a, const sfu_packet *b)
{
    assert_int_equal((uint16_t)(b->seq - a->seq), 1);
    const uint32_t frames = b->stamp.frame - a->stamp.frame;
    const uint32_t pictures = b->stamp.frame / SVC_SPATIAL - a->stamp.frame / SVC_SPATIAL;
    assert_int_equal((uint16_t)((b->picture - a->picture) & 0x7fff), pictures);
    assert_int_equal(a->marker, pictures > 0);
    if (!pictures) assert_int_equal(b->ts, a->ts);
    /* a run that is sent at once ends at now: it is compressed */
    if (pictures) assert_in_range(b->ts - a->ts, 1, pictures * (90000 / FPS));
    if (b->described) assert_int_equal((uint16_t)(b->frame_number - a->frame_number), frames);
    assert_int_equal(b->first, frames > 0);
    assert_int_equal(a->last, frames > 0);
}

/* Upwards only with a key picture, downwards only where the descriptor says that one may: not in the last temporal
 * layer. */
static void picture_ends(judge *j, seen *s)
{
    if (j->before >= 0 && j->top > j->before) {
        assert_true(j->key);
        s->ups++;
    }
    if (j->before >= 0 && j->top < j->before) {
        assert_in_range(j->tid, 0, 1);
        s->downs++;
    }
    j->before = j->top;
}

static void picture_begins(judge *j, seen *s, const sfu_packet *p)
{
    s->pictures++;
    if (p->tid > s->tid) s->tid = p->tid;
    j->tid = p->tid;
    j->key = p->key;
}

/* Walks over everything that came to slot v0; counts what came from index `from` of the log on. */
static seen judged(const sfu_client *c, size_t from)
{
    static judge j;
    static size_t list[SFU_LOG];
    seen before = {0}, s = {0};
    size_t n = sfu_of(c, sfu_slot_ssrc(c, "v0", NULL), 0, list, SFU_LOG);
    memset(&j, 0, sizeof j);
    j.top = j.before = -1;
    for (size_t i = 0; i < n; i++) {
        const sfu_packet *p = &c->log[list[i]];
        seen *to = list[i] >= from ? &s : &before;
        if (p->probe) continue;
        assert_int_equal(p->stamp.layer, p->sid);
        if (j.last) goes_on(j.last, p);
        if (!j.last) assert_true(p->key && p->first);
        if (j.last && p->ts != j.last->ts) picture_ends(&j, to);
        if (!j.last || p->ts != j.last->ts) picture_begins(&j, to, p);
        if (p->first) is_decodable(&j, p);
        to->packets++;
        if (p->sid > to->sid) to->sid = p->sid;
        if (p->last) j.came[(uint16_t)p->stamp.frame] = 1;
        j.top = p->sid;
        j.last = p;
    }
    return s;
}

typedef struct wish {
    const sfu_client *c;
    unsigned sid, tid;
} wish;

/* These are the layers of the last twelve pictures, three groups: that spatial layer in each, that temporal layer the
 * highest. The newest one may be under way. */
static bool comes(void *arg)
{
    const wish *w = arg;
    unsigned sid = 0, tid = 0, pictures = 0;
    uint32_t ts = 0;
    for (size_t i = w->c->log_n; i-- > 0;) {
        const sfu_packet *p = &w->c->log[i];
        if (!p->video || p->probe || p->rtx) continue;
        if (p->ts != ts) {
            if (pictures > 1 && sid != w->sid) return false;
            if (pictures++ == 13) return tid == w->tid;
            sid = 0;
        }
        ts = p->ts;
        if (p->sid > sid) sid = p->sid;
        if (p->tid > tid) tid = p->tid;
    }
    return false;
}

/* ---- tests ---- */

static sfu_client *watch(sfu *s, const char *name, uint64_t remb_bps, bool no_descriptor)
{
    sfu_client *c = sfu_join(s, name, &(sfu_shape){.video_slots = 1, .vp9 = true, .no_descriptor = no_descriptor});
    c->remb_bps = remb_bps;
    sfu_play(s, 350); /* said, before it shows anything */
    sfu_show_one(c, "cam", 1280);
    return c;
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
    static sfu s;
    size_t since[COUNT_OF(people)];
    sfu_new(&s, 1, 0);
    const sfu_client *cam = sfu_join(&s, "cam", &camera);
    for (size_t i = 0; i < COUNT_OF(people); i++)
        (void)watch(&s, people[i].name, people[i].remb_bps, people[i].no_descriptor);
    for (size_t i = 0; i < COUNT_OF(people); i++) {
        wish w = {&s.clients[1 + i], people[i].sid, people[i].tid};
        assert_true(sfu_play_until(&s, comes, &w, 10000));
    }
    for (size_t i = 0; i < COUNT_OF(people); i++) since[i] = s.clients[1 + i].log_n;
    uint32_t sent = cam->layer[0].frames;
    sfu_play(&s, 1000);
    sent = (cam->layer[0].frames - sent) / SVC_SPATIAL;
    for (size_t i = 0; i < COUNT_OF(people); i++) {
        const seen got = judged(&s.clients[1 + i], since[i]);
        assert_int_equal(got.sid, people[i].sid);
        assert_int_equal(got.tid, people[i].tid);
        assert_in_range(got.pictures * (people[i].tid == 2 ? 1 : 2), sent - 6, sent + 6);
        assert_int_equal(got.ups + got.downs, 0);
    }
    sfu_clean(&s);
    sfu_free(&s);
}

/* Less and more again, in mid-stream: fewer pictures first, then a smaller one; a larger one with the key picture that
 * the server asks for. */
static void layers_change_where_they_may(void **state)
{
    (void)state;
    static sfu s;
    sfu_new(&s, 1, 0);
    sfu_client *cam = sfu_join(&s, "cam", &camera), *anna = watch(&s, "anna", 0, false);
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
        wish w = {anna, steps[i].sid, steps[i].tid};
        anna->remb_bps = steps[i].remb_bps;
        assert_true(sfu_play_until(&s, comes, &w, 15000));
        const seen got = judged(anna, from);
        if (i) assert_int_equal(got.downs, steps[i].downs);
        if (steps[i].ups) assert_true(got.ups >= 1 && cam->layer[0].plis > plis);
        if (i && !steps[i].ups) assert_int_equal(got.ups, 0);
        if (!i) sfu_play(&s, 1500); /* now the server knows what each layer takes */
    }
    sfu_clean(&s);
    sfu_free(&s);
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
