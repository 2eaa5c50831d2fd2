#include "viewer/slide/levels.h"

#include <string.h>

#include "base/child.h"
#include "base/file.h"
#include "base/str.h"
#include "viewer/decode_proto.h"
#include "viewer/scratch.h"
#include "viewer/slide/beside.h"
#include "viewer/slide/progress.h"

#define PATH 4096
#define CPU_SECONDS 3600
#define WALL_SECONDS 10800

static cn_err run(const char *program, const char *path, const char *dir, const char *out, const char *said,
                  int stop_fd)
{
    char folder[PATH];
    bool unconfined = *cn_child_missing() && cn_child_permitted();
    const char *slash = strrchr(path, '/');
    if (!slash || !cn_fmt(folder, sizeof(folder), "%.*s", (int)(slash - path), path)) return CN_ERR_INVALID;
    const char *const argv[] = {program, "levels", path, out, said, unconfined ? CN_DECODE_UNCONFINED : NULL, NULL};
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
    return cn_decode_exit(status);
}

cn_err cn_levels_make(const char *program, const char *id, const char *path, const char *scratch, int stop_fd)
{
    char dir[PATH], made[PATH], said[PATH];
    CN_TRY(cn_scratch_make(scratch, dir, sizeof(dir)));
    bool fits = cn_fmt(made, sizeof(made), "%s/" CN_LEVELS_NAME, dir) &&
                cn_fmt(said, sizeof(said), "%s/" CN_PROGRESS_NAME, dir);
    cn_err err = fits ? CN_OK : CN_ERR_TOOBIG;
    cn_progress_begin(id, said);
    if (err == CN_OK) err = run(program, path, dir, made, said, stop_fd);
    if (err == CN_OK) err = cn_beside_publish(made, CN_LEVELS_BYTES, path, CN_LEVELS_NAME);
    cn_progress_end(id);
    cn_scratch_remove(dir);
    return err;
}

cn_err cn_levels_give_up(const char *path)
{
    char place[PATH];
    CN_TRY(cn_beside(path, CN_LEVELS_NAME, place, sizeof(place)));
    return cn_file_write_durable(place, "", 0, 0600);
}
