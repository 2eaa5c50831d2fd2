/* Who a request is for: what the form's patient may say, alone and of each other. */
#include "cn_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consult/request/patient.h"
#include "consult/request/request.h"

/* 2026-11-29T17:24:00Z: in China it is 30 November, 01:24 */
#define NIGHT INT64_C(1795973040000)

static void test_phones(void **state)
{
    (void)state;
    static const char *const good[] = {
        "13800000000",  "138 0000 1234",   "199-0000-0000",  "+86 138 0000 1234", "+8613800001234",   "008613800001234",
        "010-12345678", "(0755) 1234567",  "07551234567",    "010-12345678-8012", "87654321",         "7654321",
        "400-800-1234", "+86 10 12345678", "+852 2345 6789", "+1 (415) 555-0100", "+86 755 1234 5678"};
    static const char *const bad[] = {"12",           "1",
                                      "138000000",    "138000000001",
                                      "12800000000",  "110",
                                      "call me",      "+",
                                      "00",           "+86 12",
                                      "+0 123456789", "123456",
                                      "99999999999",  "13800000000a",
                                      "1380000/0000", "+1234567890123456"};
    for (size_t i = 0; i < COUNT_OF(good); i++)
        if (!cn_phone_valid(good[i])) fail_msg("%s is refused", good[i]);
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        if (cn_phone_valid(bad[i])) fail_msg("%s is taken", bad[i]);
}

static void try_patient(const char *sex, const char *birth, const char *identity, const char *field, cn_wrong wrong)
{
    json_t *body = json_pack("{s:s, s:s, s:s, s:s}", "name", "王小明", "sex", sex, "birth_date", birth,
                             "identity_number", identity);
    cn_patient patient;
    cn_problem problem = {.err = CN_OK};
    cn_err err = cn_patient_read(body, NIGHT, &patient, &problem);
    if ((err == CN_OK) != !field[0] || strcmp(problem.field, field) != 0 || problem.wrong != wrong)
        fail_msg("%s, born %s, %s: %s, field \"%s\", %s", sex, birth, identity, cn_err_name(err), problem.field,
                 cn_wrong_word(problem.wrong));
    if (identity[0] && strstr(problem.detail, identity)) fail_msg("the number is in the text");
    json_decref(body);
}

static void test_dates_of_birth(void **state)
{
    (void)state;
    static const struct {
        const char *day;
        cn_wrong wrong;
    } rows[] = {{"2026-11-29", CN_WRONG_NONE},   {"2026-11-30", CN_WRONG_NONE}, /* a newborn, in China */
                {"2026-12-01", CN_WRONG_FUTURE}, {"2030-01-01", CN_WRONG_FUTURE},
                {"2024-02-29", CN_WRONG_NONE},   {"2023-02-29", CN_WRONG_FORMAT},
                {"1900-02-29", CN_WRONG_FORMAT}, {"1849-12-31", CN_WRONG_FORMAT},
                {"1990-13-01", CN_WRONG_FORMAT}, {"1990/01/01", CN_WRONG_FORMAT},
                {"19 0-01-01", CN_WRONG_FORMAT}, {"", CN_WRONG_NONE}};
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        try_patient("male", rows[i].day, "", rows[i].wrong ? "birth_date" : "", rows[i].wrong);
}

static void test_identity_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *sex, *birth, *number;
        cn_wrong wrong;
    } rows[] = {
        {"female", "1949-12-31", "11010519491231002X", CN_WRONG_NONE}, /* GB 11643's own example */
        {"female", "1949-12-31", "11010519491231002x", CN_WRONG_NONE},
        {"male", "1953-12-31", "110105195312310012", CN_WRONG_NONE},
        {"female", "", "11010519491231002X", CN_WRONG_NONE},
        {"unknown", "1949-12-31", "11010519491231002X", CN_WRONG_NONE},
        {"female", "1949-12-31", "110105194912310021", CN_WRONG_CHECKSUM},
        {"female", "1949-12-31", "1101051949123100", CN_WRONG_CHECKSUM},    /* 16 digits */
        {"female", "1949-12-31", "1101051949123100211", CN_WRONG_CHECKSUM}, /* 19 */
        {"male", "1949-12-31", "11010519491231002X", CN_WRONG_OTHER_SEX},
        {"female", "1949-12-30", "11010519491231002X", CN_WRONG_OTHER_BIRTH},
        {"male", "1949-12-31", "E12345678", CN_WRONG_NONE}, /* a passport */
        {"male", "1949-12-31", "H12345678(9)", CN_WRONG_NONE},
        {"male", "1949-12-31", "11;--", CN_WRONG_FORMAT},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        try_patient(rows[i].sex, rows[i].birth, rows[i].number, rows[i].wrong ? "identity_number" : "", rows[i].wrong);
}

static void test_small_children_have_days(void **state)
{
    (void)state;
    assert_int_equal(cn_request_age_days("2026-11-30", NIGHT, 480), 0);
    assert_int_equal(cn_request_age_days("2026-11-30", NIGHT, 0), -1); /* not born yet there */
    assert_int_equal(cn_request_age_days("2026-11-29", NIGHT, 480), 1);
    assert_int_equal(cn_request_age_days("2026-02-28", NIGHT, 480), 275);
    assert_int_equal(cn_request_age_days("2024-11-30", NIGHT, 480), 730);
    assert_int_equal(cn_request_age_days("2024-11-29", NIGHT, 480), -1);
    assert_int_equal(cn_request_age_days("", NIGHT, 480), -1);
    assert_int_equal(cn_request_age_days("2026-xx-29", NIGHT, 480), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_phones),
        cmocka_unit_test(test_dates_of_birth),
        cmocka_unit_test(test_identity_numbers),
        cmocka_unit_test(test_small_children_have_days),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
