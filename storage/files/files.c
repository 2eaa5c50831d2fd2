#include "storage/files/files_private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"

#define WHERE "storage.files"
#define SPARE_BYTES ((uint64_t)64 << 20) /* kept for the database and the logs */
#define LOCK_TRIES 150                   /* of 20 ms */
#define CHUNK ((size_t)1 << 20)
#define ID_MAX 64
#define TEMPORARY_MAX_S (24 * 3600)
#define HASH_TEXT 65

/* ---- places ---- */

static cn_err place(const cn_files *files, char out[PATH_MAX], const char *folder, const char *name, const char *suffix)
{
    return cn_fmt(out, PATH_MAX, "%s/%s/%s%s", files->root, folder, name, suffix) ? CN_OK : CN_ERR_INVALID;
}

bool cn_files_id_is_good(const char *id)
{
    size_t n = strlen(id);
    return n > 0 && n <= ID_MAX && strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") == n;
}

static cn_err part_place(const cn_files *files, const char *id, char out[PATH_MAX])
{
    return cn_files_id_is_good(id) ? place(files, out, "uploads", id, ".part") : CN_ERR_INVALID;
}

static cn_err object_place(const cn_files *files, const char *hex, char *out, size_t size)
{
    if (strlen(hex) != 64 || strspn(hex, "0123456789abcdef") != 64) return CN_ERR_INVALID;
    return cn_fmt(out, size, "%s/objects/%.2s/%s", files->root, hex, hex + 2) ? CN_OK : CN_ERR_TOOBIG;
}

/* What a crash left of files that were being stored; younger ones may be another node's. */
static void sweep_temporaries(const cn_files *files)
{
    char path[PATH_MAX];
    struct stat st;
    if (place(files, path, "tmp", "", "") != CN_OK) return;
    DIR *dir = opendir(path);
    for (struct dirent *found = NULL; dir && (found = readdir(dir));) {
        if (!cn_files_id_is_good(found->d_name) || place(files, path, "tmp", found->d_name, "") != CN_OK) continue;
        if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && cn_wall_ms() / 1000 - st.st_mtime > TEMPORARY_MAX_S)
            unlink(path);
    }
    if (dir) closedir(dir);
}

/* Paths go to helper processes, which stand elsewhere and want them from the root of the file system. */
static cn_err open_root(cn_files *files, const char *root)
{
    if (!*root) return CN_ERR_INVALID;
    CN_TRY(cn_mkdirs(root));
    CN_AUTO_FREE char *real = realpath(root, NULL);
    if (!real) return cn_err_from_errno(errno);
    return cn_strcpy(files->root, sizeof files->root, real) ? CN_OK : CN_ERR_INVALID;
}

cn_err cn_files_open(cn_files **out, const char *root)
{
    static const char *const folders[] = {"objects", "indexes", "uploads", "slides", "tmp"};
    char path[PATH_MAX];
    cn_files *files = CN_NEW(cn_files);
    if (!files) return CN_ERR_NOMEM;
    cn_err err = open_root(files, root);
    for (size_t i = 0; err == CN_OK && i < sizeof folders / sizeof *folders; i++) {
        err = place(files, path, folders[i], "", "");
        if (err == CN_OK) err = cn_mkdirs(path);
    }
    if (err != CN_OK) {
        free(files);
        return err;
    }
    sweep_temporaries(files);
    *out = files;
    return CN_OK;
}

void cn_files_close(cn_files *files)
{
    free(files);
}

cn_err cn_files_ping(const cn_files *files)
{
    struct statvfs fs;
    if (statvfs(files->root, &fs) < 0) return cn_err_from_errno(errno);
    return (uint64_t)fs.f_bavail * fs.f_frsize < SPARE_BYTES ? CN_ERR_NOSPACE : CN_OK;
}

