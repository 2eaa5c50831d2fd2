#include "viewer/slide/levels.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/child.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "viewer/decode_proto.h"
#include "viewer/scratch.h"

#define PATH 4096
#define CPU_SECONDS 3600
#define WALL_SECONDS 10800

static cn_err beside(const char *path, char out[PATH])
{
    const char *slash = strrchr(path, '/');
    if (!slash) return CN_ERR_INVALID;
    return cn_fmt(out, PATH, "%.*s/" CN_LEVELS_NAME, (int)(slash - path), path) ? CN_OK : CN_ERR_TOOBIG;
}

static cn_err run(const char *program, const char *path, const char *dir, const char *out, int stop_fd)
{
    char folder[PATH];
    bool unconfined = *cn_child_missing() && cn_child_permitted();
    const char *slash = strrchr(path, '/');
    if (!slash || !cn_fmt(folder, sizeof(folder), "%.*s", (int)(slash - path), path)) return CN_ERR_INVALID;
    const char *const argv[] = {program, "levels", path, out, unconfined ? CN_DECODE_UNCONFINED : NULL, NULL};
    const char *const write_paths[] = {dir, NULL}, *const read_paths[] = {folder, NULL};
    const cn_child_limits limits = {.cpu_seconds = CPU_SECONDS,
                                    .wall_seconds = WALL_SECONDS,
                                    .no_network = true,
                                    .write_paths = write_paths,
                                    .read_paths = read_paths,
                                    .work_dir = dir,
                                    .stop_fd = stop_fd};
    int status = -1;
    CN_TRY(cn_child_run(argv, &limits, &status));
    if (status == 0) return CN_OK;
    bool said = status > CN_LEVELS_STATUS && status < CN_LEVELS_STATUS + (int)CN_ERR_COUNT;
    if (!said) return CN_ERR_CRASHED;
    cn_err err = (cn_err)(status - CN_LEVELS_STATUS);
    return err == CN_ERR_NOSPACE ? err : (cn_err)cn_decode_err((int32_t)err);
}

/* On disk before it has its name. */
static cn_err publish(const char *made, const char *path)
{
    char place[PATH];
    CN_TRY(beside(path, place));
    CN_TRY(cn_scratch_check(made, CN_LEVELS_BYTES));
    CN_AUTO_CLOSE int fd = open(made, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fsync(fd) < 0 || rename(made, place) < 0) return cn_err_from_errno(errno);
    return cn_fsync_parent(place);
}

cn_err cn_levels_make(const char *program, const char *path, const char *scratch, int stop_fd)
{
    char dir[PATH], made[PATH];
    CN_TRY(cn_scratch_make(scratch, dir, sizeof(dir)));
    cn_err err = cn_fmt(made, sizeof(made), "%s/" CN_LEVELS_NAME, dir) ? CN_OK : CN_ERR_TOOBIG;
    if (err == CN_OK) err = run(program, path, dir, made, stop_fd);
    if (err == CN_OK) err = publish(made, path);
    cn_scratch_remove(dir);
    return err;
}

cn_err cn_levels_give_up(const char *path)
{
    char place[PATH];
    CN_TRY(beside(path, place));
    return cn_file_write_durable(place, "", 0, 0600);
}
