#!/usr/bin/env bash
# The real server (AddressSanitizer) against good and bad HTTP and WebSocket input, the printed report, what hosts may do, requests watched and rooms
# that end with their request, slides and their tiles, DICOM images, forms that are being typed and urgent requests that call, what is written in a room, strangers and floods, who comes to the door, offers as
# encoders write them, and how an installation starts.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")"
# Two at a time: each has a server and ports of its own, and mostly waits. What one said comes in one piece.
said=$(mktemp -d)
trap 'rm -rf "$said"' EXIT
lane() {
    local each status=0
    for each in "$@"; do
        node "$each.mjs" >"$said/$each" 2>&1 && continue
        status=1
        # one that ended outside of its checks names neither itself nor what it was doing
        grep -q '^FAILED' "$said/$each" ||
            printf 'FAILED  %s.mjs ended early:\n%s\n' "$each" "$(grep -m1 -A3 Error "$said/$each" || tail -n 4 "$said/$each")" >>"$said/$each"
    done
    return $status
}
status=0
lane http report host typed said slides zips tiles pictures start &
lane ending gate strangers offers looking iiif figures dicom cstore || status=1
wait $! || status=1
cat "$said"/*
exit $status
