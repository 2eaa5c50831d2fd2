/* What locks a child process in. Prepared in the parent, where memory may be allocated; applied in the child between
 * fork and exec, where only async-signal-safe calls are allowed. Private to base/child.c. */
#ifndef CN_BASE_CHILD_LOCK_H
#define CN_BASE_CHILD_LOCK_H

#include <linux/filter.h>
#include <sys/types.h>

#include "base/child_limits.h"
#include "base/err.h"

typedef struct cn_child_lock {
    int landlock;             /* ruleset descriptor, -1: none */
    struct sock_fprog filter; /* no code: none */
    bool filter_always;       /* false: only when there is no network namespace */
    char uid_map[48], gid_map[48];
} cn_child_lock;

/** `program`: what will be executed. Fails when a path does not exist, with CN_ERR_FORBIDDEN when the kernel cannot
 * confine what must be. cn_child_lock_free is due in any case. */
cn_err cn_child_lock_prepare(cn_child_lock *lock, const cn_child_limits *limits, const char *program);

/** fork(2), with `own_processes` into process ids of its own where the kernel permits that. */
pid_t cn_child_lock_fork(const cn_child_lock *lock, const cn_child_limits *limits);

/** In the child. 0, or the errno of what was refused. */
int cn_child_lock_apply(const cn_child_lock *lock, const cn_child_limits *limits);

void cn_child_lock_free(cn_child_lock *lock);

#endif
