#include "signaling/convert.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "signaling/slide_file.h"
#include "viewer/documents.h"

#define PATH 4096
#define BATCH 16

static cn_err convert_slide(cn_consult *c, cn_slides *slides, const cn_file_info *f)
{
    char path[PATH];
    cn_decode_info info;
    CN_TRY(cn_slide_file_path(c, f, path, sizeof(path)));
    CN_TRY(cn_slide_info(slides, f->id, path, &info));
    return cn_file_converted(c, f->id, true, "", 0);
}

static cn_err store_pdf(cn_consult *c, const cn_file_info *f, const char *pdf, const char *scratch)
{
    char sha256[65];
    int pages = 0;
    CN_TRY(cn_pdf_pages(pdf, scratch, &pages));
    CN_TRY(cn_files_put_path(c->files, pdf, sha256));
    return cn_file_converted(c, f->id, true, sha256, pages);
}

static cn_err convert_document(cn_consult *c, const cn_file_info *f, const char *scratch)
{
    char path[PATH], pdf[PATH];
    const char *dot = strrchr(f->name, '.');
    CN_TRY(cn_files_path(c->files, f->sha256, path, sizeof(path)));
    if (!dot || !cn_fmt(pdf, sizeof(pdf), "%s/%s.pdf", scratch, f->id)) return CN_ERR_INVALID;
    cn_err err = cn_document_to_pdf(path, dot + 1, scratch, pdf);
    if (err == CN_OK) err = store_pdf(c, f, pdf, scratch);
    unlink(pdf);
    return err;
}

static void convert_one(cn_consult *c, cn_slides *slides, const char *id, const char *scratch)
{
    const cn_actor system = cn_actor_system();
    cn_file_info f;
    if (cn_file_get(c, &system, id, NULL, &f) != CN_OK) return;
    cn_err err = strcmp(f.kind, "slide") == 0 ? convert_slide(c, slides, &f) : convert_document(c, &f, scratch);
    if (err != CN_OK) {
        cn_warn("signaling.convert", "file %s cannot be shown: %s", id, cn_err_text(err));
        err = cn_file_converted(c, id, false, "", 0);
        if (err != CN_OK) cn_error("signaling.convert", "file %s: %s", id, cn_err_text(err));
    }
    if (c->changed) c->changed(c->ctx, f.request, "");
}

void cn_convert_waiting(cn_consult *c, cn_slides *slides, const char *scratch)
{
    char ids[BATCH][CN_ID_TEXT];
    size_t n = 0;
    do {
        if (cn_file_waiting(c, ids, BATCH, &n) != CN_OK) return; /* asked again with the next upload */
        for (size_t i = 0; i < n; i++) convert_one(c, slides, ids[i], scratch);
    } while (n == BATCH);
}
