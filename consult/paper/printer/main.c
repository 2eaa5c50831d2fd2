/*
 * consilium-printer: draws one report. Descriptor 3 is a file in memory that holds the job (sheet.h) as JSON; the PDF
 * takes its place or, when the job has `"unprintable": true`, the list of what no font can draw, or the JPEG of its
 * `"figure"` (picture.h). Exit status 0 when it does.
 *
 * A process of its own, because Pango's and fontconfig's state belongs to one thread, stays some 100 MB large once the
 * Chinese faces are open, and cairo 1.16 loses the index of every subset that it embeds.
 */
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "consult/paper/printer/picture.h"
#include "consult/paper/printer/sheet.h"

#define JOB 3

static cn_err list_unprintable(const json_t *job, cn_buf *out)
{
    CN_AUTO_JSON json_t *list = NULL;
    CN_TRY(cn_sheet_unprintable(job, &list));
    char *text = json_dumps(list, JSON_COMPACT);
    if (!text) return CN_ERR_NOMEM;
    cn_buf_str(out, text);
    free(text);
    return out->err;
}

static cn_err answer(const json_t *job, cn_buf *out)
{
    const json_t *figure = json_object_get(job, "figure");
    if (figure) return cn_picture_jpeg(figure, out);
    return json_is_true(json_object_get(job, "unprintable")) ? list_unprintable(job, out) : cn_sheet_pdf(job, out);
}

static cn_err print(void)
{
    CN_AUTO_JSON json_t *job = json_loadfd(JOB, JSON_REJECT_DUPLICATES, NULL);
    cn_buf out = {0};
    if (!job) return CN_ERR_PARSE;
    CN_TRY(answer(job, &out));
    if (ftruncate(JOB, 0) < 0 || lseek(JOB, 0, SEEK_SET) < 0) return CN_ERR_IO;
    cn_err err = cn_write_all(JOB, out.p, out.n);
    cn_buf_free(&out);
    return err;
}

int main(void)
{
    cn_err err = lseek(JOB, 0, SEEK_SET) < 0 ? CN_ERR_IO : print();
    _exit(err == CN_OK ? 0 : 1); /* what the libraries keep goes with the process */
}
