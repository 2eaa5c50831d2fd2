#!/usr/bin/env bash
# The real server (AddressSanitizer) against good and bad HTTP and WebSocket input, the printed report, what hosts may do, requests watched and rooms
# that end with their request, forms that are being typed and urgent requests that call, and how an installation starts.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")"
status=0
node http.mjs || status=1
node report.mjs || status=1
node host.mjs || status=1
node ending.mjs || status=1
node typed.mjs || status=1
node slides.mjs || status=1
node start.mjs || status=1
exit $status
