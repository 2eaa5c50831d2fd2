#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"

static cn_err read_all(int fd, size_t max, cn_buf *buf)
{
    char chunk[16384];
    for (;;) {
        ssize_t n = read(fd, chunk, sizeof chunk);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return cn_err_from_errno(errno);
        if (n == 0) return CN_OK;
        if ((size_t)n > max - buf->n) return CN_ERR_TOOBIG;
        cn_buf_add(buf, chunk, (size_t)n);
        if (buf->err) return buf->err;
    }
}

cn_err cn_file_read(const char *path, size_t max, char **out, size_t *len)
{
    CN_AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return cn_err_from_errno(errno);
    cn_buf buf = {.max = max ? max : 1};
    cn_buf_add(&buf, "", 0); /* an empty file still gives its terminating zero */
    cn_err err = buf.err ? buf.err : read_all(fd, max, &buf);
    if (err) {
        cn_buf_free(&buf);
        return err;
    }
    *out = buf.p;
    if (len) *len = buf.n;
    return CN_OK;
}

cn_err cn_write_all(int fd, const void *bytes, size_t len)
{
    const char *from = bytes;
    while (len) {
        ssize_t done = write(fd, from, len);
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) return cn_err_from_errno(errno);
        from += done;
        len -= (size_t)done;
    }
    return CN_OK;
}

/* Writes, sets the mode and fsyncs; closes fd in any case. */
static cn_err fill(int fd, const void *bytes, size_t len, unsigned mode)
{
    cn_err err = cn_write_all(fd, bytes, len);
    if (!err && (fchmod(fd, mode) < 0 || fsync(fd) < 0)) err = cn_err_from_errno(errno);
    if (close(fd) < 0 && !err) err = cn_err_from_errno(errno);
    return err;
}

cn_err cn_file_write_durable(const char *path, const void *bytes, size_t len, unsigned mode)
{
    char temporary[PATH_MAX];
    if (!cn_fmt(temporary, sizeof temporary, "%s.XXXXXX", path)) return CN_ERR_INVALID;
    int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0) return cn_err_from_errno(errno);
    cn_err err = fill(fd, bytes, len, mode);
    if (!err && rename(temporary, path) < 0) err = cn_err_from_errno(errno);
    if (err) {
        (void)unlink(temporary);
        return err;
    }
    return cn_fsync_parent(path);
}

cn_err cn_fsync_parent(const char *path)
{
    char folder[PATH_MAX];
    if (!cn_strcpy(folder, sizeof folder, path)) return CN_ERR_INVALID;
    size_t n = strlen(folder);
    while (n > 1 && folder[n - 1] == '/') folder[--n] = 0;
    char *slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder] = 0; /* the root keeps its slash */
    else
        cn_strcpy(folder, sizeof folder, ".");
    CN_AUTO_CLOSE int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) < 0) return cn_err_from_errno(errno);
    return CN_OK;
}

static cn_err make_one(const char *path)
{
    if (mkdir(path, 0700) == 0) return cn_fsync_parent(path);
    if (errno != EEXIST) return cn_err_from_errno(errno);
    struct stat st;
    if (stat(path, &st) < 0) return cn_err_from_errno(errno);
    return S_ISDIR(st.st_mode) ? CN_OK : CN_ERR_CONFLICT;
}

cn_err cn_mkdirs(const char *path)
{
    char part[PATH_MAX];
    if (!*path || !cn_strcpy(part, sizeof part, path)) return CN_ERR_INVALID;
    for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        CN_TRY(make_one(part));
        *slash = '/';
    }
    return make_one(part);
}

cn_err cn_read_at(int fd, void *into, size_t len, uint64_t offset, bool wait)
{
    size_t done = 0;
    while (done < len) {
        const struct iovec to = {.iov_base = (char *)into + done, .iov_len = len - done};
        ssize_t got = preadv2(fd, &to, 1, (off_t)(offset + done), wait ? 0 : RWF_NOWAIT);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 && wait) return cn_err_from_errno(errno);
        if (got <= 0) return wait ? CN_ERR_CORRUPT : CN_ERR_AGAIN;
        done += (size_t)got;
    }
    return CN_OK;
}
