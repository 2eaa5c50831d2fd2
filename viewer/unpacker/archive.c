#include "viewer/unpacker/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"

#define BLOCK ((size_t)1 << 20)
#define PATH 4096
/* JPEG data hardly shrink; an uncompressed TIFF of a mostly empty slide does so a hundredfold */
#define RATIO 200
#define RATIO_FROM ((int64_t)64 << 20)

typedef struct unpacking {
    struct archive *zip;
    struct archive_entry *entry;
    cn_zip_refusal *refusal;
    int64_t left; /* bytes that may still be unpacked */
    size_t i;     /* of the entry */
    char *block;
} unpacking;

static cn_err refuse(unpacking *work, cn_zip_refusal why)
{
    *work->refusal = why;
    return CN_ERR_INVALID;
}

static void close_zip(unpacking *work)
{
    if (work->zip) archive_read_free(work->zip);
    free(work->block);
    *work = (unpacking){.zip = NULL};
}

/* By its directory, at the end: one that was cut off has none. */
static cn_err open_zip(unpacking *work, const char *path, int64_t max, cn_zip_refusal *refusal)
{
    struct stat st;
    *work = (unpacking){.refusal = refusal, .left = max};
    if (stat(path, &st) != 0) return cn_err_from_errno(errno);
    int64_t most = RATIO_FROM;
    if (!__builtin_mul_overflow((int64_t)st.st_size, (int64_t)RATIO, &most) && most < INT64_MAX - RATIO_FROM)
        most += RATIO_FROM;
    if (most < work->left) work->left = most;
    work->block = malloc(BLOCK);
    work->zip = archive_read_new();
    if (!work->zip || !work->block) return CN_ERR_NOMEM;
    archive_read_support_format_zip_seekable(work->zip);
    if (archive_read_open_filename(work->zip, path, BLOCK) != ARCHIVE_OK) return refuse(work, CN_ZIP_DAMAGED);
    return CN_OK;
}

/* CN_ERR_CLOSED after the last one. */
static cn_err next_entry(unpacking *work)
{
    int rc = archive_read_next_header(work->zip, &work->entry);
    if (rc == ARCHIVE_EOF) return CN_ERR_CLOSED;
    if (rc != ARCHIVE_OK && rc != ARCHIVE_WARN) return refuse(work, CN_ZIP_DAMAGED);
    if (archive_entry_is_encrypted(work->entry)) return refuse(work, CN_ZIP_PASSWORD);
    mode_t type = archive_entry_filetype(work->entry);
    if ((type != AE_IFREG && type != AE_IFDIR) || archive_entry_hardlink(work->entry) ||
        archive_entry_symlink(work->entry))
        return refuse(work, CN_ZIP_LINK);
    if (!archive_entry_pathname(work->entry)) return refuse(work, CN_ZIP_NAME);
    return CN_OK;
}

static cn_err read_failed(unpacking *work)
{
    const char *said = archive_error_string(work->zip);
    return refuse(work, said && strstr(said, "compression method") ? CN_ZIP_METHOD : CN_ZIP_DAMAGED);
}

/* ---- the plan ---- */

static cn_err list(unpacking *work, cn_parts *plan)
{
    for (;;) {
        cn_err err = next_entry(work);
        if (err == CN_ERR_CLOSED) return CN_OK;
        CN_TRY(err);
        const char *name = archive_entry_pathname(work->entry);
        int64_t size = archive_entry_size_is_set(work->entry) ? archive_entry_size(work->entry) : -1;
        if (size < 0 && archive_entry_filetype(work->entry) == AE_IFREG) return refuse(work, CN_ZIP_DAMAGED);
        CN_TRY(cn_parts_add(plan, name, strlen(name), archive_entry_filetype(work->entry) == AE_IFDIR, size,
                            work->refusal));
    }
}

/* Goes on to entry `i`, which was there before. */
static cn_err go_to(unpacking *work, size_t i)
{
    for (;; work->i++) {
        cn_err err = next_entry(work);
        if (err == CN_ERR_CLOSED) return refuse(work, CN_ZIP_DAMAGED);
        CN_TRY(err);
        if (work->i == i) break;
    }
    work->i++;
    return CN_OK;
}

