#include "viewer/ecg/ecgs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/child.h"
#include "base/str.h"
#include "viewer/decode_proto.h"
#include "viewer/scratch.h"
#include "viewer/slide/beside.h"

#define PATH 4096
#define SECONDS 60
#define MEMORY ((size_t)3 << 30) /* a day of twelve leads at 500 Hz is 1 GiB, and its file as much */
#define FILE_BYTES ((size_t)2 << 30)
#define PDF_BYTES ((size_t)64 << 20)
#define NICENESS 5

static cn_err run(const char *path, const char *dir, const char *form, const char *pdf, int stop_fd)
{
    char program[PATH], folder[1024], real[PATH];
    if (!realpath(path, real)) return cn_err_from_errno(errno);
    CN_TRY(cn_program_dir(folder, sizeof(folder)));
    if (!cn_fmt(program, sizeof(program), "%s/consilium-ecg", folder)) return CN_ERR_TOOBIG;
    const char *const argv[] = {program, real, form, pdf, NULL};
    const char *const write_paths[] = {dir, NULL}, *const read_paths[] = {real, NULL};
    const cn_child_limits limits = {.cpu_seconds = SECONDS,
                                    .memory_bytes = MEMORY,
                                    .file_bytes = FILE_BYTES,
                                    .wall_seconds = SECONDS,
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

cn_err cn_ecg_make(const char *path, const char *scratch, int stop_fd, const char *pdf)
{
    char dir[PATH], form[PATH], sheet[PATH];
    CN_TRY(cn_scratch_make(scratch, dir, sizeof(dir)));
    bool fits = cn_fmt(form, sizeof(form), "%s/" CN_ECG_FORM, dir) && cn_fmt(sheet, sizeof(sheet), "%s/sheet.pdf", dir);
    cn_err err = fits ? run(path, dir, form, sheet, stop_fd) : CN_ERR_TOOBIG;
    if (err == CN_OK) err = cn_scratch_check(sheet, PDF_BYTES);
    if (err == CN_OK) err = cn_beside_publish(form, FILE_BYTES, path, CN_ECG_FORM);
    if (err == CN_OK && rename(sheet, pdf) != 0) err = cn_err_from_errno(errno);
    cn_scratch_remove(dir);
    return err;
}
