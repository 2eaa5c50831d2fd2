/* Which system calls a child may make: seccomp. Prepared in the parent, where memory may be allocated. Private to
 * base/child_lock.c and base/child_kernel.c. */
#ifndef CN_BASE_CHILD_CALLS_H
#define CN_BASE_CHILD_CALLS_H

#include <linux/filter.h>

#include "base/child_limits.h"
#include "base/err.h"

/** Whether the kernel filters system calls. */
bool cn_child_calls_possible(void);

/** A filter against sockets of the network and, for a confined child, against all that such work does not need. The
 * caller frees `filter->filter`. */
cn_err cn_child_calls_prepare(const cn_child_limits *limits, struct sock_fprog *filter);

#endif
