#define _XOPEN_SOURCE 700
#include "viewer/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/str.h"

#define PREFIX "convert-"
#define OLD_S 86400

cn_err cn_scratch_make(const char *parent, char *out, size_t size)
{
    char real[PATH_MAX];
    if (!realpath(parent, real)) return cn_err_from_errno(errno);
    if (!cn_fmt(out, size, "%s/" PREFIX "XXXXXX", real)) return CN_ERR_TOOBIG;
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

void cn_scratch_sweep(const char *parent)
{
    char path[PATH_MAX];
    struct stat st;
    DIR *dir = opendir(parent);
    for (struct dirent *found = NULL; dir && (found = readdir(dir));) {
        if (strncmp(found->d_name, PREFIX, strlen(PREFIX)) != 0) continue;
        if (!cn_fmt(path, sizeof(path), "%s/%s", parent, found->d_name) || lstat(path, &st) != 0) continue;
        if (S_ISDIR(st.st_mode) && cn_wall_ms() / 1000 - st.st_mtime > OLD_S) cn_scratch_remove(path);
    }
    if (dir) closedir(dir);
}
