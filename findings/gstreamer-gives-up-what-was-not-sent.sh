#!/usr/bin/env bash
# GStreamer's rtpjitterbuffer of Debian 12 with do-retransmission, as webrtcbin uses it where a transceiver has do-nack.
#
# Expected: only what is missing between packets that came is asked for and given up; after a pause of the sender (a still screen, a switch from one
# camera to the next) the stream goes on with the next packet.
# What happens: when the next packet does not come in the usual time it is asked for before it was sent, given up after the buffer's latency, and thrown
# away as late when it comes at last. Without do-retransmission every packet is delivered. Pauses of 0.5 s are enough.
# Why it matters here: after a pause that packet is the beginning of a picture, after a switch of a key frame: a screen that changes twice a second is
# never whole, and an encoder that sends no key frames by itself is not seen until another one is asked for. The server gives the packet after such a pause
# the next number where its own was asked for already (media/stream/rewrite, cn_rewrite_asked).
#
# Fetches pinned Debian packages (apt-get download) into a temporary folder and installs nothing. Needs Debian 12 with python3-gi and GStreamer's base.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
version=1.22.0-5+deb12u4
apt-cache madison gstreamer1.0-plugins-good | grep -q . || { echo "no gstreamer1.0-plugins-good: apt-get update?"; exit 1; }
apt-get download -q "gstreamer1.0-plugins-good=$version" >/dev/null 2>&1 || { echo "no gstreamer1.0-plugins-good $version any more"; exit 1; }
dpkg -x gstreamer1.0-plugins-good_*.deb root
plugins=$(find "$folder/root" -name libgstrtpmanager.so -printf '%h\n')
mkdir only && ln -s "$plugins/libgstrtpmanager.so" only/

cat >try.py <<'PY'
import struct, sys, time
import gi
gi.require_version("Gst", "1.0")
from gi.repository import Gst
Gst.init(None)
asks, pause = sys.argv[1], float(sys.argv[2])
line = Gst.parse_launch(
    "appsrc name=a is-live=true do-timestamp=true format=time "
    "caps=application/x-rtp,media=video,clock-rate=90000,encoding-name=VP8,payload=96 ! "
    f"rtpjitterbuffer name=j latency=200 do-retransmission={asks} ! fakesink name=s signal-handoffs=true sync=false")
source, buffer, sink = (line.get_by_name(name) for name in "ajs")
came, asked = [], []
sink.connect("handoff", lambda _sink, data, _pad: came.append(struct.unpack(">H", data.extract_dup(2, 2))[0]))

def upstream(_pad, info):
    event = info.get_event()
    if event.type == Gst.EventType.CUSTOM_UPSTREAM and event.get_structure().get_name() == "GstRTPRetransmissionRequest":
        asked.append(event.get_structure().get_value("seqnum"))
    return Gst.PadProbeReturn.OK

buffer.get_static_pad("sink").add_probe(Gst.PadProbeType.EVENT_UPSTREAM, upstream)
line.set_state(Gst.State.PLAYING)
begun, number = time.monotonic(), 100

def send(count):
    global number
    for _ in range(count):
        stamp = int((time.monotonic() - begun) * 90000) & 0xffffffff
        source.emit("push-buffer", Gst.Buffer.new_wrapped(struct.pack(">BBHII", 0x80, 0xe0, number, stamp, 1) + b"\x10\x00" * 10))
        number += 1
        time.sleep(1 / 15)

send(45)
after = number
time.sleep(pause)
early = sorted({n for n in asked if n >= after})
send(15)
time.sleep(0.6)
print("missing", [n - after for n in range(100, number) if n not in came], "asked for before", [n - after for n in early])
line.set_state(Gst.State.NULL)
PY
status=0
try() { # do-retransmission, pause, what is expected: the packet after the pause is number 0
    local said
    said=$(GST_PLUGIN_PATH="$folder/only" GST_REGISTRY="$folder/registry" /usr/bin/python3 try.py "$1" "$2")
    printf 'do-retransmission=%-5s pause %s s: %s\n' "$1" "$2" "$said"
    [ "$said" = "$3" ] || { echo "    it was: $3"; status=1; }
}
echo "gstreamer1.0-plugins-good $version"
for pause in 0.5 1.5; do
    try false $pause 'missing [] asked for before []'
    try true $pause 'missing [0] asked for before [0]'
done
exit $status
