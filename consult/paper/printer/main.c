/*
 * consilium-printer: draws one report. Descriptor 3 is a file in memory that holds the job (sheet.h) as JSON; the PDF
 * takes its place. Exit status 0 when it does.
 *
 * A process of its own, because Pango's and fontconfig's state belongs to one thread, stays some 100 MB large once the
 * Chinese faces are open, and cairo 1.16 loses the index of every subset that it embeds.
 */
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "consult/paper/printer/sheet.h"

#define JOB 3

static cn_err print(void)
{
    CN_AUTO_JSON json_t *job = json_loadfd(JOB, JSON_REJECT_DUPLICATES, NULL);
    cn_buf pdf = {0};
    if (!job) return CN_ERR_PARSE;
    CN_TRY(cn_sheet_pdf(job, &pdf));
    if (ftruncate(JOB, 0) < 0 || lseek(JOB, 0, SEEK_SET) < 0) return CN_ERR_IO;
    cn_err err = cn_write_all(JOB, pdf.p, pdf.n);
    cn_buf_free(&pdf);
    return err;
}

int main(void)
{
    cn_err err = lseek(JOB, 0, SEEK_SET) < 0 ? CN_ERR_IO : print();
    _exit(err == CN_OK ? 0 : 1); /* what the libraries keep goes with the process */
}
