/*
 * consilium-ecg FROM FORM PDF: an ECG, of whatever device, as what the page is sent of it (form.h) and as a sheet of paper to scale, in a process of its own.
 * Ends with 0, or with CN_LEVELS_STATUS + cn_err and a line of what is wrong with the file. Whoever starts it sets the limits.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "viewer/decode_proto.h"
#include "viewer/ecg/reader/form.h"
#include "viewer/ecg/reader/paper.h"
#include "viewer/ecg/reader/read.h"

static cn_err make(const char *from, const char *form, const char *pdf, cn_ecg *ecg, const char **why)
{
    struct stat st;
    CN_AUTO_CLOSE int fd = open(from, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0) return CN_ERR_IO;
    if (st.st_size == 0) return CN_ERR_CORRUPT;
    void *bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED) return CN_ERR_NOMEM;
    cn_err err = cn_ecg_read(bytes, (size_t)st.st_size, ecg, why);
    munmap(bytes, (size_t)st.st_size);
    CN_TRY(err);
    CN_TRY(cn_ecg_form_write(form, ecg));
    return cn_ecg_paper(pdf, ecg);
}

int main(int argc, char **argv)
{
    static cn_ecg ecg;
    const char *why = "";
    if (argc != 4) return CN_LEVELS_STATUS + (int)CN_ERR_INVALID;
    cn_ecg_init(&ecg);
    cn_err err = make(argv[1], argv[2], argv[3], &ecg, &why);
    cn_ecg_clear(&ecg);
    if (err == CN_OK) return 0;
    fprintf(stderr, "consilium-ecg: %s: %s\n", cn_err_text(err), why);
    return CN_LEVELS_STATUS + (int)err;
}
