#include "signaling/convert.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "signaling/ecg_file.h"
#include "signaling/slide_file.h"
#include "signaling/slide_parts.h"
#include "viewer/document/documents.h"
#include "viewer/document/plain.h"

#define PATH 4096
#define BATCH 16
#define TRIES 3
#define REMEMBERED 256

typedef struct tried {
    char id[CN_ID_TEXT];
    unsigned times;
} tried;

struct cn_convert_line {
    pthread_mutex_t lock;
    cn_file_turn busy[CN_CONVERTERS]; /* id "": free */
    tried tried[REMEMBERED];          /* the oldest is forgotten first */
    size_t next;
};

cn_err cn_convert_line_new(cn_convert_line **out)
{
    cn_convert_line *line = CN_NEW(cn_convert_line);
    if (!line) return CN_ERR_NOMEM;
    pthread_mutex_init(&line->lock, NULL);
    *out = line;
    return CN_OK;
}

void cn_convert_line_free(cn_convert_line *line)
{
    if (!line) return;
    pthread_mutex_destroy(&line->lock);
    free(line);
}

static bool is_busy_locked(const cn_convert_line *line, const char *uploader)
{
    for (size_t i = 0; i < CN_CONVERTERS; i++)
        if (line->busy[i].id[0] && strcmp(line->busy[i].uploader, uploader) == 0) return true;
    return false;
}

/* The first of somebody of whom none is being converted, now ours; NULL: there is none, or all converters have one. */
static cn_file_turn *take(cn_convert_line *line, const cn_file_turn *turns, size_t n)
{
    cn_file_turn *place = NULL, *mine = NULL;
    pthread_mutex_lock(&line->lock);
    for (size_t i = 0; i < CN_CONVERTERS && !place; i++)
        if (!line->busy[i].id[0]) place = &line->busy[i];
    for (size_t i = 0; i < n && place && !mine; i++)
        if (!is_busy_locked(line, turns[i].uploader)) *(mine = place) = turns[i];
    pthread_mutex_unlock(&line->lock);
    return mine;
}

static void put_back(cn_convert_line *line, cn_file_turn *mine)
{
    pthread_mutex_lock(&line->lock);
    mine->id[0] = 0;
    pthread_mutex_unlock(&line->lock);
}

/* Counts a try in vain: true at the last one. */
static bool tried_enough(cn_convert_line *line, const char *id)
{
    pthread_mutex_lock(&line->lock);
    tried *it = NULL;
    for (size_t i = 0; i < REMEMBERED && !it; i++)
        if (strcmp(line->tried[i].id, id) == 0) it = &line->tried[i];
    if (!it) {
        it = &line->tried[line->next++ % REMEMBERED];
        *it = (tried){.times = 0};
        cn_strcpy(it->id, sizeof(it->id), id);
    }
    bool enough = ++it->times >= TRIES;
    pthread_mutex_unlock(&line->lock);
    return enough;
}

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

static cn_err convert_ecg(cn_consult *consult, const cn_file_info *info, const char *scratch, int stop_fd)
{
    char pdf[PATH];
    if (!cn_fmt(pdf, sizeof(pdf), "%s/%s.pdf", scratch, info->id)) return CN_ERR_INVALID;
    cn_err err = cn_ecg_file_make(consult, info, scratch, stop_fd, pdf);
    if (err == CN_OK) err = store_pdf(consult, info, pdf, scratch);
    unlink(pdf);
    return err;
}

/* Nothing but this says that a file is bad. All else, a helper's death above all, is the server's trouble with it. */
static bool of_the_file(cn_err err)
{
    return err == CN_ERR_UNSUPPORTED || err == CN_ERR_CORRUPT || err == CN_ERR_TOOBIG || err == CN_ERR_INVALID;
}

static bool is_tiff(const cn_file_info *info)
{
    return strcmp(info->type, "image/tiff") == 0;
}

