#include "viewer/document/documents.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/child.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "viewer/scratch.h"

#define PATH 4096

/* Documents come from anywhere: no network, nothing written outside the scratch folder, bounded time, memory and
 * output. */
static cn_child_limits limits_for(const char *const write_paths[], const char *dir, unsigned seconds)
{
    return (cn_child_limits){.cpu_seconds = seconds,
                             .memory_bytes = (size_t)6 << 30,
                             .file_bytes = (size_t)1 << 30,
                             .wall_seconds = seconds + 30,
                             .no_network = true,
                             .write_paths = write_paths,
                             .work_dir = dir};
}

static cn_err run_office(const char *dir, const char *input, int stop_fd)
{
    char profile[PATH], home[PATH], tmp[PATH];
    if (!cn_fmt(profile, sizeof(profile), "-env:UserInstallation=file://%s/profile", dir) ||
        !cn_fmt(home, sizeof(home), "HOME=%s", dir) || !cn_fmt(tmp, sizeof(tmp), "TMPDIR=%s", dir))
        return CN_ERR_TOOBIG;
    const char *const argv[] = {
        "env",           home,           tmp,   "soffice",  profile, "--headless", "--norestore",
        "--nolockcheck", "--convert-to", "pdf", "--outdir", dir,     input,        NULL};
    /* its single-instance socket is always made in /tmp */
    const char *const write_paths[] = {dir, "/tmp", "/dev/null", NULL};
    cn_child_limits limits = limits_for(write_paths, dir, 60);
    limits.stop_fd = stop_fd;
    int status = -1;
    CN_TRY(cn_child_run(argv, &limits, &status));
    return status == 0 ? CN_OK : CN_ERR_UNSUPPORTED;
}

static cn_err convert(const char *path, const char *extension, const char *dir, int stop_fd, const char *out)
{
    char input[PATH], result[PATH], real[PATH];
    if (!realpath(path, real)) return cn_err_from_errno(errno);
    if (!cn_fmt(input, sizeof(input), "%s/document.%s", dir, extension) ||
        !cn_fmt(result, sizeof(result), "%s/document.pdf", dir))
        return CN_ERR_TOOBIG;
    if (symlink(real, input) != 0) return cn_err_from_errno(errno);
    CN_TRY(run_office(dir, input, stop_fd));
    if (access(result, R_OK) != 0)
        return CN_ERR_UNSUPPORTED; /* LibreOffice says 0 even when it could not read the file */
    return rename(result, out) == 0 ? CN_OK : cn_err_from_errno(errno);
}

cn_err cn_document_to_pdf(const char *path, const char *extension, const char *scratch, int stop_fd, const char *out)
{
    char dir[PATH];
    CN_TRY(cn_scratch_make(scratch, dir, sizeof(dir)));
    cn_err err = convert(path, extension, dir, stop_fd, out);
    cn_scratch_remove(dir);
    return err;
}

/* "Pages:          3" among pdfinfo's lines, which the child wrote to a file. */
static cn_err read_pages(const char *file, int *pages)
{
    CN_AUTO_FREE char *text = NULL;
    size_t n = 0;
    int64_t value = 0;
    CN_TRY(cn_file_read(file, 1 << 20, &text, &n));
    char *line = strncmp(text, "Pages:", 6) == 0 ? text : strstr(text, "\nPages:");
    if (!line) return CN_ERR_CORRUPT;
    line = strchr(line, ':') + 1;
    line += strspn(line, " ");
    line[strcspn(line, "\r\n")] = 0;
    if (!cn_parse_i64(line, 1, 100000, &value)) return CN_ERR_CORRUPT;
    *pages = (int)value;
    return CN_OK;
}

cn_err cn_pdf_pages(const char *path, const char *scratch, int *pages)
{
    char dir[PATH], list[PATH], real[PATH];
    if (!realpath(path, real)) return cn_err_from_errno(errno);
    CN_TRY(cn_scratch_make(scratch, dir, sizeof(dir)));
    cn_fmt(list, sizeof(list), "%s/info", dir);
    /* the child's output goes to the log, so a shell with two fixed arguments puts it into a file */
    const char *const argv[] = {"sh", "-c", "exec pdfinfo \"$0\" > \"$1\"", real, list, NULL};
    const char *const write_paths[] = {dir, "/dev/null", NULL};
    const cn_child_limits limits = limits_for(write_paths, dir, 20);
    int status = -1;
    cn_err err = cn_child_run(argv, &limits, &status);
    if (err == CN_OK) err = status == 0 ? read_pages(list, pages) : CN_ERR_CORRUPT;
    cn_scratch_remove(dir);
    return err;
}
