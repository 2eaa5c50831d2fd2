#!/usr/bin/env bash
# The real server when its disk is full and when its database is gone. Disks are mounted in a namespace of the test's own.
set -uo pipefail
cd "$(dirname "$(readlink -f "$0")")"
status=0
own=--mount
[ "$(id -u)" -eq 0 ] || own='--mount --user --map-root-user'
if unshare $own true 2>/dev/null; then
    unshare $own node faults.mjs disk || status=1
else
    echo "skipped: a full disk (no namespace may be made here)"
fi
node faults.mjs database || status=1
exit $status
