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

bool cn_head_format(const cn_head *head, char out[CN_HEAD_TEXT])
{
    char link[2 * CN_CHAIN_LINK + 1], at[CN_TIME_TEXT];
    cn_hex(head->link, CN_CHAIN_LINK, link);
    cn_time_format(cn_wall_ms(), at);
    return cn_fmt(out, CN_HEAD_TEXT, "%s %s %s %" PRId64 " %s %s", head->log, head->node, head->boot, head->counter,
                  link, at);
}

/* Next word of a line, at most size - 1 bytes; false when there is none or it is longer. */
static bool word(const char **at, const char *end, char *out, size_t size)
{
    const char *from = *at;
    const char *space = memchr(from, ' ', (size_t)(end - from));
    const char *to = space ? space : end;
    size_t n = (size_t)(to - from);
    if (n == 0 || n >= size || memchr(from, 0, n)) return false;
    memcpy(out, from, n);
    out[n] = 0;
    *at = space ? to + 1 : to;
    return true;
}

bool cn_head_parse(const char *line, size_t len, cn_head *out)
{
    char counter[24], link[2 * CN_CHAIN_LINK + 1];
    const char *p = line, *end = line + len;
    memset(out, 0, sizeof *out);
    return word(&p, end, out->log, sizeof out->log) && word(&p, end, out->node, sizeof out->node) &&
           word(&p, end, out->boot, sizeof out->boot) && word(&p, end, counter, sizeof counter) &&
           word(&p, end, link, sizeof link) && cn_parse_i64(counter, 1, INT64_MAX, &out->counter) &&
           cn_unhex(link, out->link, CN_CHAIN_LINK);
}

static int by_chain(const cn_head *left, const cn_head *right)
{
    int c = strcmp(left->log, right->log);
    if (c == 0) c = strcmp(left->node, right->node);
    return c ? c : strcmp(left->boot, right->boot);
}

static int by_place(const void *left, const void *right)
{
    const cn_head *head = left, *header = right;
    int c = by_chain(head, header);
    return c ? c : (head->counter > header->counter) - (head->counter < header->counter);
}

/* A last line without its end is what a power cut left of a head that was never answered for. */
static cn_err parse_all(const char *text, size_t size, cn_head **out, size_t *count, size_t *bad)
{
    size_t lines = 0;
    for (const char *p = text; (p = memchr(p, '\n', size - (size_t)(p - text))); p++) lines++;
    cn_head *heads = cn_calloc(lines + 1, sizeof *heads);
    if (!heads) return CN_ERR_NOMEM;
    const char *p = text;
    *count = *bad = 0;
    for (size_t i = 0; i < lines; i++) {
        const char *end = memchr(p, '\n', size - (size_t)(p - text));
        if (cn_head_parse(p, (size_t)(end - p), &heads[*count]))
            ++*count;
        else if (end > p)
            ++*bad;
        p = end + 1;
    }
    qsort(heads, *count, sizeof *heads, by_place);
    *out = heads;
    return CN_OK;
}

cn_err cn_heads_read(const char *path, cn_head **out, size_t *count, size_t *bad)
{
    CN_AUTO_FREE char *text = NULL;
    size_t size = 0;
    CN_TRY(cn_file_read(path, READ_MAX, &text, &size));
    return parse_all(text, size, out, count, bad);
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
        if (i + 1 < n && by_chain(&heads[i], &heads[i + 1]) == 0) continue;
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