cn_err cn_files_path(const cn_files *files, const char *sha256_hex, char *out, size_t size)
{
    CN_TRY(object_place(files, sha256_hex, out, size));
    return access(out, F_OK) == 0 ? CN_OK : cn_err_from_errno(errno);
}

cn_err cn_files_index_path(const cn_files *files, const char *sha256_hex, char *out, size_t size)
{
    char object[PATH_MAX], folder[PATH_MAX];
    CN_TRY(object_place(files, sha256_hex, object, sizeof object)); /* 64 hex digits they are */
    if (!cn_fmt(folder, sizeof folder, "%s/indexes/%.2s", files->root, sha256_hex)) return CN_ERR_TOOBIG;
    if (mkdir(folder, 0700) != 0 && errno != EEXIST) return cn_err_from_errno(errno);
    return cn_fmt(out, size, "%s/%s", folder, sha256_hex + 2) ? CN_OK : CN_ERR_TOOBIG;
}

/* ---- objects ---- */

static cn_err hash_file(int fd, char hex[HASH_TEXT], int64_t *size)
{
    uint8_t digest[CN_SHA256_LEN];
    cn_sha256_ctx *hash = NULL;
    CN_AUTO_FREE char *chunk = cn_calloc(1, CHUNK);
    if (!chunk) return CN_ERR_NOMEM;
    CN_TRY(cn_sha256_new(&hash));
    off_t at = 0;
    ssize_t n = 0;
    while ((n = pread(fd, chunk, CHUNK, at)) > 0 || (n < 0 && errno == EINTR)) {
        if (n < 0) continue;
        cn_sha256_add(hash, chunk, (size_t)n);
        at += n;
    }
    cn_err err = n < 0 ? cn_err_from_errno(errno) : CN_OK;
    cn_sha256_final(hash, digest);
    cn_sha256_free(hash);
    cn_hex(digest, sizeof digest, hex);
    *size = at;
    return err;
}

/* What is there already is kept, unless its size says that it cannot be the same. */
static cn_err link_or_keep(const char *from, const char *to, int64_t size)
{
    struct stat st;
    if (link(from, to) == 0) return CN_OK;
    if (errno != EEXIST) return cn_err_from_errno(errno);
    if (stat(to, &st) < 0) return cn_err_from_errno(errno);
    if (st.st_size == size) return CN_OK;
    cn_error(WHERE, "an object has %lld bytes instead of %lld: replaced", (long long)st.st_size, (long long)size);
    return rename(from, to) < 0 ? cn_err_from_errno(errno) : CN_OK;
}

/*
 * Links a finished, hashed file into its place, where it has a second name. The folder is synced also
 * when the object was there already: whoever put it there may not have come so far yet.
 */
static cn_err place_object(const cn_files *files, const char *from, const char *hex, int64_t size)
{
    char to[PATH_MAX];
    CN_TRY(object_place(files, hex, to, sizeof to));
    char *slash = strrchr(to, '/');
    *slash = 0;
    CN_TRY(cn_mkdirs(to));
    *slash = '/';
    return link_or_keep(from, to, size);
}

static cn_err sync_place(const cn_files *files, const char *hex)
{
    char to[PATH_MAX];
    CN_TRY(object_place(files, hex, to, sizeof to));
    return cn_fsync_parent(to);
}

static cn_err publish(const cn_files *files, int fd, const char *from, const char *hex, int64_t size)
{
    if (fchmod(fd, 0400) < 0 || fsync(fd) < 0) return cn_err_from_errno(errno);
    CN_TRY(place_object(files, from, hex, size));
    return sync_place(files, hex);
}

static cn_err temporary(const cn_files *files, char path[PATH_MAX], int *fd)
{
    char id[CN_ID_TEXT];
    cn_id_new(id);
    CN_TRY(place(files, path, "tmp", id, ""));
    *fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    return *fd < 0 ? cn_err_from_errno(errno) : CN_OK;
}

