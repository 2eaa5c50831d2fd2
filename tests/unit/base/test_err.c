#include "cn_test.h"

#include <errno.h>
#include <string.h>

static void names_and_texts_come_from_the_table(void **state)
{
    (void)state;
    assert_string_equal(cn_err_name(CN_OK), "OK");
    assert_string_equal(cn_err_name(CN_ERR_NOTFOUND), "NOTFOUND");
    assert_string_equal(cn_err_text(CN_ERR_NOTFOUND), "not found");
    assert_string_equal(cn_err_name(CN_ERR_CRASHED), "CRASHED");
    assert_string_equal(cn_err_name((cn_err)999), "?");
    assert_string_equal(cn_err_name((cn_err)-1), "?");
    for (int e = 0; e < CN_ERR_COUNT; e++) assert_true(strlen(cn_err_text((cn_err)e)) > 3);
}

static void errno_values_map_to_codes(void **state)
{
    (void)state;
    assert_err(cn_err_from_errno(ENOSPC), CN_ERR_NOSPACE);
    assert_err(cn_err_from_errno(ENOENT), CN_ERR_NOTFOUND);
    assert_err(cn_err_from_errno(EACCES), CN_ERR_FORBIDDEN);
    assert_err(cn_err_from_errno(EAGAIN), CN_ERR_AGAIN);
    assert_err(cn_err_from_errno(ENOMEM), CN_ERR_NOMEM);
    assert_err(cn_err_from_errno(EIO), CN_ERR_IO);
    assert_err(cn_err_from_errno(123456), CN_ERR_IO);
}

static void a_problem_is_filled_and_bounded(void **state)
{
    (void)state;
    cn_problem problem;
    assert_err(cn_problem_set(&problem, CN_ERR_INVALID, "age", "must be between %d and %d", 0, 150), CN_ERR_INVALID);
    assert_err(problem.err, CN_ERR_INVALID);
    assert_string_equal(problem.field, "age");
    assert_string_equal(problem.detail, "must be between 0 and 150");

    char text[600];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = 0;
    cn_problem_set(&problem, CN_ERR_TOOBIG, text, "%s", text);
    assert_int_equal(strlen(problem.field), sizeof problem.field - 1);
    assert_int_equal(strlen(problem.detail), sizeof problem.detail - 1);
    assert_err(cn_problem_set(NULL, CN_ERR_STATE, "x", "y"), CN_ERR_STATE);
    cn_problem_set(&problem, CN_ERR_STATE, NULL, "y");
    assert_string_equal(problem.field, "");
}

static void a_problem_has_a_word_and_a_path(void **state)
{
    (void)state;
    cn_problem problem;
    assert_err(cn_problem_field(&problem, CN_WRONG_FORMAT, "phone", "may hold digits only"), CN_ERR_INVALID);
    assert_int_equal(problem.wrong, CN_WRONG_FORMAT);
    assert_string_equal(problem.detail, "may hold digits only");
    cn_problem_within(&problem, "patient");
    assert_string_equal(problem.field, "patient.phone");
    assert_err(cn_problem_say(&problem, CN_ERR_INVALID, CN_WRONG_LONG, 1, 20), CN_ERR_INVALID);
    assert_int_equal(problem.number[1], 20);
    cn_problem_set(&problem, CN_ERR_STATE, problem.field, "x"); /* a word says nothing of the next problem */
    assert_int_equal(problem.wrong, CN_WRONG_NONE);
    assert_string_equal(problem.field, "patient.phone");
    memset(problem.field, 'x', sizeof problem.field - 1);
    problem.field[sizeof problem.field - 1] = '\0';
    cn_problem_within(&problem, "patient"); /* has no room for it */
    assert_int_equal(strlen(problem.field), sizeof problem.field - 1);
    cn_problem_within(NULL, "patient");
    assert_err(cn_problem_field(NULL, CN_WRONG_TYPE, "a", "b"), CN_ERR_INVALID);
    assert_string_equal(cn_wrong_word(CN_WRONG_LONG), "too_long");
    assert_string_equal(cn_wrong_number(CN_WRONG_LONG, 1), "max");
    assert_string_equal(cn_wrong_number(CN_WRONG_LONG, 2), "");
    assert_string_equal(cn_wrong_word((cn_wrong)-1), "");
}

static cn_err tries(cn_err inner, int *after)
{
    CN_TRY(inner);
    ++*after;
    return CN_OK;
}

static void try_returns_early(void **state)
{
    (void)state;
    int after = 0;
    assert_err(tries(CN_ERR_FULL, &after), CN_ERR_FULL);
    assert_int_equal(after, 0);
    assert_ok(tries(CN_OK, &after));
    assert_int_equal(after, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_texts_come_from_the_table),
        cmocka_unit_test(errno_values_map_to_codes),
        cmocka_unit_test(a_problem_is_filled_and_bounded),
        cmocka_unit_test(a_problem_has_a_word_and_a_path),
        cmocka_unit_test(try_returns_early),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
