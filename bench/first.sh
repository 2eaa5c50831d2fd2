#!/usr/bin/env bash
# Runs a command, and the servers it starts, before everything else on this machine (as root; otherwise just runs it):
# a session of its own, since the kernel shares the processors between sessions first (autogroups, sched(7)).
exec setsid --wait bash -c 'echo -19 >/proc/self/autogroup; exec nice -n -5 "$@"' bash "$@" 2> >(grep -v -e autogroup -e 'cannot set niceness' >&2)
