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
#include "viewer/document/office.h"
#include "viewer/document/painter.h"
#include "viewer/document/text.h"
#include "viewer/scratch.h"

#define PATH 4096
#define TEXT_MAX ((size_t)16 << 20)
#define NICENESS 10
#define RESULT_MAX ((size_t)1 << 30)

static unsigned bound_seconds = 30;
static size_t bound_memory = (size_t)1 << 30;

void cn_documents_bound(unsigned seconds, size_t memory)
{
    bound_seconds = seconds;
    bound_memory = memory;
}

/* Documents come from anywhere: no network, nothing written outside the scratch folder, nothing read but what lies there
 * and the input, bounded time, memory and output. */
static cn_child_limits limits_for(const char *const write_paths[], const char *const read_paths[], const char *dir,
                                  unsigned seconds)
{
    return (cn_child_limits){.cpu_seconds = seconds,
                             .memory_bytes = (size_t)6 << 30,
                             .file_bytes = RESULT_MAX,
                             .wall_seconds = 2 * seconds,
                             .no_network = true,
                             .write_paths = write_paths,
                             .read_paths = read_paths,
                             .work_dir = dir};
}

static cn_err run_office(const char *dir, int stop_fd)
{
    char profile[PATH], option[PATH + 32], home[PATH], tmp[PATH];
    CN_TRY(cn_office_url(dir, profile, sizeof(profile)));
    if (!cn_fmt(option, sizeof(option), "-env:UserInstallation=%s/profile", profile) ||
        !cn_fmt(home, sizeof(home), "HOME=%s", dir) || !cn_fmt(tmp, sizeof(tmp), "TMPDIR=%s", dir))
        return CN_ERR_TOOBIG;
    const char *const argv[] = {
        "env", home, tmp, "soffice", option, "--headless", "--norestore", "--nolockcheck", CN_OFFICE_MACRO, NULL};
    const char *const write_paths[] = {dir, NULL}, *const read_paths[] = {NULL};
    cn_child_limits limits = limits_for(write_paths, read_paths, dir, bound_seconds);
    limits.wall_seconds = 3 * bound_seconds;
    limits.data_bytes = bound_memory;
    limits.niceness = NICENESS;
    limits.socket_dir = "/tmp";  /* where its single-instance socket is always made */
    limits.makes_code = true;    /* for calls between its languages */
    limits.own_processes = true; /* its starter is gone before it is */
    limits.stop_fd = stop_fd;
    int status = -1;
    CN_TRY(cn_child_run(argv, &limits, &status));
    return status == 0 ? CN_OK : CN_ERR_UNSUPPORTED;
}

/* A page says its encoding itself, or is read like a text. */
static cn_err page_utf8(const void *bytes, size_t len, cn_buf *out)
{
    static const char word[] = "charset";
    const char *text = bytes;
    for (size_t i = 0; i + sizeof(word) - 1 <= len && i < 4096; i++)
        if (strncasecmp(text + i, word, sizeof(word) - 1) == 0) return CN_ERR_UNSUPPORTED;
    return len > 0 && text[strspn(text, " \t\r\n")] == '<' ? cn_text_utf8(bytes, len, out) : CN_ERR_UNSUPPORTED;
}

static const struct {
    const char *extension;
    cn_err (*read)(const void *bytes, size_t len, cn_buf *out); /* CN_ERR_UNSUPPORTED: as it is */
} readers[] = {{"txt", cn_text_utf8}, {"html", page_utf8}, {"xls", page_utf8}, {"rtf", cn_text_rtf}};

/* What is text goes to LibreOffice in an encoding that leaves nothing to guess. */
static cn_err put_text(const char *from, const char *extension, const char *to)
{
    for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
        if (strcmp(extension, readers[i].extension) != 0) continue;
        CN_AUTO_FREE char *text = NULL;
        size_t n = 0;
        cn_buf utf8 = {0};
        cn_err err = cn_file_read(from, TEXT_MAX, &text, &n);
        if (err == CN_ERR_TOOBIG && i > 0) return CN_ERR_UNSUPPORTED;
        CN_TRY(err);
        err = readers[i].read(text, n, &utf8);
        if (err == CN_OK) err = cn_file_write_durable(to, utf8.p, utf8.n, 0600);
        cn_buf_free(&utf8);
        return err;
    }
    return CN_ERR_UNSUPPORTED;
}

