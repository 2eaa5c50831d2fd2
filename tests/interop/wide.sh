#!/usr/bin/env bash
# 2K and 4K: clips encoded by GStreamer, sent by bench-load through the real server, compared frame by frame. The last line is
# "N passed, N failed".
set -euo pipefail
cd "$(dirname "$0")/../.."
. cmake/setup.sh
[ -x build/release/bench/bench-load ] && [ -x build/release/consilium ] || build_program release consilium bench-load
exec node tests/interop/wide.mjs