/* What no slide reader knows becomes a pyramid. A TIFF that is no pathologist's has more likely come from a scanner or a
 * fax, and is a picture when it cannot be read as pages. */
static cn_err convert_plain(cn_consult *consult, const cn_file_info *info, const char *scratch, int stop_fd)
{
    if (is_tiff(info) && strcmp(info->category, CN_CATEGORY_SLIDES) != 0) {
        cn_err err = convert_document(consult, info, NULL, scratch, stop_fd);
        if (!of_the_file(err)) return err;
    }
    return cn_file_tile(consult, info->id, &(bool){false});
}

static cn_err convert_slide(cn_consult *consult, cn_slides *slides, const cn_file_info *file_info, const char *scratch,
                            int stop_fd)
{
    char path[PATH];
    cn_decode_info info;
    bool packed = cn_slide_is_packed(file_info);
    if (packed) CN_TRY(cn_slide_parts_make(consult, file_info, scratch, stop_fd));
    cn_err err = cn_slide_file_path(consult, file_info, path, sizeof(path));
    if (packed && err == CN_ERR_NOTFOUND) return CN_OK; /* deleted meanwhile */
    CN_TRY(err);
    err = cn_slide_info(slides, file_info->id, path, &info);
    if (packed && of_the_file(err)) CN_TRY(cn_files_parts_remove(consult->files, file_info->id));
    if ((err == CN_ERR_UNSUPPORTED || err == CN_ERR_CORRUPT) && !packed)
        return convert_plain(consult, file_info, scratch, stop_fd);
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

static cn_err convert_file(cn_consult *consult, cn_slides *slides, const cn_file_info *info, const char *scratch,
                           int stop_fd)
{
    if (strcmp(info->kind, "slide") == 0) return convert_slide(consult, slides, info, scratch, stop_fd);
    if (cn_file_is_ecg(info->type)) return convert_ecg(consult, info, scratch, stop_fd);
    const char *format = cn_file_format(info);
    return format ? convert_document(consult, info, format, scratch, stop_fd) : CN_ERR_INVALID;
}

static cn_err convert_one(cn_convert_line *line, cn_consult *consult, cn_slides *slides, const char *id,
                          const char *scratch, int stop_fd)
{
    const cn_actor system = cn_actor_system();
    cn_file_info info = {.size = 0};
    cn_err err = cn_file_get(consult, &system, id, NULL, &info);
    if (err == CN_ERR_NOTFOUND) return CN_OK; /* deleted meanwhile */
    if (err == CN_OK) err = convert_file(consult, slides, &info, scratch, stop_fd);
    if (of_everybody(err)) return err;
    if (err != CN_OK) {
        bool bad = of_the_file(err) || tried_enough(line, id);
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

/* Whoever ends one looks at the line anew, so that nothing is left behind by a converter that found only files of people
 * who had their turn. */
cn_err cn_convert_waiting(cn_convert_line *line, cn_consult *consult, cn_slides *slides, const char *scratch,
                          int stop_fd)
{
    char last[CN_ID_TEXT] = "";
    for (;;) {
        cn_file_turn turns[BATCH], *mine;
        size_t n = 0;
        CN_TRY(check_stop(stop_fd));
        CN_TRY(cn_file_waiting(consult, turns, BATCH, &n));
        if (!(mine = take(line, turns, n))) return CN_OK;
        bool again = strcmp(mine->id, last) == 0; /* it came to no end: not for ever */
        cn_strcpy(last, sizeof(last), mine->id);
        cn_err err = again ? CN_ERR_AGAIN : convert_one(line, consult, slides, mine->id, scratch, stop_fd);
        put_back(line, mine);
        CN_TRY(err);
    }
}

/* ---- levels and pyramids ---- */

/* The outcome of minutes, in which the file may have been deleted. */
static cn_err outcome(cn_consult *consult, const cn_file_info *info, const char *made, bool ok)
{
    const cn_actor system = cn_actor_system();
    if (cn_file_get(consult, &system, info->id, NULL, &(cn_file_info){.size = 0}) == CN_ERR_NOTFOUND)
        return cn_files_unlink_beside(consult->files, info->id, made);
    CN_TRY(cn_file_converted(consult, info->id, ok, "", 0));
    if (consult->changed) consult->changed(consult->ctx, info->request, "", false);
    return CN_OK;
}

static cn_err make_pyramid(cn_consult *consult, cn_slides *slides, const cn_file_info *info, const char *scratch,
                           int stop_fd)
{
    char path[PATH];
    CN_TRY(cn_slide_file_own(consult, info, path, sizeof(path)));
    CN_TRY(cn_plain_make(info->id, path, scratch, stop_fd));
    cn_slide_forget(slides, info->id, path);
    return CN_OK;
}

static cn_err pyramid_of_one(cn_consult *consult, cn_slides *slides, const cn_file_info *info, const char *scratch,
                             int stop_fd)
{
    cn_err err = make_pyramid(consult, slides, info, scratch, stop_fd);
    if (err == CN_ERR_UNSUPPORTED && is_tiff(info)) {
        err = convert_document(consult, info, NULL, scratch, stop_fd);
        if (err == CN_OK && consult->changed) consult->changed(consult->ctx, info->request, "", false);
        if (err == CN_OK) return CN_OK;
    }
    if (of_everybody(err)) return err;
    if (err != CN_OK) cn_warn("signaling.convert", "picture %s cannot be shown: %s", info->id, cn_err_text(err));
    return outcome(consult, info, CN_PYRAMID_NAME, err == CN_OK);
}

static cn_err make_of_one(cn_consult *consult, cn_slides *slides, const char *id, const char *scratch, int stop_fd)
{
    const cn_actor system = cn_actor_system();
    char path[PATH];
    cn_file_info info;
    cn_err err = cn_file_get(consult, &system, id, NULL, &info);
    if (err == CN_ERR_NOTFOUND) return CN_OK; /* deleted meanwhile */
    if (err == CN_OK && strcmp(info.state, "tiling") == 0)
        return pyramid_of_one(consult, slides, &info, scratch, stop_fd);
    if (err == CN_OK) err = cn_slide_file_path(consult, &info, path, sizeof(path));
    if (err == CN_OK) err = cn_slide_make_levels(slides, id, path, scratch, stop_fd);
    if (of_everybody(err)) return err;
    /* without them a slide can be seen in full size only, which is worth more than not at all; whoever opens it next
     * has it tried again, unless it was given up */
    if (err != CN_OK) cn_warn("signaling.convert", "slide %s stays without an overview: %s", id, cn_err_text(err));
    return outcome(consult, &info, CN_LEVELS_NAME, true);
}

cn_err cn_convert_levels(cn_consult *consult, cn_slides *slides, const char *scratch, int stop_fd)
{
    char ids[1][CN_ID_TEXT];
    size_t n = 0;
    for (;;) {
        CN_TRY(check_stop(stop_fd));
        CN_TRY(cn_file_preparing(consult, ids, 1, &n));
        if (!n) return CN_OK;
        CN_TRY(make_of_one(consult, slides, ids[0], scratch, stop_fd));
    }
}

cn_err cn_convert_look(const char *path, const char *type, const char *scratch, cn_problem *problem)
{
    if (strcmp(type, "application/zip") == 0) return cn_slide_parts_look(path, problem);
    if (strcmp(type, "application/pdf") != 0) return CN_OK;
    cn_err err = cn_pdf_check(path, scratch);
    if (err == CN_ERR_FORBIDDEN)
        return cn_problem_set(problem, CN_ERR_INVALID, "file.password", "the PDF opens with a password only");
    if (err == CN_ERR_CORRUPT)
        return cn_problem_set(problem, CN_ERR_INVALID, "file.damaged", "the PDF is empty or damaged");
    if (err != CN_OK) cn_warn("signaling.convert", "a PDF is taken without a look into it: %s", cn_err_text(err));
    return CN_OK;
}
