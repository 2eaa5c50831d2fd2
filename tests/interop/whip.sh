#!/usr/bin/env bash
# GStreamer's webrtcbin and browsers through WHIP and WHEP. The last line is "N passed, N failed".
set -euo pipefail
cd "$(dirname "$0")/../.."
. cmake/setup.sh
[ -x build/release/consilium ] || build_program release consilium
npm_packages tests/e2e
build_web
exec node tests/interop/whip.mjs
