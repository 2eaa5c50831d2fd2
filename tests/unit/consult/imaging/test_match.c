/* Matching of DICOM attributes: wildcards, ranges, lists, names in any way of writing. */
#include "cn_test.h"

#include "consult/imaging/match.h"

static json_t *item_of(const char *tag, const char *values)
{
    json_t *list = json_loads(values, 0, NULL);
    assert_non_null(list);
    return json_pack("{s:{s:s, s:o}}", tag, "vr", "LO", "Value", list);
}

static void values_match_as_the_standard_has_it(void **state)
{
    (void)state;
    static const struct {
        const char *tag, *values, *asked;
        bool matches;
    } cases[] = {
        {"00100010", "[{\"Alphabetic\":\"Zhang^San\",\"Ideographic\":\"张^三\"}]", "zhang*", true},
        {"00100010", "[{\"Alphabetic\":\"Zhang^San\",\"Ideographic\":\"张^三\"}]", "张*", true},
        {"00100010", "[{\"Alphabetic\":\"Zhang^San\",\"Ideographic\":\"张^三\"}]", "张^?", true},
        {"00100010", "[{\"Alphabetic\":\"Zhang^San\",\"Ideographic\":\"张^三\"}]", "李*", false},
        {"00100010", "[{\"Alphabetic\":\"Zhang^San\"}]", "Zhang", false},
        {"00100010", "[{\"Alphabetic\":\"Zhang^San\"}]", "*s?n", true},
        {"00100010", "[{\"Alphabetic\":\"Zhang^San\"}]", "", true},
        {"00100010", "[]", "*", true},
        {"00100010", "[]", "?*", false},
        {"00081030", "[\"Chest CT\"]", "Chest*", true},
        {"00081030", "[\"Chest CT\"]", "chest*", false},
        {"00081030", "[\"Chest CT\"]", "*aa*CT*", false},
        {"00081030", "[\"aXbXc\"]", "a*b*c", true},
        {"00081030", "[\"aXbXc\"]", "a*b*d", false},
        {"00081030", "[\"one\", \"two\"]", "two", true},
        {"00100030", "[\"19660308\"]", "19660101-19661231", true},
        {"00100030", "[\"19660308\"]", "-19660307", false},
        {"00100030", "[\"19660308\"]", "19660308-", true},
        {"00080030", "[\"101530.25\"]", "1015", true},
        {"00080030", "[\"101530.25\"]", "1016-", false},
        {"00080030", "[\"101530.25\"]", "09-1015", true},
        {"00080016", "[\"1.2.3\"]", "1.2,1.2.3", true},
        {"00080016", "[\"1.2.3\"]", "1.2\\1.2.30", false},
        {"00200013", "[7]", "7", true},
        {"00200013", "[7]", "07", true},
        {"00200013", "[7]", "8", false},
        {"00200011", "[\"3\"]", "3", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *item = item_of(cases[i].tag, cases[i].values);
        if (cn_dicom_matches(item, cases[i].tag, cases[i].asked) != cases[i].matches)
            fail_msg("%s against %s", cases[i].values, cases[i].asked);
        json_decref(item);
    }
}

static void keys_have_levels_and_forms(void **state)
{
    (void)state;
    assert_string_equal(cn_dicom_key("PatientName", CN_IMAGING_STUDIES), "00100010");
    assert_string_equal(cn_dicom_key("0008103e", CN_IMAGING_SERIES), "0008103E");
    assert_null(cn_dicom_key("SeriesDescription", CN_IMAGING_STUDIES));
    assert_null(cn_dicom_key("PatientComments", CN_IMAGING_INSTANCES));
    assert_true(cn_dicom_askable("00100030", "19660101-"));
    assert_true(cn_dicom_askable("00100030", "*"));
    assert_false(cn_dicom_askable("00100030", "today"));
    assert_false(cn_dicom_askable("00100030", "-"));
    assert_false(cn_dicom_askable("00100030", "1-2-3"));
    assert_false(cn_dicom_askable("00200013", "one"));
    assert_false(cn_dicom_askable("00080016", "1.2.x"));
    assert_false(cn_dicom_askable("00100010", "\xff"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_match_as_the_standard_has_it),
        cmocka_unit_test(keys_have_levels_and_forms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
