#!/usr/bin/env bash
# tests/lint/measure.sh [BUILD] [--source] [--plain] [--limit NAME=VALUE]: the house in figures, each beside its limit; what is beyond is named, and
# the exit status is 1. BUILD (build/release) is configured and built; --source leaves out what needs it: circles and what only tests reach.
set -euo pipefail
exec python3 -B "$(dirname "$(readlink -f "$0")")/measure.py" "$@"
