#include "signaling/convert.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "signaling/slide_file.h"
#include "viewer/document/documents.h"

#define PATH 4096
#define BATCH 16

static cn_err store_pdf(cn_consult *consult, const cn_file_info *info, const char *pdf, const char *scratch)
{
    char sha256[65];
    int pages = 0;
    CN_TRY(cn_pdf_pages(pdf, scratch, &pages));
    CN_TRY(cn_files_put_path(consult->files, pdf, sha256));
    return cn_file_converted(consult, info->id, true, sha256, pages);
}

/* `format`: what LibreOffice reads it as; NULL: scanned pages. */
static cn_err convert_document(cn_consult *consult, const cn_file_info *info, const char *format, const char *scratch,
                               int stop_fd)
{
    char path[PATH], pdf[PATH];
    CN_TRY(cn_files_path(consult->files, info->sha256, path, sizeof(path)));
    if (!cn_fmt(pdf, sizeof(pdf), "%s/%s.pdf", scratch, info->id)) return CN_ERR_INVALID;
    cn_err err =
        format ? cn_document_to_pdf(path, format, scratch, stop_fd, pdf) : cn_scan_to_pdf(path, scratch, stop_fd, pdf);
    if (err == CN_OK) err = store_pdf(consult, info, pdf, scratch);
    unlink(pdf);
    return err;
}

/* A TIFF that no slide reader knows has come from a scanner or a fax. */
static cn_err convert_slide(cn_consult *consult, cn_slides *slides, const cn_file_info *file_info, const char *scratch,
                            int stop_fd)
{
    char path[PATH];
    cn_decode_info info;
    CN_TRY(cn_slide_file_path(consult, file_info, path, sizeof(path)));
    cn_err err = cn_slide_info(slides, file_info->id, path, &info);
    if (err == CN_ERR_UNSUPPORTED) return convert_document(consult, file_info, NULL, scratch, stop_fd);
    CN_TRY(err);
    if (info.lacks_levels) return cn_file_prepare(consult, file_info->id, &(bool){false});
    return cn_file_converted(consult, file_info->id, true, "", 0);
}

/* Trouble that the next file would have as well: all wait. */
static bool of_everybody(cn_err err)
{
    return err == CN_ERR_CLOSED || err == CN_ERR_NOSPACE || err == CN_ERR_DB || err == CN_ERR_NOMEM ||
           err == CN_ERR_AGAIN;
}

/* Nothing but this says that a file is bad. All else, a helper's death above all, is the server's trouble with it. */
static bool of_the_file(cn_err err)
{
    return err == CN_ERR_UNSUPPORTED || err == CN_ERR_CORRUPT || err == CN_ERR_TOOBIG || err == CN_ERR_INVALID;
}

static cn_err convert_file(cn_consult *consult, cn_slides *slides, const cn_file_info *info, const char *scratch,
                           int stop_fd)
{
    if (strcmp(info->kind, "slide") == 0) return convert_slide(consult, slides, info, scratch, stop_fd);
    const char *format = cn_file_format(info);
    return format ? convert_document(consult, info, format, scratch, stop_fd) : CN_ERR_INVALID;
}

static cn_err convert_one(cn_consult *consult, cn_slides *slides, const char *id, const char *scratch, int stop_fd)
{
    const cn_actor system = cn_actor_system();
    cn_file_info info = {.size = 0};
    cn_err err = cn_file_get(consult, &system, id, NULL, &info);
    if (err == CN_ERR_NOTFOUND) return CN_OK; /* deleted meanwhile */
    if (err == CN_OK) err = convert_file(consult, slides, &info, scratch, stop_fd);
    if (of_everybody(err)) return err;
    if (err != CN_OK) {
        bool bad = of_the_file(err);
        cn_warn("signaling.convert", "file %s cannot be shown%s: %s", id, bad ? "" : " until it is tried again",
                cn_err_text(err));
        CN_TRY(bad ? cn_file_converted(consult, id, false, "", 0) : cn_file_stuck(consult, id));
    }
    if (consult->changed) consult->changed(consult->ctx, info.request, "", false);
    return CN_OK;
}

static cn_err check_stop(int stop_fd)
{
    struct pollfd polled = {.fd = stop_fd, .events = POLLIN};
    return poll(&polled, 1, 0) > 0 ? CN_ERR_CLOSED : CN_OK;
}

cn_err cn_convert_waiting(cn_consult *consult, cn_slides *slides, const char *scratch, int stop_fd)
{
    char ids[BATCH][CN_ID_TEXT];
    size_t n = 0;
    do {
        CN_TRY(cn_file_waiting(consult, ids, BATCH, &n));
        for (size_t i = 0; i < n; i++) {
            CN_TRY(check_stop(stop_fd));
            CN_TRY(convert_one(consult, slides, ids[i], scratch, stop_fd));
        }
    } while (n == BATCH);
    return CN_OK;
}

/* ---- levels ---- */

static cn_err levels_of_one(cn_consult *consult, cn_slides *slides, const char *id, const char *scratch, int stop_fd)
{
    const cn_actor system = cn_actor_system();
    char path[PATH];
    cn_file_info info;
    cn_err err = cn_file_get(consult, &system, id, NULL, &info);
    if (err == CN_ERR_NOTFOUND) return CN_OK; /* deleted meanwhile */
    if (err == CN_OK) err = cn_slide_file_path(consult, &info, path, sizeof(path));
    if (err == CN_OK) err = cn_slide_make_levels(slides, id, path, scratch, stop_fd);
    if (of_everybody(err)) return err;
    /* in these minutes too */
    if (cn_file_get(consult, &system, id, NULL, &info) == CN_ERR_NOTFOUND)
        return cn_files_unlink_beside(consult->files, id, CN_LEVELS_NAME);
    /* without them a slide can be seen in full size only, which is worth more than not at all; whoever opens it next
     * has it tried again, unless it was given up */
    if (err != CN_OK) cn_warn("signaling.convert", "slide %s stays without an overview: %s", id, cn_err_text(err));
    CN_TRY(cn_file_converted(consult, id, true, "", 0));
    if (consult->changed) consult->changed(consult->ctx, info.request, "", false);
    return CN_OK;
}

cn_err cn_convert_levels(cn_consult *consult, cn_slides *slides, const char *scratch, int stop_fd)
{
    char ids[1][CN_ID_TEXT];
    size_t n = 0;
    for (;;) {
        CN_TRY(check_stop(stop_fd));
        CN_TRY(cn_file_preparing(consult, ids, 1, &n));
        if (!n) return CN_OK;
        CN_TRY(levels_of_one(consult, slides, ids[0], scratch, stop_fd));
    }
}

cn_err cn_convert_look(const char *path, const char *type, const char *scratch, cn_problem *problem)
{
    if (strcmp(type, "application/pdf") != 0) return CN_OK;
    cn_err err = cn_pdf_check(path, scratch);
    if (err == CN_ERR_FORBIDDEN)
        return cn_problem_set(problem, CN_ERR_INVALID, "file.password", "the PDF opens with a password only");
    if (err == CN_ERR_CORRUPT)
        return cn_problem_set(problem, CN_ERR_INVALID, "file.damaged", "the PDF is empty or damaged");
    if (err != CN_OK) cn_warn("signaling.convert", "a PDF is taken without a look into it: %s", cn_err_text(err));
    return CN_OK;
}
