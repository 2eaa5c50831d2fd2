#!/usr/bin/env bash
# Clients that others wrote, through WHIP and WHEP: the table of tests/interop/clients. The last line is "N passed, N failed".
# --build only makes what the clients need; other options are run.mjs's.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
. cmake/setup.sh

# Pion is built from Debian's packages of Go sources. A go.mod is there so that its import paths with a major version are understood.
build_pion() {
    local source=tests/interop/clients/pion to=build/clients made
    made=$({ cat $source/*; dpkg-query -W golang-go golang-github-pion-webrtc.v3-dev; } | sha256sum)
    [ -x $to/pion ] && [ "$(cat $to/.pion 2>/dev/null)" = "$made" ] && return 0
    say "Building the Pion client"
    mkdir -p $to/go/src/pion && cp $source/* $to/go/src/pion/
    (cd $to/go/src/pion && GO111MODULE=off GOFLAGS='' GOPATH="$PWD/../..:/usr/share/gocode" GOCACHE="$PWD/../../cache" CGO_ENABLED=0 \
        go build -ldflags '-s -w' -o ../../../pion .) && printf '%s' "$made" >$to/.pion
}

npm_packages tests/interop/clients
build_pion
[ "${1:-}" != --build ] || exit 0
[ -x build/release/consilium ] && [ -x build/release/bench/bench-impair-relay ] || build_program release consilium bench-impair-relay
exec node tests/interop/clients/run.mjs "$@"