static cn_err copy_in(int from, int to)
{
    CN_AUTO_FREE char *chunk = cn_calloc(1, CHUNK);
    if (!chunk) return CN_ERR_NOMEM;
    for (;;) {
        ssize_t n = read(from, chunk, CHUNK);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return cn_err_from_errno(errno);
        if (n == 0) return CN_OK;
        CN_TRY(cn_write_all(to, chunk, (size_t)n));
    }
}

cn_err cn_files_put_path(cn_files *files, const char *path, char sha256_hex[65])
{
    char copy[PATH_MAX];
    CN_AUTO_CLOSE int from = open(path, O_RDONLY | O_CLOEXEC);
    CN_AUTO_CLOSE int fd = -1;
    int64_t size = 0;
    if (from < 0) return cn_err_from_errno(errno);
    CN_TRY(cn_files_ping(files));
    CN_TRY(temporary(files, copy, &fd));
    cn_err err = copy_in(from, fd);
    if (err == CN_OK) err = hash_file(fd, sha256_hex, &size);
    if (err == CN_OK) err = publish(files, fd, copy, sha256_hex, size);
    if (unlink(copy) < 0 && errno != ENOENT && err == CN_OK) err = cn_err_from_errno(errno);
    return err;
}

/* ---- uploads ---- */

/* Two requests on one upload would write over each other. The second one waits a moment, since it may be the client
 * that comes back while the disk still takes what its cut connection had brought; then it is refused. */
static cn_err part_lock(int fd)
{
    for (int i = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; i++) {
        if (errno != EWOULDBLOCK) return cn_err_from_errno(errno);
        if (i == LOCK_TRIES) return CN_ERR_CONFLICT;
        nanosleep(&(struct timespec){.tv_nsec = 20 * 1000 * 1000}, NULL);
    }
    return CN_OK;
}

static cn_err part_open(const cn_files *files, const char *id, int *fd)
{
    char path[PATH_MAX];
    CN_TRY(part_place(files, id, path));
    *fd = open(path, O_RDWR | O_CLOEXEC);
    if (*fd < 0) return cn_err_from_errno(errno);
    return part_lock(*fd);
}

cn_err cn_part_begin(cn_files *files, const char *id)
{
    char path[PATH_MAX];
    CN_TRY(part_place(files, id, path));
    CN_TRY(cn_files_ping(files));
    CN_AUTO_CLOSE int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) return errno == EEXIST ? CN_ERR_CONFLICT : cn_err_from_errno(errno);
    return CN_OK;
}

cn_err cn_part_create(cn_files *files, const char *id)
{
    char path[PATH_MAX];
    CN_TRY(cn_part_begin(files, id));
    CN_TRY(part_place(files, id, path));
    return cn_fsync_parent(path);
}

cn_err cn_part_length(cn_files *files, const char *id, int64_t *out)
{
    char path[PATH_MAX];
    struct stat st;
    CN_TRY(part_place(files, id, path));
    if (stat(path, &st) < 0) return cn_err_from_errno(errno);
    *out = st.st_size;
    return CN_OK;
}

static cn_err append_at(int fd, int64_t offset, const char *bytes, size_t len)
{
    for (size_t done = 0; done < len;) {
        ssize_t k = pwrite(fd, bytes + done, len - done, offset + (off_t)done);
        if (k < 0 && errno == EINTR) continue;
        if (k < 0) return errno == EFBIG || errno == EDQUOT ? CN_ERR_NOSPACE : cn_err_from_errno(errno);
        done += (size_t)k;
    }
    return CN_OK;
}

cn_err cn_part_append(cn_files *files, const char *id, int64_t offset, const void *bytes, size_t len)
{
    CN_AUTO_CLOSE int fd = -1;
    struct stat st;
    CN_TRY(part_open(files, id, &fd));
    if (fstat(fd, &st) < 0) return cn_err_from_errno(errno);
    if (st.st_size != offset) return CN_ERR_CONFLICT;
    CN_TRY(cn_files_ping(files));
    cn_err err = append_at(fd, offset, bytes, len);
    if (err != CN_OK && ftruncate(fd, offset) < 0) cn_error(WHERE, "an upload cannot be cut back: %s", strerror(errno));
    return err;
}

