#include "cn_test.h"

#include <string.h>

#include "base/str.h"
#include "media/wire/depdesc.h"

/* As Chromium 156 sent them: VP9 in L2T3_KEY of 640 × 360 … */
#define KEY "c00001800514853aaaa8018004004002a02a0060010015d34514174d144c700874321651118543276809f8059813f80b38"
/* … the same with the active decode targets told, and in L1T3 of 320 × 180 */
#define KEY_ACTIVE \
    "c00001c00514853aaaa8018004004002a02a0060010015d34514174d144c700874321651118543276809f8059813f80b38e0"
#define KEY_ONE "c00001800214eaa860414d1410208427013f00b3"

typedef struct bytes {
    uint8_t p[CN_DD_MAX];
    size_t n;
} bytes;

static bytes of(const char *hex)
{
    bytes b = {.n = strlen(hex) / 2};
    assert_true(cn_unhex(hex, b.p, b.n));
    return b;
}

static cn_err parse(cn_depdesc *d, const char *hex, const cn_dd_structure *known, cn_dd_structure *fresh)
{
    bytes b = of(hex);
    return cn_depdesc_parse(d, b.p, b.n, known, fresh);
}

static void a_key_frame_brings_the_structure(void **state)
{
    (void)state;
    cn_depdesc d;
    cn_dd_structure s;
    assert_int_equal(parse(&d, KEY, NULL, &s), CN_OK);
    assert_true(d.start && d.end && d.has_structure && !d.has_active);
    assert_int_equal(d.frame_number, 1);
    assert_int_equal(d.sid, 0);
    assert_int_equal(d.tid, 0);
    assert_int_equal(d.fdiff_count, 0);
    assert_int_equal(d.active, 0x3f);
    assert_int_equal(s.spatial, 2);
    assert_int_equal(s.temporal, 3);
    assert_int_equal(s.target_count, 6);
    assert_int_equal(s.template_count, 10);
    assert_int_equal(s.chain_count, 2);
    assert_true(s.has_resolutions);
    assert_int_equal(s.width[0], 320);
    assert_int_equal(s.height[0], 180);
    assert_int_equal(s.width[1], 640);
    assert_int_equal(s.height[1], 360);
    for (unsigned i = 0; i < 6; i++) {
        assert_int_equal(cn_dd_dti(d.dtis, i), CN_DTI_SWITCH);
        assert_int_equal(s.chain_of[i], i / 3);
    }
    cn_depdesc told;
    assert_int_equal(parse(&told, KEY_ACTIVE, NULL, &s), CN_OK);
    assert_true(told.has_active);
    assert_int_equal(told.active, 7); /* the upper spatial layer is not sent yet */
    assert_int_equal(told.active_at, d.active_at);
    assert_int_equal(parse(&d, KEY_ONE, NULL, &s), CN_OK);
    assert_int_equal(s.spatial, 1);
    assert_int_equal(s.temporal, 3);
    assert_int_equal(s.width[0], 320);
}

static void delta_frames_refer_to_it(void **state)
{
    (void)state;
    static const struct {
        const char *hex;
        uint16_t number;
        uint8_t sid, tid, fdiff;
        bool start, end;
        uint8_t dtis[6];
    } cases[] = {
        {"850004", 4, 1, 0, 1, true, false, {0, 0, 0, 2, 2, 2}}, /* of the key picture */
        {"450004", 4, 1, 0, 1, false, true, {0, 0, 0, 2, 2, 2}},
        {"c30005", 5, 0, 2, 2, true, true, {0, 0, 1, 0, 0, 0}},
        {"c80006", 6, 1, 2, 2, true, true, {0, 0, 0, 0, 0, 1}},
        {"c20007", 7, 0, 1, 4, true, true, {0, 1, 2, 0, 0, 0}},
        {"c70008", 8, 1, 1, 4, true, true, {0, 0, 0, 0, 1, 2}},
        {"c40009", 9, 0, 2, 2, true, true, {0, 0, 1, 0, 0, 0}},
        {"c1000b", 11, 0, 0, 8, true, true, {2, 2, 2, 0, 0, 0}},
        {"c6000c", 12, 1, 0, 8, true, true, {0, 0, 0, 2, 2, 2}},
    };
    cn_depdesc d;
    cn_dd_structure s, unused;
    assert_int_equal(parse(&d, KEY, NULL, &s), CN_OK);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(parse(&d, cases[i].hex, NULL, &unused), CN_ERR_NOTFOUND);
        assert_int_equal(parse(&d, cases[i].hex, &s, &unused), CN_OK);
        assert_int_equal(d.frame_number, cases[i].number);
        assert_int_equal(d.sid, cases[i].sid);
        assert_int_equal(d.tid, cases[i].tid);
        assert_int_equal(d.start, cases[i].start);
        assert_int_equal(d.end, cases[i].end);
        assert_int_equal(d.fdiff_count, 1);
        assert_int_equal(d.fdiff[0], cases[i].fdiff);
        for (unsigned t = 0; t < 6; t++) assert_int_equal(cn_dd_dti(d.dtis, t), cases[i].dtis[t]);
    }
    assert_int_equal(parse(&d, "c300021a000800", &s, &unused), CN_OK); /* its references told by itself */
}

