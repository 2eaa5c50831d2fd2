#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

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
    (void)snprintf(problem->field, sizeof problem->field, "%s", field ? field : ""); /* str.h stands on err.h */
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(problem->detail, sizeof problem->detail, fmt, args);
    va_end(args);
    return err;
}
