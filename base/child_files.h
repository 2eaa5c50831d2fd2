/* Which files a child may write and read: Landlock. Prepared in the parent, in force with the child's
 * landlock_restrict_self. Private to base/child_lock.c and base/child_kernel.c. */
#ifndef CN_BASE_CHILD_FILES_H
#define CN_BASE_CHILD_FILES_H

#include "base/child_limits.h"
#include "base/err.h"

/** Version of the kernel's Landlock, 0: it has none, or it was switched off at the boot. */
int cn_child_files_abi(void);

/** A ruleset, or -1 where the kernel has no Landlock. `program`: the file that will be executed. CN_ERR_NOTFOUND when a
 * path does not exist. */
cn_err cn_child_files_prepare(const cn_child_limits *limits, const char *program, int *ruleset);

#endif
