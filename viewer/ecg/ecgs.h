/* The server's side of ECGs: has one read, in a process that sees that one file, and puts beside it what the page draws. */
#ifndef CN_VIEWER_ECGS_H
#define CN_VIEWER_ECGS_H

#include "base/err.h"

#define CN_ECG_FORM "ecg.bin" /* beside the file: what viewer/ecg/reader/form.h describes */

/**
 * Reads the ECG at `path`, a file alone in its folder: beside it stands CN_ECG_FORM then, whole or not at all, and at `pdf` its sheet of paper, on the file
 * system of `scratch` (a folder for temporary files). CN_ERR_UNSUPPORTED, CN_ERR_CORRUPT, CN_ERR_TOOBIG: what the file is; CN_ERR_CLOSED: `stop_fd` could
 * be read. Blocks for as long as reading takes, a minute at most.
 */
cn_err cn_ecg_make(const char *path, const char *scratch, int stop_fd, const char *pdf);

#endif
