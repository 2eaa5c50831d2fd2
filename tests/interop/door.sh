#!/usr/bin/env bash
# The real server (AddressSanitizer) against good and bad HTTP and WebSocket input.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")"
exec node http.mjs