cn_err cn_part_sync(cn_files *files, const char *id)
{
    char path[PATH_MAX];
    CN_TRY(part_place(files, id, path));
    CN_AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd < 0 || fsync(fd) < 0 ? cn_err_from_errno(errno) : CN_OK;
}

cn_err cn_part_path(const cn_files *files, const char *id, char *out, size_t size)
{
    char path[PATH_MAX];
    CN_TRY(part_place(files, id, path));
    return cn_strcpy(out, size, path) ? CN_OK : CN_ERR_TOOBIG;
}

/* A part that was published before a crash is read-only: it is hashed and published again. */
static cn_err part_open_read(const cn_files *files, const char *id, int *fd)
{
    char path[PATH_MAX];
    CN_TRY(part_place(files, id, path));
    *fd = open(path, O_RDONLY | O_CLOEXEC);
    if (*fd < 0) return cn_err_from_errno(errno);
    return part_lock(*fd);
}

cn_err cn_part_hash(cn_files *files, const char *id, char sha256_hex[65], int64_t *size)
{
    CN_AUTO_CLOSE int fd = -1;
    CN_TRY(part_open_read(files, id, &fd));
    return hash_file(fd, sha256_hex, size);
}

cn_err cn_part_publish(cn_files *files, const char *id, const char *sha256_hex, int64_t size)
{
    char path[PATH_MAX];
    CN_AUTO_CLOSE int fd = -1;
    CN_TRY(part_place(files, id, path));
    CN_TRY(part_open_read(files, id, &fd));
    return publish(files, fd, path, sha256_hex, size);
}

static cn_err open_parts(const cn_files *files, const cn_part *list, size_t count, int *fds)
{
    for (size_t i = 0; i < count; i++) {
        CN_TRY(part_open_read(files, list[i].id, &fds[i]));
        if (fchmod(fds[i], 0400) < 0) return cn_err_from_errno(errno);
    }
    return CN_OK;
}

static cn_err place_parts(const cn_files *files, const cn_part *list, size_t count)
{
    char path[PATH_MAX];
    for (size_t i = 0; i < count; i++) {
        CN_TRY(part_place(files, list[i].id, path));
        CN_TRY(place_object(files, path, list[i].sha256, list[i].size));
    }
    return CN_OK;
}

/* A flush of the disk for each file and each folder takes longer than writing them: the file system is synced as a whole, first with the
 * bytes, then with the names. Linux tells of failed writes since 5.8. */
static cn_err sync_all(int fd)
{
    return syncfs(fd) < 0 ? cn_err_from_errno(errno) : CN_OK;
}

cn_err cn_parts_publish(cn_files *files, const cn_part *list, size_t count)
{
    int fds[CN_PARTS_AT_ONCE];
    if (count > CN_PARTS_AT_ONCE) return CN_ERR_TOOBIG;
    if (count == 1) return cn_part_publish(files, list->id, list->sha256, list->size);
    for (size_t i = 0; i < count; i++) fds[i] = -1;
    if (count == 0) return CN_OK;
    cn_err err = open_parts(files, list, count, fds);
    if (err == CN_OK) err = sync_all(fds[0]);
    if (err == CN_OK) err = place_parts(files, list, count);
    if (err == CN_OK) err = sync_all(fds[0]);
    for (size_t i = 0; i < count; i++) cn_fd_close(&fds[i]);
    return err;
}

cn_err cn_part_remove(cn_files *files, const char *id)
{
    char path[PATH_MAX];
    CN_TRY(part_place(files, id, path));
    return unlink(path) < 0 ? cn_err_from_errno(errno) : CN_OK;
}

/* ---- slides under their names ---- */

#define NAME_MAX_BYTES 200
#define DEPTH_MAX 8

