/*
 * consilium-demo-ecg KIND OUT [SECONDS]: a synthetic ECG whose intervals and amplitudes are known (heart.h), for the demo, for tests and for trying it.
 * KIND: dicom, aecg, muse, scp, scp-plain, scp-tables, scp-residues.
 */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "viewer/demo/ecg/heart.h"

static cn_err make(const char *kind, const char *path, double seconds)
{
    if (strcmp(kind, "dicom") == 0) return cn_heart_dicom(path, seconds);
    if (strcmp(kind, "aecg") == 0) return cn_heart_aecg(path, seconds);
    if (strcmp(kind, "muse") == 0) return cn_heart_muse(path, seconds);
    if (strcmp(kind, "scp-plain") == 0) return cn_heart_scp(path, seconds, CN_HEART_SCP_PLAIN);
    if (strcmp(kind, "scp") == 0) return cn_heart_scp(path, seconds, CN_HEART_SCP_HUFFMAN);
    if (strcmp(kind, "scp-tables") == 0) return cn_heart_scp(path, seconds, CN_HEART_SCP_TABLES);
    if (strcmp(kind, "scp-residues") == 0) return cn_heart_scp(path, seconds, CN_HEART_SCP_RESIDUES);
    return CN_ERR_INVALID;
}

int main(int argc, char **argv)
{
    int64_t seconds = 10;
    if (argc < 3 || argc > 4 || (argc == 4 && !cn_parse_i64(argv[3], 1, 86400, &seconds))) {
        fprintf(stderr, "consilium-demo-ecg dicom|aecg|muse|scp|scp-plain|scp-tables|scp-residues OUT [SECONDS]\n");
        return 2;
    }
    cn_err err = make(argv[1], argv[2], (double)seconds);
    if (err != CN_OK) fprintf(stderr, "consilium-demo-ecg: %s\n", cn_err_text(err));
    return err == CN_OK ? 0 : 1;
}
