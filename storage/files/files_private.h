/* What files.c and parts.c share. */
#ifndef CN_STORAGE_FILES_PRIVATE_H
#define CN_STORAGE_FILES_PRIVATE_H

#include <limits.h>

#include "storage/files/files.h"

struct cn_files {
    char root[PATH_MAX / 2];
};

/** Whether an id can be part of a path. */
bool cn_files_id_is_good(const char *id);

#endif
