#include "viewer/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
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

/* From and to other file systems. */
static cn_err copy_slowly(int in, int out)
{
    char piece[65536];
    if (lseek(in, 0, SEEK_SET) < 0 || ftruncate(out, 0) < 0 || lseek(out, 0, SEEK_SET) < 0)
        return cn_err_from_errno(errno);
    for (;;) {
        ssize_t n = read(in, piece, sizeof(piece));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return cn_err_from_errno(errno);
        if (n == 0) return CN_OK;
        CN_TRY(cn_write_all(out, piece, (size_t)n));
    }
}

void cn_scratch_remove(const char *dir)
{
    nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

cn_err cn_scratch_copy(const char *from, const char *to)
{
    CN_AUTO_CLOSE int in = open(from, O_RDONLY | O_CLOEXEC);
    CN_AUTO_CLOSE int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (in < 0 || out < 0) return cn_err_from_errno(errno);
    ssize_t n;
    do n = copy_file_range(in, NULL, out, NULL, (size_t)1 << 30, 0);
    while (n > 0 || (n < 0 && errno == EINTR));
    if (n == 0) return CN_OK;
    return errno == EXDEV || errno == EOPNOTSUPP || errno == ENOSYS ? copy_slowly(in, out) : cn_err_from_errno(errno);
}

cn_err cn_scratch_check(const char *made, size_t max)
{
    struct stat st;
    if (lstat(made, &st) != 0) return cn_err_from_errno(errno);
    if (!S_ISREG(st.st_mode) || st.st_nlink != 1) return CN_ERR_CORRUPT;
    return (size_t)st.st_size <= max ? CN_OK : CN_ERR_TOOBIG;
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
