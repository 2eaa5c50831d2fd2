#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "storage/chain/chain_private.h"

#define WHERE "storage.heads"
#define COMPACT_BYTES (8 << 20)
#define READ_MAX ((size_t)1 << 30)

struct cn_heads {
    char *path;
    int fd;
};

cn_err cn_heads_read(const char *path, cn_head **out, size_t *count, size_t *bad)
{
    CN_AUTO_FREE char *text = NULL;
    size_t size = 0;
    CN_TRY(cn_file_read(path, READ_MAX, &text, &size));
    return cn_heads_parse(text, size, out, count, bad);
}

cn_err cn_heads_clone(const char *from, const char *to)
{
    CN_AUTO_FREE char *text = NULL, *dir = cn_strdup(to);
    size_t size = 0;
    if (!dir) return CN_ERR_NOMEM;
    char *slash = strrchr(dir, '/');
    if (slash && slash != dir) {
        *slash = '\0';
        CN_TRY(cn_mkdirs(dir));
    }
    CN_TRY(cn_file_read(from, READ_MAX, &text, &size));
    return cn_file_write_durable(to, text, size, 0600);
}

static cn_err reopen(cn_heads *heads)
{
    cn_fd_close(&heads->fd);
    heads->fd = open(heads->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    return heads->fd < 0 ? cn_err_from_errno(errno) : cn_fsync_parent(heads->path);
}

/* Alone on the file that is under the path now: another process may have put a shorter one there. */
static cn_err lock_current(cn_heads *heads, struct stat *st)
{
    for (int tries = 0; tries < 10; tries++) {
        if (heads->fd < 0) CN_TRY(reopen(heads));
        while (flock(heads->fd, LOCK_EX) < 0)
            if (errno != EINTR) return cn_err_from_errno(errno);
        if (fstat(heads->fd, st) < 0) return cn_err_from_errno(errno);
        if (st->st_nlink > 0) return CN_OK;
        cn_fd_close(&heads->fd);
    }
    return CN_ERR_IO;
}

/* Ends a torn last line, so that the next head does not become part of it. */
static cn_err end_torn_line(cn_heads *heads, off_t size)
{
    char last = '\n';
    if (size > 0 && pread(heads->fd, &last, 1, size - 1) != 1) return CN_ERR_IO;
    return last == '\n' ? CN_OK : cn_write_all(heads->fd, "\n", 1);
}

static cn_err append_locked(cn_heads *heads, const char *line, size_t len, off_t size)
{
    CN_TRY(end_torn_line(heads, size));
    cn_err err = cn_write_all(heads->fd, line, len);
    if (err != CN_OK && ftruncate(heads->fd, size) < 0) cn_warn(WHERE, "a partial line is left: %s", strerror(errno));
    return err;
}

cn_err cn_heads_append(cn_heads *heads, const cn_head *head)
{
    char line[CN_HEAD_TEXT + 1];
    struct stat st;
    if (!cn_head_format(head, line)) return CN_ERR_TOOBIG;
    size_t n = strlen(line);
    line[n++] = '\n';
    CN_TRY(lock_current(heads, &st));
    cn_err err = append_locked(heads, line, n, st.st_size);
    flock(heads->fd, LOCK_UN);
    if (err == CN_OK && fdatasync(heads->fd) < 0) err = cn_err_from_errno(errno);
    return err;
}

/* Only the last head of each chain is needed: it covers all rows before it. */
static cn_err compact_locked(cn_heads *list)
{
    cn_head *heads = NULL;
    size_t n = 0, bad = 0;
    cn_buf text = {.max = READ_MAX};
    char line[CN_HEAD_TEXT];
    CN_TRY(cn_heads_read(list->path, &heads, &n, &bad));
    for (size_t i = 0; i < n; i++) {
        if (i + 1 < n && cn_head_by_chain(&heads[i], &heads[i + 1]) == 0) continue;
        if (!cn_head_format(&heads[i], line)) continue;
        cn_buf_str(&text, line);
        cn_buf_str(&text, "\n");
    }
    free(heads);
    cn_err err = text.err;
    if (err == CN_OK) err = cn_file_write_durable(list->path, text.n ? text.p : "", text.n, 0600);
    cn_buf_free(&text);
    return err;
}

cn_err cn_heads_open(cn_heads **out, const char *path)
{
    struct stat st;
    cn_heads *heads = CN_NEW(cn_heads);
    if (!heads) return CN_ERR_NOMEM;
    heads->fd = -1;
    heads->path = cn_strdup(path);
    char *slash = heads->path ? strrchr(heads->path, '/') : NULL;
    cn_err err = heads->path ? CN_OK : CN_ERR_NOMEM;
    if (slash && slash != heads->path) {
        *slash = 0;
        err = cn_mkdirs(heads->path);
        *slash = '/';
    }
    if (err == CN_OK) err = lock_current(heads, &st);
    if (err == CN_OK && st.st_size > COMPACT_BYTES) {
        err = compact_locked(heads);
        cn_fd_close(&heads->fd);
    }
    if (heads->fd >= 0) flock(heads->fd, LOCK_UN);
    if (err != CN_OK) {
        cn_heads_close(heads);
        return err;
    }
    *out = heads;
    return CN_OK;
}

void cn_heads_close(cn_heads *heads)
{
    if (!heads) return;
    cn_fd_close(&heads->fd);
    free(heads->path);
    free(heads);
}