/* Cuts to `max` bytes at the border of a character, keeping the extension. */
static void shorten(char *name, size_t max)
{
    size_t n = strlen(name);
    const char *dot = strrchr(name, '.');
    size_t tail = dot && strlen(dot) < 32 ? strlen(dot) : 0;
    if (n <= max) return;
    size_t keep = max - tail;
    while (keep > 0 && ((unsigned char)name[keep] & 0xc0) == 0x80) keep--;
    memmove(name + keep, name + n - tail, tail + 1);
}

/* One component of a name: no control characters, nothing that a file system or a shell takes specially, no dot in
 * front. */
static cn_err clean_component(char *text)
{
    if (strcmp(text, "..") == 0) return CN_ERR_INVALID;
    for (char *p = text; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f || strchr("<>:\"|?*", *p)) *p = '_';
    if (*text == '.' || *text == '-') *text = '_';
    shorten(text, NAME_MAX_BYTES);
    return CN_OK;
}

static cn_err clean_name(const char *name, char out[PATH_MAX])
{
    cn_buf buf = {.max = PATH_MAX};
    CN_AUTO_FREE char *copy = cn_strdup(name);
    unsigned depth = 0;
    cn_err err = copy ? CN_OK : CN_ERR_NOMEM;
    if (err == CN_OK && !cn_utf8_valid(name, strlen(name))) err = CN_ERR_INVALID;
    for (char *p = copy, *end = NULL; err == CN_OK && p; p = end) {
        end = strpbrk(p, "/\\");
        if (end) *end++ = 0;
        if (*p == 0 || strcmp(p, ".") == 0) continue;
        err = ++depth > DEPTH_MAX ? CN_ERR_INVALID : clean_component(p);
        if (buf.n) cn_buf_str(&buf, "/");
        cn_buf_str(&buf, p);
    }
    if (err == CN_OK) err = buf.err;
    if (err == CN_OK) err = buf.n && cn_strcpy(out, PATH_MAX, buf.p) ? CN_OK : CN_ERR_INVALID;
    cn_buf_free(&buf);
    return err;
}

static cn_err same_file(const char *left, const char *right)
{
    struct stat info, y;
    if (stat(left, &info) < 0 || stat(right, &y) < 0) return cn_err_from_errno(errno);
    return info.st_ino == y.st_ino && info.st_dev == y.st_dev ? CN_OK : CN_ERR_CONFLICT;
}

cn_err cn_files_link_named(cn_files *files, const char *id, const char *name, const char *sha256_hex, char *out,
                           size_t size)
{
    char object[PATH_MAX], clean[PATH_MAX], path[PATH_MAX];
    if (!cn_files_id_is_good(id)) return CN_ERR_INVALID;
    CN_TRY(cn_files_path(files, sha256_hex, object, sizeof object));
    CN_TRY(clean_name(name, clean));
    if (!cn_fmt(path, sizeof path, "%s/slides/%s/%s", files->root, id, clean)) return CN_ERR_INVALID;
    char *slash = strrchr(path, '/');
    *slash = 0;
    CN_TRY(cn_mkdirs(path));
    *slash = '/';
    if (link(object, path) < 0) {
        if (errno != EEXIST) return cn_err_from_errno(errno);
        CN_TRY(same_file(object, path));
    }
    CN_TRY(cn_fsync_parent(path));
    return cn_strcpy(out, size, path) ? CN_OK : CN_ERR_TOOBIG;
}

cn_err cn_files_unlink_beside(cn_files *files, const char *id, const char *name)
{
    char path[PATH_MAX];
    if (!cn_files_id_is_good(id) || strchr(name, '/') || *name == '.') return CN_ERR_INVALID;
    if (!cn_fmt(path, sizeof path, "%s/slides/%s/%s", files->root, id, name)) return CN_ERR_INVALID;
    return unlink(path) == 0 || errno == ENOENT ? CN_OK : cn_err_from_errno(errno);
}
