#include "signaling/ecg_file.h"

#include <unistd.h>

#include "base/str.h"
#include "signaling/slide_file.h"
#include "viewer/ecg/ecgs.h"
#include "viewer/slide/beside.h"

#define PATH 4096

cn_err cn_ecg_file_make(cn_consult *consult, const cn_file_info *info, const char *scratch, int stop_fd,
                        const char *pdf)
{
    char path[PATH];
    CN_TRY(cn_slide_file_own(consult, info, path, sizeof(path)));
    return cn_ecg_make(path, scratch, stop_fd, pdf);
}

cn_err cn_ecg_file_form(cn_consult *consult, const cn_file_info *info, const char *scratch, char *out, size_t size)
{
    char path[PATH], pdf[PATH];
    CN_TRY(cn_slide_file_own(consult, info, path, sizeof(path)));
    CN_TRY(cn_beside(path, CN_ECG_FORM, out, size));
    if (access(out, R_OK) == 0) return CN_OK;
    if (!cn_fmt(pdf, sizeof(pdf), "%s/%s.again.pdf", scratch, info->id)) return CN_ERR_TOOBIG;
    cn_err err = cn_ecg_make(path, scratch, -1, pdf);
    unlink(pdf);
    return err;
}