static cn_err convert(const char *path, const char *extension, const char *dir, int stop_fd, const char *out)
{
    char input[PATH], result[PATH], real[PATH];
    if (!realpath(path, real)) return cn_err_from_errno(errno);
    if (!cn_fmt(input, sizeof(input), "%s/document.%s", dir, extension) ||
        !cn_fmt(result, sizeof(result), "%s/document.pdf", dir))
        return CN_ERR_TOOBIG;
    cn_err err = put_text(real, extension, input);
    if (err == CN_ERR_UNSUPPORTED) err = cn_scratch_copy(real, input);
    CN_TRY(err);
    CN_TRY(cn_office_profile(dir, input, result));
    CN_TRY(run_office(dir, stop_fd));
    /* the macro ends the same way when it could not read */
    if (cn_scratch_check(result, RESULT_MAX) != CN_OK) return CN_ERR_UNSUPPORTED;
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

static cn_err paint_pages(const char *path, const char *dir, int stop_fd, const char *out)
{
    char result[PATH], program[PATH], real[PATH];
    if (!realpath(path, real)) return cn_err_from_errno(errno);
    if (!cn_fmt(result, sizeof(result), "%s/pages.pdf", dir)) return CN_ERR_TOOBIG;
    CN_TRY(cn_painter_path(program, sizeof(program)));
    const char *const argv[] = {program, "pages", real, result, NULL};
    const char *const write_paths[] = {dir, NULL}, *const read_paths[] = {real, NULL};
    cn_child_limits limits = limits_for(write_paths, read_paths, dir, bound_seconds);
    limits.wall_seconds = 3 * bound_seconds;
    limits.memory_bytes = CN_PAINTER_MEMORY;
    limits.niceness = NICENESS;
    limits.stop_fd = stop_fd;
    int status = -1;
    CN_TRY(cn_child_run(argv, &limits, &status));
    if (status != 0 || cn_scratch_check(result, RESULT_MAX) != CN_OK) return CN_ERR_UNSUPPORTED;
    return rename(result, out) == 0 ? CN_OK : cn_err_from_errno(errno);
}

cn_err cn_scan_to_pdf(const char *path, const char *scratch, int stop_fd, const char *out)
{
    char dir[PATH];
    CN_TRY(cn_scratch_make(scratch, dir, sizeof(dir)));
    cn_err err = paint_pages(path, dir, stop_fd, out);
    cn_scratch_remove(dir);
    return err;
}

/* "Pages:          3" among pdfinfo's lines, which the child wrote to a file. */
static cn_err read_pages(const char *file, int *pages)
{
    CN_AUTO_FREE char *text = NULL;
    size_t n = 0;
    int64_t value = 0;
    CN_TRY(cn_scratch_check(file, 1 << 20));
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

/* poppler says so on standard error, in English whatever the locale. */
static cn_err why_unread(const char *said)
{
    CN_AUTO_FREE char *text = NULL;
    size_t n = 0;
    CN_TRY(cn_scratch_check(said, 1 << 20));
    CN_TRY(cn_file_read(said, 1 << 20, &text, &n));
    return strstr(text, "Incorrect password") ? CN_ERR_FORBIDDEN : CN_ERR_CORRUPT;
}

static cn_err run_pdfinfo(const char *pdf, const char *dir, unsigned seconds, int *pages)
{
    char list[PATH], said[PATH];
    if (!cn_fmt(list, sizeof(list), "%s/info", dir) || !cn_fmt(said, sizeof(said), "%s/said", dir))
        return CN_ERR_TOOBIG;
    /* the child's output goes to the log, so a shell with three fixed arguments puts it into files */
    const char *const argv[] = {"sh", "-c", "exec pdfinfo \"$0\" > \"$1\" 2> \"$2\"", pdf, list, said, NULL};
    const char *const write_paths[] = {dir, NULL}, *const read_paths[] = {pdf, NULL};
    cn_child_limits limits = limits_for(write_paths, read_paths, dir, seconds);
    int status = -1;
    CN_TRY(cn_child_run(argv, &limits, &status));
    return status == 0 ? read_pages(list, pages) : why_unread(said);
}

static cn_err look_into(const char *path, const char *scratch, unsigned seconds, int *pages)
{
    char dir[PATH], real[PATH];
    if (!realpath(path, real)) return cn_err_from_errno(errno);
    CN_TRY(cn_scratch_make(scratch, dir, sizeof(dir)));
    cn_err err = run_pdfinfo(real, dir, seconds, pages);
    cn_scratch_remove(dir);
    return err;
}

cn_err cn_pdf_pages(const char *path, const char *scratch, int *pages)
{
    return look_into(path, scratch, 25, pages);
}

cn_err cn_pdf_check(const char *path, const char *scratch)
{
    int pages = 0;
    return look_into(path, scratch, 5, &pages);
}
