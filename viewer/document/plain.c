#include "viewer/document/plain.h"

#include <errno.h>
#include <stdlib.h>

#include "base/child.h"
#include "base/str.h"
#include "viewer/decode_proto.h"
#include "viewer/document/painter.h"
#include "viewer/scratch.h"
#include "viewer/slide/beside.h"
#include "viewer/slide/progress.h"

#define PATH 4096
#define CPU_SECONDS 3600
#define WALL_SECONDS 10800
#define FILE_BYTES ((size_t)8 << 30)
#define NICENESS 10 /* tiles that somebody waits for come first */

static cn_err run(const char *path, const char *dir, const char *out, const char *said, int stop_fd)
{
    char program[PATH], real[PATH];
    if (!realpath(path, real)) return cn_err_from_errno(errno);
    CN_TRY(cn_painter_path(program, sizeof(program)));
    const char *const argv[] = {program, "pyramid", real, out, said, NULL};
    const char *const write_paths[] = {dir, NULL}, *const read_paths[] = {real, NULL};
    const cn_child_limits limits = {.cpu_seconds = CPU_SECONDS,
                                    .memory_bytes = CN_PAINTER_MEMORY,
                                    .file_bytes = FILE_BYTES,
                                    .wall_seconds = WALL_SECONDS,
                                    .niceness = NICENESS,
                                    .no_network = true,
                                    .write_paths = write_paths,
                                    .read_paths = read_paths,
                                    .work_dir = dir,
                                    .stop_fd = stop_fd};
    int status = -1;
    CN_TRY(cn_child_run(argv, &limits, &status));
    return cn_decode_exit(status);
}

cn_err cn_plain_make(const char *id, const char *path, const char *scratch, int stop_fd)
{
    char dir[PATH], made[PATH], said[PATH];
    CN_TRY(cn_scratch_make(scratch, dir, sizeof(dir)));
    bool fits = cn_fmt(made, sizeof(made), "%s/" CN_PYRAMID_NAME, dir) &&
                cn_fmt(said, sizeof(said), "%s/" CN_PROGRESS_NAME, dir);
    cn_err err = fits ? CN_OK : CN_ERR_TOOBIG;
    cn_progress_begin(id, said);
    if (err == CN_OK) err = run(path, dir, made, said, stop_fd);
    if (err == CN_OK) err = cn_beside_publish(made, FILE_BYTES, path, CN_PYRAMID_NAME);
    cn_progress_end(id);
    cn_scratch_remove(dir);
    return err;
}
