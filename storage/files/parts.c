/* Parts of slides that are several files: ROOT/slides/ID, there whole or not at all. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "storage/files/files_private.h"

#define DEPTH 2 /* folders in folders: a MRXS needs one */

static cn_err place(const cn_files *files, const char *id, const char *suffix, char out[PATH_MAX])
{
    if (!cn_files_id_is_good(id)) return CN_ERR_INVALID;
    return cn_fmt(out, PATH_MAX, "%s/slides/%s%s", files->root, id, suffix) ? CN_OK : CN_ERR_INVALID;
}

static cn_err settle(int folder, int depth);

/* Whoever unpacked it may have been taken over: a link or a device would be read, or written over, elsewhere. */
static cn_err settle_one(int folder, const char *name, int depth)
{
    struct stat st;
    CN_AUTO_CLOSE int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) return errno == ELOOP || errno == ENXIO ? CN_ERR_CORRUPT : cn_err_from_errno(errno);
    if (fstat(fd, &st) < 0) return cn_err_from_errno(errno);
    if (S_ISDIR(st.st_mode)) return depth < DEPTH ? settle(fd, depth + 1) : CN_ERR_CORRUPT;
    if (!S_ISREG(st.st_mode) || st.st_nlink != 1) return CN_ERR_CORRUPT;
    return fchmod(fd, 0400) < 0 || fsync(fd) < 0 ? cn_err_from_errno(errno) : CN_OK;
}

/* Makes all of a folder durable. */
static cn_err settle(int folder, int depth)
{
    cn_err err = CN_OK;
    int copy = fcntl(folder, F_DUPFD_CLOEXEC, 0);
    DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
    if (!dir) {
        err = cn_err_from_errno(errno);
        cn_fd_close(&copy);
        return err;
    }
    for (struct dirent *found = NULL; err == CN_OK && (found = readdir(dir));)
        if (strcmp(found->d_name, ".") != 0 && strcmp(found->d_name, "..") != 0)
            err = settle_one(folder, found->d_name, depth);
    closedir(dir);
    if (err == CN_OK && fsync(folder) < 0) err = cn_err_from_errno(errno);
    return err;
}

cn_err cn_files_parts_put(cn_files *files, const char *id, const char *dir)
{
    char parts[PATH_MAX];
    CN_TRY(place(files, id, "", parts));
    CN_AUTO_CLOSE int fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return cn_err_from_errno(errno);
    CN_TRY(settle(fd, 0));
    if (rename(dir, parts) < 0) return cn_err_from_errno(errno);
    return cn_fsync_parent(parts);
}

cn_err cn_files_parts_find(const cn_files *files, const char *id, const char *stem, char *out, size_t size)
{
    char parts[PATH_MAX];
    size_t n = strlen(stem);
    bool is = false;
    CN_TRY(place(files, id, "", parts));
    DIR *dir = opendir(parts);
    if (!dir) return cn_err_from_errno(errno);
    for (struct dirent *found = NULL; !is && (found = readdir(dir));)
        is = strncmp(found->d_name, stem, n) == 0 && found->d_name[n] == '.' &&
             cn_fmt(out, size, "%s/%s", parts, found->d_name);
    closedir(dir);
    return is ? CN_OK : CN_ERR_NOTFOUND;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st, (void)kind, (void)at;
    return remove(path) == 0 || errno == ENOENT ? 0 : -1;
}

/* Under another name first: a crash in the middle leaves no half of a slide. */
cn_err cn_files_parts_remove(cn_files *files, const char *id)
{
    char parts[PATH_MAX], gone[PATH_MAX];
    CN_TRY(place(files, id, "", parts));
    CN_TRY(place(files, id, ".gone", gone));
    nftw(gone, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
    if (rename(parts, gone) < 0) return errno == ENOENT ? CN_OK : cn_err_from_errno(errno);
    return nftw(gone, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) == 0 ? CN_OK : CN_ERR_IO;
}
