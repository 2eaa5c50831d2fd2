/* An uploaded ECG as the page draws it and as a sheet of paper. */
#ifndef CN_SIGNALING_ECG_FILE_H
#define CN_SIGNALING_ECG_FILE_H

#include "consult/file/file.h"

/** Has it read (viewer/ecg/ecgs.h); its paper is at `pdf` then. Blocks. */
cn_err cn_ecg_file_make(cn_consult *consult, const cn_file_info *info, const char *scratch, int stop_fd,
                        const char *pdf);
/** Where what the page draws stands; made where it is not there (a restored backup), for which it blocks. */
cn_err cn_ecg_file_form(cn_consult *consult, const cn_file_info *info, const char *scratch, char *out, size_t size);

#endif
