/* What this kernel can do to confine a child, and what follows where it cannot. Any thread. */
#ifndef CN_BASE_CHILD_KERNEL_H
#define CN_BASE_CHILD_KERNEL_H

#include <stdbool.h>

/** What this kernel lacks to confine a child ("Landlock", "seccomp", both); "" when it can. */
const char *cn_child_missing(void);
/** Whether children that should be confined run all the same on such a kernel; false at the start. */
void cn_child_unconfined(bool allow);
/** Whether untrusted bytes may be read at all: a child can be confined, or somebody said that it need not be. */
bool cn_child_permitted(void);

#endif
