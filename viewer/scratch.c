#define _XOPEN_SOURCE 700
#include "viewer/scratch.h"

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"

cn_err cn_scratch_make(const char *parent, char *out, size_t size)
{
    char real[PATH_MAX];
    if (!realpath(parent, real)) return cn_err_from_errno(errno);
    if (!cn_fmt(out, size, "%s/convert-XXXXXX", real)) return CN_ERR_TOOBIG;
    return mkdtemp(out) ? CN_OK : cn_err_from_errno(errno);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st, (void)kind, (void)at;
    remove(path);
    return 0;
}

void cn_scratch_remove(const char *dir)
{
    nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}
