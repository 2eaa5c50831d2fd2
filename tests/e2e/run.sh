#!/usr/bin/env bash
# The browser tests. Those with calls in them, one file after the other: they measure what a busy machine would spoil. Then those that only
# look at pages, in two lines side by side. Output of each file goes to standard output whole; its last line is "N passed, N failed".
set -u
cd "$(dirname "$0")"
calls='kill.mjs room.mjs quality.mjs impair.mjs voices.mjs host.mjs codecs.mjs turn.mjs tcp.mjs roam.mjs view.mjs'
pages='states.mjs slide.mjs figures.mjs planes.mjs dicom.mjs ecg.mjs'
others="tiles.mjs marks.mjs beside.mjs folder.mjs screens.mjs changes.mjs story.mjs"

line() {
    local test began status=0
    for test in "$@"; do
        [ -f "$test" ] || continue
        echo "== $test"
        began=$SECONDS
        node "$test" || status=1
        echo "   $test took $((SECONDS - began)) s"
    done
    return $status
}

if [ $# -gt 0 ]; then
    line "$@"
    exit
fi
status=0
# shellcheck disable=SC2086
line $calls || status=1
kept=$(mktemp)
trap 'rm -f "$kept"' EXIT
# shellcheck disable=SC2086
line $pages >"$kept" 2>&1 &
beside=$!
# shellcheck disable=SC2086
line $others || status=1
wait "$beside" || status=1
cat "$kept"
[ -z "${CONSILIUM_LONG:-}" ] || line speed.mjs || status=1
exit $status