static cn_err read_keys(unpacking *work, cn_parts *plan)
{
    size_t n = 0;
    CN_TRY(go_to(work, (size_t)cn_parts_keys(plan)));
    for (la_ssize_t got = 1; got > 0; n += (size_t)got) {
        if (n == CN_PLAN_KEYS) return refuse(work, CN_ZIP_DAMAGED);
        got = archive_read_data(work->zip, work->block + n, CN_PLAN_KEYS - n);
        if (got < 0) return read_failed(work);
    }
    return cn_parts_take(plan, work->block, n, work->refusal);
}

/* One byte of each: a way of compressing that is not known shows at once, not after minutes of unpacking. */
static cn_err try_parts(unpacking *work, cn_parts *plan)
{
    char byte;
    if (cn_parts_bytes(plan) > work->left) return refuse(work, CN_ZIP_BOMB);
    for (size_t i = 0; i < cn_parts_count(plan); i++) {
        if (!cn_parts_to(plan, i)) continue;
        CN_TRY(go_to(work, i));
        if (archive_read_data(work->zip, &byte, 1) < 0) return read_failed(work);
    }
    return CN_OK;
}

typedef cn_err pass_over(unpacking *work, cn_parts *plan);

/* Each reads the archive from its front. */
static cn_err run(pass_over *what, const char *zip, int64_t max, cn_parts *plan, cn_zip_refusal *refusal)
{
    unpacking work;
    cn_err err = open_zip(&work, zip, max, refusal);
    if (err == CN_OK) err = what(&work, plan);
    close_zip(&work);
    return err;
}

cn_err cn_archive_plan(const char *zip, int64_t max, cn_parts **out, cn_zip_refusal *refusal)
{
    cn_parts *plan = NULL;
    CN_TRY(cn_parts_new(&plan));
    cn_err err = run(list, zip, max, plan, refusal);
    if (err == CN_OK) err = cn_parts_find(plan, refusal);
    if (err == CN_OK && cn_parts_keys(plan) >= 0) err = run(read_keys, zip, max, plan, refusal);
    if (err == CN_OK) err = run(try_parts, zip, max, plan, refusal);
    if (err != CN_OK) {
        cn_parts_free(plan);
        return err;
    }
    *out = plan;
    return CN_OK;
}

/* ---- unpacking ---- */

static cn_err copy_out(unpacking *work, int fd)
{
    for (;;) {
        la_ssize_t got = archive_read_data(work->zip, work->block, BLOCK);
        if (got == 0) return CN_OK;
        if (got < 0) return read_failed(work);
        work->left -= got;
        if (work->left < 0) return refuse(work, CN_ZIP_BOMB);
        CN_TRY(cn_write_all(fd, work->block, (size_t)got));
    }
}

static cn_err unpack_part(unpacking *work, const char *dir, const char *to)
{
    char path[PATH];
    const char *slash = strrchr(to, '/');
    if (slash && (!cn_fmt(path, sizeof(path), "%s/%.*s", dir, (int)(slash - to), to) ||
                  (mkdir(path, 0700) != 0 && errno != EEXIST)))
        return cn_err_from_errno(errno);
    if (!cn_fmt(path, sizeof(path), "%s/%s", dir, to)) return CN_ERR_TOOBIG;
    CN_AUTO_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    /* two parts under one name of the slide's key file */
    if (fd < 0) return errno == EEXIST ? refuse(work, CN_ZIP_TWICE) : cn_err_from_errno(errno);
    return copy_out(work, fd);
}

cn_err cn_archive_unpack(const char *zip, int64_t max, const cn_parts *plan, const char *dir, cn_zip_refusal *refusal)
{
    unpacking work;
    cn_err err = open_zip(&work, zip, max, refusal);
    for (size_t i = 0; err == CN_OK && i < cn_parts_count(plan); i++) {
        const char *to = cn_parts_to(plan, i);
        if (!to) continue;
        err = go_to(&work, i);
        if (err == CN_OK) err = unpack_part(&work, dir, to);
    }
    close_zip(&work);
    return err;
}
