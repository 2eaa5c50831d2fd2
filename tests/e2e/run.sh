#!/usr/bin/env bash
# The browser tests, one file after the other. Output of each goes to standard output; the last line of each is "N passed, N failed".
set -u
cd "$(dirname "$0")"
status=0
for test in ${*:-kill.mjs room.mjs quality.mjs impair.mjs voices.mjs host.mjs codecs.mjs turn.mjs tcp.mjs roam.mjs view.mjs screens.mjs states.mjs changes.mjs story.mjs ${CONSILIUM_LONG:+speed.mjs}}; do
    [ -f "$test" ] || continue
    echo "== $test"
    began=$SECONDS
    node "$test" || status=1
    echo "   $test took $((SECONDS - began)) s"
done
exit $status
