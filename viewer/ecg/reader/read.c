#include "viewer/ecg/reader/read.h"

#include <string.h>

#include "viewer/ecg/reader/readers.h"

static bool holds(const uint8_t *bytes, size_t len, const char *word)
{
    size_t n = len < 4096 ? len : 4096;
    return memmem(bytes, n, word, strlen(word)) != NULL;
}

cn_err cn_ecg_read(const uint8_t *bytes, size_t len, cn_ecg *ecg, const char **why)
{
    *why = "this is no ECG of a kind that is read";
    cn_err err = CN_ERR_UNSUPPORTED;
    if (len >= 132 && memcmp(bytes + 128, "DICM", 4) == 0)
        err = cn_ecg_read_dicom(bytes, len, ecg, why);
    else if (len >= 22 && memcmp(bytes + 16, "SCPECG", 6) == 0)
        err = cn_ecg_read_scp(bytes, len, ecg, why);
    else if (holds(bytes, len, "AnnotatedECG"))
        err = cn_ecg_read_aecg(bytes, len, ecg, why);
    else if (holds(bytes, len, "<RestingECG"))
        err = cn_ecg_read_muse(bytes, len, ecg, why);
    if (err == CN_ERR_TOOBIG) *why = "the recording is longer, or has more leads, than is read";
    if (err == CN_OK && ecg->rhythm.n == 0) {
        *why = "there is no lead in it";
        err = CN_ERR_CORRUPT;
    }
    return err;
}
