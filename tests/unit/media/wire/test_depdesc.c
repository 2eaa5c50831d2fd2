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
    bytes data = {.n = strlen(hex) / 2};
    assert_true(cn_unhex(hex, data.p, data.n));
    return data;
}

static cn_err parse(cn_depdesc *depdesc, const char *hex, const cn_dd_structure *known, cn_dd_structure *fresh)
{
    bytes data = of(hex);
    return cn_depdesc_parse(depdesc, data.p, data.n, known, fresh);
}

static void a_key_frame_brings_the_structure(void **state)
{
    (void)state;
    cn_depdesc depdesc;
    cn_dd_structure structure;
    assert_int_equal(parse(&depdesc, KEY, NULL, &structure), CN_OK);
    assert_true(depdesc.start && depdesc.end && depdesc.has_structure && !depdesc.has_active);
    assert_int_equal(depdesc.frame_number, 1);
    assert_int_equal(depdesc.sid, 0);
    assert_int_equal(depdesc.tid, 0);
    assert_int_equal(depdesc.fdiff_count, 0);
    assert_int_equal(depdesc.active, 0x3f);
    assert_int_equal(structure.spatial, 2);
    assert_int_equal(structure.temporal, 3);
    assert_int_equal(structure.target_count, 6);
    assert_int_equal(structure.template_count, 10);
    assert_int_equal(structure.chain_count, 2);
    assert_true(structure.has_resolutions);
    assert_int_equal(structure.width[0], 320);
    assert_int_equal(structure.height[0], 180);
    assert_int_equal(structure.width[1], 640);
    assert_int_equal(structure.height[1], 360);
    for (unsigned i = 0; i < 6; i++) {
        assert_int_equal(cn_dd_dti(depdesc.dtis, i), CN_DTI_SWITCH);
        assert_int_equal(structure.chain_of[i], i / 3);
    }
    cn_depdesc told;
    assert_int_equal(parse(&told, KEY_ACTIVE, NULL, &structure), CN_OK);
    assert_true(told.has_active);
    assert_int_equal(told.active, 7); /* the upper spatial layer is not sent yet */
    assert_int_equal(told.active_at, depdesc.active_at);
    assert_int_equal(parse(&depdesc, KEY_ONE, NULL, &structure), CN_OK);
    assert_int_equal(structure.spatial, 1);
    assert_int_equal(structure.temporal, 3);
    assert_int_equal(structure.width[0], 320);
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
    cn_depdesc depdesc;
    cn_dd_structure structure, unused;
    assert_int_equal(parse(&depdesc, KEY, NULL, &structure), CN_OK);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(parse(&depdesc, cases[i].hex, NULL, &unused), CN_ERR_NOTFOUND);
        assert_int_equal(parse(&depdesc, cases[i].hex, &structure, &unused), CN_OK);
        assert_int_equal(depdesc.frame_number, cases[i].number);
        assert_int_equal(depdesc.sid, cases[i].sid);
        assert_int_equal(depdesc.tid, cases[i].tid);
        assert_int_equal(depdesc.start, cases[i].start);
        assert_int_equal(depdesc.end, cases[i].end);
        assert_int_equal(depdesc.fdiff_count, 1);
        assert_int_equal(depdesc.fdiff[0], cases[i].fdiff);
        for (unsigned t = 0; t < 6; t++) assert_int_equal(cn_dd_dti(depdesc.dtis, t), cases[i].dtis[t]);
    }
    assert_int_equal(parse(&depdesc, "c300021a000800", &structure, &unused), CN_OK); /* its references told by itself */
}

static void targets_are_found_by_layers(void **state)
{
    (void)state;
    cn_depdesc depdesc;
    cn_dd_structure structure;
    cn_dd_layout layout;
    assert_int_equal(parse(&depdesc, KEY, NULL, &structure), CN_OK);
    cn_dd_layout_of(&structure, &layout);
    assert_int_equal(layout.target_of[0][0], 0);
    assert_int_equal(layout.target_of[0][3], 2);
    assert_int_equal(layout.target_of[1][1], 4);
    assert_int_equal(layout.target_of[3][3], 5);
    assert_int_equal(layout.within[0][3], 7);
    assert_int_equal(layout.within[1][0], 9);
    assert_int_equal(layout.within[3][3], 0x3f);
}

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    bytes data = of(KEY);
    cn_depdesc depdesc;
    cn_dd_structure structure, known;
    assert_int_equal(cn_depdesc_parse(&depdesc, data.p, data.n, NULL, &known), CN_OK);
    for (size_t n = 0; n + 1 < data.n; n++)
        if (n != 3) assert_int_equal(cn_depdesc_parse(&depdesc, data.p, n, NULL, &structure), CN_ERR_PARSE);
    assert_int_equal(parse(&depdesc, "ff0005", &known, &structure), CN_ERR_PARSE); /* no such template */
    assert_int_equal(parse(&depdesc, "c00005", &known, &structure), CN_OK);
}

/* Frame number and mask written; everything else as before. */
static void assert_rewritten(const char *hex, const cn_dd_structure *known, uint32_t active)
{
    bytes data = of(hex);
    cn_depdesc before, after;
    cn_dd_structure structure, dd_structure;
    assert_int_equal(cn_depdesc_parse(&before, data.p, data.n, known, &structure), CN_OK);
    uint8_t out[CN_DD_MAX];
    size_t n =
        cn_depdesc_rewrite(out, sizeof out, data.p, data.n, 0xbeef, before.active_at, before.has_active, 6, active);
    assert_true(n >= data.n && n <= data.n + 2);
    assert_int_equal(cn_depdesc_parse(&after, out, n, known, &dd_structure), CN_OK);
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
    if (before.has_structure) assert_memory_equal(&structure, &dd_structure, sizeof structure);
}

static void descriptors_are_rewritten(void **state)
{
    (void)state;
    cn_depdesc depdesc;
    cn_dd_structure structure;
    assert_int_equal(parse(&depdesc, KEY, NULL, &structure), CN_OK);
    static const char *const list[] = {KEY, KEY_ACTIVE, "c20007", "450004", "c300021a000800"};
    for (size_t i = 0; i < COUNT_OF(list); i++) {
        assert_rewritten(list[i], &structure, 0);
        assert_rewritten(list[i], &structure, 9);
        assert_rewritten(list[i], &structure, 0x3f);
    }
    bytes data = of("c20007");
    uint8_t out[4];
    assert_int_equal(cn_depdesc_rewrite(out, sizeof out, data.p, data.n, 1, 24, false, 32, UINT32_MAX), 0);
    assert_int_equal(cn_depdesc_rewrite(out, sizeof out, data.p, 2, 1, 24, false, 6, 0), 0);
    assert_int_equal(cn_depdesc_rewrite(out, sizeof out, data.p, data.n, 1, 24, false, 6, 0), 3);
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
