/* What every unit test includes: cmocka with what it needs before it, and a check for cn_err with readable names. */
#ifndef CN_TEST_H
#define CN_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants these four first */
#include <cmocka.h>

#include "base/err.h"

/** Fails naming both codes. */
#define assert_err(expr, expected) assert_string_equal(cn_err_name(expr), cn_err_name(expected))
#define assert_ok(expr) assert_err(expr, CN_OK)

#define COUNT_OF(a) (sizeof(a) / sizeof *(a))

#endif
