/* What locks a child process in. Prepared in the parent, where memory may be allocated; applied in the child between
 * fork and exec, where only async-signal-safe calls are allowed. Private to base/child.c. */
#ifndef CN_BASE_CHILD_LOCK_H
#define CN_BASE_CHILD_LOCK_H

#include <linux/filter.h>

#include "base/child_limits.h"
#include "base/err.h"

typedef struct cn_child_lock {
    int landlock; /* ruleset descriptor, -1: none */
    bool no_network;
    struct sock_fprog filter; /* refuses sockets, in case namespaces are not permitted */
    char uid_map[48], gid_map[48];
} cn_child_lock;

/** Fails when a write path does not exist. cn_child_lock_free is due in any case. */
cn_err cn_child_lock_prepare(cn_child_lock *lock, const cn_child_limits *limits);

/** In the child. 0, or the errno of what was refused. */
int cn_child_lock_apply(const cn_child_lock *lock, const cn_child_limits *limits);

void cn_child_lock_free(cn_child_lock *lock);

#endif
