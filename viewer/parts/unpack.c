#include "viewer/parts/unpack.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/statvfs.h>

#include "base/child.h"
#include "base/log.h"
#include "base/str.h"
#include "viewer/scratch.h"

#define PATH 4096
#define LOOK_SECONDS 20
#define CPU_SECONDS 3600
#define WALL_SECONDS 10800
#define SPARE_BYTES ((int64_t)256 << 20) /* left for the database and for others */

/* a sanitizer's shadow alone is larger than any limit */
#ifdef __SANITIZE_ADDRESS__
#define MEMORY ((size_t)0)
#else
#define MEMORY ((size_t)1 << 30)
#endif

static _Atomic int64_t bound = (int64_t)64 << 30;

void cn_unpack_bound(int64_t max_bytes)
{
    atomic_store(&bound, max_bytes);
}

static cn_err run(const char *const argv[], const char *path, const char *dir, int stop_fd, cn_zip_refusal *refusal)
{
    const char *const write_paths[] = {dir, NULL}, *const read_paths[] = {path, NULL};
    const cn_child_limits limits = {.cpu_seconds = dir ? CPU_SECONDS : LOOK_SECONDS,
                                    .wall_seconds = dir ? WALL_SECONDS : LOOK_SECONDS,
                                    .memory_bytes = MEMORY,
                                    .file_bytes = (size_t)atomic_load(&bound),
                                    .niceness = dir ? 5 : 0,
                                    .no_network = true,
                                    .write_paths = dir ? write_paths : NULL,
                                    .read_paths = read_paths,
                                    .work_dir = dir,
                                    .stop_fd = stop_fd};
    int status = -1;
    CN_TRY(cn_child_run(argv, &limits, &status));
    if (status == 0) return CN_OK;
    if (status == CN_ZIP_NO_SPACE) return CN_ERR_NOSPACE;
    if (status <= CN_ZIP_STATUS || status >= CN_ZIP_STATUS + (int)CN_ZIP_REFUSALS) return CN_ERR_CRASHED;
    *refusal = (cn_zip_refusal)(status - CN_ZIP_STATUS);
    return CN_ERR_INVALID;
}

static cn_err program_path(char out[PATH])
{
    char dir[PATH];
    CN_TRY(cn_program_dir(dir, sizeof(dir)));
    return cn_fmt(out, PATH, "%s/consilium-unpacker", dir) ? CN_OK : CN_ERR_TOOBIG;
}

cn_err cn_unpack_look(const char *path, cn_zip_refusal *refusal)
{
    char program[PATH], max[24];
    CN_TRY(program_path(program));
    cn_fmt(max, sizeof(max), "%lld", (long long)atomic_load(&bound));
    const char *const argv[] = {program, "look", path, max, NULL};
    return run(argv, path, NULL, 0, refusal);
}

static cn_err unpack_into(const char *path, const char *dir, int stop_fd)
{
    char program[PATH], max[24], room[24];
    struct statvfs fs;
    cn_zip_refusal refusal = CN_ZIP_FINE;
    CN_TRY(program_path(program));
    if (statvfs(dir, &fs) != 0) return cn_err_from_errno(errno);
    int64_t free_bytes = (int64_t)(fs.f_bavail * fs.f_frsize) - SPARE_BYTES;
    cn_fmt(max, sizeof(max), "%lld", (long long)atomic_load(&bound));
    cn_fmt(room, sizeof(room), "%lld", (long long)(free_bytes > 0 ? free_bytes : 0));
    const char *const argv[] = {program, "unpack", path, max, room, dir, NULL};
    cn_err err = run(argv, path, dir, stop_fd, &refusal);
    if (err == CN_ERR_INVALID) cn_warn("viewer.unpack", "a slide stays packed: %s", cn_zip_text(refusal));
    return err == CN_ERR_INVALID ? CN_ERR_CORRUPT : err;
}

cn_err cn_unpack(const char *path, const char *scratch, int stop_fd, char *dir, size_t size)
{
    CN_TRY(cn_scratch_make(scratch, dir, size));
    cn_err err = unpack_into(path, dir, stop_fd);
    if (err != CN_OK) cn_scratch_remove(dir);
    return err;
}