static void targets_are_found_by_layers(void **state)
{
    (void)state;
    cn_depdesc d;
    cn_dd_structure s;
    cn_dd_layout l;
    assert_int_equal(parse(&d, KEY, NULL, &s), CN_OK);
    cn_dd_layout_of(&s, &l);
    assert_int_equal(l.target_of[0][0], 0);
    assert_int_equal(l.target_of[0][3], 2);
    assert_int_equal(l.target_of[1][1], 4);
    assert_int_equal(l.target_of[3][3], 5);
    assert_int_equal(l.within[0][3], 7);
    assert_int_equal(l.within[1][0], 9);
    assert_int_equal(l.within[3][3], 0x3f);
}

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    bytes b = of(KEY);
    cn_depdesc d;
    cn_dd_structure s, known;
    assert_int_equal(cn_depdesc_parse(&d, b.p, b.n, NULL, &known), CN_OK);
    for (size_t n = 0; n + 1 < b.n; n++)
        if (n != 3) assert_int_equal(cn_depdesc_parse(&d, b.p, n, NULL, &s), CN_ERR_PARSE);
    assert_int_equal(parse(&d, "ff0005", &known, &s), CN_ERR_PARSE); /* no such template */
    assert_int_equal(parse(&d, "c00005", &known, &s), CN_OK);
}

/* Frame number and mask written; everything else as before. */
static void assert_rewritten(const char *hex, const cn_dd_structure *known, uint32_t active)
{
    bytes b = of(hex);
    cn_depdesc before, after;
    cn_dd_structure s, t;
    assert_int_equal(cn_depdesc_parse(&before, b.p, b.n, known, &s), CN_OK);
    uint8_t out[CN_DD_MAX];
    size_t n = cn_depdesc_rewrite(out, sizeof out, b.p, b.n, 0xbeef, before.active_at, before.has_active, 6, active);
    assert_true(n >= b.n && n <= b.n + 2);
    assert_int_equal(cn_depdesc_parse(&after, out, n, known, &t), CN_OK);
    assert_int_equal(after.frame_number, 0xbeef);
    if (active) assert_int_equal(after.active, active);
    if (active) assert_true(after.has_active);
    assert_int_equal(after.sid, before.sid);
    assert_int_equal(after.tid, before.tid);
    assert_true(after.dtis == before.dtis);
    assert_int_equal(after.start, before.start);
    assert_int_equal(after.end, before.end);
    assert_int_equal(after.fdiff_count, before.fdiff_count);
    assert_memory_equal(after.fdiff, before.fdiff, sizeof before.fdiff);
    assert_memory_equal(after.chain_fdiff, before.chain_fdiff, sizeof before.chain_fdiff);
    if (before.has_structure) assert_memory_equal(&s, &t, sizeof s);
}

static void descriptors_are_rewritten(void **state)
{
    (void)state;
    cn_depdesc d;
    cn_dd_structure s;
    assert_int_equal(parse(&d, KEY, NULL, &s), CN_OK);
    static const char *const list[] = {KEY, KEY_ACTIVE, "c20007", "450004", "c300021a000800"};
    for (size_t i = 0; i < COUNT_OF(list); i++) {
        assert_rewritten(list[i], &s, 0);
        assert_rewritten(list[i], &s, 9);
        assert_rewritten(list[i], &s, 0x3f);
    }
    bytes b = of("c20007");
    uint8_t out[4];
    assert_int_equal(cn_depdesc_rewrite(out, sizeof out, b.p, b.n, 1, 24, false, 32, UINT32_MAX), 0);
    assert_int_equal(cn_depdesc_rewrite(out, sizeof out, b.p, 2, 1, 24, false, 6, 0), 0);
    assert_int_equal(cn_depdesc_rewrite(out, sizeof out, b.p, b.n, 1, 24, false, 6, 0), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_frame_brings_the_structure), cmocka_unit_test(delta_frames_refer_to_it),
        cmocka_unit_test(targets_are_found_by_layers),      cmocka_unit_test(what_does_not_fit_is_refused),
        cmocka_unit_test(descriptors_are_rewritten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
