#!/usr/bin/env bash
# Runs Debian's Janus with its VideoRoom plugin alone, configured in a folder of its own: WebSocket API on loopback, rooms 1…N.
# usage: bench/janus/serve.sh FOLDER WS_PORT ROOMS CODEC [EVENT_LOOPS]
set -euo pipefail
folder=$1 port=$2 rooms=$3 codec=$4 loops=${5:-0}
command -v janus >/dev/null || { echo "janus is not installed: apt-get install janus" >&2; exit 127; }
library=$(dpkg -L janus | sed -n 's,/plugins$,,p')
# Janus takes no loopback addresses as candidates: the machine's own address is used, whose traffic stays inside it.
address=$(ip -o -4 addr show scope global up | awk 'NR == 1 {sub("/.*", "", $4); print $4}')
[ -n "$address" ] || { echo "janus: this machine has no address but loopback" >&2; exit 1; }
mkdir -p "$folder"
except() { for f in "$library/$1"/*.so; do f=${f##*/}; [ "$f" = "$2" ] || printf '%s,' "$f"; done; }
cat >"$folder/janus.jcfg" <<CFG
general: {
	configs_folder = "$folder"
	plugins_folder = "$library/plugins"
	transports_folder = "$library/transports"
	events_folder = "$folder/none"
	loggers_folder = "$folder/none"
	debug_level = 2
	session_timeout = 0
	event_loops = $loops
}
media: { }
nat: {
	ice_lite = true
	ice_enforce_list = "$address"
}
plugins: { disable = "$(except plugins libjanus_videoroom.so)" }
transports: { disable = "$(except transports libjanus_websockets.so)" }
CFG
cat >"$folder/janus.transport.websockets.jcfg" <<CFG
general: {
	ws = true
	ws_port = $port
	ws_ip = "127.0.0.1"
	wss = false
}
admin: { admin_ws = false }
CFG
{
    echo 'general: { }'
    for ((room = 1; room <= rooms; room++)); do
        printf 'room-%d: {\n\tpublishers = 2000\n\tbitrate = 0\n\tfir_freq = 0\n\taudiocodec = "opus"\n\tvideocodec = "%s"\n}\n' "$room" "$codec"
    done
} >"$folder/janus.plugin.videoroom.jcfg"
exec janus -F "$folder" -o
