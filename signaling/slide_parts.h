/* Slides that come as a ZIP: a look before they are taken, and unpacking in the background. */
#ifndef CN_SIGNALING_SLIDE_PARTS_H
#define CN_SIGNALING_SLIDE_PARTS_H

#include "consult/file/file.h"

bool cn_slide_is_packed(const cn_file_info *info);

/** For cn_convert_look: CN_ERR_INVALID and what is wrong with the ZIP that arrived at `path`. What cannot be told passes. */
cn_err cn_slide_parts_look(const char *path, cn_problem *problem);

/** Makes sure that its parts are there. Blocks; errors as cn_unpack. */
cn_err cn_slide_parts_make(cn_consult *consult, const cn_file_info *info, const char *scratch, int stop_fd);

#endif
