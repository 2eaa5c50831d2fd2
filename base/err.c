#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name, *text;
} errors[] = {
#define X(name, text) {#name, text},
    CN_ERR_TABLE(X)
#undef X
};

const char *cn_err_name(cn_err err)
{
    return (unsigned)err < CN_ERR_COUNT ? errors[err].name : "?";
}

const char *cn_err_text(cn_err err)
{
    return (unsigned)err < CN_ERR_COUNT ? errors[err].text : "unknown error";
}

static const struct {
    int number;
    cn_err err;
} from_errno[] = {
    {0, CN_OK},
    {ENOMEM, CN_ERR_NOMEM},
    {EINVAL, CN_ERR_INVALID},
    {ENAMETOOLONG, CN_ERR_INVALID},
    {ENOENT, CN_ERR_NOTFOUND},
    {ENOTDIR, CN_ERR_NOTFOUND},
    {EACCES, CN_ERR_FORBIDDEN},
    {EPERM, CN_ERR_FORBIDDEN},
    {EROFS, CN_ERR_FORBIDDEN},
    {EEXIST, CN_ERR_CONFLICT},
    {EADDRINUSE, CN_ERR_CONFLICT},
    {ENOTEMPTY, CN_ERR_CONFLICT},
    {EMFILE, CN_ERR_FULL},
    {ENFILE, CN_ERR_FULL},
    {EFBIG, CN_ERR_TOOBIG},
    {EMSGSIZE, CN_ERR_TOOBIG},
    {ENOSYS, CN_ERR_UNSUPPORTED},
    {EOPNOTSUPP, CN_ERR_UNSUPPORTED},
    {EAFNOSUPPORT, CN_ERR_UNSUPPORTED},
    {ETIMEDOUT, CN_ERR_TIMEOUT},
    {EAGAIN, CN_ERR_AGAIN},
    {EINPROGRESS, CN_ERR_AGAIN},
    {EPIPE, CN_ERR_CLOSED},
    {ECONNRESET, CN_ERR_CLOSED},
    {ENOTCONN, CN_ERR_CLOSED},
    {ENOSPC, CN_ERR_NOSPACE},
    {EDQUOT, CN_ERR_NOSPACE},
};

cn_err cn_err_from_errno(int err)
{
    for (size_t i = 0; i < sizeof from_errno / sizeof *from_errno; i++)
        if (from_errno[i].number == err) return from_errno[i].err;
    return CN_ERR_IO;
}

cn_err cn_problem_set(cn_problem *problem, cn_err err, const char *field, const char *fmt, ...)
{
    if (!problem) return err;
    problem->err = err;
    (void)cn_problem_say(problem, err, CN_WRONG_NONE, 0, 0);
    if (field != problem->field) /* a problem may be set anew for the field that it names */
        (void)snprintf(problem->field, sizeof problem->field, "%s", field ? field : ""); /* str.h stands on err.h */
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(problem->detail, sizeof problem->detail, fmt, args);
    va_end(args);
    return err;
}

static const struct {
    const char *word, *number[2];
} wrongs[] = {
#define X(name, word, first, second) {word, {first, second}},
    CN_WRONG_TABLE(X)
#undef X
};

const char *cn_wrong_word(cn_wrong wrong)
{
    return (unsigned)wrong < CN_WRONG_COUNT ? wrongs[wrong].word : "";
}

const char *cn_wrong_number(cn_wrong wrong, size_t which)
{
    return (unsigned)wrong < CN_WRONG_COUNT && which < 2 ? wrongs[wrong].number[which] : "";
}

cn_err cn_problem_say(cn_problem *problem, cn_err err, cn_wrong wrong, int64_t first, int64_t second)
{
    if (!problem) return err;
    problem->wrong = wrong;
    problem->number[0] = first;
    problem->number[1] = second;
    return err;
}

cn_err cn_problem_field(cn_problem *problem, cn_wrong wrong, const char *field, const char *detail)
{
    (void)cn_problem_set(problem, CN_ERR_INVALID, field, "%s", detail);
    return cn_problem_say(problem, CN_ERR_INVALID, wrong, 0, 0);
}

void cn_problem_within(cn_problem *problem, const char *parent)
{
    char field[sizeof problem->field];
    if (!problem || !problem->field[0]) return;
    int n = snprintf(field, sizeof field, "%s.%s", parent, problem->field);
    if (n > 0 && (size_t)n < sizeof field) memcpy(problem->field, field, (size_t)n + 1);
}
