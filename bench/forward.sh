#!/usr/bin/env bash
# What forwarding a packet costs, and the floor for the very same schedule of packets, side by side.
# usage: bench/forward.sh [SECONDS [VIDEO [VOICE]]]   (10 30 200)
set -euo pipefail
cd "$(dirname "$0")/.."
. cmake/setup.sh
seconds=${1:-10} video=${2:-30} voice=${3:-200}
build_program release bench-forward bench-floor >/dev/null 2>&1
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
build/release/bench/bench-forward --video "$video" --voice "$voice" --seconds "$seconds" --schedule "$dir/schedule" --json >"$dir/forward"
build/release/bench/bench-floor --core 0 --sink-core 1 --schedule "$dir/schedule" --json >"$dir/floor"
python3 - "$dir" <<'PY'
import json, sys
forward, floor = (json.load(open(f"{sys.argv[1]}/{name}")) for name in ("forward", "floor"))
cost, least = forward["us_per_packet"], floor["floor"] / 1000
print(f"room of {forward['participants']} ({forward['video']} with video), {forward['packets_per_s']} packets/s, {forward['seconds']:.0f} s")
print(f"{'':28}{'measured':>10}{'floor':>10}{'ratio':>8}{'goal':>8}")
print(f"{'CPU per packet, us':28}{cost:>10.2f}{least:>10.2f}{cost / least:>8.2f}{'≤ 1.5':>8}   floor by {floor['how']}")
print(f"{'share of one core, %':28}{forward['core_percent']:>10.1f}{'':>10}{'':>8}{'≤ 50':>8}")
print(f"{'memory, MiB':28}{forward['rss_mib']:>10.1f}")
print(f"{'datagrams per GSO run':28}{forward['gso_run']:>10.2f}")
print(f"{'in the server, p99, ms':28}{'< %.2f' % forward['server_delay_p99_below_ms']:>10}{'':>10}{'':>8}{'≤ 2':>8}")
print(f"lost {forward['missing']}, not decrypted {forward['not_decrypted']}, foreign {forward['foreign']}")
PY
